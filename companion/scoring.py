"""A recommender that scores every item of the catalogue: all it has to say is how.

Axes: B users scored at a time, Q users asked for, U users, I items, V items with a vector, D
dimension, K list length.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_codes
from companion.sequences import Sequences
from companion.topk import TopK, check_csr, top_k_in_blocks


class ScoringRecommender(ABC):
    """Turns `score` into `recommend`: checks the users, hides what they had, ranks exactly.

    A subclass sets ``_seen`` in ``fit`` and defines `score`; it then satisfies
    `companion.protocols.Recommender`.

    Examples
    --------
    >>> class ByCode(ScoringRecommender):
    ...     _seen = sparse.csr_array([[1, 0, 0]])
    ...     def score(self, users):
    ...         return np.tile([3.0, 2.0, 1.0], (len(users), 1))
    >>> ByCode().recommend([0], k=2).ids
    array([[1, 2]])
    """

    _seen: sparse.csr_array

    @abstractmethod
    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Return fresh scores of all items for some user codes; shape (B, I)."""

    def recommend(
        self,
        users: ArrayLike,
        k: int,
        *,
        exclude_seen: bool = True,
        exclude: sparse.csr_array | None = None,
    ) -> TopK:
        """Return the best k items for each user.

        Parameters
        ----------
        users : array of int, shape (Q,)
            User codes of the training data.
        k : int
            List length; lists with fewer candidates are padded.
        exclude_seen : bool
            Leave out what the user had in the training data.
        exclude : scipy.sparse.csr_array, shape (Q, I), optional
            Further pairs to leave out: every stored entry, whatever its value.

        Returns
        -------
        TopK
            Item codes and scores, shape (Q, K).

        Raises
        ------
        AttributeError
            If the model was not fitted.
        TypeError
            If ``users`` are not integers, or ``exclude`` is no csr_array.
        ValueError
            If a user code is not in 0 .. U-1, ``exclude`` has another shape, ``k`` < 1, or
            `score` returns another shape than (B, I).
        """
        if not hasattr(self, "_seen"):
            raise AttributeError(f"{type(self).__name__} is not fitted: call fit(data) first")
        codes = check_codes("users", users, self._seen.shape[0])
        if exclude is not None:
            check_csr("exclude", exclude, (len(codes), self._seen.shape[1]))
        hidden = exclude
        if exclude_seen:
            seen = self._seen[codes]
            hidden = seen if exclude is None else _union(seen, exclude)
        return top_k_in_blocks(self._checked_scores, codes, k, exclude=hidden)

    def _checked_scores(self, codes: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        scores, expected = self.score(codes), (len(codes), self._seen.shape[1])
        if np.shape(scores) != expected:
            raise ValueError(
                f"{type(self).__name__}.score must return shape (B, I), here {expected}, "
                f"got {np.shape(scores)}"
            )
        return scores


def score_histories(
    histories: Sequences,
    inputs: NDArray[np.float32],
    targets: NDArray[np.float32] | None = None,
    *,
    last: int | None = None,
    decay: float = 1.0,
) -> NDArray[np.float32]:
    """Compare the mean of each history's vectors with the vector of every item.

    Parameters
    ----------
    histories : Sequences, B of them, oldest item first
        Their codes are rows of the tables.
    inputs : array of float32, shape (V, D)
        The table that the mean is taken of.
    targets : array of float32, shape (V, D), optional
        Dot product with these.  None: with ``inputs``, all at length one, so that the score is
        the cosine of an item with the mean of unit vectors.
    last : int, optional
        Only the newest so many items of each history.
    decay : float in (0, 1]
        Weight of each item against the next newer one.

    Returns
    -------
    array of float32, shape (B, V)
        An empty history scores every item 0.

    Examples
    --------
    >>> history = Sequences(np.array([0, 1], dtype=np.int32), np.array([0, 2]))
    >>> table = np.array([[2.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    >>> score_histories(history, table, table).tolist()
    [[2.0, 2.0]]
    >>> score_histories(history, table, last=1).tolist()
    [[0.0, 1.0]]
    """
    if targets is not None:
        return means_of_histories(histories, inputs, last=last, decay=decay) @ targets.T
    unit = at_length_one(inputs)
    return at_length_one(means_of_histories(histories, unit, last=last, decay=decay)) @ unit.T


def means_of_histories(
    histories: Sequences,
    vectors: NDArray[np.float32],
    *,
    last: int | None = None,
    decay: float = 1.0,
) -> NDArray[np.float32]:
    """Return the mean of each history's vectors, zeros of an empty one; shape (B, D).

    Parameters are those of `score_histories`.

    Examples
    --------
    >>> history = Sequences(np.array([0, 1], dtype=np.int32), np.array([0, 2]))
    >>> means_of_histories(history, np.array([[2.0, 0.0], [0.0, 2.0]], dtype=np.float32))
    array([[1., 1.]], dtype=float32)
    """
    kept = histories if last is None else histories.newest(last)
    return kept.weights_of_mean(len(vectors), decay=decay) @ vectors


def at_length_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide rows by their norms; a row of zeros stays one.

    Examples
    --------
    >>> at_length_one(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, np.float32(1e-30))


def _union(first: sparse.csr_array, second: sparse.csr_array) -> sparse.csr_array:
    """Return a matrix with an entry wherever either has one, whatever its value."""
    return _pattern(first) + _pattern(second)


def _pattern(matrix: sparse.csr_array) -> sparse.csr_array:
    ones = np.ones(len(matrix.indices), dtype=np.int32)  # a stored 0 or -1 counts as well
    return sparse.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
