"""The one table: canonical order, a slow oracle of dicts and sorted(), and every refusal."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.interactions import Interactions
from companion.sequences import Sequences

Row = tuple[Any, ...]

# ann and bob, three products; ann's two rows at 20 are tied and stand in file order: jam, tea.
ROWS: list[Row] = [
    ("bob", "tea", 50, 1.0, "b2"),
    ("ann", "jam", 20, 2.0, "b1"),
    ("ann", "tea", 20, 3.0, "b1"),
    ("ann", "rye", 10, 0.0, "b0"),
    ("ann", "jam", 30, 0.5, "b3"),
]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["user", "item", "timestamp", "weight", "basket"])


@pytest.fixture
def data(frame) -> Interactions:
    return Interactions.from_frame(frame, weight="weight", basket="basket")


def lists(sequences: Sequences) -> list[list[int]]:
    return [sequence.tolist() for sequence in sequences]


# --- golden ------------------------------------------------------------------------------


def test_codes_follow_first_appearance_and_rows_the_canonical_order(data):
    assert data.user_ids.tolist() == ["bob", "ann"]
    assert data.item_ids.tolist() == ["tea", "jam", "rye"]
    assert (data.n_users, data.n_items, len(data)) == (2, 3, 5)
    assert data.users.tolist() == [0, 1, 1, 1, 1]
    assert data.items.tolist() == [0, 2, 1, 0, 1]  # tea | rye, jam, tea, jam
    assert data.timestamps.tolist() == [50, 10, 20, 20, 30]
    assert data.weights.tolist() == [1, 0, 2, 3, 0.5]
    assert data.basket_codes.tolist() == [0, 2, 1, 1, 3]
    dtypes = (data.users.dtype, data.items.dtype, data.weights.dtype, data.basket_codes.dtype)
    assert dtypes == (np.int32, np.int32, np.float32, np.int32)


def test_the_matrix_sums_weights_or_counts_rows(data, frame):
    assert data.to_csr().toarray().tolist() == [[1, 0, 0], [3, 2.5, 0]]
    counted = Interactions.from_frame(frame)
    assert counted.to_csr().toarray().tolist() == [[1, 0, 0], [1, 2, 1]]
    assert counted.to_csr(binary=True).toarray().tolist() == [[1, 0, 0], [1, 1, 1]]
    assert counted.to_csr(last=2).toarray().tolist() == [[1, 0, 0], [1, 1, 0]]
    assert counted.to_csr().dtype == np.float32


def test_a_cell_of_weight_zero_stays_stored_and_counts_when_binary(data):
    assert data.to_csr().nnz == 4
    assert data.to_csr(binary=True).toarray().tolist() == [[1, 0, 0], [1, 1, 1]]
    assert data.to_csr().indices.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("ids", ["ann", b"ann", ""])
def test_one_string_is_no_list_of_ids(data, ids):
    for call, kind in [(data.user_codes, "user"), (data.item_codes, "item")]:
        with pytest.raises(TypeError, match=f"{kind} ids must be a sequence of ids, not one str"):
            call(ids)


def test_sequences_cannot_be_written_to(data):
    """Histories are slices of the log itself: who changed them would change the log."""
    before = data.fingerprint()
    for sequences in (data.sequences(), data.sequences(2), data.baskets()):
        for array in (sequences.items, sequences.offsets, sequences[0], *sequences):
            with pytest.raises(ValueError, match="read-only"):
                array[:1] = 0
    assert data.fingerprint() == before
    own = np.array([1, 2], dtype=np.int32)
    Sequences(own, np.array([0, 2]))
    own[0] = 3  # the caller's array stays writable


def test_histories_and_baskets(data):
    assert lists(data.sequences()) == [[0], [2, 1, 0, 1]]
    assert lists(data.sequences(max_length=2)) == [[0], [0, 1]]
    assert lists(data.baskets()) == [[0], [1, 0], [2], [1]]  # b2, b1, b0, b3
    assert data.sequences().lengths().tolist() == [1, 4]
    assert data.sequences().items.dtype == np.int32
    assert data.sequences().offsets.dtype == np.int64


def test_counts_repeats_and_ties(data):
    assert data.user_counts().tolist() == [1, 4]
    assert data.item_counts().tolist() == [2, 2, 1]
    assert data.rank_from_newest().tolist() == [1, 4, 3, 2, 1]
    assert data.n_repeats() == 1  # ann's second jam
    assert data.tied_timestamps() == 2  # ann's jam and tea at 20


def test_describe(data, frame):
    assert data.describe().to_dict() == {
        "rows": 5,
        "users": 2,
        "items": 3,
        "cells observed": 4 / 6,
        "repeated pairs": 1,
        "rows with a tied timestamp": 2,
        "first timestamp": 10,
        "last timestamp": 50,
    }
    timeless = Interactions.from_frame(frame, timestamp=None).describe()
    assert not [name for name in timeless.index if "timestamp" in name]


def test_ids_and_codes(data):
    assert (data.user_code("ann"), data.item_code("rye")) == (1, 2)
    assert data.item_codes(["rye", "tea", "rye"]).tolist() == [2, 0, 2]
    assert data.user_codes([]).shape == (0,)
    assert data.user_codes(np.array(["ann"], dtype=object)).dtype == np.int32


def test_without_a_time_the_order_of_the_input_stands(frame):
    data = Interactions.from_frame(frame, timestamp=None)
    assert data.timestamps is data.weights is data.basket_codes is None
    assert lists(data.sequences()) == [[0], [1, 0, 2, 1]]


def test_columns_may_have_any_name(frame):
    renamed = frame.set_axis(["who", "what", "when", "w", 7], axis=1)
    data = Interactions.from_frame(renamed, "who", "what", "when", "w", 7)
    assert lists(data.baskets()) == [[0], [1, 0], [2], [1]]
    assert (data.user_ids.name, data.item_ids.name) == ("who", "what")


def test_the_index_of_the_frame_means_nothing(frame, data):
    shuffled_index = frame.set_axis([9, 9, 0, 5, 1])
    again = Interactions.from_frame(shuffled_index, weight="weight", basket="basket")
    assert again.fingerprint() == data.fingerprint()


def test_the_callers_frame_stays_as_it_is(frame):
    features = pd.DataFrame({"age": [30]}, index=["ann"])
    before, features_before = frame.copy(deep=True), features.copy(deep=True)
    data = Interactions.from_frame(frame, weight="weight", user_features=features)
    for column in (data.users, data.items, data.timestamps, data.weights):
        column[:] = 0
    data.user_features.loc[:, "age"] = 0
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(features, features_before)


# --- sequences ---------------------------------------------------------------------------


def test_sequences_count_from_both_ends(data):
    histories = data.sequences()
    assert (len(histories), histories[1].tolist(), histories[-2].tolist()) == (2, [2, 1, 0, 1], [0])
    for position in (2, -3):
        with pytest.raises(IndexError, match=f"there are 2 sequences, got position {position}"):
            histories[position]


# --- the oracle --------------------------------------------------------------------------

timestamps = st.one_of(
    st.lists(st.integers(0, 4), min_size=30, max_size=30),
    st.lists(st.integers(-(2**62), 2**62), min_size=30, max_size=30),
    st.lists(st.floats(-2, 2, width=16), min_size=30, max_size=30),
    st.just(list(range(30))),
)
logs = st.tuples(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from("abcdef"),
            st.sampled_from([0.0, 0.5, 1.0, 4.0]),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=30,
    ),
    timestamps,
).map(lambda drawn: [(u, i, t, w, b) for (u, i, w, b), t in zip(*drawn, strict=False)])


def read(rows: list[Row]) -> Interactions:
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp", "weight", "basket"])
    return Interactions.from_frame(frame, weight="weight", basket="basket")


def canonical(rows: list[Row]) -> list[Row]:
    users = list(dict.fromkeys(row[0] for row in rows))
    return sorted(rows, key=lambda row: (users.index(row[0]), row[2]))  # sorted() is stable


def rows_of(data: Interactions) -> list[Row]:
    baskets = data.basket_codes.tolist()
    return list(
        zip(
            data.user_ids[data.users].tolist(),
            data.item_ids[data.items].tolist(),
            data.timestamps.tolist(),
            data.weights.tolist(),
            baskets,
            strict=True,
        )
    )


@given(logs)
def test_rows_stand_in_canonical_order_and_none_is_lost(rows):
    basket_code = {b: code for code, b in enumerate(dict.fromkeys(row[4] for row in rows))}
    expected = [(*row[:4], basket_code[row[4]]) for row in canonical(rows)]
    assert rows_of(read(rows)) == expected


@given(logs, st.integers(1, 6))
def test_histories_match_the_oracle(rows, length):
    data, histories = read(rows), {}
    for user, item, *_ in canonical(rows):
        histories.setdefault(user, []).append(data.item_code(item))
    assert lists(data.sequences()) == list(histories.values())
    assert lists(data.sequences(length)) == [h[-length:] for h in histories.values()]
    newest = Counter((u, i) for u, h in enumerate(histories.values()) for i in h[-length:])
    counted = Interactions.from_frame(pd.DataFrame(rows)[[0, 1, 2]], 0, 1, 2).to_csr(last=length)
    assert {key: int(n) for key, n in counted.todok().items()} == newest


@given(logs)
def test_baskets_match_the_oracle(rows):
    data, baskets = read(rows), {row[4]: [] for row in rows}
    for row in canonical(rows):
        baskets[row[4]].append(data.item_code(row[1]))
    assert lists(data.baskets()) == list(baskets.values())


@given(logs)
def test_matrix_counts_repeats_and_ties_match_the_oracle(rows):
    data, weights = read(rows), Counter()
    pairs = Counter(row[:2] for row in rows)
    for user, item, _, weight, _ in rows:
        weights[data.user_code(user), data.item_code(item)] += weight
    matrix = data.to_csr()
    assert matrix.has_sorted_indices
    assert matrix.shape == (data.n_users, data.n_items)
    assert {key: matrix[key] for key in weights} == weights
    assert matrix.nnz == data.to_csr(binary=True).sum() == len(weights)
    assert data.n_repeats() == len(rows) - len(pairs)
    moments = Counter((row[0], row[2]) for row in rows)
    assert data.tied_timestamps() == sum(n for n in moments.values() if n > 1)
    items = Counter(row[1] for row in rows)
    assert data.item_counts().tolist() == [items[item] for item in data.item_ids]
    users = Counter(row[0] for row in rows)
    assert data.user_counts().tolist() == [users[user] for user in data.user_ids]


@given(logs, st.integers(1, 4), st.integers(1, 4))
def test_filter_repeats_until_both_bounds_hold(rows, min_user, min_item):
    kept = canonical(rows)
    while True:
        users, items = Counter(r[0] for r in kept), Counter(r[1] for r in kept)
        fewer = [r for r in kept if users[r[0]] >= min_user and items[r[1]] >= min_item]
        if len(fewer) == len(kept):
            break
        kept = fewer
    if not kept:
        with pytest.raises(ValueError, match=f"min_user={min_user} and min_item={min_item} leave"):
            read(rows).filter(min_user=min_user, min_item=min_item)
        return
    data = read(rows).filter(min_user=min_user, min_item=min_item)
    assert [row[:4] for row in rows_of(data)] == [row[:4] for row in kept]
    first_seen = dict.fromkeys(row[1] for row in rows)
    assert data.item_ids.tolist() == [i for i in first_seen if any(r[1] == i for r in kept)]
    assert data.user_counts().min() >= min_user
    assert data.item_counts().min() >= min_item


def test_filter_takes_more_than_one_round(log_of):
    # Item z is rare; without it user 1 is; without user 1 item x is.
    data = log_of([(1, "z"), (1, "x"), (2, "x"), (2, "y"), (3, "y"), (3, "y")])
    kept = data.filter(min_user=2, min_item=2)
    assert (kept.user_ids.tolist(), kept.item_ids.tolist()) == ([3], ["y"])


@given(logs, st.data())
def test_take_keeps_order_and_vocabularies(rows, drawn):
    data = read(rows)
    chosen = drawn.draw(st.lists(st.integers(0, len(data) - 1), unique=True))
    mask = np.isin(np.arange(len(data)), chosen)
    expected = [row for row, kept in zip(rows_of(data), mask, strict=True) if kept]
    for part in (data.take(chosen), data.take(mask), data.take(np.array(chosen, dtype=np.uint8))):
        assert rows_of(part) == expected
        assert part.user_ids is data.user_ids
        assert part.item_ids is data.item_ids
        assert part.to_csr().shape == data.to_csr().shape
        assert len(part.sequences()) == data.n_users


@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing_but_names_and_ties(rows, random):
    rows = [(u, i, t, w, b) for t, (u, i, _, w, b) in enumerate(rows)]  # no ties
    shuffled = random.sample(rows, len(rows))

    def named(data: Interactions) -> dict[Any, list[Any]]:
        histories = zip(data.user_ids, data.sequences(), strict=True)
        return {user: data.item_ids[history].tolist() for user, history in histories}

    assert named(read(rows)) == named(read(shuffled))


def test_nothing_taken_is_a_log_without_rows(data):
    empty = data.take([])
    assert (len(empty), empty.n_users, empty.n_items) == (0, 2, 3)
    assert lists(empty.sequences()) == [[], []]
    assert lists(empty.sequences(max_length=3)) == [[], []]
    assert lists(empty.baskets()) == []
    assert empty.to_csr(last=1).nnz == empty.n_repeats() == empty.tied_timestamps() == 0
    assert empty.describe()["cells observed"] == 0
    assert "first timestamp" not in empty.describe()
    with pytest.raises(ValueError, match="min_user=1 and min_item=1 leave no row"):
        empty.filter()


# --- kinds of timestamps -----------------------------------------------------------------


def times_of(values: Any) -> Interactions:
    n = len(values)
    frame = pd.DataFrame({"user": [0] * n, "item": range(n), "timestamp": values})
    return Interactions.from_frame(frame)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", "int64", "Int64"])
def test_integers_are_kept_exactly(dtype):
    data = times_of(pd.Series([3, 1, 2], dtype=dtype))
    assert data.timestamps.dtype == np.int64
    assert data.timestamps.tolist() == [1, 2, 3]
    assert data.items.tolist() == [1, 2, 0]


def test_large_integers_do_not_pass_through_floats():
    big = 2**53
    data = times_of([big + 1, big, big + 1])
    assert data.timestamps.tolist() == [big, big + 1, big + 1]
    assert data.items.tolist() == [1, 0, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64", "Float64"])
def test_fractions_are_kept(dtype):
    data = times_of(pd.Series([0.5, 0.25, 0.25], dtype=dtype))
    assert data.timestamps.dtype == np.float64
    assert (data.timestamps.tolist(), data.items.tolist()) == ([0.25, 0.25, 0.5], [1, 2, 0])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_datetimes_become_seconds_since_1970(unit):
    column = pd.Series(pd.to_datetime(["1970-01-02", "1970-01-01", "1969-12-31"])).dt.as_unit(unit)
    data = times_of(column)
    assert data.timestamps.dtype == np.int64
    assert data.timestamps.tolist() == [-86400, 0, 86400]


def test_the_time_zone_of_datetimes_counts():
    local = pd.to_datetime(["2020-01-01 01:00"] * 2).tz_localize("Europe/Paris")
    expected = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
    assert times_of(local).timestamps.tolist() == [expected, expected]


def test_datetimes_within_a_second_keep_their_order():
    moments = pd.to_datetime(["1970-01-01 00:00:01.75", "1970-01-01 00:00:01.25"])
    for column in (moments, moments.tz_localize("UTC")):
        data = times_of(column)
        assert data.timestamps.tolist() == [1.25, 1.75]
        assert data.items.tolist() == [1, 0]
        assert data.tied_timestamps() == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["1", "2"], "must hold numbers or datetimes, got str"),
        (pd.Series([1, "2"], dtype=object), "must hold numbers or datetimes, got object"),
        ([True, False], "must hold numbers or datetimes, got bool"),
        (pd.array([True, None], dtype="boolean"), "must hold numbers or datetimes, got boolean"),
        ([1j, 2], "must hold numbers or datetimes, got complex128"),
        (pd.Categorical([1, 2]), "must hold numbers or datetimes, got category"),
        (pd.to_timedelta([1, 2], unit="s"), "must hold numbers or datetimes, got timedelta64"),
        ([1.0, np.nan], "must hold finite timestamps, got NaN or infinity"),
        ([1.0, np.inf], "must hold finite timestamps, got NaN or infinity"),
        (pd.array([1, None], dtype="Int64"), "must hold finite timestamps, got NaN or infinity"),
        (pd.array([1, None], dtype="Float64"), "must hold finite timestamps, got NaN or infinity"),
        (pd.to_datetime(["2020-01-01", None]), "must have no missing timestamp"),
        (np.array([1, 2**63], dtype=np.uint64), "must hold timestamps that fit int64"),
    ],
)
def test_what_is_no_time_is_refused(values, says):
    with pytest.raises(ValueError, match=f"column 'timestamp' {says}"):
        times_of(values)


def test_a_log_of_text_times_is_told_the_way_out():
    with pytest.raises(ValueError, match="pass timestamp=None if the log has no time"):
        times_of(["yesterday"])


# --- kinds of ids ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids",
    [
        [1, "1", (2, 3), 2.5, frozenset({1})],
        [(1, 2), (1, 2, 3), (), ("a",)],
        [(1, 2), (2, 1), (0, 0)],
        [10**12, -1, 0],
        [0.5, 2.0, -1.0],
        ["", "ann", "Ann", "\0"],
        [datetime(2020, 1, 1), datetime(2021, 1, 1)],
    ],
    ids=repr,
)
def test_ids_of_any_hashable_kind(ids, log_of):
    data = log_of([(user, user, 0) for user in [*ids, *ids]])
    assert data.n_users == data.n_items == len(ids)
    assert list(data.user_ids) == ids
    assert [data.user_code(user) for user in ids] == list(range(len(ids)))
    assert data.item_codes(ids[::-1]).tolist() == list(range(len(ids)))[::-1]


@pytest.mark.parametrize("dtype", ["category", "string", "object", "str"])
def test_text_ids_of_any_dtype(dtype):
    users = pd.Series(["b", "a", "b"]).astype(dtype)
    features = pd.DataFrame({"age": [30]}, index=["a"])
    frame = pd.DataFrame({"user": users, "item": users, "timestamp": [1, 2, 3]})
    data = Interactions.from_frame(frame, user_features=features)
    assert data.user_ids.tolist() == ["b", "a"]
    assert data.user_code("a") == 1
    assert data.user_features["age"].isna().tolist() == [True, False]
    plain = Interactions.from_frame(frame.astype({"user": "object", "item": "object"}))
    assert data.fingerprint() == plain.fingerprint()


def test_labels_of_a_categorical_that_do_not_occur_are_no_ids():
    users = pd.Categorical(["b", "a"], categories=["a", "b", "never"])
    data = Interactions.from_frame(pd.DataFrame({"user": users, "item": [1, 2]}), timestamp=None)
    assert data.n_users == 2
    assert not isinstance(data.user_ids, pd.CategoricalIndex)


def test_nullable_integer_ids():
    users = pd.array([5, 3, 5], dtype="Int64")
    data = Interactions.from_frame(pd.DataFrame({"user": users, "item": [1, 2, 3]}), timestamp=None)
    assert (data.user_ids.tolist(), data.user_code(3)) == ([5, 3], 1)


@pytest.mark.parametrize("column", ["user", "item", "basket"])
@pytest.mark.parametrize(
    "values",
    [
        [1.0, np.nan, np.nan],
        ["a", None, None],
        pd.array([1, None, None], dtype="Int64"),
        pd.array(["a", None, None], dtype="string"),
        pd.Categorical(["a", None, None]),
        pd.to_datetime(["2020-01-01", None, None]),
    ],
)
def test_a_missing_id_is_refused(column, values):
    frame = pd.DataFrame({"user": [1, 2, 3], "item": [1, 2, 3], "basket": [1, 2, 3]})
    frame[column] = values
    with pytest.raises(ValueError, match=f"'{column}' must have no missing id; 2 .* row 1"):
        Interactions.from_frame(frame, timestamp=None, basket="basket")


def test_ids_must_be_hashable():
    frame = pd.DataFrame({"user": [[1], [2]], "item": [1, 2]})
    with pytest.raises(TypeError, match="column 'user' must hold hashable ids: unhashable"):
        Interactions.from_frame(frame, timestamp=None)


@pytest.mark.parametrize("unknown", ["eve", 1, None, np.nan, ("ann",)])
def test_an_unknown_id_is_a_key_error(data, unknown):
    with pytest.raises(KeyError, match="unknown user ids: "):
        data.user_code(unknown)
    with pytest.raises(KeyError, match="unknown item ids: "):
        data.item_codes(["tea", unknown])


def test_unknown_ids_are_named_and_counted(data):
    with pytest.raises(KeyError) as caught:
        data.item_codes(["tea", *"abcdefg"])
    assert caught.value.args[0] == "unknown item ids: 'a', 'b', 'c', 'd', 'e' and 2 more"


def test_text_is_not_taken_for_a_number(log_of):
    with pytest.raises(KeyError, match="unknown user ids: '1'"):
        log_of([(1, 1)]).user_code("1")


# --- features ----------------------------------------------------------------------------


def test_features_are_aligned_with_the_codes(frame):
    users = pd.DataFrame({"age": [30, 40]}, index=["ann", "bob"])
    items = pd.DataFrame({"kind": ["drink", "bread"]}, index=["tea", "rye"])
    data = Interactions.from_frame(frame, user_features=users, item_features=items)
    assert data.user_features["age"].tolist() == [40, 30]
    assert data.item_features.index.tolist() == ["tea", "jam", "rye"]
    assert data.item_features["kind"].isna().tolist() == [False, True, False]
    assert data.take([0]).item_features is data.item_features
    kept = data.filter(min_item=2)
    assert kept.item_features.index.tolist() == kept.item_ids.tolist() == ["tea", "jam"]
    assert kept.user_features["age"].tolist() == [40, 30]


@pytest.mark.parametrize(
    "index", [pd.Index([(1, 2)], tupleize_cols=False), pd.MultiIndex.from_tuples([(1, 2)])]
)
def test_features_of_tuple_ids(index, log_of):
    features = pd.DataFrame({"x": [7]}, index=index)
    data = log_of([((3, 4), 0), ((1, 2), 0)], user_features=features)
    assert data.user_features["x"].fillna(-1).tolist() == [-1, 7]
    assert data.user_features.index.equals(data.user_ids)
    assert not isinstance(data.user_features.index, pd.MultiIndex)


@pytest.mark.parametrize("name", ["user_features", "item_features"])
@pytest.mark.parametrize(
    ("features", "error", "says"),
    [
        (pd.DataFrame(index=[1, 9, 8]), ValueError, "has ids that the log does not: 9, 8"),
        (pd.DataFrame(index=[1.0, np.nan]), ValueError, "has ids that the log does not: nan"),
        (pd.DataFrame(index=[1, 2, 1]), ValueError, "must have one row an id; repeated: 1"),
        (pd.Series([1], index=[1]), TypeError, "must be a pandas DataFrame, got Series"),
        ({"a": 1}, TypeError, "must be a pandas DataFrame, got dict"),
    ],
)
def test_bad_features_are_refused(name, features, error, says, log_of):
    with pytest.raises(error, match=f"{name} {says}"):
        log_of([(1, 1), (2, 2)], **{name: features})


# --- weights -----------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[True, False], [1, 0], pd.array([1, 0], dtype="Float32")])
def test_weights_become_float32(values):
    frame = pd.DataFrame({"user": [1, 2], "item": [1, 2], "w": values})
    data = Interactions.from_frame(frame, timestamp=None, weight="w")
    assert (data.weights.dtype, data.weights.tolist()) == (np.float32, [1, 0])


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (-1.0, "must hold finite weights of at least 0"),
        (np.nan, "must hold finite weights of at least 0"),
        (np.inf, "must hold finite weights of at least 0"),
        (1e300, "must hold finite weights of at least 0"),
        (pd.NA, "must hold finite weights of at least 0"),
        ("2", "must hold numbers, got"),
        (1j, "must hold numbers, got complex128"),
        (pd.Timedelta(1), "must hold numbers, got timedelta64"),
    ],
)
def test_bad_weights_are_refused(bad, says):
    dtype = "Float64" if bad is pd.NA else None
    frame = pd.DataFrame({"user": [1, 2], "item": [1, 2], "w": pd.Series([bad, bad], dtype=dtype)})
    frame = frame if bad is pd.NA or not isinstance(bad, float) else frame.assign(w=[1.0, bad])
    with pytest.raises(ValueError, match=f"column 'w' {says}"):
        Interactions.from_frame(frame, timestamp=None, weight="w")


# --- the door ----------------------------------------------------------------------------


@pytest.mark.parametrize("thing", [[(1, 2)], {"user": [1]}, None, pd.Series([1])])
def test_only_a_frame_will_do(thing):
    with pytest.raises(TypeError, match="frame must be a pandas DataFrame, got "):
        Interactions.from_frame(thing)


def test_an_empty_frame_is_refused(frame):
    with pytest.raises(ValueError, match="frame must have at least one row, got an empty one"):
        Interactions.from_frame(frame.iloc[:0])


@pytest.mark.parametrize("role", ["user", "item", "timestamp", "weight", "basket"])
def test_a_missing_column_lists_those_that_exist(frame, role):
    with pytest.raises(KeyError) as caught:
        Interactions.from_frame(frame, **{role: "nope"})
    assert caught.value.args[0] == (
        "frame has no column 'nope'; "
        "its columns are ['user', 'item', 'timestamp', 'weight', 'basket']"
    )


def test_a_column_named_twice_is_refused_only_if_it_is_used(frame):
    twice = pd.concat([frame, frame[["weight"]]], axis=1)
    assert len(Interactions.from_frame(twice)) == 5
    with pytest.raises(ValueError, match="frame must have one plain column 'weight', got 2"):
        Interactions.from_frame(twice, weight="weight")
    several_levels = frame.set_axis(pd.MultiIndex.from_product([frame.columns, ["x"]]), axis=1)
    with pytest.raises(ValueError, match="frame must have one plain column 'user', got 0"):
        Interactions.from_frame(several_levels)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda data, n: data.sequences(max_length=n), "max_length"),
        (lambda data, n: data.to_csr(last=n), "last"),
        (lambda data, n: data.filter(min_user=n), "min_user"),
        (lambda data, n: data.filter(min_item=n), "min_item"),
    ],
    ids=["max_length", "last", "min_user", "min_item"],
)
def test_counts_are_positive_integers(data, call, name):
    for bad, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        says = f"{name} must be an integer of at least 1, got {bad}"
        with pytest.raises(error, match=says):
            call(data, bad)


def test_what_the_log_was_read_without_cannot_be_asked_for(frame):
    data = Interactions.from_frame(frame, timestamp=None)
    with pytest.raises(ValueError, match="baskets need a basket column"):
        data.baskets()
    with pytest.raises(ValueError, match="tied_timestamps needs timestamps"):
        data.tied_timestamps()


@pytest.mark.parametrize(
    ("rows", "error", "says"),
    [
        ([True, False], ValueError, r"a mask must have shape \(5,\), got \(2,\)"),
        ([[True] * 5], ValueError, r"a mask must have shape \(5,\), got \(1, 5\)"),
        ([0, 5], IndexError, r"rows must be in 0 .. 4, got 5"),
        ([0, -1], IndexError, r"rows must be in 0 .. 4, got -1"),
        ([0.0], TypeError, "rows must be a mask or a list of row numbers, got float64"),
        (["a"], TypeError, "rows must be a mask or a list of row numbers, got <U1"),
        ([[0, 1]], TypeError, r"got int64 of shape \(1, 2\)"),
        (0, TypeError, r"got int64 of shape \(\)"),
    ],
)
def test_bad_rows_are_refused(data, rows, error, says):
    with pytest.raises(error, match=says):
        data.take(rows)


# --- fingerprint -------------------------------------------------------------------------


def test_the_same_data_has_the_same_fingerprint(frame, data):
    again = Interactions.from_frame(frame.copy(), weight="weight", basket="basket")
    assert again.fingerprint() == data.fingerprint()
    assert len(data.fingerprint()) == 64
    assert int(data.fingerprint(), 16)


def test_any_difference_changes_the_fingerprint(frame, log_of):
    def of(changed: pd.DataFrame, **options: Any) -> str:
        options = {"weight": "weight", "basket": "basket", **options}
        return Interactions.from_frame(changed, **options).fingerprint()

    prints = {
        "as it is": of(frame),
        "another user": of(frame.replace({"user": {"bob": "rob"}})),
        "another item": of(frame.replace({"item": {"rye": "pie"}})),
        "later": of(frame.assign(timestamp=frame["timestamp"] + 1)),
        "heavier": of(frame.assign(weight=frame["weight"] + 1)),
        "other baskets": of(frame.assign(basket=["b2", "b1", "b0", "b0", "b3"])),
        "ties turned": of(frame.iloc[[0, 2, 1, 3, 4]]),
        "a row less": of(frame.iloc[:4]),
        "without weights": of(frame, weight=None),
        "without baskets": of(frame, basket=None),
        "without time": of(frame, timestamp=None),
        "numbers": log_of([(1, 23)]).fingerprint(),
        "the same digits": log_of([(12, 3)]).fingerprint(),
        "as text": log_of([("1", "23")]).fingerprint(),
    }
    assert len(set(prints.values())) == len(prints)


# --- real data ---------------------------------------------------------------------------


def test_movielens_is_what_it_is_known_to_be(movielens_100k):
    data = movielens_100k
    assert (data.n_users, data.n_items, len(data)) == (943, 1682, 100_000)
    assert data.n_repeats() == 0
    assert data.tied_timestamps() / len(data) == pytest.approx(0.758, abs=5e-4)
    by_user = pd.Series(data.timestamps).groupby(data.users)
    last_two = np.array([times.to_numpy()[-2:] for _, times in by_user])
    assert np.mean(last_two[:, 0] == last_two[:, 1]) == pytest.approx(0.44, abs=5e-3)
    assert np.mean(by_user.max() - by_user.min() <= 3600) == pytest.approx(0.53, abs=5e-3)
    assert data.to_csr().nnz == 100_000
