"""Figures with sliders: every frame is drawn beforehand, so nothing is computed or loaded later.

`show_explorer` leaves one bundle of outputs, as `companion.teaching.plotting.show` does for
figures:

* for the book: the first frame as an inline SVG in the page's own colours, with its sentence.
  The script beside it brings the sliders and the other frames; without it the first frame stays;
* for a notebook editor: the PNG, and a script that puts the explorer in its place.  A code host
  that takes scripts out is left with the PNG;
* the PNG of the first frame on white paper, and its sentence.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np

from companion._optional import require
from companion.teaching._explorer_page import Explorer, Frame, to_page
from companion.teaching._explorer_script import SCRIPT
from companion.teaching._interactive import check_text, display_page
from companion.teaching.plotting import check_alt, check_labels, rename_ids, to_html, to_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Value: TypeAlias = int | float | str

_MOST_CONTROLS = 3
_MOST_VALUES = 12
_MOST_FRAMES = 150
_ANY = "a frame"  # the name for ids until all frames are known


def show_explorer(
    draw: Callable[..., tuple[Figure, str]],
    controls: Mapping[str, Sequence[Value]],
    *,
    title: str,
    start: Mapping[str, Value] | None = None,
) -> None:
    """Draw a figure for each combination of values, and display them with a slider a control.

    Parameters
    ----------
    draw : callable
        Called once a combination, with one value of each control by keyword, the last control's
        changing fastest.  Returns a matplotlib figure and what is *seen* in it, in a whole
        sentence of at least 40 characters: the frame's caption and alternative text.  All
        figures must be of one size; each is closed.
    controls : mapping of str to sequence of int, float or str
        The values of 1 to 3 parameters of ``draw``, 2 to 12 different ones each, in the order of
        the slider; at most 150 combinations.  A slider's label is the name, with spaces for
        underscores.  Floats are shown, and must differ, in six digits.
    title : str
    start : mapping of str to int, float or str, optional
        The values shown first; of a control that is not in it, the middle one (the lower of
        two).  The picture without scripts, the PNG and the plain text are of this frame.

    Raises
    ------
    ImportError
        If matplotlib or IPython is missing; the message names the extra.
    TypeError
        If an argument, or what ``draw`` returns, is not of the kind named above.
    ValueError
        If there are too few or too many controls, values or frames, values repeat or are not
        finite, the start is not among them, the title is empty, a sentence is none, the sizes of
        the figures differ, or a figure lacks a title or a label
        (`companion.teaching.plotting.show`).

    Notes
    -----
    An error that arises while a frame is drawn carries a note that says which; nothing is
    displayed then.  The page is light where frames have much in common: draw what does not
    change in the same place and order, and fix the limits of the axes.  A figure 6.4 in
    wide, the default, is seen whole on a phone; a wider one scrolls there.  On paper stands the
    frame that the reader has chosen.

    Examples
    --------
    >>> show_explorer(lambda p: None, {"p": [1]}, title="One value is no choice")
    Traceback (most recent call last):
        ...
    ValueError: controls['p'] must have 2 to 12 different values, got 1: [1]
    """
    check_text("title", title)
    if not callable(draw):
        raise TypeError(f"draw must be callable, got {draw!r}")
    values = _check_controls(controls)
    first = _check_start(start, values)
    texts = {name: [_text(value) for value in values[name]] for name in values}
    frames, png = _draw_all(draw, values, first)
    page = to_page(Explorer(title, texts, _with_own_ids(frames, title, texts), first))
    alt = frames[first].sentence
    display_page(page, kind="explorer", script=SCRIPT, png=png, alt=alt)


def _text(value: object) -> str:
    """Return a value as it is shown: a float in six digits, 1 for 1.0, a text as it is.

    Examples
    --------
    >>> [_text(value) for value in (0.25, 0.1 + 0.2, 1.0, -0.0, 3, "uniform")]
    ['0.25', '0.3', '1', '0', '3', 'uniform']
    """
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{float(value):z.6g}"
    return str(value)


def _check_controls(controls: Mapping[str, Sequence[Value]]) -> dict[str, list[Value]]:
    if not isinstance(controls, Mapping):
        raise TypeError(f"controls must be a mapping of names to values, got {controls!r}")
    if not 1 <= len(controls) <= _MOST_CONTROLS:
        raise ValueError(f"controls must be 1 to {_MOST_CONTROLS}, got {len(controls)}")
    for name in controls:
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"controls must have names of draw's parameters, got {name!r}")
    found = {name: _check_values(name, values) for name, values in controls.items()}
    n = math.prod(map(len, found.values()))
    if n > _MOST_FRAMES:
        raise ValueError(f"controls must have at most {_MOST_FRAMES} combinations, got {n}")
    return found


def _check_values(name: str, values: Sequence[Value]) -> list[Value]:
    argument = f"controls[{name!r}]"
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{argument} must be a sequence of values, got {values!r}")
    if isinstance(values, set | frozenset):
        raise TypeError(f"{argument} must have an order, which a set has not, got {values!r}")
    found = list(values)
    for value in found:
        _check_value(argument, value)
    n = len({_text(value) for value in found})  # 1, 1.0 and "1" would look the same
    if not 2 <= len(found) <= _MOST_VALUES or n < len(found):
        raise ValueError(
            f"{argument} must have 2 to {_MOST_VALUES} different values, got {n}: {found!r}"
        )
    return found


def _check_value(argument: str, value: object) -> None:
    if not _is_number_or_text(value):
        raise TypeError(f"{argument} must be numbers or texts, got {value!r}")
    try:
        good = bool(value.strip()) if isinstance(value, str) else math.isfinite(value)
    except OverflowError:  # an integer, perhaps too long to be written into the message
        raise ValueError(f"{argument} must be numbers below 1e308, got a larger one") from None
    if not good:
        raise ValueError(f"{argument} must be finite numbers or texts, got {value!r}")


def _is_number_or_text(value: object) -> TypeGuard[Value]:
    return isinstance(value, numbers.Real | str) and not isinstance(value, bool)


def _check_start(start: Mapping[str, Value] | None, controls: Mapping[str, list[Value]]) -> int:
    """Return the number of the frame shown first."""
    wanted = {} if start is None else start
    if not isinstance(wanted, Mapping):
        raise TypeError(f"start must be a mapping of names to values, got {start!r}")
    for name, value in wanted.items():
        if name not in controls:
            raise ValueError(f"start must name some of {list(controls)}, got {name!r}")
        if not _is_number_or_text(value) or value not in controls[name]:  # True is no 1
            raise ValueError(f"start[{name!r}] must be one of {controls[name]}, got {value!r}")
    chosen = [
        values.index(wanted[name]) if name in wanted else (len(values) - 1) // 2
        for name, values in controls.items()
    ]
    return int(np.ravel_multi_index(chosen, [len(values) for values in controls.values()]))


def _draw_all(
    draw: Callable[..., tuple[Figure, str]],
    controls: Mapping[str, list[Value]],
    first: int,
) -> tuple[list[Frame], str]:
    """Return all frames, and the PNG of the first one shown."""
    frames: list[Frame] = []
    png, sizes = "", set()
    for combination in itertools.product(*controls.values()):
        values = dict(zip(controls, combination, strict=True))
        with _closing_figures(values):
            fig, sentence = _check_frame(draw(**values))
            sizes.add(tuple(fig.get_size_inches().tolist()))
            if len(sizes) > 1:
                both = " and ".join(f"{width} x {height}" for width, height in sorted(sizes))
                raise ValueError(f"draw must return figures of one size, got {both} inches")
            if len(frames) == first:
                png = to_png(fig)
            frames.append(Frame(to_html(fig, alt=sentence, name=_ANY), sentence))
            require("matplotlib.pyplot", extra="plot").close(fig)
    return frames, png


def _with_own_ids(frames: list[Frame], title: str, texts: dict[str, list[str]]) -> list[Frame]:
    """Return the frames under ids that no other explorer has, unless all it shows is the same.

    Frames take turns in one place, so that they may share their ids.
    """
    name = repr((title, texts, frames))
    return [Frame(rename_ids(frame.drawing, _ANY, name), frame.sentence) for frame in frames]


@contextmanager
def _closing_figures(values: Mapping[str, Value]) -> Iterator[None]:
    """Close what is opened inside, come what may, and let an error say for which values it was."""
    plt = require("matplotlib.pyplot", extra="plot")
    before = set(plt.get_fignums())
    try:
        yield
    except Exception as error:
        error.add_note(f"in the frame of {values}")
        raise
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _check_frame(drawn: object) -> tuple[Figure, str]:
    figure = require("matplotlib.figure", extra="plot").Figure
    if not isinstance(drawn, tuple) or len(drawn) != 2 or not isinstance(drawn[0], figure):
        raise TypeError(f"draw must return a figure and a sentence, got {drawn!r}")
    check_alt(drawn[1], "draw's sentence")
    check_labels(drawn[0])
    return drawn
