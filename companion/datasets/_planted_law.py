"""The law of planted data, and how to draw from it; `planted` has it in words.

Axes: U users, I items, G groups, Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

_FIRST_SECOND = 1_577_836_800  # 2020-01-01, Greenwich
_YEAR_IN_SECONDS = 365 * 86_400


@dataclass(frozen=True, eq=False)
class PlantedTruth:
    """The law behind planted data; users and items are numbered as it was drawn.

    Parameters
    ----------
    user_groups : array of int32, shape (U,)
        The home group of each user.
    item_groups : array of int32, shape (I,)
        The group of each item.
    popularity : array of float64, shape (I,)
        q(i); sums to 1 in each group.
    successors : array of int64, shape (I,)
        The item that follows each item in the ring of its group.
    noise, sequential : float
        Probabilities of the law.
    """

    user_groups: NDArray[np.int32]
    item_groups: NDArray[np.int32]
    popularity: NDArray[np.float64]
    successors: NDArray[np.int64]
    noise: float
    sequential: float

    def preferences(self, users: ArrayLike) -> NDArray[np.float64]:
        """Return p(i | u) for some users; shape (Q, I), each row summing to 1."""
        n_groups = int(self.item_groups.max()) + 1
        home = self.user_groups[np.asarray(users)][:, None] == self.item_groups  # (Q, I)
        return self.popularity * ((1 - self.noise) * home + self.noise / n_groups)


def draw_truth(
    rng: np.random.Generator,
    n_users: int,
    n_items: int,
    n_groups: int,
    noise: float,
    popularity_exponent: float,
    sequential: float,
) -> PlantedTruth:
    """Deal the items out to groups, rank them there, and give every user a home."""
    item_groups = rng.permutation(np.arange(n_items) % n_groups).astype(np.int32)
    members, starts = _members(item_groups)
    sizes = np.diff(starts)
    rank = np.arange(n_items) - np.repeat(starts[:-1], sizes)  # in its group, from 0
    popularity, successors = np.empty(n_items), np.empty(n_items, dtype=np.int64)
    weight = (rank + 1.0) ** -popularity_exponent
    popularity[members] = weight / np.repeat(np.add.reduceat(weight, starts[:-1]), sizes)
    next_rank = (rank + 1) % np.repeat(sizes, sizes)
    successors[members] = members[np.repeat(starts[:-1], sizes) + next_rank]
    user_groups = rng.integers(n_groups, size=n_users, dtype=np.int32)
    return PlantedTruth(user_groups, item_groups, popularity, successors, noise, sequential)


def _members(item_groups: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the items group by group, and where each group starts and the last one ends."""
    members = np.argsort(item_groups, kind="stable")
    return members, np.concatenate([[0], np.cumsum(np.bincount(item_groups))])


def draw_log(
    rng: np.random.Generator, truth: PlantedTruth, lengths: NDArray[np.int64]
) -> pd.DataFrame:
    """Draw so many rows a user, oldest first."""
    users = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    slots = _draw_slots(rng, truth, users)
    members, starts = _members(truth.item_groups)
    if truth.sequential > 0:
        slots = _follow(rng, truth, slots, lengths, starts)
    times = _times(rng, users, lengths)
    return pd.DataFrame(
        {"user": users, "item": members[slots].astype(np.int32), "timestamp": times}
    )


def _draw_slots(
    rng: np.random.Generator, truth: PlantedTruth, users: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Draw from p(i | u); an item is told by its place in the list group by group."""
    members, starts = _members(truth.item_groups)
    groups = truth.user_groups[users]
    astray = np.flatnonzero(rng.random(len(users)) < truth.noise)
    groups[astray] = rng.integers(len(starts) - 1, size=len(astray))
    # Group g owns [g, g + 1) of one long distribution function, so a single search serves all.
    steps = np.cumsum(truth.popularity[members])
    slots = np.searchsorted(steps, groups + rng.random(len(users)), side="right")
    return np.clip(slots, starts[groups], starts[groups + 1] - 1)  # rounding at the borders


def _follow(
    rng: np.random.Generator,
    truth: PlantedTruth,
    slots: NDArray[np.int64],
    lengths: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Let some draws be the successor of the one before: that many steps along the ring."""
    fresh = rng.random(len(slots)) >= truth.sequential
    fresh[np.cumsum(lengths) - lengths] = True  # a user's first item follows nothing
    rows = np.arange(len(slots))
    source = np.maximum.accumulate(np.where(fresh, rows, 0))
    group = np.searchsorted(starts, slots[source], side="right") - 1
    begin, size = starts[group], np.diff(starts)[group]
    return begin + (slots[source] - begin + rows - source) % size


def _times(
    rng: np.random.Generator, users: NDArray[np.int32], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give each user that many seconds of the year, ascending: gaps are exponential."""
    gaps = rng.standard_exponential(len(users))
    ends = np.cumsum(lengths)
    elapsed = np.cumsum(gaps)
    before = np.repeat(elapsed[ends - lengths] - gaps[ends - lengths], lengths)
    # One more gap after the last row makes the times those of sorted uniform draws.
    total = elapsed[ends - 1] - elapsed[ends - lengths] + gaps[ends - lengths]
    span = np.repeat(total + rng.standard_exponential(len(lengths)), lengths)
    return _FIRST_SECOND + ((elapsed - before) / span * _YEAR_IN_SECONDS).astype(np.int64)
