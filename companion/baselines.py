"""What every learned method has to beat: popularity, neighbours, a linear model, factors.

All take `Interactions` with at least one row, treat every row as a plain "had it", and say how
they score every item; `ScoringRecommender` does the rest.  ``last`` scores a user by the newest
so many rows of the history alone, and ``decay`` lets each row count less than the next newer
one; either is often worth more than a better model.

Axes: U users, I items, B users scored at a time, D dimension.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from companion._checks import check_between, check_count
from companion._optional import require
from companion.embeddings import Embeddings
from companion.interactions import Interactions, check_interactions
from companion.scoring import ScoringRecommender
from companion.topk import top_k_in_blocks

SECONDS_A_DAY = 86_400


@dataclass(eq=False)
class Popularity(ScoringRecommender):
    """Recommend to everybody what most rows are about.

    Parameters
    ----------
    last_days : float, optional
        Count only the rows of so many days before the newest row (timestamps in seconds).

    Attributes
    ----------
    counts_ : array of int64, shape (I,)

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 2, 3, 3], "item": ["a", "a", "a", "b"]})
    >>> data = Interactions.from_frame(log, timestamp=None)
    >>> model = Popularity().fit(data)
    >>> model.recommend([0], k=2, exclude_seen=False).ids
    array([[0, 1]])
    """

    _: KW_ONLY
    last_days: float | None = None
    counts_: NDArray[np.int64] = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Count the rows of each item.

        Raises ValueError if ``last_days`` is not positive or the log has no timestamps.
        """
        check_interactions(data, with_rows=True)
        recent = data
        if self.last_days is not None:
            check_between("last_days", self.last_days, 0, np.inf, open_ends=True)
            if data.timestamps is None:
                raise ValueError("last_days needs timestamps: the log was read without them")
            start = data.timestamps.max() - self.last_days * SECONDS_A_DAY
            recent = data.take(data.timestamps > start)
        self.counts_ = recent.item_counts()
        self._seen = data.to_csr(binary=True)
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items by their count, the same for everybody; shape (B, I)."""
        return np.tile(self.counts_.astype(np.float32), (len(users), 1))


@dataclass(eq=False)
class PersonalFrequency(ScoringRecommender):
    """Recommend to each user what they had most often, and then what is popular.

    Where people come back to the same items, as for groceries, this is hard to beat (Hu, He, Gao
    and Zhang 2020, doi:10.1145/3397271.3401066, call it personal top frequency).

    Parameters
    ----------
    half_life_days : float, optional
        A row so many days older than the log's newest counts half (timestamps in seconds); None
        counts all alike.

    Attributes
    ----------
    frequencies_ : scipy.sparse.csr_array, shape (U, I)
    counts_ : array of int64, shape (I,)
        Rows of all users: they order what a user has had equally often, or not at all.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 1, 2, 2], "item": ["a", "b", "b", "c", "c"]})
    >>> model = PersonalFrequency().fit(Interactions.from_frame(log, timestamp=None))
    >>> model.recommend([0], k=3, exclude_seen=False).ids
    array([[1, 0, 2]])
    """

    _: KW_ONLY
    half_life_days: float | None = None
    frequencies_: sparse.csr_array = field(init=False, repr=False)
    counts_: NDArray[np.int64] = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Count the rows of each user and item.

        Raises ValueError if ``half_life_days`` is not positive or the log has no timestamps.
        """
        check_interactions(data, with_rows=True)
        weights = np.ones(len(data))
        if self.half_life_days is not None:
            check_between("half_life_days", self.half_life_days, 0, np.inf, open_ends=True)
            if data.timestamps is None:
                raise ValueError("half_life_days needs timestamps: the log was read without them")
            age = (data.timestamps.max() - data.timestamps) / SECONDS_A_DAY
            weights = 0.5 ** (age / self.half_life_days)
        shape = (data.n_users, data.n_items)
        own = sparse.coo_array((weights, (data.users, data.items)), shape).tocsr()
        self.frequencies_, self.counts_ = own, data.item_counts()
        self._seen = data.to_csr(binary=True)
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items by the user's own rows, and below all of these by count; shape (B, I)."""
        own = self.frequencies_[users].toarray()
        popularity = self.counts_ / self.counts_.max()
        # Between ties popularity decides: 1e-4 is little, and enough for float32 to tell apart.
        return np.where(own > 0, own * (1 + 1e-4 * popularity), popularity - 1)


@dataclass(eq=False)
class ItemKNN(ScoringRecommender):
    """Recommend what is similar to the user's items, by cosine between the items' columns.

    The score of item i for a user is the sum of s(j, i) over the user's items j, where s is
    the cosine of the binary columns of j and i, kept only if i is among the k nearest of j.
    (Sarwar et al. 2001, doi:10.1145/371920.372071; Deshpande and Karypis 2004,
    doi:10.1145/963770.963776.)

    Parameters
    ----------
    k : int
        Neighbours kept an item.
    last : int, optional
        Sum over the newest so many rows of a user only.
    decay : float in (0, 1]
        Weight of each row of a user against the next newer one; an item that was had again
        counts by its newest row.

    Attributes
    ----------
    similarity_ : scipy.sparse.csr_array, shape (I, I)
        Row j holds the k nearest neighbours of item j.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["a", "b", "a", "b", "a"]})
    >>> model = ItemKNN(k=1).fit(Interactions.from_frame(log, timestamp=None))
    >>> model.recommend([2], k=1).ids  # the third user had "a"; "b" goes with it
    array([[1]])
    """

    _: KW_ONLY
    k: int = 400
    last: int | None = None
    decay: float = 1.0
    similarity_: sparse.csr_array = field(init=False, repr=False)
    _recent: sparse.csr_array = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Find the k nearest neighbours of every item."""
        check_interactions(data, with_rows=True)
        check_count("k", self.k)
        recent = _fading(data, self.last, self.decay)
        seen = data.to_csr(binary=True)
        self.similarity_ = _nearest_columns(seen, self.k)
        self._seen, self._recent = seen, recent
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items by summed similarity to the user's items; shape (B, I)."""
        return (self._recent[users] @ self.similarity_).toarray()


@dataclass(eq=False)
class EASE(ScoringRecommender):
    """A linear model from item to item, in closed form (Steck 2019, doi:10.1145/3308558.3313710).

    It minimises ||X - X A||^2 + reg ||A||^2 under diag(A) = 0, which gives, with
    P = (X^T X + reg I)^-1, the weights A_ij = -P_ij / P_jj.

    Parameters
    ----------
    reg : float
        L2 penalty, above 0.
    last : int, optional
        Score by the newest so many rows of a user only; the weights are fitted on all.
    decay : float in (0, 1]
        As in `ItemKNN`; the weights are fitted without it.

    Attributes
    ----------
    weights_ : array of float32, shape (I, I)

    Notes
    -----
    Fitting needs some 20 I^2 bytes and time that grows with I^3: seconds for a few thousand
    items, minutes and 8 GB for twenty thousand.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["a", "b", "a", "b", "a"]})
    >>> model = EASE(reg=1.0).fit(Interactions.from_frame(log, timestamp=None))
    >>> model.recommend([2], k=1).ids
    array([[1]])
    """

    _: KW_ONLY
    reg: float = 100.0
    last: int | None = None
    decay: float = 1.0
    weights_: NDArray[np.float32] = field(init=False, repr=False)
    _recent: sparse.csr_array = field(init=False, repr=False)

    def fit(self, data: Interactions) -> Self:
        """Solve for the weights."""
        check_interactions(data, with_rows=True)
        check_between("reg", self.reg, 0, np.inf, open_ends=True)
        recent = _fading(data, self.last, self.decay)
        seen = data.to_csr(binary=True)
        gram = (seen.T @ seen).toarray(order="F").astype(np.float64)
        np.fill_diagonal(gram, gram.diagonal() + self.reg)
        weights = _inverse(gram)
        weights /= -weights.diagonal()
        np.fill_diagonal(weights, 0.0)
        self.weights_ = weights.astype(np.float32)
        self._seen, self._recent = seen, recent
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items by the linear model; shape (B, I)."""
        return self._recent[users] @ self.weights_


@dataclass(eq=False)
class ALS(ScoringRecommender):
    """Implicit matrix factorisation by alternating least squares, through ``implicit``.

    Every observed cell has confidence ``alpha`` and target 1, every other cell confidence 1
    and target 0 (Hu, Koren and Volinsky 2008, doi:10.1109/ICDM.2008.22).

    Parameters
    ----------
    dim : int
    reg : float
        L2 penalty, at least 0.
    alpha : float
        Confidence of an observed cell, above 0.
    epochs : int
    last : int, optional
        Solve for a user's vector from the newest so many rows only; items are fitted on all.
    seed : int

    Attributes
    ----------
    item_embeddings_ : Embeddings, (I, D)
    user_vectors_ : array of float32, shape (U, D)
    """

    _: KW_ONLY
    dim: int = 64
    reg: float = 0.01
    alpha: float = 1.0
    epochs: int = 15
    last: int | None = None
    seed: int = 0
    item_embeddings_: Embeddings = field(init=False, repr=False)
    user_vectors_: NDArray[np.float32] = field(init=False, repr=False)

    def fit(self, data: Interactions, *, threads: int = 0) -> Self:
        """Alternate between users and items; ``threads=0`` takes every core.

        Raises ImportError that names the extra if ``implicit`` is not installed.
        """
        check_interactions(data, with_rows=True)
        check_count("threads", threads, minimum=0)  # implicit ends the interpreter at -1
        check_count("dim", self.dim)
        check_count("epochs", self.epochs)
        check_between("reg", self.reg, 0, np.inf)
        check_between("alpha", self.alpha, 0, np.inf, open_ends=True)
        als = require("implicit.cpu.als", extra="als")
        threadpools = require("threadpoolctl", extra="als")
        seen, recent = data.to_csr(binary=True), data.to_csr(binary=True, last=self.last)
        # One thread a BLAS call: implicit runs many small ones side by side, and warns otherwise.
        with threadpools.threadpool_limits(1, "blas"):
            model = als.AlternatingLeastSquares(
                factors=self.dim,
                regularization=self.reg,
                alpha=self.alpha,
                iterations=self.epochs,
                num_threads=threads,
                random_state=self.seed,
            )
            model.fit(sparse.csr_matrix(seen), show_progress=False)
            users = np.arange(data.n_users)
            self.user_vectors_ = model.recalculate_user(users, sparse.csr_matrix(recent))
        self.item_embeddings_ = Embeddings(data.item_ids, np.asarray(model.item_factors))
        self._seen = seen
        return self

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items by the dot product with the user's vector; shape (B, I)."""
        return self.user_vectors_[users] @ self.item_embeddings_.vectors.T


def _fading(data: Interactions, last: int | None, decay: float) -> sparse.csr_array:
    """Return users x items: ``decay`` to the power of the rows since the item, where it counts."""
    check_between("decay", decay, 0, 1)
    if decay == 0:
        raise ValueError("decay must lie in (0, 1], got 0: use last=1")
    matrix = data.to_csr(binary=True, last=last)
    if decay < 1:
        since = data.rank_from_newest() - 1  # 0 for the newest row of a user
        weights = sparse.coo_array((decay**since, (data.users, data.items)), matrix.shape)
        weights.data[_older_rows(data)] = 0.0
        matrix = matrix.multiply(weights.tocsr()).tocsr().astype(np.float32)
    return matrix


def _older_rows(data: Interactions) -> NDArray[np.bool_]:
    """Mark the rows whose user has had the item again later."""
    cells = data.users.astype(np.int64) * data.n_items + data.items
    _, newest = np.unique(cells[::-1], return_index=True)
    older = np.ones(len(data), dtype=bool)
    older[len(data) - 1 - newest] = False
    return older


def _nearest_columns(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """Return for each column its k nearest other columns by cosine; shape (I, I)."""
    n_items = matrix.shape[1]
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=0))
    unit = (matrix @ sparse.diags_array(1.0 / np.maximum(norms, 1e-12))).astype(np.float32).tocsc()

    def cosines(items: NDArray[Any]) -> NDArray[np.float32]:
        dense = (unit[:, items].T @ unit).toarray()
        dense[dense <= 0] = -np.inf  # no user in common: no neighbour
        dense[np.arange(len(items)), items] = -np.inf
        return dense

    near = top_k_in_blocks(cosines, np.arange(n_items), min(k, n_items))
    real = near.ids >= 0
    rows = np.repeat(np.arange(n_items), real.sum(axis=1))
    return sparse.coo_array((near.scores[real], (rows, near.ids[real])), (n_items, n_items)).tocsr()


def _inverse(positive_definite: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert by Cholesky, half the work of a general inverse; in place if given by columns."""
    factor, failed = lapack.dpotrf(positive_definite, lower=0, overwrite_a=1)
    inverse, failed_too = lapack.dpotri(factor, lower=0, overwrite_c=1)
    if failed or failed_too:
        raise np.linalg.LinAlgError("the Gram matrix is not positive definite: raise reg")
    inverse += np.triu(inverse, 1).T  # LAPACK fills one triangle and leaves zeros in the other
    return inverse
