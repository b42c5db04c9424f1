"""The loop over epochs that every engine shares.

Axes: I items, D dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from companion._checks import check_count, check_option
from companion._optional import require
from companion.sequences import Sequences
from companion.sgns.noise import keep_probability
from companion.sgns.objective import Engine, LossProbe, Objective, Tables
from companion.sgns.pairs import epoch_order

EngineName = Literal["torch", "fast", "gensim"]
DIVERGED = 100.0  # times the loss of vectors that are zero; healthy training stays far below
LAST_RATE = 1e-4  # word2vec's: the learning rate ends here, or at its start if that is lower


def make_engine(
    name: EngineName,
    objective: Objective,
    tables: Tables,
    counts: NDArray[np.int64],
    *,
    threads: int = 1,
    device: str = "auto",
    seed: int = 0,
) -> Engine:
    """Return the engine of that name, set to start from ``tables``.

    Parameters
    ----------
    name : {"torch", "fast", "gensim"}
    objective : Objective
    tables : pair of arrays of float32, shape (I, D)
        Where to start; they are copied.
    counts : array of int, shape (I,)
        How often each item stands in the sequences: what the noise is made of.
    threads : int
        PyTorch's own for "torch", while an epoch runs; workers for the others.
    device : str
        For "torch": "auto" takes a CUDA device if there is one.
    seed : int
        For "gensim", which draws by itself; the others take their numbers from ``rng``.

    Raises
    ------
    ValueError
        If there is no such engine, ``device`` is not the CPU where only "torch" knows others, or
        gensim cannot do what the objective asks.
    ImportError
        If the engine's library is not installed; the message names the extra.
    """
    check_engine(name, threads=threads, device=device)
    if name == "torch":
        from companion.sgns.torch_engine import TorchEngine  # imports torch

        return TorchEngine(objective, tables, counts, threads=threads, device=device)
    if name == "fast":
        from companion.sgns.fast_engine import FastEngine

        return FastEngine(objective, tables, counts, threads=threads)
    from companion.sgns.gensim_engine import GensimEngine

    return GensimEngine(objective, tables, counts, threads=threads, seed=seed)


def check_engine(name: EngineName, *, threads: int, device: str) -> None:
    """Raise what `make_engine` would of an engine that there is not, or not on that device."""
    check_option("engine", name, ("torch", "fast", "gensim"))
    check_count("threads", threads)
    if name == "torch":
        require("torch", extra="torch")
        from companion.sgns.torch_engine import device_found  # imports torch

        device_found(device)
    elif device not in ("auto", "cpu"):
        raise ValueError(f'device must be "auto" or "cpu" with engine={name!r}, got {device!r}')
    elif name == "gensim":
        require("gensim.models.word2vec", extra="gensim")


def train(
    engine: Engine,
    objective: Objective,
    sequences: Sequences,
    counts: NDArray[np.int64],
    *,
    epochs: int,
    learning_rate: float,
    subsample: float | None = None,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Train epoch by epoch, and yield the loss of a pair after each.

    Parameters
    ----------
    engine : Engine
        Holds the tables; stop iterating and they stay as they are.
    objective : Objective
    sequences : Sequences
        Codes 0 .. I-1.
    counts : array of int, shape (I,)
    epochs : int
    learning_rate : float
        Of the first pair; it falls in a straight line to 0.0001 at the last.
    subsample : float, optional
        See `companion.sgns.noise.keep_probability`.
    rng : numpy.random.Generator

    Yields
    ------
    float
        Mean loss on a fixed sample of training pairs (`companion.sgns.objective.LossProbe`).
    """
    keep = keep_probability(counts, subsample)
    probe = LossProbe(objective, sequences, counts, rng=rng)
    rates = np.linspace(learning_rate, min(LAST_RATE, learning_rate), epochs + 1).tolist()
    for epoch in range(epochs):
        order = epoch_order(sequences, rng=rng, keep=keep, as_sets=objective.window == "all")
        engine.run_epoch(order, (rates[epoch], rates[epoch + 1]), rng=rng)
        loss = probe.loss(engine.tables())
        if not loss <= DIVERGED * (1 + objective.negatives) * np.log(2):  # NaN as well
            raise ValueError(
                f"learning_rate must be smaller: with {learning_rate} training diverges, and the "
                f"loss of a pair is {loss:.3g} after epoch {epoch + 1}"
            )
        yield loss
