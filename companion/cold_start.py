"""Items without a history: a vector from the known items that are most like a new one.

Axes: I items, D dimension, F features, K neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from companion._checks import check_count, refuse_one_string, some
from companion.embeddings import Embeddings


def infer_vector(
    known: Embeddings,
    neighbours: Sequence[Hashable] | None = None,
    *,
    features: ArrayLike | None = None,
    item_features: pd.DataFrame | None = None,
    k: int = 10,
) -> NDArray[np.float32]:
    """Give an item that nobody has had yet a vector: the mean of those of its neighbours.

    Parameters
    ----------
    known : Embeddings, (I, D)
    neighbours : sequence of ids, optional
        Items known to be like it.
    features : array of float, shape (F,), optional
        In place of ``neighbours``: the new item's features.
    item_features : pandas.DataFrame of numbers, F columns, indexed by id
        Those of known items; rows of items without a vector are passed over.  The neighbours are
        found, and weighted, by `feature_neighbours`.
    k : int
        How many neighbours to take by features.

    Returns
    -------
    array of float32, shape (D,)

    Raises
    ------
    ValueError
        If not exactly one of ``neighbours`` and ``features`` is given, shapes do not fit, or no
        item with a vector has features in common with the new one.
    TypeError
        If ``features`` come without ``item_features``.
    KeyError
        If a neighbour has no vector.

    Examples
    --------
    >>> known = Embeddings(["Emma", "Clueless"], [[1.0, 0.0], [0.0, 1.0]])
    >>> infer_vector(known, ["Emma", "Clueless"])
    array([0.5, 0.5], dtype=float32)
    """
    if (neighbours is None) == (features is None):
        raise ValueError("give either neighbours or features, and not both")
    weights = None
    if features is not None:
        described = _rows_with_a_vector(item_features, known)
        rows, weights = feature_neighbours(features, described, k)
        ids = described.index[rows].tolist()
    elif neighbours is not None:
        refuse_one_string("neighbours", neighbours)
        ids = list(neighbours)
        if not ids:
            raise ValueError("neighbours must hold at least one id, got none")
    vectors = np.stack([known[one] for one in ids])
    return np.average(vectors, axis=0, weights=weights).astype(np.float32)


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


def _rows_with_a_vector(item_features: object, known: Embeddings) -> pd.DataFrame:
    """Return the features of the items that have a vector."""
    _check_table(item_features)
    assert isinstance(item_features, pd.DataFrame)
    described = item_features[[one in known for one in item_features.index]]
    if described.empty:
        raise ValueError(
            "item_features must be indexed by ids of items with a vector, got "
            + some(item_features.index.tolist())
        )
    return described


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
