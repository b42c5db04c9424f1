"""From who had what to which items belong together, without a loop over pairs.

With X the binary matrix of users (or baskets) and items, the product of its transpose with X
holds for all pairs at once how many users had both.  Rows of that product are made in blocks,
weighed, pruned and kept, so that memory is bounded by the result.

Axes: U users or baskets, I items, B items of a block.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from companion._checks import check_between, check_count, check_option
from companion.graph import ItemGraph
from companion.interactions import Interactions, check_interactions

Weight = Literal["count", "jaccard", "cosine", "pmi"]
Keep = Literal["either", "both"]
BLOCK = 4_000_000  # co-counts made at a time: about 50 MB


def build_item_graph(
    data: Interactions,
    weight: Weight = "jaccard",
    *,
    threshold: float = 0.0,
    top_k: int | None = None,
    keep: Keep = "either",
    by: Literal["user", "basket"] = "user",
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

    Returns
    -------
    ItemGraph
        Without directions and without edges from an item to itself.  Its nodes are all items of
        the log, in the order of their codes; some may be isolated.

    Raises
    ------
    ValueError
        If an argument is out of range, the log has no rows, or no baskets with ``by="basket"``.

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
        check_count("top_k", top_k)
    check_option("keep", keep, get_args(Keep))
    had = _who_had_what(data, by)
    parts = [_prune(_weigh(had, items, weight), threshold, top_k) for items in _blocks(had)]
    named = sparse.vstack(parts, format="csr")
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
    """Return the binary matrix of users, or baskets, and items; shape (U, I)."""
    check_option("by", by, ("user", "basket"))
    if by == "user":
        return data.to_csr(binary=True)
    baskets = data.baskets()
    rows = np.repeat(np.arange(len(baskets)), baskets.lengths())
    ones = np.ones(len(rows), dtype=np.float32)
    cells = sparse.coo_array((ones, (rows, baskets.items)), (len(baskets), data.n_items)).tocsr()
    cells.data[:] = 1.0
    return cells


def _blocks(had: sparse.csr_array) -> list[NDArray[np.int64]]:
    """Cut the items into runs whose co-counts, at most, are `BLOCK` or those of one item."""
    per_row = np.diff(had.indptr)  # items of each user
    most = np.asarray(had.T @ per_row, dtype=np.int64)  # co-counts of each item, at most
    most = np.minimum(most, had.shape[1])
    return np.split(np.arange(had.shape[1]), np.flatnonzero(np.diff(np.cumsum(most) // BLOCK)) + 1)


def _weigh(had: sparse.csr_array, items: NDArray[np.int64], weight: str) -> sparse.csr_array:
    """Return the weights of the edges of some items to all others; shape (B, I)."""
    both = (had[:, items].T @ had).tocoo()
    apart = items[both.row] != both.col
    row, column, n_ij = both.row[apart], both.col[apart], both.data[apart].astype(np.float64)
    counts = had.sum(axis=0)
    n_i, n_j = counts[items[row]], counts[column]
    if weight == "jaccard":
        n_ij /= n_i + n_j - n_ij
    elif weight == "cosine":
        n_ij /= np.sqrt(n_i * n_j)
    elif weight == "pmi":
        n_ij = np.log(n_ij * had.shape[0] / (n_i * n_j))
    joined = n_ij > 0
    cells = (n_ij[joined], (row[joined], column[joined]))
    return sparse.coo_array(cells, both.shape).tocsr()


def _prune(edges: sparse.csr_array, threshold: float, top_k: int | None) -> sparse.csr_array:
    """Keep of each row the edges of the threshold or above, and of these the heaviest."""
    kept = edges.data >= threshold
    if top_k is not None:
        for start, stop in zip(edges.indptr[:-1], edges.indptr[1:], strict=True):
            if stop - start > top_k:
                kept[start:stop] &= _heaviest(edges.data[start:stop], top_k)
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    return sparse.csr_array(
        (edges.data[kept], edges.indices[kept], kept_before[edges.indptr]), edges.shape
    )


def _heaviest(weights: NDArray[np.float64], k: int) -> NDArray[np.bool_]:
    """Mark the k largest; of those equal to the last one, the first."""
    last = np.partition(weights, len(weights) - k)[len(weights) - k]
    marked = weights > last
    ties = np.flatnonzero(weights == last)
    marked[ties[: k - np.count_nonzero(marked)]] = True
    return marked
