"""Item graphs against a loop over all pairs, and what pruning does to degrees."""

from __future__ import annotations

import itertools
import math
import time
import tracemalloc
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import item_graph
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import Weight, build_bipartite_graph, build_item_graph

pytest.importorskip("numba")

WEIGHTS = ("count", "jaccard", "cosine", "pmi")
ROWS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=60
)


def log_of(rows):
    """Return interactions of rows (user, basket of that user, item)."""
    frame = pd.DataFrame(rows, columns=["user", "basket", "item"])
    frame["basket"] = frame["user"].astype(str) + "-" + frame["basket"].astype(str)
    return Interactions.from_frame(frame, timestamp=None, basket="basket")


def weighed_by_a_loop(data, weight, by):
    """Return {(a, b): weight} of all pairs, counted one by one."""
    sequences = data.sequences() if by == "user" else data.baskets()
    sets = [set(data.item_ids[s].tolist()) for s in sequences]
    alone = {item: sum(item in one for one in sets) for item in data.item_ids}
    found = {}
    for a, b in itertools.permutations(data.item_ids.tolist(), 2):
        both = sum(a in one and b in one for one in sets)
        if both == 0:
            continue
        value = {
            "count": both,
            "jaccard": both / (alone[a] + alone[b] - both),
            "cosine": both / math.sqrt(alone[a] * alone[b]),
            "pmi": math.log(both * len(sets) / (alone[a] * alone[b])),
        }[weight]
        if value > 0:
            found[a, b] = value
    return found


def edges_of(graph):
    return {(a, b): w for a in graph.ids for b, w in graph.neighbours(a).items()}


@pytest.mark.parametrize("by", ["user", "basket"])
@pytest.mark.parametrize("weight", WEIGHTS)
@given(rows=ROWS)
@settings(max_examples=25, deadline=None)
def test_weights_equal_those_of_a_loop_over_pairs(weight, by, rows):
    data = log_of(rows)
    graph = build_item_graph(data, weight, by=by)
    assert list(graph.ids) == list(data.item_ids)
    expected = weighed_by_a_loop(data, weight, by)
    found = edges_of(graph)
    assert {pair for pair, value in expected.items() if value > 1e-12} <= found.keys()
    assert found.keys() <= expected.keys()
    assert found == pytest.approx({pair: expected[pair] for pair in found})


def many_items():
    """Return a log of 900 items, few of them popular, so that most weights of "count" tie."""
    rng = np.random.default_rng(0)
    items = (900 * rng.random(12_000) ** 3).astype(int)
    return log_of(np.column_stack([rng.integers(0, 400, 12_000), items * 0, items]).tolist())


def weighed_by_matrices(data, weight):
    """Return the weights of all pairs above 0; shape (I, I)."""
    had = data.to_csr(binary=True).toarray().astype(np.float64)
    both, alone = had.T @ had, had.sum(axis=0)
    product = np.multiply.outer(alone, alone)
    with np.errstate(divide="ignore"):
        found = {
            "count": lambda: both,
            "jaccard": lambda: both / (np.add.outer(alone, alone) - both),
            "cosine": lambda: both / np.sqrt(product),
            "pmi": lambda: np.log(both * data.n_users / product),
        }[weight]()
    np.fill_diagonal(found, 0.0)
    return np.maximum(found, 0.0)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("top_k", "share"), [(1, 0.0), (20, 0.0), (20, 0.9), (500, 0.5), (None, 0)]
)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_many_items_equal_a_product_of_matrices(weight, top_k, share, threads):
    """Bit by bit, also where the threshold leaves less than ``top_k``, and with ties."""
    data = many_items()
    whole = weighed_by_matrices(data, weight)
    threshold = float(np.quantile(whole[whole > 0], share))
    named = whole * (whole >= threshold)
    if top_k is not None:
        places = np.argsort(-named, axis=1, kind="stable")[:, top_k:]
        np.put_along_axis(named, places, 0.0, axis=1)
        named = np.maximum(named, named.T)
    graph = build_item_graph(data, weight, threshold=threshold, top_k=top_k, threads=threads)
    np.testing.assert_allclose(graph.adjacency.toarray(), named, rtol=1e-12)


@given(rows=ROWS, top_k=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_top_k_keeps_what_each_end_names(rows, top_k):
    """By a sort: heaviest first, of equal ones the lower code; then either end, or both."""
    data = log_of(rows)
    whole = build_item_graph(data, "count").adjacency.toarray()
    named = np.zeros_like(whole, dtype=bool)
    for row, weights in enumerate(whole):
        best = sorted(np.flatnonzero(weights), key=lambda column: (-weights[column], column))
        named[row, best[:top_k]] = True
    for keep, expected in {"either": named | named.T, "both": named & named.T}.items():
        found = build_item_graph(data, "count", top_k=top_k, keep=keep).adjacency.toarray()
        np.testing.assert_array_equal(found, np.where(expected, whole, 0))
        if keep == "both":
            assert np.count_nonzero(found, axis=1).max(initial=0) <= top_k


def test_a_threshold_keeps_what_reaches_it():
    rows = [(0, 0, "a"), (0, 0, "b"), (1, 0, "a"), (1, 0, "b"), (1, 0, "c")]
    graph = build_item_graph(log_of(rows), "count", threshold=2)
    assert edges_of(graph) == {("a", "b"): 2.0, ("b", "a"): 2.0}
    assert graph.degrees().tolist() == [1, 1, 0]


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    data = log_of([(u, 0, i) for u, i in rng.integers(0, 40, (600, 2)).tolist()])
    whole = build_item_graph(data, "cosine", top_k=5)
    monkeypatch.setattr(item_graph, "BLOCK", 50)
    blocked = build_item_graph(data, "cosine", top_k=5)
    np.testing.assert_array_equal(whole.adjacency.toarray(), blocked.adjacency.toarray())


def test_the_kernels_know_the_weights_by_their_place():
    from companion import _graph_kernels

    places = [getattr(_graph_kernels, name.upper()) for name in get_args(Weight)]
    assert places == list(range(len(WEIGHTS)))
    assert get_args(Weight) == WEIGHTS
    with pytest.raises(ValueError, match="unknown kind of weight"):
        _graph_kernels.sizes_of(len(WEIGHTS), np.array([0, 1]), 1)


@pytest.mark.parametrize("block", [50, 400])
@given(
    costs=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9_000)), min_size=1, max_size=40),
    threads=st.integers(1, 3),
)
def test_parts_have_room_and_work_within_bounds(block, costs, threads, monkeypatch):
    monkeypatch.setattr(item_graph, "BLOCK", block)
    most, counts = np.array(costs).T
    cuts = item_graph._cuts(most, counts, threads)
    assert (cuts[0], cuts[-1]) == (0, len(costs))
    for first, last in itertools.pairwise(cuts):
        assert first < last
        within = most[first:last].sum() <= block
        within &= counts[first:last].sum() <= block * item_graph.WORK_AN_EDGE
        assert within or last == first + 1


def test_an_interruption_waits_for_the_parts_that_run_alone(monkeypatch):
    from companion import _graph_kernels

    called = []

    def interrupted(*_):
        called.append(None)
        if len(called) == 1:
            raise KeyboardInterrupt
        time.sleep(0.02)  # or the others are done before anyone hears of it
        return 0

    monkeypatch.setattr(_graph_kernels, "heaviest_edges", interrupted)
    monkeypatch.setattr(item_graph, "BLOCK", 50)
    with pytest.raises(KeyboardInterrupt):
        build_item_graph(many_items(), threads=2)
    assert len(called) < 10  # of hundreds


def test_top_k_of_any_integer_type_counts_the_same():
    """In eight bits four times 100 would be 144; and no integer of numba's holds 10^30."""
    data = many_items()
    plain = build_item_graph(data, top_k=100).adjacency
    assert (build_item_graph(data, top_k=np.uint8(100)).adjacency != plain).nnz == 0
    whole = build_item_graph(data).adjacency
    assert (build_item_graph(data, top_k=10**30).adjacency != whole).nnz == 0


def test_who_had_what_holds_ones():
    data = log_of([(0, 0, "a"), (0, 0, "a"), (0, 0, "b"), (0, 1, "a")])
    for by, cells in ("user", 2), ("basket", 3):
        assert item_graph._who_had_what(data, by).data.tolist() == [1.0] * cells


def test_memory_is_bounded_by_the_result(monkeypatch):
    """Of the 4 million pairs of 2,000 items, all of which meet, only the heaviest are held."""
    rng = np.random.default_rng(0)
    rows = [(u, 0, i) for u in range(40) for i in rng.permutation(2000)[:1200].tolist()]
    data = log_of(rows)
    build_item_graph(data, top_k=3)  # compiles
    for options, edges in ({"top_k": 3}, 6_000), ({"threshold": 0.9}, 0):
        monkeypatch.setattr(item_graph, "BLOCK", 20_000)
        tracemalloc.start()
        build_item_graph(data, **options)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        log = 12 * len(rows)  # bytes of its matrix
        assert peak < 8 * log + 12 * (20_000 + 20 * edges)


def test_items_that_nobody_had_are_isolated():
    data = log_of([(0, 0, "a"), (0, 0, "b"), (1, 0, "c"), (2, 0, "d")])
    some = data.take(data.items != data.item_ids.get_loc("c"))
    for weight in WEIGHTS:
        for by in ("user", "basket"):
            graph = build_item_graph(some, weight, top_k=1, by=by)
            assert edges_of(graph).keys() <= {("a", "b"), ("b", "a")}
            assert graph.n_nodes == 4
    # the basket without rows is no basket any more; its user is still one
    assert build_item_graph(some, "pmi", by="basket").neighbours("a") == {"b": math.log(2)}
    assert build_item_graph(some, "pmi", by="user").neighbours("a") == {"b": math.log(3)}


def test_repeats_count_once():
    once = build_item_graph(log_of([(0, 0, "a"), (0, 0, "b")]), "count")
    twice = build_item_graph(log_of([(0, 0, "a"), (0, 1, "a"), (0, 0, "b"), (0, 0, "b")]), "count")
    assert edges_of(once) == edges_of(twice) == {("a", "b"): 1.0, ("b", "a"): 1.0}


def test_users_and_items_of_one_id_are_two_nodes():
    frame = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 2], "stars": [5.0, 3.0, 4.0]})
    graph = build_bipartite_graph(Interactions.from_frame(frame, timestamp=None, weight="stars"))
    assert isinstance(graph, ItemGraph)
    assert list(graph.ids) == [1, 2, ("user", 1), ("user", 2)]
    assert graph.n_items == 2
    assert graph.neighbours(2) == {("user", 1): 3.0, ("user", 2): 4.0}
    assert graph.neighbours(("user", 1)) == {1: 5.0, 2: 3.0}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weight": "jacard"}, ValueError, "weight must be one of 'count', 'jaccard'"),
        ({"top_k": 0}, ValueError, "top_k must be an integer of at least 1, got 0"),
        ({"threshold": float("nan")}, ValueError, "threshold must lie in"),
        ({"keep": "all"}, ValueError, "keep must be one of 'either', 'both'"),
        ({"by": "day"}, ValueError, "by must be one of 'user', 'basket'"),
        ({"threads": 0}, ValueError, "threads must be an integer of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        build_item_graph(log_of([(0, 0, "a"), (0, 0, "b")]), **options)


def test_a_log_without_baskets_is_named():
    frame = pd.DataFrame({"user": [1, 1], "item": ["a", "b"]})
    data = Interactions.from_frame(frame, timestamp=None)
    with pytest.raises(ValueError, match="baskets need a basket column"):
        build_item_graph(data, by="basket")
    with pytest.raises(TypeError, match="Interactions"):
        build_item_graph(frame)


@pytest.mark.usefixtures("without_numba")
def test_without_numba_the_extra_is_named():
    with pytest.raises(ImportError, match=r"companion\[graph\]"):
        build_item_graph(log_of([(0, 0, "a"), (0, 0, "b")]))
