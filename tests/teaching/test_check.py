"""Every checker passes its solution, fails the unfinished stub, and knows the usual mistakes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from companion.teaching import check
from companion.teaching.check.verdict import UNANSWERED, Verdict, ask

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))
ANSWER = re.compile(r"^(\s*)(?:(return|\w+ =) )?.*# answer$")


def cells(notebook, tag):
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in found if tag in c["metadata"].get("tags", ())]


def stub_of(solution):
    """Return the cell a student starts from: each answer becomes three dots."""
    lines = []
    for line in solution.split("\n"):
        answer = ANSWER.match(line)
        if answer is None:
            lines.append(line)
        elif answer[2]:
            lines.append(f"{answer[1]}{answer[2]} ...")
    return "\n".join(lines)


EXERCISES = [
    pytest.param(stub, solution, id=f"{notebook.stem}-{number}")
    for notebook in NOTEBOOKS
    for number, (stub, solution) in enumerate(
        zip(cells(notebook, "exercise-stub"), cells(notebook, "exercise-solution"), strict=True),
        start=1,
    )
]


def verdict_of(source):
    """Run an exercise's cell, and return what its last line says."""
    body, _, last = source.rstrip().rpartition("\n")
    scope = {"np": np, "check": check}
    exec(body, scope)
    return eval(last, scope)


def test_there_are_exercises():
    assert len(EXERCISES) >= 6


@pytest.mark.parametrize(("stub", "solution"), EXERCISES)
def test_stub_and_solution_have_one_source(stub, solution):
    assert stub == stub_of(solution)


@pytest.mark.parametrize(("stub", "solution"), EXERCISES)
def test_the_solution_passes_and_the_stub_does_not(stub, solution):
    assert verdict_of(solution).passed
    assert verdict_of(stub) == UNANSWERED


def in_place(vectors):
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def columns_scaled(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=0), 1e-12)


def plus_half(items, query):
    return np.hstack([items, 0.5 * (items**2).sum(1, keepdims=True)]), np.append(query, 1.0)


def upside_down(items, query):
    return np.hstack([-items, 0.5 * (items**2).sum(1, keepdims=True)]), np.append(query, 1.0)


def sigma(scores):
    return 1 / (1 + np.exp(-scores))


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum()


def pairs_by_formula(length, window):
    d = np.arange(1, window + 1)
    return 2 * np.maximum(length - d, 0).sum()


def pairs_by_hand(length, window):
    places = range(length)
    return sum(0 < abs(centre - context) <= window for centre in places for context in places)


def pairs_below_zero(length, window):
    return 2 * sum(length - d for d in range(1, window + 1))


def powered(counts, exponent):
    weights = counts.astype(float) ** exponent
    return weights / weights.sum()


def powered_shares(counts, exponent):
    weights = (counts / counts.sum()) ** exponent
    return (weights / weights.sum()).tolist()


def powered_whole_numbers(counts, exponent):
    return counts**exponent / (counts**exponent).sum()


def gradient(h, target, negatives):
    up = -target / (1 + np.exp(h @ target))
    down = negatives.T @ (1 / (1 + np.exp(-(negatives @ h))))
    return up + down


def gradient_by_differences(h, target, negatives):
    def loss(h):
        return np.logaddexp(0, -target @ h) + np.logaddexp(0, negatives @ h).sum()

    return [(loss(h + step) - loss(h - step)) / 2e-6 for step in 1e-6 * np.eye(len(h))]


def pull(h, target):
    return -target * sigma(-h @ target)


def push(h, negatives):
    return negatives.T @ sigma(negatives @ h)


def late_pull(h, target):
    return -target * sigma(h @ target)


def late_push(h, negatives):
    return negatives.T @ sigma(-(negatives @ h))


def masked_mean(table, contexts, first=0):
    real = contexts >= first
    rows = table[contexts] * real[..., None]
    return rows.sum(axis=1) / real.sum(axis=1, keepdims=True)


def mean_row_by_row(table, contexts):
    return [table[[code for code in row if code != -1]].mean(axis=0) for row in contexts]


def mean_with_a_zero_row(table, contexts):
    table[-1] = 0
    return table[contexts].sum(axis=1) / (contexts >= 0).sum(axis=1, keepdims=True)


def mean_of_marked_places(table, contexts):
    rows = table[contexts]
    rows[contexts < 0] = np.nan
    return np.nanmean(rows, axis=1)


def weighted_mean(vectors, decay):
    weights = decay ** np.arange(len(vectors))[::-1]
    return weights @ vectors / weights.sum()


def running_mean(vectors, decay):
    total, weight = 0.0, 0.0
    for vector in vectors:
        total, weight = decay * total + vector, decay * weight + 1
    return total / weight


def ages(vectors, decay):
    return decay ** np.arange(len(vectors))[::-1]


def moving_average(vectors, decay):
    average = np.zeros(vectors.shape[1])
    for vector in vectors:
        average = decay * average + (1 - decay) * vector
    return average


def decayed_in_place(vectors, decay):
    weights = ages(vectors, decay)
    vectors *= weights[:, None]
    return vectors.sum(axis=0) / weights.sum()


def geometric_sum(vectors, decay):
    return ages(vectors, decay) @ vectors * (1 - decay) / (1 - decay ** len(vectors))


def meeting(counts, exponent):
    p, q = counts / counts.sum(), counts.astype(float) ** exponent
    return (p * q / q.sum()).sum()


def meeting_item_by_item(counts, exponent):
    weights = [float(count) ** exponent for count in counts]
    pairs = zip(counts, weights, strict=True)
    return sum(count * weight for count, weight in pairs) / counts.sum() / sum(weights)


@pytest.mark.parametrize(
    ("checker", "answer"),
    [
        (check.ex_2_1, pairs_by_formula),
        (check.ex_2_1, pairs_by_hand),
        (check.ex_2_2, powered),
        (check.ex_2_2, powered_shares),
        (check.ex_2_3, gradient),
        (check.ex_2_3, gradient_by_differences),
        (check.ex_2_4, masked_mean),
        (check.ex_2_4, mean_row_by_row),
        (check.ex_2_4, mean_of_marked_places),
        (check.ex_2_5, lambda s, q, n: n * q * np.exp(s)),
        (check.ex_2_5, lambda s, q, n: softmax(s + np.log(q))),
        (check.ex_2_6, weighted_mean),
        (check.ex_2_6, running_mean),
        (check.ex_2_7, meeting),
        (check.ex_2_7, meeting_item_by_item),
    ],
)
def test_every_way_that_is_right_passes(checker, answer):
    verdict = checker(answer)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("checker", "answer", "n_arrays"),
    [
        (check.ex_2_2, powered, 1),
        (check.ex_2_3, gradient, 3),
        (check.ex_2_4, masked_mean, 2),
        (check.ex_2_5, lambda s, q, n: n * q * np.exp(s), 2),
        (check.ex_2_6, weighted_mean, 1),
        (check.ex_2_7, meeting, 1),
    ],
)
def test_an_answer_that_writes_into_its_arguments_is_told_and_spoils_no_later_check(
    checker, answer, n_arrays
):
    for place in range(n_arrays):

        def writer(*arguments, place=place):
            result = answer(*arguments)
            arguments[place][...] = 2
            return result

        assert "array has changed" in checker(writer).message
    assert checker(answer).passed


@pytest.mark.parametrize(
    ("checker", "answer", "word"),
    [
        (check.ex_1_1, lambda u, i, n: 100 * n / i, "percentage"),
        (check.ex_1_1, lambda u, i, n: n / (u * i), "all users"),
        (check.ex_1_1, lambda u, i, n: u / i, "How many cells"),
        (check.ex_1_1, lambda u, i, n: n / 1682, "100 million users"),
        (check.ex_1_2, in_place, "in place"),
        (check.ex_1_2, lambda v: v / np.linalg.norm(v, axis=1, keepdims=True), "zero"),
        (check.ex_1_2, columns_scaled, "one norm a row"),
        (check.ex_1_2, lambda v: v / np.linalg.norm(v, axis=1), "keep its axis"),
        (check.ex_1_2, lambda v: v / (np.linalg.norm(v, axis=1, keepdims=True) + 1e-6), "add to"),
        (check.ex_1_2, lambda v: v[0], "keep the shape"),
        (check.ex_1_3, lambda m: m @ m.T, "which users"),
        (check.ex_1_3, lambda m: m.T @ m, "Should that count"),
        (check.ex_1_3, lambda m: np.zeros((4, 4)), "Which factor is transposed"),
        (check.ex_1_3, lambda m: np.zeros((2, 4)), "One row and one column"),
        (check.ex_1_4, lambda m: 1 / (1 + np.exp(m)), "wrong sign"),
        (check.ex_1_4, lambda m: -1 / (1 + np.exp(-m)), "already right"),
        (check.ex_1_4, lambda m: np.logaddexp(0, -m), "the loss itself"),
        (check.ex_1_4, lambda m: m, "chain rule"),
        (check.ex_1_5, (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)), "how many hits"),
        (check.ex_1_5, 1 / np.log2(3) + 1 / np.log2(5), "Divide"),
        (check.ex_1_5, 0.5, "precision"),
        (check.ex_1_5, 0.123, "place is 1"),
        (check.ex_1_5, "a half", "one number"),
        (check.ex_1_6, plus_half, "Which term"),
        (check.ex_1_6, upside_down, "upside down"),
        (check.ex_1_6, lambda items, query: items, "Return two arrays"),
        (check.ex_1_6, lambda items, query: (items, query), "One number more"),
        (check.ex_1_7, lambda n, b: b // n // 8 * 8, "four bytes, not one"),
        (check.ex_1_7, lambda n, b: b // (8 * n) // 8 * 8, "float64"),
        (check.ex_1_7, lambda n, b: b // (4 * n), "multiple of 8"),
        (check.ex_1_7, lambda n, b: 8, "not the largest"),
        (check.ex_2_1, lambda n, w: pairs_by_hand(n, w) / 2, "Which of them is the centre"),
        (check.ex_2_1, lambda n, w: pairs_by_hand(n, w) + n, "context of itself"),
        (check.ex_2_1, lambda n, w: 2 * sum(n - d for d in range(w + 1)), "context of itself"),
        (check.ex_2_1, lambda n, w: 2 * n * w, "near the two ends"),
        (check.ex_2_1, lambda n, w: n * (2 * w + 1), "Two things"),
        (check.ex_2_1, lambda n, w: pairs_by_hand(n, w - 1), "How far apart"),
        (check.ex_2_1, lambda n, w: (n - 2 * w) * 2 * w, "still have neighbours"),
        (check.ex_2_1, lambda n, w: n * n, "Fix a distance"),
        (check.ex_2_1, pairs_below_zero, "not for 3 and 5"),
        (check.ex_2_1, lambda n, w: max(pairs_by_hand(n, w), 2), "not for 1 and 5"),
        (check.ex_2_1, lambda n, w: pairs_by_hand(n, w) if n else 1, "not for 0 and 5"),
        (check.ex_2_1, lambda n, w: pairs_by_hand(n, max(w, 4)), "not for 12 and 2"),
        (check.ex_2_2, lambda c, a: c**a, "sum to 1, and yours do not"),
        (check.ex_2_2, lambda c, a: (c / c.sum()) ** a, "Which step should come last"),
        (check.ex_2_2, lambda c, a: c**a / c.sum(), "sum of the counts"),
        (check.ex_2_2, lambda c, a: c / c.sum(), "the exponent come in"),
        (check.ex_2_2, lambda c, a: powered(c, -a), "the power and the sum"),
        (check.ex_2_2, lambda c, a: powered(c, a).sum(), "One probability an item"),
        (check.ex_2_2, lambda c, a: powered(c, 0.75), "not for -0.5"),
        (check.ex_2_2, lambda c, a: powered(c, a or 1), "not for 0."),
        (check.ex_2_2, powered_whole_numbers, "Of what type"),
        (check.ex_2_3, lambda h, t, n: -gradient(h, t, n), "makes the loss fall"),
        (check.ex_2_3, lambda h, t, n: pull(h, t) - push(h, n), "One of the two parts"),
        (check.ex_2_3, lambda h, t, n: push(h, n) - pull(h, t), "One of the two parts"),
        (check.ex_2_3, lambda h, t, n: late_pull(h, t) + push(h, n), "pull to the target"),
        (check.ex_2_3, lambda h, t, n: pull(h, t) + late_push(h, n), "push off a negative"),
        (check.ex_2_3, lambda h, t, n: late_pull(h, t) + late_push(h, n), "inside σ"),
        (check.ex_2_3, lambda h, t, n: pull(h, t) + push(h, n) / len(n), "looks like a mean"),
        (check.ex_2_3, lambda h, t, n: gradient(h, t, n) / (1 + len(n)), "looks like a mean"),
        (check.ex_2_3, lambda h, t, n: pull(h, t), "One part of the loss alone"),
        (check.ex_2_3, lambda h, t, n: push(h, n), "One part of the loss alone"),
        (check.ex_2_3, lambda h, t, n: pull(t, h), "slope in the target"),
        (check.ex_2_3, lambda h, t, n: np.logaddexp(0, -h @ t), "for each dimension of e"),
        (check.ex_2_3, lambda h, t, n: n.sum(axis=0) - t, "Term by term"),
        (check.ex_2_4, lambda e, c: masked_mean(e, c) * (c >= 0).mean(1)[:, None], "by C"),
        (check.ex_2_4, lambda e, c: e[c].mean(axis=1), "table[-1]"),
        (check.ex_2_4, lambda e, c: e[c].sum(1) / (c >= 0).sum(1)[:, None], "table[-1]"),
        (check.ex_2_4, lambda e, c: (e[c] * (c >= 0)[..., None]).sum(1), "their mean"),
        (check.ex_2_4, lambda e, c: masked_mean(e, c, first=1), "Code 0"),
        (check.ex_2_4, lambda e, c: e[c[:, 0]], "real contexts"),
        (check.ex_2_4, lambda e, c: e[c].mean(axis=0), "One mean for each row"),
        (check.ex_2_4, lambda e, c: e[c].sum(1) / (c >= 0).sum(1), "lack an axis"),
        (check.ex_2_4, lambda e, c: (e[c] * (c >= 0)).sum(1), "lack an axis"),
        (check.ex_2_4, mean_with_a_zero_row, "array has changed"),
        (check.ex_2_5, lambda s, q, n: q * np.exp(s), "inside the logarithm"),
        (check.ex_2_5, lambda s, q, n: q * np.exp(s) / n, "inside the logarithm"),
        (check.ex_2_5, lambda s, q, n: n * np.exp(s) / q, "the wrong way"),
        (check.ex_2_5, lambda s, q, n: np.exp(s) / q, "the wrong way"),
        (check.ex_2_5, lambda s, q, n: softmax(s - np.log(q)), "the wrong way"),
        (check.ex_2_5, lambda s, q, n: np.exp(s), "left to solve"),
        (check.ex_2_5, lambda s, q, n: n * np.exp(s), "above its noise"),
        (check.ex_2_5, lambda s, q, n: softmax(s), "scores alone"),
        (check.ex_2_5, lambda s, q, n: sigma(s), "real or drawn"),
        (check.ex_2_5, lambda s, q, n: q, "as an equation"),
        (check.ex_2_5, lambda s, q, n: s @ q, "One probability an item"),
        (check.ex_2_5, lambda s, q, n: 5 * q * np.exp(s), "not for 20"),
        (check.ex_2_6, lambda v, d: weighted_mean(v[::-1], d), "age 0"),
        (check.ex_2_6, lambda v, d: ages(v, d)[::-1] @ v, "age 0"),
        (check.ex_2_6, lambda v, d: ages(v, d) @ v, "weighted sum"),
        (check.ex_2_6, lambda v, d: d * ages(v, d) @ v, "weighted sum"),
        (check.ex_2_6, lambda v, d: ages(v, d) @ v / len(v), "how many vectors"),
        (check.ex_2_6, lambda v, d: v.mean(axis=0), "Where does the decay"),
        (check.ex_2_6, moving_average, "endless histories"),
        (check.ex_2_6, lambda v, d: v[-1], "four weights"),
        (check.ex_2_6, lambda v, d: ages(v, d)[:, None] * v, "One number a dimension"),
        (check.ex_2_6, decayed_in_place, "array has changed"),
        (check.ex_2_6, geometric_sum, "not for decay 1"),
        (check.ex_2_6, lambda v, d: weighted_mean(v, d) * (len(v) > 1), "a single vector"),
        (check.ex_2_7, lambda c, a: meeting(c, 1), "two different laws"),
        (check.ex_2_7, lambda c, a: powered(c, a) @ powered(c, a), "two different laws"),
        (check.ex_2_7, lambda c, a: c.max() / c.sum(), "about one item"),
        (check.ex_2_7, lambda c, a: powered(c, a).max(), "about one item"),
        (check.ex_2_7, lambda c, a: 1 / len(c), "equally frequent"),
        (check.ex_2_7, lambda c, a: c / c.sum() @ c**a, "sum to 1"),
        (check.ex_2_7, lambda c, a: c @ powered(c, a), "sum to 1"),
        (check.ex_2_7, lambda c, a: c @ c**a, "sum to 1"),
        (check.ex_2_7, lambda c, a: ((c / c.sum()) ** (1 + a)).sum(), "sum to 1"),
        (check.ex_2_7, lambda c, a: 1 - meeting(c, a), "the two differ"),
        (check.ex_2_7, lambda c, a: 0.5, "One item first"),
        (check.ex_2_7, lambda c, a: powered(c, a), "one number"),
        (check.ex_2_7, lambda c, a: meeting(c, abs(a)), "not for -0.5"),
    ],
)
def test_usual_mistakes_get_a_hint(checker, answer, word):
    verdict = checker(answer)
    assert not verdict.passed
    assert word in verdict.message


FUNCTIONS = [
    getattr(check, name) for name in check.__all__ if name.startswith("ex_") and name != "ex_1_5"
]


@pytest.mark.parametrize("checker", FUNCTIONS, ids=lambda checker: checker.__name__)
def test_what_is_no_answer_is_told_kindly(checker):
    assert checker(...) == UNANSWERED
    assert "expects a function" in checker(3).message
    assert "return missing" in checker(lambda *_: None).message
    assert "ZeroDivisionError" in checker(lambda *_: 1 / 0).message


NAN = float("nan")
RETURNS = {
    "text": "a half",
    "list": [1, 2],
    "ragged": [[1], [1, 2]],
    "empty": {},
    "nan": NAN,
    "infinite": float("inf"),
    "bool": True,
    "complex": 1j,
    "huge": 10**400,
    "wrong length": np.ones(7),
    "no numbers": np.array(["a", "b"]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "sparse": sparse.csr_array(np.eye(2)),
    "old sparse": sparse.csr_matrix(np.eye(3)),
    "pair of texts": ("a", "b"),
    "pair of wrong shapes": (np.ones(3), 1),
    "pair with nan": (np.full((30, 6), NAN), np.full(6, NAN)),
    "slopes of nan": np.full(5, NAN),
    "probabilities of nan": np.full(3, NAN),
    "probabilities of inf": np.array([np.inf, -np.inf, np.inf]),
    "the largest numbers": np.array([1.7e308, -1.7e308, 1.7e308, -1.7e308]),
    "means of nan": np.full((4, 2), NAN),
    "a verdict": check.ex_1_5(0.5),
}


@pytest.mark.parametrize("name", RETURNS)
@pytest.mark.parametrize("checker", FUNCTIONS, ids=lambda checker: checker.__name__)
def test_whatever_a_function_returns_is_answered_with_a_hint(checker, name):
    verdict = checker(lambda *_: RETURNS[name])
    assert isinstance(verdict, Verdict)
    assert not verdict.passed
    assert verdict.message


@pytest.mark.parametrize("name", RETURNS)
def test_whatever_stands_for_the_number_is_answered_with_a_hint(name):
    assert not check.ex_1_5(RETURNS[name]).passed


NDCG = (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3) + 1 / np.log2(4))


@pytest.mark.parametrize("kind", [float, np.float32, np.float64, np.array])
def test_every_kind_of_number_is_one(kind):
    assert check.ex_1_5(kind(NDCG)).passed
    assert check.ex_1_1(lambda u, i, n: kind(n / i)).passed
    assert check.ex_1_7(lambda n, b: kind(b // (4 * n) // 8 * 8)).passed


def test_a_function_that_fails_only_on_the_second_case_gets_a_hint():
    def dense(n_users, n_items, items_per_user):
        if n_users > 1000:
            raise MemoryError("too large")
        return items_per_user / n_items

    assert "MemoryError: too large" in check.ex_1_1(dense).message
    assert "one number" in check.ex_1_1(lambda u, i, n: n / i if u < 1000 else "few").message


def test_a_verdict_is_true_if_passed_and_shows_its_words():
    assert not ask(...)
    assert repr(check.ex_1_7(lambda n, b: b // (4 * n) // 8 * 8)).startswith("Right. ")


@pytest.mark.parametrize("shape", [(), (3,), (4,), (4, 2)])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_tensor_that_requires_a_gradient_is_answered_with_a_hint(number, shape):
    checker = getattr(check, f"ex_2_{number}")
    verdict = checker(lambda *_: torch.ones(shape, requires_grad=True))
    assert not verdict.passed
    assert verdict.message
