"""What a checker says of an answer, and how it looks at one without falling over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right, and a word that leads on where it is not.

    Examples
    --------
    >>> Verdict(passed=False, message="Count the zeros too.")
    Not yet. Count the zeros too.
    """

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"{'Right.' if self.passed else 'Not yet.'} {self.message}"


def right(message: str) -> Verdict:
    """Say that an answer passes, and why it matters."""
    return Verdict(True, message)


def hint(message: str) -> Verdict:
    """Say what to think about next, without giving the solution away."""
    return Verdict(False, message)


UNANSWERED = hint("There is no answer here yet: put yours in the place of the three dots.")


def ask(answer: Any, *arguments: Any) -> Any:
    """Call a student's function; a missing answer or an exception comes back as a verdict.

    Examples
    --------
    >>> ask(lambda x: x + 1, 2)
    3
    >>> ask(lambda x: x / 0, 2)
    Not yet. Your function raises ZeroDivisionError: division by zero
    >>> ask(..., 2) == UNANSWERED
    True
    """
    if answer is ...:
        return UNANSWERED
    if not isinstance(answer, Callable):  # type: ignore[arg-type]
        return hint(f"The checker expects a function here, and got {type(answer).__name__}.")
    try:
        result = answer(*arguments)
    except Exception as error:  # whatever a student's code raises becomes a hint
        return hint(f"Your function raises {type(error).__name__}: {error}")
    if result is ...:
        return UNANSWERED
    if result is None:
        return hint("Your function returns None: is a return missing?")
    return result


def ask_number(answer: Any, *arguments: Any) -> float | Verdict:
    """Call a student's function for one finite number; anything else comes back as a verdict.

    Examples
    --------
    >>> ask_number(lambda x: x / 2, 5)
    2.5
    >>> ask_number(lambda x: [x, x], 5)
    Not yet. The answer is one number; yours is of type list.
    """
    found = ask(answer, *arguments)
    return found if isinstance(found, Verdict) else as_number(found)


def ask_array(answer: Any, *arguments: Any) -> NDArray[np.float64] | Verdict:
    """Call a student's function for an array of numbers; else a verdict.

    Examples
    --------
    >>> ask_array(lambda x: [x, 1], 5)
    array([5., 1.])
    >>> ask_array(lambda x: "five", 5)
    Not yet. The answer is an array of numbers; yours is of type str.
    """
    found = ask(answer, *arguments)
    return found if isinstance(found, Verdict) else as_array(found)


def as_number(value: Any) -> float | Verdict:
    """Return a finite number, NumPy's scalars and arrays of no axes included; else a verdict.

    Examples
    --------
    >>> as_number(np.float32(0.5))
    0.5
    >>> as_number(True)
    Not yet. The answer is one number; yours is of type bool.
    >>> as_number(float("nan"))
    Not yet. The answer is one number; yours is nan.
    """
    if isinstance(value, bool):
        return hint("The answer is one number; yours is of type bool.")
    found: float | None = None
    try:
        if getattr(value, "ndim", None) == 0 and np.asarray(value).dtype.kind in "iuf":
            found = float(np.asarray(value))
        elif isinstance(value, Real):
            found = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # float or NumPy does not know it
        found = None
    if found is not None and math.isfinite(found):
        return found
    shown = _kind(value) if found is None else str(found)
    return hint(f"The answer is one number; yours is {shown}.")


def as_array(value: Any) -> NDArray[np.float64] | Verdict:
    """Return an array of numbers, made from a list if need be; else a verdict."""
    try:
        found = np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths
        return hint("The answer is an array of numbers; yours has rows of different lengths.")
    except RuntimeError as error:  # a tensor that requires a gradient
        return hint(f"The answer is an array of numbers; yours cannot be made one: {error}")
    if found.dtype.kind not in "biuf":
        return hint(f"The answer is an array of numbers; yours is {_kind(value)}.")
    return found.astype(np.float64)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"of type {type(value).__name__}"
