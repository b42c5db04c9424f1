"""Graphs from edges and from networkx, what they refuse, and what they say of themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from companion.graph import ItemGraph

nx = pytest.importorskip("networkx")

NODES = st.sampled_from(["a", "b", "c", 1, ("user", 1)])
EDGES = st.lists(st.tuples(NODES, NODES, st.floats(0.1, 9.0)), min_size=1, max_size=30)


@given(EDGES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_edges_are_added_up_as_by_a_loop(edges, directed):
    graph = ItemGraph.from_edges(edges, directed=directed)
    expected: dict = {}
    for a, b, weight in edges:
        expected[a, b] = expected.get((a, b), 0.0) + weight
        if not directed and a != b:
            expected[b, a] = expected.get((b, a), 0.0) + weight
    found = {(a, b): w for a in graph.ids for b, w in graph.neighbours(a).items()}
    assert found == pytest.approx(expected)
    first_seen = list(dict.fromkeys(end for a, b, _ in edges for end in (a, b)))
    assert list(graph.ids) == first_seen


@given(EDGES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_structure_agrees_with_networkx(edges, directed):
    graph = ItemGraph.from_edges(edges, directed=directed)
    theirs = graph.to_networkx()
    assert theirs.is_directed() == directed
    assert (graph.n_nodes, graph.n_edges) == (theirs.number_of_nodes(), theirs.number_of_edges())
    back = ItemGraph.from_networkx(theirs)
    assert list(back.ids) == list(graph.ids)
    np.testing.assert_allclose(back.adjacency.toarray(), graph.adjacency.toarray())
    undirected = theirs.to_undirected()
    facts = graph.statistics()
    components = list(nx.connected_components(undirected))
    assert facts["components"] == len(components)
    assert facts["largest component"] == max(map(len, components))


def test_numbers_names_and_pairs_are_different_nodes():
    graph = ItemGraph.from_edges([(1, "1"), ("1", ("user", 1))])
    assert list(graph.ids) == [1, "1", ("user", 1)]
    assert graph.neighbours("1") == {1: 1.0, ("user", 1): 1.0}


def test_an_array_of_pairs_with_weights_is_read_as_a_list_is():
    pairs, weights = np.array([[7, 3], [3, 9]]), np.array([2.0, 5.0])
    graph = ItemGraph.from_edges(pairs, weights=weights)
    assert graph.ids.tolist() == [7, 3, 9]
    assert graph.neighbours(3) == {7: 2.0, 9: 5.0}
    same = ItemGraph.from_edges([(7, 3, 2.0), (3, 9, 5.0)])
    assert (graph.adjacency != same.adjacency).nnz == 0


def test_nodes_come_first_and_may_be_isolated():
    graph = ItemGraph.from_edges([("b", "c")], nodes=["lonely", "c"])
    assert list(graph.ids) == ["lonely", "c", "b"]
    assert graph.degrees().tolist() == [0, 1, 1]
    assert graph.statistics()["isolated"] == 1
    alone = ItemGraph.from_edges([], nodes=["lonely"])
    assert (alone.n_nodes, alone.n_edges) == (1, 0)


def test_a_loop_is_one_edge_and_weight_zero_none():
    graph = ItemGraph.from_edges([("a", "a", 2.0), ("a", "b", 0.0), ("a", "c", 1.0)])
    assert graph.n_edges == 2
    assert graph.neighbours("a") == {"a": 2.0, "c": 1.0}
    assert graph.strengths().tolist() == [3.0, 0.0, 1.0]


def test_a_list_of_edges_may_hold_lists_pairs_and_triples():
    graph = ItemGraph.from_edges([["a", "b"], ("b", "c", 2), ("c", "d", np.float32(0.5))])
    assert graph.neighbours("b") == {"a": 1.0, "c": 2.0}
    assert graph.neighbours("c") == {"b": 2.0, "d": 0.5}
    numbers = ItemGraph.from_edges([[1, 2, 3], [2, 3, 4]])  # triples, as is said
    assert numbers.neighbours(2) == {1: 3.0, 3: 4.0}
    named = ItemGraph.from_edges(np.array(["a", "b", "b", "c"]).reshape(2, 2))
    assert named.neighbours("b") == {"a": 1.0, "c": 1.0}
    whole = ItemGraph.from_edges([("a", "b")], weights=pd.Series([2], dtype="Int64"))
    assert whole.neighbours("a") == {"b": 2.0}


def test_parallel_edges_of_a_multigraph_are_added():
    theirs = nx.MultiGraph()
    theirs.add_edge("a", "b", weight=2.0)
    theirs.add_edge("b", "a", weight=3.0)
    theirs.add_edge("b", "c")
    graph = ItemGraph.from_networkx(theirs)
    assert graph.neighbours("b") == {"a": 5.0, "c": 1.0}


def test_another_attribute_of_the_edges_may_be_the_weight():
    theirs = nx.DiGraph()
    theirs.add_edge("a", "b", weight=2.0, trips=5)
    theirs.add_edge("b", "c", weight=3.0)
    assert ItemGraph.from_networkx(theirs, weight="trips").neighbours("a") == {"b": 5.0}
    assert ItemGraph.from_networkx(theirs, weight="trips").neighbours("b") == {"c": 1.0}
    assert ItemGraph.from_networkx(theirs, weight=None).neighbours("a") == {"b": 1.0}
    with pytest.raises(KeyError, match="no edge has the attribute 'trip': weight=None takes all"):
        ItemGraph.from_networkx(theirs, weight="trip")
    bare = nx.Graph([("a", "b")])
    assert ItemGraph.from_networkx(bare).neighbours("a") == {"b": 1.0}
    bare.remove_edge("a", "b")
    assert ItemGraph.from_networkx(bare, weight="trips").n_edges == 0
    bare.add_edge("a", "b", weight="3")
    with pytest.raises(TypeError, match="weights must be numbers"):
        ItemGraph.from_networkx(bare)
    with pytest.raises(TypeError, match="graph must be a networkx graph, got list"):
        ItemGraph.from_networkx([("a", "b")])


def test_statistics_of_a_directed_graph_by_hand():
    """Ways out count, but for what hangs together: c has none and is not isolated."""
    edges = [("a", "b", 2.0), ("a", "c", 3.0), ("b", "a", 0.5), ("b", "c", 1.0), ("d", "e", 4.0)]
    graph = ItemGraph.from_edges(edges, nodes=["alone"], directed=True)
    assert list(graph.ids) == ["alone", "a", "b", "c", "d", "e"]
    assert graph.degrees().tolist() == [0, 2, 2, 0, 1, 0]
    assert graph.strengths().tolist() == [0.0, 5.0, 1.5, 0.0, 4.0, 0.0]
    assert graph.n_edges == 5
    assert graph.statistics() == {
        "nodes": 6,
        "edges": 5,
        "isolated": 1,
        "components": 3,
        "largest component": 3,
        "mean degree": 5 / 6,
        "median degree": 1 / 2,
        "largest degree": 2,
    }


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_must_be_weights(weight):
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        ItemGraph.from_edges([("a", "b", weight), ("a", "b", 3.0)])


@pytest.mark.parametrize(
    ("edges", "options", "error", "message"),
    [
        ([], {}, ValueError, "at least one edge, or nodes one id"),
        ([("a", None)], {}, ValueError, "no missing id"),
        ([("a", float("nan"))], {}, ValueError, "no missing id"),
        ([("a", [])], {}, TypeError, "ids must be hashable"),
        ([("a",)], {}, TypeError, "edges must be pairs or triples, got one of 1 parts"),
        ([("a",), ("a", "b")], {}, TypeError, "pairs or triples, got one of 1 parts"),
        ([("a", "b"), ("a", "b", 1, 2)], {}, TypeError, "pairs or triples, got one of 4 parts"),
        ("ab", {}, TypeError, "edges must be a sequence of ids, not one string, got 'ab'"),
        (["ab", "bc"], {}, TypeError, "edges must be pairs or triples, as tuples or lists, got st"),
        ([{"a", "b"}], {}, TypeError, "as tuples or lists, got set"),
        ({("a", "b"): 1.0}, {}, TypeError, "edges must be a list, an iterator or an array, got di"),
        ({("a", "b")}, {}, TypeError, "edges must have an order, and a set has none"),
        (pd.DataFrame({"ab": [1], "cd": [2]}), {}, TypeError, "got pandas.*DataFrame"),
        (None, {}, TypeError, "edges must be a list, an iterator or an array, got NoneType"),
        (3, {}, TypeError, "edges must be a list, an iterator or an array, got int"),
        (np.ones((2, 3)), {}, ValueError, r"must have shape \(m, 2\), got \(2, 3\): weights are"),
        (np.ones((3, 3)), {}, ValueError, r"must have shape \(m, 2\), got \(3, 3\)"),
        (np.ones(4), {}, TypeError, "as tuples or lists, got numpy.float64"),
        (sparse.csr_array(np.ones((3, 3))), {}, TypeError, "as tuples or lists, got scipy.sparse"),
        ([("a", "b", "3")], {}, TypeError, "weights must be numbers, got dtype"),
        ([("a", "b", "c"), ("a", "b", 1.0)], {}, TypeError, "weights must be numbers, got dtype"),
        ([("a", "b", None)], {}, TypeError, "weights must be numbers, got dtype object"),
        ([("a", "b", 1j)], {}, TypeError, "weights must be numbers, got dtype complex"),
        ([("a", "b", 1e308)] * 2, {}, ValueError, "weights must be finite"),
        ([("a", "b")], {"nodes": "lonely"}, TypeError, "nodes must be a sequence of ids, not one"),
        ([("a", "b")], {"nodes": {"c"}}, TypeError, "nodes must have an order"),
        ([("a", "b")], {"nodes": 3}, TypeError, "nodes must be a list, an iterator or an array"),
        ([("a", "b")], {"directed": 1}, TypeError, "directed must be True or False, got 1"),
        ([("a", "b", 1.0)], {"weights": [1.0]}, TypeError, "edges must be pairs, got one of 3"),
        ([("a", "b")], {"weights": [1.0, 2.0]}, ValueError, r"one an edge, 1, got \(2,\)"),
    ],
)
def test_bad_edges_are_named(edges, options, error, message):
    with pytest.raises(error, match=message):
        ItemGraph.from_edges(edges, **options)


def test_bad_matrices_are_named():
    two = pd.Index(["a", "b"])
    with pytest.raises(ValueError, match=r"adjacency must have shape \(n, n\) for the n = 2 ids"):
        ItemGraph(sparse.csr_array((3, 3)), two)
    with pytest.raises(ValueError, match="ids must be distinct, got more than once 'a'"):
        ItemGraph(sparse.csr_array((2, 2)), pd.Index(["a", "a"]))
    one_way = sparse.csr_array([[0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match=r"symmetric unless directed=True.*\(A \+ A.T\) / 2 is"):
        ItemGraph(one_way, two)
    assert ItemGraph(one_way, two, directed=True).n_edges == 1
    with pytest.raises(ValueError, match=r"n_items must lie in 1 \.\. 2, got 3"):
        ItemGraph(sparse.csr_array((2, 2)), two, n_items=3)
    for n_items in (True, 1.0):
        with pytest.raises(TypeError, match="n_items must be an integer of at least 1"):
            ItemGraph(sparse.csr_array((2, 2)), two, n_items=n_items)
    with pytest.raises(ValueError, match="ids must hold at least one node, got none"):
        ItemGraph(sparse.csr_array((0, 0)), [])
    for missing in (None, np.nan):
        with pytest.raises(ValueError, match="ids must have no missing id"):
            ItemGraph(sparse.csr_array((2, 2)), ["a", missing])
    with pytest.raises(TypeError, match="ids must be a sequence of ids, not one string"):
        ItemGraph(sparse.csr_array((2, 2)), "ab")
    with pytest.raises(TypeError, match="directed must be True or False, got 'no'"):
        ItemGraph(one_way, two, "no")
    with pytest.raises(KeyError, match="unknown node ids: 'z'"):
        ItemGraph(one_way, two, directed=True).neighbours("z")


def test_the_caller_s_matrix_is_not_changed():
    given = sparse.csr_array(([1.0, 0.0], ([0, 1], [1, 0])), shape=(2, 2))
    graph = ItemGraph(given, pd.Index(["a", "b"]), directed=True)
    assert given.nnz == 2
    assert graph.adjacency.nnz == 1


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([-1.0, -1.0], ValueError, "weights must be finite and at least 0"),
        ([np.nan, np.nan], ValueError, "weights must be finite and at least 0"),
        ([np.inf, np.inf], ValueError, "weights must be finite and at least 0"),
        ([1 + 1j, 1 + 1j], TypeError, "weights must be numbers, got dtype complex128"),
    ],
)
def test_weights_of_a_matrix_must_be_weights(weights, error, message):
    with pytest.raises(error, match=message):
        ItemGraph(sparse.csr_array((weights, ([0, 1], [1, 0]))), ["a", "b"])


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.coo_array])
def test_a_negative_weight_is_refused_before_equal_entries_are_added_up(form):
    twice = sparse.coo_array(([-1.0, 3.0, 2.0], ([0, 0, 1], [1, 1, 0])), (2, 2))
    if form is sparse.csr_array:
        twice = sparse.csr_array(([-1.0, 3.0, 2.0], [1, 1, 0], [0, 2, 3]), (2, 2))
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        ItemGraph(twice, ["a", "b"])


def test_a_sum_of_equal_entries_must_be_finite():
    twice = sparse.coo_array(([1e308] * 4, ([0, 0, 1, 1], [1, 1, 0, 0])), (2, 2))
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        ItemGraph(twice, ["a", "b"])


@pytest.mark.parametrize(
    "ids",
    [
        ["a", ("user", 1)],
        np.array(["a", "b"]),
        (7, "7"),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]),
    ],
    ids=["list", "array", "tuple", "MultiIndex"],
)
def test_ids_may_be_any_list(ids):
    graph = ItemGraph(sparse.csr_array([[0.0, 2.0], [2.0, 0.0]]), ids, n_items=np.int64(1))
    first, second = list(ids)
    assert type(graph.ids) is pd.Index
    assert graph.neighbours(first) == {second: 2.0}
    assert type(graph.n_items) is int


def test_a_graph_cannot_be_written_to_and_still_be_used():
    graph = ItemGraph.from_edges([("a", "b"), ("b", "c", 2.0)])
    for part in ("data", "indices", "indptr"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(graph.adjacency, part)[0] = 0
    assert (graph.adjacency @ np.ones(3)).tolist() == [1.0, 3.0, 2.0]
    again = ItemGraph(graph.adjacency, graph.ids)
    assert graph.statistics() == again.statistics()
    changed = graph.adjacency.copy()
    changed.data[:] = 7.0
    assert graph.strengths().tolist() == [1.0, 3.0, 2.0]
