"""Reading a log of 10^7 rows: seconds and memory of `Interactions.from_frame`.

The peer does the least that anybody must: pandas' ``factorize`` of both id columns and one
stable sort that lays the rows of a user together.  Each measurement has a process of its own,
so that the peak of one does not hide in that of another; peers take turns, and the medians
count.

    python benchmarks/bench_interactions.py           # 10^7 rows
    python benchmarks/bench_interactions.py --small   # 10^6 rows
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from companion.interactions import Interactions

LARGEST_RATIO, LARGEST_GB, LONGEST_SECONDS = 1.5, 2.5, 15.0


def make_log(n: int, order: str) -> pd.DataFrame:
    """Draw a log with popular users and items; ids are large, scattered integers."""
    rng = np.random.default_rng(0)
    times = rng.integers(1_500_000_000, 1_531_536_000, n)  # a year of seconds
    return pd.DataFrame(
        {
            "user": (rng.power(0.5, n) * n / 50).astype(np.int64) * 7_919 + 10**9,
            "item": (rng.power(0.3, n) * 50_000).astype(np.int64) * 104_729,
            "timestamp": np.sort(times) if order == "by time" else times,
        }
    )


def companion(frame: pd.DataFrame) -> object:
    return Interactions.from_frame(frame)


def pandas(frame: pd.DataFrame) -> object:
    users, items = pd.factorize(frame["user"]), pd.factorize(frame["item"])
    return users, items, np.argsort(users[0], kind="stable")


PEERS = {"companion": companion, "pandas": pandas}


def measure(peer: str, n: int, order: str) -> dict[str, float]:
    """Run one peer once, in this process."""
    frame = make_log(n, order)
    PEERS[peer](frame.head(1000))  # first calls load code
    start = time.perf_counter()
    PEERS[peer](frame)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, KiB here
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": seconds, "gb": peak / 1e9}


def measure_apart(peer: str, n: int, order: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", peer, "--rows", str(n), "--order", order]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="10^6 rows instead of 10^7")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--order", default="shuffled", help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    n = options.rows or (10**6 if options.small else 10**7)
    if options.one:
        print(json.dumps(measure(options.one, n, options.order)))
        return 0

    print(f"{n:,} rows, medians of {options.repeats}; peaks include the log, {24 * n / 1e9} GB")
    print(f"{'log':<10} {'peer':<10} {'seconds':>8} {'peak GB':>8} {'ratio':>6}")
    missed = False
    for order in ("shuffled", "by time"):
        runs: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
        for _ in range(options.repeats):
            for peer in PEERS:
                runs[peer].append(measure_apart(peer, n, order))
        seconds = {peer: statistics.median(run["seconds"] for run in runs[peer]) for peer in PEERS}
        peaks = {peer: max(run["gb"] for run in runs[peer]) for peer in PEERS}
        for peer in PEERS:
            ratio = seconds[peer] / seconds["pandas"]
            print(f"{order:<10} {peer:<10} {seconds[peer]:8.2f} {peaks[peer]:8.2f} {ratio:6.2f}")
        missed |= seconds["companion"] > LARGEST_RATIO * seconds["pandas"]
        missed |= peaks["companion"] > LARGEST_GB or seconds["companion"] > LONGEST_SECONDS
    print(
        f"wanted: ratio at most {LARGEST_RATIO}, {LARGEST_GB} GB, {LONGEST_SECONDS:.0f} s: "
        f"{'MISSED' if missed else 'reached'}"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
