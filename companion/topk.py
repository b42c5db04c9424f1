"""The one result type of everything that ranks, and the one exact ranking.

Mask, tie rule and padding live here and nowhere else:

* a pair that is excluded never appears in a list;
* equal scores are listed by ascending id, so that a ranking is a function of its scores;
* a list that runs out of candidates is padded with id -1 and score -inf.

Axes: Q queries, I items, K list length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_count

PAD_ID = -1
PAD_SCORE = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class TopK:
    """Ranked lists: the best K items of each of Q queries.

    Parameters
    ----------
    ids : array of int64, shape (Q, K)
        Best first; -1 past the end of a short list.
    scores : array of float32, shape (Q, K)
        Higher is better; -inf past the end of a short list.

    Raises
    ------
    ValueError
        If the two shapes differ or are not two-dimensional.

    Examples
    --------
    >>> top = TopK(ids=[[2, 0]], scores=[[0.9, 0.5]])
    >>> top.ids.dtype, top.scores.dtype, len(top)
    (dtype('int64'), dtype('float32'), 1)
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        ids = np.asarray(self.ids, dtype=np.int64)
        scores = np.asarray(self.scores, dtype=np.float32)
        if ids.ndim != 2 or ids.shape != scores.shape:
            raise ValueError(
                f"ids and scores must share one shape (Q, K), got {ids.shape} and {scores.shape}"
            )
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "scores", scores)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def k(self) -> int:
        """The length K of every list, padding included."""
        return self.ids.shape[1]

    def lengths(self) -> NDArray[np.int64]:
        """Count the real entries of each list, padding left out; shape (Q,)."""
        return (self.ids != PAD_ID).sum(axis=1)


def top_k(
    scores: ArrayLike,
    k: int,
    *,
    exclude: sparse.csr_array | None = None,
    overwrite: bool = False,
) -> TopK:
    """Rank every row of a score matrix exactly and keep its best k.

    Parameters
    ----------
    scores : array of float, shape (Q, I)
        Higher is better.  An item scored -inf is never listed; NaN is refused.
    k : int
        List length.  Where it exceeds the number of candidates, lists are padded.
    exclude : scipy.sparse.csr_array, shape (Q, I), optional
        Pairs with a stored entry are never listed, whatever their score.
    overwrite : bool
        Allow ``scores`` to be used as scratch space, which saves one copy.

    Returns
    -------
    TopK
        Ids are column numbers.  Ties go to the smaller column number.

    Raises
    ------
    ValueError
        If ``k`` < 1, a score is NaN, or ``exclude`` has another shape.
    TypeError
        If ``k`` is no int, or ``exclude`` no csr_array.

    Notes
    -----
    Columns are dealt out to chunks.  An item can only be among the best k if its chunk is among
    the k chunks with the best maxima (k other chunks would each hold something better), so one
    pass over the matrix and a search among k chunks suffice.  Where scores tie with the k-th,
    that finds their values but not who comes first; such rows are looked through once more.

    Examples
    --------
    >>> top_k([[0.1, 0.7, 0.7, 0.2]], k=3).ids
    array([[1, 2, 3]])
    >>> seen = sparse.csr_array(([1], ([0], [1])), shape=(1, 4))
    >>> top_k([[0.1, 0.7, 0.7, 0.2]], k=5, exclude=seen).ids
    array([[ 2,  3,  0, -1, -1]])
    """
    k = check_count("k", k)
    matrix = _as_scores(scores, overwrite=overwrite or exclude is None)
    if exclude is not None:
        _exclude(matrix, exclude)
    width = min(k, matrix.shape[1])
    columns = _best_columns(matrix, width)
    return _sorted_lists(matrix, columns, k)


def top_k_in_blocks(
    score_block: Callable[[NDArray[Any]], ArrayLike],
    rows: NDArray[Any],
    k: int,
    *,
    exclude: sparse.csr_array | None = None,
    block: int = 512,
) -> TopK:
    """Rank many rows without ever holding a rows x items matrix.

    Parameters
    ----------
    score_block : callable
        Takes a slice of ``rows`` and returns fresh scores, shape (len(slice), I); they are
        used as scratch space.
    rows : array, shape (Q, ...)
        Whatever ``score_block`` understands: user codes, query vectors.
    k, exclude
        As in `top_k`; ``exclude`` has one row for each row of ``rows``.
    block : int
        Rows scored at a time: memory is ``block`` x I scores.

    Returns
    -------
    TopK
        With Q rows, in the order of ``rows``; no rows give an empty result.

    Raises
    ------
    ValueError, TypeError
        As in `top_k`; ValueError also if ``score_block`` returns another number of rows.

    Examples
    --------
    >>> vectors = np.eye(3, dtype=np.float32)
    >>> top_k_in_blocks(lambda q: q @ vectors.T, vectors, k=1, block=2).ids.ravel()
    array([0, 1, 2])
    """
    check_count("block", block)
    k = check_count("k", k)
    if exclude is not None:
        check_csr("exclude", exclude, (len(rows), "I"))
    ids = np.full((len(rows), k), PAD_ID, dtype=np.int64)
    scores = np.full((len(rows), k), PAD_SCORE, dtype=np.float32)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        excluded = None if exclude is None else exclude[part]
        found, expected = np.asarray(score_block(rows[part])), len(ids[part])
        if found.shape[:1] != (expected,):  # a single row would be copied to all of them
            raise ValueError(
                f"score_block must return one row for each of the {expected} rows asked, "
                f"got shape {found.shape}"
            )
        top = top_k(found, k, exclude=excluded, overwrite=True)
        ids[part], scores[part] = top.ids, top.scores
    return TopK(ids, scores)


def _as_scores(scores: ArrayLike, *, overwrite: bool) -> NDArray[np.floating[Any]]:
    matrix = np.asarray(scores)
    if matrix.ndim != 2:
        raise ValueError(f"scores must have shape (Q, I), got {matrix.shape}")
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
        overwrite = True
    return matrix if overwrite and matrix.flags.writeable else matrix.copy()


def _exclude(matrix: NDArray[np.floating[Any]], exclude: sparse.csr_array) -> None:
    check_csr("exclude", exclude, matrix.shape)
    rows = np.repeat(np.arange(len(matrix)), np.diff(exclude.indptr))
    matrix[rows, exclude.indices] = PAD_SCORE


def check_csr(name: str, matrix: Any, shape: tuple[int | str, ...]) -> None:
    """Raise TypeError or ValueError unless ``matrix`` is a csr_array of that shape.

    A letter in ``shape`` stands for any length.

    Examples
    --------
    >>> check_csr("exclude", sparse.csr_array((2, 3)), (3, "I"))
    Traceback (most recent call last):
        ...
    ValueError: exclude must have shape (3, I), got (2, 3)
    """
    if not isinstance(matrix, (sparse.csr_array, sparse.csr_matrix)):
        raise TypeError(f"{name} must be a scipy.sparse.csr_array, got {type(matrix).__name__}")
    fits = len(matrix.shape) == len(shape) and all(
        isinstance(want, str) or want == have
        for want, have in zip(shape, matrix.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(str(length) for length in shape)
        raise ValueError(f"{name} must have shape ({wanted}), got {matrix.shape}")


def _best_columns(matrix: NDArray[np.floating[Any]], k: int) -> NDArray[np.intp]:
    """Return the columns of the k best entries of each row, ascending; shape (Q, k)."""
    n_rows, n_columns = matrix.shape
    chunk = int(np.sqrt(n_columns / k)) if k else 0
    n_chunks = n_columns // chunk if chunk else 0
    if chunk < 4 or n_chunks <= k:  # too small for chunks to save anything
        _refuse_nan(matrix)
        return _leftmost(matrix, _kth_largest(matrix, k), k)
    # Chunk c holds the columns c, c + n_chunks, c + 2 n_chunks, ...: maxima of whole slices.
    body = matrix[:, : n_chunks * chunk].reshape(n_rows, chunk, n_chunks)
    maxima = body.max(axis=1)  # (Q, n_chunks); NaN anywhere in a chunk makes its maximum NaN
    rest = np.arange(n_chunks * chunk, n_columns)  # fills no chunk: a candidate of every row
    _refuse_nan(maxima, matrix[:, rest])
    chunks = _leftmost(maxima, _kth_largest(maxima, k), k)  # (Q, k)
    inside = np.arange(chunk)[:, None] * n_chunks + chunks[:, None, :]  # (Q, chunk, k)
    candidates = np.hstack(
        [inside.reshape(n_rows, chunk * k), np.broadcast_to(rest, (n_rows, len(rest)))]
    )
    found = np.take_along_axis(matrix, candidates, axis=1)
    bound = _kth_largest(found, k)
    columns = np.take_along_axis(candidates, _leftmost(found, bound, k), axis=1)
    # The values are right; but a chunk left out may hold the same value further to the left.
    tied = np.flatnonzero((maxima >= bound).sum(axis=1) > k)
    columns[tied] = _leftmost(matrix[tied], bound[tied], k)
    return columns


def _kth_largest(values: NDArray[np.floating[Any]], k: int) -> NDArray[np.floating[Any]]:
    """Return the k-th largest value of each row, shape (Q, 1)."""
    n_columns = values.shape[1]
    if k == 0:
        return np.full((len(values), 1), np.inf, dtype=values.dtype)
    return np.partition(values, n_columns - k, axis=1)[:, n_columns - k, None]


def _leftmost(
    values: NDArray[np.floating[Any]], bound: NDArray[np.floating[Any]], k: int
) -> NDArray[np.intp]:
    """Return the columns of the k largest values of each row, ascending, ties to the left."""
    chosen = values > bound
    tied = values == bound
    room = k - chosen.sum(axis=1, keepdims=True)
    crowded = np.flatnonzero(tied.sum(axis=1) > room[:, 0])
    tied[crowded] &= tied[crowded].cumsum(axis=1, dtype=np.int32) <= room[crowded]
    return (np.flatnonzero(chosen | tied) % values.shape[1]).reshape(len(values), k)


def _sorted_lists(matrix: NDArray[np.floating[Any]], columns: NDArray[np.intp], k: int) -> TopK:
    """Order chosen columns by score, best first, and pad to length k."""
    found = np.take_along_axis(matrix, columns, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")  # columns ascend, so ties stay by id
    best = np.take_along_axis(found, order, axis=1)
    ids = np.full((len(matrix), k), PAD_ID, dtype=np.int64)
    scores = np.full((len(matrix), k), PAD_SCORE, dtype=np.float32)
    width = columns.shape[1]
    ids[:, :width] = np.where(np.isneginf(best), PAD_ID, np.take_along_axis(columns, order, axis=1))
    scores[:, :width] = best
    return TopK(ids, scores)


def _refuse_nan(*parts: NDArray[np.floating[Any]]) -> None:
    for part in parts:
        if np.isnan(part).any():
            row = int(np.argwhere(np.isnan(part))[0, 0])
            raise ValueError(f"scores must not be NaN; the first is in row {row}")
