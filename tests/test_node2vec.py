"""Node2Vec: planted communities, the graphs that it takes, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from companion.datasets import make_planted_interactions
from companion.embeddings import Embeddings
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import build_bipartite_graph, build_item_graph
from companion.node2vec import Node2Vec
from companion.protocols import Embedder
from companion.sgns import learning
from companion.walks import random_walks

pytest.importorskip("numba")
nx = pytest.importorskip("networkx")
ENGINES = ("fast", "torch", "gensim")
EDGES = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "d")]


def small(**options):
    return Node2Vec(**{"dim": 4, "walk_length": 10, "walks_per_node": 5, **options})


def communities(n_groups=4, size=15, seed=0):
    """Return a graph of dense groups with few edges between them, and the group of each node."""
    planted = nx.planted_partition_graph(n_groups, size, 0.6, 0.02, seed=seed)
    return planted, np.repeat(np.arange(n_groups), size)


def agreement(embeddings, groups):
    """Return the share of the five nearest nodes that are of the node's own group."""
    unit = embeddings.normalized().vectors
    groups = groups[list(embeddings.ids)]
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(-likeness, axis=1)[:, :5]
    return (groups[nearest] == groups[:, None]).mean()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_planted_communities_are_found(engine, mode):
    pytest.importorskip("torch" if engine == "torch" else "numba")
    pytest.importorskip("gensim" if engine == "gensim" else "numba")
    graph, groups = communities()
    long = {"epochs": 8, "learning_rate": 0.05} if mode == "skipgram" else {"epochs": 2}
    model = Node2Vec(dim=16, engine=engine, mode=mode, walk_length=40, **long)
    model.fit(graph, device="cpu", verbose=False)
    assert agreement(model.item_embeddings_, groups) > 0.95
    rng = np.random.default_rng(0)
    assert agreement(model.item_embeddings_, rng.permutation(groups)) < 0.5
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]


def test_groups_of_a_log_are_found_through_its_item_graph():
    data = make_planted_interactions(n_users=300, n_items=60, n_groups=4, seed=0)
    model = Node2Vec(dim=16, walk_length=40, epochs=3, top_k=10).fit(data, verbose=False)
    assert isinstance(model, Embedder)
    assert model.item_embeddings_.ids == tuple(data.item_ids)
    same = build_item_graph(data, "jaccard", top_k=10)
    np.testing.assert_array_equal(model.graph_.adjacency.toarray(), same.adjacency.toarray())


@pytest.mark.parametrize(
    "graph",
    [EDGES, ItemGraph.from_edges(EDGES), nx.Graph(EDGES), iter(EDGES)],
    ids=["edges", "ItemGraph", "networkx", "iterator"],
)
def test_a_graph_may_come_in_any_form(graph):
    model = small().fit(graph, verbose=False)
    expected = small().fit(ItemGraph.from_edges(EDGES), verbose=False)
    assert model.item_embeddings_.ids == expected.item_embeddings_.ids
    np.testing.assert_array_equal(model.item_embeddings_.vectors, expected.item_embeddings_.vectors)


def test_walks_are_those_of_the_settings():
    graph = ItemGraph.from_edges(EDGES)
    model = small(p=0.25, q=4.0, seed=7)
    expected = random_walks(graph, p=0.25, q=4.0, walk_length=10, walks_per_node=5, seed=7)
    np.testing.assert_array_equal(model.walks(graph), expected)
    np.testing.assert_array_equal(model.walks(graph, threads=2), expected)


def test_only_items_of_a_bipartite_graph_are_items():
    frame = pd.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 2, 3]})
    graph = build_bipartite_graph(Interactions.from_frame(frame, timestamp=None))
    model = small().fit(graph, verbose=False)
    assert model.item_embeddings_.ids == (1, 2, 3)
    assert set(model.node_embeddings_.ids) == {1, 2, 3, ("user", 1), ("user", 2)}
    for one in (1, 2, 3):
        np.testing.assert_array_equal(model.item_embeddings_[one], model.node_embeddings_[one])
    assert model.context_embeddings_.ids == model.item_embeddings_.ids


def test_a_node_without_an_edge_has_no_vector():
    graph = ItemGraph.from_edges(EDGES, nodes=["lonely"])
    model = small().fit(graph, verbose=False)
    assert "lonely" not in model.item_embeddings_
    assert set(model.item_embeddings_.ids) == set("abcdef")


def test_the_seed_decides():
    one, again, other = (small(seed=s).fit(EDGES, verbose=False) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.item_embeddings_.vectors, again.item_embeddings_.vectors)
    assert (one.item_embeddings_.vectors != other.item_embeddings_.vectors).any()


def test_an_interruption_leaves_what_was_learned(monkeypatch):
    def two_epochs(*_, **__):
        yield 3.0
        yield 2.0
        raise KeyboardInterrupt

    monkeypatch.setattr(learning, "train", two_epochs)
    model = small(epochs=5)
    with pytest.raises(KeyboardInterrupt):
        model.fit(EDGES, verbose=False)
    assert [line["loss"] for line in model.history_] == [3.0, 2.0]
    assert isinstance(model.item_embeddings_, Embeddings)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"p": 0.0}, ValueError, "p must lie in"),
        ({"q": -1.0}, ValueError, "q must lie in"),
        ({"walk_length": 0}, ValueError, "walk_length must be an integer of at least 1"),
        ({"walk_length": 1}, ValueError, "walk_length must be an integer of at least 2"),
        ({"walks_per_node": 0}, ValueError, "walks_per_node must be an integer of at least 1"),
        ({"window": "all"}, TypeError, "window must be an integer of at least 1"),
        ({"window": 0}, ValueError, "window must be an integer of at least 1"),
        ({"dim": 0}, ValueError, "dim must be an integer of at least 1"),
        ({"negatives": 0}, ValueError, "negatives must be an integer of at least 1"),
        ({"noise_exponent": float("nan")}, ValueError, "noise_exponent"),
        ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must lie in"),
        ({"engine": "quick"}, ValueError, "engine must be one of"),
        ({"mode": "glove"}, ValueError, "mode must be one of"),
    ],
)
def test_bad_settings_are_named_and_change_nothing(options, error, message):
    model = small().fit(EDGES, verbose=False)
    before = dict(vars(model))
    for name, value in options.items():
        setattr(model, name, value)
    with pytest.raises(error, match=message):
        model.fit(EDGES, verbose=False)
    assert all(vars(model)[name] is before[name] for name in before if name.endswith("_"))


def test_a_graph_without_edges_is_named():
    with pytest.raises(ValueError, match="data must hold at least one edge, got none"):
        small().fit(ItemGraph.from_edges([], nodes=["a", "b"]), verbose=False)
    with pytest.raises(ValueError, match="edges must hold at least one edge"):
        small().fit([], verbose=False)


def test_interactions_need_no_pairs_to_be_refused_clearly():
    frame = pd.DataFrame({"user": [1, 2], "item": ["a", "b"]})
    with pytest.raises(ValueError, match="data must hold at least one edge, got none"):
        small().fit(Interactions.from_frame(frame, timestamp=None), verbose=False)
