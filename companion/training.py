"""When to stop training: a ranking metric on held-out data, and the memory of the best epoch.

Axes: U users, I items, K list length.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from scipy import sparse

from companion._checks import check_count
from companion.interactions import Interactions
from companion.metrics import hit_matrix, ndcg_at_k
from companion.protocols import Recommender

State = TypeVar("State")


def validation_ndcg(
    recommender: Recommender, train: Interactions, validation: Interactions, *, k: int = 10
) -> float:
    """Return the mean NDCG@k of what users had next, what they had in training left out.

    Parameters
    ----------
    recommender : Recommender
        Fitted on ``train``.
    train, validation : Interactions
        With the same users and items, as the parts of a `companion.splits.Split` have.
    k : int

    Returns
    -------
    float
        The mean over users with a new item in ``validation``; NaN if there are none.

    Examples
    --------
    >>> from companion.baselines import Popularity
    >>> from companion.datasets import make_planted_interactions
    >>> from companion.splits import leave_last_out
    >>> data = make_planted_interactions(n_users=50, n_items=20, n_groups=2, seed=0)
    >>> split = leave_last_out(data)
    >>> model = Popularity().fit(split.train)
    >>> 0 <= validation_ndcg(model, split.train, split.validation) <= 1
    True
    """
    relevant = _new_to_users(train, validation)
    n_relevant = np.diff(relevant.indptr)
    users = np.flatnonzero(n_relevant)
    if len(users) == 0:
        return float("nan")
    top = recommender.recommend(users, k + 1)  # one more: a tie at place k must not help
    hits = hit_matrix(top, sparse.csr_array(relevant[users]))
    return float(ndcg_at_k(hits, n_relevant[users], k).mean())


def check_validation(train: Interactions, validation: object) -> None:
    """Raise unless ``validation`` are interactions with the users and items of ``train``.

    Examples
    --------
    >>> from companion.datasets import make_planted_interactions
    >>> data = make_planted_interactions(n_users=50, n_items=20, n_groups=2, seed=0)
    >>> others = make_planted_interactions(n_users=40, n_items=20, n_groups=2, seed=0)
    >>> check_validation(data, others)
    Traceback (most recent call last):
        ...
    ValueError: validation must have the users and items of data, as the parts of a split have
    """
    if not isinstance(validation, Interactions):
        kind = type(validation).__name__
        raise TypeError(f"validation must be Interactions, as the parts of a split are, got {kind}")
    same = train.user_ids.equals(validation.user_ids) and train.item_ids.equals(validation.item_ids)
    if not same:
        raise ValueError(
            "validation must have the users and items of data, as the parts of a split have"
        )
    if _new_to_users(train, validation).nnz == 0:
        raise ValueError("validation must hold an item that is new to its user, got none")


def _new_to_users(train: Interactions, validation: Interactions) -> sparse.csr_array:
    relevant = validation.to_csr(binary=True)
    relevant = relevant - relevant.multiply(train.to_csr(binary=True))
    relevant.eliminate_zeros()
    return relevant


class BestEpoch(Generic[State]):
    """Remembers the state with the highest metric, and says when to stop looking.

    Parameters
    ----------
    patience : int
        Stop after so many epochs without a new best.

    Examples
    --------
    >>> best = BestEpoch(patience=2)
    >>> [best.update(metric, state) for metric, state in [(0.1, "a"), (0.3, "b"), (0.2, "c")]]
    [False, False, False]
    >>> best.update(0.3, "d"), best.state, best.metric  # a tie is no new best
    (True, 'b', 0.3)
    """

    def __init__(self, patience: int) -> None:
        self.patience = check_count("patience", patience)
        self.metric = -np.inf
        self.state: State | None = None
        self._since = 0

    def update(self, metric: float, state: State) -> bool:
        """Take in one epoch; return True if it is time to stop."""
        if metric > self.metric:
            self.metric, self.state, self._since = metric, state, 0
        else:
            self._since += 1
        return self._since >= self.patience
