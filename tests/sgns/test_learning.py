"""The training that Item2Vec and Node2Vec share: where it starts, when it stops, what it keeps."""

import numpy as np
import pandas as pd
import pytest

from companion.sequences import Sequences
from companion.sgns import Learning, Objective, Vocabulary, start_tables

WALKS = Sequences(np.array([0, 1, 0, 2, 3, 2] * 20, dtype=np.int32), np.arange(0, 121, 3))
VOCABULARY = Vocabulary(pd.Index(list("abcd")), np.array([40, 20, 40, 20]))


def learning(**options):
    settings = {"dim": 4, "epochs": 4, "engine": "fast", **options}
    return Learning(WALKS, VOCABULARY, Objective(window=1), **settings)


def test_it_starts_from_what_is_known_and_at_random_elsewhere():
    old = tuple(np.full((2, 4), value, dtype=np.float32) for value in (7.0, 8.0))
    known = Vocabulary(pd.Index(["d", "z"]), np.array([3, 2]))
    inputs, outputs = learning(former=(known, old)).tables()
    assert (inputs[3] == 7).all()
    assert (outputs[3] == 8).all()
    fresh = start_tables(4, 4, rng=np.random.default_rng([0, 5]))[0]  # the seed and the counts
    np.testing.assert_array_equal(inputs[:3], fresh[:3])


def test_all_epochs_are_run_and_noted():
    run = learning()
    run.run(verbose=False)
    assert [line["epoch"] for line in run.history] == [1, 2, 3, 4]
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_the_judge_stops_it_and_the_best_epoch_is_kept():
    run, seen = learning(epochs=9), []

    def judge(tables):
        seen.append(tables)
        return [0.1, 0.3, 0.2, 0.25, 0.9][len(seen) - 1]

    run.run(judge=judge, metric="auc", patience=2, verbose=False)
    assert [line["auc"] for line in run.history] == [0.1, 0.3, 0.2, 0.25]
    for kept, best in zip(run.tables(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, best)


def test_an_interrupted_judge_leaves_the_best_so_far():
    run, seen = learning(), []

    def judge(tables):
        seen.append(tables)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        run.run(judge=judge, verbose=False)
    np.testing.assert_array_equal(run.tables()[0], seen[0][0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "^epochs must"),
        ({"learning_rate": 0.0}, ValueError, "^learning_rate must"),
        ({"seed": -1}, ValueError, "^seed must"),
        ({"subsample": 2.0}, ValueError, "^subsample must"),
        ({"dim": 0}, ValueError, "^dim must"),
        ({"engine": "faster"}, ValueError, "^engine must"),
    ],
)
def test_bad_settings_are_refused_before_training(options, error, message):
    with pytest.raises(error, match=message):
        learning(**options)


def test_sequences_without_a_pair_are_refused():
    alone = Sequences(np.array([0, 1], dtype=np.int32), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match=r"^data must hold a sequence of two items or more"):
        Learning(alone, VOCABULARY, Objective(), engine="fast")


def test_patience_is_a_count():
    with pytest.raises(ValueError, match=r"^patience must"):
        learning().run(patience=0, verbose=False)
