"""The compiled loops of random walks: alias tables of all rows, and second-order steps.

A step looks at 16 bytes an edge: what an alias draw needs, where it leads, and its weight lie in
one row of a table, since a step costs what it waits for memory.  Chances and weights are kept
in 32 bits there, so the law is exact to about 1e-7 of each probability.

Axes: n nodes, E stored edges, W walk length, R walks.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Number = Any  # numba's integers and floats, which Python's own types would widen

compiled = numba.njit(nogil=True, error_model="numpy", cache=True)
inlined = numba.njit(inline="always", error_model="numpy")

ACCEPT, NODE, ALIAS, WEIGHT = 0, 1, 2, 3  # columns of the table
LOW_HALF = np.uint64(0xFFFFFFFF)
UNIT = 1.0 / 4294967296.0  # 2^-32
TRIES = 8  # and half a try a neighbour, before the exact scan


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


@inlined
def bit_of(node: Number, bits: Number) -> Number:
    """Return the bit of a node in a row's filter of 2^bits bits."""
    return np.int64((np.uint64(node) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits))


@compiled
def fill_filters(
    offsets: Array, nodes: Array, first_word: Array, bits: Array, words: Array
) -> None:
    """Set a bit for every neighbour: most nodes that are none are told by one look."""
    for v in range(len(offsets) - 1):
        for j in range(offsets[v], offsets[v + 1]):
            bit = bit_of(nodes[j], bits[v])
            words[first_word[v] + (bit >> 6)] |= np.uint64(1) << np.uint64(bit & 63)


@inlined
def find(nodes: Array, begin: Number, n: Number, wanted: Number) -> Number:
    """Return the place of a node among the sorted nodes[begin : begin + n], or -1."""
    while n > 1:
        half = n >> 1
        begin += half * np.int64(nodes[begin + half - 1] < wanted)  # no branch to predict
        n -= half
    return begin if n == 1 and nodes[begin] == wanted else np.int64(-1)


@inlined
def is_neighbour(
    nodes: Array,
    begin: Number,
    n: Number,
    words: Array,
    first_word: Number,
    bits: Number,
    node: Number,
) -> Number:
    """Say whether an edge leads from the row at ``begin`` to a node."""
    bit = bit_of(node, bits)
    maybe = (words[first_word + (bit >> 6)] >> np.uint64(bit & 63)) & np.uint64(1)
    return maybe != 0 and find(nodes, begin, n, node) >= 0


@inlined
def start_state(seed: Number, walk: Number) -> Number:
    """Return the state of a walk's own generator, never 0 (splitmix64)."""
    z = np.uint64(seed) + np.uint64(walk + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) | np.uint64(1)


@inlined
def advance(x: Number) -> Number:
    """Return the next state (xorshift64*); its output is the state times a constant."""
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    return x


@inlined
def output(x: Number) -> Number:
    """Return 64 random bits of a state."""
    return x * np.uint64(0x2545F4914F6CDD1D)


@inlined
def draw_edge(table: Array, begin: Number, n: Number, bits: Number) -> Number:
    """Draw an edge of a row by its alias table: half of the bits choose a column, half a side."""
    e = begin + np.int64(((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
    if (bits & LOW_HALF) >= np.uint64(np.uint32(table[e, ACCEPT])):
        e = begin + table[e, ALIAS]
    return e


@compiled
def walk(
    offsets: Array,
    table: Array,
    nodes: Array,
    strengths: Array,
    first_word: Array,
    bits: Array,
    words: Array,
    symmetric: bool,
    p: float,
    q: float,
    seed: Number,
    first: Number,
    last: Number,
    out: Array,
) -> None:
    """Fill the walks first .. last - 1 of ``out``, shape (R, W); walk r starts at node r mod n.

    From v, having come from u, the edge to c has weight w(v, c) times 1/p if c is u, 1 if u has
    an edge to c, and 1/q otherwise.  Rejection sampling draws from it without a table a pair:
    the way back gets a share of its own, so that a small p does not raise the bound for all; any
    other edge is drawn by weight, and accepted in proportion to its factor.  A factor at least as
    large as the smallest needs no look at u's edges.  Where this fails too often, all edges of v
    are weighed.
    """
    weights = table.view(np.float32)[:, WEIGHT]
    n_nodes = len(offsets) - 1
    plain = p == 1.0 and q == 1.0
    top = max(1.0, 1.0 / q)
    surely, near, far = min(1.0, 1.0 / q) / top, 1.0 / top, 1.0 / q / top
    for r in range(first, last):
        x = start_state(seed, r)
        u, v = np.int64(-1), np.int64(r % n_nodes)
        u_begin, u_n, came = np.int64(0), np.int64(0), 0.0
        out[r, 0] = v
        for t in range(1, out.shape[1]):
            begin = offsets[v]
            n = offsets[v + 1] - begin
            if n == 0:
                break
            e = np.int64(-1)
            if u < 0 or plain or n == 1:
                x = advance(x)
                e = draw_edge(table, begin, n, output(x))
            else:
                back = came  # the weight of the edge from v to u
                if not symmetric:
                    place = find(nodes, begin, n, u)
                    back = np.float64(weights[place]) if place >= 0 else 0.0
                share = back / p / (back / p + strengths[v] * top)
                for _ in range(TRIES + n // 2):
                    x = advance(x)
                    two = output(x)
                    if np.float64(two & LOW_HALF) * UNIT < share:
                        e = find(nodes, begin, n, u)
                        break
                    x = advance(x)
                    drawn = draw_edge(table, begin, n, output(x))
                    c = np.int64(table[drawn, NODE])
                    if c == u:
                        continue  # it had its share
                    height = np.float64(two >> np.uint64(32)) * UNIT
                    if height < surely or height < (
                        near
                        if is_neighbour(nodes, u_begin, u_n, words, first_word[u], bits[u], c)
                        else far
                    ):
                        e = drawn
                        break
                if e < 0:
                    x = advance(x)
                    part = np.float64(output(x) >> np.uint64(11)) / 9007199254740992.0
                    e = scan(nodes, weights, begin, n, u, u_begin, u_n, p, q, part)
            u, u_begin, u_n = v, begin, n
            v, came = np.int64(table[e, NODE]), np.float64(weights[e])
            out[r, t] = v


@compiled
def scan(
    nodes: Array,
    weights: Array,
    begin: Number,
    n: Number,
    u: Number,
    u_begin: Number,
    u_n: Number,
    p: float,
    q: float,
    part: float,
) -> Number:
    """Return the edge at a part in [0, 1) of the total of a row, each edge with its factor."""
    total = 0.0
    for j in range(begin, begin + n):
        total += weights[j] * factor(nodes, nodes[j], u, u_begin, u_n, p, q)
    run = 0.0
    for j in range(begin, begin + n):
        run += weights[j] * factor(nodes, nodes[j], u, u_begin, u_n, p, q)
        if part * total < run:
            return np.int64(j)
    return np.int64(begin + n - 1)


@inlined
def factor(
    nodes: Array, c: Number, u: Number, u_begin: Number, u_n: Number, p: float, q: float
) -> Number:
    """Return what the weight of an edge to c is multiplied by, having come from u."""
    if c == u:
        return 1.0 / p
    return 1.0 if find(nodes, u_begin, u_n, c) >= 0 else 1.0 / q
