"""Many lists in one array against a list of lists."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences import Sequences

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


def pack(lists):
    items = np.array([item for one in lists for item in one], dtype=np.int32)
    return Sequences(items, np.cumsum([0, *map(len, lists)]))


def unpack(sequences):
    return [one.tolist() for one in sequences]


@given(LISTS)
def test_lists_come_back_as_they_were(lists):
    sequences = pack(lists)
    assert unpack(sequences) == lists
    assert len(sequences) == len(lists)
    assert sequences.lengths().tolist() == [len(one) for one in lists]
    for position in range(-len(lists), len(lists)):
        assert sequences[position].tolist() == lists[position]


@given(LISTS.filter(len), st.data())
def test_take_is_a_list_comprehension(lists, data):
    positions = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=12))
    taken = pack(lists).take(np.array(positions, dtype=np.int64))
    assert unpack(taken) == [lists[position] for position in positions]  # twice if named twice
    assert taken.items.dtype == np.int32
    assert taken.offsets[0] == 0
    assert taken.offsets[-1] == len(taken.items)


def test_take_counts_from_the_end_as_an_index_does():
    lists = [[4, 2], [7], [], [1, 3]]
    for positions in itertools.permutations(range(-4, 4), 2):
        taken = pack(lists).take(np.array(positions))
        assert unpack(taken) == [lists[position] for position in positions]


@pytest.mark.parametrize("positions", [[3], [0, 5], [-4]])
def test_take_refuses_a_position_beyond_the_end(positions):
    with pytest.raises(IndexError):
        pack([[1], [2, 3], []]).take(np.array(positions))


@given(LISTS, st.lists(st.integers(-1, 3), min_size=10, max_size=10))
def test_recode_is_a_list_comprehension(lists, codes):
    """Code 0 is a code like others; -1 alone leaves an item out."""
    recoded = pack(lists).recode(np.array(codes))
    assert unpack(recoded) == [[codes[item] for item in one if codes[item] >= 0] for one in lists]
    assert recoded.items.dtype == np.int32
    kept = pack(lists).recode(np.arange(10)[::-1])
    assert unpack(kept) == [[9 - item for item in one] for one in lists]


def test_recode_keeps_the_first_item():
    assert unpack(pack([[0, 1, 2], [2]]).recode(np.array([2, -1, 0]))) == [[2, 0], [0]]


@given(LISTS, st.integers(1, 8))
def test_newest_is_a_slice_from_the_end(lists, n):
    newest = pack(lists).newest(n)
    assert unpack(newest) == [one[-n:] for one in lists]
    assert newest.offsets[-1] == len(newest.items)


def test_newest_of_none_leaves_empty_sequences():
    assert unpack(pack([[1, 2], [], [3]]).newest(0)) == [[], [], []]


def test_newest_of_fewer_than_none_is_refused():
    with pytest.raises(ValueError, match=r"^n must be an integer of at least 0, got -1$"):
        pack([[1, 2], [3]]).newest(-1)


@given(LISTS, st.integers(1, 4), st.integers(1, 4))
def test_newest_twice_is_the_smaller_of_both(lists, first, second):
    both = pack(lists).newest(first).newest(second)
    assert unpack(both) == unpack(pack(lists).newest(min(first, second)))


def test_neither_array_can_be_written_to_and_the_callers_still_can():
    items, offsets = np.array([1, 2, 3], dtype=np.int32), np.array([0, 2, 3])
    sequences = Sequences(items, offsets)
    for name in ("items", "offsets"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(sequences, name)[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        sequences[0][0] = 9
    items[0] = 7
    assert sequences[0].tolist() == [7, 2]  # a view, not a copy


@pytest.mark.parametrize("position", [3, -4])
def test_positions_beyond_the_end(position):
    with pytest.raises(IndexError, match=f"^there are 3 sequences, got position {position}$"):
        pack([[1], [2, 3], []])[position]


def test_of_no_sequences_and_of_empty_ones():
    assert unpack(pack([])) == []
    assert pack([]).lengths().tolist() == []
    assert unpack(pack([]).newest(2)) == []
    empty = pack([[], []])
    assert unpack(empty.take(np.array([1, 0, 1]))) == [[], [], []]


@given(LISTS, st.sampled_from([1.0, 0.5, 0.9, 1e-3]))
def test_weights_of_a_mean_against_a_loop(lists, decay):
    weights = pack(lists).weights_of_mean(10, decay=decay)
    expected = np.zeros((len(lists), 10))
    for row, one in enumerate(lists):
        for age, item in enumerate(reversed(one)):
            expected[row, item] += decay**age / sum(decay**a for a in range(len(one)))
    np.testing.assert_allclose(weights.toarray(), expected, rtol=1e-6)  # an item had twice adds up
    assert weights.dtype == np.float32


def test_golden_weights_of_a_mean():
    weights = pack([[0, 1, 2], [], [2, 2]]).weights_of_mean(4, decay=0.5).toarray()
    np.testing.assert_allclose(
        weights, [[1 / 7, 2 / 7, 4 / 7, 0], [0] * 4, [0, 0, 1, 0]], rtol=1e-6
    )


def test_weights_of_a_history_so_long_that_the_oldest_no_longer_count():
    weights = pack([[0] * 5_000 + [1], [1]]).weights_of_mean(2, decay=0.5).toarray()
    np.testing.assert_allclose(weights, [[1 / 2, 1 / 2], [0, 1]], rtol=1e-6)
