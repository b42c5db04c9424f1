"""A plugin for nbval: a figure's drawing may differ between machines, its words may not.

Fonts and the last digit of a coordinate depend on the machine, so the SVG of a figure is not
compared (nor is its PNG: nbval never does that), and of a map or an explorer only that there is
one.  The alternative text, every printed number, every table and every claim are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from companion.teaching._interactive import EDITOR_STARTS
from companion.teaching.plotting import FIGURE_MIME


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the figure's own kind of output to what each notebook's comparison passes over."""
    for notebook in {item.parent for item in items}:
        if hasattr(notebook, "skip_compare") and FIGURE_MIME not in notebook.skip_compare:
            notebook.skip_compare = (*notebook.skip_compare, FIGURE_MIME)
    for cell in items:
        if hasattr(cell, "sanitize"):
            cell.sanitize = partial(_without_drawings, cell.sanitize)


def _without_drawings(sanitize: Callable[[object], object], output: object) -> object:
    """Leave nothing of a map's or an explorer's drawing to compare."""
    if isinstance(output, str):
        for start in EDITOR_STARTS.values():
            if output.startswith(start):
                return start
    return sanitize(output)
