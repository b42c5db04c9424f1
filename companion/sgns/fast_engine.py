"""The fast engine: the same steps compiled, with negatives shared by the contexts of a centre.

A centre's contexts are taken in pairs.  Both meet one set of N negatives, each of which is
weighted by the contexts it stands in for: the expected gradient is that of
`companion.sgns.objective`, while two contexts cost 2 + N dot products in place of 2 (1 + N), and
the centre's row stays in the processor's nearest cache (sharing after Ji, Satish, Li and Dubey
2016, doi:10.48550/arXiv.1604.04661, who share among all contexts of a window).

Axes: I items, D dimension, N negatives.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from companion._optional import require
from companion.sequences import Sequences
from companion.sgns.objective import Objective, Tables
from companion.sgns.pairs import width_law

PARTS_A_THREAD = 8  # an interruption waits for the parts that run


class FastEngine:
    """Stochastic gradient descent on `Objective`, compiled by numba.

    One thread gives the same tables for the same seed.  Several threads write to the tables
    without locks (Recht et al. 2011, Hogwild!): they now and then overwrite each other's steps,
    so two runs differ in detail and agree statistically.

    The parameters are those of `companion.sgns.train.make_engine`.

    Raises
    ------
    ImportError
        If numba is not installed; the message names the extra.
    """

    def __init__(
        self,
        objective: Objective,
        tables: Tables,
        counts: NDArray[np.int64],
        *,
        threads: int = 1,
    ) -> None:
        require("numba", extra="fast")
        self.objective, self.threads = objective, threads
        self._accept, self._alias = objective.noise(counts)
        self._law = width_law(objective.window, objective.distance_decay)
        inputs = np.ascontiguousarray(tables[0], dtype=np.float32).copy()
        shared = objective.shared_matrix
        self._inputs = inputs
        self._outputs = inputs if shared else np.ascontiguousarray(tables[1], np.float32).copy()

    def run_epoch(
        self, sequences: Sequences, rates: tuple[float, float], *, rng: np.random.Generator
    ) -> None:
        """Meet every centre once, the learning rate falling from the first rate to the second."""
        bounds = _parts(sequences, self.threads)
        seeds = rng.integers(1, 2**63, size=len(bounds), dtype=np.uint64)
        with ThreadPoolExecutor(self.threads) as pool:
            parts = [
                pool.submit(self._run_part, sequences, part, rates, seed)
                for part, seed in zip(bounds, seeds, strict=True)
            ]
            try:
                for part in parts:
                    part.result()
            except BaseException:  # no thread may still write when the caller reads the tables
                pool.shutdown(cancel_futures=True)
                raise

    def tables(self) -> Tables:
        """Return copies of the input and the output table, shape (I, D) each."""
        return self._inputs.copy(), self._outputs.copy()

    def _run_part(
        self,
        sequences: Sequences,
        part: tuple[int, int],
        rates: tuple[float, float],
        seed: np.uint64,
    ) -> None:
        from companion.sgns import _kernels  # compiles at the first call, so not before

        total = max(len(sequences.items), 1)
        places = (int(sequences.offsets[s]) for s in part)
        start, end = (rates[0] + (rates[1] - rates[0]) * place / total for place in places)
        _kernels.walk(
            sequences.items,
            sequences.offsets,
            part[0],
            part[1],
            self.objective.mode == "cbow",
            self._law[: max(int(sequences.lengths().max(initial=0)) - 1, 1)],  # none reach further
            self.objective.negatives,
            self.objective.mask_accidental,
            self._inputs,
            self._outputs,
            self._accept,
            self._alias,
            start,
            end,
            np.array([seed], dtype=np.uint64),
        )


def _parts(sequences: Sequences, threads: int) -> list[tuple[int, int]]:
    """Cut the sequences into consecutive parts of about as many places each."""
    n_parts = threads * PARTS_A_THREAD
    marks = np.linspace(0, len(sequences.items), n_parts + 1)
    cuts = np.unique(np.searchsorted(sequences.offsets, marks))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
