"""Item2Vec: items are words, and what was had together is a sentence.

Barkan and Koenigstein (2016, doi:10.1109/MLSP.2016.7738886) apply word2vec's skip-gram with
negative sampling (Mikolov et al. 2013, doi:10.48550/arXiv.1310.4546) to baskets and histories.
The three steps and the engines stand in `companion.sgns`; here they become an estimator.

Axes: U users, I items of the log, V items with a vector, B users at a time, D dimension.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, Self, TypedDict, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from companion._checks import check_between, check_codes, check_count, check_option
from companion.cold_start import infer_vector
from companion.embeddings import Embeddings
from companion.interactions import Interactions
from companion.scoring import ScoringRecommender, score_histories
from companion.sequences import Sequences
from companion.sgns import (
    EngineName,
    Former,
    Learning,
    Objective,
    Vocabulary,
    as_interactions,
    build_vocabulary,
)
from companion.sgns.objective import Mode, Tables
from companion.sgns.pairs import Window
from companion.training import check_validation, validation_ndcg

Table = Literal["input", "output"]


class FitOptions(TypedDict, total=False):
    """What `Item2Vec.fit` takes besides the data."""

    validation: Interactions | None
    patience: int
    threads: int
    device: str
    verbose: bool


@dataclass(eq=False)
class Item2Vec(ScoringRecommender):
    """Skip-gram or CBOW with negative sampling over histories or baskets.

    Parameters
    ----------
    dim : int
        Dimension, D.
    window : int or "all"
        Places to look at on each side, or "all" for the set view: order does not count.
    negatives : int
        Negatives drawn for each pair.
    mode : {"skipgram", "cbow"}
    noise_exponent : float
        Negatives are drawn in proportion to count to this power; 0 or below draws rare items as
        often or more.
    subsample : float, optional
        Thin out items whose share of all rows lies above this.
    epochs : int
    learning_rate : float
        Of the first pair; it falls to 0.0001 at the last.
    engine : {"torch", "fast", "gensim"}
        "torch" is written to be read, "fast" to be used; "gensim" hands the work to that library
        (`companion.sgns.gensim_engine` has the mapping).
    shared_matrix : bool
        One table for items and contexts in place of two.
    distance_decay : float in (0, 1], optional
        A context at distance d counts with probability ``distance_decay ** (d - 1)``; None is
        word2vec's dynamic window.
    mask_accidental : bool
        Leave out a drawn negative that is the pair's own positive.
    min_count : int
        Items with fewer rows get no vector and are never recommended.
    max_history : int, optional
        Train on the newest so many rows of each sequence; a user is scored by all rows, see
        ``last``.
    by : {"user", "basket"}
        What makes a sequence to train on; a user is scored by all rows, see ``last``.
    last : int, optional
        A user is the mean of the newest so many rows; None takes the whole history.
    decay : float in (0, 1]
        Weight of each row of that mean against the next newer one.
    score_with : {"input", "output"}
        "input": cosine of the user's mean of unit input vectors and an item's input vector, which
        finds what is like the history.  "output": dot product of the mean input vector and an
        item's output vector, as in training, which finds what goes along with it.
    popularity_weight : float
        Adds so many times the logarithm of the item's share of rows.  With "output" and the
        value of ``noise_exponent`` the score becomes the logarithm of the probability of the
        item given the history, up to a constant.
    warm_start : bool
        Let `fit` start from the vectors of the previous fit, where ids agree.
    seed : int

    Attributes
    ----------
    item_embeddings_ : Embeddings, (V, D)
        The input table; only of items with a vector.
    context_embeddings_ : Embeddings, (V, D)
        The output table, of the same items.
    history_ : list of dict
        One an epoch: "epoch", "loss" (see `companion.sgns.train.train`) and, with validation,
        ``"ndcg@10"``.
    vocabulary_ : Vocabulary

    Notes
    -----
    ``last``, ``decay``, ``score_with`` and ``popularity_weight`` take effect when scoring; they
    may be changed after `fit`.

    Examples
    --------
    >>> evenings = [["Alien", "Aliens"], ["Aliens", "Alien"], ["Emma", "Clueless"]] * 20
    >>> model = Item2Vec(dim=8, epochs=50, learning_rate=0.1).fit(evenings, verbose=False)
    >>> model.item_embeddings_.similar("Emma", k=1)[0][0]
    'Clueless'
    """

    _: KW_ONLY
    dim: int = 64
    window: Window = 5
    negatives: int = 5
    mode: Mode = "skipgram"
    noise_exponent: float = 0.75
    subsample: float | None = None
    epochs: int = 20
    learning_rate: float = 0.025
    engine: EngineName = "torch"
    shared_matrix: bool = False
    distance_decay: float | None = None
    mask_accidental: bool = True
    min_count: int = 1
    max_history: int | None = None
    by: Literal["user", "basket"] = "user"
    last: int | None = None
    decay: float = 1.0
    score_with: Table = "input"
    popularity_weight: float = 0.0
    warm_start: bool = False
    seed: int = 0
    item_embeddings_: Embeddings = field(init=False, repr=False)
    context_embeddings_: Embeddings = field(init=False, repr=False)
    vocabulary_: Vocabulary = field(init=False, repr=False)
    history_: list[dict[str, float]] = field(init=False, repr=False)

    def fit(
        self,
        data: Interactions | Iterable[Sequence[Hashable]],
        *,
        validation: Interactions | None = None,
        patience: int = 3,
        threads: int = 1,
        device: str = "auto",
        verbose: bool = True,
    ) -> Self:
        """Learn one vector an item.

        Parameters
        ----------
        data : Interactions, or a list of sequences of ids
            The sequences of a list count as users 0, 1, ...  Sequences without two items teach
            nothing, and are no error as long as there is one with two.
        validation : Interactions, optional
            Compute ``NDCG@10`` on it after every epoch, as `recommend` scores with the present
            settings, stop once it has not risen for ``patience`` epochs, and keep the tables of
            the best one.  The learning rate falls over all ``epochs``, so a stop before the end
            saves time and is not the same as fewer epochs.
        patience : int
        threads : int
            One thread gives the same vectors for the same seed; see `companion.sgns.fast_engine`
            for several.
        device : str
            For the engine "torch": "auto", "cpu", "cuda", ...
        verbose : bool
            Show a progress bar where training takes longer than a few seconds.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter is out of range, the data hold no pair or fewer than two items,
            or an id is missing or not hashable.  Nothing is changed then.
        ImportError
            If the engine's library is not installed; the message names the extra.

        Notes
        -----
        An interrupted fit (Ctrl-C) leaves the vectors as far as they had come and raises
        KeyboardInterrupt; the estimator can be used.
        """
        objective, log = self._checked_objective(), as_interactions(data)
        return self._fit(
            log,
            self._vocabulary_of(log, min_count=self.min_count),
            objective,
            self._former() if self.warm_start else None,
            validation=validation,
            patience=patience,
            threads=threads,
            device=device,
            verbose=verbose,
        )

    def partial_fit(
        self,
        data: Interactions | Iterable[Sequence[Hashable]],
        **options: Unpack[FitOptions],
    ) -> Self:
        """Go on learning from new data, which may hold new items and new users.

        Known items start from their vectors, new ones at random; items that the new data do not
        hold keep their vectors but for their part as negatives.  Counts add up.  The users of
        `recommend` are those of ``data``.  The learning rate starts anew and falls over ``epochs``
        epochs: fewer epochs and a smaller rate keep more of what is known.  Parameters and errors
        are those of `fit`; the first call is a `fit`.
        """
        former = self._former()
        if former is None:
            return self.fit(data, **options)
        objective, log = self._checked_objective(), as_interactions(data)
        new = self._vocabulary_of(log, min_count=1)
        vocabulary = former[0].extended(new, min_count=self.min_count)
        return self._fit(log, vocabulary, objective, former, **options)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score items for some users; -inf where an item has no vector; shape (B, I)."""
        self._check_fitted()
        self._check_scoring()
        users = check_codes("users", users, len(self._histories))
        learned = score_histories(
            self._histories.take(users),
            self.item_embeddings_.vectors,
            self.context_embeddings_.vectors if self.score_with == "output" else None,
            last=self.last,
            decay=self.decay,
        )
        share = self.vocabulary_.counts / self.vocabulary_.counts.sum()
        prior = np.float32(self.popularity_weight) * np.log(share, dtype=np.float32)
        known = self._row_of_item >= 0
        scores = np.full((len(users), len(known)), -np.inf, dtype=np.float32)
        scores[:, known] = (learned + prior)[:, self._row_of_item[known]]
        return scores

    def infer_vector(
        self,
        neighbours: Sequence[Hashable] | None = None,
        *,
        features: ArrayLike | None = None,
        item_features: pd.DataFrame | None = None,
        k: int = 10,
        table: Table = "input",
    ) -> NDArray[np.float32]:
        """Give an item that nobody has had yet a row of one of the tables; shape (D,).

        ``table`` says which: the one that scores (``score_with``) is the one to infer for an item
        that is to be compared with users.  The other parameters and the errors are those of
        `companion.cold_start.infer_vector`.

        Examples
        --------
        >>> evenings = [["Alien", "Aliens"], ["Emma", "Clueless"]] * 20
        >>> model = Item2Vec(dim=4, epochs=5).fit(evenings, verbose=False)
        >>> vector = model.infer_vector(["Emma", "Clueless"])
        >>> bool(np.allclose(vector, (model.item_embeddings_["Emma"]
        ...                           + model.item_embeddings_["Clueless"]) / 2))
        True
        """
        self._check_fitted()
        check_option("table", table, ("input", "output"))
        known = self.item_embeddings_ if table == "input" else self.context_embeddings_
        return infer_vector(known, neighbours, features=features, item_features=item_features, k=k)

    def _fit(
        self,
        log: Interactions,
        vocabulary: Vocabulary,
        objective: Objective,
        former: Former | None,
        *,
        validation: Interactions | None = None,
        patience: int = 3,
        verbose: bool = True,
        **machine: Any,
    ) -> Self:
        """Learn from the log's sequences, and take over what was learned."""
        if validation is not None:
            check_validation(log, validation)
        learning = Learning(
            vocabulary.encode(self._raw(log), log.item_ids),
            vocabulary,
            objective,
            former=former,
            dim=self.dim,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            subsample=self.subsample,
            engine=self.engine,
            seed=self.seed,
            **machine,
        )

        def judge(tables: Tables) -> float:
            candidate = copy.copy(self)
            candidate._publish(log, vocabulary, tables, learning.history)
            assert validation is not None
            return validation_ndcg(candidate, log, validation)

        try:
            learning.run(
                judge=None if validation is None else judge, patience=patience, verbose=verbose
            )
        except KeyboardInterrupt:
            self._publish(log, vocabulary, learning.tables(), learning.history)
            raise
        self._publish(log, vocabulary, learning.tables(), learning.history)
        return self

    def _publish(
        self,
        log: Interactions,
        vocabulary: Vocabulary,
        tables: Tables,
        history: list[dict[str, float]],
    ) -> None:
        """Set everything that was learned, together."""
        self.item_embeddings_ = Embeddings(vocabulary.ids, tables[0])
        self.context_embeddings_ = Embeddings(vocabulary.ids, tables[1])
        self.vocabulary_, self.history_ = vocabulary, history
        self._histories = vocabulary.encode(log.sequences(), log.item_ids)
        self._row_of_item = vocabulary.ids.get_indexer(log.item_ids)
        self._seen = log.to_csr(binary=True)

    def _check_fitted(self) -> None:
        if not hasattr(self, "vocabulary_"):
            raise AttributeError("Item2Vec is not fitted: call fit(data) first")

    def _former(self) -> Former | None:
        """Return what the estimator knows already, if anything."""
        if not hasattr(self, "vocabulary_"):
            return None
        return self.vocabulary_, (self.item_embeddings_.vectors, self.context_embeddings_.vectors)

    def _vocabulary_of(self, log: Interactions, *, min_count: int) -> Vocabulary:
        return build_vocabulary(self._raw(log), log.item_ids, min_count=min_count)

    def _raw(self, log: Interactions) -> Sequences:
        """Return the sequences to learn from, in the codes of the log."""
        whole = log.baskets() if self.by == "basket" else log.sequences()
        return whole if self.max_history is None else whole.newest(self.max_history)

    def _checked_objective(self) -> Objective:
        check_option("by", self.by, ("user", "basket"))
        if self.max_history is not None:
            check_count("max_history", self.max_history, minimum=2)
        if not isinstance(self.warm_start, bool):
            raise TypeError(f"warm_start must be True or False, got {self.warm_start!r}")
        self._check_scoring()
        return Objective(
            mode=self.mode,
            window=self.window,
            distance_decay=self.distance_decay,
            negatives=self.negatives,
            noise_exponent=self.noise_exponent,
            mask_accidental=self.mask_accidental,
            shared_matrix=self.shared_matrix,
        )

    def _check_scoring(self) -> None:
        check_option("score_with", self.score_with, ("input", "output"))
        check_between("popularity_weight", self.popularity_weight, -np.inf, np.inf, open_ends=True)
        check_between("decay", self.decay, 0, 1)
        if self.decay == 0:
            raise ValueError("decay must lie in (0, 1], got 0: use last=1")
        if self.last is not None:
            check_count("last", self.last)
