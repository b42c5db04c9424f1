"""The alias method: masses rebuilt from the table, and draws judged by their law."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from companion.alias import alias_draw, alias_setup

DRAWS = 40_000
REJECT = 1e-4


def masses(accept, alias):
    """Add up the mass of each outcome from the definition of the table."""
    n = len(accept)
    total = np.zeros(n)
    for column in range(n):
        total[column] += accept[column] / n
        total[alias[column]] += (1 - accept[column]) / n
    return total


def test_golden_table():
    accept, alias = alias_setup([1, 3, 4])  # heights 3/8, 9/8, 12/8
    # Column 0 lacks 5/8 and takes it from column 2 (12/8 becomes 7/8); that lacks 1/8, of 1.
    assert accept.tolist() == [3 / 8, 1, 7 / 8]
    assert alias.tolist() == [2, 1, 1]
    expected = [Fraction(1, 8), Fraction(3, 8), Fraction(4, 8)]
    assert [Fraction(mass).limit_denominator(10**6) for mass in masses(accept, alias)] == expected
    assert accept.dtype == np.float64
    assert alias.dtype == np.int32


@given(
    st.lists(
        st.one_of(st.just(0.0), st.integers(0, 9).map(float), st.floats(1e-150, 1e150)),
        min_size=1,
        max_size=40,
    ).filter(any)
)
def test_masses_are_those_of_the_weights(weights):
    accept, alias = alias_setup(weights)
    exact = np.array(weights) / max(weights)
    np.testing.assert_allclose(masses(accept, alias), exact / exact.sum(), rtol=0, atol=1e-12)
    assert ((accept >= 0) & (accept <= 1)).all()
    assert ((alias >= 0) & (alias < len(weights))).all()
    # No column of weight 0 keeps a share of itself, and none lends to one: it is never drawn.
    nothing = np.array(weights) == 0
    assert (accept[nothing] == 0).all()
    assert not nothing[alias[accept < 1]].any()


@given(
    st.permutations([0.0, 1e-300, 1e-150, 1.0, 1.0, 0.1, 7.0]), st.sampled_from([1e-8, 1.0, 1e300])
)
def test_ratios_of_1e300_and_sums_that_would_overflow(weights, scale):
    weights = np.array(weights) * scale
    exact = weights / weights.max()
    np.testing.assert_allclose(
        masses(*alias_setup(weights)), exact / exact.sum(), rtol=0, atol=1e-12
    )


def test_a_thousand_outcomes_of_all_sizes():
    weights = np.random.default_rng(0).lognormal(0, 5, size=1_000)
    np.testing.assert_allclose(
        masses(*alias_setup(weights)), weights / weights.sum(), rtol=0, atol=1e-12
    )


def chi_square(drawn, probability):
    counts = np.bincount(drawn, minlength=len(probability))
    assert counts[probability == 0].sum() == 0
    present = probability > 0
    return stats.chisquare(counts[present], probability[present] * len(drawn)).pvalue


def test_draws_follow_the_weights_and_no_others():
    weights = np.array([5.0, 0.0, 1.0, 30.0, 2.0, 2.0, 10.0])
    table = alias_setup(weights)
    drawn = alias_draw(*table, DRAWS, rng=np.random.default_rng(1))
    assert chi_square(drawn, weights / weights.sum()) > REJECT
    # The twin: two of the weights a tenth off.
    other = weights + np.array([0, 0, 0, 3, 0, 0, -1])
    assert chi_square(drawn, other / other.sum()) < REJECT


def test_draws_have_the_shape_asked_for_and_come_from_the_generator():
    table = alias_setup([1, 2, 3])
    first, second = (alias_draw(*table, (4, 3), rng=np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (4, 3)
    assert first.dtype == np.int64
    np.testing.assert_array_equal(first, second)
    other = alias_draw(*table, (4, 3), rng=np.random.default_rng(6))
    assert not np.array_equal(first, other)
    assert alias_draw(*table, 0, rng=np.random.default_rng(0)).shape == (0,)


def test_the_weights_stay_as_they_are():
    weights = np.array([3.0, 0.0, 1.0])
    alias_setup(weights)
    assert weights.tolist() == [3, 0, 1]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], r"weights must have shape \(n,\), n at least 1, got \(0,\)"),
        ([[1.0, 2.0]], r"weights must have shape \(n,\), n at least 1, got \(1, 2\)"),
        (3.0, r"weights must have shape \(n,\), n at least 1, got \(\)"),
        ([1.0, -1.0], "weights must be finite and at least 0"),
        ([1.0, np.nan], "weights must be finite and at least 0"),
        ([1.0, np.inf], "weights must be finite and at least 0"),
        ([0.0, 0.0], "weights must not all be 0"),
    ],
)
def test_weights_that_are_none(weights, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        alias_setup(weights)
