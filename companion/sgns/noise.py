"""Step three: where negatives come from, and which frequent items are seen less often.

Axes: I items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion._checks import check_between


def noise_distribution(counts: ArrayLike, exponent: float = 0.75) -> NDArray[np.float64]:
    """Return the probability with which each item is drawn as a negative: count^a, normalised.

    An exponent of 1 draws items as often as they occur, 0 draws all alike, and a negative one
    draws the rare ones most.  Words are best learned at 3/4 (Mikolov et al. 2013, section 2.2,
    doi:10.48550/arXiv.1310.4546); for recommendation values down to -1 are worth trying
    (Caselles-Dupré, Lesaint and Royo-Letelier 2018, doi:10.1145/3240323.3240377).

    Parameters
    ----------
    counts : array of int, shape (I,)
        Non-negative.  An item with count 0 is never drawn, whatever the exponent.
    exponent : float
        Finite.

    Returns
    -------
    array of float64, shape (I,), summing to 1

    Raises
    ------
    ValueError
        If a count is negative or not finite, all are 0, or ``exponent`` is not finite.

    Examples
    --------
    >>> noise_distribution([16, 1, 0]).round(3).tolist()  # 8 to 1
    [0.889, 0.111, 0.0]
    """
    a = check_between("noise_exponent", exponent, -np.inf, np.inf, open_ends=True)
    values = _as_counts(counts)
    present = values > 0
    logs = a * np.log(values[present])  # in logs: 10^6 to the power of 50 would overflow
    noise = np.zeros(len(values))
    noise[present] = np.exp(logs - logs.max())
    return noise / noise.sum()


def keep_probability(counts: ArrayLike, threshold: float | None) -> NDArray[np.float64] | None:
    """Return how often a place of each item is kept when frequent items are thinned out.

    With f an item's share of all places and t the threshold, the probability is
    min(1, sqrt(t / f) + t / f): what the word2vec program does, and gensim after it.  The paper
    has 1 - sqrt(t / f) for dropping (Mikolov et al. 2013, equation 5), nearly the same for
    f far above t.

    Parameters
    ----------
    counts : array of int, shape (I,)
    threshold : float in (0, 1], optional
        None keeps everything, and so does the result None.

    Examples
    --------
    >>> keep_probability([75, 25], 0.25).round(3).tolist()
    [0.911, 1.0]
    >>> keep_probability([75, 25], None) is None
    True
    """
    if threshold is None:
        return None
    check_between("subsample", threshold, 0, 1)
    if threshold == 0:
        raise ValueError("subsample must lie in (0, 1] or be None, got 0")
    values = _as_counts(counts)
    ratio = threshold * values.sum() / np.maximum(values, 1)
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def _as_counts(counts: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("counts must have shape (I,), finite and at least 0")
    if not values.any():
        raise ValueError("counts must not all be 0")
    return values
