"""Planted data: interactions from a law that is written down, so that methods can be proved.

The law.  Items lie in G groups of equal size (or nearly).  Inside its group an item has the
popularity q(i), proportional to ``rank ** -popularity_exponent``, summing to 1 in each group.
A user has a home group h(u), and draws from it with probability 1 - noise, else from a group
drawn at random (which may be the home group):

    p(i | u) = q(i) [ (1 - noise) 1{g(i) = h(u)} + noise / G ].

With ``sequential`` = s > 0 the next item is, with probability s, the successor of the one
before (each group is a ring) and otherwise a new draw:

    p(i | u, previous) = s 1{i = successor(previous)} + (1 - s) p(i | u).

No recommender can beat the ranking by these numbers, and the sum of the k largest is its
hit rate: that is the bound for every method of the book.

Axes: U users, I items, G groups, K list length, Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_between, check_codes, check_count
from companion.datasets._planted_law import PlantedTruth, draw_log, draw_truth
from companion.interactions import Interactions
from companion.topk import check_csr


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PlantedInteractions(Interactions):
    """Interactions that know the law they were drawn from.

    They are used like all others.  The methods below take codes and answer in codes; they stay
    right for what ``take`` and ``filter`` return.
    """

    truth: PlantedTruth

    @property
    def user_groups(self) -> NDArray[np.int32]:
        """The home group of each user code; shape (U,)."""
        return self.truth.user_groups[self.user_ids.to_numpy()]

    @property
    def item_groups(self) -> NDArray[np.int32]:
        """The group of each item code; shape (I,)."""
        return self.truth.item_groups[self.item_ids.to_numpy()]

    def oracle_scores(
        self, users: ArrayLike, previous: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of every item to come next; shape (Q, I).

        Parameters
        ----------
        users : array of int, shape (Q,)
            User codes.
        previous : array of int, shape (Q,), optional
            The code of each user's last item; without it the law of a new draw is returned,
            p(i | u), which is the whole law where ``sequential`` is 0.

        Returns
        -------
        array of float64
            Rows sum to 1, less what falls on items that are not in the vocabulary.

        Raises
        ------
        TypeError, ValueError
            If ``users`` or ``previous`` are no codes, or their lengths differ.
        """
        codes = check_codes("users", users, self.n_users)
        scores = self.truth.preferences(self.user_ids.to_numpy()[codes])
        if previous is not None:
            last = check_codes("previous", previous, self.n_items)
            if len(last) != len(codes):
                raise ValueError(
                    f"previous must have one item for each of the {len(codes)} users, "
                    f"got {len(last)}"
                )
            scores *= 1 - self.truth.sequential
            after = self.truth.successors[self.item_ids.to_numpy()[last]]
            scores[np.arange(len(after)), after] += self.truth.sequential
        return scores[:, self.item_ids.to_numpy()]

    def best_hit_rate(
        self,
        users: ArrayLike,
        k: int,
        *,
        previous: ArrayLike | None = None,
        exclude: sparse.csr_array | None = None,
    ) -> NDArray[np.float64]:
        """Return the highest hit rate at k that any method can expect, by user; shape (Q,).

        It is the sum of the k largest of `oracle_scores`.  Holds for one next item a user.

        Parameters
        ----------
        users, previous
            As in `oracle_scores`.
        k : int
            List length; from I on the sum is that of the whole row.
        exclude : csr_array, shape (Q, I), optional
            Items that cannot come (seen ones, for data drawn with ``repeats=False``): every
            stored entry, whatever its value.  The rest is scaled to what it has without them;
            NaN where nothing is left.

        Raises
        ------
        TypeError, ValueError
            If ``k`` < 1, a code is not in the vocabulary, or ``exclude`` is no csr_array of
            that shape.
        """
        check_count("k", k)
        scores = self.oracle_scores(users, previous)
        if exclude is not None:
            check_csr("exclude", exclude, scores.shape)
            rows = np.repeat(np.arange(len(scores)), np.diff(exclude.indptr))
            scores[rows, exclude.indices] = 0.0
        k = min(k, scores.shape[1])
        best = -np.partition(-scores, k - 1, axis=1)[:, :k]
        if exclude is None:
            return best.sum(axis=1)
        left = scores.sum(axis=1)
        return np.divide(best.sum(axis=1), left, out=np.full(len(left), np.nan), where=left > 0)


def make_planted_interactions(
    *,
    n_users: int = 1_000,
    n_items: int = 500,
    n_groups: int = 10,
    interactions_per_user: int | ArrayLike = 50,
    noise: float = 0.1,
    popularity_exponent: float = 0.8,
    sequential: float = 0.0,
    repeats: bool = True,
    seed: int = 0,
) -> PlantedInteractions:
    """Draw interactions from the law in the docstring of this module.

    Parameters
    ----------
    n_users, n_items, n_groups : int
        Sizes; at least one item a group.
    interactions_per_user : int or array of int, shape (n_users,)
        Draws a user, at least 1.
    noise : float in [0, 1]
        How often a draw comes from a random group; 1 plants nothing.
    popularity_exponent : float in [0, 10]
        0: all items of a group are equally likely.
    sequential : float in [0, 1]
        How often the next item is the successor of the one before.
    repeats : bool
        May a user have an item twice?  If not, later draws of it are dropped, so that users have
        fewer rows than draws, and the next item follows p(i | u) / (1 - sum over seen items).
    seed : int
        Same arguments and seed, same data.

    Returns
    -------
    PlantedInteractions
        `Interactions` with ``truth``, ``user_groups``, ``item_groups``, ``oracle_scores`` and
        ``best_hit_rate``.  Ids are integers from 0; items that were never drawn are not in the
        vocabulary.  ``timestamps`` are seconds of the year 2020, spread evenly for each user
        (two of them tie about once in 6,000 users of 100 draws).

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or ``sequential`` is asked for without repeats.

    Examples
    --------
    >>> data = make_planted_interactions(n_users=100, n_items=40, n_groups=4, noise=0.2, seed=1)
    >>> len(data), data.n_users, data.n_items
    (5000, 100, 40)
    >>> at_home = data.user_groups[data.users] == data.item_groups[data.items]
    >>> bool(abs(at_home.mean() - (0.8 + 0.2 / 4)) < 0.02)
    True
    """
    for name, value in (("n_users", n_users), ("n_items", n_items), ("n_groups", n_groups)):
        check_count(name, value)
    if n_groups > n_items:
        raise ValueError(f"n_groups must be at most n_items={n_items}, got {n_groups}")
    check_between("noise", noise, 0, 1)
    check_between("popularity_exponent", popularity_exponent, 0, 10)
    check_between("sequential", sequential, 0, 1)
    if sequential > 0 and not repeats:
        raise ValueError(f"sequential must be 0 where repeats=False, got {sequential}")
    lengths = _lengths(interactions_per_user, n_users)
    rng = np.random.default_rng(seed)
    truth = draw_truth(rng, n_users, n_items, n_groups, noise, popularity_exponent, sequential)
    log = draw_log(rng, truth, lengths)
    if not repeats:
        log = log[~(log["user"].astype(np.int64) * n_items + log["item"]).duplicated()]
    data = Interactions.from_frame(log)
    return PlantedInteractions(**_fields(data), truth=truth)


def _lengths(interactions_per_user: int | ArrayLike, n_users: int) -> NDArray[np.int64]:
    lengths = np.asarray(interactions_per_user)
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"interactions_per_user must be whole numbers, got {lengths.dtype}")
    if lengths.shape not in ((), (n_users,)):
        raise ValueError(
            f"interactions_per_user must be one number or of shape ({n_users},), "
            f"got shape {lengths.shape}"
        )
    if lengths.min() < 1:
        raise ValueError(f"interactions_per_user must be at least 1, got {lengths.min()}")
    return np.broadcast_to(lengths, (n_users,)).astype(np.int64)


def _fields(data: Interactions) -> dict[str, Any]:
    return {field.name: getattr(data, field.name) for field in fields(data)}
