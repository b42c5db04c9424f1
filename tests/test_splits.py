"""Cuts through a log: nothing lost, order respected, counts by formula, every refusal."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from companion.interactions import Interactions
from companion.splits import (
    Split,
    leave_last_out,
    random_split,
    temporal_split,
    user_temporal_split,
)

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


def read(rows: list[tuple[int, int]]) -> Interactions:
    """Rows are (user, time); the item is the row number, so that every row can be told."""
    users, times = zip(*rows, strict=True)
    return Interactions.from_frame(
        pd.DataFrame({"user": users, "item": range(len(rows)), "timestamp": times})
    )


def row_numbers(part: Interactions) -> list[int]:
    return part.item_ids[part.items].tolist()


def sizes(split: Split) -> tuple[int, int, int]:
    return len(split.train), len(split.validation), len(split.test)


logs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=1, max_size=40)


@st.composite
def splits(draw: st.DrawFn) -> Split:
    data = read(draw(logs))
    shares = {"validation": draw(st.floats(0, 0.5)), "test": draw(st.floats(0, 0.45))}
    first, second = sorted(draw(st.tuples(st.integers(0, 12), st.integers(0, 13))))
    makers = [
        lambda: random_split(data, **shares, seed=draw(st.integers(0, 9))),
        lambda: leave_last_out(data),
        lambda: user_temporal_split(data, **shares),
        lambda: temporal_split(data, validation_start=first, test_start=second),
    ]
    try:
        return draw(st.sampled_from(makers))()
    except ValueError as error:
        assume("leaves no row in train" not in str(error))
        raise


@given(splits())
def test_no_row_is_lost_or_doubled(split):
    numbers = [row_numbers(getattr(split, name)) for name in PARTS]
    assert sorted(itertools.chain(*numbers)) == list(range(len(split.data)))
    assert sorted(row_numbers(split.train_and_validation)) == sorted(numbers[0] + numbers[1])
    refitted = split.refit()
    assert sizes(refitted) == (len(split.train) + len(split.validation), 0, len(split.test))
    assert row_numbers(refitted.test) == numbers[2]
    assert refitted.protocol == f"{split.protocol}, refitted with validation"


@given(splits())
def test_parts_share_the_vocabularies(split):
    for name in PARTS:
        part = getattr(split, name)
        assert part.user_ids is split.data.user_ids
        assert part.item_ids is split.data.item_ids


@given(splits())
def test_the_summary_counts(split):
    table = split.summary()
    assert table.index.tolist() == list(PARTS)
    assert table.index.name == split.protocol
    seen_users = set(split.train.users.tolist())
    seen_items = set(split.train.items.tolist())
    for name in PARTS:
        part = getattr(split, name)
        users, items = set(part.users.tolist()), set(part.items.tolist())
        counts = [len(part), len(users), len(items), len(users - seen_users)]
        assert table.loc[name].tolist() == [*counts, len(items - seen_items)]


@given(splits())
def test_leakage_counts_train_rows_after_the_first_test_row(split):
    first = min(split.test.timestamps.tolist(), default=math.inf)
    assert split.leakage() == sum(time > first for time in split.train.timestamps.tolist())


# --- random ------------------------------------------------------------------------------


@given(logs, st.integers(0, 9), st.integers(0, 10))
def test_random_split_rounds_the_shares_of_rows(rows, tenths, seed):
    data, share = read(rows), tenths / 20
    n = round(Fraction(tenths, 20) * len(rows))
    assume(len(rows) - 2 * n >= 1)
    split = random_split(data, validation=share, test=share, seed=seed)
    assert sizes(split) == (len(rows) - 2 * n, n, n)


def test_random_split_depends_on_its_seed_alone(movielens_100k):
    parts = [random_split(movielens_100k, seed=seed).part for seed in (3, 3, 4)]
    np.testing.assert_array_equal(parts[0], parts[1])
    # Two independent deals agree on a row with probability .8 * .8 + 2 * .1 * .1 = .66.
    assert np.mean(parts[0] == parts[2]) == pytest.approx(0.66, abs=0.01)


def test_random_split_takes_rows_from_everywhere(movielens_100k):
    split = random_split(movielens_100k, seed=0)
    assert sizes(split) == (80_000, 10_000, 10_000)
    tenths = (split.part == TEST).reshape(10, 10_000).mean(axis=1)
    np.testing.assert_allclose(tenths, 0.1, atol=0.015)  # five standard errors


# --- leave last out ----------------------------------------------------------------------


def test_leave_last_out_by_hand():
    # User 1 has four rows, out of order; user 2 two, user 3 one: too few, all to train.
    data = read([(1, 40), (1, 10), (2, 5), (1, 30), (2, 6), (3, 7), (1, 20)])
    split = leave_last_out(data)
    assert row_numbers(split.test) == [0]
    assert row_numbers(split.validation) == [3]
    assert sorted(row_numbers(split.train)) == [1, 2, 4, 5, 6]
    assert split.leakage() == 0
    assert split.protocol == "leave last out"


def test_leave_last_out_breaks_ties_by_the_order_of_the_input():
    split = leave_last_out(read([(1, 9), (1, 9), (1, 9), (1, 1)]))
    assert (row_numbers(split.validation), row_numbers(split.test)) == ([1], [2])


@given(logs)
def test_leave_last_out_by_the_definition(rows):
    data = read(rows)
    expected = dict.fromkeys(range(len(rows)), TRAIN)
    for user in {user for user, _ in rows}:
        mine = sorted((n for n in expected if rows[n][0] == user), key=lambda n: rows[n][1])
        if len(mine) >= 3:
            expected[mine[-1]], expected[mine[-2]] = TEST, VALIDATION
    split = leave_last_out(data)
    assert dict(zip(row_numbers(data), split.part.tolist(), strict=True)) == expected


# --- per user in time --------------------------------------------------------------------


def test_user_temporal_split_takes_the_floor_of_each_share():
    # Users of 1, 5 and 9 rows: floor(.2 L) = 0, 1, 1 in test, floor(.4 L) = 0, 2, 3 before it.
    data = read([(length, time) for length in (1, 5, 9) for time in range(length)])
    split = user_temporal_split(data, validation=0.4, test=0.2)
    assert split.test.user_counts().tolist() == [0, 1, 1]
    assert split.validation.user_counts().tolist() == [0, 2, 3]
    assert row_numbers(split.test) == [5, 14]
    assert row_numbers(split.validation) == [3, 4, 11, 12, 13]


@pytest.mark.parametrize(("share", "rows"), [(0.29, 29), (0.57, 57), (0.58, 58)])
def test_rounding_of_the_share_costs_a_user_no_row(share, rows):
    assert share * 100 < rows  # in floating point
    data = read([(0, time) for time in range(100)])
    assert sizes(user_temporal_split(data, validation=0, test=share)) == (100 - rows, 0, rows)
    assert sizes(user_temporal_split(data, validation=share, test=0)) == (100 - rows, rows, 0)


@given(logs, st.integers(0, 9), st.integers(0, 9))
def test_user_temporal_split_by_the_definition(rows, tenths_validation, tenths_test):
    assume(tenths_validation + tenths_test <= 9)
    split = user_temporal_split(
        read(rows), validation=tenths_validation / 10, test=tenths_test / 10
    )
    lengths = split.data.user_counts().tolist()
    assert split.test.user_counts().tolist() == [tenths_test * n // 10 for n in lengths]
    assert split.validation.user_counts().tolist() == [tenths_validation * n // 10 for n in lengths]


@given(st.one_of(st.just(None), st.floats(0.01, 0.45)), logs)
def test_a_users_parts_follow_each_other_in_time(share, rows):
    data = read(rows)
    split = (
        leave_last_out(data)
        if share is None
        else user_temporal_split(data, validation=share, test=share)
    )
    for user in range(data.n_users):  # canonical order: by time, ties as in the input
        assert (np.diff(split.part[data.users == user]) >= 0).all()


# --- one moment for all ------------------------------------------------------------------


@given(logs, st.integers(1, 12), st.integers(0, 6))
def test_temporal_split_by_the_definition(rows, first, gap):
    assume(any(time < first for _, time in rows))
    split = temporal_split(read(rows), validation_start=first, test_start=first + gap)
    assert (split.train.timestamps < first).all()
    assert (split.test.timestamps >= first + gap).all()
    between = split.validation.timestamps
    assert ((between >= first) & (between < first + gap)).all()
    assert split.leakage() == 0


@pytest.mark.parametrize(
    ("share", "rows_before"), [(0.8, 80), (0.29, 29), (0.57, 57), (0.999, 99), (1 - 1e-12, 99)]
)
def test_a_share_is_the_moment_before_which_so_many_rows_lie(share, rows_before):
    data = read([(n % 7, n * n) for n in np.random.default_rng(0).permutation(100).tolist()])
    split = temporal_split(data, validation_start=share, test_start=share)
    assert sizes(split) == (rows_before, 0, 100 - rows_before)


def test_rows_tied_with_the_moment_go_to_the_later_part():
    data = read([(0, 1), (1, 2), (2, 2), (3, 2), (4, 3)])
    split = temporal_split(data, validation_start=0.6, test_start=0.8)  # both rows at 2 and at 3
    assert (row_numbers(split.train), row_numbers(split.test)) == ([0], [4])


# 2017-11-06 is day 17,476 since 1970: 47 years of 365 days, 12 leap days, 304 + 5 days of 2017.
NOVEMBER_6 = (47 * 365 + 12 + 304 + 5) * 86_400


@pytest.mark.parametrize(
    "moment",
    [
        "2017-11-06",
        "2017-11-06T01:00+01:00",
        date(2017, 11, 6),
        datetime(2017, 11, 6),
        datetime(2017, 11, 6, tzinfo=UTC),
        np.datetime64("2017-11-06"),
        pd.Timestamp("2017-11-06"),
        NOVEMBER_6,
        float(NOVEMBER_6),
        np.int64(NOVEMBER_6),
    ],
)
def test_dates_are_seconds_since_1970(moment):
    data = read([(0, NOVEMBER_6 - 1), (0, NOVEMBER_6), (0, NOVEMBER_6 + 1)])
    assert sizes(temporal_split(data, validation_start=moment, test_start=moment)) == (1, 0, 2)
    both = temporal_split(data, validation_start=moment, test_start="2017-11-06 00:00:01")
    assert sizes(both) == (1, 1, 1)


def test_leakage_by_hand():
    # The first test row is user 2's at 5; user 1's train rows at 10 and 20 came later.
    data = read([(1, 10), (1, 20), (1, 30), (1, 40), (2, 3), (2, 4), (2, 5)])
    assert leave_last_out(data).leakage() == 2
    tied = Split(data, np.array([2, 0, 0, 0, 0, 0, 0]), "by hand")  # test at 10
    assert tied.leakage() == 3
    same_moment = read([(1, 5), (2, 5)])
    assert Split(same_moment, np.array([0, 2]), "by hand").leakage() == 0
    assert Split(same_moment, np.array([0, 0]), "no test").leakage() == 0


def test_users_and_items_that_train_never_saw():
    log = pd.DataFrame({"user": ["ann", "ann", "bob", "cid"], "item": ["tea", "jam", "jam", "rye"]})
    data = Interactions.from_frame(log, timestamp=None)
    split = Split(data, np.array([0, 2, 2, 1]), "by hand")
    assert split.unseen_users().tolist() == ["bob"]
    assert split.unseen_items().tolist() == ["jam"]
    assert split.refit().unseen_users().tolist() == ["bob"]
    assert split.summary().loc["validation"].tolist() == [1, 1, 1, 1, 1]


def test_what_stands_in_validation_alone_was_not_seen_by_train():
    log = pd.DataFrame({"user": ["ann", "bob", "bob"], "item": ["tea", "jam", "jam"]})
    split = Split(Interactions.from_frame(log, timestamp=None), np.array([0, 1, 2]), "by hand")
    assert split.unseen_users().tolist() == ["bob"]
    assert split.unseen_items().tolist() == ["jam"]
    assert split.refit().unseen_users().tolist() == []
    assert split.refit().unseen_items().tolist() == []


def test_one_cut_through_movielens_leaves_ninety_users_to_judge(movielens_100k):
    split = temporal_split(movielens_100k, validation_start=0.8, test_start=0.9)
    assert sizes(split) == (79_999, 10_001, 10_000)
    tested = split.test.user_counts() > 0
    assert tested.sum() == 166
    assert (tested & (split.train.user_counts() > 0)).sum() == 69
    # Refitted with validation, 90 of the 166 are known to the model.
    assert tested.sum() - len(split.refit().unseen_users()) == 90
    assert split.leakage() == 0


def test_leave_last_out_of_movielens_tests_every_user_once_and_leaks(movielens_100k):
    split = leave_last_out(movielens_100k)
    assert sizes(split) == (100_000 - 2 * 943, 943, 943)
    assert split.test.user_counts().tolist() == [1] * 943
    assert split.leakage() > 90_000


# --- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize("maker", [random_split, user_temporal_split])
@pytest.mark.parametrize(
    ("shares", "error", "says"),
    [
        ({"test": -0.1}, ValueError, r"test must lie in \[0, 1\], got -0.1"),
        ({"test": 1.5}, ValueError, r"test must lie in \[0, 1\], got 1.5"),
        ({"test": math.nan}, ValueError, r"test must lie in \[0, 1\], got nan"),
        ({"validation": 2}, ValueError, r"validation must lie in \[0, 1\], got 2"),
        ({"validation": "0.1"}, TypeError, r"validation must be a number in \[0, 1\], got '0.1'"),
        ({"test": True}, TypeError, r"test must be a number in \[0, 1\], got True"),
        ({"validation": 0.5, "test": 0.5}, ValueError, "below 1 .*, got 0.5 and 0.5"),
        ({"validation": 0.0, "test": 1.0}, ValueError, "below 1 .*, got 0.0 and 1.0"),
    ],
)
def test_shares_leave_something_to_train_on(maker, shares, error, says):
    with pytest.raises(error, match=says):
        maker(read([(0, 1), (0, 2), (0, 3)]), **shares)


def test_nothing_left_in_train_is_refused():
    data = read([(0, 5), (1, 6)])
    with pytest.raises(ValueError, match=r"random rows \(50% .*, 40% .*\) leaves no row in train"):
        random_split(data, validation=0.5, test=0.4, seed=0)
    with pytest.raises(ValueError, match=r"one cut in time .* leaves no row in train"):
        temporal_split(data, validation_start=5, test_start=6)
    with pytest.raises(ValueError, match="by hand leaves no row in train"):
        Split(data, np.array([1, 2]), "by hand")
    with pytest.raises(ValueError, match="by hand leaves no row in train"):
        Split(data.take([]), np.array([]), "by hand")


def test_without_timestamps_there_is_no_order_to_cut_by():
    frame = pd.DataFrame({"user": [1, 1, 1], "item": [1, 2, 3]})
    data = Interactions.from_frame(frame, timestamp=None)
    for name, call in {
        "leave_last_out": lambda: leave_last_out(data),
        "user_temporal_split": lambda: user_temporal_split(data),
        "temporal_split": lambda: temporal_split(data, validation_start=0.5, test_start=0.6),
        "leakage": lambda: random_split(data, seed=0).leakage(),
    }.items():
        with pytest.raises(ValueError, match=f"{name} needs timestamps: the log was read without"):
            call()


def test_validation_does_not_start_after_test():
    says = "validation_start must not lie after test_start, got 3 and 2"
    with pytest.raises(ValueError, match=says):
        temporal_split(read([(0, 1), (0, 2), (0, 3)]), validation_start=3, test_start=2)


@pytest.mark.parametrize("name", ["validation_start", "test_start"])
@pytest.mark.parametrize(
    "moment", [math.nan, math.inf, "", "soon", None, [2], pd.NaT, np.datetime64("NaT")], ids=repr
)
def test_a_moment_is_a_number_or_a_date(name, moment):
    moments = {"validation_start": 2, "test_start": 3, name: moment}
    with pytest.raises(ValueError, match=f"{name} must be a (finite )?number or a date, got "):
        temporal_split(read([(0, 1), (0, 2), (0, 3)]), **moments)


@pytest.mark.parametrize("part", [[0], [0, 0, 3], [0, 0, -1], [0, 0, math.nan], [[0, 1, 2]]])
def test_a_part_for_every_row(part):
    says = r"part must have shape \(3,\) and hold only 0, 1 and 2, got shape"
    with pytest.raises(ValueError, match=says):
        Split(read([(0, 1), (0, 2), (0, 3)]), np.array(part), "by hand")


def test_the_callers_part_stays_as_it_is():
    part = np.array([0, 1, 2], dtype=np.int8)
    split = Split(read([(0, 1), (0, 2), (0, 3)]), part, "by hand")
    part[:] = 0
    assert split.part.tolist() == [0, 1, 2]
    assert split.part.dtype == np.int8
