"""The alias method: a draw from any discrete distribution for the price of one table look-up.

Lay the n probabilities out as n columns of width 1, scaled so that their mean height is 1.  The
columns above 1 fill up those below, each of which takes what it lacks from one other column.
Then every column is full and holds at most two outcomes: to draw, choose a column and toss one
biased coin (Walker 1977, doi:10.1145/355744.355749; set-up in linear time: Vose 1991,
doi:10.1109/32.92917).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def alias_setup(weights: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Build the table of an alias sampler.

    Parameters
    ----------
    weights : array of float, shape (n,)
        Finite and non-negative, not all zero; they need not sum to 1.

    Returns
    -------
    accept : array of float64, shape (n,)
        The share of column k that belongs to outcome k.
    alias : array of int32, shape (n,)
        The outcome to which the rest of the column belongs.

    Raises
    ------
    ValueError
        If the weights are empty, negative, not finite, all zero, or not one-dimensional.

    Notes
    -----
    Outcome k has mass (accept[k] + sum of 1 - accept[j] over alias[j] = k) / n, which is
    weights[k] / sum(weights) up to rounding.  An outcome of weight 0 is never drawn.

    Examples
    --------
    >>> accept, alias = alias_setup([3.0, 1.0])
    >>> accept.tolist(), alias.tolist()  # half of column 1 is lent to outcome 0
    ([1.0, 0.5], [0, 0])
    """
    height = _as_heights(weights)
    alias = np.arange(len(height), dtype=np.int32)
    accept = np.ones(len(height))
    below = np.flatnonzero(height < 1.0).tolist()
    above = np.flatnonzero(height >= 1.0).tolist()
    heights = height.tolist()
    while below and above:
        short, tall = below.pop(), above[-1]
        accept[short], alias[short] = heights[short], tall
        heights[tall] -= 1.0 - heights[short]
        if heights[tall] < 1.0:
            below.append(above.pop())
    # What is left differs from 1 by rounding alone, except that nothing may draw a weight of 0.
    for column in below:
        if height[column] == 0.0:
            accept[column], alias[column] = 0.0, int(np.argmax(height))
    return accept, alias


def alias_draw(
    accept: NDArray[np.float64],
    alias: NDArray[np.int32],
    size: int | tuple[int, ...],
    *,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw outcomes 0 .. n-1 from the table that `alias_setup` built.

    Parameters
    ----------
    accept, alias : arrays, shape (n,)
    size : int or tuple of int
        Shape of the result.
    rng : numpy.random.Generator

    Returns
    -------
    array of int64, shape ``size``

    Examples
    --------
    >>> table = alias_setup([0.0, 2.0, 0.0])
    >>> alias_draw(*table, 4, rng=np.random.default_rng(0))
    array([1, 1, 1, 1])
    """
    column = rng.integers(len(accept), size=size)
    own = rng.random(size) < accept[column]
    return np.where(own, column, alias[column])


def _as_heights(weights: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"weights must have shape (n,), n at least 1, got {array.shape}")
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError("weights must be finite and at least 0")
    largest = array.max()
    if largest == 0:
        raise ValueError("weights must not all be 0")
    scaled = array / largest  # the sum of huge weights would overflow
    return scaled * (len(scaled) / scaled.sum())
