"""Six ranking metrics, each a few lines on one hit matrix.

A metric takes ``hits``, bool of shape (U, K): does place 1, 2, ... of the user's list hold a
relevant item?  and ``n_relevant``, int of shape (U,): how many relevant items there are to be
found.  It returns one value a user, float64 of shape (U,), and NaN for a user with nothing
relevant: such a user says nothing about a ranking, and every metric leaves the same users out.

Rules that hold for all six: a list shorter than k has misses in the empty places; a tie in
score is broken against the recommender (`hit_matrix` puts misses first); gains are binary.

The definitions follow Järvelin and Kekäläinen (2002), doi:10.1145/582415.582418, for NDCG and
Manning, Raghavan and Schütze (2008), chapter 8, for the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_count
from companion.topk import PAD_ID, TopK, check_csr

Hits = NDArray[np.bool_]
PerUser = NDArray[np.float64]


def hit_matrix(top: TopK, relevant: sparse.csr_array) -> Hits:
    """Say for each place of each list whether it holds a relevant item.

    Parameters
    ----------
    top : TopK, shape (U, K)
    relevant : scipy.sparse.csr_array, shape (U, I)
        A stored entry marks a relevant item of the list in the same row.

    Returns
    -------
    hits : array of bool, shape (U, K)
        Within a run of equal scores the misses come first, so that a tie never helps.  A run
        that goes on beyond place K can't be seen from here: ask for a list that is longer than
        the metric's k (`companion.evaluation.evaluate` does).

    Raises
    ------
    ValueError
        If the numbers of rows differ, an id is no column of ``relevant``, or a list names an
        item twice.
    TypeError
        If ``relevant`` is no csr_array.

    Examples
    --------
    >>> top = TopK(ids=[[0, 1, 2]], scores=[[0.9, 0.5, 0.5]])
    >>> relevant = sparse.csr_array([[0, 1, 0]])
    >>> hit_matrix(top, relevant)  # the hit at place 2 is tied with a miss, and goes behind it
    array([[False, False,  True]])
    """
    check_csr("relevant", relevant, (len(top), "I"))
    n_items = relevant.shape[1]
    if (outside := (top.ids < PAD_ID) | (top.ids >= n_items)).any():
        raise ValueError(
            f"ids must lie in 0 .. {n_items - 1} (or be -1), got {top.ids[outside][0]}"
        )
    _refuse_repeats(top.ids)
    rows = np.repeat(np.arange(len(top)), np.diff(relevant.indptr))
    wanted = np.sort(rows * n_items + relevant.indices)
    listed = np.arange(len(top))[:, None] * n_items + top.ids
    # Five times as fast as np.isin, which would sort the lists as well.
    found = np.append(wanted, -1)[np.searchsorted(wanted, listed)] == listed
    hits = found & (top.ids != PAD_ID)
    return _misses_first(hits, top.scores)


def hit_rate_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return 1 where any of the first k places is a hit, else 0.

    Examples
    --------
    >>> hit_rate_at_k([[False, True], [False, False]], [1, 2], k=2)
    array([1., 0.])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    return _where_defined(top.any(axis=1).astype(np.float64), relevant)


def recall_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return the share of the relevant items that the first k places hold.

    Examples
    --------
    >>> recall_at_k([[True, False, True]], [4], k=3)
    array([0.5])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    return _where_defined(top.sum(axis=1) / np.maximum(relevant, 1), relevant)


def precision_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return the share of the first k places that are hits; empty places count as misses.

    Examples
    --------
    >>> precision_at_k([[True, False, True]], [4], k=4)
    array([0.5])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    return _where_defined(top.sum(axis=1) / k, relevant)


def ndcg_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return the discounted gain, a hit at place r counting 1 / log2(r + 1), over the best one.

    The best list has min(k, n_relevant) hits at its head.

    Examples
    --------
    >>> ndcg_at_k([[True, False, True]], [2], k=3).round(4)  # (1 + 1/2) / (1 + 1/log2(3))
    array([0.9197])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, k)]
    gained = top @ discount[: top.shape[1]]
    return _where_defined(gained / np.where(ideal > 0, ideal, 1.0), relevant)


def mrr_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return 1 / place of the first hit, 0 without one among the first k.

    Examples
    --------
    >>> mrr_at_k([[False, True, True], [False, False, False]], [2, 1], k=3)
    array([0.5, 0. ])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    reciprocal = top / np.arange(1, top.shape[1] + 1)
    return _where_defined(reciprocal.max(axis=1, initial=0.0), relevant)


def map_at_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> PerUser:
    """Return the average precision: the mean, over min(k, n_relevant), of precision at each hit.

    Examples
    --------
    >>> map_at_k([[True, False, True]], [2], k=3).round(4)  # (1/1 + 2/3) / 2
    array([0.8333])
    """
    top, relevant = _first_k(hits, n_relevant, k)
    precision = top.cumsum(axis=1) / np.arange(1, top.shape[1] + 1)
    best = np.maximum(np.minimum(relevant, k), 1)
    return _where_defined((precision * top).sum(axis=1) / best, relevant)


def _first_k(hits: ArrayLike, n_relevant: ArrayLike, k: int) -> tuple[Hits, NDArray[np.int64]]:
    """Check a metric's arguments and cut the lists at k."""
    check_count("k", k)
    matrix, relevant = np.asarray(hits), np.asarray(n_relevant)
    if matrix.ndim != 2 or matrix.dtype != bool:
        raise ValueError(
            f"hits must be bool of shape (U, K), got {matrix.dtype} of shape {matrix.shape}"
        )
    if relevant.shape != (len(matrix),) or not np.issubdtype(relevant.dtype, np.integer):
        raise ValueError(
            f"n_relevant must be int of shape ({len(matrix)},), got {relevant.dtype} of shape "
            f"{relevant.shape}"
        )
    if (matrix.sum(axis=1) > relevant).any():
        raise ValueError("n_relevant must be at least the number of hits in each row")
    return matrix[:, :k], relevant.astype(np.int64)


def _where_defined(values: Any, n_relevant: NDArray[np.int64]) -> PerUser:
    return np.where(n_relevant > 0, values, np.nan)


def _misses_first(hits: Hits, scores: NDArray[np.float32]) -> Hits:
    """Reorder hits within each run of equal scores so that misses precede them."""
    if hits.shape[1] == 0:
        return hits
    rises = np.zeros(scores.shape, dtype=np.int64)
    rises[:, 1:] = scores[:, 1:] != scores[:, :-1]
    run = rises.cumsum(axis=1)  # the number of the run each place belongs to
    order = np.argsort(2 * run + hits, axis=1, kind="stable")
    return np.take_along_axis(hits, order, axis=1)


def _refuse_repeats(ids: NDArray[np.int64]) -> None:
    ordered = np.sort(ids, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PAD_ID)
    if twice.any():
        row, place = np.argwhere(twice)[0]
        raise ValueError(f"row {row} lists item {ordered[row, place]} twice")
