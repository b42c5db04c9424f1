"""What skip-gram with negative sampling minimises, whichever engine does it, and how well.

A pair of a centre and a context has the loss

    -log σ(h · o_target)  -  sum over N drawn negatives n of log σ(-h · o_n)

with h and o rows of the *input* and the *output* table (Mikolov et al. 2013, equation 4,
doi:10.48550/arXiv.1310.4546).  Skip-gram: h is the centre's row, the target one context.  CBOW:
h is the mean of the contexts' rows, the target the centre.

Axes: I items, B batch, C contexts, N negatives, D dimension.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_between, check_count, check_option
from companion.alias import alias_draw, alias_setup
from companion.sequences import Sequences
from companion.sgns.noise import noise_distribution
from companion.sgns.pairs import (
    NO_CONTEXT,
    Window,
    context_windows,
    epoch_order,
    skip_gram_pairs,
    width_law,
)

Mode = Literal["skipgram", "cbow"]
Tables = tuple[NDArray[np.float32], NDArray[np.float32]]
PROBE_CENTRES = 4_096
PROBE_PAIRS = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is learned: the hyperparameters that every engine shares.

    Parameters
    ----------
    mode : {"skipgram", "cbow"}
    window : int or "all"
    distance_decay : float in (0, 1], optional
        See `companion.sgns.pairs.width_law`.
    negatives : int
        N, at least 1.
    noise_exponent : float
        See `companion.sgns.noise.noise_distribution`.
    mask_accidental : bool
        Leave out a drawn negative that is the target itself.
    shared_matrix : bool
        One table for both roles.

    Raises
    ------
    ValueError, TypeError
        If a value is out of its range, or of another type.
    """

    mode: Mode = "skipgram"
    window: Window = 5
    distance_decay: float | None = None
    negatives: int = 5
    noise_exponent: float = 0.75
    mask_accidental: bool = True
    shared_matrix: bool = False

    def __post_init__(self) -> None:
        check_option("mode", self.mode, ("skipgram", "cbow"))
        width_law(self.window, self.distance_decay)
        check_count("negatives", self.negatives)
        check_between("noise_exponent", self.noise_exponent, -np.inf, np.inf, open_ends=True)
        for name in ("mask_accidental", "shared_matrix"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")

    def noise(self, counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return the alias table of the noise distribution over items with these counts."""
        return alias_setup(noise_distribution(counts, self.noise_exponent))


class Engine(Protocol):
    """Turns sequences into two tables, one epoch at a time."""

    def run_epoch(
        self, sequences: Sequences, rates: tuple[float, float], *, rng: np.random.Generator
    ) -> None:
        """Meet every centre once, the learning rate falling from the first rate to the second."""
        ...

    def tables(self) -> Tables:
        """Return the input and the output table as they stand, shape (I, D) each."""
        ...


def start_tables(n_items: int, dim: int, *, rng: np.random.Generator) -> Tables:
    """Return the tables to start from: input uniform in ±1/(2 √D), output zero.

    word2vec starts smaller, at ±1/(2 D).  The first steps of the outputs are as long as the
    inputs, so rows of a length that does not shrink with D save an epoch or two.
    """
    spread = rng.random((n_items, check_count("dim", dim)), dtype=np.float32) - np.float32(0.5)
    return spread / np.float32(math.sqrt(dim)), np.zeros((n_items, dim), dtype=np.float32)


class LossProbe:
    """Measures the loss on a fixed sample of centres, with fixed negatives.

    Every engine is measured by the same ruler, after an epoch rather than during it, so that
    curves of different engines can be laid over each other.

    Parameters
    ----------
    objective : Objective
    sequences : Sequences
        What is trained on.
    counts : array of int, shape (I,)
    rng : numpy.random.Generator
        Chooses the centres, their widths and the negatives, once.
    """

    def __init__(
        self,
        objective: Objective,
        sequences: Sequences,
        counts: NDArray[np.int64],
        *,
        rng: np.random.Generator,
    ) -> None:
        sample = _some_sequences(sequences, rng)
        if objective.window == "all":  # the pairs of a set, not of neighbours in it
            sample = epoch_order(sample, rng=rng, as_sets=True)
        blocks = (objective.window, objective.distance_decay)
        if objective.mode == "skipgram":
            block = len(sample.items)  # all at once; the pairs come shuffled
            centres, targets = next(skip_gram_pairs(sample, *blocks, rng=rng, block=block))
            contexts, targets = centres[:PROBE_PAIRS, None], targets[:PROBE_PAIRS]
        else:
            targets, contexts = next(context_windows(sample, *blocks, rng=rng))
            alone = (contexts == NO_CONTEXT).all(axis=1)
            targets, contexts = targets[~alone], contexts[~alone]
        self.contexts, self.targets = contexts, targets  # (B, C), (B,)
        shape = (len(targets), objective.negatives)
        self.negatives = alias_draw(*objective.noise(counts), shape, rng=rng)  # (B, N)
        hits = (self.negatives == targets[:, None]) & objective.mask_accidental
        self.counted = ~hits

    def loss(self, tables: Tables) -> float:
        """Return the mean loss of a pair."""
        starts = range(0, len(self.targets), PROBE_CENTRES)
        parts = [slice(start, start + PROBE_CENTRES) for start in starts]
        with np.errstate(over="ignore", invalid="ignore"):  # diverged: infinity or NaN says it
            return float(np.concatenate([self._losses(tables, part) for part in parts]).mean())

    def _losses(self, tables: Tables, part: slice) -> NDArray[np.floating[Any]]:
        """Return the loss of each pair of a part of the sample."""
        inputs, outputs = tables
        hidden = mean_of_contexts(inputs, self.contexts[part])  # (B, D)
        up = np.einsum("bd,bd->b", hidden, outputs[self.targets[part]])
        down = np.einsum("bd,bnd->bn", hidden, outputs[self.negatives[part]])
        # -log σ(s) = log(1 + exp(-s)), as logaddexp: finite at any finite s.
        missed = np.logaddexp(0.0, down) * self.counted[part]
        return np.logaddexp(0.0, -up) + missed.sum(axis=1)


def mean_of_contexts(
    table: NDArray[np.float32], contexts: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Return the mean row of each list of contexts, padding left out; shape (B, D)."""
    real = contexts != NO_CONTEXT
    rows = table[np.where(real, contexts, 0)] * real[:, :, None]  # (B, C, D)
    counts = np.maximum(real.sum(axis=1, keepdims=True), 1).astype(np.float32)
    return rows.sum(axis=1) / counts


def _some_sequences(sequences: Sequences, rng: np.random.Generator) -> Sequences:
    """Return whole sequences, drawn at random, until they hold enough centres."""
    order = rng.permutation(np.flatnonzero(sequences.lengths() >= 2))
    if len(order) == 0:
        raise ValueError("sequences must hold one of two items or more, got none")
    enough = np.searchsorted(np.cumsum(sequences.lengths()[order]), PROBE_CENTRES) + 1
    chosen = [sequences[s][:PROBE_CENTRES] for s in order[:enough]]
    lengths = [len(items) for items in chosen]
    return Sequences(np.concatenate(chosen), np.concatenate([[0], np.cumsum(lengths)]))
