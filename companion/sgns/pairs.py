"""Step two: who is whose context.

A *centre* is a place in a sequence; its *contexts* are the places within a width of it, drawn
anew for every centre and epoch.  One law decides how wide: P(width >= d).

* word2vec's dynamic window draws the width uniformly from 1 .. window, so a context at distance d
  counts with probability (window - d + 1) / window (Mikolov et al. 2013,
  doi:10.48550/arXiv.1301.3781);
* a ``distance_decay`` of g gives g^(d - 1), and 1.0 the whole window, always;
* ``window="all"`` sees a *set* (Barkan and Koenigstein 2016, doi:10.1109/MLSP.2016.7738886):
  every sequence is shuffled anew in every epoch, and a whole window of five places on each side
  then holds ten others drawn at random, or all of a small set.  No pair is ever stored.

Axes: B centres at a time, C = 2 * window places for contexts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_between, check_count
from companion.sequences import Sequences

Window = int | Literal["all"]
SET_WINDOW = 5  # places on each side after shuffling; the set view's ten draws a centre
NO_CONTEXT = -1
CENTRES_AT_A_TIME = 8_192


def width_law(window: Window, distance_decay: float | None = None) -> NDArray[np.float64]:
    """Return P(width >= d) for the distances d = 1 .. window; it falls from 1.

    Parameters
    ----------
    window : int or "all"
        At least 1.  "all" has the law of a whole window of five, after shuffling.
    distance_decay : float in (0, 1], optional
        None: word2vec's dynamic window.

    Raises
    ------
    ValueError
        If an argument is out of range, or "all" is given a decay: a set has no distance.
    TypeError
        If ``window`` is neither an integer nor "all".

    Examples
    --------
    >>> width_law(4).tolist(), width_law(3, 0.5).tolist()
    ([1.0, 0.75, 0.5, 0.25], [1.0, 0.5, 0.25])
    """
    if distance_decay is not None:
        check_between("distance_decay", distance_decay, 0, 1)
        if distance_decay == 0:
            raise ValueError("distance_decay must lie in (0, 1], got 0: use window=1")
    if isinstance(window, str):
        if window != "all":
            raise ValueError(f'window must be an integer of at least 1 or "all", got {window!r}')
        if distance_decay is not None:
            raise ValueError('distance_decay needs an ordered window: window="all" has none')
        return np.ones(SET_WINDOW)
    size = check_count("window", window)
    if distance_decay is None:
        return np.arange(size, 0, -1) / size
    return np.asarray(distance_decay ** np.arange(size), dtype=np.float64)


def expected_pairs(
    lengths: NDArray[np.int64], window: Window, distance_decay: float | None = None
) -> float:
    """Predict how many pairs an epoch has, from the lengths of the sequences alone.

    A sequence of length L holds L - d places with a neighbour d further on, and each of the two
    takes the other in with probability P(width >= d):  sum over d of 2 (L - d) P(width >= d).
    Where the law is 1 everywhere this is exact.

    Examples
    --------
    Four items in a whole window of two: each end sees two, each item between sees three.

    >>> expected_pairs(np.array([4]), 2, distance_decay=1.0)
    10.0
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    law = width_law(window, distance_decay)[: lengths.max(initial=0)]
    return float(
        sum(2 * keep * np.maximum(lengths - d, 0).sum() for d, keep in enumerate(law, start=1))
    )


def epoch_order(
    sequences: Sequences,
    *,
    rng: np.random.Generator,
    keep: NDArray[np.float64] | None = None,
    as_sets: bool = False,
) -> Sequences:
    """Return the sequences as one epoch meets them: thinned out, in a new order.

    Parameters
    ----------
    sequences : Sequences
    rng : numpy.random.Generator
    keep : array of float, shape (I,), optional
        Probability with which a place is kept, by item (`companion.sgns.noise.keep_probability`).
        A sequence closes over what was dropped.
    as_sets : bool
        Shuffle inside every sequence as well.

    Examples
    --------
    >>> words = Sequences(np.arange(5, dtype=np.int32), np.array([0, 2, 5]))
    >>> [s.tolist() for s in epoch_order(words, rng=np.random.default_rng(3))]
    [[2, 3, 4], [0, 1]]
    """
    if keep is not None:
        kept = rng.random(len(sequences.items)) < keep[sequences.items]
        before = np.concatenate([[0], np.cumsum(kept)])
        sequences = Sequences(sequences.items[kept], before[sequences.offsets])
    ordered = sequences.take(rng.permutation(len(sequences)))
    if not as_sets:
        return ordered
    owner = np.repeat(np.arange(len(ordered)), ordered.lengths())
    shuffled = np.argsort(owner + rng.random(len(owner)), kind="stable")
    return Sequences(ordered.items[shuffled], ordered.offsets)


def context_windows(
    sequences: Sequences,
    window: Window,
    distance_decay: float | None = None,
    *,
    rng: np.random.Generator,
    block: int = CENTRES_AT_A_TIME,
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Walk over all centres with their contexts, in bounded memory.

    Parameters
    ----------
    sequences : Sequences
        As `epoch_order` returns them.
    window, distance_decay
        As in `width_law`.
    rng : numpy.random.Generator
    block : int
        Centres at a time; memory is ``block`` x C codes, however long a sequence is.

    Yields
    ------
    centres : array of int32, shape (B,)
    contexts : array of int32, shape (B, C)
        From the farthest before to the farthest after; `NO_CONTEXT` where there is none.

    Examples
    --------
    >>> words = Sequences(np.array([7, 8, 9], dtype=np.int32), np.array([0, 3]))
    >>> for centres, contexts in context_windows(words, 1, rng=np.random.default_rng(0)):
    ...     print(dict(zip(centres.tolist(), contexts.tolist())))
    {7: [-1, 8], 8: [7, 9], 9: [8, -1]}
    """
    lengths = sequences.lengths()
    law = width_law(window, distance_decay)[: max(lengths.max(initial=0) - 1, 1)]
    distances = np.arange(1, len(law) + 1)  # none beyond the longest sequence
    steps = np.concatenate([-distances[::-1], distances])
    first = np.repeat(sequences.offsets[:-1], lengths)
    beyond = np.repeat(sequences.offsets[1:], lengths)
    for start in range(0, len(sequences.items), check_count("block", block)):
        centres = np.arange(start, min(start + block, len(sequences.items)))
        widths = (rng.random((len(centres), 1)) < law).sum(axis=1)  # the law falls: a prefix
        places = centres[:, None] + steps  # (B, C)
        inside = (places >= first[centres, None]) & (places < beyond[centres, None])
        inside &= np.abs(steps) <= widths[:, None]
        contexts = sequences.items[np.where(inside, places, 0)]
        yield sequences.items[centres], np.where(inside, contexts, np.int32(NO_CONTEXT))


def skip_gram_pairs(
    sequences: Sequences,
    window: Window,
    distance_decay: float | None = None,
    *,
    rng: np.random.Generator,
    block: int = CENTRES_AT_A_TIME,
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield (centres, contexts), both of shape (B,): one entry a pair, shuffled in its block.

    Parameters are those of `context_windows`.

    Examples
    --------
    >>> words = Sequences(np.array([7, 8, 9], dtype=np.int32), np.array([0, 3]))
    >>> pairs = skip_gram_pairs(words, 1, rng=np.random.default_rng(0))
    >>> sorted(zip(*(column.tolist() for column in next(pairs))))
    [(7, 8), (8, 7), (8, 9), (9, 8)]
    """
    for centres, contexts in context_windows(
        sequences, window, distance_decay, rng=rng, block=block
    ):
        rows, columns = np.nonzero(contexts != NO_CONTEXT)
        order = rng.permutation(len(rows))
        yield centres[rows[order]], contexts[rows[order], columns[order]]
