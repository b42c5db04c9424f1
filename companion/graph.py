"""A weighted graph in compressed rows: what hangs together, and how strongly.

Row v of the adjacency holds the edges out of v; a graph without directions stores every edge in
the rows of both its ends.  Inside the package nodes are codes, the numbers of rows; the caller's
ids stay at the edge.

Axes: n nodes, E stored entries.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from companion._checks import check_count
from companion._edges import (
    as_objects,
    as_weights,
    check_ids,
    check_sequence,
    is_networkx,
    read_edges,
)
from companion._frames import lookup
from companion._optional import require

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True, eq=False)
class ItemGraph:
    """Nodes with ids, and weighted edges between them.

    Make one with `companion.item_graph.build_item_graph`, `ItemGraph.from_edges` or
    `ItemGraph.from_networkx`.

    Parameters
    ----------
    adjacency : scipy.sparse.csr_array, shape (n, n), float64
        Weights above 0, columns sorted; symmetric unless ``directed``.  It is copied, and the
        copy cannot be written to.
    ids : pandas.Index, or a list or array of ids, shape (n,)
        The caller's id of each node.
    directed : bool
    n_items : int, optional
        The first so many nodes are items; the others, such as the users of a bipartite graph, are
        there to walk over.  None: all are items.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no node, ids repeat or are missing, a weight is not finite
        or below 0, or a graph without directions is not symmetric.
    TypeError
        If ``directed`` is no bool, ``n_items`` no integer, or the weights are no real numbers.

    Examples
    --------
    >>> graph = ItemGraph.from_edges([("tea", "jam"), ("tea", "milk", 3.0)])
    >>> graph.n_nodes, graph.n_edges, graph.degrees().tolist()
    (3, 2, [2, 1, 1])
    >>> graph.neighbours("tea")
    {'jam': 1.0, 'milk': 3.0}
    """

    adjacency: sparse.csr_array
    ids: pd.Index[Any]
    directed: bool = False
    n_items: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.directed, bool):
            raise TypeError(f"directed must be True or False, got {self.directed!r}")
        ids, matrix = check_ids(self.ids), _canonical(self.adjacency)
        if matrix.shape != (len(ids), len(ids)):
            raise ValueError(
                f"adjacency must have shape (n, n) for the n = {len(ids)} ids, got {matrix.shape}"
            )
        if not self.directed and not _equal(matrix, matrix.T.tocsr()):
            raise ValueError(
                "adjacency must be symmetric unless directed=True; where rounding alone is to "
                "blame, (A + A.T) / 2 is"
            )
        if self.n_items is not None:
            if check_count("n_items", self.n_items) > len(ids):
                raise ValueError(f"n_items must lie in 1 .. {len(ids)}, got {self.n_items}")
            object.__setattr__(self, "n_items", int(self.n_items))
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.flags.writeable = False
        object.__setattr__(self, "adjacency", matrix)
        object.__setattr__(self, "ids", ids)

    @classmethod
    def from_edges(
        cls,
        edges: NDArray[Any] | Iterable[tuple[Any, ...] | list[Any]],
        *,
        weights: ArrayLike | None = None,
        nodes: Iterable[Hashable] = (),
        directed: bool = False,
    ) -> Self:
        """Build a graph from its edges.

        Parameters
        ----------
        edges : iterable of pairs (a, b) or triples (a, b, weight), or an array of shape (m, 2)
            Ids of the ends, hashable; pairs and triples are tuples or lists, and the third part
            is a number: a list of sequences of three numbers is one of triples.  An edge that
            stands there several times, in either direction unless ``directed``, has the sum of
            its weights.  An edge from a node to itself is kept: a walk may stay.  An edge of
            weight 0 is no edge.
        weights : array of float, shape (m,), optional
            In place of triples; 1 without either.
        nodes : iterable of ids, optional
            Nodes to have in any case, before those of the edges: isolated ones, or an order.
        directed : bool

        Raises
        ------
        ValueError
            If there is no node, an id is missing, a weight is negative or not finite, or an array
            has another shape.
        TypeError
            If an id is not hashable, an edge is no pair or triple, a weight no number, or
            ``edges`` or ``nodes`` are no sequence: a set has another order in each process.
        """
        ends, values = read_edges(edges, weights)
        first = list(check_sequence("nodes", nodes))
        if first:
            ends = as_objects([*first, *ends.tolist()])
        try:
            codes, ids = pd.factorize(ends)
        except TypeError as error:
            raise TypeError(f"ids must be hashable: {error}") from None
        if len(ids) == 0:
            raise ValueError("edges must hold at least one edge, or nodes one id, got none")
        if (codes < 0).any():
            raise ValueError("edges must have no missing id, got None or NaN")
        rows, columns = codes[len(first) :].reshape(-1, 2).T
        matrix = sparse.coo_array((values, (rows, columns)), (len(ids), len(ids))).tocsr()
        if not directed:
            matrix = matrix + matrix.T - sparse.diags_array(matrix.diagonal())
        return cls(matrix.tocsr(), pd.Index(ids, tupleize_cols=False), directed)

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any], *, weight: str | None = "weight") -> Self:
        """Take over a networkx graph; edges without the attribute ``weight`` have weight 1.

        With ``weight=None`` all have.  Of a multigraph the weights of parallel edges are added.

        Raises
        ------
        TypeError
            If ``graph`` is none of networkx, or a weight no number.
        ValueError
            If a weight is negative or not finite, or the graph has no node.
        KeyError
            If no edge has the attribute; the default may be absent.
        """
        if not is_networkx(graph):
            raise TypeError(f"graph must be a networkx graph, got {type(graph).__name__}")
        found = list(graph.edges(data=weight or "weight"))
        if weight not in (None, "weight") and found and all(w is None for *_, w in found):
            raise KeyError(f"no edge has the attribute {weight!r}: weight=None takes all as 1")
        edges = [(a, b, 1.0 if w is None or weight is None else w) for a, b, w in found]
        return cls.from_edges(edges, nodes=graph.nodes, directed=graph.is_directed())

    def to_networkx(self) -> nx.Graph[Any]:
        """Return a networkx ``Graph`` or ``DiGraph`` of the ids, with the attribute ``weight``."""
        networkx = require("networkx", extra="graph")
        graph = networkx.DiGraph() if self.directed else networkx.Graph()
        graph.add_nodes_from(self.ids)
        edges = (self.adjacency if self.directed else sparse.triu(self.adjacency)).tocoo()
        ends = zip(self.ids[edges.row], self.ids[edges.col], edges.data.tolist(), strict=True)
        graph.add_weighted_edges_from(ends)
        return graph

    @property
    def n_nodes(self) -> int:
        """The number n of nodes, also of those without an edge."""
        return len(self.ids)

    @property
    def n_edges(self) -> int:
        """The number of edges; without directions, a pair of nodes counts once."""
        loops = int(np.count_nonzero(self.adjacency.diagonal()))
        return self.adjacency.nnz if self.directed else (self.adjacency.nnz + loops) // 2

    def degrees(self) -> NDArray[np.int64]:
        """Count the edges out of each node; shape (n,)."""
        return np.diff(self.adjacency.indptr).astype(np.int64)

    def strengths(self) -> NDArray[np.float64]:
        """Add up the weights of the edges out of each node; shape (n,)."""
        return np.asarray(self.adjacency.sum(axis=1), dtype=np.float64).ravel()

    def neighbours(self, id_: Hashable) -> dict[Any, float]:
        """Return the nodes that the edges out of a node lead to, and their weights.

        Raises KeyError if there is no node of that id.
        """
        row = lookup(self.ids, [id_], "node")[0]
        part = slice(*self.adjacency.indptr[row : row + 2])
        ids = self.ids[self.adjacency.indices[part]].tolist()
        return dict(zip(ids, self.adjacency.data[part].tolist(), strict=True))

    def statistics(self) -> dict[str, float]:
        """Return what one looks at first: size, degrees, and how far the graph hangs together.

        Returns
        -------
        dict
            "nodes", "edges", "isolated" (nodes without an edge in or out), "components" (without
            regard to directions), "largest component" (its nodes), and of the degrees "mean",
            "median" and "largest".
        """
        degrees = self.degrees()
        _, component = connected_components(self.adjacency, directed=False)
        sizes = np.bincount(component)
        into = np.bincount(self.adjacency.indices, minlength=self.n_nodes)
        return {
            "nodes": self.n_nodes,
            "edges": self.n_edges,
            "isolated": int(np.count_nonzero((degrees == 0) & (into == 0))),
            "components": len(sizes),
            "largest component": int(sizes.max()),
            "mean degree": float(degrees.mean()),
            "median degree": float(np.median(degrees)),
            "largest degree": int(degrees.max()),
        }


def _canonical(matrix: Any) -> sparse.csr_array:
    """Return a copy with sorted columns, without zeros; refuse what is no weight."""
    as_weights(sparse.coo_array(matrix).data)  # before duplicates are added up
    matrix = sparse.csr_array(matrix).astype(np.float64)  # a copy
    matrix.sum_duplicates()
    as_weights(matrix.data)  # the sum may be infinite
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _equal(a: sparse.csr_array, b: sparse.csr_array) -> bool:
    """Say whether two matrices with sorted columns and without zeros are the same."""
    return all(
        np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data")
    )
