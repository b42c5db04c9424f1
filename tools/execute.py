"""Run one notebook from scratch and store its outputs in place, and nothing else.

``python -m tools.execute notebooks/01_foundations.ipynb``: what changes from run to run or from
machine to machine (times, versions of the language) is left out of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
CELL_SECONDS = 600


def execute(path: Path) -> None:
    """Run the notebook in its own folder; a cell that fails raises and leaves the file alone."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, timeout=CELL_SECONDS, resources=where, record_timing=False, coalesce_streams=True
    ).execute()
    notebook.metadata.language_info = LANGUAGE
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


if __name__ == "__main__":
    execute(Path(sys.argv[1]))
