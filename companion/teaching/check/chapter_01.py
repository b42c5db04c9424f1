"""Checkers of the exercises of chapter 1, Foundations.

A checker tries an answer on cases whose result is known, looks for the mistakes people make,
and answers with a hint to the first it recognises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from companion.teaching.check.verdict import (
    UNANSWERED,
    Verdict,
    as_array,
    as_number,
    ask,
    ask_array,
    ask_number,
    hint,
    right,
)


def ex_1_1(answer: Any) -> Verdict:
    """Check ``observed_share(n_users, n_items, items_per_user)``."""
    found = ask_number(answer, 943, 1682, 106.045)
    if isinstance(found, Verdict):
        return found
    if np.isclose(found, 100 * 106.045 / 1682):
        return hint("That is a percentage. Return a share between 0 and 1.")
    if np.isclose(found, 106.045 / (943 * 1682)):
        return hint("You divided what one user had by the cells of all users.")
    if not np.isclose(found, 106.045 / 1682):
        return hint("How many cells does one user's row have, and how many of them are filled?")
    found = ask_number(answer, 10**8, 10**7, 500)
    if isinstance(found, Verdict):
        return found
    if not np.isclose(found, 5e-5):
        return hint("It works for 943 users; try 100 million users and 10 million items.")
    return right("The number of users cancels: sparsity is a matter of the catalogue's size.")


def ex_1_2(answer: Any) -> Verdict:
    """Check ``unit_rows(vectors)``."""
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    before = vectors.copy()
    with np.errstate(all="ignore"):
        found = ask_array(answer, vectors)
    if isinstance(found, Verdict):
        if "could not be broadcast" in found.message:
            return hint("Rows must be divided by a column: does your length keep its axis?")
        return found
    if not np.array_equal(vectors, before):
        return hint("The caller's array has changed. Does your code divide in place?")
    if found.shape != before.shape:
        return hint(f"The result should keep the shape {before.shape}; yours is {found.shape}.")
    if not np.isfinite(found).all():
        return hint("One of the vectors is zero. What should become of it?")
    if not np.allclose(found[[0, 2]], [[0.6, 0.8], [1.0, 0.0]]):
        return hint("Take the norm along the axis of the dimensions: one norm a row.")
    if not np.allclose(found[1], 0):
        return hint("A zero vector has no direction: let it stay zero.")
    if not np.allclose(found[[0, 2]], [[0.6, 0.8], [1.0, 0.0]], rtol=0, atol=1e-7):
        return hint("Nearly of length 1, and not quite. What does your divisor add to the length?")
    return right("After this, dot product, cosine and Euclidean distance rank alike.")


def ex_1_3(answer: Any) -> Verdict:
    """Check ``together(matrix)``."""
    matrix = sparse.csr_array([[1, 1, 0, 1], [1, 1, 0, 0], [0, 1, 1, 0]], dtype=np.float64)
    dense = matrix.toarray()
    expected = dense.T @ dense
    np.fill_diagonal(expected, 0)
    found = ask(answer, matrix)
    if isinstance(found, Verdict):
        return found
    stored = isinstance(found, sparse.sparray | sparse.spmatrix)
    counts = as_array(found.toarray() if stored else found)
    if isinstance(counts, Verdict):
        return counts
    if counts.shape == (3, 3):
        return hint("You counted which users share items; it is the items that are asked for.")
    if counts.shape != (4, 4):
        return hint(f"One row and one column an item make (4, 4), and yours is {counts.shape}.")
    if np.array_equal(counts, dense.T @ dense):
        return hint("Nearly: an item always stands together with itself. Should that count?")
    if not np.array_equal(counts, expected):
        return hint("Entry (i, j) of a product sums over users. Which factor is transposed?")
    return right("One sparse product counts every pair, and no loop over pairs was needed.")


def ex_1_4(answer: Any) -> Verdict:
    """Check ``bpr_slope(margin)``."""
    margins = np.array([-30.0, -1.0, 0.0, 2.0, 30.0])
    expected = -1 / (1 + np.exp(margins))
    with np.errstate(all="ignore"):
        slope = ask_array(answer, margins.copy())
    if isinstance(slope, Verdict):
        return slope
    if slope.shape != margins.shape:
        return hint(f"One slope a margin makes {margins.shape}, and yours is {slope.shape}.")
    if np.allclose(slope, -expected):
        return hint("Right size, wrong sign: does the loss rise or fall as the margin grows?")
    if np.allclose(slope, -1 / (1 + np.exp(-margins))):
        return hint("That pushes hardest on pairs that are already right. Check the inner sign.")
    if np.allclose(slope, np.logaddexp(0, -margins)):
        return hint("That is the loss itself; its derivative is asked for.")
    if not np.allclose(slope, expected):
        return hint("Differentiate log(1 + exp(-m)) by the chain rule and simplify.")
    return right("The push fades as the pair comes right: easy negatives teach nothing.")


def ex_1_5(answer: Any) -> Verdict:
    """Check the NDCG@4 of hits at places 2 and 4 where three items are relevant."""
    if answer is ...:
        return UNANSWERED
    found = as_number(answer)
    if isinstance(found, Verdict):
        return found
    gained = 1 / np.log2(3) + 1 / np.log2(5)
    slips = {
        gained / (1 + 1 / np.log2(3)): "Three items are relevant: how many hits has the best list?",
        gained / sum(1 / np.log2(place + 1) for place in range(1, 5)): (
            "The best list of length 4 cannot have more hits than there are relevant items."
        ),
        gained: "That is the gain. Divide by what the best possible list would gain.",
        (1 / np.log(3) + 1 / np.log(5)) / sum(1 / np.log2(p + 1) for p in range(1, 4)): (
            "One of your logarithms has base e and the other base 2."
        ),
        0.5: "That is the precision at 4; NDCG weighs each hit by its place.",
    }
    for value, word in slips.items():
        if abs(found - value) < 5e-4:
            return hint(word)
    if abs(found - gained / sum(1 / np.log2(p + 1) for p in range(1, 4))) > 5e-4:
        return hint("A hit at place r gains 1 / log2(r + 1), and the first place is 1, not 0.")
    return right("Both halves matter: where the hits stand, and how many there could be.")


def ex_1_6(answer: Any) -> Verdict:
    """Check ``augment(items, query)``: Euclidean order by a dot product."""
    rng = np.random.default_rng(0)
    items, query = rng.normal(size=(30, 5)), rng.normal(size=5)
    items *= rng.uniform(0.2, 3.0, size=(30, 1))
    found = ask(answer, items.copy(), query.copy())
    if isinstance(found, Verdict):
        return found
    if not isinstance(found, tuple) or len(found) != 2:
        return hint("Return two arrays: the items with a further column, the query longer by one.")
    more_items, more_query = map(as_array, found)
    if isinstance(more_items, Verdict):
        return more_items
    if isinstance(more_query, Verdict):
        return more_query
    if more_items.shape != (30, 6) or more_query.shape != (6,):
        return hint(
            f"One number more for each vector; yours are {more_items.shape}, {more_query.shape}."
        )
    nearest = np.linalg.norm(items - query, axis=1).argsort()
    if np.array_equal(_order(-more_items @ more_query), nearest):
        return hint("Exactly upside down: the largest dot product should be the nearest item.")
    if not np.array_equal(_order(more_items @ more_query), nearest):
        return hint("Write out the squared distance. Which term does the dot product lack?")
    return right(
        "The same trick, turned round, lets a Euclidean index find the largest dot product."
    )


def ex_1_7(answer: Any) -> Verdict:
    """Check ``largest_dim(n_items, budget_bytes)``."""
    cases = {(1_682, 1_000_000): 144, (10**6, 256 * 10**6): 64, (10**9, 64 * 10**9): 16}
    for (n_items, budget), expected in cases.items():
        found = ask_number(answer, n_items, budget)
        if isinstance(found, Verdict):
            return found
        if found == budget // n_items // 8 * 8 and found != expected:
            return hint("A float32 takes four bytes, not one.")
        if found == budget // (8 * n_items) // 8 * 8 and found != expected:
            return hint("A float32 takes four bytes; eight are a float64.")
        if found == budget // (4 * n_items) and found != expected:
            return hint("That fits, but it is no multiple of 8.")
        if found != expected:
            return hint(
                f"For {n_items:,} items and {budget:,} bytes {found:.10g} is not the largest."
            )
    return right("A billion items in 64 GB leave 16 numbers each, before any index is built.")


def _order(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(-scores, kind="stable")
