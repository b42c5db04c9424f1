"""The peer: the same objective handed to gensim's Word2Vec.

=====================  ================================================================
ours                   gensim's
=====================  ================================================================
mode                   ``sg`` (1 for skip-gram); CBOW with ``cbow_mean=1``
window                 ``window`` with ``shrink_windows=True``, the dynamic window
window="all"           shuffled sequences, ``window=5``, ``shrink_windows=False``
distance_decay=1.0     ``shrink_windows=False``; other values have no counterpart
negatives              ``negative``
noise_exponent         ``ns_exponent``
mask_accidental=True   what gensim always does; False has no counterpart
shared_matrix=False    what gensim always does; True has no counterpart
subsample              done before the engine (``sample=0``), by the same formula
learning rate          ``start_alpha`` and ``end_alpha`` of every epoch
threads                ``workers``
=====================  ================================================================

Three differences remain.  gensim skips a pair whose score lies beyond ±6, in place of its small
or large gradient; its CBOW hands the mean's gradient undivided to every context, so that each
learns C times as fast (İrsoy, Benton and Stratos 2021, doi:10.18653/v1/2021.insights-1.1); and
it calls the context of a pair the input, which with windows that look both ways changes nothing.

Axes: I items, D dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from companion._optional import require
from companion.sequences import Sequences
from companion.sgns.objective import Objective, Tables
from companion.sgns.pairs import SET_WINDOW

LONGEST = 10_000  # gensim drops what comes after; longer sequences are handed over in pieces


class GensimEngine:
    """Trains gensim's Word2Vec one epoch at a time.

    The parameters are those of `companion.sgns.train.make_engine`.

    Raises
    ------
    ValueError
        If the objective holds what gensim cannot do; see the table above.
    ImportError
        If gensim is not installed; the message names the extra.
    """

    def __init__(
        self,
        objective: Objective,
        tables: Tables,
        counts: NDArray[np.int64],
        *,
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        _check_possible(objective)
        word2vec = require("gensim.models.word2vec", extra="gensim")
        as_sets = objective.window == "all"
        self.model = word2vec.Word2Vec(
            vector_size=tables[0].shape[1],
            window=SET_WINDOW if as_sets else objective.window,
            shrink_windows=not as_sets and objective.distance_decay is None,
            sg=int(objective.mode == "skipgram"),
            cbow_mean=1,
            negative=objective.negatives,
            ns_exponent=objective.noise_exponent,
            sample=0,
            min_count=1,
            workers=threads,
            seed=seed % 2**32,  # all that it can hold
        )
        self._names = np.array([str(code) for code in range(len(counts))], dtype=object)
        self.model.build_vocab_from_freq(dict(zip(self._names, counts.tolist(), strict=True)))
        # An item with count 0 is none of gensim's words: its rows stay as they are.
        self._rows = np.array([int(name) for name in self.model.wv.index_to_key])
        self._start = tuple(np.array(table, dtype=np.float32) for table in tables)
        self.model.wv.vectors[:], self.model.syn1neg[:] = (table[self._rows] for table in tables)

    def run_epoch(
        self, sequences: Sequences, rates: tuple[float, float], *, rng: np.random.Generator
    ) -> None:
        """Hand the sequences over once, the learning rate falling from one rate to the other."""
        sentences = list(self._sentences(sequences))
        self.model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=rates[0],
            end_alpha=rates[1],
        )

    def tables(self) -> Tables:
        """Return copies of the input and the output table in our order, shape (I, D) each."""
        inputs, outputs = (table.copy() for table in self._start)
        inputs[self._rows], outputs[self._rows] = self.model.wv.vectors, self.model.syn1neg
        return inputs, outputs

    def _sentences(self, sequences: Sequences) -> Iterator[list[str]]:
        names = self._names[sequences.items].tolist()
        for start, end in pairwise(sequences.offsets.tolist()):
            for piece in range(start, end, LONGEST):
                yield names[piece : min(piece + LONGEST, end)]


def _check_possible(objective: Objective) -> None:
    for name, allowed in {
        "distance_decay": (None, 1.0),
        "mask_accidental": (True,),
        "shared_matrix": (False,),
    }.items():
        if (value := getattr(objective, name)) not in allowed:
            choices = " or ".join(str(one) for one in allowed)
            raise ValueError(f'{name} must be {choices} with engine="gensim", got {value!r}')
