"""When to stop: the metric against the evaluator, and the memory of the best epoch by a list."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.baselines import ItemKNN
from companion.datasets import make_planted_interactions
from companion.evaluation import evaluate
from companion.recommend import EmbeddingRecommender
from companion.splits import leave_last_out, random_split
from companion.topk import TopK
from companion.training import BestEpoch, check_validation, validation_ndcg


def planted(**options):
    return make_planted_interactions(n_users=120, n_items=60, n_groups=3, seed=1, **options)


def random_recommender(data, seed=0):
    """Scores without ties."""
    rng = np.random.default_rng(seed)
    return EmbeddingRecommender(
        rng.normal(size=(data.n_users, 5)), rng.normal(size=(data.n_items, 5)), data
    )


@pytest.mark.parametrize("cut", [leave_last_out, lambda data: random_split(data, seed=3)])
@pytest.mark.parametrize("k", [1, 5, 10])
def test_the_metric_is_the_evaluators(cut, k):
    split = cut(planted(repeats=False, interactions_per_user=12))
    for model in (random_recommender(split.train), ItemKNN().fit(split.train)):
        report = evaluate(model, split, k=k, part="validation", n_bootstrap=1)
        found = validation_ndcg(model, split.train, split.validation, k=k)
        assert found == pytest.approx(report.values[f"ndcg@{k}"], rel=1e-12)
        assert 0 < found < 1


def test_what_was_had_in_training_is_neither_asked_for_nor_counted():
    split = random_split(planted(interactions_per_user=30), seed=3)
    model = random_recommender(split.train)
    hidden = evaluate(model, split, k=10, part="validation", repeats="hide", n_bootstrap=1)
    found = validation_ndcg(model, split.train, split.validation)
    assert found == pytest.approx(hidden.values["ndcg@10"], rel=1e-12)
    counted = evaluate(model, split, k=10, part="validation", repeats="count", n_bootstrap=1)
    assert found != pytest.approx(counted.values["ndcg@10"], rel=1e-3)  # the twin


class Fixed:
    """Recommends what it was told to."""

    def __init__(self, ids, scores):
        self.ids, self.scores, self.asked = np.array(ids), np.array(scores), []

    def recommend(self, users, k, *, exclude_seen=True, exclude=None):
        self.asked.append((users.tolist(), k, exclude_seen))
        return TopK(ids=self.ids[users][:, :k], scores=self.scores[users][:, :k])


def three_users(log_of):
    data = log_of(
        [
            *[("ann", item, t) for t, item in enumerate("abc")],
            *[("bob", item, t) for t, item in enumerate("abde")],
            ("cy", "a", 0),
            ("cy", "b", 1),
        ]
    )
    codes = {name: int(data.item_code(name)) for name in "abcde"}
    in_training = np.array([True, True, False, True, True, False, False, True, True])
    return data.take(in_training), data.take(~in_training), codes


def test_golden_mean_over_users_with_something_new(log_of):
    train, validation, code = three_users(log_of)
    c, d, e = (code[name] for name in "cde")
    # Ann's c stands second; bob's d and e first and third; cy has nothing new.
    model = Fixed([[d, c, e], [d, c, e], [c, d, e]], [[3.0, 2.0, 1.0]] * 3)
    ann = 1 / math.log2(3)
    bob = (1 + 1 / 2) / (1 + 1 / math.log2(3))
    assert validation_ndcg(model, train, validation, k=3) == pytest.approx((ann + bob) / 2)
    assert [(users, seen) for users, _, seen in model.asked] == [([0, 1], True)]
    # At k = 1 only bob's first place counts, out of one.
    assert validation_ndcg(model, train, validation, k=1) == pytest.approx(1 / 2)


def test_a_tie_at_the_last_place_does_not_help(log_of):
    train, validation, code = three_users(log_of)
    c, d, e = (code[name] for name in "cde")
    tied = Fixed([[c, d, e]] * 3, [[2.0, 2.0, 1.0]] * 3)
    clear = Fixed([[c, d, e]] * 3, [[2.5, 2.0, 1.0]] * 3)
    # Ann's c shares its score with d, which stands behind it at place 2.
    assert validation_ndcg(tied, train, validation, k=1) == 0
    assert validation_ndcg(clear, train, validation, k=1) == pytest.approx(1 / 2)


def test_nobody_with_a_new_item_has_no_metric(log_of):
    data = log_of([("ann", "a", 0), ("ann", "b", 1), ("ann", "a", 2), ("bob", "a", 3)])
    train, validation = data.take([0, 1, 3]), data.take([2])
    assert math.isnan(validation_ndcg(random_recommender(train), train, validation))


# --- the door --------------------------------------------------------------------------------


def test_parts_of_one_split_fit_each_other():
    split = leave_last_out(planted())
    check_validation(split.train, split.validation)


def test_others_do_not():
    data = planted()
    message = "^validation must have the users and items of data, as the parts of a split have$"
    fewer_users = make_planted_interactions(n_users=119, n_items=60, n_groups=3, seed=1)
    with pytest.raises(ValueError, match=message):
        check_validation(data, fewer_users)
    fewer_items = data.filter(min_item=40)
    assert 0 < fewer_items.n_items < data.n_items
    with pytest.raises(ValueError, match=message):
        check_validation(data, fewer_items)
    with pytest.raises(ValueError, match=r"^validation must hold an item that is new"):
        check_validation(data, data.take([]))
    with pytest.raises(TypeError, match=r"^validation must be Interactions, .*, got list$"):
        check_validation(data, [["a", "b"]])


def test_a_part_with_nothing_new_is_refused(log_of):
    data = log_of([("ann", "a", 0), ("ann", "b", 1), ("ann", "a", 2), ("bob", "a", 3)])
    message = "^validation must hold an item that is new to its user, got none$"
    with pytest.raises(ValueError, match=message):
        check_validation(data.take([0, 1, 3]), data.take([2]))


def test_the_same_ids_in_another_order_do_not_fit(log_of):
    data = log_of([("ann", "a", 0), ("bob", "b", 1)])
    other = log_of([("ann", "b", 0), ("bob", "a", 1)])
    with pytest.raises(ValueError, match=r"^validation must have the users and items of data"):
        check_validation(data, other)


# --- the best epoch ----------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 5))
def test_the_best_epoch_against_a_list(metrics, patience):
    best = BestEpoch(patience)
    stops = [best.update(metric, epoch) for epoch, metric in enumerate(metrics)]
    for epoch, stop in enumerate(stops):
        so_far = metrics[: epoch + 1]
        assert stop == (epoch - so_far.index(max(so_far)) >= patience)
    assert best.metric == max(metrics)
    assert best.state == metrics.index(max(metrics))  # the first of equals


def test_before_the_first_epoch_there_is_no_state():
    best = BestEpoch(patience=1)
    assert best.state is None
    assert best.update(-5.0, "even so a first one is the best yet") is False
    assert best.update(-5.0, "a tie") is True


def test_a_metric_that_is_no_number_is_no_best():
    best = BestEpoch(patience=2)
    assert [best.update(metric, metric) for metric in (0.1, math.nan, math.nan)] == [
        False, False, True,
    ]  # fmt: skip
    assert best.state == 0.1


@pytest.mark.parametrize(
    ("patience", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)]
)
def test_patience_is_a_count(patience, error):
    with pytest.raises(error, match=r"^patience must be an integer of at least 1, got "):
        BestEpoch(patience)
