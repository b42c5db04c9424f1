"""The baselines: figures on MovieLens, dense oracles, conditions of optimality, planted answers."""

from __future__ import annotations

import builtins
import importlib
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from companion.baselines import ALS, EASE, ItemKNN, PersonalFrequency, Popularity
from companion.datasets import make_planted_interactions
from companion.evaluation import Report, evaluate
from companion.interactions import Interactions
from companion.splits import leave_last_out, random_split

DAY = 86_400
MAKERS: dict[str, Callable[[], Any]] = {
    "Popularity": Popularity,
    "PersonalFrequency": PersonalFrequency,
    "ItemKNN": lambda: ItemKNN(k=3, last=2),
    "EASE": lambda: EASE(reg=2.0, last=2),
    "ALS": lambda: ALS(dim=3, epochs=2),
}
every_baseline = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def make_log(pairs: Iterable[tuple[Any, Any]]) -> Interactions:
    return Interactions.from_frame(pd.DataFrame(pairs, columns=["user", "item"]), timestamp=None)


def random_log(seed: int, n_users: int = 40, n_items: int = 15, rows: int = 200) -> Interactions:
    """Draw a log with repeats and with an item (the last) that one user alone has."""
    rng = np.random.default_rng(seed)
    users = np.concatenate([np.arange(n_users), rng.integers(0, n_users, rows)])
    items = np.concatenate([np.arange(n_users) % n_items, rng.integers(0, n_items - 1, rows)])
    frame = pd.DataFrame({"user": users, "item": items, "timestamp": rng.permutation(len(users))})
    return Interactions.from_frame(frame)


def dense(data: Interactions) -> NDArray[np.float64]:
    return data.to_csr(binary=True).toarray().astype(np.float64)


# --- MovieLens-100K, last row of each user out, fitted on all that lies before ------------------


@pytest.fixture(scope="session")
def judged(movielens_100k: Interactions) -> Callable[[Any], Report]:
    split = leave_last_out(movielens_100k)

    def judge(model: Any, **fit: Any) -> Report:
        return evaluate(model.fit(split.train_and_validation, **fit), split, n_bootstrap=50)

    return judge


def three(report: Report) -> list[float]:
    assert report.n_users == 943
    return [report.values[metric] for metric in ("hit_rate@10", "ndcg@10", "hit_rate@20")]


@pytest.mark.parametrize(
    ("model", "hr10", "ndcg10", "hr20"),
    [
        (Popularity(), 0.086, 0.044, 0.126),
        (ItemKNN(k=400), 0.116, 0.059, 0.175),
        (EASE(reg=100.0), 0.149, 0.072, 0.228),
        (EASE(reg=400.0, last=10), 0.192, 0.100, 0.276),
    ],
    ids=["Popularity", "ItemKNN", "EASE", "EASE, last 10"],
)
def test_published_figures_on_movielens(
    judged: Callable[[Any], Report], model: Any, hr10: float, ndcg10: float, hr20: float
) -> None:
    assert three(judged(model)) == pytest.approx([hr10, ndcg10, hr20], abs=0.004)


@pytest.mark.filterwarnings("ignore:Method expects CSR input")  # implicit, of its own matrix
def test_neighbours_of_the_last_five_on_movielens(
    judged: Callable[..., Report], movielens_100k: Interactions
) -> None:
    """The reference (.160 .087 .237) leaves its k open; at k = 400 we find 4 of 943 hits fewer.

    That is .0042 at HR@10, and within .004 at the other two.  The list of neighbours is not to
    blame: `implicit` finds the same ones, and with them the same three figures.
    """
    model = ItemKNN(k=400, last=5)
    report = judged(model)
    found = three(report)
    assert found[0] == pytest.approx(0.160, abs=0.0045)
    assert found[1:] == pytest.approx([0.087, 0.237], abs=0.004)

    neighbours = pytest.importorskip("implicit.nearest_neighbours")
    before = leave_last_out(movielens_100k).train_and_validation.to_csr(binary=True)
    peer = neighbours.CosineRecommender(K=401, num_threads=1)  # an item is its own neighbour there
    peer.fit(_csr_matrix(before), show_progress=False)
    theirs = peer.similarity.tolil()
    theirs.setdiag(0)
    model.similarity_ = type(before)(theirs.tocsr().astype(np.float32))
    again = evaluate(model, leave_last_out(movielens_100k), n_bootstrap=1)
    assert three(again) == pytest.approx(found, abs=1.5e-3)  # ties at the 400th neighbour


def test_als_on_movielens(judged: Callable[..., Report]) -> None:
    """dim 32, reg 1, alpha 1 had the best NDCG@10 on validation among 18 settings.

    Three seeds spread by .003 in HR@10 and .009 in HR@20, hence the tolerances.
    """
    found = three(judged(ALS(dim=32, reg=1.0, alpha=1.0), threads=1))
    assert found[0] == pytest.approx(0.143, abs=0.008)
    assert found[1] == pytest.approx(0.074, abs=0.004)
    assert found[2] == pytest.approx(0.230, abs=0.015)


def _csr_matrix(matrix: Any) -> Any:
    from scipy import sparse

    return sparse.csr_matrix(matrix.astype(np.float64))


# --- Popularity ---------------------------------------------------------------------------------


def test_popularity_counts_rows() -> None:
    data = make_log([("ann", "a"), ("ann", "a"), ("bob", "b"), ("cat", "c"), ("dan", "c")])
    model = Popularity().fit(data)
    assert model.counts_.tolist() == [2, 1, 2]
    assert model.recommend([1], 3).ids.tolist() == [[0, 2, -1]]  # a tie goes to the smaller code
    assert model.score(np.array([0, 3])).tolist() == [[2, 1, 2]] * 2


@pytest.mark.parametrize(
    ("last_days", "counts"),
    [
        (1, [1, 0, 0]),  # the row of exactly a day ago is out
        (1.000012, [1, 1, 0]),  # a second more, and it is in
        (2, [1, 1, 0]),
        (2.5, [1, 1, 1]),
        (1e6, [1, 1, 1]),
        (None, [1, 1, 1]),
    ],
)
def test_popularity_of_late(last_days: float | None, counts: list[int]) -> None:
    now = 1_000 * DAY
    times = [now, now - DAY, now - 2 * DAY]
    frame = pd.DataFrame({"user": [1, 2, 3], "item": ["a", "b", "c"], "timestamp": times})
    model = Popularity(last_days=last_days).fit(Interactions.from_frame(frame))
    assert model.counts_.tolist() == counts


def test_popularity_of_late_still_hides_what_was_had_before() -> None:
    frame = pd.DataFrame({"user": [1, 1], "item": ["a", "b"], "timestamp": [0, 9 * DAY]})
    model = Popularity(last_days=1).fit(Interactions.from_frame(frame))
    assert model.recommend([0], 2).ids.tolist() == [[-1, -1]]


# --- ItemKNN ------------------------------------------------------------------------------------


def slow_neighbours(x: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return s(j, i) of the k nearest i of each j, one pair at a time."""
    n_items = x.shape[1]
    similarity = np.zeros((n_items, n_items))
    for j in range(n_items):
        cosine = {
            i: float(x[:, j] @ x[:, i] / np.sqrt((x[:, j] @ x[:, j]) * (x[:, i] @ x[:, i])))
            for i in range(n_items)
            if i != j and x[:, j] @ x[:, i] > 0
        }
        for i in sorted(cosine, key=lambda i: (-np.float32(cosine[i]), i))[:k]:
            similarity[j, i] = cosine[i]
    return similarity


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), k=st.sampled_from([1, 3, 14, 100]))
def test_item_knn_equals_a_dense_oracle(seed: int, k: int) -> None:
    data = random_log(seed)
    x, model = dense(data), ItemKNN(k=k).fit(data)
    found, expected = model.similarity_.toarray(), slow_neighbours(x, k)
    # Which of two equal cosines is the k-th is decided by the last bit: the values must agree.
    np.testing.assert_allclose(np.sort(found, axis=1), np.sort(expected, axis=1), atol=1e-6)
    kept = found > 0
    np.testing.assert_allclose(found[kept], slow_neighbours(x, 100)[kept], atol=1e-6)
    scores = model.score(np.arange(data.n_users))
    np.testing.assert_allclose(scores, x @ found, atol=1e-5)


def test_neighbours_by_hand() -> None:
    """Columns a = {1, 2}, b = {1, 2, 3}, c = {3}: ab = 2 / sqrt 6, bc = 1 / sqrt 3, ac = 0."""
    data = make_log([(1, "a"), (2, "a"), (1, "b"), (2, "b"), (3, "b"), (3, "c")])
    ab, bc = 2 / np.sqrt(6), 1 / np.sqrt(3)
    all_of_them = ItemKNN(k=5).fit(data).similarity_.toarray()
    np.testing.assert_allclose(all_of_them, [[0, ab, 0], [ab, 0, bc], [0, bc, 0]], atol=1e-6)
    nearest = ItemKNN(k=1).fit(data)
    # Row j keeps what is nearest to j: c keeps b, but b does not keep c.
    kept = nearest.similarity_.toarray()
    np.testing.assert_allclose(kept, [[0, ab, 0], [ab, 0, 0], [0, bc, 0]], atol=1e-6)
    np.testing.assert_allclose(nearest.score(np.array([2])), [[ab, bc, 0]], atol=1e-6)


@pytest.mark.parametrize("make", [ItemKNN, EASE], ids=["ItemKNN", "EASE"])
def test_last_scores_by_the_newest_rows_of_the_history(make: Callable[..., Any]) -> None:
    data = random_log(3)
    whole, late = make().fit(data), make(last=2).fit(data)
    weights = getattr(late, "similarity_", None)
    weights = late.weights_ if weights is None else weights.toarray()
    expected = np.zeros((data.n_users, data.n_items))
    for user in range(data.n_users):
        newest = set(data.items[data.users == user][-2:].tolist())
        expected[user] = sum(weights[item] for item in newest)
    np.testing.assert_allclose(late.score(np.arange(data.n_users)), expected, atol=1e-5)
    reference = getattr(whole, "similarity_", None)
    reference = whole.weights_ if reference is None else reference.toarray()
    np.testing.assert_array_equal(weights, reference)  # learned from everything
    seen = dense(data) > 0
    top = late.recommend(np.arange(data.n_users), data.n_items)
    assert not any(seen[u, i] for u, row in enumerate(top.ids) for i in row if i >= 0)


@pytest.mark.parametrize("make", [ItemKNN, EASE], ids=["ItemKNN", "EASE"])
@pytest.mark.parametrize("last", [None, 3])
def test_decay_weighs_each_row_against_the_next_newer_one(
    make: Callable[..., Any], last: int | None
) -> None:
    """An item that was had again counts by its newest row, as the random log's repeats do."""
    data = random_log(4)
    model = make(last=last, decay=0.5).fit(data)
    weights = model.weights_ if make is EASE else model.similarity_.toarray()
    expected = np.zeros((data.n_users, data.n_items))
    for user in range(data.n_users):
        counted: dict[int, float] = {}
        for since, item in enumerate(data.items[data.users == user][::-1][:last].tolist()):
            counted.setdefault(item, 0.5**since)
        expected[user] = sum(share * weights[item] for item, share in counted.items())
    np.testing.assert_allclose(model.score(np.arange(data.n_users)), expected, atol=1e-5)
    plain = make(last=last).fit(data)
    assert not np.allclose(plain.score(np.arange(data.n_users)), expected, atol=1e-3)


# --- Personal frequency --------------------------------------------------------------------------


def test_own_counts_come_first_and_then_what_is_popular() -> None:
    """Of tea and rye, which the first user had once each, rye is the more popular."""
    log = [(1, "tea"), (1, "rye"), (1, "jam"), (1, "jam"), (2, "egg"), (2, "egg"), (2, "egg")]
    data = make_log([*log, (3, "oil"), (3, "rye")])
    top = PersonalFrequency().fit(data).recommend([0], 5, exclude_seen=False)
    assert data.item_ids[top.ids[0]].tolist() == ["jam", "rye", "tea", "egg", "oil"]
    new = PersonalFrequency().fit(data).recommend([0], 2)
    assert data.item_ids[new.ids[0]].tolist() == ["egg", "oil"]


def test_what_nobody_had_twice_is_ranked_as_by_popularity() -> None:
    """Lists are ranked in float32: what decides between ties has to survive that."""
    data = make_planted_interactions(n_users=300, n_items=400, n_groups=4, seed=0)
    users = np.arange(data.n_users)
    mine, theirs = (
        model().fit(data).recommend(users, 50) for model in (PersonalFrequency, Popularity)
    )
    np.testing.assert_array_equal(mine.ids, theirs.ids)


def test_a_row_of_one_half_life_ago_counts_half() -> None:
    rows = [("tea", 0), ("tea", 0), ("jam", 10)]
    frame = pd.DataFrame(rows, columns=["item", "day"]).assign(user=1)
    data = Interactions.from_frame(frame.assign(timestamp=frame["day"] * DAY))
    model = PersonalFrequency(half_life_days=10).fit(data)
    scores = dict(zip(data.item_ids, model.score(np.array([0]))[0], strict=True))
    assert scores == pytest.approx({"tea": 2 * 1 / 2, "jam": 1.0}, abs=2e-4)
    even_older = PersonalFrequency(half_life_days=5).fit(data)
    assert even_older.recommend([0], 1, exclude_seen=False).ids[0, 0] == data.item_code("jam")


def test_fading_frequencies_need_timestamps() -> None:
    with pytest.raises(ValueError, match="half_life_days needs timestamps: the log was read witho"):
        PersonalFrequency(half_life_days=7).fit(make_log([(1, "a")]))


# --- EASE ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reg", [0.5, 10.0, 1_000.0])
def test_ease_equals_the_closed_form(reg: float) -> None:
    data = random_log(1)
    x = dense(data)
    precision = np.linalg.inv(x.T @ x + reg * np.eye(data.n_items))
    expected = np.zeros_like(precision)
    for i in range(data.n_items):
        for j in range(data.n_items):
            expected[i, j] = 0.0 if i == j else -precision[i, j] / precision[j, j]
    model = EASE(reg=reg).fit(data)
    np.testing.assert_allclose(model.weights_, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        model.score(np.arange(data.n_users)), x @ expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("reg", [0.5, 10.0])
def test_ease_satisfies_its_condition_of_optimality(reg: float) -> None:
    """The gradient of ||X - XB||^2 + reg ||B||^2 vanishes off the diagonal, where B is free."""
    data = random_log(2)
    x, b = dense(data), EASE(reg=reg).fit(data).weights_.astype(np.float64)
    gradient = 2 * (x.T @ (x @ b - x) + reg * b)
    free = ~np.eye(data.n_items, dtype=bool)
    size = np.abs(x.T @ x).max()
    assert np.abs(gradient[free]).max() < 1e-5 * size
    assert np.abs(gradient[~free]).min() > 1e-2 * size  # the constraint does hold B back
    assert (np.diagonal(b) == 0).all()
    assert (b != b.T).any()  # columns, not rows, are divided by P_jj


def test_ease_by_hand() -> None:
    """Two items: B_ab = n_ab / (n_a + reg), a ridge regression of b on a."""
    data = make_log([(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a")])
    weights = EASE(reg=1.0).fit(data).weights_
    np.testing.assert_allclose(weights, [[0, 2 / (3 + 1)], [2 / (2 + 1), 0]], rtol=1e-6)


def test_a_small_penalty_suffices_for_a_singular_matrix() -> None:
    data = make_log([(user, item) for user in range(3) for item in "abcde"])  # rank 1
    assert np.isfinite(EASE(reg=1e-6).fit(data).weights_).all()


def test_ease_needs_the_memory_that_its_notes_say() -> None:
    n_items = 600
    data = random_log(0, n_users=n_items, n_items=n_items, rows=5_000)
    EASE().fit(data)
    tracemalloc.start()
    EASE().fit(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * n_items**2


# --- ALS ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [None, 2])
def test_als_minimises_what_it_says(last: int | None) -> None:
    """After many rounds each user's vector solves the weighted ridge regression on the items."""
    data = random_log(4, n_users=30, n_items=12)
    alpha, reg, x = 5.0, 0.7, data.to_csr(binary=True, last=last).toarray().astype(np.float64)
    model = ALS(dim=3, alpha=alpha, reg=reg, epochs=300, last=last).fit(data, threads=1)
    items = model.item_embeddings_.vectors.astype(np.float64)
    for user in range(data.n_users):
        confidence = np.where(x[user] > 0, alpha, 1.0)
        gram = items.T @ (confidence[:, None] * items) + reg * np.eye(3)
        solution = np.linalg.solve(gram, items.T @ (confidence * x[user]))
        np.testing.assert_allclose(model.user_vectors_[user], solution, atol=2e-2)
    assert model.user_vectors_.shape == (30, 3)
    assert list(model.item_embeddings_.ids) == data.item_ids.tolist()


def test_als_learns_items_from_everything_whatever_last_says() -> None:
    data = random_log(5)
    whole, late = (ALS(dim=4, last=last).fit(data, threads=1) for last in (None, 2))
    np.testing.assert_array_equal(whole.item_embeddings_.vectors, late.item_embeddings_.vectors)


@pytest.mark.parametrize(("threads", "error"), [(-1, ValueError), (1.5, TypeError)])
def test_threads_are_checked_before_implicit_sees_them(
    threads: Any, error: type[Exception]
) -> None:
    says = f"threads must be an integer of at least 0, got {threads}"
    with pytest.raises(error, match=says):
        ALS(dim=3).fit(random_log(0), threads=threads)


def test_als_is_reproducible_by_its_seed_with_one_thread() -> None:
    data = random_log(5)
    first, again, other = (ALS(dim=4, seed=seed).fit(data, threads=1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.user_vectors_, again.user_vectors_)
    np.testing.assert_array_equal(first.item_embeddings_.vectors, again.item_embeddings_.vectors)
    assert (first.user_vectors_ != other.user_vectors_).any()


def test_without_implicit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *_: Any) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

    model = ALS(dim=3)
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"needs implicit: pip install 'companion\[als\]'"):
        model.fit(random_log(0))
    with pytest.raises(AttributeError, match="ALS is not fitted"):
        model.recommend([0], 1)


def test_the_other_baselines_do_without_implicit(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def guarded(name: str, *rest: Any) -> Any:
        assert not name.startswith("implicit")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", guarded)
    for model in (Popularity(), ItemKNN(), EASE()):
        model.fit(random_log(0)).recommend([0], 3)


# --- planted answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [ItemKNN(k=10), EASE(reg=10.0), ALS(dim=2, reg=1.0)],
    ids=["ItemKNN", "EASE", "ALS"],
)
def test_two_blocks_are_told_apart(model: Any) -> None:
    """Users of block 0 have items 0 .. 9 only: all their next items come from there."""
    rng = np.random.default_rng(0)
    pairs = [
        (f"u{user}", f"i{item + 10 * (user % 2)}")
        for user in range(60)
        for item in rng.choice(10, 6, replace=False)
    ]
    data = make_log(pairs)
    blocks = np.array([int(item[1:]) // 10 for item in data.item_ids])
    top = model.fit(data).recommend(np.arange(60), 4)  # six of ten were had
    users = np.array([int(user[1:]) % 2 for user in data.user_ids])
    assert (blocks[top.ids] == users[:, None]).all()


@pytest.mark.parametrize("model", [ItemKNN(), EASE(), ALS(dim=16, reg=1.0)], ids=str)
def test_planted_groups_are_used_nearly_as_well_as_they_can_be(model: Any) -> None:
    """No method can expect more than the law's own ranking; popularity knows no groups."""
    data = make_planted_interactions(
        n_users=600, n_items=200, n_groups=10, interactions_per_user=30, noise=0.1, seed=0
    )
    split = random_split(data, validation=0.0, test=0.1, seed=0)
    options: dict[str, Any] = {"k": 10, "repeats": "count", "n_bootstrap": 20}
    popular = evaluate(Popularity().fit(split.train), split, **options).values["recall@10"]
    found = evaluate(model.fit(split.train), split, **options).values["recall@10"]

    class Law(Popularity):
        def score(self, users: NDArray[np.int64]) -> NDArray[Any]:
            return data.oracle_scores(users)

    best = evaluate(Law().fit(split.train), split, **options).values["recall@10"]
    assert popular < best / 2
    assert 0.8 * best < found < 1.05 * best


# --- all of them --------------------------------------------------------------------------------


@every_baseline
def test_unfitted_use_is_named(make: Callable[[], Any]) -> None:
    model = make()
    with pytest.raises(AttributeError, match=r"is not fitted: call fit\(data\) first"):
        model.recommend([0], 1)


@every_baseline
def test_fit_returns_the_model(make: Callable[[], Any]) -> None:
    model = make()
    assert model.fit(random_log(0)) is model


@every_baseline
def test_fitting_again_leaves_nothing_of_the_first_time(make: Callable[[], Any]) -> None:
    first, second = random_log(0, n_users=50, n_items=20), random_log(1, n_users=30, n_items=12)
    threads = {"threads": 1} if isinstance(make(), ALS) else {}
    twice, once = make(), make()
    twice.fit(first, **threads).fit(second, **threads)
    once.fit(second, **threads)
    users = np.arange(second.n_users)
    np.testing.assert_array_equal(twice.recommend(users, 12).ids, once.recommend(users, 12).ids)
    with pytest.raises(ValueError, match=r"must be codes in .*, got 30"):
        twice.recommend([30], 1)


@every_baseline
def test_the_caller_s_data_are_not_changed(make: Callable[[], Any]) -> None:
    data = random_log(0)
    before = data.fingerprint()
    model = make().fit(data)
    model.recommend(np.arange(data.n_users), 5)
    model.recommend(np.arange(data.n_users), 5, exclude_seen=False)
    assert data.fingerprint() == before


@every_baseline
def test_ranking_does_not_change_the_model(make: Callable[[], Any]) -> None:
    """Scores are used as scratch space: they must be fresh each time."""
    data, model = random_log(0), make().fit(random_log(0))
    everybody = np.arange(data.n_users)
    before = model.score(everybody).copy()
    model.recommend(everybody, 5)
    np.testing.assert_array_equal(model.score(everybody), before)


@every_baseline
def test_weights_and_repeats_do_not_count_where_a_row_is_a_plain_yes(
    make: Callable[[], Any],
) -> None:
    frame = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["a", "b", "a", "b", "a"]})
    plain = make().fit(Interactions.from_frame(frame, timestamp=None))
    heavy = make().fit(
        Interactions.from_frame(frame.assign(w=[5, 1, 2, 9, 4]), timestamp=None, weight="w")
    )
    users = np.arange(3)
    np.testing.assert_allclose(plain.score(users), heavy.score(users), atol=1e-6)


@every_baseline
def test_models_can_be_shown_compared_and_kept_in_a_set(make: Callable[[], Any]) -> None:
    one, two = make().fit(random_log(0)), make().fit(random_log(0))
    assert one != two
    assert len({one, two, one}) == 2
    assert "array" not in repr(one)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (Popularity(last_days=0), ValueError, r"last_days must lie in \(0, inf\), got 0"),
        (Popularity(last_days=-1), ValueError, r"last_days must lie in \(0, inf\), got -1"),
        (Popularity(last_days="7"), TypeError, "last_days must be a number .* got '7'"),  # type: ignore[arg-type]
        (ItemKNN(k=0), ValueError, "k must be an integer of at least 1, got 0"),
        (ItemKNN(k=2.5), TypeError, "k must be an integer of at least 1, got 2.5"),  # type: ignore[arg-type]
        (PersonalFrequency(half_life_days=0), ValueError, r"half_life_days must lie in \(0, inf\)"),
        (ItemKNN(decay=0), ValueError, r"decay must lie in \(0, 1\], got 0: use last=1"),
        (ItemKNN(decay=1.1), ValueError, r"decay must lie in \[0, 1\], got 1.1"),
        (EASE(decay=float("nan")), ValueError, r"decay must lie in \[0, 1\], got nan"),
        (ItemKNN(last=0), ValueError, "last must be an integer of at least 1, got 0"),
        (EASE(reg=0), ValueError, r"reg must lie in \(0, inf\), got 0"),
        (EASE(reg=-5), ValueError, r"reg must lie in \(0, inf\), got -5"),
        (EASE(reg=float("nan")), ValueError, r"reg must lie in \(0, inf\), got nan"),
        (EASE(last=-1), ValueError, "last must be an integer of at least 1, got -1"),
        (ALS(dim=0), ValueError, "dim must be an integer of at least 1, got 0"),
        (ALS(epochs=0), ValueError, "epochs must be an integer of at least 1, got 0"),
        (ALS(reg=-1), ValueError, r"reg must lie in \[0, inf\], got -1"),
        (ALS(alpha=0), ValueError, r"alpha must lie in \(0, inf\), got 0"),
    ],
    ids=str,
)
def test_bad_settings_are_named_and_nothing_is_fitted(
    model: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model.fit(random_log(0))
    with pytest.raises(AttributeError, match="is not fitted"):
        model.recommend([0], 1)


def test_a_fit_that_fails_leaves_the_earlier_one_whole() -> None:
    model = EASE(reg=1.0).fit(random_log(0))
    before = model.recommend([0], 5)
    model.reg = -1.0
    with pytest.raises(ValueError, match="reg must lie in"):
        model.fit(random_log(1, n_items=12))
    np.testing.assert_array_equal(model.recommend([0], 5).ids, before.ids)


def test_recent_popularity_needs_timestamps() -> None:
    with pytest.raises(ValueError, match="last_days needs timestamps: the log was read without"):
        Popularity(last_days=7).fit(make_log([(1, "a")]))
