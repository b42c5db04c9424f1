"""Item2Vec: items are words, and what was had together is a sentence.

Barkan and Koenigstein (2016, doi:10.1109/MLSP.2016.7738886) apply word2vec's skip-gram with
negative sampling (Mikolov et al. 2013, doi:10.48550/arXiv.1310.4546) to baskets and histories.
The three steps and the engines stand in `companion.sgns`; here they become an estimator.

Axes: U users, I items of the log, V items with a vector, B users at a time, D dimension.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from companion._checks import (
    check_between,
    check_codes,
    check_count,
    check_option,
    refuse_one_string,
)
from companion.cold_start import feature_neighbours
from companion.embeddings import Embeddings
from companion.interactions import Interactions
from companion.scoring import ScoringRecommender
from companion.sequences import Sequences
from companion.sgns import (
    EngineName,
    Objective,
    Vocabulary,
    as_interactions,
    build_vocabulary,
    make_engine,
    start_tables,
    train,
)
from companion.sgns.objective import Mode, Tables
from companion.sgns.pairs import Window
from companion.training import BestEpoch, check_validation, validation_ndcg

Former = tuple[Vocabulary, Tables]


@dataclass(eq=False)
class Item2Vec(ScoringRecommender):
    """Skip-gram or CBOW with negative sampling over histories or baskets.

    Parameters
    ----------
    dim : int
        D.
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

    ``last``, ``decay``, ``score_with`` and ``popularity_weight`` take effect when scoring; they
    may be changed after `fit`.

    Attributes
    ----------
    item_embeddings_, context_embeddings_ : Embeddings, (V, D)
        The input and the output table; only of items with a vector.
    history_ : list of dict
        One an epoch: "epoch", "loss" (see `companion.sgns.train.train`) and, with validation,
        "ndcg@10".
    vocabulary_ : Vocabulary

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
    score_with: Literal["input", "output"] = "input"
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
            Compute NDCG@10 on it after every epoch, as `recommend` scores with the present
            settings, stop once it has not risen for ``patience`` epochs, and keep the tables of
            the best one.
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
        log = as_interactions(data)
        former = self._former() if self.warm_start else None
        return self._learn(
            log,
            self._vocabulary_of(log, min_count=self.min_count),
            former,
            validation=validation,
            patience=patience,
            threads=threads,
            device=device,
            verbose=verbose,
        )

    def partial_fit(
        self,
        data: Interactions | Iterable[Sequence[Hashable]],
        *,
        validation: Interactions | None = None,
        patience: int = 3,
        threads: int = 1,
        device: str = "auto",
        verbose: bool = True,
    ) -> Self:
        """Go on learning from new data, which may hold new items and new users.

        Known items start from their vectors, new ones at random; items that the new data do not
        hold keep their vectors but for their part as negatives.  Counts add up.  The users of
        `recommend` are those of ``data``.  The learning rate starts anew and falls over ``epochs``
        epochs: fewer epochs and a smaller rate keep more of what is known.  Parameters and errors
        are those of `fit`; the first call is a `fit`.
        """
        log = as_interactions(data)
        former = self._former()
        vocabulary = self._vocabulary_of(log, min_count=self.min_count if former is None else 1)
        if former is not None:
            vocabulary = former[0].extended(vocabulary, min_count=self.min_count)
        return self._learn(
            log,
            vocabulary,
            former,
            validation=validation,
            patience=patience,
            threads=threads,
            device=device,
            verbose=verbose,
        )

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score items for some users; -inf where an item has no vector; shape (B, I)."""
        self._check_fitted()
        self._check_scoring()
        users = check_codes("users", users, len(self._histories))
        inputs = self.item_embeddings_.vectors
        targets = self.context_embeddings_.vectors
        if self.score_with == "input":
            inputs = targets = _unit(inputs)
        histories = self._histories.take(users)
        if self.last is not None:
            histories = histories.newest(self.last)
        people = histories.mean_weights(len(inputs), decay=self.decay) @ inputs  # (B, D)
        if self.score_with == "input":
            people = _unit(people)
        share = self.vocabulary_.counts / self.vocabulary_.counts.sum()
        prior = np.float32(self.popularity_weight) * np.log(share, dtype=np.float32)
        known = self._row_of_item >= 0
        scores = np.full((len(users), len(known)), -np.inf, dtype=np.float32)
        scores[:, known] = (people @ targets.T + prior)[:, self._row_of_item[known]]
        return scores

    def infer_vector(
        self,
        neighbours: Sequence[Hashable] | None = None,
        *,
        features: ArrayLike | None = None,
        item_features: pd.DataFrame | None = None,
        k: int = 10,
        table: Literal["input", "output"] = "input",
    ) -> NDArray[np.float32]:
        """Give an item that nobody has had yet a vector: the mean of those of its neighbours.

        Parameters
        ----------
        neighbours : sequence of ids, optional
            Items known to be like it.
        features : array of float, shape (F,), optional
            In place of ``neighbours``: the new item's features.
        item_features : pandas.DataFrame of numbers, F columns, indexed by id
            Those of known items; rows of items without a vector are passed over.  The neighbours
            are found, and weighted, by `companion.cold_start.feature_neighbours`.
        k : int
            How many neighbours to take by features.
        table : {"input", "output"}
            Of which table the result is a row; the one that scores (``score_with``) is the one to
            infer for a new item that is to be recommended.

        Returns
        -------
        array of float32, shape (D,)

        Raises
        ------
        ValueError
            If not exactly one of ``neighbours`` and ``features`` is given, shapes do not fit,
            or no item with a vector has features in common with the new one.
        TypeError
            If ``features`` come without ``item_features``.
        KeyError
            If a neighbour has no vector.

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
        if (neighbours is None) == (features is None):
            raise ValueError("give either neighbours or features, and not both")
        if features is None:
            refuse_one_string("neighbours", neighbours)
            assert neighbours is not None  # features is None
            ids, weights = list(neighbours), None
            if not ids:
                raise ValueError("neighbours must hold at least one id, got none")
        else:
            if not isinstance(item_features, pd.DataFrame):
                kind = type(item_features).__name__
                raise TypeError(f"item_features must be a DataFrame indexed by id, got {kind}")
            described = item_features[item_features.index.isin(self.vocabulary_.ids)]
            rows, weights = feature_neighbours(features, described, k)
            ids = described.index[rows].tolist()
        vectors = np.stack([known[one] for one in ids])
        return np.average(vectors, axis=0, weights=weights).astype(np.float32)

    def _learn(
        self,
        log: Interactions,
        vocabulary: Vocabulary,
        former: Former | None,
        *,
        validation: Interactions | None,
        patience: int,
        verbose: bool,
        **machine: Any,
    ) -> Self:
        """Train on the log's sequences and take over what was learned."""
        objective, best = self._checked_objective(), BestEpoch[Tables](patience)
        if validation is not None:
            check_validation(log, validation)
        sequences = self._sequences(log, vocabulary)
        # Going on must not draw the numbers of the first fit again.
        seed = self.seed if former is None else [self.seed, int(former[0].counts.sum())]
        rng = np.random.default_rng(seed)
        tables = _carried_over(former, vocabulary, start_tables(len(vocabulary), self.dim, rng=rng))
        counts = vocabulary.counts
        engine = make_engine(self.engine, objective, tables, counts, seed=self.seed, **machine)
        epochs = train(
            engine,
            objective,
            sequences,
            counts,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            subsample=self.subsample,
            rng=rng,
        )
        history: list[dict[str, float]] = []
        before = dict(vars(self))
        bar = tqdm(epochs, "Item2Vec", self.epochs, disable=not verbose, delay=3, leave=False)
        try:
            for epoch, loss in enumerate(bar, start=1):
                history.append({"epoch": epoch, "loss": loss})
                if validation is not None:
                    self._publish(log, vocabulary, engine.tables(), history)
                    history[-1]["ndcg@10"] = metric = validation_ndcg(self, log, validation)
                    if best.update(metric, engine.tables()):
                        break
        except KeyboardInterrupt:
            self._publish(log, vocabulary, best.state or engine.tables(), history)
            raise
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            raise
        self._publish(log, vocabulary, best.state or engine.tables(), history)
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
        check_option("by", self.by, ("user", "basket"))
        if self.max_history is not None:
            check_count("max_history", self.max_history, minimum=2)
        return build_vocabulary(self._raw(log), log.item_ids, min_count=min_count)

    def _raw(self, log: Interactions) -> Sequences:
        """Return the sequences to learn from, in the codes of the log."""
        whole = log.baskets() if self.by == "basket" else log.sequences()
        return whole if self.max_history is None else whole.newest(self.max_history)

    def _sequences(self, log: Interactions, vocabulary: Vocabulary) -> Sequences:
        """Return the sequences to learn from, in the codes of the vocabulary."""
        sequences = vocabulary.encode(self._raw(log), log.item_ids)
        if sequences.lengths().max() < 2:
            raise ValueError("data must hold a sequence of two items or more, got none")
        return sequences

    def _checked_objective(self) -> Objective:
        check_count("epochs", self.epochs)
        check_between("learning_rate", self.learning_rate, 0, np.inf, open_ends=True)
        check_count("seed", self.seed, minimum=0)
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


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, np.float32(1e-30))
