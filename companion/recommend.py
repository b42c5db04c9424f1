"""From vectors to recommendations, and from codes back to the caller's ids.

Axes: U users, I items, D dimension, B users at a time, Q users asked for, K list length.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_between, check_codes, check_count
from companion.embeddings import Embeddings
from companion.interactions import Interactions, check_interactions
from companion.protocols import Recommender
from companion.scoring import ScoringRecommender, at_length_one, means_of_histories
from companion.topk import TopK


@dataclass(eq=False)
class EmbeddingRecommender(ScoringRecommender):
    """Rank items by the dot product of a user's and an item's vector.

    Parameters
    ----------
    user_vectors : array of float, shape (U, D)
    item_vectors : array of float, shape (I, D)
        For cosine, pass normalised vectors (`companion.embeddings.Embeddings.normalized`).
    data : Interactions
        The log whose codes the rows follow; what a user has in it counts as seen.

    Raises
    ------
    ValueError
        If a shape does not fit the log or the other matrix, or a value is not finite.
    TypeError
        If the vectors are no array of numbers, or ``data`` are no Interactions.

    Examples
    --------
    >>> log = pd.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"]})
    >>> data = Interactions.from_frame(log, timestamp=None)
    >>> model = EmbeddingRecommender([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.5, 1.0]], data)
    >>> model.recommend([0], k=1, exclude_seen=False).ids
    array([[0]])
    """

    user_vectors: ArrayLike
    item_vectors: ArrayLike
    data: Interactions = field(repr=False)

    def __post_init__(self) -> None:
        check_interactions(self.data)
        self._users = _as_vectors("user_vectors", self.user_vectors, self.data.n_users)
        self._items = _as_vectors("item_vectors", self.item_vectors, self.data.n_items)
        if self._users.shape[1] != self._items.shape[1]:
            raise ValueError(
                f"user_vectors and item_vectors must share one dimension, got "
                f"{self._users.shape[1]} and {self._items.shape[1]}"
            )
        self._seen = self.data.to_csr(binary=True)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score items by the dot product with the user's vector; shape (B, I)."""
        return self._users[users] @ self._items.T


@dataclass(eq=False)
class HistoryRecommender(ScoringRecommender):
    """Rank items by their vectors against the mean of a user's history.

    Takes the tables of any embedder, whatever they were learned from.

    Parameters
    ----------
    data : Interactions
        The histories; what a user has in it counts as seen.
    item_embeddings : Embeddings
        The input table.  Items of the log without a vector are passed over in a history, and never
        recommended.
    context_embeddings : Embeddings, optional
        The output table, of the same ids in the same order: the score is the dot product of the
        mean with it.  None: the cosine of the mean of unit vectors with the input table.
    last : int, optional
        A user is the mean of the newest so many rows; None takes the whole history.
    decay : float in (0, 1]
        Weight of each row of that mean against the next newer one.
    popularity_weight : float
        Adds so many times the logarithm of the item's share of the rows of the items with a vector;
        an item without a row counts as one.

    Raises
    ------
    ValueError
        If no item of the log has a vector, the tables differ in ids or dimension, or ``last``,
        ``decay`` or ``popularity_weight`` is out of range.
    TypeError
        If ``data`` are no Interactions, or a table is no Embeddings.

    Examples
    --------
    >>> log = pd.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"]})
    >>> data = Interactions.from_frame(log, timestamp=None)
    >>> vectors = Embeddings(["tea", "jam"], [[1.0, 0.1], [1.0, 0.0]])
    >>> HistoryRecommender(data, vectors).recommend(data.user_codes(["ann"]), k=1).ids
    array([[1]])
    """

    data: Interactions = field(repr=False)
    item_embeddings: Embeddings = field(repr=False)
    context_embeddings: Embeddings | None = field(default=None, repr=False)
    _: KW_ONLY
    last: int | None = None
    decay: float = 1.0
    popularity_weight: float = 0.0

    def __post_init__(self) -> None:
        check_interactions(self.data)
        _check_tables(self.item_embeddings, self.context_embeddings)
        if self.last is not None:
            check_count("last", self.last)
        check_between("decay", self.decay, 0, 1)
        if self.decay == 0:
            raise ValueError("decay must lie in (0, 1], got 0: use last=1")
        check_between("popularity_weight", self.popularity_weight, -np.inf, np.inf, open_ends=True)
        ids = pd.Index(self.item_embeddings.ids, tupleize_cols=False)
        self._row_of_item = ids.get_indexer(self.data.item_ids)
        if (self._row_of_item < 0).all():
            raise ValueError(
                "item_embeddings must hold at least one item of the log, got none: are the ids "
                "of one type?"
            )
        inputs, context = self.item_embeddings.vectors, self.context_embeddings
        # The whole table at length one, once and not for every block of users.
        self._inputs = at_length_one(inputs) if context is None else inputs
        self._targets = self._inputs if context is None else context.vectors
        self._histories = self.data.sequences().recode(self._row_of_item)
        counts = np.maximum(self.data.item_counts()[self._row_of_item >= 0], 1)
        share = np.log(counts / counts.sum(), dtype=np.float32)
        self._prior = np.float32(self.popularity_weight) * share
        self._seen = self.data.to_csr(binary=True)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score items for some users; -inf where an item has no vector; shape (B, I)."""
        users = check_codes("users", users, len(self._histories))
        people = means_of_histories(
            self._histories.take(users), self._inputs, last=self.last, decay=self.decay
        )
        if self.context_embeddings is None:
            people = at_length_one(people)
        learned = people @ self._targets.T
        known = self._row_of_item >= 0
        scores = np.full((len(users), len(known)), -np.inf, dtype=np.float32)
        scores[:, known] = learned[:, self._row_of_item[known]] + self._prior
        return scores


def mean_of_history(
    data: Interactions, item_vectors: ArrayLike, *, last: int | None = None
) -> NDArray[np.float32]:
    """Describe each user by the mean of the vectors of the items they had.

    Parameters
    ----------
    data : Interactions
    item_vectors : array of float, shape (I, D)
    last : int, optional
        Only the newest so many rows of each user.  An item had twice counts twice.

    Returns
    -------
    array of float32, shape (U, D)
        A user without rows gets the zero vector, which ranks every item the same.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1, 1], "item": ["a", "b"], "timestamp": [1, 2]})
    >>> data = Interactions.from_frame(log)
    >>> mean_of_history(data, [[2.0, 0.0], [0.0, 2.0]])
    array([[1., 1.]], dtype=float32)
    >>> mean_of_history(data, [[2.0, 0.0], [0.0, 2.0]], last=1)
    array([[0., 2.]], dtype=float32)
    """
    check_interactions(data)
    vectors = _as_vectors("item_vectors", item_vectors, data.n_items)
    histories = data.sequences(last)
    counts = histories.lengths()
    weights = np.repeat(1.0 / np.maximum(counts, 1), counts).astype(np.float32)
    mean = sparse.csr_array(
        (weights, histories.items, histories.offsets), (data.n_users, data.n_items)
    )
    return mean @ vectors


@dataclass(frozen=True, slots=True, eq=False)
class Recommendations:
    """Ranked lists under the caller's own ids; what leaves the package.

    Parameters
    ----------
    user_ids : pandas.Index, shape (Q,)
    items : list of Q lists of ids, best first, padding left out
    scores : list of Q lists of float
    """

    user_ids: pd.Index[Any]
    items: list[list[Any]]
    scores: list[list[float]]

    def __len__(self) -> int:
        return len(self.user_ids)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a recommendation: user, rank (1 is best), item, score."""
        lengths = [len(row) for row in self.items]
        return pd.DataFrame(
            {
                "user": self.user_ids.repeat(lengths),
                "rank": [place for n in lengths for place in range(1, n + 1)],
                "item": pd.Series([item for row in self.items for item in row], dtype=object),
                "score": [score for row in self.scores for score in row],
            }
        ).infer_objects()


def recommend_for(
    recommender: Recommender,
    data: Interactions,
    user_ids: Sequence[Hashable],
    k: int = 10,
    *,
    exclude_seen: bool = True,
) -> Recommendations:
    """Recommend for users named by their own ids.

    Parameters
    ----------
    recommender : Recommender
        Fitted on ``data``.
    data : Interactions
        Knows the ids.
    user_ids : sequence of ids, length Q
    k : int
    exclude_seen : bool
        Leave out what the user had.

    Returns
    -------
    Recommendations

    Raises
    ------
    KeyError
        If a user id is unknown; the message names it.
    TypeError
        If ``data`` are no Interactions, or ``user_ids`` is one string.

    Examples
    --------
    >>> from companion.baselines import Popularity
    >>> log = pd.DataFrame({"user": ["ann", "bob", "bob"], "item": ["tea", "tea", "jam"]})
    >>> data = Interactions.from_frame(log, timestamp=None)
    >>> recommend_for(Popularity().fit(data), data, ["ann"], k=2).items
    [['jam']]
    """
    check_interactions(data)
    codes = data.user_codes(user_ids)
    top = recommender.recommend(codes, k, exclude_seen=exclude_seen)
    return with_ids(top, data.user_ids[codes], data.item_ids)


def with_ids(top: TopK, user_ids: pd.Index[Any], item_ids: pd.Index[Any]) -> Recommendations:
    """Put the caller's ids in the place of codes and leave the padding out."""
    lengths = top.lengths()
    rows = range(len(top))
    items = [item_ids[top.ids[row, : lengths[row]]].tolist() for row in rows]
    scores = [top.scores[row, : lengths[row]].tolist() for row in rows]
    return Recommendations(user_ids, items, scores)


def _check_tables(inputs: Embeddings, outputs: Embeddings | None) -> None:
    """Refuse what is no Embeddings, and two tables that do not belong together."""
    if not isinstance(inputs, Embeddings):
        raise TypeError(f"item_embeddings must be Embeddings, got {type(inputs).__name__}")
    if outputs is None:
        return
    if not isinstance(outputs, Embeddings):
        raise TypeError(f"context_embeddings must be Embeddings, got {type(outputs).__name__}")
    if inputs.ids != outputs.ids or inputs.dim != outputs.dim:
        raise ValueError(
            "context_embeddings must have the ids and the dimension of item_embeddings, in their "
            f"order: {len(inputs)} x {inputs.dim}, got {len(outputs)} x {outputs.dim}"
        )


def _as_vectors(name: str, vectors: ArrayLike, n_rows: int) -> NDArray[np.float32]:
    if isinstance(vectors, Embeddings):
        raise TypeError(f"{name} must be an array, got Embeddings: pass .vectors")
    raw = np.asarray(vectors)
    if raw.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be an array of numbers, got dtype {raw.dtype}")
    with np.errstate(over="ignore"):  # too large for float32: infinite, refused below
        matrix = raw.astype(np.float32, copy=False)
    if matrix.ndim != 2 or len(matrix) != n_rows:
        raise ValueError(f"{name} must have shape ({n_rows}, D), got {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return matrix
