"""The six metrics: fractions by hand, a slow oracle, another library, and what must hold always."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from companion.metrics import (
    hit_matrix,
    hit_rate_at_k,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)
from companion.topk import TopK

METRICS: dict[str, Callable[..., Any]] = {
    "hit_rate": hit_rate_at_k,
    "recall": recall_at_k,
    "precision": precision_at_k,
    "ndcg": ndcg_at_k,
    "mrr": mrr_at_k,
    "map": map_at_k,
}
quick = settings(max_examples=50, deadline=None)  # on a busy machine an example may take long
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


# --- by hand: four items, the list is (miss, hit, miss, hit), three items are relevant -----

LIST = [[False, True, False, True]]


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("hit_rate", 1, 0),
        ("hit_rate", 2, 1),
        ("recall", 1, 0),
        ("recall", 2, 1 / 3),
        ("recall", 4, 2 / 3),
        ("precision", 2, 1 / 2),
        ("precision", 3, 1 / 3),
        ("precision", 4, 2 / 4),
        ("mrr", 1, 0),
        ("mrr", 4, 1 / 2),
        ("map", 2, (1 / 2) / 2),  # two places, so at most two hits
        ("map", 4, (1 / 2 + 2 / 4) / 3),
        ("ndcg", 1, 0),
        ("ndcg", 2, (1 / math.log2(3)) / (1 + 1 / math.log2(3))),
        ("ndcg", 4, (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2)),
    ],
)
def test_four_items_by_hand(name: str, k: int, expected: float) -> None:
    assert METRICS[name](LIST, [3], k) == pytest.approx([expected], abs=1e-15)


@pytest.mark.parametrize("place", [1, 2, 3, 7])
def test_one_relevant_item_at_a_place(place: int) -> None:
    """With one relevant item the metrics are functions of its place alone."""
    hits = np.zeros((1, 8), dtype=bool)
    hits[0, place - 1] = True
    found = {name: metric(hits, [1], 8)[0] for name, metric in METRICS.items()}
    assert found == pytest.approx(
        {
            "hit_rate": 1,
            "recall": 1,
            "precision": 1 / 8,
            "ndcg": 1 / math.log2(place + 1),
            "mrr": 1 / place,
            "map": 1 / place,
        }
    )


def test_the_hit_matrix_says_which_places_hold_a_relevant_item() -> None:
    top = TopK(ids=[[2, 0, 1], [1, 3, -1]], scores=[[3, 2, 1], [2, 1, -np.inf]])
    relevant = sparse.csr_array([[0, 1, 1, 0], [0, 0, 0, 1]])
    expected = [[True, False, True], [False, True, False]]
    assert hit_matrix(top, relevant).tolist() == expected


@pytest.mark.parametrize("relevant", [[[0, 0, 1], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]])
def test_rows_do_not_borrow_each_other_s_relevant_items(relevant: list[list[int]]) -> None:
    """The place of a padded item, -1, in row 1 is that of the last item in row 0."""
    top = TopK(ids=[[0, -1], [1, -1]], scores=[[1, -np.inf], [1, -np.inf]])
    assert not hit_matrix(top, sparse.csr_array(relevant)).any()


def test_nobody_has_a_relevant_item() -> None:
    top = TopK(ids=[[0, -1]], scores=[[1, -np.inf]])
    assert not hit_matrix(top, sparse.csr_array((1, 3))).any()


# --- ties -----------------------------------------------------------------------------------


def test_a_tie_never_helps() -> None:
    ids = [[4, 3, 2, 1, 0]]
    relevant = sparse.csr_array([[0, 1, 0, 1, 1]])  # 1, 3, 4
    scores = [[9, 5, 5, 5, 1]]  # 3, 2, 1 are tied: 2 goes first
    assert hit_matrix(TopK(ids, scores), relevant).tolist() == [[True, False, True, True, False]]


def test_a_constant_scorer_is_judged_as_if_it_listed_the_misses_first() -> None:
    top = TopK(ids=[[0, 1, 2, 3]], scores=[[1, 1, 1, 1]])
    hits = hit_matrix(top, sparse.csr_array([[1, 1, 0, 0]]))
    assert hits.tolist() == [[False, False, True, True]]
    assert mrr_at_k(hits, [2], 4) == pytest.approx([1 / 3])


def test_a_tie_does_not_reach_across_another_score() -> None:
    top = TopK(ids=[[0, 1, 2, 3]], scores=[[2, 1, 2, 1]])  # no ranking by score: runs, not values
    hits = hit_matrix(top, sparse.csr_array([[1, 1, 0, 0]]))
    assert hits.tolist() == [[True, True, False, False]]


# --- what tutorials get wrong ---------------------------------------------------------------


@quick
@given(st.integers(1, 12), st.integers(1, 12))
def test_ndcg_is_1_for_the_ideal_list_and_never_above(n_relevant: int, k: int) -> None:
    """An ideal DCG one term too short would give 1 + 0.63 / 1 and more."""
    ideal = np.arange(12)[None, :] < n_relevant
    assert ndcg_at_k(ideal, [n_relevant], k) == pytest.approx([1.0], abs=1e-12)
    assert map_at_k(ideal, [n_relevant], k) == pytest.approx([1.0], abs=1e-12)
    if n_relevant < 12:
        swapped = ideal.copy()
        swapped[0, [n_relevant - 1, n_relevant]] = [False, True]
        assert ndcg_at_k(swapped, [n_relevant], k)[0] <= 1.0
        if k >= n_relevant:
            assert ndcg_at_k(swapped, [n_relevant], k)[0] < 1.0


def test_every_metric_is_averaged_over_the_same_users() -> None:
    """Hit rate over all rows and NDCG over those with something relevant do not compare."""
    hits = np.array([[True], [False], [False]])
    n_relevant = np.array([1, 1, 0])
    found = {name: np.nanmean(metric(hits, n_relevant, 1)) for name, metric in METRICS.items()}
    assert found == dict.fromkeys(METRICS, 0.5)  # one of two, not one of three
    for metric in METRICS.values():
        assert np.isnan(metric(hits, n_relevant, 1)).tolist() == [False, False, True]


# --- a slow oracle --------------------------------------------------------------------------


def slow(name: str, hits: list[bool], n_relevant: int, k: int) -> float:
    if n_relevant == 0:
        return math.nan
    places = [place for place, hit in enumerate(hits[:k], start=1) if hit]
    if name == "hit_rate":
        return 1.0 if places else 0.0
    if name == "recall":
        return len(places) / n_relevant
    if name == "precision":
        return len(places) / k
    if name == "mrr":
        return 1 / places[0] if places else 0.0
    if name == "map":
        precisions = [sum(hits[:place]) / place for place in places]
        return sum(precisions) / min(k, n_relevant)
    gained = sum(1 / math.log2(place + 1) for place in places)
    return gained / sum(1 / math.log2(place + 1) for place in range(1, min(k, n_relevant) + 1))


@st.composite
def lists(draw: st.DrawFn, min_users: int = 0) -> tuple[np.ndarray, np.ndarray]:
    U, K = draw(st.integers(min_users, 5)), draw(st.integers(0, 7))
    row = st.lists(st.booleans(), min_size=K, max_size=K)
    hits = np.array(draw(st.lists(row, min_size=U, max_size=U)), dtype=bool).reshape(U, K)
    elsewhere = draw(st.lists(st.integers(0, 4), min_size=U, max_size=U))
    return hits, hits.sum(axis=1) + np.array(elsewhere, dtype=np.int64)


ks = st.integers(1, 10)


@every_metric
@quick
@given(case=lists(), k=ks)
def test_equals_the_slow_definition(
    metric: Callable[..., Any], case: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    hits, n_relevant = case
    name = next(key for key, value in METRICS.items() if value is metric)
    expected = [
        slow(name, row.tolist(), int(n), k) for row, n in zip(hits, n_relevant, strict=True)
    ]
    found = metric(hits, n_relevant, k)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.reshape(expected, -1), rtol=1e-12, atol=1e-15)


# --- an independent library -------------------------------------------------------------------


def ranx_values(qrels: dict[str, Any], run: dict[str, Any], k: int) -> dict[str, Any]:
    with warnings.catch_warnings():
        # Numba's word on ranx's own integers, the first time that ranx compiles.
        warnings.filterwarnings("ignore", message="unsafe cast from uint64 to int64")
        from ranx import Qrels, Run, evaluate

        names = [
            f"{name}@{k}" for name in ("hit_rate", "recall", "precision", "ndcg", "mrr", "map")
        ]
        return evaluate(Qrels(qrels), Run(run), names, return_mean=False, make_comparable=True)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_equals_ranx_on_200_random_cases(k: int) -> None:
    """Many ties; some users without a relevant item, whom ranx is not asked about.

    ranx has no rule for ties.  So it gets them broken already, against the recommender: within
    a tie the irrelevant item gets the higher of two scores that replace it.
    """
    rng = np.random.default_rng(3)
    U, n_items, K = 200, 30, 10
    scores = rng.integers(0, 6, (U, n_items)).astype(float)
    relevant = rng.random((U, n_items)) < rng.choice([0.0, 0.05, 0.2], U)[:, None]
    pessimistic = scores - 0.5 * relevant  # scores are integers: half a step breaks ties alone
    order = np.argsort(-pessimistic, axis=1, kind="stable")[:, :K]
    shuffled = np.take_along_axis(
        order, rng.permuted(np.tile(np.arange(K), (U, 1)), axis=1), axis=1
    )
    by_score = np.argsort(-np.take_along_axis(scores, shuffled, 1), axis=1, kind="stable")
    ids = np.take_along_axis(shuffled, by_score, axis=1)  # ties inside the list in any order
    top = TopK(ids, np.take_along_axis(scores, ids, axis=1))

    n_relevant = relevant.sum(axis=1)
    asked = np.flatnonzero(n_relevant)
    assert 50 < len(asked) < U
    qrels = {f"u{u:03}": {str(i): 1 for i in np.flatnonzero(relevant[u])} for u in asked}
    run = {f"u{u:03}": {str(i): pessimistic[u, i] for i in ids[u]} for u in asked}
    theirs = ranx_values(qrels, run, k)
    hits = hit_matrix(top, sparse.csr_array(relevant))
    for name, metric in METRICS.items():
        ours = metric(hits, n_relevant, k)
        assert np.isnan(ours[n_relevant == 0]).all()
        if name == "map":  # ranx divides by all relevant items, also where k is smaller
            ours = ours * np.minimum(n_relevant, k) / np.maximum(n_relevant, 1)
        np.testing.assert_allclose(ours[asked], theirs[f"{name}@{k}"], atol=1e-12, err_msg=name)


# --- what must hold always ------------------------------------------------------------------


@every_metric
@quick
@given(case=lists(), k=ks)
def test_bounded_and_nan_exactly_where_nothing_is_relevant(
    metric: Callable[..., Any], case: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    hits, n_relevant = case
    found = metric(hits, n_relevant, k)
    assert found.shape == (len(hits),)
    assert (np.isnan(found) == (n_relevant == 0)).all()
    defined = found[n_relevant > 0]
    assert ((defined >= 0) & (defined <= 1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["hit_rate", "recall", "mrr"])
@quick
@given(case=lists(min_users=1), k=ks)
def test_a_longer_list_finds_no_less(
    name: str, case: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    hits, n_relevant = case
    asked = n_relevant > 0
    shorter, longer = (METRICS[name](hits, n_relevant, cut)[asked] for cut in (k, k + 1))
    assert (longer >= shorter).all()


@every_metric
@quick
@given(case=lists(), k=ks, seed=st.integers(0, 99))
def test_the_order_of_users_changes_nothing(
    metric: Callable[..., Any], case: tuple[np.ndarray, np.ndarray], k: int, seed: int
) -> None:
    hits, n_relevant = case
    order = np.random.default_rng(seed).permutation(len(hits))
    np.testing.assert_array_equal(
        metric(hits, n_relevant, k)[order], metric(hits[order], n_relevant[order], k)
    )


@every_metric
@quick
@given(case=lists(), k=ks, padding=st.integers(1, 5))
def test_padding_changes_nothing(
    metric: Callable[..., Any], case: tuple[np.ndarray, np.ndarray], k: int, padding: int
) -> None:
    hits, n_relevant = case
    padded = np.hstack([hits, np.zeros((len(hits), padding), dtype=bool)])
    np.testing.assert_allclose(
        metric(hits, n_relevant, k), metric(padded, n_relevant, k), rtol=1e-12
    )


@every_metric
@quick
@given(case=lists(min_users=1), k=ks, data=st.data())
def test_moving_a_hit_upwards_never_hurts(
    metric: Callable[..., Any], case: tuple[np.ndarray, np.ndarray], k: int, data: st.DataObject
) -> None:
    hits, n_relevant = case
    places = [(row, place) for row, place in np.argwhere(hits[:, 1:] & ~hits[:, :-1])]
    if not places:
        return
    row, place = data.draw(st.sampled_from(places))
    better = hits.copy()
    better[row, [place, place + 1]] = [True, False]
    assert metric(better, n_relevant, k)[row] >= metric(hits, n_relevant, k)[row] - 1e-12


@quick
@given(seed=st.integers(0, 10_000))
def test_relabelling_items_changes_nothing(seed: int) -> None:
    """Ties included: their resolution must not depend on the numbers of the items."""
    rng = np.random.default_rng(seed)
    U, n_items = 4, 7
    scores = rng.integers(0, 3, (U, n_items))
    relevant = rng.random((U, n_items)) < 0.4
    new = rng.permutation(n_items)
    found = []
    for label in (np.arange(n_items), new):
        ids = np.argsort(-scores, axis=1, kind="stable")
        top = TopK(label[ids], np.take_along_axis(scores, ids, axis=1))
        renamed = np.zeros_like(relevant)
        renamed[:, label] = relevant
        found.append(hit_matrix(top, sparse.csr_array(renamed)))
    np.testing.assert_array_equal(*found)


@every_metric
def test_k_beyond_the_list_and_the_catalogue(metric: Callable[..., Any]) -> None:
    hits = np.array([[True, True, False]])  # two of two relevant items in a catalogue of three
    found = metric(hits, [2], 100)
    assert found == pytest.approx([2 / 100 if metric is precision_at_k else 1.0])


@every_metric
def test_no_users_and_empty_lists(metric: Callable[..., Any]) -> None:
    assert metric(np.zeros((0, 5), bool), np.zeros(0, int), 3).shape == (0,)
    assert metric(np.zeros((2, 0), bool), np.array([1, 0]), 3).tolist()[0] == 0
    empty = TopK(np.zeros((2, 0)), np.zeros((2, 0)))
    assert hit_matrix(empty, sparse.csr_array((2, 3))).shape == (2, 0)


def test_arguments_are_not_changed() -> None:
    hits, n_relevant = np.array(LIST), np.array([3])
    for metric in METRICS.values():
        metric(hits, n_relevant, 2)
    ids, scores = np.array([[0, 1]]), np.array([[1.0, 1.0]], dtype=np.float32)
    hit_matrix(TopK(ids, scores), sparse.csr_array([[1, 0]]))
    assert hits.tolist() == LIST
    assert n_relevant.tolist() == [3]
    assert ids.tolist() == [[0, 1]]


# --- bad inputs -------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize(
    ("hits", "n_relevant", "k", "error", "message"),
    [
        (LIST, [3], 0, ValueError, "k must be an integer of at least 1, got 0"),
        (LIST, [3], -2, ValueError, "k must be an integer of at least 1, got -2"),
        (LIST, [3], 2.0, TypeError, "k must be an integer of at least 1, got 2.0"),
        (LIST, [3], True, TypeError, "k must be an integer of at least 1, got True"),
        ([True], [1], 1, ValueError, r"hits must be bool of shape \(U, K\), got bool of shape"),
        ([[1, 0]], [1], 1, ValueError, r"hits must be bool of shape \(U, K\), got int64"),
        (LIST, [3, 3], 1, ValueError, r"n_relevant must be int of shape \(1,\)"),
        (LIST, [3.0], 1, ValueError, "n_relevant must be int .* got float64"),
        (LIST, [1], 1, ValueError, "n_relevant must be at least the number of hits in each row"),
        (LIST, [-1], 1, ValueError, "n_relevant must be at least the number of hits in each row"),
    ],
)
def test_bad_inputs_are_named(
    metric: Callable[..., Any],
    hits: Any,
    n_relevant: Any,
    k: Any,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        metric(hits, n_relevant, k)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[0], [1]], r"relevant must have shape \(2, I\), got \(1, 3\)"),
        ([[0, 3]], r"ids must lie in 0 .. 2 \(or be -1\), got 3"),
        ([[2, -2]], r"ids must lie in 0 .. 2 \(or be -1\), got -2"),
        ([[0, 1, 0]], "row 0 lists item 0 twice"),
    ],
)
def test_lists_that_cannot_be(ids: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hit_matrix(TopK(ids, np.zeros(np.shape(ids))), sparse.csr_array([[1, 0, 1]]))


@pytest.mark.parametrize("form", ["csc", "coo", "dense", "list"])
def test_relevant_is_a_csr_array(form: str) -> None:
    """The indices of a csc_array are rows: they would be taken for columns."""
    dense = np.array([[1, 0, 1]])
    relevant: Any = {
        "csc": sparse.csc_array(dense),
        "coo": sparse.coo_array(dense),
        "dense": dense,
        "list": dense.tolist(),
    }[form]
    with pytest.raises(TypeError, match=r"relevant must be a scipy.sparse.csr_array, got \w+"):
        hit_matrix(TopK([[0, 1]], [[2.0, 1.0]]), relevant)


def test_padding_may_repeat() -> None:
    top = TopK([[1, -1, -1]], [[1, -np.inf, -np.inf]])
    assert hit_matrix(top, sparse.csr_array([[0, 1]])).tolist() == [[True, False, False]]
