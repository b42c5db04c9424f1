"""Random walks of the second order over a graph (node2vec; Grover and Leskovec 2016).

Perozzi, Al-Rfou and Skiena (2014, doi:10.1145/2623330.2623732, DeepWalk) turn a graph into
sentences by walking over it.  Grover and Leskovec (doi:10.1145/2939672.2939754) let a step depend
on the one before.  A table for every pair of edges would need memory in proportion to the sum of
squared degrees; here first-order alias tables and rejection (Yang, Zhang, Chen et al. 2019,
doi:10.1145/3341301.3359634, KnightKing) draw from the same law in memory in proportion to the
edges.

Axes: n nodes, E stored edges, W walk length, R walks.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_between, check_count
from companion._optional import require
from companion._threads import PARTS_A_THREAD, map_parts
from companion.graph import ItemGraph
from companion.sequences import Sequences

BITS_AN_EDGE = 8  # of the filters: about one look in eight at a node that is no neighbour misleads
STEPS_A_PART = 2_000_000  # give or take a walk: what an interruption waits for
SPAN = 1e37  # of the weights: the smallest number that float32 holds in full is 1.2e-38


class WalkTables(NamedTuple):
    """What the compiled walk reads; about 26 bytes an edge and 32 a node.

    ``rows`` has four 64-bit places a node: where its edges begin, their number, where its filter
    lies, and the sum of the weights, a float64.  ``table`` has five 32-bit places an edge: the
    chance to stay in this column of the alias table in units of 2^-32, the node that the edge
    leads to and its weight, a float32, and the same two of the alias.  ``words`` are filters of
    each row's neighbours.
    """

    rows: NDArray[np.int64]
    table: NDArray[np.int32]
    nodes: NDArray[np.int32]
    words: NDArray[np.uint64]

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays together."""
        return sum(array.nbytes for array in self)


def prepare_walks(graph: ItemGraph) -> WalkTables:
    """Build the tables of a graph, in time and memory in proportion to its edges.

    Raises
    ------
    TypeError
        If ``graph`` is no ItemGraph.
    ValueError
        If a weight is smaller than 1e-37 of the largest.
    ImportError
        If numba is not installed; the message names the extra.

    Examples
    --------
    >>> graph = ItemGraph.from_edges([("a", "b"), ("b", "c")])
    >>> prepare_walks(graph).table.shape
    (4, 5)
    """
    if not isinstance(graph, ItemGraph):
        raise TypeError(f"graph must be an ItemGraph, got {type(graph).__name__}")
    weights = _shares_of_the_largest(graph)
    require("numba", extra="graph")
    from companion import _walk_kernels as kernels  # compiles at the first call, so not before
    from companion._alias_kernels import fill_alias

    matrix = graph.adjacency
    offsets, nodes = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    accept, alias = np.empty(len(nodes)), np.empty(len(nodes), dtype=np.int64)
    fill_alias(offsets, weights, accept, alias)
    degrees = np.diff(offsets)
    row = np.repeat(np.arange(graph.n_nodes), degrees)
    table = np.empty((len(nodes), 5), dtype=np.int32)
    chances = np.minimum(np.rint(accept * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    table[:, kernels.ACCEPT] = chances.view(np.int32)
    table[:, kernels.NODE] = nodes
    table[:, kernels.WEIGHT] = weights.astype(np.float32).view(np.int32)
    alias += offsets[row]
    table[:, kernels.ALIAS : kernels.ALIAS_WEIGHT + 1] = table[
        alias, kernels.NODE : kernels.WEIGHT + 1
    ]
    bits = np.ceil(np.log2(np.maximum(degrees * BITS_AN_EDGE, 64))).astype(np.int64)
    ends = np.cumsum(1 << bits)
    strengths = np.bincount(row, weights, minlength=graph.n_nodes).astype(np.float64)
    filters = ends - (1 << bits) + bits
    rows = np.column_stack([offsets[:-1], degrees, filters, strengths.view(np.int64)])
    words = np.zeros(ends[-1] >> 6, dtype=np.uint64)
    kernels.fill_filters(rows, nodes, words)
    return WalkTables(rows, table, nodes, words)


def _shares_of_the_largest(graph: ItemGraph) -> NDArray[np.float64]:
    """Divide all weights by the largest: float32 then holds them, each to 6e-8 of itself."""
    weights = graph.adjacency.data
    if len(weights) == 0:
        return weights.copy()  # what compiles below takes arrays that can be written to
    least, most = weights.min(), weights.max()
    shares = weights / most
    if shares.min() < 1 / SPAN:
        raise ValueError(
            f"weights must lie within a factor of {SPAN:g} of the largest, "
            f"got {least:g} and {most:g}"
        )
    return shares


def random_walks(
    graph: ItemGraph,
    *,
    p: float = 1.0,
    q: float = 1.0,
    walk_length: int = 80,
    walks_per_node: int = 10,
    seed: int = 0,
    threads: int = 1,
) -> NDArray[np.int32]:
    """Walk over a graph, so many times from every node.

    The first step goes along an edge with a probability in proportion to its weight.  At a later
    one, standing at v and having come from u, the weight of the edge from v to c counts

    - 1 / p times if c is u: a small p turns back often;
    - once if there is an edge from u to c;
    - 1 / q times otherwise: a small q leads away from u, a large q keeps near it.

    Parameters
    ----------
    graph : ItemGraph
    p, q : float
        From 1e-12 to 1e12.
    walk_length : int
        W, the nodes of a walk.
    walks_per_node : int
    seed : int
        Every walk has a generator of its own: the result does not depend on ``threads``.
    threads : int

    Returns
    -------
    array of int32, shape (n * walks_per_node, W)
        Codes of nodes; row r starts at node r mod n.  After a node without an edge out of it the
        row is filled up with -1.  They take 4 n walks_per_node W bytes.

    Raises
    ------
    TypeError
        If ``graph`` is no ItemGraph, or a count no integer.
    ValueError
        If an argument is out of range, or a weight smaller than 1e-37 of the largest.
    ImportError
        If numba is not installed; the message names the extra.

    Notes
    -----
    A weight counts to about 6e-8 of itself.  Chances are kept in units of 2^-32, so that an edge
    of a smaller share in the weights of its node may never be taken.

    A step takes a few attempts, as a rule.  Where q is very large or very small nearly all of
    them may fail, and then all edges of the node are weighed: the time of a step at a hub grows
    with its degree.

    Examples
    --------
    >>> graph = ItemGraph.from_edges([("a", "b"), ("b", "c")], directed=True)
    >>> random_walks(graph, walk_length=4, walks_per_node=1).tolist()
    [[0, 1, 2, -1], [1, 2, -1, -1], [2, -1, -1, -1]]
    """
    p, q, walk_length, walks_per_node = check_walks(p, q, walk_length, walks_per_node)
    seed, threads = check_count("seed", seed, minimum=0), check_count("threads", threads)
    tables = prepare_walks(graph)
    from companion import _walk_kernels as kernels

    out = np.full((graph.n_nodes * walks_per_node, walk_length), -1, dtype=np.int32)
    n_parts = max(threads * PARTS_A_THREAD, math.ceil(out.size / STEPS_A_PART))
    cuts = np.linspace(0, len(out), min(n_parts, len(out)) + 1).astype(np.int64).tolist()
    own_seed = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]

    def run(part: tuple[int, int]) -> None:
        if p == 1 and q == 1:
            kernels.walk_by_weight(tables.rows, tables.table, own_seed, *part, out)
        else:
            kernels.walk(*tables, not graph.directed, p, q, own_seed, *part, out)

    map_parts(run, itertools.pairwise(cuts), threads=threads)
    return out


def walks_as_sequences(walks: NDArray[np.int32]) -> Sequences:
    """Drop what fills up the rows, and the walks of one node, from which nothing can be learned.

    Examples
    --------
    >>> walks = np.array([[0, 1, 2], [1, 2, -1], [2, -1, -1]], dtype=np.int32)
    >>> [walk.tolist() for walk in walks_as_sequences(walks)]
    [[0, 1, 2], [1, 2]]
    """
    lengths = np.count_nonzero(walks >= 0, axis=1)
    long_enough = lengths >= 2
    kept = walks[long_enough]
    return Sequences(kept[kept >= 0], np.concatenate([[0], np.cumsum(lengths[long_enough])]))


def check_walks(
    p: float, q: float, walk_length: int, walks_per_node: int
) -> tuple[float, float, int, int]:
    """Return the settings as plain numbers; refuse those with which `random_walks` cannot walk."""
    return (
        check_between("p", p, 1e-12, 1e12),
        check_between("q", q, 1e-12, 1e12),
        check_count("walk_length", walk_length),
        check_count("walks_per_node", walks_per_node),
    )
