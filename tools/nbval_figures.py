"""A plugin for nbval: a figure's drawing may differ between machines, its words may not.

Fonts and the last digit of a coordinate depend on the machine, so the SVG of a figure is not
compared (nor is its PNG: nbval never does that), and of a map only that there is one.  The
alternative text, every printed number, every table and every claim are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from companion.teaching.maps import EDITOR_START
from companion.teaching.plotting import FIGURE_MIME


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the figure's own kind of output to what each notebook's comparison passes over."""
    for notebook in {item.parent for item in items}:
        if hasattr(notebook, "skip_compare") and FIGURE_MIME not in notebook.skip_compare:
            notebook.skip_compare = (*notebook.skip_compare, FIGURE_MIME)
    for cell in items:
        if hasattr(cell, "sanitize"):
            cell.sanitize = partial(_without_maps, cell.sanitize)


def _without_maps(sanitize: Callable[[object], object], output: object) -> object:
    """Leave nothing of a map's drawing to compare."""
    is_map = isinstance(output, str) and output.startswith(EDITOR_START)
    return EDITOR_START if is_map else sanitize(output)
