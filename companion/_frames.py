"""Reading a log at the door: columns of a data frame become arrays, or a clear error.

Each function checks one column of `Interactions.from_frame`, or what a caller asks of the rows
and ids, and returns it in the form in which the package keeps it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion._checks import refuse_one_string, some


def check_frame(frame: pd.DataFrame, columns: list[str]) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame must be a pandas DataFrame, got {type(frame).__name__}")
    for name in columns:
        if name not in frame.columns:
            raise KeyError(f"frame has no column {name!r}; its columns are {list(frame.columns)}")
        if (found := list(frame.columns).count(name)) != 1:  # 0: the names have several levels
            raise ValueError(f"frame must have one plain column {name!r}, got {found}")
    if len(frame) == 0:
        raise ValueError("frame must have at least one row, got an empty one")


def factorize(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.int32], pd.Index[Any]]:
    values = frame[column]
    if isinstance(values.dtype, pd.CategoricalDtype):  # the ids are the labels, used or not
        values = values.astype(values.cat.categories.dtype)
    try:
        codes, ids = pd.factorize(values)
    except TypeError as error:
        raise TypeError(f"column {column!r} must hold hashable ids: {error}") from error
    if (missing := codes < 0).any():
        raise ValueError(
            f"column {column!r} must have no missing id; {missing.sum()} rows have one, "
            f"the first is row {int(np.argmax(missing))}"
        )
    return codes.astype(np.int32), pd.Index(ids, name=column)


def as_times(column: pd.Series[Any], name: str) -> NDArray[Any]:
    """Return timestamps as int64 or float64; datetimes become seconds since 1970 (UTC)."""
    if pd.api.types.is_datetime64_any_dtype(column):
        if column.isna().any():
            raise ValueError(f"column {name!r} must have no missing timestamp")
        return _seconds(column)
    if not pd.api.types.is_any_real_numeric_dtype(column):
        raise ValueError(
            f"column {name!r} must hold numbers or datetimes, got {column.dtype}; "
            "pass timestamp=None if the log has no time"
        )
    integral = pd.api.types.is_integer_dtype(column) and not column.hasnans
    if integral and int(column.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"column {name!r} must hold timestamps that fit int64")
    times = column.to_numpy(np.int64 if integral else np.float64, na_value=np.nan)
    if not integral and not np.isfinite(times).all():
        raise ValueError(f"column {name!r} must hold finite timestamps, got NaN or infinity")
    return times


def _seconds(column: pd.Series[Any]) -> NDArray[Any]:
    """Return seconds since 1970: whole ones as int64, else float64, lest the order be lost."""
    exact = column.to_numpy(f"datetime64[{column.dt.unit}]")
    whole = exact.astype("datetime64[s]")
    if (whole == exact).all():
        return whole.astype(np.int64)
    return whole.astype(np.int64) + (exact - whole) / np.timedelta64(1, "s")


def as_weights(column: pd.Series[Any], name: str) -> NDArray[np.float32]:
    types = pd.api.types
    if not (types.is_any_real_numeric_dtype(column) or types.is_bool_dtype(column)):
        raise ValueError(f"column {name!r} must hold numbers, got {column.dtype}")
    with np.errstate(over="ignore"):  # too large for float32: infinite, refused below
        weights = column.to_numpy(np.float32, na_value=np.nan)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"column {name!r} must hold finite weights of at least 0")
    return weights


def canonical_order(
    users: NDArray[np.int32], times: NDArray[Any] | None, n_users: int
) -> NDArray[np.integer[Any]]:
    """Return the order by user, then time, ties as in the input."""
    by_user = _stable_order(users, n_users)
    if times is None or not (times[1:] < times[:-1]).any():  # most logs come sorted
        return by_user
    first, span = times.min(), int(times.max()) - int(times.min()) + 1
    if times.dtype == np.int64 and span * n_users < 2**63:
        # User and time as one number; grouped by user, few of them stand far from their place.
        key = users[by_user].astype(np.int64) * span + (times[by_user] - first)
        return by_user[np.argsort(key, kind="stable")]
    by_time = np.argsort(times, kind="stable")
    return by_time[_stable_order(users[by_time], n_users)]


def _stable_order(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.integer[Any]]:
    """Return what a stable argsort of codes 0 .. n_codes-1 does, in linear time.

    A matrix with a single entry in each row, turned into column order, is a counting sort.
    """
    n = len(codes)
    entries = (np.ones(n, dtype=np.int8), codes, np.arange(n + 1))
    return sparse.csr_array(entries, shape=(n, n_codes)).tocsc().indices


def align(features: pd.DataFrame | None, ids: pd.Index[Any], name: str) -> pd.DataFrame | None:
    if features is None:
        return None
    if not isinstance(features, pd.DataFrame):
        raise TypeError(f"{name} must be a pandas DataFrame, got {type(features).__name__}")
    if features.index.has_duplicates:
        twice = features.index[features.index.duplicated()].unique().tolist()
        raise ValueError(f"{name} must have one row an id; repeated: {some(twice)}")
    unknown = features.index.difference(ids, sort=False).tolist()
    if unknown:
        raise ValueError(f"{name} has ids that the log does not: {some(unknown)}")
    return features.reindex(ids).set_axis(ids)


def row_numbers(rows: ArrayLike, n: int) -> NDArray[np.intp]:
    """Return a mask or row numbers as ascending row numbers, so that the order stays canonical."""
    chosen = np.asarray(rows)
    if chosen.dtype == bool:
        if chosen.shape != (n,):
            raise ValueError(f"a mask must have shape ({n},), got {chosen.shape}")
        return np.flatnonzero(chosen)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise TypeError(
            f"rows must be a mask or a list of row numbers, got {chosen.dtype} of shape "
            f"{chosen.shape}"
        )
    if (outside := (chosen < 0) | (chosen >= n)).any():
        raise IndexError(f"rows must be in 0 .. {n - 1}, got {chosen[outside][0]}")
    return np.unique(chosen).astype(np.intp)


def lookup(index: pd.Index[Any], ids: Sequence[Hashable], kind: str) -> NDArray[np.int32]:
    refuse_one_string(f"{kind} ids", ids)
    wanted = pd.Index(list(ids), tupleize_cols=False)
    codes = index.get_indexer(wanted)
    if (codes < 0).any():
        raise KeyError(f"unknown {kind} ids: {some(wanted[codes < 0].tolist())}")
    return codes.astype(np.int32)
