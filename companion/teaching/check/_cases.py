"""How a checker tries an answer: on a first case whose usual mistakes are known, then on others.

Students' functions get copies of the arrays, so that one which writes into them spoils no later
case and can be told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion.teaching.check.verdict import Verdict, hint, right

Asker = Callable[..., Any]  # ask_number or ask_array
Case = tuple[tuple[Any, ...], ArrayLike, str]  # arguments, the result, the word if it differs


def ask_kept(asker: Asker, answer: Any, *arguments: Any) -> Any:
    """Ask with copies of the arrays; an answer that changes one of them gets a hint."""
    given = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    found = asker(answer, *given)
    if isinstance(found, Verdict) or all(map(np.array_equal, given, arguments)):
        return found
    return hint("The caller's array has changed. Does your code write into it?")


def first_mistake(
    found: Any,
    expected: ArrayLike,
    slips: Mapping[str, ArrayLike],
    otherwise: str,
    each: str = "number",
) -> Verdict | None:
    """Return the hint to a first result, or None if it is the one expected.

    A slip's value is the result of that mistake, or a tuple of results that earn the same hint.
    """
    if isinstance(found, Verdict):
        return found
    if np.shape(found) != np.shape(expected):
        return hint(f"One {each} makes {np.shape(expected)}, and yours is {np.shape(found)}.")
    for word, results in slips.items():
        for result in results if isinstance(results, tuple) else (results,):
            if np.allclose(found, result):
                return hint(word)
    return None if np.allclose(found, expected) else hint(otherwise)


def try_further(asker: Asker, answer: Any, cases: Iterable[Case], moral: str) -> Verdict:
    """Try the cases that a special solution misses, and pass what gets through them all."""
    for arguments, expected, word in cases:
        found = ask_kept(asker, answer, *arguments)
        if isinstance(found, Verdict):
            return found
        if np.shape(found) != np.shape(expected) or not np.allclose(found, expected):
            return hint(word)
    return right(moral)


def any_scale(*results: Any) -> tuple[NDArray[np.float64], ...]:
    """Return each result as it is, divided by its length, and so that it sums to 1.

    Examples
    --------
    >>> any_scale(np.array([2.0, 6.0]))
    (array([2., 6.]), array([1., 3.]), array([0.25, 0.75]))
    """
    return tuple(each / by for each in results for by in (1, len(each), each.sum()))


def any_diagonal(*matrices: Any) -> tuple[NDArray[np.float64], ...]:
    """Return each matrix as it is, and with zeros on its diagonal."""
    hollow = [np.where(np.eye(len(each)) > 0, 0.0, each) for each in matrices]
    return (*matrices, *hollow)
