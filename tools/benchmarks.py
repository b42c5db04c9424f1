"""Run every benchmark (benchmarks/bench_*.py), one after the other; fail if one of them fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the benchmarks in the order of their names; return 1 if any failed."""
    failed = []
    for path in sorted(Path("benchmarks").glob("bench_*.py")):
        print(f"\n=== {path.stem} ===", flush=True)
        module = f"benchmarks.{path.stem}"
        if subprocess.run([sys.executable, "-m", module]).returncode:
            failed.append(path.stem)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
