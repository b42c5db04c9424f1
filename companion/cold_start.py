"""Items without a history: which known items are most like a new one, by their features.

Axes: I items, F features, K neighbours.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from companion._checks import check_count


def feature_neighbours(
    features: ArrayLike, item_features: pd.DataFrame, k: int = 10
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the items whose features have the largest cosine to those of a new item.

    Parameters
    ----------
    features : array of float, shape (F,)
        Of the new item.
    item_features : pandas.DataFrame of numbers, shape (I, F)
        Of known items.  Scale the columns so that each counts as much as it should.
    k : int

    Returns
    -------
    rows : array of int, shape (K,)
        Rows of ``item_features``, the most alike first; fewer than k where fewer have anything
        in common with the new item.
    weights : array of float64, shape (K,)
        Their cosines, above 0.

    Raises
    ------
    TypeError
        If ``item_features`` is no DataFrame.
    ValueError
        If shapes do not fit, a feature is not finite or no number, ``k`` < 1, or no item has
        anything in common with the new one.

    Examples
    --------
    >>> known = pd.DataFrame({"comedy": [1, 0, 1], "horror": [0, 1, 1]}, index=["Emma", "It", "X"])
    >>> rows, weights = feature_neighbours([1, 0], known, k=2)
    >>> known.index[rows].tolist(), weights.round(2).tolist()
    (['Emma', 'X'], [1.0, 0.71])
    """
    check_count("k", k)
    _check_table(item_features)
    table = _as_numbers("item_features", item_features)
    wanted = _as_numbers("features", features)
    if wanted.shape != table.shape[1:]:
        raise ValueError(f"features must have shape ({table.shape[1]},), got {wanted.shape}")
    norms = np.linalg.norm(table, axis=1) * np.linalg.norm(wanted)
    cosine = table @ wanted / np.maximum(norms, 1e-30)
    nearest = np.argsort(-cosine, kind="stable")[:k]
    nearest = nearest[cosine[nearest] > 0]
    if len(nearest) == 0:
        raise ValueError("features must have something in common with a known item's, got nothing")
    return nearest, cosine[nearest]


def _check_table(item_features: object) -> None:
    if not isinstance(item_features, pd.DataFrame):
        kind = type(item_features).__name__
        raise TypeError(f"item_features must be a DataFrame indexed by id, got {kind}")


def _as_numbers(name: str, values: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers only: encode text and categories") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array
