"""From who had what to which items belong together.

With X the binary matrix of users (or baskets) and items, the product of its transpose with X
holds for all pairs at once how many users had both.  Compiled loops make that product a row at a
time, weigh it, prune it and keep what is left, so that memory is bounded by the result.

Axes: U users or baskets, I items.
"""

from __future__ import annotations

import itertools
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from companion._checks import check_between, check_count, check_option
from companion._optional import require
from companion._threads import PARTS_A_THREAD, map_parts
from companion.graph import ItemGraph
from companion.interactions import Interactions, check_interactions

Weight = Literal["count", "jaccard", "cosine", "pmi"]
Keep = Literal["either", "both"]
BLOCK = 4_000_000  # edges for which a thread has room at a time: 48 MB
WORK_AN_EDGE = 50  # counts, so many a part for each edge of BLOCK: what an interruption waits for


def build_item_graph(
    data: Interactions,
    weight: Weight = "jaccard",
    *,
    threshold: float = 0.0,
    top_k: int | None = None,
    keep: Keep = "either",
    by: Literal["user", "basket"] = "user",
    threads: int = 1,
) -> ItemGraph:
    """Join two items by how many users, or baskets, had both.

    Parameters
    ----------
    data : Interactions
    weight : {"jaccard", "count", "cosine", "pmi"}
        See the notes.
    threshold : float
        Edges with a weight below it are left out.
    top_k : int, optional
        Every item names its so many heaviest edges; of equal ones those to the lower codes.
    keep : {"either", "both"}
        With ``top_k``: keep an edge that one of its ends names, or only one that both do.
        "either" leaves popular items with more than ``top_k`` edges, "both" with at most so many.
    by : {"user", "basket"}
    threads : int
        The result does not depend on it.

    Returns
    -------
    ItemGraph
        Without directions and without edges from an item to itself.  Its nodes are all items of
        the log, in the order of their codes; some may be isolated.

    Raises
    ------
    ValueError
        If an argument is out of range, the log has no rows, or no baskets with ``by="basket"``.
    ImportError
        If numba is not installed; the message names the extra.

    Notes
    -----
    Let n_i be the number of users (or baskets) that had item i, n_ij that of those that had both
    i and j, and U that of all.  Then "count" is n_ij, "jaccard" n_ij / (n_i + n_j - n_ij),
    "cosine" n_ij / sqrt(n_i n_j), and "pmi" log(n_ij U / (n_i n_j)).  Pairs that meet no more
    often than by chance, with a PMI of 0 or below, are not joined.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["tea", "jam", "tea", "jam", "tea"]})
    >>> graph = build_item_graph(Interactions.from_frame(log, timestamp=None))
    >>> {item: round(share, 3) for item, share in graph.neighbours("tea").items()}
    {'jam': 0.667}
    """
    check_interactions(data, with_rows=True)
    check_option("weight", weight, get_args(Weight))
    check_between("threshold", threshold, -np.inf, np.inf, open_ends=True)
    if top_k is not None:
        top_k = min(check_count("top_k", top_k), data.n_items)
    check_option("keep", keep, get_args(Keep))
    threads = check_count("threads", threads)
    named = _name_edges(_who_had_what(data, by), weight, threshold, top_k, threads)
    if top_k is not None:
        named = named.maximum(named.T) if keep == "either" else named.minimum(named.T)
    return ItemGraph(sparse.csr_array(named), data.item_ids)


def build_bipartite_graph(data: Interactions) -> ItemGraph:
    """Join every user to the items they had; a weight is the number of rows, or their sum.

    The items come first and keep their ids; a user's id becomes the pair ("user", id), since
    users and items may share ids.  Its ``n_items`` tells the two apart.

    Examples
    --------
    >>> log = pd.DataFrame({"user": ["ann", "ann"], "item": ["tea", "jam"]})
    >>> graph = build_bipartite_graph(Interactions.from_frame(log, timestamp=None))
    >>> graph.neighbours("tea"), graph.n_items
    ({('user', 'ann'): 1.0}, 2)
    """
    check_interactions(data, with_rows=True)
    had = data.to_csr().astype(np.float64)
    matrix = sparse.block_array([[None, had.T], [had, None]], format="csr")
    users = [("user", one) for one in data.user_ids]
    ids = pd.Index([*data.item_ids, *users], tupleize_cols=False)
    return ItemGraph(sparse.csr_array(matrix), ids, n_items=data.n_items)


def _who_had_what(data: Interactions, by: str) -> sparse.csr_array:
    """Return who had what, users or baskets: ones, each once; shape (U, I)."""
    check_option("by", by, ("user", "basket"))
    if by == "user":
        return data.to_csr(binary=True)
    if data.basket_codes is None:
        raise ValueError("baskets need a basket column: from_frame(frame, basket=...)")
    cells = (np.ones(len(data), dtype=np.float32), (data.basket_codes, data.items))
    shape = (int(data.basket_codes.max()) + 1, data.n_items)
    had = sparse.coo_array(cells, shape).tocsr()
    ones = np.ones_like(had.data)  # an item may stand in a basket twice
    starts = had.indptr[np.append(True, np.diff(had.indptr) > 0)]  # no basket without rows
    return sparse.csr_array((ones, had.indices, starts), (len(starts) - 1, data.n_items))


def _name_edges(
    had: sparse.csr_array, weight: str, threshold: float, top_k: int | None, threads: int
) -> sparse.csr_array:
    """Return the edges that each item names, and their weights; shape (I, I)."""
    require("numba", extra="graph")
    from companion import _graph_kernels as kernels  # compiles at the first call, so not before

    n_users, n_items = had.shape
    by_item = sparse.csr_array(had.T)
    most = np.minimum(_most_edges(had), n_items if top_k is None else top_k)
    lengths = np.zeros(n_items, dtype=np.int64)

    def run(part: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        first, last = part
        room = int(most[first:last].sum())
        columns, weights = np.empty(room, dtype=np.int32), np.empty(room)
        n = kernels.heaviest_edges(
            first, last, by_item.indptr, by_item.indices, had.indptr, had.indices,
            get_args(Weight).index(weight), float(n_users), float(threshold), top_k or n_items,
            columns, weights, lengths,
        )  # fmt: skip
        return columns[:n].copy(), weights[:n].copy()  # so that the room is given back

    cuts = _cuts(most, _counts(had), threads)
    parts = map_parts(run, itertools.pairwise(cuts), threads=threads)
    columns, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((weights, columns, starts), (n_items, n_items))


def _most_edges(had: sparse.csr_array) -> NDArray[np.int64]:
    """Bound the number of other items with which each item can have been had; shape (I,)."""
    others = np.maximum(np.diff(had.indptr) - 1, 0).astype(np.float64)
    return np.minimum(np.asarray(had.T @ others), had.shape[1] - 1).astype(np.int64)


def _counts(had: sparse.csr_array) -> NDArray[np.int64]:
    """Return how many places are counted and looked at for each item; shape (I,)."""
    lengths = np.diff(had.indptr).astype(np.float64)
    return np.asarray(had.T @ lengths).astype(np.int64) + had.shape[1]


def _cuts(most: NDArray[np.int64], counts: NDArray[np.int64], threads: int) -> list[int]:
    """Cut the items into runs with room for `BLOCK` edges at most, and little work, or of one."""
    cost = np.maximum(most * WORK_AN_EDGE, counts)
    before = np.concatenate([[0], np.cumsum(cost)])
    size = min(BLOCK * WORK_AN_EDGE, int(before[-1]) // (threads * PARTS_A_THREAD) + 1)
    cuts = [0]
    while cuts[-1] < len(most):
        fits = int(np.searchsorted(before, before[cuts[-1]] + size, side="right")) - 1
        cuts.append(max(fits, cuts[-1] + 1))
    return cuts
