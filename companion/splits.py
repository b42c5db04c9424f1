"""Cutting a log into train, validation and test, and saying what the cut lets through.

Four protocols, in the order of how honest they are about time: rows at random, the last item
of each user, the last share of each user, and one moment for everybody.  Only the last keeps
the future of one user from teaching a model about the present of another; `Split.leakage`
counts what the others let through.

Axes: U users, I items; n rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from companion._checks import check_between
from companion.interactions import Interactions, check_interactions

TRAIN, VALIDATION, TEST = 0, 1, 2
Moment = float | str | date | np.datetime64


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A log cut in three; the parts share the log's vocabularies.

    Parameters
    ----------
    data : Interactions
        The whole log.
    part : array of int8, shape (n,)
        0 for train, 1 for validation, 2 for test, for each row of ``data``.
    protocol : str
        How the cut was made, in words a table can carry.

    Raises
    ------
    ValueError
        If ``part`` has another shape or other values, or leaves nothing to train on.
    TypeError
        If ``data`` are no Interactions (so do all functions below).

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1, 1, 1, 2], "item": [7, 8, 9, 7], "timestamp": [1, 2, 3, 4]})
    >>> split = leave_last_out(Interactions.from_frame(log))
    >>> len(split.train), len(split.validation), len(split.test)
    (2, 1, 1)
    """

    data: Interactions
    part: NDArray[np.int8]
    protocol: str

    def __post_init__(self) -> None:
        check_interactions(self.data)
        part = np.asarray(self.part)
        if part.shape != (len(self.data),) or not np.isin(part, (TRAIN, VALIDATION, TEST)).all():
            raise ValueError(
                f"part must have shape ({len(self.data)},) and hold only 0, 1 and 2, "
                f"got shape {part.shape}"
            )
        if not (part == TRAIN).any():
            raise ValueError(f"{self.protocol} leaves no row in train")
        object.__setattr__(self, "part", part.astype(np.int8))

    @property
    def train(self) -> Interactions:
        """The rows to learn from."""
        return self.data.take(self.part == TRAIN)

    @property
    def validation(self) -> Interactions:
        """The rows to choose settings on."""
        return self.data.take(self.part == VALIDATION)

    @property
    def test(self) -> Interactions:
        """The rows to look at once, at the end."""
        return self.data.take(self.part == TEST)

    @property
    def train_and_validation(self) -> Interactions:
        """Everything before the test: what a chosen model is refitted on."""
        return self.data.take(self.part != TEST)

    def refit(self) -> Split:
        """Return the split with the validation rows moved to train, for the final fit."""
        part = np.where(self.part == VALIDATION, TRAIN, self.part).astype(np.int8)
        return replace(self, part=part, protocol=f"{self.protocol}, refitted with validation")

    def summary(self) -> pd.DataFrame:
        """Count rows, users and items of each part, and those that train never saw."""
        train = self.train
        known_users, known_items = train.user_counts() > 0, train.item_counts() > 0
        facts = {}
        for name in ("train", "validation", "test"):
            part: Interactions = getattr(self, name)
            users, items = part.user_counts() > 0, part.item_counts() > 0
            facts[name] = {
                "rows": len(part),
                "users": int(users.sum()),
                "items": int(items.sum()),
                "users not in train": int((users & ~known_users).sum()),
                "items not in train": int((items & ~known_items).sum()),
            }
        return pd.DataFrame.from_dict(facts, orient="index").rename_axis(self.protocol)

    def unseen_users(self) -> pd.Index[Any]:
        """Return the ids of test users without a row in train."""
        unseen = (self.test.user_counts() > 0) & (self.train.user_counts() == 0)
        return self.data.user_ids[unseen]

    def unseen_items(self) -> pd.Index[Any]:
        """Return the ids of test items without a row in train."""
        unseen = (self.test.item_counts() > 0) & (self.train.item_counts() == 0)
        return self.data.item_ids[unseen]

    def leakage(self) -> int:
        """Count the rows of train that happened after the first row of the test.

        A model that learns from them knows something of the future it is tested on.  Without
        a test row nothing can leak.  Raises ValueError if the log has no timestamps.
        """
        times = _times(self.data, "leakage")
        in_test = self.part == TEST
        if not in_test.any():
            return 0
        return int((times[self.part == TRAIN] > times[in_test].min()).sum())


def random_split(
    data: Interactions, *, validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> Split:
    """Deal the rows out at random, whoever they belong to and whenever they happened.

    Parameters
    ----------
    data : Interactions
    validation, test : float
        Shares of all rows, in [0, 1), together below 1.  Counts are rounded to the nearest row.
    seed : int
        The same seed gives the same split.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1] * 10, "item": range(10), "timestamp": range(10)})
    >>> split = random_split(Interactions.from_frame(log), test=0.2, validation=0.1, seed=1)
    >>> len(split.train), len(split.validation), len(split.test)
    (7, 1, 2)
    """
    check_interactions(data)
    _check_shares(validation, test)
    n_validation, n_test = round(validation * len(data)), round(test * len(data))
    part = np.full(len(data), TRAIN, dtype=np.int8)
    part[:n_test] = TEST
    part[n_test : n_test + n_validation] = VALIDATION
    shuffled = np.random.default_rng(seed).permutation(part)
    return Split(data, shuffled, f"random rows ({validation:.0%} validation, {test:.0%} test)")


def leave_last_out(data: Interactions) -> Split:
    """Test on each user's last row, validate on the one before, train on the rest.

    A user with fewer than three rows goes to train whole.  Where timestamps tie, the last row
    is the last of the input: `Interactions.tied_timestamps` says how often that decides.
    Raises ValueError if the log has no timestamps.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1, 1, 1], "item": [7, 8, 9], "timestamp": [30, 20, 10]})
    >>> split = leave_last_out(Interactions.from_frame(log))
    >>> [int(split.data.item_ids[part.items[0]]) for part in (split.validation, split.test)]
    [8, 7]
    """
    _times(data, "leave_last_out")
    from_end = data.rank_from_newest()
    enough = data.user_counts()[data.users] >= 3
    part = np.full(len(data), TRAIN, dtype=np.int8)
    part[enough & (from_end == 2)] = VALIDATION
    part[enough & (from_end == 1)] = TEST
    return Split(data, part, "leave last out")


def user_temporal_split(data: Interactions, *, validation: float = 0.1, test: float = 0.2) -> Split:
    """Test on the newest share of each user's rows, validate on the share before.

    Parameters
    ----------
    data : Interactions
    validation, test : float
        Shares of each user's rows, in [0, 1), together below 1.  A user with L rows has
        floor(test * L) in test and floor(validation * L) in validation.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1] * 5, "item": range(5), "timestamp": range(5)})
    >>> split = user_temporal_split(Interactions.from_frame(log), validation=0.2, test=0.4)
    >>> split.test.items.tolist()
    [3, 4]
    """
    _check_shares(validation, test)
    _times(data, "user_temporal_split")
    from_end, counts = data.rank_from_newest(), data.user_counts()
    # The tiny term keeps 0.29 * 100 from becoming 28.999... and losing a row.
    n_test = np.floor(test * counts + 1e-9)[data.users]
    n_validation = np.floor(validation * counts + 1e-9)[data.users]
    part = np.full(len(data), TRAIN, dtype=np.int8)
    part[from_end <= n_test + n_validation] = VALIDATION
    part[from_end <= n_test] = TEST
    name = f"newest rows of each user ({validation:.0%} validation, {test:.0%} test)"
    return Split(data, part, name)


def temporal_split(data: Interactions, *, validation_start: Moment, test_start: Moment) -> Split:
    """Cut everybody's rows at the same two moments.

    Parameters
    ----------
    data : Interactions
    validation_start, test_start : float, str, date, datetime or numpy.datetime64
        The first moment of validation and of test.  A share in (0, 1), such as 0.8, is the
        moment before which 80 % of all rows lie; any other number is in the unit of
        ``data.timestamps``; a date such as "2017-11-06" (UTC) fits timestamps in seconds.
        A row exactly at a moment belongs to the later part.

    Raises
    ------
    ValueError
        If a moment is no number and no date, validation would start after test, or nothing is
        left in train.

    Examples
    --------
    >>> log = pd.DataFrame({"user": [1, 2, 1, 2], "item": [7, 8, 9, 7],
    ...                     "timestamp": [10, 20, 30, 40]})
    >>> split = temporal_split(Interactions.from_frame(log), validation_start=30, test_start=40)
    >>> len(split.train), len(split.validation), len(split.test), split.leakage()
    (2, 1, 1, 0)
    """
    times = _times(data, "temporal_split")
    first = _as_timestamp(times, "validation_start", validation_start)
    second = _as_timestamp(times, "test_start", test_start)
    if first > second:
        raise ValueError(
            f"validation_start must not lie after test_start, got {validation_start} and "
            f"{test_start}"
        )
    part = np.full(len(data), TRAIN, dtype=np.int8)
    part[times >= first] = VALIDATION
    part[times >= second] = TEST
    return Split(data, part, f"one cut in time (validation {first:.0f}, test {second:.0f})")


def _as_timestamp(times: NDArray[Any], name: str, moment: Moment) -> float:
    """Return a moment in the unit of ``times``; a share in (0, 1) becomes the time of that row."""
    dated = isinstance(moment, (str, date, np.datetime64))
    try:
        number = float(pd.Timestamp(moment).timestamp() if dated else moment)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number or a date, got {moment!r}") from error
    if not np.isfinite(number):  # a missing date has timestamp NaN
        raise ValueError(f"{name} must be a finite number or a date, got {moment!r}")
    if not dated and 0 < number < 1:
        # The tiny term keeps 0.29 * 100 from becoming 28.999... and losing a row.
        rows_before = min(int(number * len(times) + 1e-9), len(times) - 1)
        return float(np.sort(times)[rows_before])
    return number


def _times(data: Interactions, who: str) -> NDArray[Any]:
    check_interactions(data)
    if data.timestamps is None:
        raise ValueError(f"{who} needs timestamps: the log was read without them")
    return data.timestamps


def _check_shares(validation: float, test: float) -> None:
    total = check_between("validation", validation, 0, 1) + check_between("test", test, 0, 1)
    if total >= 1:
        raise ValueError(
            f"validation and test must together stay below 1 to leave rows in train, "
            f"got {validation} and {test}"
        )
