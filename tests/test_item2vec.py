"""Item2Vec against planted clusters, hand-written oracles, its promises and every bad input."""

import dataclasses
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

from companion import item2vec
from companion.datasets import make_planted_interactions
from companion.embeddings import Embeddings
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.protocols import Embedder, Recommender
from companion.sgns import learning, start_tables
from companion.splits import leave_last_out
from companion.training import validation_ndcg

pytest.importorskip("torch")
pytest.importorskip("numba")
pytest.importorskip("gensim")
KMeans = pytest.importorskip("sklearn.cluster").KMeans

ENGINES = ("torch", "fast", "gensim")
MODES = ("skipgram", "cbow")
BASKETS = [["a", "b", "c"], ["b", "a"], ["x", "y"], ["y", "x", "z"]] * 10
G, N_ITEMS, NOISE = 5, 100, 0.1


def small(**options):
    return Item2Vec(**{"dim": 4, "epochs": 2, "engine": "fast", **options})


def fitted(data=BASKETS, *, validation=None, **options):
    return small(**options).fit(data, validation=validation, verbose=False)


def log_of(rows):
    """Return interactions of rows (user, basket, item), oldest first."""
    frame = pd.DataFrame(rows, columns=["user", "basket", "item"])
    return Interactions.from_frame(frame, timestamp=None, basket="basket")


def with_shuffled_items(data, seed=0):
    """Return the same users with as many rows, and the same items as often, but not together."""
    return dataclasses.replace(data, items=np.random.default_rng(seed).permutation(data.items))


def vectors_by_code(embeddings, data):
    return embeddings.vectors[embeddings.codes(data.item_ids)]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def trained_on(monkeypatch):
    """Note the sequences that training is given, as lists of ids."""
    noted = []

    def spy(engine, objective, sequences, counts, **options):
        noted.append(sequences)
        return train(engine, objective, sequences, counts, **options)

    train = learning.train
    monkeypatch.setattr(learning, "train", spy)
    return lambda model: [model.vocabulary_.ids[codes].tolist() for codes in noted[-1]]


@pytest.fixture
def interrupted(monkeypatch):
    """Press Ctrl-C in the middle of an epoch; return the engine that it happened to."""
    engines = []

    def arm(epoch):
        make = learning.make_engine

        def interrupting(*arguments, **options):
            engine = make(*arguments, **options)
            run, met = engine.run_epoch, []

            def run_epoch(sequences, rates, *, rng):
                met.append(sequences)
                if len(met) == epoch:
                    run(sequences.take(np.arange(len(sequences) // 2)), rates, rng=rng)
                    raise KeyboardInterrupt
                run(sequences, rates, rng=rng)

            engine.run_epoch = run_epoch
            engines.append(engine)
            return engine

        monkeypatch.setattr(learning, "make_engine", interrupting)
        return engines

    return arm


# --- planted clusters ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planted():
    return make_planted_interactions(
        n_users=300,
        n_items=N_ITEMS,
        n_groups=G,
        interactions_per_user=20,
        noise=NOISE,
        popularity_exponent=0.5,
        seed=0,
    )


def purity(vectors, groups):
    """Return the share of items in a cluster in which their group is the most frequent one."""
    labels = KMeans(G, n_init=10, random_state=0).fit_predict(unit(vectors))
    return sum(np.bincount(groups[labels == cluster]).max() for cluster in range(G)) / len(groups)


def test_the_planted_groups_can_be_told_from_the_log(planted):
    """The bound: who knew everybody's home could place all items but a few in a million.

    A user of an item is at home in its group with probability a, and in each other group with
    probability b.  Of c such users the vote for a given wrong group ties or beats that for the
    right one with probability at most exp(-c (sqrt a - sqrt b)^2) (Chernoff).
    """
    b = NOISE / G
    a = 1 - NOISE + b
    users = planted.to_csr(binary=True).sum(axis=0)
    wrong = (G - 1) * np.exp(-users * (np.sqrt(a) - np.sqrt(b)) ** 2)
    assert wrong.sum() < 0.01  # items expected to be misplaced, of a hundred


@pytest.mark.parametrize("window", [5, "all"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ENGINES)
def test_planted_groups_are_recovered(planted, engine, mode, window):
    model = Item2Vec(dim=16, engine=engine, mode=mode, window=window, epochs=8)
    model.fit(planted, verbose=False)
    assert purity(vectors_by_code(model.item_embeddings_, planted), planted.item_groups) >= 0.95
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]


@pytest.mark.parametrize("engine", ["fast", "gensim"])
def test_two_threads_recover_them_too(planted, engine):
    model = Item2Vec(dim=16, engine=engine, epochs=8).fit(planted, threads=2, verbose=False)
    assert purity(vectors_by_code(model.item_embeddings_, planted), planted.item_groups) >= 0.95


def test_vectors_that_learned_nothing_fail_that_test(planted):
    untrained = start_tables(N_ITEMS, 16, rng=np.random.default_rng(0))[0]
    assert purity(untrained, planted.item_groups) < 0.6


@pytest.mark.parametrize("engine", ENGINES)
def test_shuffled_histories_fail_that_test(planted, engine):
    shuffled = with_shuffled_items(planted)
    model = Item2Vec(dim=16, engine=engine, epochs=4).fit(shuffled, verbose=False)
    assert purity(vectors_by_code(model.item_embeddings_, planted), planted.item_groups) < 0.6


# --- the engines agree --------------------------------------------------------------------------

SEEDS = range(3)


@pytest.fixture(scope="module")
def chained():
    """Items that follow each other: who is near to whom is known item by item."""
    return leave_last_out(
        make_planted_interactions(
            n_users=400,
            n_items=N_ITEMS,
            n_groups=G,
            interactions_per_user=20,
            popularity_exponent=0.3,
            sequential=0.6,
            seed=0,
        )
    )


def runs(split, data=None, **options):
    """Return the cosines of all pairs of items and the NDCG@10, of one model a seed."""
    pairs = np.triu_indices(N_ITEMS, 1)
    cosines, metrics = [], []
    for seed in SEEDS:
        settings = {"dim": 16, "window": 2, "epochs": 10, "learning_rate": 0.05, **options}
        model = Item2Vec(**settings, last=1, score_with="output", seed=seed)
        model.fit(split.train if data is None else data, verbose=False)
        vectors = unit(vectors_by_code(model.item_embeddings_, split.train))
        cosines.append((vectors @ vectors.T)[pairs])
        metrics.append(validation_ndcg(model, split.train, split.validation))
    return np.array(cosines), np.array(metrics)


def likeness(first, second):
    """Return the correlations of the cosines of two sets of runs, other seeds only."""
    between = np.corrcoef(first, second)[: len(first), len(first) :]
    return between[~np.eye(len(first), dtype=bool)]


def agree(first, second):
    """Say whether runs differ from the reference, the first, no more than its seeds do.

    Item by item: they are as like as two of its seeds, three standard deviations allowed.
    As a recommender: the means of three seeds differ by at most four standard errors.
    """
    (cosines, metrics), (other_cosines, other_metrics) = first, second
    own = likeness(cosines, cosines)
    alike = likeness(cosines, other_cosines).mean() >= own.mean() - 3 * own.std(ddof=1)
    spread = np.sqrt((metrics.var(ddof=1) + other_metrics.var(ddof=1)) / len(SEEDS))
    return bool(alike), bool(abs(metrics.mean() - other_metrics.mean()) <= 4 * spread)


@pytest.fixture(scope="module")
def reference(chained):
    return {mode: runs(chained, engine="torch", mode=mode) for mode in MODES}


@pytest.mark.parametrize(
    ("engine", "mode"), [("fast", "skipgram"), ("gensim", "skipgram"), ("fast", "cbow")]
)
def test_engines_differ_no_more_than_seeds(chained, reference, engine, mode):
    """Gensim's CBOW is left out: it takes longer steps, as its docstring says."""
    assert agree(reference[mode], runs(chained, engine=engine, mode=mode)) == (True, True)


@pytest.mark.parametrize("mode", MODES)
def test_that_agreement_can_be_refused(chained, reference, mode):
    shuffled = with_shuffled_items(chained.train)
    twin = runs(chained, shuffled, engine="fast", mode=mode, window=1)
    assert agree(reference[mode], twin) == (False, False)


def test_another_window_is_told_apart_item_by_item(chained, reference):
    alike, _ = agree(reference["skipgram"], runs(chained, engine="fast", window=1))
    assert not alike


# --- seeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ENGINES)
def test_one_seed_gives_one_result(engine, mode):
    first, again, other = (fitted(engine=engine, mode=mode, seed=seed) for seed in (3, 3, 4))
    for table in ("item_embeddings_", "context_embeddings_"):
        vectors = getattr(first, table).vectors
        np.testing.assert_array_equal(vectors, getattr(again, table).vectors)
        assert not np.array_equal(vectors, getattr(other, table).vectors)
    assert first.history_ == again.history_


def test_fitting_one_estimator_twice_starts_afresh():
    model = fitted()
    first = model.item_embeddings_.vectors
    np.testing.assert_array_equal(first, model.fit(BASKETS, verbose=False).item_embeddings_.vectors)


def test_a_new_process_gives_the_same_vectors():
    script = f"""
        import json
        from companion.item2vec import Item2Vec
        tables = {{}}
        for engine in ("fast", "gensim"):
            model = Item2Vec(dim=4, epochs=2, engine=engine, seed=3)
            model.fit({BASKETS!r}, verbose=False)
            tables[engine] = model.item_embeddings_.vectors.tolist()
        print(json.dumps(tables))
    """
    environment = {**os.environ, "PYTHONHASHSEED": "7"}  # the order of sets must not matter
    command = [sys.executable, "-c", textwrap.dedent(script)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for engine, table in json.loads(run.stdout).items():
        here = fitted(engine=engine, seed=3).item_embeddings_.vectors
        np.testing.assert_array_equal(np.array(table, dtype=np.float32), here)


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_elses_random_numbers_are_used(engine):
    import torch

    before = random.getstate(), np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    fitted(engine=engine).partial_fit([["a", "new"]], verbose=False)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), before[2])


# --- what can be learned from -------------------------------------------------------------------

ROWS = [(1, "p", "a"), (1, "p", "b"), (2, "q", "c"), (1, "r", "c"), (2, "q", "a"), (1, "r", "a")]


def test_a_users_history_or_a_basket_is_a_sequence(trained_on):
    assert trained_on(fitted(log_of(ROWS))) == [["a", "b", "c", "a"], ["c", "a"]]
    assert trained_on(fitted(log_of(ROWS), by="basket")) == [["a", "b"], ["c", "a"], ["c", "a"]]


def test_by_basket_only_what_was_bought_together_comes_near():
    """Four trips a user, three things a trip: a history mixes the trips, a basket does not."""
    trips = [[f"{name}{n}" for n in range(3)] for name in "stuvwxyz"]
    rng = np.random.default_rng(0)
    data = log_of(
        (user, (user, trip), item)
        for user in range(100)
        for trip in rng.permutation(len(trips))[:4].tolist()
        for item in trips[trip]
    )

    def together(by):
        model = fitted(data, dim=16, epochs=20, by=by, window="all", learning_rate=0.1)
        found = [{i for i, _ in model.item_embeddings_.similar(trip[0], k=2)} for trip in trips]
        return np.mean([found[t] == set(trip[1:]) for t, trip in enumerate(trips)])

    assert together("basket") == 1.0
    assert together("user") < 0.5


def test_max_history_keeps_the_newest(trained_on):
    model = fitted(log_of(ROWS), max_history=2)
    assert trained_on(model) == [["c", "a"], ["c", "a"]]
    assert model.item_embeddings_.ids == ("a", "c")  # b has no row left, so no vector
    assert trained_on(fitted(log_of(ROWS), by="basket", max_history=2))[0] == ["a", "b"]


def test_rare_items_are_left_out_and_the_gap_closes(trained_on):
    model = fitted([["a", "rare", "b"], ["b", "a"], ["rare"]], min_count=2)
    assert trained_on(model) == [["a", "rare", "b"], ["b", "a"], ["rare"]]
    model = fitted([["a", "rare", "b"], ["b", "a"], []], min_count=2)
    assert trained_on(model) == [["a", "b"], ["b", "a"], []]
    assert model.vocabulary_.counts.tolist() == [2, 2]


def test_lists_are_users_in_their_order():
    as_lists = fitted([["a", "b", "c"], ["c", "a"]])
    as_log = fitted(log_of([(1, 0, i) for i in "abc"] + [(2, 0, i) for i in "ca"]))
    for one, other in [
        (as_lists.item_embeddings_.vectors, as_log.item_embeddings_.vectors),
        (as_lists.recommend([0, 1], 3).ids, as_log.recommend([0, 1], 3).ids),
    ]:
        np.testing.assert_array_equal(one, other)


def test_ids_of_any_kind_keep_their_kind():
    model = fitted([[1, "1", (1, "x")], ["1", 1], [(1, "x"), 2.5, frozenset({1})]])
    assert model.item_embeddings_.ids == (1, "1", (1, "x"), 2.5, frozenset({1}))
    assert not np.array_equal(model.item_embeddings_[1], model.item_embeddings_["1"])
    assert fitted([[(1, 2), (3, 4)], [(3, 4), (1, 2)]]).item_embeddings_.ids == ((1, 2), (3, 4))


@pytest.mark.parametrize("engine", ENGINES)
def test_new_ids_of_another_kind_join_those_there_are(engine):
    model = fitted([[1, 2], [2, 1]], engine=engine)
    model.partial_fit([["1", 1], [(1, 2), 2.5]], verbose=False)
    assert set(model.item_embeddings_.ids) == {1, 2, "1", (1, 2), 2.5}


def test_generators_are_read_once():
    model = fitted(iter(BASKETS))
    np.testing.assert_array_equal(model.item_embeddings_.vectors, fitted().item_embeddings_.vectors)
    lazy = fitted([(item for item in basket) for basket in BASKETS])
    np.testing.assert_array_equal(model.item_embeddings_.vectors, lazy.item_embeddings_.vectors)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ENGINES)
def test_short_sequences_are_no_error_beside_longer_ones(engine, mode):
    model = fitted([["a", "b"], [], ["alone"], ["b", "a"]], engine=engine, mode=mode)
    assert model.item_embeddings_.ids == ("a", "b", "alone")
    assert model.recommend(range(4), 3).lengths().tolist() == [1, 3, 2, 1]


def test_one_table_where_it_is_shared():
    for engine in ("torch", "fast"):
        model = fitted(engine=engine, shared_matrix=True)
        np.testing.assert_array_equal(
            model.item_embeddings_.vectors, model.context_embeddings_.vectors
        )
    assert not np.array_equal(
        fitted().item_embeddings_.vectors, fitted().context_embeddings_.vectors
    )


# --- bad input ----------------------------------------------------------------------------------

NAN = float("nan")
BAD_SETTINGS = [
    ({"dim": 0}, ValueError, "dim must be an integer of at least 1, got 0"),
    ({"dim": 2.0}, TypeError, "dim must be an integer of at least 1, got 2.0"),
    ({"window": 0}, ValueError, "window must be an integer of at least 1, got 0"),
    ({"window": "whole"}, ValueError, "window must be .* or \"all\", got 'whole'"),
    ({"window": None}, TypeError, "window must be an integer of at least 1, got None"),
    ({"negatives": 0}, ValueError, "negatives must be an integer of at least 1, got 0"),
    ({"noise_exponent": NAN}, ValueError, r"noise_exponent must lie in \(-inf, inf\), got nan"),
    ({"noise_exponent": "1"}, TypeError, "noise_exponent must be a number .* got '1'"),
    ({"mode": "cbo"}, ValueError, "mode must be one of 'skipgram', 'cbow', got 'cbo'"),
    ({"engine": "numpy"}, ValueError, "engine must be one of 'torch', 'fast', 'gensim'"),
    ({"by": "session"}, ValueError, "by must be one of 'user', 'basket', got 'session'"),
    ({"score_with": "both"}, ValueError, "score_with must be one of 'input', 'output'"),
    ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
    ({"epochs": True}, TypeError, "epochs must be an integer of at least 1, got True"),
    ({"learning_rate": 0}, ValueError, r"learning_rate must lie in \(0, inf\), got 0"),
    ({"learning_rate": NAN}, ValueError, r"learning_rate must lie in \(0, inf\), got nan"),
    ({"min_count": 0}, ValueError, "min_count must be an integer of at least 1, got 0"),
    ({"max_history": 1}, ValueError, "max_history must be an integer of at least 2, got 1"),
    ({"last": 0}, ValueError, "last must be an integer of at least 1, got 0"),
    ({"decay": 0}, ValueError, r"decay must lie in \(0, 1\], got 0"),
    ({"decay": 1.5}, ValueError, r"decay must lie in \[0, 1\], got 1.5"),
    ({"popularity_weight": NAN}, ValueError, "popularity_weight must lie in .* got nan"),
    ({"subsample": 0}, ValueError, r"subsample must lie in \(0, 1\] or be None, got 0"),
    ({"subsample": NAN}, ValueError, r"subsample must lie in \[0, 1\], got nan"),
    ({"distance_decay": 0}, ValueError, r"distance_decay must lie in \(0, 1\], got 0"),
    ({"distance_decay": 0.5, "window": "all"}, ValueError, "distance_decay needs an ordered"),
    ({"shared_matrix": 1}, TypeError, "shared_matrix must be True or False, got 1"),
    ({"mask_accidental": "no"}, TypeError, "mask_accidental must be True or False, got 'no'"),
    ({"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
    ({"seed": None}, TypeError, "seed must be an integer of at least 0, got None"),
    ({"by": "basket"}, ValueError, "baskets need a basket column"),
    ({"engine": "gensim", "distance_decay": 0.5}, ValueError, "distance_decay must be None or"),
    ({"engine": "gensim", "shared_matrix": True}, ValueError, "shared_matrix must be False"),
    ({"engine": "gensim", "mask_accidental": False}, ValueError, "mask_accidental must be True"),
]
BAD_DATA = [
    ("abc", TypeError, "data must be a sequence of ids, not one string, got 'abc'"),
    (["ab", "bc"], TypeError, "a sequence of data must be a sequence of ids, not one string"),
    (pd.DataFrame({"user": [1], "item": [2]}), TypeError, "data must be Interactions .* DataFrame"),
    (None, TypeError, "data must be Interactions .* got NoneType"),
    ([1, 2], TypeError, "data must hold sequences of ids, got int"),
    ([], ValueError, "data must hold at least one id"),
    ([[], []], ValueError, "data must hold at least one id, got empty sequences only"),
    ([["a", "a"], ["a"]], ValueError, "data must hold at least two distinct items .* got 1"),
    ([["a"], ["b"], []], ValueError, "data must hold a sequence of two items or more, got none"),
    ([["a", None]], ValueError, "'item' must have no missing id"),
    ([["a", NAN]], ValueError, "'item' must have no missing id"),
    ([["a", ["b"]]], TypeError, "'item' must hold hashable ids"),
    (log_of(ROWS).take([]), ValueError, "data must hold"),
]
BAD_MACHINE = [
    ({"threads": 0}, ValueError, "threads must be an integer of at least 1, got 0"),
    ({"threads": 1.5}, TypeError, "threads must be an integer of at least 1, got 1.5"),
    ({"patience": 0}, ValueError, "patience must be an integer of at least 1, got 0"),
    ({"device": "cuda"}, ValueError, 'device must be "auto" or "cpu" with engine=\'fast\''),
]
METHODS = ("fit", "partial_fit")


def all_of(model):
    """Return everything the estimator holds, the arrays as they are."""
    return dict(vars(model))


def assert_untouched(model, before):
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)


def assert_refused(model, method, data, error, message, **machine):
    before = all_of(model)
    with pytest.raises(error, match=message):
        getattr(model, method)(data, verbose=False, **machine)
    assert_untouched(model, before)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("settings", "error", "message"), BAD_SETTINGS)
def test_bad_settings_are_refused_before_anything_changes(settings, error, message, method):
    assert_refused(small(**settings), method, BASKETS, error, message)
    model = fitted()
    for name, value in settings.items():
        setattr(model, name, value)
    vectors = model.item_embeddings_.vectors.copy()
    assert_refused(model, method, BASKETS, error, message)
    np.testing.assert_array_equal(model.item_embeddings_.vectors, vectors)


def test_a_min_count_that_leaves_one_item_is_refused():
    data = [*BASKETS, ["a"] * 5]  # 25 rows of a, at most 20 of any other
    model = fitted()
    model.min_count = 21
    assert_refused(model, "fit", data, ValueError, "data must hold at least two .*21.* got 1")
    model.min_count = 20
    assert model.fit(data, verbose=False).item_embeddings_.ids == ("a", "b", "x", "y")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("data", "error", "message"), BAD_DATA)
def test_bad_data_are_refused_before_anything_changes(data, error, message, method):
    assert_refused(small(), method, data, error, message)
    assert_refused(fitted(), method, data, error, message)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("machine", "error", "message"), BAD_MACHINE)
def test_bad_machine_settings_are_refused(machine, error, message, method):
    assert_refused(fitted(), method, BASKETS, error, message, **machine)


@pytest.mark.parametrize("method", METHODS)
def test_validation_of_other_users_or_items_is_refused(chained, method):
    model = fitted(chained.train)
    others = make_planted_interactions(n_users=30, n_items=20, n_groups=2, seed=0)
    says = "validation must have the users and items of data"
    assert_refused(model, method, chained.train, ValueError, says, validation=others)
    with pytest.raises(TypeError, match="got list"):
        model.fit(chained.train, validation=BASKETS, verbose=False)
    with pytest.raises(ValueError, match="got none"):
        model.fit(chained.train, validation=chained.validation.take([]), verbose=False)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("score_with", "both", "score_with must be one of"),
        ("decay", 0, "decay must lie in"),
        ("last", 0, "last must be an integer"),
        ("popularity_weight", NAN, "popularity_weight must lie in"),
    ],
)
def test_settings_of_the_score_are_checked_when_scoring_too(setting, value, message):
    model = fitted()
    setattr(model, setting, value)
    with pytest.raises(ValueError, match=message):
        model.recommend([0], 2)


def test_nothing_can_be_asked_before_fit():
    with pytest.raises(AttributeError, match="Item2Vec is not fitted"):
        Item2Vec().recommend([0], 2)
    assert not hasattr(Item2Vec(), "item_embeddings_")


# --- scoring ------------------------------------------------------------------------------------

HISTORIES = [
    ["a", "b", "c", "b", "d"],
    ["e", "rare", "a"],
    ["c", "d"],
    [],
    ["rare"],
    ["c", "e", "b", "a", "d", "e"],
]
SCORINGS = [
    {},
    {"last": 1},
    {"last": 3, "decay": 0.5},
    {"decay": 0.9, "popularity_weight": 0.3},
    {"score_with": "output"},
    {"score_with": "output", "last": 2},
    {"score_with": "output", "decay": 0.25, "popularity_weight": -1.5},
]


def score_by_hand(model, histories, item_ids):
    """Score slowly: one user, one row of the history, one item at a time."""
    known = model.item_embeddings_.ids
    counts = {item: sum(h.count(item) for h in histories) for item in known}
    table = np.full((len(histories), len(item_ids)), -np.inf)
    for user, history in enumerate(histories):
        rows = [item for item in history if item in known]
        rows = rows if model.last is None else rows[-model.last :]
        mean, weights = np.zeros(model.dim), 0.0
        for age, item in enumerate(reversed(rows)):
            vector = model.item_embeddings_[item].astype(float)
            if model.score_with == "input":
                vector = vector / np.linalg.norm(vector)
            mean += model.decay**age * vector
            weights += model.decay**age
        mean /= weights or 1.0
        for column, item in enumerate(item_ids):
            if item not in known:
                continue
            if model.score_with == "output":
                likes = mean @ model.context_embeddings_[item].astype(float)
            elif rows:
                vector = model.item_embeddings_[item].astype(float)
                likes = mean @ vector / np.linalg.norm(mean) / np.linalg.norm(vector)
            else:
                likes = 0.0
            share = counts[item] / sum(counts.values())
            table[user, column] = likes + model.popularity_weight * np.log(share)
    return table


@pytest.fixture(scope="module")
def scorer():
    return fitted(HISTORIES, epochs=60, learning_rate=0.2, min_count=3)


@pytest.mark.parametrize("scoring", SCORINGS, ids=str)
def test_scores_against_an_oracle(scorer, scoring):
    """Settings changed after `fit` give what a model made with them gives."""
    made_so = fitted(HISTORIES, epochs=60, learning_rate=0.2, min_count=3, **scoring)
    changed = pickle.loads(pickle.dumps(scorer))
    for name, value in scoring.items():
        setattr(changed, name, value)
    expected = score_by_hand(made_so, HISTORIES, [*"abcde", "rare"])
    users = np.arange(len(HISTORIES))
    scores = made_so.score(users)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(changed.score(users), scores)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(made_so.score(users[[5, 0]]), scores[[5, 0]])


def test_a_known_cosine_by_hand():
    """Two items at a right angle, one between: the mean of the two points at the third."""
    model = fitted([["east", "north", "northeast"], ["northeast", "east"]], dim=2)
    inputs = {"east": [2, 0], "north": [0, 7], "northeast": [1, 1]}
    outputs = {"east": [1, 0], "north": [0, 1], "northeast": [-1, 3]}
    model.item_embeddings_ = Embeddings(inputs, list(inputs.values()))
    model.context_embeddings_ = Embeddings(outputs, list(outputs.values()))
    np.testing.assert_allclose(model.score(np.array([0]))[0], [0.5**0.5, 0.5**0.5, 1], rtol=1e-6)
    model.last, model.score_with = 2, "output"  # north and northeast: their mean is (1/2, 4)
    np.testing.assert_allclose(model.score(np.array([0]))[0], [0.5, 4, 11.5], rtol=1e-6)
    model.decay = 0.25  # northeast 4/5, north 1/5: (4/5, 11/5)
    np.testing.assert_allclose(model.score(np.array([0]))[0], [0.8, 2.2, 5.8], rtol=1e-6)


def test_items_without_a_vector_are_never_recommended(scorer):
    assert "rare" not in scorer.item_embeddings_
    rare = 5
    for exclude_seen in (True, False):
        top = scorer.recommend(range(len(HISTORIES)), 6, exclude_seen=exclude_seen)
        assert rare not in top.ids
    assert top.lengths().tolist() == [5] * len(HISTORIES)


def test_a_user_without_known_items_gets_what_is_popular(scorer):
    model = pickle.loads(pickle.dumps(scorer))
    nobody, only_rare = 3, 4
    for model.score_with in ("input", "output"):
        model.popularity_weight = 0.0
        assert (model.score(np.array([nobody, only_rare]))[:, :5] == 0).all()
        model.popularity_weight = 2.0
        top = model.recommend([nobody, only_rare], 5)
        assert (top.ids == np.argsort(-model.vocabulary_.counts, kind="stable")).all()


def test_seen_items_are_left_out(scorer):
    top = scorer.recommend(range(len(HISTORIES)), 5)
    item_ids = [*"abcde", "rare"]
    for history, row, length in zip(HISTORIES, top.ids, top.lengths(), strict=True):
        listed = {item_ids[code] for code in row[:length]}
        assert listed == set("abcde") - set(history)


def test_it_is_a_recommender_and_an_embedder(scorer):
    assert isinstance(scorer, Recommender)
    assert isinstance(scorer, Embedder)


# --- going on -----------------------------------------------------------------------------------


def neighbours(model, items, k=5):
    vectors = unit(model.item_embeddings_.subset(items).vectors)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    return np.argsort(-cosines, axis=1)[:, :k]


def kept(before, after):
    both = zip(before.tolist(), after.tolist(), strict=True)
    return np.mean([len({*one} & {*other}) / len(one) for one, other in both])


@pytest.fixture(scope="module")
def growing():
    """Old users who had old items only, and new users who had new ones as well."""
    data = make_planted_interactions(
        n_users=400,
        n_items=100,
        n_groups=5,
        interactions_per_user=20,
        popularity_exponent=0,
        seed=1,
    )
    sequences = [data.item_ids[codes].tolist() for codes in data.sequences()]
    old = [[item for item in sequence if item < 80] for sequence in sequences[:200]]
    groups = dict(zip(data.item_ids.tolist(), data.item_groups.tolist(), strict=True))
    return old, sequences[200:], groups


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
@pytest.mark.parametrize("engine", ENGINES)
def test_going_on_keeps_the_neighbours_of_old_items(growing, engine, how):
    """Inside a planted group all are alike, so which five are nearest is what was learned by
    chance: it stays when training goes on, and is lost when it starts anew.
    """
    old, new, groups = growing
    settings = {"dim": 16, "engine": engine}
    model = Item2Vec(**settings, epochs=20).fit(old, verbose=False)
    before = neighbours(model, range(80))
    model.epochs, model.learning_rate = 2, 0.01
    if how == "partial_fit":
        model.partial_fit(new, verbose=False)
    else:
        model.warm_start = True
        model.fit(new, verbose=False)
    anew = Item2Vec(**settings, epochs=20, seed=1).fit(old + new, verbose=False)
    assert kept(before, neighbours(model, range(80))) > 0.6
    assert kept(before, neighbours(anew, range(80))) < 0.55  # 1/3 by chance: 5 of the other 15
    assert set(model.item_embeddings_.ids) == set(range(100))
    found = [[groups[i] for i, _ in model.item_embeddings_.similar(n, 5)] for n in range(80, 100)]
    right = np.array(found) == np.array([groups[n] for n in range(80, 100)])[:, None]
    assert right.mean() > 0.8  # new items have found their group


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", MODES)
def test_what_the_new_data_do_not_hold_stays(engine, mode):
    model = fitted(engine=engine, mode=mode, epochs=5)
    before, ids = model.item_embeddings_, model.item_embeddings_.ids
    model.partial_fit([["a", "new"], ["newer", "a", "b"]] * 5, verbose=False)
    after = model.item_embeddings_
    assert after.ids == (*ids, "new", "newer")  # the old ones keep their rows
    for untouched in ("c", "x", "y", "z"):
        np.testing.assert_array_equal(after[untouched], before[untouched])
    for touched in ("a", "b"):
        assert not np.array_equal(after[touched], before[touched])


def test_counts_add_up():
    model = fitted([["a", "b", "a"], ["b", "c"]])
    model.partial_fit([["d", "a"], ["d", "b", "b"]], verbose=False)
    counts = dict(zip(model.vocabulary_.ids, model.vocabulary_.counts.tolist(), strict=True))
    assert counts == {"a": 3, "b": 4, "c": 1, "d": 2}
    model.popularity_weight = 1.0
    with_prior = model.score(np.array([0]))
    model.popularity_weight = 0.0
    share = np.exp(with_prior - model.score(np.array([0])))
    np.testing.assert_allclose(share[0], [0.2, 0.3, 0.4], rtol=1e-4)  # d, a, b


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_partial_fit_is_a_fit(engine):
    first = small(engine=engine).partial_fit(BASKETS, verbose=False)
    warm = fitted(engine=engine, warm_start=True)
    for model in (first, warm):
        np.testing.assert_array_equal(
            model.item_embeddings_.vectors, fitted(engine=engine).item_embeddings_.vectors
        )
    assert first.vocabulary_.counts.tolist() == fitted(engine=engine).vocabulary_.counts.tolist()


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_a_vanishing_learning_rate_changes_nothing(how):
    """Both tables are carried over, whatever the order of ids in the new data."""
    model = fitted(epochs=30, learning_rate=0.1)
    before = {i: (model.item_embeddings_[i], model.context_embeddings_[i]) for i in "abcxyz"}
    model.learning_rate, model.warm_start = 1e-12, how == "warm_start"
    go_on = model.fit if how == "warm_start" else model.partial_fit
    go_on([list(reversed(basket)) for basket in reversed(BASKETS)], verbose=False)
    for item, (row, output) in before.items():
        np.testing.assert_allclose(model.item_embeddings_[item], row, atol=1e-7)
        np.testing.assert_allclose(model.context_embeddings_[item], output, atol=1e-7)


def test_the_users_are_those_of_the_new_data():
    model = fitted().partial_fit([["a", "new"], ["x", "y"]], verbose=False)
    top = model.recommend([0, 1], 4)  # in the codes of the new data: a, new, x, y
    assert [set(row[row >= 0].tolist()) for row in top.ids] == [{2, 3}, {0, 1}]
    with pytest.raises(ValueError, match=r"users must be codes in 0 .. 1, got 2"):
        model.recommend([2], 1)


def test_warm_start_forgets_what_the_new_data_do_not_hold():
    model = fitted(warm_start=True).fit([["a", "new"], ["new", "a"]], verbose=False)
    assert model.item_embeddings_.ids == ("a", "new")
    assert model.vocabulary_.counts.tolist() == [2, 2]


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_another_dim_cannot_go_on(how):
    model = fitted(warm_start=True)
    model.dim = 5
    method = "partial_fit" if how == "partial_fit" else "fit"
    assert_refused(model, method, BASKETS, ValueError, "dim must stay 4, got 5")
    model.warm_start = False
    assert model.fit(BASKETS, verbose=False).item_embeddings_.dim == 5


# --- validation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_the_best_epoch_is_kept(chained, engine):
    model = fitted(
        chained.train, validation=chained.validation, engine=engine, dim=16, epochs=6, window=2,
        learning_rate=0.01, last=1, score_with="output",
    )  # fmt: skip
    metrics = [epoch["ndcg@10"] for epoch in model.history_]
    assert [epoch["epoch"] for epoch in model.history_] == list(range(1, len(metrics) + 1))
    again = validation_ndcg(model, chained.train, chained.validation)
    assert again == pytest.approx(max(metrics), abs=1e-12)
    assert max(metrics) > 1.5 * metrics[0]  # it learned


@pytest.mark.parametrize(
    ("script", "patience", "n_epochs", "best"),
    [
        ([0.1, 0.5, 0.3, 0.2, 0.9], 2, 4, 2),  # the 0.9 is never seen
        ([0.1, 0.5, 0.5, 0.5, 0.9], 2, 4, 2),  # a tie is no new best
        ([0.1, 0.5, 0.3, 0.6, 0.2], 2, 5, 4),
        ([0.5, 0.4, 0.9, 0.9, 0.9], 1, 2, 1),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 1, 5, 5),
    ],
)
def test_patience(monkeypatch, chained, script, patience, n_epochs, best):
    seen = []

    def scripted(model, train, validation):
        seen.append((model.item_embeddings_.vectors, model.context_embeddings_.vectors))
        return script[len(seen) - 1]

    monkeypatch.setattr(item2vec, "validation_ndcg", scripted)
    model = small(epochs=5)
    model.fit(chained.train, validation=chained.validation, patience=patience, verbose=False)
    assert [epoch["ndcg@10"] for epoch in model.history_] == script[:n_epochs]
    inputs, outputs = seen[best - 1]
    np.testing.assert_array_equal(model.item_embeddings_.vectors, inputs)
    np.testing.assert_array_equal(model.context_embeddings_.vectors, outputs)
    if best != n_epochs:
        assert not np.array_equal(model.item_embeddings_.vectors, seen[-1][0])


def test_validation_does_not_change_what_is_learned(monkeypatch, chained):
    def ever_better(model, train, validation):
        return len(model.history_) + validation_ndcg(model, train, validation)

    monkeypatch.setattr(item2vec, "validation_ndcg", ever_better)
    watched = fitted(chained.train, validation=chained.validation, epochs=2)
    assert 2 <= watched.history_[1]["ndcg@10"] <= 3
    np.testing.assert_array_equal(
        watched.item_embeddings_.vectors, fitted(chained.train, epochs=2).item_embeddings_.vectors
    )
    assert "ndcg@10" not in fitted(chained.train).history_[0]


# --- interruption -------------------------------------------------------------------------------


def assert_usable(model, data):
    """The parts fit together: every table, the users, and what goes on from here."""
    ids = model.vocabulary_.ids.tolist()
    assert list(model.item_embeddings_.ids) == list(model.context_embeddings_.ids) == ids
    expected = score_by_hand(model, data, list(dict.fromkeys(i for row in data for i in row)))
    np.testing.assert_allclose(model.score(np.arange(len(data))), expected, rtol=1e-5, atol=1e-6)
    assert model.recommend(np.arange(len(data)), 2).ids.shape == (len(data), 2)
    assert len(model.item_embeddings_.similar(ids[0], 2)) == 2
    model.partial_fit(data, verbose=False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fitted_before", [False, True])
def test_an_interrupted_fit_can_be_used(interrupted, monkeypatch, engine, mode, fitted_before):
    model = small(engine=engine, mode=mode, epochs=4)
    if fitted_before:
        model.fit([["other", "things"], ["things", "other"]], verbose=False)
    with monkeypatch.context():
        engines = interrupted(3)
        with pytest.raises(KeyboardInterrupt):
            model.fit(BASKETS, verbose=False)
    assert [epoch["epoch"] for epoch in model.history_] == [1, 2]
    inputs, outputs = engines[0].tables()  # half an epoch further on than the last loss
    np.testing.assert_array_equal(model.item_embeddings_.vectors, inputs)
    np.testing.assert_array_equal(model.context_embeddings_.vectors, outputs)
    monkeypatch.undo()
    assert_usable(model, BASKETS)


def test_an_interruption_in_the_first_epoch(interrupted, monkeypatch):
    interrupted(1)
    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(BASKETS, verbose=False)
    assert model.history_ == []
    monkeypatch.undo()
    assert_usable(model, BASKETS)


def test_an_interrupted_partial_fit_keeps_the_old_items(interrupted, monkeypatch):
    model = fitted()
    interrupted(1)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit([["a", "new"], ["new", "b"]], verbose=False)
    assert model.item_embeddings_.ids == (*"abcxyz", "new")
    monkeypatch.undo()
    model.partial_fit([["a", "new"]], verbose=False)


def test_an_interruption_with_validation_keeps_the_best_epoch(interrupted, chained):
    interrupted(4)
    model = small(dim=16, epochs=6, window=2, learning_rate=0.05, last=1, score_with="output")
    with pytest.raises(KeyboardInterrupt):
        model.fit(chained.train, validation=chained.validation, verbose=False)
    metrics = [epoch["ndcg@10"] for epoch in model.history_]
    assert len(metrics) == 3
    again = validation_ndcg(model, chained.train, chained.validation)
    assert again == pytest.approx(max(metrics), abs=1e-12)


@pytest.mark.parametrize("during", [1, 2])
def test_an_interruption_while_validating(monkeypatch, chained, during):
    asked = []

    def interrupting(model, train, validation):
        asked.append(model)
        if len(asked) == during:
            raise KeyboardInterrupt
        return 0.5

    monkeypatch.setattr(item2vec, "validation_ndcg", interrupting)
    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(chained.train, validation=chained.validation, verbose=False)
    assert len(model.history_) == during
    assert "ndcg@10" not in model.history_[-1]
    assert model.recommend([0], 3).ids.shape == (1, 3)


def test_an_interruption_before_training_changes_nothing(monkeypatch):
    model = fitted()
    before = all_of(model)

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(learning, "make_engine", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit([["other", "things"]], verbose=False)
    assert_untouched(model, before)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_the_fast_engine_at_once(threads):
    script = f"""
        import signal
        import numpy as np
        from companion.datasets import make_planted_interactions
        from companion.item2vec import Item2Vec

        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
        data = make_planted_interactions(n_users=4_000, n_items=500, interactions_per_user=50)
        model = Item2Vec(engine="fast", epochs=1).fit([["a", "b"]], verbose=False)  # compiles
        model.epochs = 100_000
        print("training", flush=True)
        try:
            model.fit(data, threads={threads}, verbose=False)
        except KeyboardInterrupt:
            ids, tables = model.vocabulary_.ids.tolist(), model.item_embeddings_
            assert list(tables.ids) == ids and len(ids) == data.n_items
            assert len(model.history_) >= 1 and model.history_[-1]["loss"] < 6 * np.log(2)
            assert model.recommend(np.arange(9), 5).ids.min() >= 0
            before = tables.vectors.copy()
            model.epochs = 1
            assert len(model.partial_fit([[ids[0], ids[1]]], verbose=False).history_) == 1
            assert (tables.vectors == before).all()  # no thread is writing any more
            print("usable", flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            assert run.stdout.readline() == "training\n", run.stderr.read()
            time.sleep(1.5)
            pressed = time.monotonic()
            run.send_signal(signal.SIGINT)
            said, complaint = run.communicate(timeout=30)
            assert said == "usable\n", complaint
            assert run.returncode == 0
            assert time.monotonic() - pressed < 5
        finally:
            run.kill()


# --- items that nobody has had yet --------------------------------------------------------------

FEATURES = pd.DataFrame(
    {"funny": [3.0, 1.0, 0.0, 1.0, -1.0], "old": [0.0, 1.0, 2.0, 0.5, 0.0]},
    index=["a", "b", "unknown", "x", "y"],
)


@pytest.fixture(scope="module")
def model():
    return fitted(epochs=10)


def test_a_new_item_between_its_neighbours(model):
    e = model.item_embeddings_
    expected = (e["a"] + e["b"] + e["x"]) / 3
    inferred = model.infer_vector(["a", "b", "x"])
    np.testing.assert_allclose(inferred, expected, rtol=1e-6, atol=1e-8)
    assert inferred.dtype == np.float32
    np.testing.assert_allclose(model.infer_vector(["a", "a", "b"]), (2 * e["a"] + e["b"]) / 3, 1e-5)
    assert model.item_embeddings_.nearest(model.infer_vector(["c"]), k=1)[0][0] == "c"


def test_a_new_item_in_the_table_of_outputs(model):
    outputs = model.context_embeddings_
    expected = (outputs["a"] + outputs["x"]) / 2
    inferred = model.infer_vector(["a", "x"], table="output")
    np.testing.assert_allclose(inferred, expected, rtol=1e-6, atol=1e-8)
    with pytest.raises(ValueError, match="table must be one of 'input', 'output', got 'both'"):
        model.infer_vector(["a", "x"], table="both")


def infer_by_hand(model, features, k):
    rows = []
    for item, row in FEATURES.iterrows():
        if item in model.item_embeddings_:
            product = sum(p * q for p, q in zip(features, row, strict=True))
            lengths = sum(p * p for p in features) ** 0.5 * sum(p * p for p in row) ** 0.5
            rows.append((product / lengths, item))
    nearest = sorted(rows, reverse=True)[:k]
    weights = [max(cosine, 0.0) for cosine, _ in nearest]
    vectors = [model.item_embeddings_[item] for _, item in nearest]
    return sum(w * v for w, v in zip(weights, vectors, strict=True)) / sum(weights)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
@pytest.mark.parametrize("features", [[1.0, 2.0], [5.0, 0.1], [1.0, -3.0]])
def test_a_new_item_among_those_with_its_features(model, features, k):
    """With k = 10 an item that points the other way has no part; unknown items never have."""
    inferred = model.infer_vector(features=features, item_features=FEATURES, k=k)
    np.testing.assert_allclose(inferred, infer_by_hand(model, features, k), rtol=1e-5, atol=1e-7)
    assert inferred.dtype == np.float32


def test_inferring_changes_nothing(model):
    before, table, wanted = all_of(model), FEATURES.copy(), np.array([1.0, 2.0])
    model.infer_vector(features=wanted, item_features=FEATURES)[:] = 7
    model.infer_vector(["a"])[:] = 7
    assert_untouched(model, before)
    pd.testing.assert_frame_equal(FEATURES, table)
    assert wanted.tolist() == [1.0, 2.0]
    assert model.item_embeddings_["a"].max() < 7


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give either neighbours or features, and not both"),
        ({"neighbours": ["a"], "features": [1, 2]}, ValueError, "give either neighbours or"),
        ({"neighbours": "ab"}, TypeError, "neighbours must be a sequence of ids, not one string"),
        ({"neighbours": []}, ValueError, "neighbours must hold at least one id, got none"),
        ({"neighbours": ["a", "q"]}, KeyError, "'q' is not among the 6 ids"),
        ({"features": [1, 2]}, TypeError, "item_features must be a DataFrame .* NoneType"),
        ({"features": [1, 2], "item_features": FEATURES.to_numpy()}, TypeError, "got ndarray"),
        ({"features": [1], "item_features": FEATURES}, ValueError, r"shape \(2,\), got \(1,\)"),
        ({"features": [[1, 2]], "item_features": FEATURES}, ValueError, r"\(2,\), got \(1, 2\)"),
        ({"features": [1, NAN], "item_features": FEATURES}, ValueError, "features .* finite"),
        ({"features": [1, 2], "item_features": FEATURES * NAN}, ValueError, "item_features .* fin"),
        ({"features": [0, 0], "item_features": FEATURES}, ValueError, "something in common"),
        ({"features": [1, 2], "item_features": FEATURES * 0}, ValueError, "something in common"),
        (
            {"features": [1, 2], "item_features": FEATURES.loc[["unknown"]]},
            ValueError,
            "item_features must be indexed by ids of",
        ),
        ({"features": [-1, -1], "item_features": FEATURES.head(2)}, ValueError, "in common"),
        ({"features": [1, 2], "item_features": FEATURES, "k": 0}, ValueError, "k must be an int"),
        ({"features": [1, 2], "item_features": FEATURES, "k": 1.5}, TypeError, "k must be an int"),
    ],
)
def test_bad_questions_about_new_items(model, arguments, error, message):
    with pytest.raises(error, match=message):
        model.infer_vector(**arguments)


# --- manners ------------------------------------------------------------------------------------


def test_repr_says_how_to_make_another(model):
    again = eval(repr(model), {"Item2Vec": Item2Vec})
    settings = {f.name for f in dataclasses.fields(Item2Vec) if f.init}
    assert all(getattr(again, name) == getattr(model, name) for name in settings)
    assert "item_embeddings_" not in repr(model)


def test_a_copy_with_other_settings_has_learned_nothing(model):
    other = dataclasses.replace(model, dim=9)
    assert (other.dim, other.epochs, other.engine) == (9, model.epochs, model.engine)
    assert vars(other).keys() == vars(Item2Vec()).keys()
    assert model.item_embeddings_.dim == 4


def test_a_pickled_model_recommends_the_same(model):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.recommend([0, 3], 4).ids, model.recommend([0, 3], 4).ids)


def test_settings_are_keywords_and_fit_returns_the_estimator():
    with pytest.raises(TypeError, match="positional"):
        Item2Vec(64)
    model = small()
    assert model.fit(BASKETS, verbose=False) is model
    assert model.partial_fit(BASKETS, verbose=False) is model


@pytest.mark.parametrize("engine", ENGINES)
def test_the_callers_data_stay_as_they_are(chained, engine):
    lists = [list(basket) for basket in BASKETS]
    model = fitted(lists, engine=engine)
    assert lists == BASKETS
    before = chained.train.fingerprint(), chained.validation.fingerprint()
    former = model.item_embeddings_.vectors.copy(), model.context_embeddings_.vectors.copy()
    learned = model.item_embeddings_, model.context_embeddings_
    model.partial_fit(lists, verbose=False)
    for vectors, embeddings in zip(former, learned, strict=True):  # what was handed out stays
        np.testing.assert_array_equal(vectors, embeddings.vectors)
    fitted(chained.train, validation=chained.validation, engine=engine, epochs=1)
    assert (chained.train.fingerprint(), chained.validation.fingerprint()) == before


def test_a_model_does_not_follow_its_lists():
    lists = [list(basket) for basket in BASKETS]
    model = fitted(lists)
    scores = model.score(np.arange(3))
    lists[0][:] = ["z", "z"]
    np.testing.assert_array_equal(model.score(np.arange(3)), scores)


@pytest.mark.parametrize("settings", [{"by": "basket"}, {"max_history": 2}], ids=str)
def test_a_user_is_scored_by_the_whole_history(settings):
    model, histories = fitted(log_of(ROWS), **settings), [["a", "b", "c", "a"], ["c", "a"]]
    expected = score_by_hand(model, histories, list("abc"))
    np.testing.assert_allclose(model.score(np.arange(2)), expected, rtol=1e-5, atol=1e-6)


def test_a_user_that_is_not_there_is_refused():
    model = fitted(log_of(ROWS))
    with pytest.raises(ValueError, match=r"^users must be codes in 0 .. 1, got -1$"):
        model.score(np.array([-1]))


def test_neighbours_may_stand_in_any_list():
    model = fitted([[0, 1, 2], [1, 0], [2, 0]] * 5)
    expected = model.infer_vector([0, 1])
    for ids in (np.array([0, 1]), pd.Index([0, 1]), pd.Series([0, 1]), (0, 1)):
        np.testing.assert_array_equal(model.infer_vector(ids), expected)
    np.testing.assert_array_equal(model.infer_vector(np.array([0])), model.item_embeddings_[0])


@pytest.mark.parametrize("data", [[{"a", "b"}], {("u", 1): ["a", "b"]}])
def test_what_has_no_order_is_refused(data):
    with pytest.raises(TypeError, match=r"^(a sequence of )?data must"):
        fitted(data)


def test_an_error_after_an_epoch_leaves_the_model_as_it_was(monkeypatch):
    split = leave_last_out(make_planted_interactions(n_users=60, n_items=30, n_groups=3, seed=0))
    model = fitted(split.train)
    before = dict(vars(model))

    def breaks_down(*_, **__):
        yield 1.0
        raise RuntimeError("in the second epoch")

    monkeypatch.setattr("companion.sgns.learning.train", breaks_down)
    with pytest.raises(RuntimeError, match="in the second epoch"):
        model.fit(split.train, validation=split.validation, verbose=False)
    assert vars(model) == before


def test_going_on_draws_new_numbers():
    model = fitted([["a", "b"], ["b", "a"]] * 5, learning_rate=1e-12, epochs=1)
    start = model.item_embeddings_["a"].copy()
    model.partial_fit([["new", "a"], ["a", "new"]], verbose=False)
    assert not np.allclose(model.item_embeddings_["new"], start, atol=1e-9)
