"""Checkers of the exercises of chapter 2, Item2Vec.

In the manner of chapter 1: each tries an answer on cases whose result is known, and answers the
first mistake it recognises.  Students' code may overflow or divide by zero on its way; that shows
in its result, so NumPy's warnings are off.

Axes: B batch, C contexts, N negatives, D dimension, L history length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion.teaching.check._cases import ask_kept, first_mistake, try_further
from companion.teaching.check.verdict import Verdict, ask_array, ask_number, hint, right

COUNTS = np.array([1, 16, 81])  # whole numbers, and so are their powers of 3/4: 1, 8, 27


@np.errstate(all="ignore")
def ex_2_1(answer: Any) -> Verdict:
    """Check ``count_pairs(length, window)``."""
    found = ask_kept(ask_number, answer, 12, 4)
    slips: dict[str, ArrayLike] = {
        "Two places near each other make two pairs. Which of them is the centre?": 38,
        "Is a place a context of itself?": (88, 100, 50),
        "Have the places near the two ends as many neighbours as those in the middle?": (96, 48),
        "Two things: the places near the ends, and whether a place is its own context.": 108,
        "How far apart may a centre and its context be, and how near?": (60, 84),
        "Places too near an end for a full window still have neighbours, and these count.": 32,
    }
    otherwise = "Fix a distance: how many places have another that far on?"
    wrong = first_mistake(found, 76, slips, otherwise)
    if wrong is not None:
        return wrong
    said = "It works for length 12 and window 4, not for {} and {}. Which distances occur at all?"
    results = {(3, 5): 6, (1, 5): 0, (0, 5): 0, (12, 2): 42}
    cases = ((sizes, number, said.format(*sizes)) for sizes, number in results.items())
    moral = "Pairs grow with the length: long histories have the loudest voice in training."
    return try_further(ask_number, answer, cases, moral)


@np.errstate(all="ignore")
def ex_2_2(answer: Any) -> Verdict:
    """Check ``noise(counts, exponent)``."""
    found = ask_kept(ask_array, answer, COUNTS, 0.75)
    weights, share = COUNTS**0.75, COUNTS / COUNTS.sum()
    by_counts = weights / COUNTS.sum()
    slips: dict[str, ArrayLike] = {
        "Probabilities sum to 1, and yours do not: they are only in proportion.": weights,
        "Shares raised to a power no longer sum to 1. Which step should come last?": share**0.75,
        "You divide by the sum of the counts. Is that what your weights sum to?": by_counts,
        "These are the items' own shares. Where does the exponent come in?": share,
    }
    otherwise = "Two steps, the power and the sum: what does each do, and in which order?"
    wrong = first_mistake(found, _noise(0.75), slips, otherwise, "probability an item")
    if wrong is not None:
        return wrong
    said = "It works for the exponent 0.75, and not for {}."
    cases = (((COUNTS, a), _noise(a), said.format(a)) for a in (-0.5, 0, 1, -1))
    moral = "At 0 all items are drawn alike, and below 0 the rare ones most."
    verdict = try_further(ask_array, answer, cases, moral)
    if "negative integer powers" in verdict.message:
        return hint("NumPy takes no whole number to the power -1. Of what type are the counts?")
    return verdict


@np.errstate(all="ignore")
def ex_2_3(answer: Any) -> Verdict:
    """Check ``centre_gradient(e, target, negatives)``."""
    rng = np.random.default_rng(0)
    e, target, negatives = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(3, 4))
    found = ask_kept(ask_array, answer, e, target, negatives)
    score, scores = e @ target, negatives @ e
    up, down = -target * _sigma(-score), negatives.T @ _sigma(scores)
    late_up, late_down = -target * _sigma(score), negatives.T @ _sigma(-scores)
    flips, means = (up - down, down - up), (up + down / 3, (up + down) / 4)
    of_target = -e * _sigma(-score)
    slips: dict[str, ArrayLike] = {
        "Right size, wrong sign: a step against the gradient makes the loss fall.": -(up + down),
        "One of the two parts has the wrong sign. Which way should each move e?": flips,
        "The pull to the target should fade as its score grows; yours grows.": late_up + down,
        "The push off a negative should fade as its score falls; yours grows.": up + late_down,
        "Both parts push hardest where all is well. Mind the sign inside σ.": late_up + late_down,
        "The loss is a sum over its terms; yours looks like a mean.": means,
        "One part of the loss alone. Both the target and the negatives stand in it.": (up, down),
        "That is the slope in the target. How does each score depend on e?": of_target,
    }
    otherwise = "Term by term: the slope in a score, times the slope of that score in e."
    wrong = first_mistake(found, up + down, slips, otherwise, "number for each dimension of e")
    moral = "Every vector pulls or pushes e by the error that the model makes on it."
    return right(moral) if wrong is None else wrong


@np.errstate(all="ignore")
def ex_2_4(answer: Any) -> Verdict:
    """Check ``context_mean(table, contexts)``; every row has at least one context."""
    table = np.array([[7.0, 3.0], [1.0, 4.0], [2.0, -6.0], [5.0, 0.5], [-8.0, 9.0], [11.0, 13.0]])
    contexts = np.array([[0, 3, -1], [-1, 4, -1], [2, 2, 5], [1, 0, 4]])
    found = ask_kept(ask_array, answer, table, contexts)
    if isinstance(found, Verdict) and "could not be broadcast" in found.message:
        return hint("Does your mask, or the number of contexts of a row, lack an axis?")
    rows, real, past_0 = table[contexts], contexts >= 0, contexts > 0
    number = real.sum(axis=1, keepdims=True)
    total, no_0 = ((rows * mask[..., None]).sum(axis=1) for mask in (real, past_0))
    last_row = rows.mean(axis=1), rows.sum(axis=1) / number
    without_0 = no_0 / number, no_0 / past_0.sum(axis=1, keepdims=True)
    slips: dict[str, ArrayLike] = {
        "You divide every row by C. How many contexts has a row of its own?": total / 3,
        "-1 is no item, yet NumPy takes it for one. Which row is table[-1]?": last_row,
        "That is the sum of the contexts, and their mean is asked for.": total,
        "Code 0 is an item like the others. Which codes does your mask let through?": without_0,
    }
    otherwise = "Which vectors of a row belong to real contexts, and how many are they?"
    wrong = first_mistake(found, total / number, slips, otherwise, "mean for each row of contexts")
    moral = "A mask lets rows of unequal length share one array, at no cost to their means."
    return right(moral) if wrong is None else wrong


@np.errstate(all="ignore")
def ex_2_5(answer: Any) -> Verdict:
    """Check ``next_item(scores, noise, negatives)``."""
    chance, noise = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.2, 0.4, 0.1, 0.3])
    scores = np.log(chance / (5 * noise))
    found = ask_kept(ask_array, answer, scores, noise, 5)
    ratio, lift = np.exp(scores), chance / noise
    upside_down = (lift / noise, ratio / noise, ratio / noise / (ratio / noise).sum())
    too_small = (chance / 5, chance / 25)
    slips: dict[str, ArrayLike] = {
        "In proportion, but the sum is not 1. What else stands inside the logarithm?": too_small,
        "The noise works the wrong way: does a large ν raise a score, or lower it?": upside_down,
        "That undoes the logarithm. What is left to solve for P?": ratio,
        "That says how far an item stands above its noise. And how large is that?": lift,
        "A softmax of the scores alone: as if all ν were equal.": ratio / ratio.sum(),
        "σ tells whether a pair is real or drawn, not which item comes next.": _sigma(scores),
    }
    otherwise = "Take the score at the optimum as an equation, and solve it for P(j|i)."
    wrong = first_mistake(found, chance, slips, otherwise, "probability an item")
    if wrong is not None:
        return wrong
    said = "It works for 5 negatives, and not for 20 and another noise."
    cases = [((np.log(noise / (20 * chance)), chance, 20), noise, said)]
    moral = "The scores hold a whole conditional distribution; the noise only bends it."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_2_6(answer: Any) -> Verdict:
    """Check ``user_vector(vectors, decay)``."""
    vectors = np.array([[8.0, 0.0, 1.0], [0.0, 6.0, -3.0], [2.0, 2.0, 5.0], [-4.0, 7.0, 3.0]])
    found = ask_kept(ask_array, answer, vectors, 0.8)
    weights = np.array([0.512, 0.64, 0.8, 1.0])
    total, backwards = weights @ vectors, weights[::-1] @ vectors
    sums = total, 0.8 * total  # the newest at age 0, or at age 1
    reversed_ages = backwards / weights.sum(), backwards
    slips: dict[str, ArrayLike] = {
        "The newest counts least with you. Which of the vectors has age 0?": reversed_ages,
        "That is a weighted sum. Should a longer history make a longer vector?": sums,
        "You divide by how many vectors there are. Is that what the weights sum to?": total / 4,
        "All vectors count alike with you. Where does the decay come in?": vectors.mean(axis=0),
        "Do your weights sum to 1? A moving average's do in endless histories.": 0.2 * total,
    }
    otherwise = "Write the four weights down, from the newest back. What do they sum to?"
    wrong = first_mistake(found, total / weights.sum(), slips, otherwise, "number a dimension")
    if wrong is not None:
        return wrong
    said = "It works for four vectors and decay 0.8, and not for {}."
    cases = [
        ((vectors[:1], 0.8), vectors[0], said.format("a single vector")),
        ((vectors, 1.0), vectors.mean(axis=0), said.format("decay 1")),
    ]
    moral = "With a mean, users of short and of long histories can be compared."
    return try_further(ask_array, answer, cases, moral)


@np.errstate(all="ignore")
def ex_2_7(answer: Any) -> Verdict:
    """Check ``accidental_rate(counts, exponent)``."""
    found = ask_kept(ask_number, answer, COUNTS, 0.75)
    share, weights, noise = COUNTS / COUNTS.sum(), COUNTS**0.75, _noise(0.75)
    twins, alone = (share @ share, noise @ noise), (share.max(), noise.max())
    no_chances = share @ weights, COUNTS @ noise, COUNTS @ weights, share @ share**0.75
    slips: dict[str, ArrayLike] = {
        "Positives and negatives follow two different laws. Do yours?": twins,
        "That is about one item. May the others not be drawn for themselves too?": alone,
        "That would hold if the items were equally frequent.": 1 / 3,
        "Do the chances of all positives sum to 1, and those of all negatives?": no_chances,
        "That is how often the two differ.": 1 - share @ noise,
    }
    otherwise = "One item first: how often is it the positive, and how often then the negative?"
    wrong = first_mistake(found, share @ noise, slips, otherwise)
    if wrong is not None:
        return wrong
    said = "It works for the exponent 0.75, and not for {}."
    cases = (((COUNTS, a), share @ _noise(a), said.format(a)) for a in (-0.5, 0, 1))
    moral = "In a small catalogue many a negative is the positive itself: mask it there."
    return try_further(ask_number, answer, cases, moral)


def _noise(exponent: float) -> NDArray[np.float64]:
    weights = COUNTS.astype(np.float64) ** exponent
    return np.asarray(weights / weights.sum())


def _sigma(scores: Any) -> Any:
    return 1 / (1 + np.exp(-scores))
