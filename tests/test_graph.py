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


def test_parallel_edges_of_a_multigraph_are_added():
    theirs = nx.MultiGraph()
    theirs.add_edge("a", "b", weight=2.0)
    theirs.add_edge("b", "a", weight=3.0)
    theirs.add_edge("b", "c")
    graph = ItemGraph.from_networkx(theirs)
    assert graph.neighbours("b") == {"a": 5.0, "c": 1.0}


def test_degrees_of_a_directed_graph_count_ways_out():
    graph = ItemGraph.from_edges([("a", "b"), ("a", "c")], directed=True)
    assert graph.degrees().tolist() == [2, 0, 0]
    assert graph.n_edges == 2
    assert graph.statistics()["isolated"] == 0


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
    with pytest.raises(ValueError, match="symmetric unless directed=True"):
        ItemGraph(one_way, two)
    assert ItemGraph(one_way, two, directed=True).n_edges == 1
    with pytest.raises(ValueError, match=r"n_items must lie in 1 \.\. 2, got 3"):
        ItemGraph(sparse.csr_array((2, 2)), two, n_items=3)
    with pytest.raises(KeyError, match="unknown node ids: 'z'"):
        ItemGraph(one_way, two, directed=True).neighbours("z")


def test_the_caller_s_matrix_is_not_changed():
    given = sparse.csr_array(([1.0, 0.0], ([0, 1], [1, 0])), shape=(2, 2))
    graph = ItemGraph(given, pd.Index(["a", "b"]), directed=True)
    assert given.nnz == 2
    assert graph.adjacency.nnz == 1
