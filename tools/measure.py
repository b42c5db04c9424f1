"""Run a command and measure it: wall time, and the peak memory of its largest process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What a command took; ``peak_mb`` in MB of 10^6 bytes."""

    status: int
    seconds: float
    peak_mb: float


def run(command: Sequence[str]) -> Measured:
    """Run ``command`` and return its exit status, seconds and peak memory.

    The memory is the largest resident set among the command and the processes that it started
    and waited for: for a notebook, its kernel's.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    seconds = time.perf_counter() - start
    return Measured(process.returncode, seconds, usage.ru_maxrss * unit / 1e6)
