"""The compiled set-up of the alias tables of many rows (see `companion.alias`).

Axes: n rows, E entries of all rows.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

compiled = numba.njit(nogil=True, error_model="numpy", cache=True)


@compiled
def fill_alias(offsets: Array, weights: Array, accept: Array, alias: Array) -> None:
    """Build an alias table a row, as `companion.alias.alias_setup` does; aliases count from 0."""
    longest = 1
    for v in range(len(offsets) - 1):
        longest = max(longest, offsets[v + 1] - offsets[v])
    height = np.empty(longest)
    below, above = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for v in range(len(offsets) - 1):
        begin, n = offsets[v], offsets[v + 1] - offsets[v]
        largest, total = 0.0, 0.0
        for k in range(n):
            largest = max(largest, weights[begin + k])
        for k in range(n):
            total += weights[begin + k] / largest
        n_below, n_above = 0, 0
        for k in range(n):
            height[k] = weights[begin + k] / largest * (n / total)
            accept[begin + k], alias[begin + k] = 1.0, k
            if height[k] < 1.0:
                below[n_below] = k
                n_below += 1
            else:
                above[n_above] = k
                n_above += 1
        while n_below > 0 and n_above > 0:
            n_below -= 1
            short, tall = below[n_below], above[n_above - 1]
            accept[begin + short], alias[begin + short] = height[short], tall
            height[tall] -= 1.0 - height[short]
            if height[tall] < 1.0:
                n_above -= 1
                below[n_below] = tall
                n_below += 1
