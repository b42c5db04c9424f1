"""What a checker says of an answer, and how it looks at one without falling over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
