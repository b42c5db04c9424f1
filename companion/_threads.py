"""Work in parts over threads, such that an interruption need not wait for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")
PARTS_A_THREAD = 8  # at least: then threads that are done early find more to do


def map_parts(
    work: Callable[[Part], Result], parts: Iterable[Part], *, threads: int
) -> list[Result]:
    """Return the result of each part, in order.

    The first error, an interruption (Ctrl-C) too, is raised once the parts that run are done;
    those that wait are never begun.

    Examples
    --------
    >>> map_parts(abs, [-1, 2], threads=2)
    [1, 2]
    """
    with ThreadPoolExecutor(threads) as pool:
        try:
            futures = [pool.submit(work, part) for part in parts]
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
