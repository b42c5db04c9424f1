"""Vectors to lists to the caller's ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from companion import recommend
from companion.baselines import Popularity
from companion.embeddings import Embeddings
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.recommend import (
    EmbeddingRecommender,
    HistoryRecommender,
    Recommendations,
    mean_of_history,
    recommend_for,
    with_ids,
)
from companion.topk import TopK


def small_log() -> Interactions:
    """Ann had tea, jam, tea; bob had rye; cat is known and had nothing."""
    frame = pd.DataFrame(
        {
            "user": ["ann", "ann", "ann", "bob", "cat"],
            "item": ["tea", "jam", "tea", "rye", "oat"],
            "timestamp": [1, 2, 3, 1, 1],
        }
    )
    data = Interactions.from_frame(frame)
    return data.take(data.users != 2)


def random_log(seed: int, n_users: int = 9, n_items: int = 12) -> Interactions:
    rng = np.random.default_rng(seed)
    users = np.concatenate([np.arange(n_users), rng.integers(0, n_users - 1, 30)])
    items = np.concatenate([np.arange(n_users), rng.integers(0, n_items, 30)])
    everything = pd.DataFrame({"user": n_users - 1, "item": np.arange(n_items)})
    frame = pd.concat([pd.DataFrame({"user": users, "item": items}), everything])
    data = Interactions.from_frame(frame.assign(timestamp=rng.integers(0, 9, len(frame))))
    return data.take(data.users != data.user_code(n_users - 1))  # one user without a row


# --- EmbeddingRecommender -----------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 15), exclude_seen=st.booleans())
def test_equals_brute_force(seed: int, k: int, exclude_seen: bool) -> None:
    rng, data = np.random.default_rng(seed), random_log(seed)
    users = rng.integers(-3, 4, (data.n_users, 2)).astype(float)  # integers: exact, many ties
    items = rng.integers(-3, 4, (data.n_items, 2)).astype(float)
    asked = rng.integers(0, data.n_users, 5)
    top = EmbeddingRecommender(users, items, data).recommend(asked, k, exclude_seen=exclude_seen)
    for row, user in enumerate(asked):
        had = set(data.items[data.users == user].tolist()) if exclude_seen else set()
        score = {i: float(users[user] @ items[i]) for i in range(data.n_items) if i not in had}
        best = sorted(score, key=lambda i: (-score[i], i))[:k]
        assert top.ids[row].tolist() == best + [-1] * (k - len(best))
        assert top.scores[row, : len(best)].tolist() == [score[i] for i in best]
        assert np.isneginf(top.scores[row, len(best) :]).all()


def test_the_dot_product_is_not_the_cosine() -> None:
    data = small_log()
    long_but_askew = [[3.0, 3.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    model = EmbeddingRecommender([[1.0, 0.0]] * 3, long_but_askew, data)
    assert model.recommend([2], 2).ids.tolist() == [[0, 1]]  # cosine would put item 1 first


def test_the_caller_s_vectors_are_not_changed() -> None:
    users, items = np.ones((3, 2), np.float32), np.ones((4, 2), np.float32)
    EmbeddingRecommender(users, items, small_log()).recommend([0, 1, 2], 3)
    assert (users == 1).all()
    assert (items == 1).all()


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        (np.ones((2, 2)), np.ones((4, 2)), r"user_vectors must have shape \(3, D\), got \(2, 2\)"),
        (np.ones((3, 2)), np.ones((3, 2)), r"item_vectors must have shape \(4, D\), got \(3, 2\)"),
        (np.ones(3), np.ones((4, 2)), r"user_vectors must have shape \(3, D\), got \(3,\)"),
        (np.ones((3, 2)), np.ones((4, 3)), "must share one dimension, got 2 and 3"),
        (np.full((3, 2), np.nan), np.ones((4, 2)), "user_vectors must be finite, got NaN"),
        (np.ones((3, 2)), np.full((4, 2), np.inf), "item_vectors must be finite, got NaN or inf"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(users: Any, items: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EmbeddingRecommender(users, items, small_log())


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (Embeddings(list("abcd"), np.eye(4)), "pass .vectors"),
        (np.full((4, 2), "1"), "must be an array of numbers, got dtype <U1"),
        (np.full((4, 2), 1j), "must be an array of numbers, got dtype complex128"),
        (np.full((4, 2), None), "must be an array of numbers, got dtype object"),
    ],
    ids=["Embeddings", "text", "complex", "object"],
)
def test_vectors_are_an_array_of_numbers(vectors: Any, message: str) -> None:
    data, good = small_log(), np.ones((3, 2))
    with pytest.raises(TypeError, match=f"item_vectors .*{message}"):
        EmbeddingRecommender(good, vectors, data)
    with pytest.raises(TypeError, match=f"user_vectors .*{message}"):
        EmbeddingRecommender(vectors, np.ones((4, 2)), data)
    with pytest.raises(TypeError, match=f"item_vectors .*{message}"):
        mean_of_history(data, vectors)


def test_vectors_too_large_for_float32_are_refused() -> None:
    with pytest.raises(ValueError, match="item_vectors must be finite"):
        mean_of_history(small_log(), np.full((4, 2), 1e300))


# --- mean_of_history ------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [None, 1, 2, 3, 100])
def test_the_mean_equals_a_loop(last: int | None) -> None:
    data = random_log(7)
    vectors = np.random.default_rng(7).normal(size=(data.n_items, 5))
    found = mean_of_history(data, vectors, last=last)
    assert found.dtype == np.float32
    assert found.shape == (data.n_users, 5)
    lengths = []
    for user in range(data.n_users):
        history = data.items[data.users == user][-(last or 0) :]  # rows stand oldest first
        expected = vectors[history].mean(axis=0) if len(history) else np.zeros(5)
        np.testing.assert_allclose(found[user], expected, atol=1e-6)
        lengths.append(len(history))
    assert min(lengths) == 0
    assert max(lengths) > 1 or last == 1


def test_the_mean_by_hand() -> None:
    vectors = [[3.0, 0.0], [0.0, 6.0], [1.0, 1.0], [9.0, 9.0]]  # tea, jam, rye, oat
    data = small_log()
    assert mean_of_history(data, vectors).tolist() == [[2, 2], [1, 1], [0, 0]]  # tea counts twice
    assert mean_of_history(data, vectors, last=2).tolist() == [[1.5, 3], [1, 1], [0, 0]]
    assert mean_of_history(data, vectors, last=1).tolist() == [[3, 0], [1, 1], [0, 0]]


# --- HistoryRecommender -------------------------------------------------------------------------

TABLE = Embeddings(["oat", "jam", "tea"], [[1.0, 1.0], [0.0, 2.0], [4.0, 0.0]])  # not rye


def test_cosine_with_the_mean_of_unit_vectors_by_hand() -> None:
    data = small_log()  # tea, jam, rye, oat; ann had tea, jam, tea
    scores = HistoryRecommender(data, TABLE).score(np.array([0, 1]))
    mean = np.array([2 / 3, 1 / 3]) / np.hypot(2 / 3, 1 / 3)  # of (1, 0), (0, 1), (1, 0)
    expected = [mean[0], mean[1], -np.inf, mean @ [np.sqrt(0.5), np.sqrt(0.5)]]
    assert scores[0] == pytest.approx(expected)
    assert scores[1].tolist() == [0, 0, -np.inf, 0]  # bob had rye alone, which has no vector


def test_dot_product_with_the_other_table_by_hand() -> None:
    context = Embeddings(TABLE.ids, [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    model = HistoryRecommender(small_log(), TABLE, context, last=2, decay=0.5)
    mean = (0.5 * np.array([0.0, 2.0]) + np.array([4.0, 0.0])) / 1.5  # jam, then tea
    assert model.score(np.array([0]))[0] == pytest.approx([mean.sum(), mean[1], -np.inf, mean[0]])


def test_the_newest_rows_are_counted_among_those_with_a_vector() -> None:
    frame = pd.DataFrame({"user": 1, "item": ["jam", "tea", "rye"], "timestamp": [1, 2, 3]})
    data = Interactions.from_frame(frame)
    model = HistoryRecommender(data, TABLE, last=1)
    assert model.score(np.array([0]))[0, data.item_ids.get_indexer(["tea"])] == pytest.approx(1)


@pytest.mark.parametrize("matrix", ["input", "output"])
def test_item2vec_scores_its_histories_alike(matrix: Any) -> None:
    data, users = random_log(3), np.arange(9)
    options: dict[str, Any] = {"last": 3, "decay": 0.8, "popularity_weight": 0.3}
    model = Item2Vec(dim=4, epochs=2, engine="fast", score_with=matrix, **options)
    model.fit(data, verbose=False)
    context = model.context_embeddings_ if matrix == "output" else None
    alike = HistoryRecommender(data, model.item_embeddings_, context, **options)
    np.testing.assert_allclose(alike.score(users), model.score(users), rtol=1e-5)
    without = HistoryRecommender(data, model.item_embeddings_, context, last=3, decay=0.8)
    assert not np.allclose(without.score(users), model.score(users))


def test_popularity_is_added_as_a_logarithm_and_nobody_counts_as_one() -> None:
    data = small_log()  # rows: tea 2, jam 1, rye 1, oat 0; rye has no vector
    known, ann = [0, 1, 3], np.array([0])
    plain = HistoryRecommender(data, TABLE).score(ann)[0, known]
    scores = HistoryRecommender(data, TABLE, popularity_weight=2.0).score(ann)[0, known]
    gained = scores - plain
    assert gained == pytest.approx(2 * np.log([2 / 4, 1 / 4, 1 / 4]), rel=1e-5)


def test_the_table_is_brought_to_length_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_log(3)
    table = Embeddings(data.item_ids.tolist(), np.random.default_rng(0).normal(size=(12, 4)))
    model = HistoryRecommender(data, table)
    lengths: list[int] = []
    real = recommend.at_length_one
    monkeypatch.setattr(
        recommend, "at_length_one", lambda rows: (lengths.append(len(rows)), real(rows))[1]
    )
    model.score(np.arange(5))
    model.score(np.arange(3))
    assert lengths == [5, 3]  # the users, not the items


@pytest.mark.parametrize("users", [[-1], [0, 9]])
def test_codes_of_nobody_are_refused(users: list[int]) -> None:
    model = HistoryRecommender(small_log(), TABLE)
    with pytest.raises(ValueError, match=r"users must be codes in 0 \.\. 2, got"):
        model.score(np.array(users))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.ones((4, 2)),), {}, TypeError, "item_embeddings must be Embeddings, got ndarray"),
        ((TABLE, np.ones((3, 2))), {}, TypeError, "context_embeddings must be Embeddings"),
        ((TABLE, TABLE.subset(["jam", "oat", "tea"])), {}, ValueError, "in their order: 3 x 2"),
        ((Embeddings([1, 2], np.eye(2)),), {}, ValueError, "hold at least one item of the log"),
        ((TABLE,), {"last": 0}, ValueError, "last must be an integer of at least 1"),
        ((TABLE,), {"decay": 0}, ValueError, r"decay must lie in \(0, 1\], got 0"),
        ((TABLE,), {"decay": 1.5}, ValueError, "decay must lie in"),
        ((TABLE,), {"popularity_weight": np.inf}, ValueError, "popularity_weight must lie in"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        HistoryRecommender(small_log(), *arguments, **options)


def test_a_user_without_history_ranks_every_item_the_same() -> None:
    data = small_log()
    items = np.random.default_rng(0).normal(size=(4, 3))
    top = EmbeddingRecommender(mean_of_history(data, items), items, data).recommend([2], 4)
    assert top.ids.tolist() == [[0, 1, 2, 3]]
    assert (top.scores == 0).all()


@pytest.mark.parametrize(
    ("vectors", "last", "error", "message"),
    [
        (np.ones((3, 2)), None, ValueError, r"item_vectors must have shape \(4, D\)"),
        (np.full((4, 2), np.nan), None, ValueError, "item_vectors must be finite"),
        (np.ones((4, 2)), 0, ValueError, "must be an integer of at least 1, got 0"),
        (np.ones((4, 2)), 1.5, TypeError, "must be an integer of at least 1, got 1.5"),
    ],
)
def test_bad_histories_are_refused(
    vectors: Any, last: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mean_of_history(small_log(), vectors, last=last)


# --- the caller's ids -----------------------------------------------------------------------------


def test_lists_carry_the_caller_s_ids() -> None:
    data = small_log()
    found = recommend_for(Popularity().fit(data), data, ["bob", "ann"], k=3)
    assert len(found) == 2
    assert found.user_ids.tolist() == ["bob", "ann"]  # in the order asked
    assert found.items == [["tea", "jam", "oat"], ["rye", "oat"]]  # ann's list is short
    assert found.scores == [[2.0, 1.0, 0.0], [1.0, 0.0]]


def test_seen_items_may_be_asked_for() -> None:
    data = small_log()
    found = recommend_for(Popularity().fit(data), data, ["ann"], k=2, exclude_seen=False)
    assert found.items == [["tea", "jam"]]


def test_ids_keep_their_type() -> None:
    frame = pd.DataFrame({"user": [10, 10, 20], "item": [300, 400, 300]})
    data = Interactions.from_frame(frame, timestamp=None)
    found = recommend_for(Popularity().fit(data), data, [20], k=5)
    assert found.items == [[400]]
    assert type(found.items[0][0]) is int
    assert found.to_frame().to_dict("list") == {
        "user": [20],
        "rank": [1],
        "item": [400],
        "score": [1.0],
    }
    assert found.to_frame().dtypes.astype(str).tolist() == ["int64", "int64", "int64", "float64"]


def test_an_unknown_user_is_named() -> None:
    data = small_log()
    with pytest.raises(KeyError, match="unknown user ids: 'dan'"):
        recommend_for(Popularity().fit(data), data, ["ann", "dan"], k=1)


def test_to_frame_has_one_row_a_recommendation() -> None:
    data = small_log()
    frame = recommend_for(Popularity().fit(data), data, ["bob", "ann"], k=3).to_frame()
    assert frame["user"].tolist() == ["bob"] * 3 + ["ann"] * 2
    assert frame["rank"].tolist() == [1, 2, 3, 1, 2]
    assert frame["item"].tolist() == ["tea", "jam", "oat", "rye", "oat"]
    assert frame.columns.tolist() == ["user", "rank", "item", "score"]


def test_padding_is_left_out() -> None:
    users, items = pd.Index(["a", "b"]), pd.Index(["x", "y"])
    top = TopK([[1, -1], [-1, -1]], [[2.0, -np.inf], [-np.inf, -np.inf]])
    found = with_ids(top, users, items)
    assert found.items == [["y"], []]  # id -1 would be the last item
    assert found.scores == [[2.0], []]
    assert found.to_frame()["user"].tolist() == ["a"]


def test_nobody_asked_nothing_recommended() -> None:
    data = small_log()
    found = recommend_for(Popularity().fit(data), data, [], k=3)
    assert isinstance(found, Recommendations)
    assert len(found) == 0
    assert found.to_frame().shape == (0, 4)


def test_tuples_may_be_ids() -> None:
    pairs = pd.Series([("a", 1), ("a", 2)], dtype=object)
    data = Interactions.from_frame(pd.DataFrame({"user": [1, 2], "item": pairs}), timestamp=None)
    found = recommend_for(Popularity().fit(data), data, [1], k=5)
    assert found.items == [[("a", 2)]]
    assert found.to_frame()["item"].tolist() == [("a", 2)]


def test_a_model_of_other_data_is_noticed() -> None:
    other = small_log()
    model = EmbeddingRecommender(np.ones((3, 1)), np.ones((4, 1)), other)
    with pytest.raises(ValueError, match="exclude must have"):
        model.recommend([0], 1, exclude=sparse.csr_array((1, 7)))
