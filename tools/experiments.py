"""Run every experiment (experiments/NN_*.py), or with ``--check`` one cheap row of each table.

The check measures those rows anew and holds them against experiments/results; it has six minutes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path("experiments")
MAX_SECONDS = 360.0  # far above what it needs: machines differ


def main(arguments: list[str]) -> int:
    """Run the scripts in the order of their names; return 1 if any failed."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.experiments [--check]")
        return 2
    scripts = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    if not scripts:
        print(f"There is no experiment in {FOLDER}.")
        return 1
    failed, start = _strangers(scripts), time.perf_counter()
    for path in scripts:
        print(f"\n=== {path.stem} ===", flush=True)
        command = [sys.executable, "-m", f"{FOLDER}.{path.stem}", *arguments]
        if subprocess.run(command).returncode:
            failed.append(path.stem)
    seconds = time.perf_counter() - start
    if arguments:
        within = seconds <= MAX_SECONDS
        print(f"\n{seconds:.1f} s of {MAX_SECONDS:g}{'' if within else ': TOO MUCH'}")
        failed += [] if within else ["time"]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return int(bool(failed))


def _strangers(scripts: list[Path]) -> list[str]:
    """Return the files of results whose number no script has."""
    numbers = {path.name[:3] for path in scripts}
    found = [path for path in sorted(FOLDER.glob("results/*")) if path.name[:3] not in numbers]
    for path in found:
        print(f"{path} is of no script: remove it")
    return [path.name for path in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
