"""Planted data follow their written law; each test of the law has a twin that must be rejected."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from companion.datasets import PlantedInteractions, make_planted_interactions
from companion.interactions import Interactions

N_DRAWS = 40_000
SURPRISE = 1e-4  # a smaller p-value rejects the law


def p_value(counts, law):
    """Return the chi-square p-value of counts under a law; cells below 5 are thrown together."""
    expected = law / law.sum() * counts.sum()
    rare = expected < 5
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    used = expected > 0
    return stats.chisquare(counts[used], expected[used]).pvalue


def plain_law(data, user, previous=None):
    """Write p(i | u) or p(i | u, previous) out item by item, from the formula."""
    truth = data.truth
    n_groups = len(set(truth.item_groups.tolist()))
    law = []
    for item in data.item_ids:
        at_home = truth.item_groups[item] == truth.user_groups[data.user_ids[user]]
        group = (1 - truth.noise) * at_home + truth.noise / n_groups
        chance = truth.popularity[item] * group
        if previous is not None:
            follows = truth.successors[data.item_ids[previous]] == item
            chance = truth.sequential * follows + (1 - truth.sequential) * chance
        law.append(chance)
    return np.array(law)


def test_it_is_interactions_like_all_others():
    data = make_planted_interactions(n_users=30, n_items=20, n_groups=4)
    assert isinstance(data, Interactions)
    assert isinstance(data, PlantedInteractions)
    assert len(data) == 30 * 50
    assert data.user_counts().tolist() == [50] * 30
    assert data.user_ids.tolist() == list(range(30))


def test_popularity_in_a_group_is_a_power_of_the_rank():
    truth = make_planted_interactions(n_items=6, n_groups=2, popularity_exponent=1.0).truth
    for group in (0, 1):
        shares = sorted(truth.popularity[truth.item_groups == group])
        assert shares == pytest.approx([float(Fraction(n, 11)) for n in (2, 3, 6)])


def test_all_items_of_a_group_are_equal_at_exponent_0():
    truth = make_planted_interactions(n_items=7, n_groups=3, popularity_exponent=0.0).truth
    sizes = np.bincount(truth.item_groups)
    assert sorted(sizes) == [2, 2, 3]
    assert truth.popularity == pytest.approx(1 / sizes[truth.item_groups])


def test_successors_make_one_ring_a_group():
    truth = make_planted_interactions(n_items=11, n_groups=3).truth
    for start in range(11):
        ring, item = [], start
        while item not in ring:
            ring.append(item)
            item = truth.successors[item]
        assert item == start
        assert (
            sorted(ring) == np.flatnonzero(truth.item_groups == truth.item_groups[start]).tolist()
        )


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_draws_follow_the_law_and_not_its_twin(noise):
    data = make_planted_interactions(
        n_users=1, n_items=37, n_groups=5, interactions_per_user=N_DRAWS, noise=noise, seed=3
    )
    counts = data.item_counts()
    assert p_value(counts, plain_law(data, 0)) > SURPRISE
    at_home = data.item_groups == data.user_groups[0]
    twin = np.where(at_home, 1.1, 1.0) * plain_law(data, 0)  # a tenth more at home
    if noise > 0:  # without noise every draw is at home, and a tenth more is the same law
        assert p_value(counts, twin) < SURPRISE
    else:
        assert at_home[data.items].all()
        assert p_value(counts, plain_law(data, 0) ** 1.1) < SURPRISE


def test_next_item_follows_the_law_and_not_its_twin():
    data = make_planted_interactions(
        n_users=2_000, n_items=12, n_groups=3, sequential=0.4, noise=0.2, seed=5
    )
    one_home = data.user_groups[data.users] == data.user_groups[0]
    popular = int(np.argmax(data.item_counts() * (data.item_groups == data.user_groups[0])))
    pair = one_home[:-1] & (data.users[1:] == data.users[:-1]) & (data.items[:-1] == popular)
    counts = np.bincount(data.items[1:][pair], minlength=data.n_items)
    assert counts.sum() > 5_000
    assert p_value(counts, plain_law(data, 0, popular)) > SURPRISE
    assert p_value(counts, plain_law(data, 0)) < SURPRISE  # the twin that ignores the order


def test_first_items_follow_nothing():
    data = make_planted_interactions(
        n_users=N_DRAWS, n_items=9, n_groups=1, interactions_per_user=2, sequential=1.0, seed=6
    )
    items = data.items.reshape(-1, 2)
    assert p_value(np.bincount(items[:, 0], minlength=9), plain_law(data, 0)) > SURPRISE
    followers = data.item_codes(data.truth.successors[data.item_ids.to_numpy()].tolist())
    assert (items[:, 1] == followers[items[:, 0]]).all()


def test_without_repeats_the_next_item_is_a_draw_among_the_others():
    data = make_planted_interactions(
        n_users=N_DRAWS, n_items=8, n_groups=1, interactions_per_user=2, repeats=False, seed=7
    )
    assert data.n_repeats() == 0
    pairs = data.take(data.user_counts()[data.users] == 2).items.reshape(-1, 2)
    first = int(np.argmax(data.item_counts()))
    counts = np.bincount(pairs[pairs[:, 0] == first, 1], minlength=8)
    others = plain_law(data, 0)
    assert counts[first] == 0
    without = np.where(np.arange(8) == first, 0.0, others)
    assert p_value(counts, without) > SURPRISE
    assert p_value(counts, np.where(np.arange(8) == first, 0.0, 1.0)) < SURPRISE


@given(
    n_users=st.integers(1, 12),
    n_items=st.integers(1, 15),
    data=st.data(),
    noise=st.floats(0, 1),
    sequential=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_scores_are_the_law_in_codes(n_users, n_items, data, noise, sequential, seed):
    n_groups = data.draw(st.integers(1, n_items))
    planted = make_planted_interactions(
        n_users=n_users,
        n_items=n_items,
        n_groups=n_groups,
        interactions_per_user=4,
        noise=noise,
        sequential=sequential,
        seed=seed,
    )
    users = np.arange(n_users)
    previous = np.zeros(n_users, dtype=int)
    for last in (None, previous):
        scores = planted.oracle_scores(users, last)
        slow = [plain_law(planted, u, None if last is None else last[u]) for u in users]
        np.testing.assert_allclose(scores, slow, atol=1e-12)
        if planted.n_items == n_items:
            np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_truth_stays_right_after_filter_and_take():
    data = make_planted_interactions(n_users=40, n_items=60, n_groups=6, interactions_per_user=5)
    kept = data.filter(min_item=4)
    assert isinstance(kept, PlantedInteractions)
    assert kept.n_items < data.n_items
    codes = data.item_codes(kept.item_ids.tolist())
    np.testing.assert_array_equal(kept.item_groups, data.item_groups[codes])
    user = kept.user_ids[3]
    np.testing.assert_allclose(
        kept.oracle_scores([3])[0], data.oracle_scores([data.user_code(user)])[0, codes]
    )
    part = data.take(np.arange(10))
    np.testing.assert_array_equal(part.item_groups, data.item_groups)


def test_best_hit_rate_is_what_the_ideal_list_gets():
    data = make_planted_interactions(
        n_users=1, n_items=50, n_groups=5, interactions_per_user=N_DRAWS
    )
    for k in (1, 5, 20):
        bound = data.best_hit_rate([0], k)[0]
        ideal = np.argsort(-data.oracle_scores([0])[0])[:k]
        rate = np.isin(data.items, ideal).mean()
        assert abs(rate - bound) < 4 * np.sqrt(bound * (1 - bound) / N_DRAWS)
        assert bound == pytest.approx(sum(sorted(plain_law(data, 0))[-k:]))
    wide = make_planted_interactions(n_users=1, n_items=3_000, interactions_per_user=N_DRAWS)
    best = sorted(plain_law(wide, 0))[-500:]
    assert wide.best_hit_rate([0], 500)[0] == pytest.approx(sum(best))
    assert data.best_hit_rate([0], 50)[0] == pytest.approx(1)
    assert data.best_hit_rate([0], 10**6)[0] == pytest.approx(1)


def test_best_hit_rate_without_what_cannot_come():
    data = make_planted_interactions(n_users=3, n_items=20, n_groups=2, interactions_per_user=200)
    scores = data.oracle_scores([2, 1])
    seen = sparse.csr_array(([1.0, 1.0], ([0, 1], [int(scores[0].argmax()), 4])), shape=(2, 20))
    rest = scores.copy()
    rest[0, scores[0].argmax()] = rest[1, 4] = 0
    expected = [sum(sorted(row)[-3:]) / sum(row) for row in rest]
    assert data.best_hit_rate([2, 1], 3, exclude=seen) == pytest.approx(expected)
    np.testing.assert_array_equal(data.oracle_scores([2, 1]), scores)
    all_seen = sparse.csr_array(np.ones((2, 20)))
    assert np.isnan(data.best_hit_rate([2, 1], 3, exclude=all_seen)).all()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_every_stored_entry_excludes_whatever_its_value(value):
    data = make_planted_interactions(n_users=3, n_items=20, n_groups=2, interactions_per_user=200)
    best = int(data.oracle_scores([2])[0].argmax())
    one, other = (sparse.csr_array(([v], ([0], [best])), shape=(1, 20)) for v in (1.0, value))
    expected = data.best_hit_rate([2], 3, exclude=one)
    np.testing.assert_array_equal(data.best_hit_rate([2], 3, exclude=other), expected)
    assert expected != data.best_hit_rate([2], 3)


@pytest.mark.parametrize(
    ("users", "options", "error", "message"),
    [
        ([-1], {}, ValueError, r"users must be codes in 0 .. 1, got -1"),
        ([2], {}, ValueError, r"users must be codes in 0 .. 1, got 2"),
        ([0.0], {}, TypeError, "users must be integer codes, got float64"),
        ([0], {"previous": [-1]}, ValueError, r"previous must be codes in 0 .. 4, got -1"),
        ([0, 1], {"previous": [1]}, ValueError, "previous must have one item for each of the 2"),
        ([0], {"exclude": np.zeros((1, 5))}, TypeError, "exclude must be a scipy.sparse.csr_array"),
        ([0], {"exclude": sparse.csr_array((1, 4))}, ValueError, r"exclude .* shape \(1, 5\), got"),
    ],
)
def test_bad_questions_about_the_law(users, options, error, message):
    data = make_planted_interactions(
        n_users=2, n_items=5, n_groups=1, interactions_per_user=200, sequential=0.5
    )
    with pytest.raises(error, match=message):
        data.best_hit_rate(users, 1, **options)


def test_rows_of_a_user_come_in_the_order_of_drawing():
    data = make_planted_interactions(n_users=50, n_items=30, interactions_per_user=100, seed=2)
    same = data.users[1:] == data.users[:-1]
    gaps = np.diff(data.timestamps)[same]
    assert (gaps >= 0).all()
    seconds = data.timestamps - np.datetime64("2020-01-01", "s").astype(np.int64)
    assert seconds.min() >= 0
    assert seconds.max() < 365 * 86_400
    assert stats.kstest(seconds / (365 * 86_400), "uniform").pvalue > SURPRISE


def test_one_seed_one_data_set():
    one, same, other = (make_planted_interactions(n_users=20, seed=seed) for seed in (4, 4, 5))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    np.testing.assert_array_equal(one.item_groups, same.item_groups)


def test_lengths_may_differ_by_user():
    data = make_planted_interactions(n_users=3, interactions_per_user=[4, 1, 7], sequential=0.5)
    assert data.user_counts().tolist() == [4, 1, 7]


def test_a_single_item_and_a_single_user():
    data = make_planted_interactions(
        n_users=1, n_items=1, n_groups=1, interactions_per_user=1, sequential=1.0
    )
    assert data.oracle_scores([0], [0]).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_users": 0}, ValueError, "n_users must be an integer of at least 1, got 0"),
        ({"n_items": 2.5}, TypeError, "n_items must be an integer of at least 1, got 2.5"),
        ({"n_items": 3, "n_groups": 4}, ValueError, "n_groups must be at most n_items=3, got 4"),
        ({"noise": 1.1}, ValueError, r"noise must lie in \[0, 1\], got 1.1"),
        ({"noise": float("nan")}, ValueError, r"noise must lie in \[0, 1\], got nan"),
        ({"popularity_exponent": -1}, ValueError, r"popularity_exponent must lie in \[0, 10\]"),
        ({"sequential": 2}, ValueError, r"sequential must lie in \[0, 1\], got 2"),
        ({"sequential": 0.5, "repeats": False}, ValueError, "sequential must be 0 where repeats=F"),
        ({"interactions_per_user": 0}, ValueError, "interactions_per_user must be at least 1"),
        ({"interactions_per_user": 1.5}, TypeError, "interactions_per_user must be whole numbers"),
        (
            {"n_users": 3, "interactions_per_user": [1, 2]},
            ValueError,
            r"interactions_per_user must be one number or of shape \(3,\), got shape \(2,\)",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        make_planted_interactions(**arguments)


def test_k_is_checked():
    data = make_planted_interactions(n_users=2)
    with pytest.raises(ValueError, match="k must be an integer of at least 1, got 0"):
        data.best_hit_rate([0], 0)
