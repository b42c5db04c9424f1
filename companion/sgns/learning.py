"""From sequences to two tables: what Item2Vec and Node2Vec do alike around `train`.

Starts from what is known, trains epoch by epoch, keeps the history and, where there is a judge,
the best epoch.  An interruption leaves everything as far as it had come.

Axes: I items with a vector, D dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from tqdm.auto import tqdm

from companion._checks import check_between, check_count
from companion.sequences import Sequences
from companion.sgns.noise import keep_probability
from companion.sgns.objective import Engine, Objective, Tables, start_tables
from companion.sgns.train import EngineName, check_engine, make_engine, train
from companion.sgns.vocabulary import Vocabulary
from companion.training import BestEpoch

Former = tuple[Vocabulary, Tables]


@dataclass(eq=False)
class Learning:
    """One training, from its start tables to its result.

    Parameters
    ----------
    sequences : Sequences
        Codes of ``vocabulary``.
    vocabulary : Vocabulary
    objective : Objective
    former : pair of Vocabulary and tables, optional
        What is known already: rows of the same ids start from there.
    dim, epochs, learning_rate, subsample, engine, seed
        As in `companion.item2vec.Item2Vec`.
    threads, device
        As in `companion.sgns.train.make_engine`.

    Attributes
    ----------
    history : list of dict
        One an epoch: "epoch", "loss" and, with a judge, its metric.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, there is no sequence of two items, or ``dim`` is not that of
        ``former``; before anything is trained.
    """

    sequences: Sequences
    vocabulary: Vocabulary
    objective: Objective
    _: KW_ONLY
    former: Former | None = None
    dim: int = 64
    epochs: int = 20
    learning_rate: float = 0.025
    subsample: float | None = None
    engine: EngineName = "torch"
    seed: int = 0
    threads: int = 1
    device: str = "auto"
    history: list[dict[str, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        check_learning(
            dim=self.dim,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            engine=self.engine,
            seed=self.seed,
            threads=self.threads,
            device=self.device,
        )
        keep_probability(self.vocabulary.counts, self.subsample)
        if self.sequences.lengths().max(initial=0) < 2:
            raise ValueError("data must hold a sequence of two items or more, got none")
        self._rng = np.random.default_rng(self._entropy())
        tables = start_tables(len(self.vocabulary), self.dim, rng=self._rng)
        self._best: BestEpoch[Tables] | None = None
        self._engine: Engine = make_engine(
            self.engine,
            self.objective,
            _carried_over(self.former, self.vocabulary, tables),
            self.vocabulary.counts,
            threads=self.threads,
            device=self.device,
            seed=self.seed,
        )

    def run(
        self,
        *,
        judge: Callable[[Tables], float] | None = None,
        metric: str = "ndcg@10",
        patience: int = 3,
        verbose: bool = True,
    ) -> None:
        """Train all epochs, or until the judge has seen no better one for ``patience`` epochs."""
        check_count("patience", patience)
        best = self._best = None if judge is None else BestEpoch(patience)
        losses = train(
            self._engine,
            self.objective,
            self.sequences,
            self.vocabulary.counts,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            subsample=self.subsample,
            rng=self._rng,
        )
        bar = tqdm(losses, total=self.epochs, disable=not verbose, delay=3, leave=False)
        for epoch, loss in enumerate(bar, start=1):
            self.history.append({"epoch": epoch, "loss": loss})
            if judge is not None and best is not None:
                tables = self._engine.tables()
                self.history[-1][metric] = judge(tables)
                if best.update(self.history[-1][metric], tables):
                    break

    def tables(self) -> Tables:
        """Return the tables of the best epoch, or as they stand where there is no judge."""
        judged = None if self._best is None else self._best.state
        return self._engine.tables() if judged is None else judged

    def _entropy(self) -> int | list[int]:
        """Return what seeds the generator: going on must not draw the first numbers again."""
        if self.former is None:
            return self.seed
        return [self.seed, int(self.former[0].counts.sum())]


def check_learning(
    *,
    dim: int,
    epochs: int,
    learning_rate: float,
    engine: EngineName,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Raise what `Learning` would of these settings, before there is anything to learn from."""
    check_count("dim", dim)
    check_count("epochs", epochs)
    check_between("learning_rate", learning_rate, 0, np.inf, open_ends=True)
    check_count("seed", seed, minimum=0)
    check_engine(engine, threads=threads, device=device)


def _carried_over(former: Former | None, vocabulary: Vocabulary, tables: Tables) -> Tables:
    """Put the vectors there are in the place of the random ones of the same ids."""
    if former is None:
        return tables
    known, old = former
    if old[0].shape[1] != tables[0].shape[1]:
        raise ValueError(f"dim must stay {old[0].shape[1]}, got {tables[0].shape[1]}")
    rows = known.ids.get_indexer(vocabulary.ids)
    for new, source in zip(tables, old, strict=True):
        new[rows >= 0] = source[rows[rows >= 0]]
    return tables
