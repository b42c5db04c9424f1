"""Node2Vec: planted communities, the graphs that it takes, and what it refuses."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from companion import node2vec
from companion.datasets import make_planted_interactions
from companion.embeddings import Embeddings
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import build_bipartite_graph, build_item_graph
from companion.node2vec import Node2Vec
from companion.protocols import Embedder
from companion.sgns import Learning, Objective, build_vocabulary, learning
from companion.walks import random_walks, walks_as_sequences

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
    for weight in ("jaccard", "cosine"):
        model = small(weight=weight, top_k=10).fit(data, verbose=False)
        same = build_item_graph(data, weight, top_k=10)
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


def test_a_log_is_walked_over_as_it_is_fitted():
    data = make_planted_interactions(n_users=40, n_items=20, n_groups=2, seed=0)
    model = small(weight="count", top_k=3).fit(data, verbose=False)
    np.testing.assert_array_equal(model.walks(data), model.walks(model.graph_))
    np.testing.assert_array_equal(model.walks(EDGES), model.walks(nx.Graph(EDGES)))


def test_only_a_graph_of_networkx_is_read_as_one():
    class Rows:
        """What has nodes and edges need not be a graph of that library."""

        nodes, edges = (), ()

        def __iter__(self):
            return iter(EDGES)

    vectors = small().fit(Rows(), verbose=False).item_embeddings_.vectors
    expected = small().fit(EDGES, verbose=False).item_embeddings_.vectors
    np.testing.assert_array_equal(vectors, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"p": 0.5, "q": 2.0},
        {"epochs": 3, "learning_rate": 0.1, "window": 2, "negatives": 2, "seed": 5},
        {"mode": "cbow", "noise_exponent": -0.5, "dim": 7},
    ],
)
def test_fit_is_a_training_on_the_walks_and_nothing_else(options):
    """Both tables, from the three steps done by hand."""
    graph = ItemGraph.from_edges(EDGES)
    model = small(**options).fit(graph, verbose=False)
    walks = walks_as_sequences(model.walks(graph))
    vocabulary = build_vocabulary(walks, graph.ids)
    shared = ("mode", "window", "negatives", "noise_exponent")
    by_hand = Learning(
        vocabulary.encode(walks, graph.ids),
        vocabulary,
        Objective(**{name: getattr(model, name) for name in shared}),
        dim=model.dim,
        epochs=model.epochs,
        learning_rate=model.learning_rate,
        engine="fast",
        seed=model.seed,
    )
    by_hand.run(verbose=False)
    inputs, outputs = by_hand.tables()
    assert (inputs != outputs).any()
    np.testing.assert_array_equal(model.item_embeddings_.vectors, inputs)
    np.testing.assert_array_equal(model.node_embeddings_.vectors, inputs)
    np.testing.assert_array_equal(model.context_embeddings_.vectors, outputs)
    assert model.item_embeddings_.ids == tuple(vocabulary.ids)
    assert model.history_ == by_hand.history


def test_every_setting_arrives_where_it_belongs(monkeypatch):
    calls = {}

    def spy(name):
        original = getattr(node2vec, name)

        def called(*arguments, **options):
            calls[name] = (arguments, options)
            return original(*arguments, **options)

        monkeypatch.setattr(node2vec, name, called)

    for name in ("build_item_graph", "random_walks", "Learning"):
        spy(name)
    pytest.importorskip("torch")
    data = make_planted_interactions(n_users=40, n_items=20, n_groups=2, seed=0)
    walking = {"p": 0.5, "q": 3.0, "walk_length": 9, "walks_per_node": 2, "seed": 6}
    objective = {"mode": "cbow", "window": 3, "negatives": 4, "noise_exponent": 0.5}
    training = {"dim": 6, "epochs": 2, "learning_rate": 0.03, "engine": "torch", "seed": 6}
    graph = {"weight": "cosine", "top_k": 4}
    model = Node2Vec(**{**walking, **objective, **training, **graph})
    model.fit(data, threads=2, device="cpu", verbose=False)
    assert calls["build_item_graph"] == ((data, "cosine"), {"top_k": 4, "threads": 2})
    assert calls["random_walks"] == ((model.graph_,), {**walking, "threads": 2})
    (_, _, made), options = calls["Learning"]
    assert made == Objective(**objective)
    assert options == {**training, "threads": 2, "device": "cpu"}


def test_memory_is_a_few_times_that_of_the_walks():
    graph = ItemGraph.from_edges([(n, (n * k + 1) % 2_000) for n in range(2_000) for k in (2, 3)])
    model = Node2Vec(dim=4).fit(EDGES, verbose=False)  # compiles
    tracemalloc.start()
    model.fit(graph, verbose=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 4 * graph.n_nodes * model.walks_per_node * model.walk_length


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


def fitted_before(monkeypatch, error, tables=None):
    """Return a fitted model whose next training ends after an epoch, with an error."""

    def one_epoch(*_, **__):
        yield 3.0
        raise error

    model = small().fit(EDGES, verbose=False)
    monkeypatch.setattr(learning, "train", one_epoch)
    if tables is not None:
        monkeypatch.setattr(Learning, "tables", lambda self: tables)
    return model


def unchanged(model, before):
    return all(vars(model)[name] is before[name] for name in before if name.endswith("_"))


def test_training_that_fails_changes_nothing(monkeypatch):
    model = fitted_before(monkeypatch, ValueError("training diverges"))
    before = dict(vars(model))
    with pytest.raises(ValueError, match="training diverges"):
        model.fit(EDGES, verbose=False)
    assert unchanged(model, before)


def test_an_interruption_is_not_hidden_by_what_cannot_be_kept(monkeypatch):
    """Vectors on their way to infinity are no Embeddings."""
    tables = (np.full((6, 4), np.nan, np.float32), np.zeros((6, 4), np.float32))
    model = fitted_before(monkeypatch, KeyboardInterrupt, tables)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(EDGES, verbose=False)
    assert unchanged(model, before)


def test_all_is_published_or_nothing():
    """The last table fails, after the others could have been set."""
    model = small().fit(EDGES, verbose=False)
    before = dict(vars(model))
    vocabulary = build_vocabulary(walks_as_sequences(model.walks(EDGES)), model.graph_.ids)
    tables = (np.zeros((6, 4), np.float32), np.full((6, 4), np.nan, np.float32))
    with pytest.raises(ValueError, match="finite"):
        model._publish(ItemGraph.from_edges(EDGES), vocabulary, tables, [])
    assert unchanged(model, before)


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
        ({"weight": "jacard"}, ValueError, "weight must be one of"),
        ({"top_k": 0}, ValueError, "top_k must be an integer of at least 1"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0"),
    ],
)
def test_bad_settings_are_named_and_change_nothing(options, error, message, monkeypatch):
    """At the door: before a step is walked."""
    model = small().fit(EDGES, verbose=False)
    monkeypatch.setattr(node2vec, "random_walks", None)
    before = dict(vars(model))
    for name, value in options.items():
        setattr(model, name, value)
    with pytest.raises(error, match=message):
        model.fit(EDGES, verbose=False)
    assert unchanged(model, before)


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("fast", {"device": "cuda"}, 'device must be "auto" or "cpu" with engine=\'fast\''),
        ("torch", {"device": "abacus"}, "device must be one PyTorch has here, got 'abacus'"),
        ("fast", {"threads": 0}, "threads must be an integer of at least 1"),
    ],
)
def test_a_bad_machine_is_named_at_the_door(engine, options, message, monkeypatch):
    pytest.importorskip("torch" if engine == "torch" else "numba")
    monkeypatch.setattr(node2vec, "random_walks", None)
    with pytest.raises(ValueError, match=message):
        small(engine=engine).fit(EDGES, **options, verbose=False)


def test_a_graph_none_of_whose_items_has_an_edge_is_named():
    users = sparse.csr_array(([1.0, 1.0], ([1, 2], [2, 1])), (3, 3))
    graph = ItemGraph(users, ["tea", "ann", "bob"], n_items=1)
    with pytest.raises(ValueError, match="an edge of an item, got none of the first 1 nodes"):
        small().fit(graph, verbose=False)


def test_a_graph_without_edges_is_named():
    with pytest.raises(ValueError, match="data must hold at least one edge, got none"):
        small().fit(ItemGraph.from_edges([], nodes=["a", "b"]), verbose=False)
    with pytest.raises(ValueError, match="edges must hold at least one edge"):
        small().fit([], verbose=False)


def test_interactions_need_no_pairs_to_be_refused_clearly():
    frame = pd.DataFrame({"user": [1, 2], "item": ["a", "b"]})
    with pytest.raises(ValueError, match="data must hold at least one edge, got none"):
        small().fit(Interactions.from_frame(frame, timestamp=None), verbose=False)
