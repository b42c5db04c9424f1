"""Step one: which items get a vector, and the sequences written in their codes.

Axes: I items with a vector.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from companion._checks import check_count, refuse_one_string
from companion.interactions import Interactions
from companion.sequences import Sequences


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The items that get a vector, and how often each stands in the sequences.

    Parameters
    ----------
    ids : pandas.Index, shape (I,)
        The caller's ids; row i of every table belongs to ``ids[i]``.
    counts : array of int64, shape (I,)
    """

    ids: pd.Index[Any]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, sequences: Sequences, item_ids: pd.Index[Any]) -> Sequences:
        """Rewrite sequences of codes of ``item_ids`` in the codes of this vocabulary.

        Items without a vector are left out, and the sequence closes over the gap.

        Examples
        --------
        >>> tea_jam = Vocabulary(pd.Index(["tea", "jam"]), np.array([2, 1]))
        >>> shopping = Sequences(np.array([0, 1, 2], dtype=np.int32), np.array([0, 3]))
        >>> tea_jam.encode(shopping, pd.Index(["jam", "ink", "tea"]))[0]
        array([1, 0], dtype=int32)
        """
        return sequences.recode(self.ids.get_indexer(item_ids))

    def extended(self, other: Vocabulary, *, min_count: int = 1) -> Vocabulary:
        """Add the counts of ``other``; its new items come after those there are.

        ``min_count`` holds for new items alone, and their rows in ``other`` alone.
        """
        check_count("min_count", min_count)
        own, others = self.ids, other.ids
        known = own.get_indexer(others) >= 0
        kept = known | (other.counts >= min_count)
        ids = own.append(others[kept & ~known])
        counts = np.zeros(len(ids), dtype=np.int64)
        counts[: len(own)] = self.counts
        counts[ids.get_indexer(others[kept])] += other.counts[kept]
        return Vocabulary(ids, counts)


def build_vocabulary(
    sequences: Sequences, item_ids: pd.Index[Any], *, min_count: int = 1
) -> Vocabulary:
    """Count the items of the sequences and keep those that stand there often enough.

    Parameters
    ----------
    sequences : Sequences
        Codes of ``item_ids``.
    item_ids : pandas.Index
        The caller's id of each code.
    min_count : int
        Fewest places an item must have to get a vector.

    Returns
    -------
    Vocabulary
        In the order of ``item_ids``.

    Raises
    ------
    ValueError
        If fewer than two items are left: one item alone has nothing to be near to.

    Examples
    --------
    >>> baskets = Sequences(np.array([0, 1, 0, 2], dtype=np.int32), np.array([0, 2, 4]))
    >>> vocabulary = build_vocabulary(baskets, pd.Index(["tea", "jam", "ink"]))
    >>> dict(zip(vocabulary.ids, vocabulary.counts.tolist()))
    {'tea': 2, 'jam': 1, 'ink': 1}
    """
    check_count("min_count", min_count)
    counts = np.bincount(sequences.items, minlength=len(item_ids)).astype(np.int64)
    kept = counts >= min_count
    if kept.sum() < 2:
        raise ValueError(
            f"data must hold at least two distinct items with {min_count} rows or more, "
            f"got {kept.sum()}"
        )
    return Vocabulary(item_ids[kept], counts[kept])


def as_interactions(data: Interactions | Iterable[Sequence[Hashable]]) -> Interactions:
    """Return interactions as they are, and lists of ids as interactions: one user a list.

    Parameters
    ----------
    data : Interactions, or iterable of sequences of ids
        The lists are numbered from 0 and keep their order; an empty one is a user without rows.

    Raises
    ------
    TypeError
        If ``data`` is neither, or a list is one string, or an id is not hashable.
    ValueError
        If there is no id at all, or one is missing (None or NaN).

    Examples
    --------
    >>> data = as_interactions([["tea", "jam"], [], ["jam", 7]])
    >>> data.n_users, data.n_items, len(data)
    (3, 3, 4)
    """
    if isinstance(data, Interactions):
        return data
    lists = _as_lists(data)
    lengths = [len(ids) for ids in lists]
    flat = np.empty(sum(lengths), dtype=object)
    flat[:] = list(chain.from_iterable(lists))
    if len(flat) == 0:
        raise ValueError("data must hold at least one id, got empty sequences only")
    frame = pd.DataFrame({"user": np.repeat(np.arange(len(lists)), lengths), "item": flat})
    log = Interactions.from_frame(frame, timestamp=None)
    owners = log.user_ids.to_numpy().astype(np.int32)[log.users]  # count the empty lists too
    return replace(log, users=owners, user_ids=pd.RangeIndex(len(lists)))


def _as_lists(data: object) -> list[list[Hashable]]:
    refuse_one_string("data", data)
    if isinstance(data, pd.DataFrame | Mapping) or not isinstance(data, Iterable):
        raise TypeError(
            "data must be Interactions (see Interactions.from_frame) or a list of sequences of "
            f"ids, got {type(data).__name__}"
        )
    lists = []
    for ids in data:
        refuse_one_string("a sequence of data", ids)
        if isinstance(ids, set | frozenset):
            raise TypeError(
                "a sequence of data must have an order, and a set has another one in each "
                "process: pass sorted(ids)"
            )
        if not isinstance(ids, Iterable):
            raise TypeError(f"data must hold sequences of ids, got {type(ids).__name__}")
        lists.append(list(ids))
    return lists
