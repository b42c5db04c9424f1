"""Step one: counting by hand, encoding against lists, and every way to hand in data."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences import Sequences
from companion.sgns import Vocabulary, as_interactions, build_vocabulary

IDS = ["tea", "jam", "ink", 1, "1", (1, 2)]
LISTS = st.lists(st.lists(st.sampled_from(IDS), max_size=5), max_size=6)


def index_of(ids):
    return pd.Index(ids, dtype=object, tupleize_cols=False)


def pack(lists):
    """Sequences of codes of IDS."""
    items = np.array([IDS.index(one) for ids in lists for one in ids], dtype=np.int32)
    return Sequences(items, np.cumsum([0, *map(len, lists)]))


def counts_of(vocabulary):
    return dict(zip(vocabulary.ids, vocabulary.counts.tolist(), strict=True))


def test_min_count_is_the_smallest_count_that_stays():
    lists = [["tea", "jam", "tea"], ["tea", "ink"], [], ["jam", 1]]
    vocabulary = build_vocabulary(pack(lists), index_of(IDS), min_count=2)
    assert counts_of(vocabulary) == {"tea": 3, "jam": 2}
    assert len(vocabulary) == 2
    assert vocabulary.counts.dtype == np.int64
    assert list(build_vocabulary(pack(lists), index_of(IDS)).ids) == ["tea", "jam", "ink", 1]


@given(LISTS, st.integers(1, 3))
def test_vocabulary_and_encoding_against_counting_by_hand(lists, min_count):
    times = Counter(one for ids in lists for one in ids)
    kept = [one for one in IDS if times[one] >= min_count]
    if len(kept) < 2:
        message = (
            f"^data must hold at least two distinct items with {min_count} rows or more, "
            f"got {len(kept)}$"
        )
        with pytest.raises(ValueError, match=message):
            build_vocabulary(pack(lists), index_of(IDS), min_count=min_count)
        return
    vocabulary = build_vocabulary(pack(lists), index_of(IDS), min_count=min_count)
    assert list(vocabulary.ids) == kept  # in the order of item_ids
    assert counts_of(vocabulary) == {one: times[one] for one in kept}
    encoded = vocabulary.encode(pack(lists), index_of(IDS))
    assert encoded.items.dtype == np.int32
    written = [[vocabulary.ids[code] for code in codes] for codes in encoded]
    assert written == [[one for one in ids if one in kept] for ids in lists]


def test_encode_closes_gaps_and_keeps_empty_sequences():
    vocabulary = Vocabulary(index_of(["jam", "tea"]), np.array([2, 2]))
    lists = [["tea", "ink", "jam"], ["ink"], [], ["ink", "tea", "ink"]]
    encoded = vocabulary.encode(pack(lists), index_of(IDS))
    assert [codes.tolist() for codes in encoded] == [[1, 0], [], [], [1]]


def test_encode_leaves_out_ids_it_has_never_seen():
    vocabulary = Vocabulary(pd.Index([10, 20]), np.array([1, 1]))
    new = Sequences(np.array([0, 1, 2], dtype=np.int32), np.array([0, 3]))
    assert vocabulary.encode(new, pd.Index([20, 30, 10]))[0].tolist() == [1, 0]
    assert vocabulary.encode(new, pd.Index(["a", "b", "c"])).lengths().tolist() == [0]


def test_extended_adds_counts_and_puts_new_items_last():
    old = Vocabulary(index_of(["tea", 1, (1, 2)]), np.array([5, 1, 4]))
    new = Vocabulary(index_of(["1", (1, 2), (3, 4), "tea"]), np.array([7, 2, 9, 1]))
    both = old.extended(new)
    assert list(both.ids) == ["tea", 1, (1, 2), "1", (3, 4)]
    assert both.counts.tolist() == [6, 1, 6, 7, 9]
    assert old.counts.tolist() == [5, 1, 4]  # neither part is touched
    assert new.counts.tolist() == [7, 2, 9, 1]


def test_extended_by_ids_of_another_type():
    numbers = Vocabulary(pd.Index([1, 2]), np.array([3, 4]))
    words = Vocabulary(pd.Index(["1", "a"]), np.array([5, 6]))
    assert counts_of(numbers.extended(words)) == {1: 3, 2: 4, "1": 5, "a": 6}
    # What a list of lists brings is of dtype object, and 2 is 2.
    objects = Vocabulary(index_of([2, 3]), np.array([10, 20]))
    assert counts_of(numbers.extended(objects)) == {1: 3, 2: 14, 3: 20}


def test_min_count_holds_for_new_items_alone():
    old = Vocabulary(index_of(["tea", "jam"]), np.array([5, 1]))
    new = Vocabulary(index_of(["jam", "ink", 1]), np.array([1, 2, 3]))
    both = old.extended(new, min_count=3)
    assert counts_of(both) == {"tea": 5, "jam": 2, 1: 3}
    with pytest.raises(ValueError, match=r"^min_count must be an integer of at least 1, got 0$"):
        old.extended(new, min_count=0)


@pytest.mark.parametrize(
    ("min_count", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_min_count_is_a_count(min_count, error):
    with pytest.raises(error, match=r"^min_count must be an integer of at least 1, got "):
        build_vocabulary(pack([["tea", "jam"]]), index_of(IDS), min_count=min_count)


@given(LISTS.filter(lambda lists: any(lists)))
def test_lists_become_users_numbered_from_0(lists):
    log = as_interactions(lists)
    assert log.user_ids.tolist() == list(range(len(lists)))
    assert [[log.item_ids[code] for code in codes] for codes in log.sequences()] == lists
    times = Counter(one for ids in lists for one in ids)
    assert dict(zip(log.item_ids, log.item_counts().tolist(), strict=True)) == times


def test_interactions_pass_unchanged(log_of):
    log = log_of([("ann", "tea", 1), ("bob", "jam", 2)])
    assert as_interactions(log) is log


def test_one_and_its_name_are_two_items():
    log = as_interactions([[1, "1"], ["1", 1, 1]])
    assert log.item_ids.tolist() == [1, "1"]
    assert log.item_counts().tolist() == [3, 2]


@pytest.mark.parametrize(
    "data",
    [
        [["a", "b"], [], ["b"]],
        (("a", "b"), (), ("b",)),
        (iter(ids) for ids in [["a", "b"], [], ["b"]]),
        [np.array(["a", "b"]), np.array([], dtype=str), np.array(["b"])],
        pd.Series([["a", "b"], [], ["b"]]),
        {"x": ["a", "b"], "y": [], "z": ["b"]}.values(),
    ],
    ids=["lists", "tuples", "generators", "arrays", "series", "values"],
)
def test_what_counts_as_lists(data):
    log = as_interactions(data)
    assert [log.item_ids[codes].tolist() for codes in log.sequences()] == [["a", "b"], [], ["b"]]


def test_a_table_of_numbers_is_a_list_of_its_rows():
    log = as_interactions(np.array([[7, 8], [8, 7]]))
    assert [log.item_ids[codes].tolist() for codes in log.sequences()] == [[7, 8], [8, 7]]


def test_tuples_as_ids_stay_tuples():
    # As many tuples as each has parts: not to be read as a table.
    log = as_interactions([[(1, 2), (3, 4)], [(1, 2)]])
    assert list(log.item_ids) == [(1, 2), (3, 4)]
    assert log.item_counts().tolist() == [2, 1]


MISSING = "^column 'item' must have no missing id; 1 rows have one, the first is row 1$"


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("tea", TypeError, "^data must be a sequence of ids, not one string, got 'tea'"),
        (["tea", "jam"], TypeError, "^a sequence of data must be .* not one string, got 'tea'"),
        ([b"tea"], TypeError, "^a sequence of data must be .* not one string, got b'tea'"),
        (np.array(["tea"]), TypeError, "^a sequence of data must be .* not one string"),
        (5, TypeError, "^data must be Interactions .* or a list of sequences of ids, got int$"),
        (None, TypeError, "^data must be Interactions .*, got NoneType$"),
        (pd.DataFrame({"item": ["a"]}), TypeError, "^data must be Interactions .* got DataFrame$"),
        ([1, 2], TypeError, "^data must hold sequences of ids, got int$"),
        ([["a"], None], TypeError, "^data must hold sequences of ids, got NoneType$"),
        ([[["a"], ["b"]]], TypeError, "^column 'item' must hold hashable ids: unhashable type"),
        ([[{"a"}]], TypeError, "^column 'item' must hold hashable ids: unhashable type"),
        ([], ValueError, "^data must hold at least one id, got empty sequences only$"),
        ([[], []], ValueError, "^data must hold at least one id, got empty sequences only$"),
        ([["a", None]], ValueError, MISSING),
        ([["a"], [float("nan")]], ValueError, MISSING),
        ([[1.0, np.nan]], ValueError, MISSING),
        ([["a", pd.NaT]], ValueError, MISSING),
        ([["a", pd.NA]], ValueError, MISSING),
    ],
)
def test_what_is_no_list_of_ids(data, error, message):
    with pytest.raises(error, match=message):
        as_interactions(data)
