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

from companion._checks import some
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
        Weights above 0, columns sorted; symmetric unless ``directed``.
    ids : pandas.Index, shape (n,)
        The caller's id of each node.
    directed : bool
    n_items : int, optional
        The first so many nodes are items; the others, such as the users of a bipartite graph, are
        there to walk over.  None: all are items.

    Raises
    ------
    ValueError
        If shapes do not fit, ids repeat, a weight is not finite or below 0, or a graph without
        directions is not symmetric.

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
        matrix = _canonical(self.adjacency)
        if matrix.shape != (len(self.ids), len(self.ids)):
            raise ValueError(
                f"adjacency must have shape (n, n) for the n = {len(self.ids)} ids, "
                f"got {matrix.shape}"
            )
        if not self.ids.is_unique:
            repeated = self.ids[self.ids.duplicated()].tolist()
            raise ValueError(f"ids must be distinct, got more than once {some(repeated)}")
        if not self.directed and not _equal(matrix, matrix.T.tocsr()):
            raise ValueError("adjacency must be symmetric unless directed=True")
        object.__setattr__(self, "adjacency", matrix)
        if self.n_items is not None and not 1 <= self.n_items <= len(self.ids):
            raise ValueError(f"n_items must lie in 1 .. {len(self.ids)}, got {self.n_items}")

    @classmethod
    def from_edges(
        cls,
        edges: ArrayLike | Iterable[tuple[Any, ...]],
        *,
        weights: ArrayLike | None = None,
        nodes: Iterable[Hashable] = (),
        directed: bool = False,
    ) -> Self:
        """Build a graph from its edges.

        Parameters
        ----------
        edges : iterable of pairs (a, b) or triples (a, b, weight), or an array of shape (m, 2)
            Ids of the ends, hashable.  An edge that stands there several times, in either
            direction unless ``directed``, has the sum of its weights.  An edge from a node to
            itself is kept: a walk may stay.  An edge of weight 0 is no edge.
        weights : array of float, shape (m,), optional
            In place of triples; 1 without either.
        nodes : iterable of ids, optional
            Nodes to have in any case, before those of the edges: isolated ones, or an order.
        directed : bool

        Raises
        ------
        ValueError
            If there is no node, an id is missing, or a weight is negative or not finite.
        TypeError
            If an id is not hashable, or an edge is no pair or triple.
        """
        ends, values = _read_edges(edges, weights)
        first = list(nodes)
        if first:
            ends = _as_objects([*first, *ends.tolist()])
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
    def from_networkx(cls, graph: nx.Graph[Any], *, weight: str = "weight") -> Self:
        """Take over a networkx graph; edges without the attribute ``weight`` have weight 1.

        Of a multigraph the weights of parallel edges are added.
        """
        edges = [(a, b, 1.0 if w is None else w) for a, b, w in graph.edges(data=weight)]
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


def _canonical(matrix: sparse.csr_array) -> sparse.csr_array:
    """Return a copy with sorted columns, without zeros; refuse what is no weight."""
    matrix = sparse.csr_array(matrix).astype(np.float64)  # a copy
    matrix.sum_duplicates()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise ValueError("weights must be finite and at least 0")
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _equal(a: sparse.csr_array, b: sparse.csr_array) -> bool:
    """Say whether two matrices with sorted columns and without zeros are the same."""
    return all(
        np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data")
    )


def _read_edges(edges: Any, weights: ArrayLike | None) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the ends, both of an edge side by side, and the weights."""
    if isinstance(edges, np.ndarray) and edges.ndim == 2 and edges.shape[1] == 2:
        ends, given = edges.ravel(), np.ones(len(edges)) if weights is None else weights
    else:
        rows = [tuple(edge) for edge in edges]
        lengths = {len(row) for row in rows}
        if not lengths <= {2, 3} or (weights is not None and 3 in lengths):
            allowed = "pairs" if weights is not None else "pairs or triples"
            raise TypeError(f"edges must be {allowed}, got one of {max(lengths)} parts")
        ends = _as_objects([end for row in rows for end in row[:2]])
        given = [row[2] if len(row) == 3 else 1.0 for row in rows] if weights is None else weights
    values = np.asarray(given, dtype=np.float64)
    if values.shape != (len(ends) // 2,):
        raise ValueError(f"weights must be one an edge, {len(ends) // 2}, got {values.shape}")
    if not np.isfinite(values).all() or (values < 0).any():  # before equal edges are added up
        raise ValueError("weights must be finite and at least 0")
    return ends, values


def _as_objects(values: list[Any]) -> NDArray[np.object_]:
    """Return a one-dimensional array, of tuples as well."""
    return np.fromiter(values, dtype=object, count=len(values))
