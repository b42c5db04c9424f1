"""The status page: what each notebook holds, and what running it took."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from companion.teaching.claims import CLAIM_MIME
from companion.teaching.plotting import FIGURE_MIME

LIBRARIES = ("numpy", "pandas", "scipy", "torch", "matplotlib", "jupyter-book")
HEAD = """\
# Status

Every notebook is run from an empty kernel, compared with its stored outputs and held to 90
seconds and 1.5 GB on two cores. This page is written by `make notebooks`, from the last run.

"""


def contents(notebook: Path) -> dict[str, int]:
    """Count a notebook's code cells, figures, exercises and claims."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return {
        "Code cells": len(code),
        "Figures": _count(code, FIGURE_MIME),
        "Exercises": len(re.findall(r"^:{3,}\{exercise(?:-start)?\}|^`{3,}\{exercise(?:-start)?\}",
                                    prose, flags=re.MULTILINE)),
        "Claims": _count(code, CLAIM_MIME),
    }  # fmt: skip


def page(notebooks: Sequence[Path], measured: Path) -> str:
    """Return the page; a notebook without a measurement under ``measured`` shows dashes."""
    names = ("Notebook", *contents_names(), "Seconds", "Peak memory, MB")
    lines = [_row(names), _row([":--", *["--:"] * (len(names) - 1)])]
    for path in notebooks:
        title = f"[{path.stem}](../notebooks/{path.name})"
        lines.append(
            _row((title, *contents(path).values(), *_took(measured / f"{path.stem}.json")))
        )
    system = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    where = f"Measured on {os.cpu_count()} cores, {system}, Python {platform.python_version()}, "
    with_versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return HEAD + "\n".join(lines) + f"\n\n{where}{with_versions}.\n"


def contents_names() -> tuple[str, ...]:
    """Return the names of the columns that `contents` fills."""
    return ("Code cells", "Figures", "Exercises", "Claims")


def _count(cells: list[dict[str, Any]], mime: str) -> int:
    return sum(mime in output.get("data", {}) for c in cells for output in c.get("outputs", ()))


def _took(file: Path) -> tuple[str, str]:
    if not file.is_file():
        return "–", "–"
    took = json.loads(file.read_text(encoding="utf-8"))
    return f"{took['seconds']:.0f}", f"{took['peak_mb']:,.0f}"


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
