"""Node2Vec: walks over an item graph are sentences (Grover and Leskovec 2016).

DeepWalk (Perozzi, Al-Rfou and Skiena 2014, doi:10.1145/2623330.2623732) is the case p = q = 1.
The graph is built by `companion.item_graph`, the walks are those of `companion.walks`, and the
training is that of Item2Vec, in `companion.sgns`.

Axes: n nodes, V nodes with a vector, D dimension, W walk length, R walks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_count, check_option
from companion._edges import is_networkx
from companion.embeddings import Embeddings
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import Weight, build_item_graph
from companion.sequences import Sequences
from companion.sgns import (
    EngineName,
    Learning,
    Objective,
    Vocabulary,
    build_vocabulary,
    check_learning,
)
from companion.sgns.objective import Mode, Tables
from companion.walks import check_walks, random_walks, walks_as_sequences

if TYPE_CHECKING:
    import networkx as nx


@dataclass(eq=False)
class Node2Vec:
    """Skip-gram or CBOW with negative sampling over random walks.

    Parameters
    ----------
    p, q : float
        See `companion.walks.random_walks`: a small p turns back, a small q leads away.
    walk_length, walks_per_node : int
        W, and how many walks start at every node.
    dim : int
        Dimension, D.
    window : int
        Places to look at on each side, the width drawn anew for each centre.
    negatives, mode, noise_exponent, epochs, learning_rate, engine, seed
        As in `companion.item2vec.Item2Vec`; ``epochs`` are passes over all walks.
    weight, top_k
        As in `companion.item_graph.build_item_graph`, for the graph of interactions.

    Attributes
    ----------
    graph_ : ItemGraph
        What was walked over.
    item_embeddings_ : Embeddings
        The input table: items alone, in the order of their codes.  A node without an edge has
        no vector.
    context_embeddings_ : Embeddings
        The output table, of the same items.
    node_embeddings_ : Embeddings, (V, D)
        The input table of all nodes: of users too, in a bipartite graph.
    history_ : list of dict
        One an epoch: "epoch" and "loss".

    Notes
    -----
    The walks take 4 n walks_per_node W bytes; at its peak `fit` needs about five times as much.

    Examples
    --------
    >>> import networkx as nx
    >>> two_rings = nx.disjoint_union(nx.complete_graph(6), nx.complete_graph(6))
    >>> model = Node2Vec(dim=8, walk_length=20, epochs=5).fit(two_rings, verbose=False)
    >>> sorted(node for node, _ in model.item_embeddings_.similar(0, k=5))
    [1, 2, 3, 4, 5]
    """

    _: KW_ONLY
    p: float = 1.0
    q: float = 1.0
    walk_length: int = 80
    walks_per_node: int = 10
    dim: int = 64
    window: int = 5
    negatives: int = 5
    mode: Mode = "skipgram"
    noise_exponent: float = 0.75
    epochs: int = 1
    learning_rate: float = 0.025
    engine: EngineName = "fast"
    weight: Weight = "jaccard"
    top_k: int | None = 50
    seed: int = 0
    graph_: ItemGraph = field(init=False, repr=False)
    item_embeddings_: Embeddings = field(init=False, repr=False)
    context_embeddings_: Embeddings = field(init=False, repr=False)
    node_embeddings_: Embeddings = field(init=False, repr=False)
    history_: list[dict[str, float]] = field(init=False, repr=False)

    def walks(
        self,
        data: ItemGraph | nx.Graph[Any] | Interactions | Iterable[tuple[Any, ...]],
        *,
        threads: int = 1,
    ) -> NDArray[np.int32]:
        """Return the walks that `fit` would train on; shape (R, W), -1 after a dead end."""
        return random_walks(
            self._as_graph(data, threads),
            p=self.p,
            q=self.q,
            walk_length=self.walk_length,
            walks_per_node=self.walks_per_node,
            seed=self.seed,
            threads=threads,
        )

    def fit(
        self,
        data: ItemGraph | nx.Graph[Any] | Interactions | Iterable[tuple[Any, ...]],
        *,
        threads: int = 1,
        device: str = "auto",
        verbose: bool = True,
    ) -> Self:
        """Learn one vector a node.

        Parameters
        ----------
        data : ItemGraph, networkx graph, list of edges, or Interactions
            Edges are read by `ItemGraph.from_edges`, a networkx graph by
            `ItemGraph.from_networkx`; of interactions the graph of ``weight`` and ``top_k`` is
            built, by user.
        threads : int
            Walks do not depend on it; for the training see `companion.sgns.fast_engine`.
        device : str
            For the engine "torch": "auto", "cpu", "cuda", ...
        verbose : bool
            Show a progress bar where training takes longer than a few seconds.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter is out of range, training diverges, or the graph has no edge, or
            none of an item.  Nothing is changed then.
        ImportError
            If numba or the engine's library is not installed; the message names the extra.

        Notes
        -----
        An interrupted fit (Ctrl-C) leaves the vectors as far as they had come and raises
        KeyboardInterrupt.
        """
        objective = self._checked_objective()
        settings = self._checked_settings(threads=threads, device=device)
        graph = self._as_graph(data, threads)
        if graph.adjacency.nnz == 0:
            raise ValueError("data must hold at least one edge, got none")
        sequences, vocabulary = self._sentences(graph, threads)
        learning = Learning(sequences, vocabulary, objective, **settings)
        try:
            learning.run(verbose=verbose)
        except KeyboardInterrupt:  # keep what was learned, if it can be kept
            tables = learning.tables()
            if learning.history and all(np.isfinite(table).all() for table in tables):
                self._publish(graph, vocabulary, tables, learning.history)
            raise
        self._publish(graph, vocabulary, learning.tables(), learning.history)
        return self

    def _as_graph(self, data: Any, threads: int) -> ItemGraph:
        if isinstance(data, ItemGraph):
            return data
        if isinstance(data, Interactions):
            return build_item_graph(data, self.weight, top_k=self.top_k, threads=threads)
        return ItemGraph.from_networkx(data) if is_networkx(data) else ItemGraph.from_edges(data)

    def _sentences(self, graph: ItemGraph, threads: int) -> tuple[Sequences, Vocabulary]:
        """Return the walks in codes of the vocabulary, and the vocabulary: who is in a walk."""
        walks = walks_as_sequences(self.walks(graph, threads=threads))
        vocabulary = build_vocabulary(walks, graph.ids)
        if len(_items_of(graph, vocabulary)) == 0:
            raise ValueError(
                f"data must hold an edge of an item, got none of the first {graph.n_items} nodes"
            )
        return vocabulary.encode(walks, graph.ids), vocabulary

    def _checked_objective(self) -> Objective:
        check_walks(self.p, self.q, self.walk_length, self.walks_per_node)
        check_count("walk_length", self.walk_length, minimum=2)
        check_count("window", self.window)
        check_option("weight", self.weight, get_args(Weight))
        if self.top_k is not None:
            check_count("top_k", self.top_k)
        return Objective(
            mode=self.mode,
            window=self.window,
            negatives=self.negatives,
            noise_exponent=self.noise_exponent,
        )

    def _checked_settings(self, **machine: Any) -> dict[str, Any]:
        """Return what `Learning` takes besides what is learned from."""
        settings = {
            "dim": self.dim,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "engine": self.engine,
            "seed": self.seed,
            **machine,
        }
        check_learning(**settings)
        return settings

    def _publish(
        self,
        graph: ItemGraph,
        vocabulary: Vocabulary,
        tables: Tables,
        history: list[dict[str, float]],
    ) -> None:
        """Set everything that was learned, together."""
        items = _items_of(graph, vocabulary)
        ids = vocabulary.ids[items]
        nodes = Embeddings(vocabulary.ids, tables[0])
        inputs, outputs = (Embeddings(ids, table[items]) for table in tables)
        self.graph_, self.history_, self.node_embeddings_ = graph, history, nodes
        self.item_embeddings_, self.context_embeddings_ = inputs, outputs


def _items_of(graph: ItemGraph, vocabulary: Vocabulary) -> NDArray[np.intp]:
    """Return the places in a vocabulary of the graph's items; both have the order of the nodes."""
    codes = graph.ids.get_indexer(vocabulary.ids)
    return np.flatnonzero(codes < (graph.n_items or graph.n_nodes))
