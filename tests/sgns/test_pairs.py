"""Step two: pairs against a slow oracle, their number against a formula, sets against chance."""

from __future__ import annotations

import math
from collections import Counter

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from companion.sequences import Sequences
from companion.sgns import (
    context_windows,
    epoch_order,
    expected_pairs,
    skip_gram_pairs,
    width_law,
)
from companion.sgns._kernels import draw_width
from companion.sgns.pairs import NO_CONTEXT, SET_WINDOW

DRAWS = 40_000
REJECT = 1e-4
LISTS = st.lists(st.lists(st.integers(0, 4), max_size=9), max_size=6)
LAWS = [(4, None), (5, 0.6), (3, 1.0), ("all", None), (1, None)]


def pack(lists):
    items = np.array([item for one in lists for item in one], dtype=np.int32)
    return Sequences(items, np.cumsum([0, *map(len, lists)]))


def oracle(lists, window):
    """Every pair of places at most ``window`` apart, one loop a concept."""
    pairs = Counter()
    for items in lists:
        for i in range(len(items)):
            for j in range(len(items)):
                if i != j and abs(i - j) <= window:
                    pairs[items[i], items[j]] += 1
    return pairs


def collect(blocks):
    return Counter(pair for columns in blocks for pair in zip(*map(list, columns), strict=True))


# --- the whole window: exact -------------------------------------------------------------


@given(LISTS, st.integers(1, 12), st.integers(1, 7), st.integers(0, 99))
def test_the_whole_window_gives_every_pair_once(lists, window, block, seed):
    rng = np.random.default_rng(seed)
    found = collect(skip_gram_pairs(pack(lists), window, 1.0, rng=rng, block=block))
    assert found == oracle(lists, window)
    lengths = np.array([len(items) for items in lists], dtype=np.int64)
    assert expected_pairs(lengths, window, 1.0) == found.total()


@given(LISTS, st.integers(1, 12), st.integers(1, 7))
def test_windows_stand_in_order_and_are_padded_where_a_sequence_ends(lists, window, block):
    rng = np.random.default_rng(0)
    blocks = list(context_windows(pack(lists), window, 1.0, rng=rng, block=block))
    rows = [
        (centre, contexts)
        for centres, many in blocks
        for centre, contexts in zip(centres.tolist(), many.tolist(), strict=True)
    ]
    width = min(window, max(max(map(len, lists), default=0) - 1, 1))  # none reaches further
    expected = []
    for items in lists:
        padded = [NO_CONTEXT] * width + items + [NO_CONTEXT] * width
        for i, item in enumerate(items):
            expected.append((item, padded[i : i + width] + padded[i + width + 1 :][:width]))
    assert rows == expected
    assert all(len(centres) <= block for centres, _ in blocks)
    assert all(column.dtype == np.int32 for columns in blocks for column in columns)


# --- drawn windows: a law ----------------------------------------------------------------


@given(LISTS, st.integers(1, 12), st.sampled_from([None, 0.5]), st.integers(1, 7))
def test_drawn_windows_lie_inside_the_whole_one(lists, window, decay, block):
    rng = np.random.default_rng(1)
    found = collect(skip_gram_pairs(pack(lists), window, decay, rng=rng, block=block))
    whole, nearest = oracle(lists, window), oracle(lists, 1)
    assert found <= whole
    assert nearest <= found  # the narrowest window still sees both neighbours


@given(st.integers(2, 9), st.integers(0, 99))
def test_a_window_has_no_gaps_and_the_same_width_on_both_sides(window, seed):
    sequence = Sequences(np.arange(40, dtype=np.int32), np.array([0, 40]))
    rng = np.random.default_rng(seed)
    for centres, contexts in context_windows(sequence, window, rng=rng):
        inside = (centres >= window) & (centres < 40 - window)
        for centre, row in zip(centres[inside].tolist(), contexts[inside].tolist(), strict=True):
            seen = [item for item in row if item != NO_CONTEXT]
            width = len(seen) // 2
            around = [*range(centre - width, centre), *range(centre + 1, centre + width + 1)]
            assert seen == around


@pytest.mark.parametrize(("window", "decay"), [(5, None), (4, 0.6), (3, 0.5)])
def test_the_number_of_pairs_is_what_the_formula_predicts(window, decay):
    lists = [[0] * length for length in (0, 1, 2, 3, 9, 20)]
    lengths = np.array([len(items) for items in lists])
    rng = np.random.default_rng(3)
    counts = np.array(
        [
            sum(len(centres) for centres, _ in skip_gram_pairs(pack(lists), window, decay, rng=rng))
            for _ in range(1_000)
        ]
    )
    error = counts.std(ddof=1) / math.sqrt(len(counts))
    assert abs(counts.mean() - expected_pairs(lengths, window, decay)) < 5 * error
    # The twins: a window one wider, one narrower, and no shrinking at all.
    for wrong in [(window + 1, decay), (window - 1, decay), (window, 1.0)]:
        assert abs(counts.mean() - expected_pairs(lengths, *wrong)) > 5 * error


def test_golden_expectations():
    lengths = np.array([4, 0, 1, 2])
    # Distance 1: 3 + 1 neighbours, distance 2: 2, distance 3: 1; each counts both ways.
    assert expected_pairs(lengths, 3, 1.0) == 2 * (4 + 2 + 1)
    assert expected_pairs(lengths, 3) == pytest.approx(2 * (4 + 2 * 2 / 3 + 1 / 3))
    assert expected_pairs(lengths, 3, 0.5) == 2 * (4 + 2 / 2 + 1 / 4)
    assert expected_pairs(lengths, 100, 1.0) == 14
    assert expected_pairs(lengths, "all") == 14
    assert expected_pairs(np.array([], dtype=np.int64), 5) == 0


def test_golden_laws():
    assert width_law(5).tolist() == pytest.approx([1, 4 / 5, 3 / 5, 2 / 5, 1 / 5])
    assert width_law(3, 0.1).tolist() == pytest.approx([1, 1 / 10, 1 / 100])
    assert width_law(2, 1).tolist() == [1, 1]
    assert width_law("all").tolist() == [1] * SET_WINDOW
    assert width_law(np.int64(1)).tolist() == [1]


@numba.njit
def draw_widths(law, n, state):
    drawn = np.empty(n, np.int64)
    for place in range(n):
        drawn[place] = draw_width(law, state)
    return drawn


def widths_of_generator(law):
    """Draw widths with the generator: a centre with 20 places on each side sees width x 2."""
    window, decay = law
    length = DRAWS + 40
    sequence = Sequences(np.arange(length, dtype=np.int32), np.array([0, length]))
    blocks = context_windows(sequence, window, decay, rng=np.random.default_rng(11))
    seen = np.concatenate([(contexts != NO_CONTEXT).sum(axis=1) for _, contexts in blocks])
    return seen[20:-20] // 2


def widths_of_kernel(law):
    return draw_widths(width_law(*law), DRAWS, np.array([11], dtype=np.uint64))


def p_value(widths, shares):
    """Judge widths by the probability of each: P(width = d) for d = 1, 2, ..."""
    counts = np.bincount(widths, minlength=len(shares) + 1)[1:]
    if len(counts) > len(shares):
        return 0.0
    return stats.chisquare(counts, np.array(shares) * counts.sum()).pvalue


@pytest.mark.parametrize("draw", [widths_of_generator, widths_of_kernel])
def test_widths_have_their_law(draw):
    uniform, decayed = draw((5, None)), draw((4, 0.6))
    assert p_value(uniform, [1 / 5] * 5) > REJECT
    assert p_value(decayed, [0.4, 0.6 * 0.4, 0.36 * 0.4, 0.216]) > REJECT
    # The twins: a wider window, and a decay that is 0.03 off.
    assert p_value(uniform, [1 / 6] * 6) < REJECT
    assert p_value(uniform, [0.19, 0.2, 0.2, 0.2, 0.21]) < REJECT
    assert p_value(decayed, [0.37, 0.63 * 0.37, 0.63**2 * 0.37, 0.63**3]) < REJECT
    assert (draw((4, 1.0)) == 4).all()
    assert (draw((1, None)) == 1).all()


@pytest.mark.parametrize("law", LAWS)
def test_the_generator_decides_and_nothing_else(law):
    lists = [list(range(12)), [3], [], [1, 2, 1]]
    first, again, other = (
        [columns[0].tolist() for columns in skip_gram_pairs(pack(lists), *law, rng=rng)]
        for rng in map(np.random.default_rng, (5, 5, 6))
    )
    assert first == again
    assert first != other  # another order of the pairs at least


# --- an epoch ----------------------------------------------------------------------------


@given(LISTS, st.booleans(), st.integers(0, 99))
def test_an_epoch_keeps_sequences_whole_and_loses_nothing(lists, as_sets, seed):
    order = epoch_order(pack(lists), rng=np.random.default_rng(seed), as_sets=as_sets)
    found = [items.tolist() for items in order]
    if as_sets:
        lists, found = map(sorted, lists), map(sorted, found)
    assert Counter(map(tuple, found)) == Counter(map(tuple, lists))


def test_an_epoch_changes_the_order_of_sequences_and_sets_that_of_items():
    lists = [list(range(start, start + 10)) for start in range(0, 500, 10)]
    rng = np.random.default_rng(2)
    first, second, sets = (
        [items.tolist() for items in epoch_order(pack(lists), rng=rng, as_sets=as_sets)]
        for as_sets in (False, False, True)
    )
    assert first != second
    assert [items[0] for items in first] != [items[0] for items in lists]
    assert all(items == sorted(items) for items in first)
    assert sum(items == sorted(items) for items in sets) == 0
    assert len({tuple(item % 10 for item in items) for items in sets}) == 50  # each its own order


def test_thinning_out_keeps_each_item_as_often_as_it_should():
    keep = np.array([1.0, 0.0, 0.25])
    lists = [[0, 1, 2, 0], [1, 1], [2, 0]] * 5_000
    order = epoch_order(pack(lists), rng=np.random.default_rng(4), keep=keep)
    kept = np.bincount(order.items, minlength=3)
    assert kept[0] == 15_000
    assert kept[1] == 0
    assert stats.binomtest(int(kept[2]), 10_000, 0.25).pvalue > REJECT
    assert stats.binomtest(int(kept[2]), 10_000, 0.28).pvalue < REJECT  # the twin
    # Gaps close, and a sequence that has lost everything is still one.
    assert len(order) == len(lists)
    found = Counter(tuple(items.tolist()) for items in order)
    assert set(found) == {(0, 2, 0), (0, 0), (), (2, 0), (0,)}
    assert found[()] == 5_000


# --- sets --------------------------------------------------------------------------------


def pairs_of_an_epoch(lists, rng):
    order = epoch_order(pack(lists), rng=rng, as_sets=True)
    return collect(skip_gram_pairs(order, "all", rng=rng))


@given(st.lists(st.lists(st.integers(0, 4), max_size=SET_WINDOW + 1), max_size=6))
def test_every_pair_of_a_small_set_occurs_in_every_epoch(lists):
    found = pairs_of_an_epoch(lists, np.random.default_rng(0))
    assert found == oracle(lists, SET_WINDOW)


def test_a_long_set_sees_ten_others_at_most_and_all_in_time():
    lists = [list(range(25))]
    rng = np.random.default_rng(6)
    epochs = [pairs_of_an_epoch(lists, rng) for _ in range(60)]
    for found in epochs:
        assert found.total() == expected_pairs(np.array([25]), "all")
        assert max(Counter(centre for centre, _ in found).values()) == 2 * SET_WINDOW
    assert len(set().union(*epochs)) == 25 * 24


SIZE = 20


def contexts_of_item_0(copies, as_sets, seed, step=1):
    """The context ``step`` places after item 0, or before it at the end, in each copy of a set."""
    rng = np.random.default_rng(seed)
    order = epoch_order(copies, rng=rng, as_sets=as_sets)
    found = []
    for centres, contexts in context_windows(order, "all", rng=rng):
        rows = contexts[centres == 0]
        after, before = rows[:, SET_WINDOW + step - 1], rows[:, SET_WINDOW - step]
        found.append(np.where(after == NO_CONTEXT, before, after))
    return np.bincount(np.concatenate(found), minlength=SIZE)[1:]


def copies_of(items):
    return Sequences(np.tile(np.array(items, np.int32), DRAWS), np.arange(DRAWS + 1) * len(items))


def test_contexts_of_a_long_set_are_drawn_uniformly_from_the_others():
    sorted_set = copies_of(range(SIZE))
    for step in (1, SET_WINDOW):
        assert stats.chisquare(contexts_of_item_0(sorted_set, True, 8, step)).pvalue > REJECT
    # The twin: without shuffling the same count finds neighbours only.
    unshuffled = contexts_of_item_0(sorted_set, False, 8)
    assert unshuffled[0] == DRAWS
    assert stats.chisquare(unshuffled).pvalue < REJECT


def test_the_order_in_which_a_set_is_handed_in_does_not_matter():
    as_given = contexts_of_item_0(copies_of(range(SIZE)), True, 9)
    other_way = contexts_of_item_0(copies_of([*range(5, SIZE), *range(5)]), True, 10)
    assert stats.chi2_contingency([as_given, other_way]).pvalue > REJECT
    # The twin: without shuffling 0 stands before 1 in one order and before 19 in the other.
    ordered = contexts_of_item_0(copies_of(range(SIZE)), False, 9)
    backwards = contexts_of_item_0(copies_of([0, *range(SIZE - 1, 0, -1)]), False, 9)
    assert stats.chi2_contingency([ordered + 1, backwards + 1]).pvalue < REJECT


# --- what is refused ---------------------------------------------------------------------

WHOLE = "window must be an integer of at least 1"
DECAY = r"distance_decay must"


@pytest.mark.parametrize(
    ("window", "decay", "error", "message"),
    [
        (0, None, ValueError, f"{WHOLE}, got 0"),
        (-1, None, ValueError, f"{WHOLE}, got -1"),
        (2.5, None, TypeError, f"{WHOLE}, got 2.5"),
        (True, None, TypeError, f"{WHOLE}, got True"),
        (None, None, TypeError, f"{WHOLE}, got None"),
        ("everything", None, ValueError, f"{WHOLE} or \"all\", got 'everything'"),
        ("5", None, ValueError, f"{WHOLE} or \"all\", got '5'"),
        (3, 0, ValueError, rf"{DECAY} lie in \(0, 1\], got 0: use window=1"),
        (3, math.nan, ValueError, rf"{DECAY} lie in .0, 1\], got nan"),
        (3, 1.01, ValueError, rf"{DECAY} lie in .0, 1\], got 1.01"),
        (3, -0.5, ValueError, rf"{DECAY} lie in .0, 1\], got -0.5"),
        (3, "0.5", TypeError, rf"{DECAY} be a number in .0, 1\], got '0.5'"),
        ("all", 0.5, ValueError, 'distance_decay needs an ordered window: window="all" has none'),
        ("all", 1.0, ValueError, 'distance_decay needs an ordered window: window="all" has none'),
    ],
)
def test_windows_that_are_none(window, decay, error, message):
    sequences = pack([[1, 2]])
    for call in (
        lambda: width_law(window, decay),
        lambda: expected_pairs(np.array([2]), window, decay),
        lambda: next(context_windows(sequences, window, decay, rng=np.random.default_rng(0))),
        lambda: next(skip_gram_pairs(sequences, window, decay, rng=np.random.default_rng(0))),
    ):
        with pytest.raises(error, match=f"^{message}$"):
            call()


@pytest.mark.parametrize(("block", "error"), [(0, ValueError), (1.5, TypeError)])
def test_blocks_hold_a_centre_at_least(block, error):
    with pytest.raises(error, match=r"^block must be an integer of at least 1, got "):
        next(skip_gram_pairs(pack([[1, 2]]), 2, rng=np.random.default_rng(0), block=block))
