"""Every checker passes its solution, fails the unfinished stub, and knows the usual mistakes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
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
    ],
)
def test_usual_mistakes_get_a_hint(checker, answer, word):
    verdict = checker(answer)
    assert not verdict.passed
    assert word in verdict.message


@pytest.mark.parametrize("checker", [check.ex_1_1, check.ex_1_2, check.ex_1_3, check.ex_1_4])
def test_what_is_no_answer_is_told_kindly(checker):
    assert checker(...) == UNANSWERED
    assert "expects a function" in checker(3).message
    assert "return missing" in checker(lambda *_: None).message
    assert "ZeroDivisionError" in checker(lambda *_: 1 / 0).message


FUNCTIONS = [check.ex_1_1, check.ex_1_2, check.ex_1_3, check.ex_1_4, check.ex_1_6, check.ex_1_7]
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
