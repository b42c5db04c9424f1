"""The stages of ``make test``: all are run, and the last line says what passed and failed.

``python -m tools.stages [NAME ...]`` runs only the stages named.  A stage that is one check
(such as the linter) counts as one; a stage run by pytest counts its tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
PYTEST = (PYTHON, "-m", "pytest", "-q", "--no-header")
STAGES: dict[str, tuple[str, ...]] = {
    "lint": (PYTHON, "-m", "ruff", "check", "."),
    "format": (PYTHON, "-m", "ruff", "format", "--check", "."),
    "types": (PYTHON, "-m", "mypy"),
    "layers": (str(Path(PYTHON).with_name("lint-imports")),),
    "data": (PYTHON, "-m", "companion.datasets"),
    "units": (*PYTEST, "-m", "not book", "-n", "2", "--doctest-modules", "companion", "tests"),
    "experiments": (PYTHON, "-m", "tools.experiments", "--check"),
    "notebooks": (PYTHON, "-m", "tools.notebooks", "compare"),
    "book": (PYTHON, "-m", "tools.book"),
    "browser": (PYTHON, "-m", "tools.browser"),
    "pages": (*PYTEST, "-m", "book", "-n", "2", "tests/book"),
}
CLOSING = re.compile(r"\b(passed|failed|errors?|skipped)\b.* in \d+\.\d+s")  # pytest's own line
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")


@dataclass
class Outcome:
    """How one stage went."""

    name: str
    seconds: float
    passed: int
    failed: int
    skipped: int


def run(name: str) -> Outcome:
    """Run a stage, show its output as it comes, and count what passed."""
    print(f"\n=== {name} ===", flush=True)
    start = time.perf_counter()
    counts = {"passed": 0, "failed": 0, "error": 0, "errors": 0, "skipped": 0}
    with subprocess.Popen(
        STAGES[name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if CLOSING.search(line):
                for count, what in COUNTS.findall(line):
                    counts[what] += int(count)
    status = process.returncode
    failed = counts["failed"] + counts["error"] + counts["errors"]
    if status and not failed:
        failed = 1
    passed = counts["passed"] or int(status == 0)
    return Outcome(name, time.perf_counter() - start, passed, failed, counts["skipped"])


def main(names: list[str]) -> int:
    """Run the stages, print a table and the closing line; return 1 if anything failed."""
    unknown = set(names) - set(STAGES)
    if unknown:
        print(f"stages are {', '.join(STAGES)}; got {', '.join(sorted(unknown))}")
        return 2
    outcomes = [run(name) for name in names or STAGES]
    print("\n=== summary ===")
    for outcome in outcomes:
        word = "FAILED" if outcome.failed else "passed"
        print(f"{outcome.name:<11} {word}  {outcome.passed:>5} passed  {outcome.failed:>3} failed"
              f"  {outcome.skipped:>3} not run  {outcome.seconds:6.1f} s")  # fmt: skip
    passed, failed, skipped = (
        sum(getattr(outcome, what) for outcome in outcomes)
        for what in ("passed", "failed", "skipped")
    )
    if skipped:
        print(f"\n!!! {skipped} checks were NOT RUN: the reasons stand above, at each stage.")
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} not run" if skipped else ""))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
