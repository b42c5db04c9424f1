"""Many lists of item codes in one array: histories, baskets, walks.

Axes: L history length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from companion._checks import check_count


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Many lists of item codes, end to end in one array.

    Parameters
    ----------
    items : array of int32, shape (total,)
        Item codes of all sequences.
    offsets : array of int64, shape (n + 1,)
        Sequence ``s`` is ``items[offsets[s]:offsets[s + 1]]``.

    Both are kept as views that cannot be written to: often the items are those of a log.

    Examples
    --------
    >>> sequences = Sequences(np.array([4, 2, 7], dtype=np.int32), np.array([0, 2, 3]))
    >>> [s.tolist() for s in sequences]
    [[4, 2], [7]]
    """

    items: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("items", "offsets"):
            view = np.asarray(getattr(self, name)).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, position: int) -> NDArray[np.int32]:
        if not -len(self) <= position < len(self):
            raise IndexError(f"there are {len(self)} sequences, got position {position}")
        position %= len(self)
        return self.items[self.offsets[position] : self.offsets[position + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[position] for position in range(len(self)))

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of items of each sequence."""
        return np.diff(self.offsets)

    def take(self, positions: NDArray[np.integer]) -> Sequences:
        """Return some of the sequences, in the order of ``positions``."""
        lengths = self.lengths()[positions]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[:-1][positions] - offsets[:-1], lengths)
        places += np.arange(offsets[-1])  # in place: of walks there are many
        return Sequences(self.items[places], offsets)

    def newest(self, n: int) -> Sequences:
        """Return the last n items of each sequence, or all of a shorter one."""
        lengths = self.lengths()
        from_end = np.repeat(self.offsets[1:], lengths) - np.arange(len(self.items))  # last is 1
        kept = np.minimum(lengths, check_count("n", n, minimum=0))
        return Sequences(self.items[from_end <= n], np.concatenate([[0], np.cumsum(kept)]))

    def recode(self, codes: NDArray[np.integer]) -> Sequences:
        """Put ``codes[item]`` in the place of each item; leave out those whose new code is -1.

        New codes must fit into int32; that is not checked.

        Examples
        --------
        >>> sequences = Sequences(np.array([0, 1, 2], dtype=np.int32), np.array([0, 2, 3]))
        >>> [s.tolist() for s in sequences.recode(np.array([5, -1, 7]))]
        [[5], [7]]
        """
        new = codes.astype(np.int32)[self.items]  # in this order: there are fewer codes than items
        known = new >= 0
        if known.all():
            return Sequences(new, self.offsets)
        kept_before = np.concatenate([[0], np.cumsum(known)])
        return Sequences(new[known], kept_before[self.offsets])

    def weights_of_mean(self, n_items: int, *, decay: float = 1.0) -> sparse.csr_array:
        """Return how much each item counts in the mean of each sequence; shape (n, I).

        Every place has ``decay`` times the weight of the next newer one, and the weights of a
        sequence sum to 1; an empty one has none.
        """
        lengths = self.lengths()
        age = np.repeat(self.offsets[1:], lengths) - 1 - np.arange(len(self.items))
        weights = np.asarray(decay, dtype=np.float64) ** age
        before = np.concatenate([[0.0], np.cumsum(weights)])
        totals = np.repeat(np.diff(before[self.offsets]), lengths)
        shape = (len(self), n_items)
        return sparse.csr_array(
            ((weights / totals).astype(np.float32), self.items, self.offsets), shape=shape
        )
