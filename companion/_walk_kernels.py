"""The compiled loops of random walks: steps of the first order and of the second.

A step costs what it waits for memory.  So what a draw needs lies in one row of a table: a column
of the alias method with both of its sides, each with the node it leads to and the weight of the
edge.  And several walks, each in a lane, go on in turn, so that their waits overlap.  Weights are
float32, exact to about 6e-8 of themselves; chances are kept in units of 2^-32, so what is rarer
than that may never be drawn.

What is inlined has no branch: numba would count references to the arrays on either side of it,
and each count is an atomic instruction at which all reads wait; walks were three times slower.

Axes: n nodes, E stored edges, W walk length, R walks, L lanes.
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

ACCEPT, NODE, WEIGHT, ALIAS, ALIAS_WEIGHT = range(5)  # columns of the table of edges
BEGIN, DEGREE, FILTER, STRENGTH = range(4)  # columns of the table of nodes; STRENGTH is a float64
# Columns of a lane: its walk, the place there of the next node, attempts failed in a row, the nodes
# u and v, the weight of the edge from v to u, the generator's state; and what it proposes: the next
# node, the weight of the edge to it, and the height that decides.  Weights, heights are float64.
WALK, PLACE, FAILED, FROM, AT, CAME, STATE, TO, BY, HEIGHT = range(10)
LANES = 32  # 16 and 64 are as fast in the second order; 16 walk by weight at .8 of the speed
LOW_HALF = np.uint64(0xFFFFFFFF)
UNIT = 1.0 / 4294967296.0  # 2^-32
TRIES = 8  # and half a try a neighbour, before the exact scan


@inlined
def bit_of(node: Number, place: Number) -> Number:
    """Return the bit of a node in a row's filter; ``place`` is its first bit plus log2 of its size.

    Filters have whole words of 64 bits, which leaves six bits of the place to the size.
    """
    shift = np.uint64(64 - (place & 63))
    bit = (np.uint64(node) * np.uint64(0x9E3779B97F4A7C15)) >> shift
    return np.uint64(place & ~63) + bit


@compiled
def fill_filters(rows: Array, nodes: Array, words: Array) -> None:
    """Set a bit for every neighbour: most nodes that are none are told by one look."""
    for v in range(len(rows)):
        for j in range(rows[v, BEGIN], rows[v, BEGIN] + rows[v, DEGREE]):
            bit = bit_of(nodes[j], rows[v, FILTER])
            words[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)


@inlined
def passes(rows: Array, words: Array, u: Number, c: Number) -> Number:
    """Say whether c passes the filter of u's neighbours: all of them do, and few others."""
    bit = bit_of(c, rows[u, FILTER])
    return (words[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1) != 0


@compiled
def find(rows: Array, nodes: Array, u: Number, wanted: Number) -> Number:
    """Return the edge from u to a node, or -1."""
    begin, n = rows[u, BEGIN], rows[u, DEGREE]
    while n > 1:
        half = n >> 1
        begin += half * np.int64(nodes[begin + half - 1] < wanted)  # no branch to predict
        n -= half
    return begin if n == 1 and nodes[begin] == wanted else np.int64(-1)


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
def draw(rows: Array, table: Array, v: Number, bits: Number) -> tuple[Number, Number]:
    """Draw an edge of v by weight: half of the bits choose a row of the table, half a side of it.

    The side is 0 or 2, to be added to a column of the table: arithmetic, since a branch that
    cannot be foretold costs more than the draw.
    """
    place = ((bits >> np.uint64(32)) * np.uint64(rows[v, DEGREE])) >> np.uint64(32)
    e = np.uint64(rows[v, BEGIN]) + place
    aside = (bits & LOW_HALF) >= np.uint64(np.uint32(table[e, ACCEPT]))
    return e, np.uint64(aside) * np.uint64(ALIAS - NODE)


@compiled
def walk_by_weight(
    rows: Array, table: Array, seed: Number, first: Number, last: Number, out: Array
) -> None:
    """Fill the walks first .. last - 1 of ``out``, shape (R, W), by steps of the first order."""
    state, at = np.empty(LANES, np.uint64), np.empty(LANES, np.int64)
    for start in range(first, last, LANES):
        lanes = min(LANES, last - start)
        for k in range(lanes):
            state[k], at[k] = start_state(seed, start + k), (start + k) % len(rows)
            out[start + k, 0] = at[k]
        for t in range(1, out.shape[1]):
            for k in range(lanes):
                v = np.uint64(at[k])
                if at[k] >= 0 and rows[v, DEGREE] > 0:
                    state[k] = advance(state[k])
                    e, side = draw(rows, table, v, output(state[k]))
                    at[k] = table[e, np.uint64(NODE) + side]
                    out[start + k, t] = at[k]
                else:
                    at[k] = -1


@compiled
def walk(
    rows: Array,
    table: Array,
    nodes: Array,
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

    In a round every lane makes one attempt.  All propose before the first is judged: proposing
    has no branch, so the processor waits for the edges of several lanes at once.
    """
    strengths, weights = rows.view(np.float64)[:, STRENGTH], table.view(np.float32)
    top = max(1.0, 1.0 / q)
    surely, near, far = min(1.0, 1.0 / q) / top, 1.0 / top, 1.0 / q / top
    lane = np.empty((LANES, 10), np.int64)
    real = lane.view(np.float64)
    n, r = 0, first  # lanes in use, and the next walk
    while n > 0 or r < last:
        while n < LANES and r < last:
            n += start_walk(rows, table, weights, nodes, symmetric, seed, r, lane, real, n, out)
            r += 1
        for k in range(n):
            propose(rows, strengths, table, weights, p, top, lane, real, k)
        for k in range(n - 1, -1, -1):
            c, height = lane[k, TO], real[k, HEIGHT]
            accepted = height < surely
            if not accepted and height < 1.0:
                u = np.uint64(lane[k, FROM])
                linked = passes(rows, words, u, c) and find(rows, nodes, u, c) >= 0
                accepted = height < (near if linked else far)
            if not accepted:
                lane[k, FAILED] += 1
                if lane[k, FAILED] >= TRIES + rows[np.uint64(lane[k, AT]), DEGREE] // 2:
                    give_up(rows, weights, nodes, p, q, lane, real, k)
                    accepted = True
            if not accepted:
                continue
            goes_on = step(rows, lane, real, k, out)
            if not symmetric:
                real[k, CAME] = weight_back(rows, weights, nodes, lane, k)
            if not goes_on:
                n -= 1
                for column in range(lane.shape[1]):
                    lane[k, column] = lane[n, column]  # which has been judged in this round


@compiled
def start_walk(
    rows: Array,
    table: Array,
    weights: Array,
    nodes: Array,
    symmetric: bool,
    seed: Number,
    r: Number,
    lane: Array,
    real: Array,
    k: Number,
    out: Array,
) -> Number:
    """Put walk r into lane k and make its first step; return whether it goes on."""
    v = np.uint64(r % len(rows))
    out[r, 0] = v
    if out.shape[1] == 1 or rows[v, DEGREE] == 0:
        return False
    x = advance(start_state(seed, r))
    e, side = draw(rows, table, v, output(x))
    lane[k, WALK], lane[k, PLACE], lane[k, AT], lane[k, STATE] = r, 1, v, np.int64(x)
    lane[k, TO] = table[e, np.uint64(NODE) + side]
    real[k, BY] = weights[e, np.uint64(WEIGHT) + side]
    goes_on = step(rows, lane, real, k, out)
    if not symmetric:
        real[k, CAME] = weight_back(rows, weights, nodes, lane, k)
    return goes_on


@inlined
def propose(
    rows: Array,
    strengths: Array,
    table: Array,
    weights: Array,
    p: float,
    top: float,
    lane: Array,
    real: Array,
    k: Number,
) -> None:
    """Choose where a lane may go, and the height that decides on it.

    A height below 0 is accepted in any case, one above 1 in none.
    """
    u, v = lane[k, FROM], np.uint64(lane[k, AT])
    first = advance(np.uint64(lane[k, STATE]))
    second = advance(first)
    lane[k, STATE] = np.int64(second)
    two = output(first)
    e, side = draw(rows, table, v, output(second))
    c, by = np.int64(table[e, np.uint64(NODE) + side]), weights[e, np.uint64(WEIGHT) + side]
    back = real[k, CAME] / p
    turns = np.float64(two & LOW_HALF) * UNIT * (back + strengths[v] * top) < back
    height = np.float64(two >> np.uint64(32)) * UNIT
    height = np.float64(2.0) if c == u else height  # the way back had its share
    real[k, HEIGHT] = -1.0 if turns | (rows[v, DEGREE] == 1) else height
    lane[k, TO] = u if turns else c
    real[k, BY] = real[k, CAME] if turns else np.float64(by)


@inlined
def step(rows: Array, lane: Array, real: Array, k: Number, out: Array) -> Number:
    """Go where a lane may go; return whether its walk goes on from there."""
    v, t = np.uint64(lane[k, TO]), lane[k, PLACE]
    lane[k, FROM], lane[k, AT], lane[k, PLACE], lane[k, FAILED] = lane[k, AT], v, t + 1, 0
    real[k, CAME] = real[k, BY]
    out[lane[k, WALK], t] = v
    return (t + 1 < out.shape[1]) & (rows[v, DEGREE] > 0)


@compiled
def weight_back(rows: Array, weights: Array, nodes: Array, lane: Array, k: Number) -> Number:
    """Return the weight of the edge from v to u, 0 if there is none."""
    e = find(rows, nodes, lane[k, AT], lane[k, FROM])
    return np.float64(weights[e, WEIGHT]) if e >= 0 else 0.0


@compiled
def give_up(
    rows: Array,
    weights: Array,
    nodes: Array,
    p: float,
    q: float,
    lane: Array,
    real: Array,
    k: Number,
) -> None:
    """Choose a lane's edge by the weights of all."""
    x = advance(np.uint64(lane[k, STATE]))
    part = np.float64(output(x) >> np.uint64(11)) / 9007199254740992.0
    e = scan(rows, nodes, weights, lane[k, FROM], lane[k, AT], p, q, part)
    lane[k, STATE], lane[k, TO], real[k, BY] = np.int64(x), nodes[e], weights[e, WEIGHT]


@compiled
def scan(
    rows: Array, nodes: Array, weights: Array, u: Number, v: Number, p: float, q: float, part: float
) -> Number:
    """Return the edge at a part in [0, 1) of the total of v's row, each edge with its factor."""
    begin, end = rows[v, BEGIN], rows[v, BEGIN] + rows[v, DEGREE]
    total = 0.0
    for e in range(begin, end):
        total += weights[e, WEIGHT] * factor(rows, nodes, u, nodes[e], p, q)
    run = 0.0
    for e in range(begin, end):
        run += weights[e, WEIGHT] * factor(rows, nodes, u, nodes[e], p, q)
        if part * total < run:
            return np.int64(e)
    return np.int64(end - 1)


@inlined
def factor(rows: Array, nodes: Array, u: Number, c: Number, p: float, q: float) -> Number:
    """Return what the weight of an edge to c is multiplied by, having come from u."""
    if c == u:
        return 1.0 / p
    return 1.0 if find(rows, nodes, u, c) >= 0 else 1.0 / q
