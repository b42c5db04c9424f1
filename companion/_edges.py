"""Reading a graph at the door: edges, weights and ids become arrays, or a clear error."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from companion._checks import refuse_one_string, some


def read_edges(edges: Any, weights: ArrayLike | None) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the ends, both of an edge side by side, and the weights."""
    if isinstance(edges, np.ndarray) and edges.ndim != 1:
        if edges.ndim != 2 or edges.shape[1] != 2:
            raise ValueError(
                f"an array of edges must have shape (m, 2), got {edges.shape}: weights are "
                "handed over by weights="
            )
        ends, given = edges.ravel(), np.ones(len(edges)) if weights is None else weights
    else:
        rows = list(check_sequence("edges", edges))
        _check_rows(rows, "pairs or triples" if weights is None else "pairs")
        ends = as_objects([end for row in rows for end in row[:2]])
        given = [row[2] if len(row) == 3 else 1.0 for row in rows] if weights is None else weights
    values = as_weights(given)
    if values.shape != (len(ends) // 2,):
        raise ValueError(f"weights must be one an edge, {len(ends) // 2}, got {values.shape}")
    return ends, values


def check_sequence(name: str, values: Any) -> Iterable[Any]:
    """Refuse what is no sequence, or would be read as another one than is meant."""
    refuse_one_string(name, values)
    if isinstance(values, set | frozenset):
        raise TypeError(f"{name} must have an order, and a set has none: pass a sorted list")
    if isinstance(values, pd.DataFrame | dict) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list, an iterator or an array, got {_kind(values)}")
    return values


def _check_rows(rows: list[Any], allowed: str) -> None:
    """Refuse edges that are neither a pair nor, where it is allowed, a triple."""
    longest = 3 if "triples" in allowed else 2
    for row in rows:
        if not isinstance(row, tuple | list):
            raise TypeError(f"edges must be {allowed}, as tuples or lists, got {_kind(row)}")
        if not 2 <= len(row) <= longest:
            raise TypeError(f"edges must be {allowed}, got one of {len(row)} parts")


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")


def as_weights(given: ArrayLike) -> NDArray[np.float64]:
    """Return weights as float64; refuse what is none."""
    values = np.asarray(given)
    if values.dtype == object and all(isinstance(value, numbers.Real) for value in values.flat):
        values = values.astype(np.float64)
    if values.dtype.kind not in "biuf":  # a string would be read as a number
        raise TypeError(f"weights must be numbers, got dtype {values.dtype}")
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("weights must be finite and at least 0")
    return values.astype(np.float64, copy=False)


def as_objects(values: list[Any]) -> NDArray[np.object_]:
    """Return a one-dimensional array, of tuples as well."""
    return np.fromiter(values, dtype=object, count=len(values))


def check_ids(ids: Any) -> pd.Index[Any]:
    """Return ids as an index; refuse what cannot name nodes."""
    refuse_one_string("ids", ids)
    index = pd.Index(ids, tupleize_cols=False)
    index = index.to_flat_index() if isinstance(index, pd.MultiIndex) else index
    if len(index) == 0:
        raise ValueError("ids must hold at least one node, got none")
    if index.isna().any():
        raise ValueError("ids must have no missing id, got None or NaN")
    if not index.is_unique:
        repeated = index[index.duplicated()].tolist()
        raise ValueError(f"ids must be distinct, got more than once {some(repeated)}")
    return index


def is_networkx(data: object) -> bool:
    """Say whether an object is a networkx graph, without importing that library."""
    names = [(base.__module__.partition(".")[0], base.__name__) for base in type(data).__mro__]
    return ("networkx", "Graph") in names  # the base of all four kinds
