"""Checks at the door that several modules share: each says what was wrong and what is allowed."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_count(name: str, value: object, *, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``, or say what is wrong with it.

    Examples
    --------
    >>> check_count("k", 3)
    3
    >>> check_count("k", 0)
    Traceback (most recent call last):
        ...
    ValueError: k must be an integer of at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return int(value)


def check_option(name: str, value: object, allowed: Collection[str]) -> None:
    """Raise ValueError unless ``value`` is one of ``allowed``.

    Examples
    --------
    >>> check_option("part", "tset", ("train", "test"))
    Traceback (most recent call last):
        ...
    ValueError: part must be one of 'train', 'test', got 'tset'
    """
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(repr(option) for option in allowed)
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")


def check_between(
    name: str, value: object, low: float, high: float, *, open_ends: bool = False
) -> float:
    """Return ``value`` as a float in [low, high] (or (low, high)), or say what is wrong.

    Examples
    --------
    >>> check_between("test", 0.2, 0, 1)
    0.2
    >>> check_between("test", 1.5, 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: test must lie in [0, 1], got 1.5
    """
    brackets = f"({low:g}, {high:g})" if open_ends else f"[{low:g}, {high:g}]"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number in {brackets}, got {value!r}")
    number = float(value)
    inside = low < number < high if open_ends else low <= number <= high
    if not inside:  # NaN lands here too: it compares false with everything
        raise ValueError(f"{name} must lie in {brackets}, got {value!r}")
    return number


def check_codes(name: str, codes: ArrayLike, n: int) -> NDArray[np.int64]:
    """Return codes 0 .. n-1 as an array of shape (Q,), or say what is wrong with them.

    Examples
    --------
    >>> check_codes("users", [0, -1], 3)
    Traceback (most recent call last):
        ...
    ValueError: users must be codes in 0 .. 2, got -1
    """
    array = np.asarray(codes)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} must be integer codes, got {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (Q,), got {array.shape}")
    # A negative code would silently mean one counted from the end.
    if (outside := (array < 0) | (array >= n)).any():
        raise ValueError(f"{name} must be codes in 0 .. {n - 1}, got {array[outside][0]}")
    return array.astype(np.int64)


def refuse_one_string(name: str, ids: object) -> None:
    """Raise TypeError if ``ids`` is one string, which would be taken letter by letter.

    Examples
    --------
    >>> refuse_one_string("user ids", "ann")
    Traceback (most recent call last):
        ...
    TypeError: user ids must be a sequence of ids, not one string, got 'ann': pass a list
    """
    if isinstance(ids, str | bytes):
        raise TypeError(
            f"{name} must be a sequence of ids, not one string, got {ids!r}: pass a list"
        )


def some(values: Sequence[object], most: int = 5) -> str:
    """List the first few of ``values`` for an error message, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(value) for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
