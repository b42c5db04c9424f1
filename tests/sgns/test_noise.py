"""Step three: the law of the negatives, golden, then drawn by both samplers; and thinning out."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from companion.alias import alias_draw
from companion.sgns import Objective, keep_probability, noise_distribution
from companion.sgns._kernels import draw

DRAWS = 40_000
REJECT = 1e-4
COUNTS = np.array([1, 2, 0, 5, 30, 80, 81, 400])


@numba.njit
def draw_many(accept, alias, n, state):
    drawn = np.empty(n, np.int64)
    for place in range(n):
        drawn[place] = draw(accept, alias, state)
    return drawn


def by_alias_draw(table):
    return alias_draw(*table, DRAWS, rng=np.random.default_rng(7))


def by_kernel(table):
    return draw_many(*table, DRAWS, np.array([7], dtype=np.uint64))


def p_value(drawn, probability):
    counts = np.bincount(drawn, minlength=len(probability))
    present = probability > 0
    assert counts[~present].sum() == 0  # an item that was never seen is never drawn
    return stats.chisquare(counts[present], probability[present] * len(drawn)).pvalue


def powers(exponent):
    """The law, written down once more: count to a power, by hand."""
    weights = np.array([count**exponent if count else 0.0 for count in COUNTS.tolist()])
    return weights / weights.sum()


@pytest.mark.parametrize("sampler", [by_alias_draw, by_kernel])
@pytest.mark.parametrize("exponent", [0.75, 0.0, -0.5])
def test_negatives_follow_the_law(sampler, exponent):
    drawn = sampler(Objective(noise_exponent=exponent).noise(COUNTS))
    assert p_value(drawn, powers(exponent)) > REJECT
    # The twins: the law of another exponent, near by and far away, is rejected.
    for wrong in (exponent + 0.05, exponent - 0.05, 1.0):
        assert p_value(drawn, powers(wrong)) < REJECT


def test_the_kernel_draws_anew_and_from_its_state():
    table = Objective().noise(COUNTS)
    first, again, other = (
        draw_many(*table, 50, np.array([seed], dtype=np.uint64)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert abs(np.corrcoef(by_kernel(table)[1:], by_kernel(table)[:-1])[0, 1]) < 5 / DRAWS**0.5


def test_golden_distribution():
    assert noise_distribution([16, 81, 0]).tolist() == pytest.approx([8 / 35, 27 / 35, 0])
    assert noise_distribution([4, 9, 0], -0.5).tolist() == pytest.approx([3 / 5, 2 / 5, 0])
    assert noise_distribution([4, 9, 0], 0).tolist() == pytest.approx([1 / 2, 1 / 2, 0])
    assert noise_distribution([4, 9, 0], 1).tolist() == pytest.approx([4 / 13, 9 / 13, 0])
    assert noise_distribution([4, 9]).dtype == np.float64


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=20).filter(any),
    st.floats(-60, 60),
)
def test_noise_sums_to_1_and_orders_items_by_the_sign_of_the_exponent(counts, exponent):
    noise = noise_distribution(counts, exponent)
    assert noise.sum() == pytest.approx(1, rel=1e-12)
    assert np.isfinite(noise).all()
    present = np.array(counts) > 0
    assert (noise[~present] == 0).all()
    by_count = noise[present][np.argsort(np.array(counts)[present], kind="stable")]
    assert (np.diff(by_count) * np.sign(exponent) >= 0).all()


@pytest.mark.parametrize(
    ("counts", "exponent", "error", "message"),
    [
        ([1, 2], math.nan, ValueError, r"noise_exponent must lie in \(-inf, inf\), got nan"),
        ([1, 2], math.inf, ValueError, r"noise_exponent must lie in \(-inf, inf\), got inf"),
        ([1, 2], -math.inf, ValueError, r"noise_exponent must lie in \(-inf, inf\), got -inf"),
        ([1, 2], "1", TypeError, r"noise_exponent must be a number in \(-inf, inf\), got '1'"),
        ([1, -2], 1, ValueError, r"counts must have shape \(I,\), finite and at least 0"),
        ([1, math.nan], 1, ValueError, r"counts must have shape \(I,\), finite and at least 0"),
        ([1, math.inf], 1, ValueError, r"counts must have shape \(I,\), finite and at least 0"),
        ([[1, 2]], 1, ValueError, r"counts must have shape \(I,\), finite and at least 0"),
        ([0, 0], 1, ValueError, "counts must not all be 0"),
        ([], 1, ValueError, "counts must not all be 0"),
    ],
)
def test_what_is_no_distribution(counts, exponent, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        noise_distribution(counts, exponent)


def test_golden_keep_probability():
    # Shares 64, 32, 4 of 100 at t = 0.04: t / f = 1/16, 1/8, 1; 1/4 + 1/16, sqrt(1/8) + 1/8, 1.
    keep = keep_probability([64, 32, 4, 0], 0.04)
    assert keep.tolist() == pytest.approx([5 / 16, math.sqrt(1 / 8) + 1 / 8, 1, 1])
    assert keep_probability([64, 32], 1.0).tolist() == [1, 1]
    assert keep_probability([64, 32], None) is None


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), st.floats(1e-6, 1))
def test_the_more_frequent_the_less_is_kept(counts, threshold):
    keep = keep_probability(counts, threshold)
    assert ((keep > 0) & (keep <= 1)).all()
    assert (np.diff(keep[np.argsort(counts)]) <= 0).all()
    share = np.array(counts) / sum(counts)
    assert (keep[share <= threshold] == 1).all()


@pytest.mark.parametrize(
    ("threshold", "error", "message"),
    [
        (0, ValueError, r"subsample must lie in \(0, 1\] or be None, got 0"),
        (-0.1, ValueError, r"subsample must lie in \[0, 1\], got -0.1"),
        (1.5, ValueError, r"subsample must lie in \[0, 1\], got 1.5"),
        (math.nan, ValueError, r"subsample must lie in \[0, 1\], got nan"),
        ("1", TypeError, r"subsample must be a number in \[0, 1\], got '1'"),
        (True, TypeError, r"subsample must be a number in \[0, 1\], got True"),
    ],
)
def test_thresholds_that_are_none(threshold, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        keep_probability([1, 2], threshold)
