"""Node2Vec: walks over an item graph are sentences (Grover and Leskovec 2016).

DeepWalk (Perozzi, Al-Rfou and Skiena 2014, doi:10.1145/2623330.2623732) is the case p = q = 1.
The graph is built by `companion.item_graph`, the walks are those of `companion.walks`, and the
training is that of Item2Vec, in `companion.sgns`.

Axes: n nodes, V nodes with a vector, D dimension, W walk length, R walks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_count
from companion.embeddings import Embeddings
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import Weight, build_item_graph
from companion.sgns import EngineName, Learning, Objective, Vocabulary, build_vocabulary
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

    def walks(self, graph: ItemGraph, *, threads: int = 1) -> NDArray[np.int32]:
        """Return the walks that `fit` would train on; shape (R, W), -1 after a dead end."""
        return random_walks(
            graph,
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
            If a hyperparameter is out of range, or the graph has no edge.  Nothing is changed
            then.
        ImportError
            If numba or the engine's library is not installed; the message names the extra.

        Notes
        -----
        An interrupted fit (Ctrl-C) leaves the vectors as far as they had come and raises
        KeyboardInterrupt.
        """
        objective = self._checked_objective()
        graph = self._as_graph(data)
        if graph.adjacency.nnz == 0:
            raise ValueError("data must hold at least one edge, got none")
        sequences = walks_as_sequences(self.walks(graph, threads=threads))
        vocabulary = build_vocabulary(sequences, graph.ids)
        learning = Learning(
            vocabulary.encode(sequences, graph.ids),
            vocabulary,
            objective,
            dim=self.dim,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            engine=self.engine,
            seed=self.seed,
            threads=threads,
            device=device,
        )
        try:
            learning.run(verbose=verbose)
        finally:  # an interruption keeps what was learned; a failed epoch leaves no history
            if learning.history:
                self._publish(graph, vocabulary, learning.tables(), learning.history)
        return self

    def _as_graph(self, data: Any) -> ItemGraph:
        if isinstance(data, ItemGraph):
            return data
        if isinstance(data, Interactions):
            return build_item_graph(data, self.weight, top_k=self.top_k)
        if hasattr(data, "nodes") and hasattr(data, "edges"):
            return ItemGraph.from_networkx(data)
        return ItemGraph.from_edges(data)

    def _checked_objective(self) -> Objective:
        check_walks(self.p, self.q, self.walk_length, self.walks_per_node)
        check_count("walk_length", self.walk_length, minimum=2)
        check_count("window", self.window)
        return Objective(
            mode=self.mode,
            window=self.window,
            negatives=self.negatives,
            noise_exponent=self.noise_exponent,
        )

    def _publish(
        self,
        graph: ItemGraph,
        vocabulary: Vocabulary,
        tables: Tables,
        history: list[dict[str, float]],
    ) -> None:
        """Set everything that was learned, together."""
        codes = graph.ids.get_indexer(vocabulary.ids)
        items = np.flatnonzero(codes < (graph.n_items or graph.n_nodes))
        items = items[np.argsort(codes[items])]
        ids = vocabulary.ids[items]
        self.graph_, self.history_ = graph, history
        self.node_embeddings_ = Embeddings(vocabulary.ids, tables[0])
        self.item_embeddings_ = Embeddings(ids, tables[0][items])
        self.context_embeddings_ = Embeddings(ids, tables[1][items])
