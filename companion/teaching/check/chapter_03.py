"""Checkers of the exercises of chapter 3, Node2Vec.

In the manner of chapters 1 and 2: each tries an answer on cases whose result is known, and answers
the first mistake it recognises.  NumPy's warnings are off: what overflows shows in the result.

Axes: I items, n nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion.teaching.check._cases import (
    any_diagonal,
    any_scale,
    ask_kept,
    first_mistake,
    try_further,
)
from companion.teaching.check.verdict import Verdict, ask_array, ask_number, hint

Array = NDArray[np.float64]
Slips = dict[str, Any]  # a hint, and the result or results that earn it


@np.errstate(all="ignore")
def ex_3_1(answer: Any) -> Verdict:
    """Check ``jaccard(both)``."""
    both = np.array([[8, 4, 1, 0], [4, 5, 2, 1], [1, 2, 3, 2], [0, 1, 2, 2]])  # ten users' counts
    found = ask_kept(ask_array, answer, both)
    n_i = np.diag(both)[:, None]
    n_j, rows = n_i.T, both.sum(axis=1, keepdims=True)
    weights, smaller, larger = both / (n_i + n_j - both), np.minimum(n_i, n_j), np.maximum(n_i, n_j)
    add = both / (n_i + n_j), 2 * both / (n_i + n_j), both / (n_i + n_j - 2 * both)
    of_one = both / smaller, both / larger, both / n_i, both / n_j
    twice = both / (2 * n_i - both), both / (2 * n_j - both)
    no_bracket = both / n_i + n_j - both, both / n_j + n_i - both
    cosine, of_rows = both / np.sqrt(n_i * n_j), both / (rows + rows.T - both)
    slips: Slips = {
        "An item always meets itself, at weight 1. Should it have an edge to itself?": weights,
        "Users of both are in n_i and in n_j. How often should they count?": any_diagonal(*add),
        "You divide by the users of one item. Who had at least one?": any_diagonal(*of_one),
        "That is the cosine. How many users had at least one of the two?": any_diagonal(cosine),
        "One n twice, the other never. Which needs another axis?": any_diagonal(*twice),
        "Division goes first. Which three terms belong in a bracket?": any_diagonal(*no_bracket),
        "The users of i are on the diagonal. What does a row's sum count?": any_diagonal(of_rows),
        "Zeros alone: can an array of whole numbers hold a share?": np.zeros((4, 4)),
    }
    expected = any_diagonal(weights)[1]
    otherwise = "For one pair: how many users had both, and how many at least one of the two?"
    wrong = first_mistake(found, expected, slips, otherwise, "weight a pair of items")
    if wrong is not None:
        return wrong
    said = "It works for four items, and not for two that always come together."
    cases = [((np.array([[3, 3], [3, 3]]),), [[0, 1], [1, 0]], said)]
    moral = "A bestseller meets every item often, and the union keeps these weights small."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_3_2(answer: Any) -> Verdict:
    """Check ``time_spent(weights)``: of a connected graph without loops."""
    weights = np.array([[0.0, 5, 1, 0], [5, 0, 2, 0], [1, 2, 0, 1], [0, 0, 1, 0]])
    found = ask_kept(ask_array, answer, weights)
    strength, degree = weights.sum(axis=1), (weights > 0).sum(axis=1)
    share, one_step = strength / strength.sum(), (weights / strength[:, None]).mean(axis=0)
    sums = strength, 2 * share, strength / strength.max(), strength / 4
    slips: Slips = {
        "The shares of all nodes sum to 1. What do yours sum to?": sums,
        "All edges count alike with you. Does the walk not prefer heavy ones?": any_scale(degree),
        "As long at every node: is the walk not drawn to some more than to others?": np.ones(4) / 4,
        "That is where one step leads from a node drawn at random. And many steps?": one_step,
    }
    otherwise = "Which shares stay as they are when every walk takes one more step?"
    if np.shape(found) == (4,) and 0 < np.abs(found - share).max() < 0.02:
        otherwise = "Near, as a walk that is drawn comes near. Which numbers does it come near to?"
    wrong = first_mistake(found, share, slips, otherwise, "share a node")
    if wrong is not None:
        return wrong
    star = np.array([[0.0, 1, 2, 3], [1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]])
    said = "It works, and not on a star, where a walk is in the middle at every second step."
    cases = [((star,), np.array([6, 1, 2, 3]) / 12, said)]
    moral = "Long walks see a node by its strength: popularity is there before training begins."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_3_3(answer: Any) -> Verdict:
    """Check ``step(weights, u, v, p, q)``; an edge where a weight is above 0."""
    weights = np.zeros((5, 5))
    weights[[0, 1, 1, 0, 0], [1, 2, 3, 2, 4]] = 2, 3, 5, 1, 7
    weights += weights.T
    found = ask_kept(ask_array, answer, weights, 0, 1, 0.5, 4.0)
    expected = _step(weights, 0, 1, 0.5, 4.0)
    slips = _slips_of_a_step(weights, 0, 1, 0.5, 4.0)
    otherwise = "For each neighbour of v: is it u, has u an edge to it, or neither?"
    wrong = first_mistake(found, expected, slips, otherwise, "probability a node")
    if wrong is not None:
        return wrong
    directed = np.zeros((5, 5))
    directed[[1, 1, 1, 0, 0, 3, 4], [2, 3, 4, 1, 2, 0, 0]] = 3, 5, 2, 1, 6, 1, 4
    said = "It works for p = 0.5 and q = 4, and not {}"
    one_way = said.format("where edges have a direction. Which way must one lead to count?")
    cases = [
        ((weights, 0, 1, 1.0, 1.0), weights[1] / 10, said.format("for p = q = 1.")),
        ((weights, 2, 0, 3.0, 0.5), _step(weights, 2, 0, 3.0, 0.5), said.format("for others.")),
        ((directed, 0, 1, 0.5, 4.0), _step(directed, 0, 1, 0.5, 4.0), one_way),
    ]
    moral = "One v has another law for every u: a table for each would outgrow the graph."
    return try_further(ask_array, answer, cases, moral)


def _slips_of_a_step(weights: Array, u: int, v: int, p: float, q: float) -> Slips:
    def law(
        at_u: float,
        near: float = 1,
        far: float = 1 / q,
        row: Array = weights[v],
        around: Array = weights[u],
    ) -> tuple[Array, ...]:
        factors = np.where(around > 0, near, far)
        factors[u] = at_u
        return any_scale(row * factors)

    swapped = law(1 / q, far=1 / p) + law(q, far=p)
    times = law(p, far=q) + law(p) + law(1 / p, far=q)
    alike, anywhere = law(1 / p, row=weights[v] > 0), law(1 / p, row=np.ones(len(weights)))
    from_u = (*law(1 / p, row=weights[u]), *law(1 / p, row=weights[u], around=weights[v]))
    return {
        "In the right proportion, and a law sums to 1. What does yours sum to?": law(1 / p)[0],
        "p and q have changed places: which of the two is for the way back?": swapped,
        "A small p should make the way back likely. What does a small p do with yours?": times,
        "Heavy and light edges count alike with you. What are the weights for?": alike,
        "Your walker also goes where v has no edge. Which row says where v has one?": anywhere,
        "Does the walk leave from u, or from v?": (*from_u, _step(weights, v, u, p, q)),
        "u is a case of its own. Which factor has the way back with you?": law(1 / q) + law(1),
        "All neighbours of v count as near. Near to which node?": law(1 / p, around=weights[v]),
        "Which nodes does q concern: those near u, or the others?": law(1 / p, 1 / q, 1),
        "That step has forgotten u. Where do p and q come in?": law(1, 1, 1),
    }


def _step(weights: Array, u: int, v: int, p: float, q: float) -> Array:
    factors = np.where(weights[u] > 0, 1, 1 / q)
    factors[u] = 1 / p
    law = weights[v] * factors
    return np.asarray(law / law.sum())


@np.errstate(all="ignore")
def ex_3_4(answer: Any) -> Verdict:
    """Check ``masses(accept, alias)``."""
    accept, alias = np.array([1.0, 0.5, 0.4, 0.75, 0.25]), np.array([0, 0, 0, 2, 2])
    found = ask_kept(ask_array, answer, accept, alias)
    if isinstance(found, Verdict) and "could not be broadcast" in found.message:
        return hint("No column lends to the last outcomes. Do they have a place in your count?")
    rest = 1 - accept
    lent, gets = np.bincount(alias, rest, 5), np.bincount(alias, accept, 5)
    last, sides = accept.copy(), (rest + gets, accept + gets)
    last[alias] += rest
    all_it_has, looked_up = accept + np.bincount(alias, minlength=5), accept + rest[alias]
    slips: Slips = {
        "A column is chosen first, one of n. Where does that stand?": accept + lent,
        "Only the own part of each column. To whom does its rest belong?": any_scale(accept),
        "Only the rests that are lent. Who has the other part of a column?": any_scale(lent),
        "Several columns lend to one outcome. Does += add them all?": any_scale(last),
        "Which part of column k is k's, and which alias[k]'s?": any_scale(*sides),
        "Does a column lend all it has, or only its rest?": any_scale(all_it_has),
        "You look at what alias[k] lends. Who lends to k?": any_scale(looked_up),
        "As if all outcomes were alike: who gets the rest of a column?": any_scale(np.ones(5)),
    }
    otherwise = "Go through the columns: which two outcomes does each hold, in which parts?"
    wrong = first_mistake(found, (accept + lent) / 5, slips, otherwise, "probability an outcome")
    if wrong is not None:
        return wrong
    said = "It works for five outcomes, and not for {}."
    two, half = (np.array([0.0, 1.0]), np.array([1, 0])), (np.array([1.0, 0.5]), np.array([0, 0]))
    cases: list[tuple[Any, ArrayLike, str]] = [
        (half, [0.75, 0.25], said.format("two of them")),
        (two, [0, 1], said.format("an outcome that is never drawn")),
    ]
    moral = "However uneven the masses, a draw reads one column: its cost does not grow with n."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_3_5(answer: Any) -> Verdict:
    """Check ``acceptance(weights, factors)``."""
    weights, factors = np.array([2.0, 1.0, 4.0, 3.0]), np.array([2.0, 1.0, 0.25, 0.25])
    found = ask_kept(ask_number, answer, weights, factors)
    products, total, top = weights * factors, weights.sum(), factors.max()
    mean = products.sum() / total
    sizes = products.sum(), products.sum() / top, products.mean(), products.mean() / top
    alike = products.mean() / products.max(), mean / products.max()
    tries, all_factors = (top / mean, 1 / mean), mean / factors.sum()
    slips: Slips = {
        "Are all edges drawn equally often?": (factors.mean() / top, factors.mean()),
        "Factors can exceed 1, and chances cannot. By what are they divided first?": mean,
        "That is how many tries it takes on average. And the chance of one?": tries,
        "You divide by all factors together. Which single one is always accepted?": all_factors,
        "Do the chances with which the edges are drawn sum to 1?": sizes,
        "That is how often a try is refused.": 1 - mean / top,
        "Weights are spent in the draw. What is left for the acceptance to compare?": alike,
    }
    otherwise = "For each edge: how often is it drawn, and how often is it then accepted?"
    wrong = first_mistake(found, mean / top, slips, otherwise)
    if wrong is not None:
        return wrong
    said = "It works for a largest factor of 2, and not {}."
    below_1 = np.array([0.25, 0.5, 0.5, 0.25])
    cases = [
        ((weights, below_1), 0.75, said.format("where all factors are below 1")),
        ((weights, np.full(4, 3.0)), 1, said.format("where all factors are equal")),
    ]
    moral = "One large factor lowers it for all: so the way back, at 1/p, is best drawn apart."
    return try_further(ask_number, answer, cases, moral)


@np.errstate(all="ignore")
def ex_3_6(answer: Any) -> Verdict:
    """Check ``entries(degrees)``: a pair of numbers."""
    degrees = np.array([4, 3, 2, 2, 1], dtype=np.int64)
    found = ask_kept(ask_array, answer, degrees)
    if isinstance(found, Verdict):
        return found
    if found.shape != (2,):
        return hint(f"Two numbers, each in all of the graph, make (2,); yours is {found.shape}.")
    ends, squares = degrees.sum(), (degrees**2).sum()
    if np.allclose(found, [squares, ends]):
        return hint("The right two, in the wrong order.")
    of_nodes: Slips = {
        "First order: an edge has two ends. In how many tables does it stand?": ends / 2,
        "First order: that is how many tables there are. How large is each?": 5,
        "First order: count an entry once, whatever it holds.": 2 * ends,
    }
    of_edges: Slips = {
        "Second order: an edge can be walked both ways. Has each way a table?": squares / 2,
        "Second order: an edge and a next node are two choices, not three.": (degrees**3).sum(),
        "Second order: may a step from v lead to any node, or by any edge?": (5 * ends, ends**2),
        "Second order: may the walk not turn back to where it came from?": squares - ends,
        "Second order: that is how many tables there are. How large is each?": ends,
        "Second order: count an entry once, whatever it holds.": 2 * squares,
    }
    otherwise = "First order: one table a node. How many entries has that of one node?"
    wrong = first_mistake(found[0], ends, of_nodes, otherwise)
    if wrong is not None:
        return wrong
    otherwise = "Second order: how many edges lead to v, and how large is the table of each?"
    wrong = first_mistake(found[1], squares, of_edges, otherwise)
    if wrong is not None:
        return wrong
    said = "It works for five nodes, and not for a triangle beside a lone node."
    cases = [((np.array([2, 2, 2, 0]),), [6, 12], said)]
    moral = "Degrees are squared, so a few hubs can need more memory than all other nodes."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_3_7(answer: Any) -> Verdict:
    """Check ``two_steps(bought)``; every basket and every item has at least one 1."""
    bought = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0], [1, 1, 0]])
    found = ask_kept(ask_array, answer, bought)
    if isinstance(found, Verdict) and "could not be broadcast" in found.message:
        return hint("Your sum loses an axis, and the division then runs along the wrong one.")
    if np.shape(found) == (5, 5):
        return hint("That leads from basket to basket; the walk begins and ends at items.")
    together, inside = bought.T @ bought, _by_rows(bought)
    held = bought.sum(axis=0)[:, None]
    expected = _two_steps(bought)
    hollow = any_diagonal(expected)[1]
    no_return = hollow, _by_rows(hollow)
    slips: Slips = {
        "A basket holds several items: how likely is each of them?": together / held,
        "An item stands in several baskets: how likely is each of them?": bought.T @ inside,
        "Turned round: row i should hold where the walk goes from item i.": expected.T,
        "Large baskets weigh more with you. What is drawn before the item?": _by_rows(together),
        "The walk may come back to its item. What is on your diagonal?": no_return,
        "That counts baskets with both items. How likely is each step?": together,
    }
    otherwise = "Write each step as a matrix whose rows sum to 1. What do two steps make of them?"
    wrong = first_mistake(found, expected, slips, otherwise, "probability a pair of items")
    if wrong is not None:
        return wrong
    square = np.array([[1, 1, 0], [0, 1, 1], [0, 1, 0]])
    said = "It works for five baskets and three items, and not where both are three."
    cases = [((square,), _two_steps(square), said)]
    moral = "Every basket of an item has the same say here; by counts, large ones would say more."
    return try_further(ask_array, answer, cases, moral)


def _by_rows(matrix: Any) -> Array:
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def _two_steps(bought: Any) -> Array:
    return _by_rows(bought.T) @ _by_rows(bought)
