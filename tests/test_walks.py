"""Random walks against their exact law, with wrong laws that must be rejected."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from companion import walks as module
from companion.alias import alias_setup
from companion.graph import ItemGraph
from companion.walks import prepare_walks, random_walks, walks_as_sequences

pytest.importorskip("numba")


def complete_with_tail():
    """Return a weighted graph of triangles and a tail: all three kinds of neighbours occur."""
    edges = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d"), ("b", "d"), ("d", "e"), ("e", "f")]
    weights = [1.0, 4.0, 0.5, 2.0, 3.0, 0.25, 1.0]
    return ItemGraph.from_edges([(*pair, w) for pair, w in zip(edges, weights, strict=True)])


def hub():
    """Return a hub of 30 with a few triangles: high degrees, few common neighbours."""
    spokes = [("hub", n, 1.0 + n % 3) for n in range(30)]
    return ItemGraph.from_edges([*spokes, *((n, n + 1, 2.0) for n in range(0, 10, 2))])


def one_way():
    """Return a strongly connected directed graph, some edges of which have no way back."""
    edges = [("a", "b", 1.0), ("b", "c", 2.0), ("c", "a", 1.0), ("b", "a", 3.0), ("c", "b", 0.5)]
    return ItemGraph.from_edges([*edges, ("c", "d", 4.0), ("d", "a", 1.0)], directed=True)


def with_a_loop():
    """Return a graph with an edge from a node to itself."""
    return ItemGraph.from_edges(
        [("a", "a", 2.0), ("a", "b", 1.0), ("b", "c", 1.0), ("c", "a", 1.0)]
    )


GRAPHS = {"tail": complete_with_tail, "hub": hub, "one way": one_way, "loop": with_a_loop}
CORNERS = [(0.25, 4.0), (4.0, 0.25), (0.5, 2.0), (1.0, 1.0), (1.0, 100.0), (100.0, 0.01)]


def exact_law(graph, p, q):
    """Return P(c | u, v) of all states (u, v), from the definition; shape (n, n, n)."""
    weights = graph.adjacency.toarray()
    n = len(weights)
    law = np.zeros((n, n, n))
    for u, v in zip(*weights.nonzero(), strict=True):
        for c in range(n):
            alpha = 1 / p if c == u else 1.0 if weights[u, c] > 0 else 1 / q
            law[u, v, c] = weights[v, c] * alpha
        if law[u, v].sum() > 0:
            law[u, v] /= law[u, v].sum()
    return law


def counted(graph, p, q, **options):
    """Return how often each step c followed each state (u, v); 40,000 a state, more or less."""
    per_node = 40_000 * graph.adjacency.nnz // (78 * graph.n_nodes) + 1
    walks = random_walks(graph, p=p, q=q, walk_length=80, walks_per_node=per_node, **options)
    steps = np.zeros((graph.n_nodes,) * 3)
    np.add.at(steps, (walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel()), 1)
    return steps


def smallest_p(steps, law):
    """Return the smallest chi-square p-value over the states reached 200 times or more.

    It is multiplied by the number of these states (Bonferroni): the least of fifty p-values lies
    below 1e-4 fifty times as often as one does.
    """
    smallest, tested = 1.0, 0
    for u, v in zip(*np.nonzero(steps.sum(axis=2) >= 200), strict=True):
        times, chances = steps[u, v], law[u, v]
        if times[chances == 0].any():
            return 0.0
        expected = chances[chances > 0] * times.sum()
        seen = times[chances > 0]
        rare = expected < 5
        if rare.any():  # pooled: chi-square needs about five each
            expected = np.append(expected[~rare], expected[rare].sum())
            seen = np.append(seen[~rare], seen[rare].sum())
        if len(expected) > 1 and expected.min() > 0:
            smallest = min(smallest, stats.chisquare(seen, expected).pvalue)
            tested += 1
    return min(1.0, smallest * tested)


@pytest.mark.parametrize(("p", "q"), CORNERS)
@pytest.mark.parametrize("name", GRAPHS)
def test_every_state_follows_the_exact_law(name, p, q):
    graph = GRAPHS[name]()
    steps = counted(graph, p, q, seed=1)
    assert np.count_nonzero(steps.sum(axis=2) >= 200) >= 4
    assert smallest_p(steps, exact_law(graph, p, q)) > 1e-4


@pytest.mark.parametrize(("p", "q"), [(0.25, 4.0), (4.0, 0.25)])
@pytest.mark.parametrize("name", GRAPHS)
def test_wrong_laws_are_rejected(name, p, q):
    """p and q swapped, weights ignored, p and q ignored, and a way back that counts twice."""
    graph = GRAPHS[name]()
    steps = counted(graph, p, q, seed=1)
    ones = graph.adjacency.copy()
    ones.data[:] = 1.0
    unweighted = ItemGraph(ones, graph.ids, graph.directed)
    for wrong in (
        exact_law(graph, q, p),
        exact_law(unweighted, p, q),
        exact_law(graph, 1.0, 1.0),
        exact_law(graph, p / 2, q),
    ):
        assert smallest_p(steps, wrong) < 1e-10


def test_the_first_step_goes_by_weight_alone():
    graph = complete_with_tail()
    walks = random_walks(graph, p=0.01, q=100.0, walk_length=2, walks_per_node=40_000, seed=2)
    weights = graph.adjacency.toarray()
    for v in range(graph.n_nodes):
        times = np.bincount(walks[walks[:, 0] == v, 1], minlength=graph.n_nodes)
        assert times.sum() == 40_000
        reached = weights[v] > 0
        assert not times[~reached].any()
        if reached.sum() > 1:
            by_weight = weights[v, reached] / weights[v].sum()
            found = stats.chisquare(times[reached], 40_000 * by_weight).pvalue
            assert found > 1e-4 / graph.n_nodes
            alike = np.full(reached.sum(), 40_000 / reached.sum())
            assert stats.chisquare(times[reached], alike).pvalue < 1e-10


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(1e-3, 1e3)),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
    st.sampled_from(CORNERS),
)
@settings(max_examples=60, deadline=None)
def test_walks_are_paths_of_the_graph(edges, directed, corner):
    graph = ItemGraph.from_edges(edges, nodes=["lonely"], directed=directed)
    p, q = corner
    walks = random_walks(graph, p=p, q=q, walk_length=7, walks_per_node=3)
    assert walks.dtype == np.int32
    assert walks.shape == (3 * graph.n_nodes, 7)
    np.testing.assert_array_equal(walks[:, 0], np.tile(np.arange(graph.n_nodes), 3))
    weights, out = graph.adjacency.toarray(), graph.degrees()
    for walk in walks:
        for v, c in itertools.pairwise(walk):
            if v < 0:
                assert c < 0
            elif c < 0:
                assert out[v] == 0  # a dead end, and nothing else, ends a walk
            else:
                assert weights[v, c] > 0


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_compiled_alias_tables_hold_the_weights(weights):
    """The masses of a row's table are its weights, to 2^-32 an entry, as `alias_setup` has them."""
    star = ItemGraph.from_edges(
        [("hub", n, weight) for n, weight in enumerate(weights)], directed=True
    )
    table = prepare_walks(star).table
    n = len(weights)
    stay = table[:, 0].view(np.uint32) / 2.0**32
    aside = table[:, 3] - 1  # edge k of the hub leads to node k + 1
    mass = stay + np.bincount(aside, 1 - stay, minlength=n)
    np.testing.assert_allclose(mass / n, np.array(weights) / np.sum(weights), atol=1e-9)
    accept, alias = alias_setup(weights)
    np.testing.assert_allclose(stay, accept, atol=1e-9)
    np.testing.assert_array_equal(aside[stay < 1 - 1e-9], alias[stay < 1 - 1e-9])


@pytest.mark.parametrize(("p", "q"), CORNERS)
def test_threads_change_nothing(p, q):
    graph = hub()
    one = random_walks(graph, p=p, q=q, walk_length=20, walks_per_node=7, seed=3)
    options = {"p": p, "q": q, "walk_length": 20, "walks_per_node": 7}
    for threads in (2, 3):
        again = random_walks(graph, **options, seed=3, threads=threads)
        np.testing.assert_array_equal(one, again)
    assert (one != random_walks(graph, **options, seed=4)).any()


@pytest.mark.parametrize(("p", "q"), CORNERS)
def test_lanes_change_nothing(p, q):
    """Walks that end early give their lane to others; each goes on as it would alone."""
    ends = [(v, 100 + v % 7, 1.0) for v in range(30)]
    ways = [(v, (v * k + 1) % 30, 1.0 + k) for v in range(30) for k in (2, 3, 5)]
    graph = ItemGraph.from_edges([*ways, *ends], directed=True)
    options = {"p": p, "q": q, "walk_length": 30, "seed": 5}
    one = random_walks(graph, **options, walks_per_node=20)
    lengths = np.count_nonzero(one >= 0, axis=1)
    assert len(np.unique(lengths)) > 10
    for threads in (2, 20):  # of 740 walks, 46 and 5 a part: more and less than the lanes
        many = random_walks(graph, **options, walks_per_node=20, threads=threads)
        np.testing.assert_array_equal(one, many)
    few = random_walks(graph, **options, walks_per_node=1)
    np.testing.assert_array_equal(one[: graph.n_nodes], few)
    short = random_walks(graph, **{**options, "walk_length": 9}, walks_per_node=1)
    np.testing.assert_array_equal(few[:, :9], short)


@pytest.mark.parametrize(("p", "q"), CORNERS)
def test_walks_of_one_node_stay_where_they_start(p, q):
    walks = random_walks(hub(), p=p, q=q, walk_length=1, walks_per_node=2)
    assert walks.ravel().tolist() == 2 * list(range(31))


def test_weights_of_any_size_keep_their_ratio():
    edges = [("a", "b", 1.0), ("a", "c", 3.0), ("b", "c", 1.0)]
    plain = random_walks(ItemGraph.from_edges(edges), p=0.5, q=2.0, walks_per_node=50)
    for scale in (1e-200, 1e200):
        scaled = ItemGraph.from_edges([(a, b, w * scale) for a, b, w in edges])
        np.testing.assert_array_equal(plain, random_walks(scaled, p=0.5, q=2.0, walks_per_node=50))


@pytest.mark.parametrize("largest", [1.0, 1e200, 1e-250])
def test_weights_that_32_bits_cannot_hold_are_refused(largest):
    """Below 1e-38 of the largest a weight would lose digits, then be none, without a word."""

    def star(share):
        return ItemGraph.from_edges([("a", "b", largest), ("a", "c", share * largest)])

    with pytest.raises(ValueError, match=r"weights must lie within a factor of 1e\+37 of the larg"):
        random_walks(star(9e-38), q=2.0)
    rare = random_walks(star(1.1e-37), q=2.0, walk_length=2, walks_per_node=1)
    assert rare.tolist() == [[0, 1], [1, 0], [2, 0]]


def test_counts_of_any_integer_type_count_the_same():
    """In eight bits 31 nodes x 10 walks would be 54 rows."""
    counts = {"walk_length": 5, "walks_per_node": 10, "seed": 3, "threads": 2}
    plain = random_walks(hub(), p=0.5, **counts)
    small = random_walks(hub(), p=0.5, **{name: np.uint8(n) for name, n in counts.items()})
    np.testing.assert_array_equal(plain, small)


@pytest.mark.parametrize("kernel", ["walk", "walk_by_weight"])
def test_an_interruption_waits_for_the_parts_that_run_alone(monkeypatch, kernel):
    """A part has at most so many steps, however long the whole takes."""
    from companion import _walk_kernels

    sizes = []

    def interrupted(*arguments):
        *_, first, last, out = arguments
        sizes.append((last - first) * out.shape[1])
        if len(sizes) == 1:
            raise KeyboardInterrupt
        time.sleep(0.02)  # or the others are done before anyone hears of it

    monkeypatch.setattr(_walk_kernels, kernel, interrupted)
    monkeypatch.setattr(module, "STEPS_A_PART", 100)
    p = 1.0 if kernel == "walk_by_weight" else 2.0
    with pytest.raises(KeyboardInterrupt):
        random_walks(hub(), p=p, walk_length=10, walks_per_node=20, threads=2)
    assert len(sizes) < 10  # of 62
    assert max(sizes) <= 100


def test_memory_grows_with_the_edges_and_not_with_squared_degrees():
    """A star of 20,000: tables a pair of edges would hold 400 million entries."""
    star = ItemGraph.from_edges(np.column_stack([np.zeros(20_000, int), np.arange(1, 20_001)]))
    assert prepare_walks(star).nbytes < 100 * star.adjacency.nnz
    walks = random_walks(star, p=1.0, q=100.0, walk_length=5, walks_per_node=1)
    assert (walks >= 0).all()


def test_one_node_and_no_edges():
    alone = ItemGraph.from_edges([], nodes=["a"])
    assert random_walks(alone, walk_length=3, walks_per_node=2).tolist() == [[0, -1, -1]] * 2
    assert len(walks_as_sequences(random_walks(alone, walk_length=3))) == 0
    around = ItemGraph.from_edges([("a", "a")])
    assert random_walks(around, walk_length=4, walks_per_node=1).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"p": 0}, ValueError, r"p must lie in \[1e-12, 1e\+12\], got 0"),
        ({"p": -1.0}, ValueError, r"p must lie in"),
        ({"q": float("nan")}, ValueError, r"q must lie in"),
        ({"q": float("inf")}, ValueError, r"q must lie in"),
        ({"q": "2"}, TypeError, "q must be a number"),
        ({"walk_length": 0}, ValueError, "walk_length must be an integer of at least 1, got 0"),
        ({"walks_per_node": 1.5}, TypeError, "walks_per_node must be an integer"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0"),
        ({"threads": 0}, ValueError, "threads must be an integer of at least 1"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        random_walks(hub(), **options)


@pytest.mark.parametrize("function", [random_walks, prepare_walks])
def test_a_graph_of_another_library_is_named(function):
    with pytest.raises(TypeError, match="graph must be an ItemGraph, got list"):
        function([("a", "b")])


@pytest.mark.usefixtures("without_numba")
def test_without_numba_the_extra_is_named():
    with pytest.raises(ImportError, match=r"companion\[graph\]"):
        prepare_walks(hub())
