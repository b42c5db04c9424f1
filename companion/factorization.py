"""The simplest embeddings: factor a matrix of counts, and keep a few numbers an item.

Two matrices are worth factoring.  The *interaction matrix* (U, I) says who had what; its
truncated SVD gives user and item vectors whose dot product rebuilds it as well as any D numbers
can.  The *co-occurrence matrix* (I, I) says what was had together; its pointwise mutual
information compares that with chance, and is what skip-gram with negative sampling factors
without ever writing it down (Levy and Goldberg 2014).

Axes: U users, I items, D dimension.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from companion._checks import check_between, check_count, check_option
from companion.embeddings import Embeddings
from companion.interactions import Interactions, check_interactions
from companion.scoring import ScoringRecommender
from companion.sequences import Sequences
from companion.topk import check_csr


def cooccurrence(data: Interactions, *, by: Literal["user", "basket"] = "user") -> sparse.csr_array:
    """Count in how many histories, or baskets, two items stand together.

    Parameters
    ----------
    data : Interactions
    by : {"user", "basket"}
        What counts as together.  An item had twice in one history counts once.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (I, I)
        Symmetric, the diagonal empty.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2], "item": ["tea", "jam", "tea", "jam"]})
    >>> cooccurrence(Interactions.from_frame(log, timestamp=None)).toarray()
    array([[0., 2.],
           [2., 0.]])
    """
    check_interactions(data)
    check_option("by", by, ("user", "basket"))
    contexts = _as_sets(data.baskets() if by == "basket" else data.sequences(), data.n_items)
    counts = (contexts.T @ contexts).tocsr()
    counts.setdiag(0)
    counts.eliminate_zeros()
    return counts


def positive_pmi(
    counts: sparse.csr_array, *, shift: float = 0.0, context_exponent: float = 1.0
) -> sparse.csr_array:
    """Compare co-occurrence with chance, and keep what lies above it.

    With #(i, j) the counts, #(i) their row sums and P(j) proportional to #(j)^a,
    PMI(i, j) = log [ #(i, j) / (#(i) P(j)) ]; entries of PMI - shift above 0 are kept
    (Church and Hanks 1990; Levy, Goldberg and Dagan 2015, doi:10.1162/tacl_a_00134).

    Parameters
    ----------
    counts : scipy.sparse.csr_array, shape (I, I)
        Finite, non-negative co-occurrence counts; a stored 0 is as good as none.
    shift : float
        Subtracted before the cut at 0; log N corresponds to N negatives in SGNS.
    context_exponent : float
        The exponent a in [0, 1]; below 1 rare contexts look less surprising.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (I, I)

    Raises
    ------
    ValueError
        If ``counts`` is not square, holds a negative count or NaN, or an argument is out of
        range.
    TypeError
        If ``counts`` is no csr_array.

    Examples
    --------
    >>> counts = sparse.csr_array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    >>> positive_pmi(counts).toarray().round(3)  # log(3 * 10 / (4 * 4)) between the first two
    array([[0.   , 0.629, 0.223],
           [0.629, 0.   , 0.223],
           [0.223, 0.223, 0.   ]])
    """
    check_between("shift", shift, -np.inf, np.inf, open_ends=True)
    check_between("context_exponent", context_exponent, 0, 1)
    check_csr("counts", counts, ("I", "I"))
    if counts.shape[0] != counts.shape[1]:
        raise ValueError(f"counts must be square, got shape {counts.shape}")
    if (bad := ~(np.isfinite(counts.data) & (counts.data >= 0))).any():
        raise ValueError(f"counts must be finite and non-negative, got {counts.data[bad][0]}")
    # A copy, since the caller's matrix is not ours to tidy.
    parts = (counts.data.astype(np.float64), counts.indices.copy(), counts.indptr.copy())
    counts = sparse.csr_array(parts, shape=counts.shape)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    pairs = counts.tocoo()
    totals = counts.sum(axis=1)
    context = np.where(totals > 0, totals, 0.0) ** context_exponent
    context /= context.sum() if context.sum() else 1.0
    rows, columns = pairs.coords
    pmi = np.log(pairs.data) - np.log(totals[rows]) - np.log(context[columns]) - shift
    kept = pmi > 0
    return sparse.coo_array((pmi[kept], (rows[kept], columns[kept])), counts.shape).tocsr()


@dataclass(eq=False)
class PureSVD(ScoringRecommender):
    """Truncated SVD of the binary interaction matrix, X = P S V^T with D singular values.

    An item's vector is its row of V, a user's the sum of the vectors of their items, a row of
    X V; the dot product is then the best rank-D reconstruction of X.  "Pure" because an empty
    cell simply counts as zero (Cremonesi, Koren and Turrin 2010, doi:10.1145/1864708.1864721).

    Parameters
    ----------
    dim : int
        Singular values kept; at least 1 and fewer than min(U, I).
    last : int, optional
        Sum over the newest so many rows of a user only.
    seed : int
        Start of the iterative solver.

    Attributes
    ----------
    item_embeddings_ : Embeddings, (I, D)
    user_vectors_ : array of float32, shape (U, D)
    singular_values_ : array of float64, shape (D,), largest first

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["a", "b", "a", "b", "a"]})
    >>> model = PureSVD(dim=1).fit(Interactions.from_frame(log, timestamp=None))
    >>> model.recommend([2], k=1).ids
    array([[1]])
    """

    _: KW_ONLY
    dim: int = 32
    last: int | None = None
    seed: int = 0
    item_embeddings_: Embeddings = field(init=False, repr=False)
    user_vectors_: NDArray[np.float32] = field(init=False, repr=False)
    singular_values_: NDArray[np.float64] = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Factor the binary matrix of ``data``; ValueError if it is too small for ``dim``."""
        check_interactions(data, with_rows=True)
        matrix = data.to_csr(binary=True)
        _, self.singular_values_, items = truncated_svd(matrix, self.dim, seed=self.seed)
        self.item_embeddings_ = Embeddings(data.item_ids, items)
        recent = data.to_csr(binary=True, last=self.last)
        self.user_vectors_ = recent @ self.item_embeddings_.vectors
        self._seen = matrix
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score items by the dot product with the user's vector; shape (B, I)."""
        return self.user_vectors_[users] @ self.item_embeddings_.vectors.T


@dataclass(eq=False)
class PPMIEmbedding:
    """Truncated SVD of the positive PMI matrix: word2vec's objective without the sampling.

    With PPMI = P S V^T, an item's vector is its row of P S^(1/2) and its vector as a context
    the row of V S^(1/2) (Levy, Goldberg and Dagan 2015, doi:10.1162/tacl_a_00134).  Its length
    says little about popularity, so compare these vectors by cosine.

    Parameters
    ----------
    dim : int
        Singular values kept; at least 1 and fewer than I.
    by : {"user", "basket"}
        What counts as had together.
    shift : float
        Subtracted from the PMI before the cut at 0.
    context_exponent : float
        Exponent of the context counts, in [0, 1].
    seed : int
        Start of the iterative solver.

    Attributes
    ----------
    item_embeddings_ : Embeddings, (I, D)
    context_embeddings_ : Embeddings, (I, D)
    singular_values_ : array of float64, shape (D,), largest first

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3, 3], "item": ["a", "b", "a", "b", "c", "d"]})
    >>> model = PPMIEmbedding(dim=2).fit(Interactions.from_frame(log, timestamp=None))
    >>> model.context_embeddings_.dim
    2
    """

    _: KW_ONLY
    dim: int = 64
    by: Literal["user", "basket"] = "user"
    shift: float = 0.0
    context_exponent: float = 0.75
    seed: int = 0
    item_embeddings_: Embeddings = field(init=False, repr=False)
    context_embeddings_: Embeddings = field(init=False, repr=False)
    singular_values_: NDArray[np.float64] = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Count, compare with chance, factor.

        Raises ValueError if there are too few items, or none stand together more than by chance.
        """
        check_interactions(data, with_rows=True)
        pmi = positive_pmi(
            cooccurrence(data, by=self.by),
            shift=self.shift,
            context_exponent=self.context_exponent,
        )
        if pmi.nnz == 0:
            raise ValueError(
                f"no two items stand together more often than by chance (shift={self.shift}): "
                "there is nothing to factor"
            )
        items, values, contexts = truncated_svd(pmi, self.dim, seed=self.seed)
        self.item_embeddings_ = Embeddings(data.item_ids, items * np.sqrt(values))
        self.context_embeddings_ = Embeddings(data.item_ids, contexts * np.sqrt(values))
        self.singular_values_ = values
        return self


def truncated_svd(
    matrix: sparse.csr_array, dim: int, *, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the leading singular vectors and values of a sparse matrix.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array, shape (U, I)
    dim : int
        At least 1 and fewer than min(U, I).
    seed : int
        Start of the iteration (ARPACK, used where ``dim`` is small against the matrix); the
        result does not depend on it but for rounding.

    Returns
    -------
    left : array, shape (U, D)
    values : array, shape (D,), largest first
    right : array, shape (I, D)
        So that ``left * values @ right.T`` is the best approximation of rank D.  Signs are
        settled: the largest entry of each column of ``right`` is positive.

    Raises
    ------
    ValueError
        If ``dim`` is out of range, an entry is not finite, or all are 0.
    TypeError
        If ``matrix`` is no csr_array.

    Examples
    --------
    >>> left, values, right = truncated_svd(sparse.csr_array(np.diag([3.0, 2.0, 1.0])), dim=2)
    >>> values.round(6)
    array([3., 2.])
    """
    check_csr("matrix", matrix, ("U", "I"))
    if check_count("dim", dim) >= min(matrix.shape):
        raise ValueError(
            f"dim must be smaller than both sides of the matrix {matrix.shape}, got {dim}"
        )
    if not np.isfinite(matrix.data).all():
        raise ValueError("matrix must be finite, got NaN or infinity")
    if not matrix.data.any():
        raise ValueError("matrix must hold an entry other than 0, got none")
    left: NDArray[np.float64]
    if dim > min(matrix.shape) / 8:  # the iteration then costs more than all values at once
        left, values, right = np.linalg.svd(matrix.toarray().astype(np.float64), False)
    else:
        start = np.random.default_rng(seed).standard_normal(min(matrix.shape))
        left, values, right = svds(matrix.astype(np.float64), k=dim, v0=start)
    largest = np.argsort(-values, kind="stable")[:dim]
    left, right = left[:, largest], right[largest].T
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(dim)])
    return left * signs, values[largest].astype(np.float64), right * signs


def _as_sets(sequences: Sequences, n_items: int) -> sparse.csr_array:
    """Return the binary matrix sequences x items; an item twice in one sequence is one."""
    ones = np.ones(len(sequences.items))
    codes = sequences.items.copy()  # sum_duplicates sorts in place, and these belong to the log
    matrix = sparse.csr_array((ones, codes, sequences.offsets.copy()), (len(sequences), n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
