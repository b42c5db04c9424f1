"""The compiled loops of item graphs: count with whom an item was had, weigh, keep the heaviest.

An item's counts with all others are made in one dense row, by running through the users that had
it and through all that they had.  A pass over the row costs little where it has no branch, so the
row is looked at twice in float32: the first look finds a bound that the ``top_k`` heaviest surely
reach, the second finds the few places above it.  Only these are weighed, in float64.

Axes: U users or baskets, I items, G groups of items.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Number = Any  # numba's integers and floats, which Python's own types would widen

compiled = numba.njit(nogil=True, error_model="numpy", cache=True)
inlined = numba.njit(inline="always", error_model="numpy")

COUNT, JACCARD, COSINE, PMI = range(4)  # in the order of companion.item_graph.Weight
STRIP = 64  # places looked at together
GROUPS = 256  # or four times top_k: then few more than top_k places are above the bound
SLACK = np.float32(1.0 - 1e-6)  # many times the rounding of the scores


@compiled
def heaviest_edges(
    first: int,
    last: int,
    item_ptr: Array,
    users: Array,
    user_ptr: Array,
    items: Array,
    kind: int,
    n_users: float,
    threshold: float,
    top_k: int,
    columns: Array,
    weights: Array,
    lengths: Array,
) -> Number:
    """Write the edges of the items first .. last - 1, one after the other; return their number.

    ``users[item_ptr[i] : item_ptr[i + 1]]`` had item i, and user u had
    ``items[user_ptr[u] : user_ptr[u + 1]]``, each once.  Edges have a weight above 0 and of
    ``threshold`` or more; of each item the ``top_k`` heaviest are kept, of equal ones those to
    the lower codes, in the order of the codes.  ``lengths`` takes the number of edges an item.
    """
    n_items = len(item_ptr) - 1
    n_groups = min(max(GROUPS, 4 * top_k), n_items)
    width = (n_items // n_groups + 1) * n_groups + STRIP  # whole groups, and whole strips
    both = np.zeros(width, np.int32)
    sizes = sizes_of(kind, item_ptr, width)
    best = np.empty(n_groups, np.float32)
    found, heights, spare = np.empty(n_items, np.int32), np.empty(n_items), np.empty(n_items)
    end = 0
    for i in range(first, last):
        both[:] = 0
        for a in range(item_ptr[i], item_ptr[i + 1]):
            for b in range(user_ptr[users[a]], user_ptr[users[a] + 1]):
                both[np.uint32(items[b])] += np.int32(1)  # unsigned: no place counts from the end
        both[i] = 0
        n_i = np.float64(item_ptr[i + 1] - item_ptr[i])
        own = np.float32(n_i) if kind == JACCARD else np.float32(0.0)
        cut = np.float32(0.0)
        if top_k < n_groups:
            best_of_groups(both, sizes, own, best)
            cut = kth_largest(best, n_groups, top_k) * SLACK
        n = 0
        for start in range(0, n_items, STRIP):
            some, their = both[start : start + STRIP], sizes[start : start + STRIP]
            if not any_above(some, their, own, cut):
                continue
            for place in range(STRIP):
                if np.float32(some[place]) > cut * (own + their[place]):
                    j = start + place
                    n_j = np.float64(item_ptr[j + 1] - item_ptr[j])
                    height = weigh(kind, np.float64(some[place]), n_i, n_j, n_users)
                    if height > 0.0 and height >= threshold:
                        found[n], heights[n] = j, height
                        n += 1
        begin = end
        end = keep_heaviest(found, heights, n, top_k, spare, columns, weights, begin)
        lengths[i] = end - begin
    return end


@compiled
def sizes_of(kind: int, item_ptr: Array, width: int) -> Array:
    """Return s_j, in float32, such that n_ij / (own + s_j) puts the edges of i in order.

    Every weight must grow with that score: the heaviest edges are found by it alone.  For
    Jaccard, n_ij / (n_i + n_j) will do, since weight / (1 + weight) is that; for the others
    what depends on i alone is left out, and ``own`` is 0.
    """
    sizes = np.ones(width, np.float32)
    for j in range(len(item_ptr) - 1):
        n_j = np.float64(max(item_ptr[j + 1] - item_ptr[j], 1))
        if kind == COUNT:
            sizes[j] = 1.0
        elif kind == COSINE:
            sizes[j] = math.sqrt(n_j)
        elif kind in (JACCARD, PMI):
            sizes[j] = n_j
        else:
            raise ValueError("unknown kind of weight")
    return sizes


@compiled
def best_of_groups(both: Array, sizes: Array, own: Number, best: Array) -> None:
    """Find the best score of each group; item j is in group j mod G.

    The k-th largest of them bounds the k-th largest score from below, as k places reach it.
    Groups lie side by side, so that one instruction does sixteen.
    """
    best[:] = np.float32(0.0)
    n = len(best)
    for start in range(0, len(both) - n + 1, n):
        some, their = both[start : start + n], sizes[start : start + n]
        for g in range(n):
            score = np.float32(some[g]) / (own + their[g])
            best[g] = score if score > best[g] else best[g]


@inlined
def any_above(both: Array, sizes: Array, own: Number, cut: Number) -> Number:
    """Say whether one score of a strip is above the cut, without a branch a place."""
    hits = np.int32(0)
    for j in range(STRIP):
        hits |= np.int32(np.float32(both[j]) > cut * (own + sizes[j]))
    return hits != 0


@inlined
def weigh(kind: int, n_ij: Number, n_i: Number, n_j: Number, n_users: Number) -> Number:
    """Return the weight of an edge; the same to the last bit from both of its ends.

    `sizes_of` has refused other kinds than these.
    """
    if kind == COUNT:
        return n_ij
    if kind == JACCARD:
        return n_ij / (n_i + n_j - n_ij)
    if kind == COSINE:
        return n_ij / math.sqrt(n_i * n_j)
    return math.log(n_ij * n_users / (n_i * n_j))  # PMI


@compiled
def keep_heaviest(
    found: Array,
    heights: Array,
    n: int,
    k: int,
    spare: Array,
    columns: Array,
    weights: Array,
    end: Number,
) -> Number:
    """Append the k heaviest of n edges to the result; of those equal to the last, the first."""
    least, ties = -np.inf, 0
    if n > k:
        spare[:n] = heights[:n]
        least, ties = kth_largest(spare, n, k), k
        for a in range(n):
            ties -= heights[a] > least
    for a in range(n):
        tie = heights[a] == least
        if heights[a] > least or (tie and ties > 0):
            ties -= tie
            columns[end], weights[end] = found[a], heights[a]
            end += 1
    return end


@compiled
def kth_largest(values: Array, n: int, k: int) -> Number:
    """Return the k-th largest of n values; it reorders them (Hoare's quickselect)."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) >> 1]
        a, b = low, high
        while a <= b:
            while values[a] > pivot:
                a += 1
            while values[b] < pivot:
                b -= 1
            if a <= b:
                values[a], values[b] = values[b], values[a]
                a += 1
                b -= 1
        if k - 1 <= b:
            high = b
        elif k - 1 >= a:
            low = a
        else:
            break
    return values[k - 1]
