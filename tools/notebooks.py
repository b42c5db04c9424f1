"""Run every notebook, hold it to its time and memory, and write the pages made from them.

``execute`` runs them in place and renews book/claims.md and book/status.md;
``compare`` runs them with nbval against their stored outputs, changes nothing, and leaves its
measurements under _build/status; ``check`` compares the page of claims with the notebooks;
``pages`` writes the pages again from what is at hand (on the project's build machine, so that
the published status page shows the latest run).
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from companion.teaching import claims
from tools import measure, status

NOTEBOOKS = Path("notebooks")
MEASURED = Path("_build/status")
MAX_SECONDS, MAX_MB = 90.0, 1500.0

NBVAL = ("-m", "pytest", "--nbval", "--nbval-current-env", "-p", "tools.nbval_figures",
         "-p", "no:cacheprovider", "-q", "--no-header", "-o", "filterwarnings=default")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status."""
    actions = {"execute": execute, "compare": compare, "check": check, "pages": pages}
    if len(arguments) != 1 or arguments[0] not in actions:
        print(f"usage: python -m tools.notebooks {'|'.join(actions)}")
        return 2
    return actions[arguments[0]]()


def execute() -> int:
    """Run every notebook in place, then write the pages; stop at the first that fails."""
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        print(f"running {notebook}", flush=True)
        took = measure.run([sys.executable, "-m", "tools.execute", str(notebook)])
        if took.status:
            return took.status
        _record(notebook, took)
    return pages()


def compare() -> int:
    """Run nbval over every notebook; fail on a difference or on too much time or memory."""
    failed = 0
    found = sorted(NOTEBOOKS.glob("*.ipynb"))
    if not found:
        print(f"There is no notebook in {NOTEBOOKS}.")
        return 1
    for notebook in found:
        took = measure.run([sys.executable, *NBVAL, str(notebook)])
        _record(notebook, took)
        within = took.seconds <= MAX_SECONDS and took.peak_mb <= MAX_MB
        print(
            f"{notebook}: {took.seconds:.1f} s of {MAX_SECONDS:g}, {took.peak_mb:,.0f} MB of "
            f"{MAX_MB:,.0f}{'' if within else ': TOO MUCH'}",
            flush=True,
        )
        failed += bool(took.status) or not within
    return int(failed > 0)


def check() -> int:
    """Say, and return 1, if the page of claims is not that of the notebooks."""
    return claims.main(["--check", "book/claims.md", *map(str, NOTEBOOKS.glob("*.ipynb"))])


def pages() -> int:
    """Write book/claims.md and book/status.md from the notebooks and their measurements."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    Path("book/claims.md").write_text(claims.page(claims.collect(paths)), encoding="utf-8")
    Path("book/status.md").write_text(status.page(paths, MEASURED), encoding="utf-8")
    return 0


def _record(notebook: Path, took: measure.Measured) -> None:
    MEASURED.mkdir(parents=True, exist_ok=True)
    (MEASURED / f"{notebook.stem}.json").write_text(json.dumps(asdict(took)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
