"""One contract, run over every recommender of the package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import companion
from companion.baselines import ALS, EASE, ItemKNN, PersonalFrequency, Popularity
from companion.embeddings import Embeddings
from companion.factorization import PPMIEmbedding, PureSVD, cooccurrence
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.node2vec import Node2Vec
from companion.protocols import Embedder, Recommender
from companion.recommend import (
    EmbeddingRecommender,
    HistoryRecommender,
    mean_of_history,
    recommend_for,
)
from companion.scoring import ScoringRecommender
from companion.splits import (
    Split,
    leave_last_out,
    random_split,
    temporal_split,
    user_temporal_split,
)

U, N_ITEMS = 30, 20
BUSY, NEWCOMER = 0, U - 1  # had everything but one item; had nothing


def make_log() -> Interactions:
    """Return a log in which one user had nothing, one nearly all, and item 19 was never had."""
    rng = np.random.default_rng(0)
    busy = pd.DataFrame({"user": BUSY, "item": np.arange(N_ITEMS - 1)})
    rest = pd.DataFrame({"user": rng.integers(1, NEWCOMER, 200), "item": rng.integers(0, 15, 200)})
    known = pd.DataFrame({"user": [*range(1, NEWCOMER), NEWCOMER], "item": 3})
    unsold = pd.DataFrame({"user": [NEWCOMER], "item": [N_ITEMS - 1]})
    frame = pd.concat([busy, rest, known, unsold], ignore_index=True)
    data = Interactions.from_frame(frame.assign(timestamp=rng.integers(0, 50, len(frame))))
    return data.take(data.users != data.user_code(NEWCOMER))


def embedded(data: Interactions) -> EmbeddingRecommender:
    rng = np.random.default_rng(1)
    return EmbeddingRecommender(
        rng.normal(size=(data.n_users, 4)), rng.normal(size=(data.n_items, 4)), data
    )


def by_history(data: Interactions, **options: Any) -> HistoryRecommender:
    model = Node2Vec(dim=4, walk_length=10, walks_per_node=2).fit(data, verbose=False)
    return HistoryRecommender(data, model.item_embeddings_, model.context_embeddings_, **options)


def item2vec(data: Interactions, **options: Any) -> Item2Vec:
    return Item2Vec(dim=4, epochs=2, engine="fast", **options).fit(data, verbose=False)


MODELS: dict[str, Callable[[Interactions], Any]] = {
    "Popularity": lambda data: Popularity().fit(data),
    "Popularity of late": lambda data: Popularity(last_days=20 / 86_400).fit(data),
    "PersonalFrequency": lambda data: PersonalFrequency().fit(data),
    "PersonalFrequency, fading": lambda data: PersonalFrequency(half_life_days=1e-4).fit(data),
    "ItemKNN": lambda data: ItemKNN(k=5).fit(data),
    "ItemKNN, last 2": lambda data: ItemKNN(k=5, last=2).fit(data),
    "EASE": lambda data: EASE(reg=1.0).fit(data),
    "EASE, fading": lambda data: EASE(reg=1.0, decay=0.5).fit(data),
    "EASE, last 2": lambda data: EASE(reg=1.0, last=2).fit(data),
    "ALS": lambda data: ALS(dim=4, epochs=2).fit(data, threads=1),
    "ALS, last 2": lambda data: ALS(dim=4, epochs=2, last=2).fit(data, threads=1),
    "PureSVD": lambda data: PureSVD(dim=4).fit(data),
    "PureSVD, last 2": lambda data: PureSVD(dim=4, last=2).fit(data),
    "EmbeddingRecommender": embedded,
    "HistoryRecommender": by_history,
    "HistoryRecommender, last 2": lambda data: by_history(data, last=2, decay=0.5),
    "Item2Vec": item2vec,
    "Item2Vec, output": lambda data: item2vec(data, score_with="output", last=2, decay=0.5),
}


@pytest.fixture(scope="module")
def data() -> Interactions:
    return make_log()


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS.keys())
def model(request: pytest.FixtureRequest, data: Interactions) -> Recommender:
    return request.param(data)


def everybody(data: Interactions) -> Any:
    return np.arange(data.n_users)


def rankable(model: Any, data: Interactions) -> Any:
    """Return which items can be listed: all, unless the model gives an item no vector."""
    if isinstance(model, HistoryRecommender):
        known = model.item_embeddings
    elif isinstance(model, Embedder):
        known = model.item_embeddings_
    else:
        return np.ones(data.n_items, dtype=bool)
    return np.array([item in known for item in data.item_ids])


def test_it_is_a_recommender(model: Recommender) -> None:
    assert isinstance(model, Recommender)


def test_every_scoring_recommender_of_the_package_is_under_contract(data: Interactions) -> None:
    for module in pkgutil.iter_modules(companion.__path__):
        if not module.name.startswith("_") and module.name != "teaching":
            importlib.import_module(f"companion.{module.name}")
    tested = {type(make(data)) for make in MODELS.values()}
    ours = {c for c in ScoringRecommender.__subclasses__() if c.__module__.startswith("companion.")}
    assert ours <= tested


def test_shape_dtype_range_and_no_item_twice(model: Recommender, data: Interactions) -> None:
    for k in (1, 7, N_ITEMS, N_ITEMS + 9):
        top = model.recommend(everybody(data), k)
        assert top.ids.shape == top.scores.shape == (U, k)
        assert top.ids.dtype == np.int64
        assert top.scores.dtype == np.float32
        assert top.ids.min() >= -1
        assert top.ids.max() < data.n_items
        for row, length in zip(top.ids, top.lengths(), strict=True):
            assert len(set(row[:length].tolist())) == length


def test_best_first(model: Recommender, data: Interactions) -> None:
    top = model.recommend(everybody(data), 10)
    for scores, length in zip(top.scores, top.lengths(), strict=True):
        assert (np.diff(scores[:length]) <= 0).all()
        assert np.isfinite(scores[:length]).all()


def test_padding_stands_at_the_end(model: Recommender, data: Interactions) -> None:
    top = model.recommend(everybody(data), N_ITEMS + 5)
    padded = top.ids == -1
    assert padded[:, -5:].all()
    assert (np.diff(padded.astype(int), axis=1) >= 0).all()
    assert (np.isneginf(top.scores) == padded).all()


def test_seen_items_are_left_out_by_default(model: Recommender, data: Interactions) -> None:
    top = model.recommend(everybody(data), N_ITEMS)
    seen = data.to_csr(binary=True).toarray() > 0
    for user, (row, length) in enumerate(zip(top.ids, top.lengths(), strict=True)):
        assert not seen[user, row[:length]].any()
        assert length == (rankable(model, data) & ~seen[user]).sum()  # and nothing else is
    unseen = rankable(model, data)[N_ITEMS - 1]
    assert top.lengths()[data.user_code(BUSY)] == unseen


def test_seen_items_are_listed_when_asked_for(model: Recommender, data: Interactions) -> None:
    top = model.recommend(everybody(data), N_ITEMS, exclude_seen=False)
    listed = np.sort(top.ids, axis=1)[:, (~rankable(model, data)).sum() :]
    assert (listed == np.flatnonzero(rankable(model, data))).all()


def test_excluded_pairs_are_left_out_as_well(model: Recommender, data: Interactions) -> None:
    """A stored 0 or -1 excludes like a 1; row q belongs to the q-th user asked for."""
    users = np.array([5, 2, NEWCOMER])
    pairs = (np.array([1.0, -1.0, 0.0]), ([0, 1, 2], [16, 18, 17]))
    exclude = sparse.csr_array(pairs, shape=(3, N_ITEMS))
    for exclude_seen in (True, False):
        free = model.recommend(users, N_ITEMS, exclude_seen=exclude_seen)
        top = model.recommend(users, N_ITEMS, exclude_seen=exclude_seen, exclude=exclude)
        for row, banned in enumerate([16, 18, 17]):
            assert banned in free.ids[row]
            left = [item for item in free.ids[row].tolist() if item not in (banned, -1)]
            assert top.ids[row, : len(left)].tolist() == left
            assert (top.ids[row, len(left) :] == -1).all()


def test_a_short_list_is_the_head_of_a_long_one(model: Recommender, data: Interactions) -> None:
    long = model.recommend(everybody(data), N_ITEMS)
    assert (model.recommend(everybody(data), 1).ids == long.ids[:, :1]).all()
    assert (model.recommend(everybody(data), 4).ids == long.ids[:, :4]).all()


def test_one_user_gets_what_they_get_among_many(model: Recommender, data: Interactions) -> None:
    users = np.array([7, 3, 7, NEWCOMER, 0])
    together = model.recommend(users, 5)
    for row, user in enumerate(users):
        alone = model.recommend(np.array([user]), 5)
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-5, atol=1e-6)
    assert (together.ids[0] == together.ids[2]).all()


def test_no_users(model: Recommender) -> None:
    assert model.recommend(np.array([], dtype=np.int64), 3).ids.shape == (0, 3)


def test_many_users(model: Recommender, data: Interactions) -> None:
    """More than are scored at a time."""
    users = np.tile(everybody(data), 40)
    ids = model.recommend(users, 3, exclude_seen=False).ids.reshape(40, U, 3)
    scores = model.recommend(users, 3, exclude_seen=False).scores.reshape(40, U, 3)
    np.testing.assert_allclose(scores, np.broadcast_to(scores[0], scores.shape), rtol=1e-5)
    assert ids.shape == (40, U, 3)


def test_the_same_question_gets_the_same_answer(model: Recommender, data: Interactions) -> None:
    first, again = (model.recommend(everybody(data), 6) for _ in range(2))
    assert (first.ids == again.ids).all()
    assert (first.scores == again.scores).all()


def test_the_question_is_not_changed(model: Recommender, data: Interactions) -> None:
    users = everybody(data)
    exclude = sparse.csr_array(([1.0], ([0], [0])), shape=(U, N_ITEMS))
    model.recommend(users, 6, exclude=exclude)
    assert (users == np.arange(U)).all()
    assert exclude.nnz == 1
    assert exclude.data.tolist() == [1.0]


@pytest.mark.parametrize(
    ("users", "k", "error", "message"),
    [
        ([U], 3, ValueError, f"users must be codes in 0 .. {U - 1}, got {U}"),
        ([0, -1], 3, ValueError, f"users must be codes in 0 .. {U - 1}, got -1"),
        ([0.0], 3, TypeError, "users must be integer codes, got float64"),
        ([True], 3, TypeError, "users must be integer codes, got bool"),
        (["ann"], 3, TypeError, "users must be integer codes, got <U3"),
        (0, 3, ValueError, r"users must have shape \(Q,\), got \(\)"),
        ([[0]], 3, ValueError, r"users must have shape \(Q,\), got \(1, 1\)"),
        ([0], 0, ValueError, "k must be an integer of at least 1, got 0"),
        ([0], -4, ValueError, "k must be an integer of at least 1, got -4"),
        ([0], 2.0, TypeError, "k must be an integer of at least 1, got 2.0"),
        ([], 0, ValueError, "k must be an integer of at least 1, got 0"),
    ],
)
def test_bad_questions_are_refused(
    model: Recommender, users: Any, k: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model.recommend(users, k)


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("shape", [(2, N_ITEMS), (1, N_ITEMS + 1)])
def test_exclude_of_another_shape_is_refused(
    model: Recommender, shape: tuple[int, int], exclude_seen: bool
) -> None:
    with pytest.raises(ValueError, match="exclude must have"):
        model.recommend([0], 3, exclude_seen=exclude_seen, exclude=sparse.csr_array(shape))


def test_what_recommends_nothing_is_no_recommender() -> None:
    assert not isinstance(object(), Recommender)
    assert not isinstance(make_log(), Recommender)


def test_als_is_an_embedder(data: Interactions) -> None:
    assert isinstance(ALS(dim=4, epochs=1).fit(data, threads=1), Embedder)
    assert not isinstance(Popularity().fit(data), Embedder)


# --- the wrong kind of data ---------------------------------------------------------------------

FITS: dict[str, Callable[[Any], Any]] = {
    "Popularity": Popularity().fit,
    "Popularity of late": Popularity(last_days=1).fit,
    "ItemKNN": ItemKNN().fit,
    "EASE": EASE().fit,
    "ALS": ALS().fit,
    "PureSVD": PureSVD().fit,
    "PPMIEmbedding": PPMIEmbedding().fit,
}
ENTRIES: dict[str, Callable[[Any], Any]] = {
    **FITS,
    "Split": lambda data: Split(data, np.zeros(len(data), dtype=np.int8), "by hand"),
    "random_split": random_split,
    "leave_last_out": leave_last_out,
    "user_temporal_split": user_temporal_split,
    "temporal_split": lambda data: temporal_split(data, validation_start=2, test_start=3),
    "cooccurrence": cooccurrence,
    "mean_of_history": lambda data: mean_of_history(data, np.ones((2, 2))),
    "EmbeddingRecommender": lambda data: EmbeddingRecommender(
        np.ones((2, 2)), np.ones((2, 2)), data
    ),
    "HistoryRecommender": lambda data: HistoryRecommender(data, Embeddings([1], [[1.0]])),
    "recommend_for": lambda data: recommend_for(Popularity().fit(make_log()), data, [0], k=1),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_a_table_is_not_yet_interactions(entry: Callable[[Any], Any]) -> None:
    table = pd.DataFrame({"user": [1, 2], "item": [1, 2], "timestamp": [1, 2]})
    says = r"data must be Interactions \(see Interactions.from_frame\), got DataFrame"
    with pytest.raises(TypeError, match=says):
        entry(table)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())
def test_there_is_nothing_to_learn_from_no_rows(fit: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match="data must have at least one row, got none"):
        fit(make_log().take([]))
