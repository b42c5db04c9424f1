"""Who had what, and when: the one table that every method of this book starts from.

Inside the package users and items are *codes*, the row numbers 0 .. U-1 and 0 .. I-1; the
caller's own ids stay at the edge, in ``user_ids`` and ``item_ids``.  Rows stand in one
canonical order: by user code, then by time, ties in the order of the input.  So a user's
history is a slice, and "the last item" always means the same row.

Axes: U users, I items, L history length; n rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import check_count
from companion._frames import (
    align,
    as_times,
    as_weights,
    canonical_order,
    check_frame,
    factorize,
    lookup,
    row_numbers,
)
from companion.sequences import Sequences


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Interactions of U users with I items; make one with `Interactions.from_frame`.

    Parameters
    ----------
    users, items : array of int32, shape (n,)
        Codes, in canonical order.
    user_ids, item_ids : pandas.Index, shapes (U,) and (I,)
        The caller's id of each code.
    timestamps : array of int64 or float64, shape (n,), or None
    weights : array of float32, shape (n,), or None
        Non-negative: ratings, quantities, seconds watched.
    basket_codes : array of int32, shape (n,), or None
        Which rows were bought together, numbered by first appearance in the input.
    user_features, item_features : pandas.DataFrame or None
        One row a code; the index holds the ids.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    user_ids: pd.Index[Any]
    item_ids: pd.Index[Any]
    timestamps: NDArray[Any] | None = None
    weights: NDArray[np.float32] | None = None
    basket_codes: NDArray[np.int32] | None = None
    user_features: pd.DataFrame | None = None
    item_features: pd.DataFrame | None = None

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user: str = "user",
        item: str = "item",
        timestamp: str | None = "timestamp",
        weight: str | None = None,
        basket: str | None = None,
        *,
        user_features: pd.DataFrame | None = None,
        item_features: pd.DataFrame | None = None,
    ) -> Self:
        """Build interactions from a table with one row an event.

        Parameters
        ----------
        frame : pandas.DataFrame
            At least one row.  It is not changed.
        user, item : str
            Columns of ids: any hashable values, none of them missing.
        timestamp : str or None
            Column of numbers or datetimes (stored as seconds since 1970, UTC where no zone is
            given); None: the log has no time, and the order of the input stands for it.
        weight : str, optional
            Column of finite numbers of at least 0.
        basket : str, optional
            Column of basket ids.
        user_features, item_features : pandas.DataFrame, optional
            Indexed by id.  Ids of the log without a row get missing values.

        Returns
        -------
        Interactions
            Codes are numbered by first appearance in the input.

        Raises
        ------
        KeyError
            If a named column does not exist; the message lists those that do.
        TypeError
            If ``frame`` is no DataFrame, or an id is not hashable.
        ValueError
            If the frame is empty, or has a named column twice; an id is missing; a timestamp is
            not a number or is missing; a weight is negative, infinite or missing; features
            repeat an id or hold an id that the log does not.

        Examples
        --------
        >>> log = pd.DataFrame({"user": ["ann", "bob", "ann"], "item": ["tea", "tea", "jam"],
        ...                     "timestamp": [30, 10, 20]})
        >>> data = Interactions.from_frame(log)
        >>> data.n_users, data.n_items, len(data)
        (2, 2, 3)
        >>> [str(data.item_ids[code]) for code in data.sequences()[0]]  # ann, oldest first
        ['jam', 'tea']
        """
        columns = [name for name in (user, item, timestamp, weight, basket) if name is not None]
        check_frame(frame, columns)
        users, user_ids = factorize(frame, user)
        items, item_ids = factorize(frame, item)
        times = None if timestamp is None else as_times(frame[timestamp], timestamp)
        order = canonical_order(users, times, len(user_ids))
        return cls(
            users=users[order],
            items=items[order],
            user_ids=user_ids,
            item_ids=item_ids,
            timestamps=None if times is None else times[order],
            weights=None if weight is None else as_weights(frame[weight], weight)[order],
            basket_codes=None if basket is None else factorize(frame, basket)[0][order],
            user_features=align(user_features, user_ids, "user_features"),
            item_features=align(item_features, item_ids, "item_features"),
        )

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_users(self) -> int:
        """The number U of users in the vocabulary, also those without a row here."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """The number I of items in the vocabulary, also those without a row here."""
        return len(self.item_ids)

    def user_codes(self, ids: Sequence[Hashable]) -> NDArray[np.int32]:
        """Return the codes of user ids; KeyError names the unknown ones."""
        return lookup(self.user_ids, ids, "user")

    def item_codes(self, ids: Sequence[Hashable]) -> NDArray[np.int32]:
        """Return the codes of item ids; KeyError names the unknown ones."""
        return lookup(self.item_ids, ids, "item")

    def user_code(self, user_id: Hashable) -> int:
        """Return the code of one user id; KeyError if it is unknown."""
        return int(self.user_codes([user_id])[0])

    def item_code(self, item_id: Hashable) -> int:
        """Return the code of one item id; KeyError if it is unknown."""
        return int(self.item_codes([item_id])[0])

    def user_counts(self) -> NDArray[np.int64]:
        """Count the rows of each user; shape (U,)."""
        return np.bincount(self.users, minlength=self.n_users).astype(np.int64)

    def item_counts(self) -> NDArray[np.int64]:
        """Count the rows of each item; shape (I,)."""
        return np.bincount(self.items, minlength=self.n_items).astype(np.int64)

    def to_csr(self, *, binary: bool = False, last: int | None = None) -> sparse.csr_array:
        """Return the users x items matrix, shape (U, I), float32, columns sorted.

        A cell is the sum of the weights of its rows, or their number where there are no
        weights; with ``binary=True`` it is 1.  Cells whose weights are all 0 stay stored.
        ``last`` keeps the newest so many rows of each user.
        """
        if last is not None:
            return self.take(self.rank_from_newest() <= check_count("last", last)).to_csr(
                binary=binary
            )
        values = np.ones(len(self), dtype=np.float32) if self.weights is None else self.weights
        matrix = sparse.coo_array((values, (self.users, self.items)), self._shape).tocsr()
        matrix.sort_indices()
        if binary:
            matrix.data[:] = 1.0
        return matrix

    def sequences(self, max_length: int | None = None) -> Sequences:
        """Return one sequence of item codes a user, oldest first; U sequences.

        ``max_length`` keeps the newest so many of each.  A user without rows has an empty one.
        """
        if max_length is not None:
            return self.take(
                self.rank_from_newest() <= check_count("max_length", max_length)
            ).sequences()
        return Sequences(self.items, np.concatenate([[0], np.cumsum(self.user_counts())]))

    def baskets(self) -> Sequences:
        """Return one sequence of item codes a basket, numbered by first appearance.

        Raises ValueError if the log was read without a ``basket`` column.
        """
        if self.basket_codes is None:
            raise ValueError("baskets need a basket column: from_frame(frame, basket=...)")
        order = np.argsort(self.basket_codes, kind="stable")
        _, counts = np.unique(self.basket_codes, return_counts=True)
        return Sequences(self.items[order], np.concatenate([[0], np.cumsum(counts)]))

    def take(self, rows: ArrayLike) -> Self:
        """Return some of the rows, in canonical order, with the same vocabularies.

        ``rows`` is a boolean mask, shape (n,), or an array of row numbers in 0 .. n-1, in any
        order; a number given twice counts once.
        """
        chosen = row_numbers(rows, len(self))
        return replace(
            self,
            users=self.users[chosen],
            items=self.items[chosen],
            timestamps=None if self.timestamps is None else self.timestamps[chosen],
            weights=None if self.weights is None else self.weights[chosen],
            basket_codes=None if self.basket_codes is None else self.basket_codes[chosen],
        )

    def filter(self, *, min_user: int = 1, min_item: int = 1) -> Self:
        """Drop rare users and items until none is left, and number the rest anew.

        Parameters
        ----------
        min_user, min_item : int
            Fewest rows a user and an item must have.  Dropping the one can bring the other
            below its bound, so both are applied until nothing changes.

        Raises
        ------
        ValueError
            If no row is left.
        """
        check_count("min_user", min_user)
        check_count("min_item", min_item)
        kept = self
        while True:
            good = (kept.user_counts() >= min_user)[kept.users]
            good &= (kept.item_counts() >= min_item)[kept.items]
            if good.all():
                break
            kept = kept.take(good)
        if len(kept) == 0:
            raise ValueError(f"min_user={min_user} and min_item={min_item} leave no row")
        return kept._without_absentees()

    def n_repeats(self) -> int:
        """Count the rows whose (user, item) pair stands in an earlier row."""
        return len(self) - self.to_csr(binary=True).nnz

    def tied_timestamps(self) -> int:
        """Count the rows that share user and timestamp with another row.

        Among these the order is that of the input, which is an accident of the file.
        """
        if self.timestamps is None:
            raise ValueError("tied_timestamps needs timestamps: the log was read without them")
        same = (np.diff(self.users) == 0) & (np.diff(self.timestamps) == 0)
        tied = np.zeros(len(self), dtype=bool)
        tied[1:] |= same
        tied[:-1] |= same
        return int(tied.sum())

    def describe(self) -> pd.Series[Any]:
        """Return the numbers one asks for first: sizes, density, repeats, ties, time span."""
        pairs = len(self) - self.n_repeats()
        facts: dict[str, Any] = {
            "rows": len(self),
            "users": self.n_users,
            "items": self.n_items,
            "cells observed": pairs / (self.n_users * self.n_items),
            "repeated pairs": self.n_repeats(),
        }
        if self.timestamps is not None and len(self):
            facts["rows with a tied timestamp"] = self.tied_timestamps()
            facts["first timestamp"] = self.timestamps.min()
            facts["last timestamp"] = self.timestamps.max()
        return pd.Series(facts, dtype=object)

    def fingerprint(self) -> str:
        """Return a SHA-256 over rows and ids (not features): the same data, the same print."""
        digest = hashlib.sha256(repr((len(self), self._shape)).encode())
        for column in (self.users, self.items, self.timestamps, self.weights, self.basket_codes):
            digest.update(b"none" if column is None else np.ascontiguousarray(column).tobytes())
        for ids in (self.user_ids, self.item_ids):
            digest.update("".join(f"{identity!r}\0" for identity in ids.tolist()).encode())
        return digest.hexdigest()

    @property
    def _shape(self) -> tuple[int, int]:
        return self.n_users, self.n_items

    def rank_from_newest(self) -> NDArray[np.int64]:
        """Return for each row its place in the user's history from the end; the newest is 1."""
        return np.cumsum(self.user_counts())[self.users] - np.arange(len(self))

    def _without_absentees(self) -> Self:
        """Renumber users and items, leaving out those without a row."""
        here_users, here_items = self.user_counts() > 0, self.item_counts() > 0
        user_features, item_features = self.user_features, self.item_features
        return replace(
            self,
            users=(np.cumsum(here_users) - 1).astype(np.int32)[self.users],
            items=(np.cumsum(here_items) - 1).astype(np.int32)[self.items],
            user_ids=self.user_ids[here_users],
            item_ids=self.item_ids[here_items],
            user_features=None if user_features is None else user_features[here_users],
            item_features=None if item_features is None else item_features[here_items],
        )


def check_interactions(data: object, *, with_rows: bool = False) -> None:
    """Raise TypeError unless ``data`` are Interactions, ValueError if rows are missing.

    Examples
    --------
    >>> check_interactions(pd.DataFrame())
    Traceback (most recent call last):
        ...
    TypeError: data must be Interactions (see Interactions.from_frame), got DataFrame
    """
    if not isinstance(data, Interactions):
        kind = type(data).__name__
        raise TypeError(f"data must be Interactions (see Interactions.from_frame), got {kind}")
    if with_rows and len(data) == 0:
        raise ValueError("data must have at least one row, got none")
