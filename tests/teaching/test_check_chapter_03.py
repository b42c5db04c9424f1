"""The checkers of chapter 3 pass every right way, and answer usual mistakes each in its words."""

import numpy as np
import pandas as pd
import pytest
import torch

from companion.alias import alias_setup
from companion.interactions import Interactions
from companion.item_graph import build_item_graph
from companion.teaching import check
from companion.teaching.check._cases import any_diagonal, any_scale


def hollow(matrix):
    return np.where(np.eye(len(matrix)) > 0, 0, matrix)


def normed(weights):
    return weights / weights.sum()


# 3.1


def parts(both):
    n = np.diag(both)
    return n[:, None], n[None, :], n[:, None] + n - both


def jaccard(both):
    return hollow(both / parts(both)[2])


def jaccard_pair_by_pair(both):
    out = [[0.0] * len(both) for _ in both]
    for i, row in enumerate(both):
        for j, n_ij in enumerate(row):
            if i != j:
                out[i][j] = n_ij / (both[i, i] + both[j, j] - n_ij)
    return out


def jaccard_less_one(both):
    n = both.diagonal()
    return both / (np.add.outer(n, n) - both) - np.eye(len(both))


def jaccard_filled(both):
    weights = both / parts(both)[2]
    np.fill_diagonal(weights, 0)
    return weights


def jaccard_filled_too_early(both):
    union = parts(both)[2]
    np.fill_diagonal(both, 0)
    return both / union


def jaccard_of_whole_numbers(both):
    out = np.zeros_like(both)
    out[...] = jaccard(both)
    return out


def jaccard_without_ones(both):
    weights = both / parts(both)[2]
    weights[weights == 1] = 0
    return weights


def row_sums(both):
    n = both.sum(axis=1)
    return both / (n[:, None] + n - both)


# 3.2


def time_spent(weights):
    return weights.sum(axis=1) / weights.sum()


def many_steps(weights, steps=400):
    law = np.ones(len(weights)) / len(weights)
    for _ in range(steps):
        law = law @ (weights / weights.sum(axis=1, keepdims=True))
    return law


def two_phases(weights):
    return (many_steps(weights) + many_steps(weights, 401)) / 2


def fixed_point(weights):
    moves = weights / weights.sum(axis=1, keepdims=True)
    equations = np.vstack([moves.T - np.eye(len(weights)), np.ones(len(weights))])
    return np.linalg.lstsq(equations, np.append(np.zeros(len(weights)), 1), rcond=None)[0].tolist()


def walked(weights):
    rng, v, visits = np.random.default_rng(0), 0, np.zeros(len(weights))
    for _ in range(5000):
        v = rng.choice(len(weights), p=weights[v] / weights[v].sum())
        visits[v] += 1
    return visits / visits.sum()


def degrees_of(weights):
    return (weights > 0).sum(axis=1)


def one_step(weights):
    return many_steps(weights, 1)


# 3.3


def step_with(weights, u, v, at_u, near, far, row=None, around=None):
    factors = np.where(weights[u if around is None else around] > 0, near, far)
    factors[u] = at_u
    return weights[v if row is None else row] * factors


def step(weights, u, v, p, q):
    return normed(step_with(weights, u, v, 1 / p, 1.0, 1 / q))


def step_node_by_node(weights, u, v, p, q):
    out = []
    for c, weight in enumerate(weights[v]):
        if c == u:
            out.append(weight / p)
        else:
            out.append(weight if weights[u, c] > 0 else weight / q)
    return [x / sum(out) for x in out]


def step_of_rejection(weights, u, v, p, q):
    near = (weights[u] > 0).astype(float)
    bias = near + (1 - near) / q
    bias[u] = 1 / p
    tried = weights[v] / weights[v].sum() * bias / bias.max()
    return tried / tried.sum()


def step_in_place(weights, u, v, p, q):
    row = weights[v]
    row[u] /= p
    return normed(row)


def slipped(at_u, near, far, **where):
    """Return a step with factors that are functions of p and q, and maybe the wrong rows."""

    def answer(w, u, v, p, q):
        rows = {name: {"u": u, "v": v}[node] for name, node in where.items()}
        return normed(step_with(w, u, v, at_u(p, q), near(p, q), far(p, q), **rows))

    return answer


def one(p, q):
    return 1.0


def over_p(p, q):
    return 1 / p


def over_q(p, q):
    return 1 / q


def times_p(p, q):
    return p


def times_q(p, q):
    return q


def unweighted(weights, u, v, p, q):
    return step((weights > 0).astype(float), u, v, p, q)


def factors_of(weights, u, p, q):
    factors = np.where(weights[u] > 0, 1, 1 / q)
    factors[u] = 1 / p
    return factors


def step_into_u(weights, u, v, p, q):
    return normed(weights[v] * factors_of(weights.T, u, p, q))


# 3.4


def masses(accept, alias):
    return (accept + np.bincount(alias, 1 - accept, len(accept))) / len(accept)


def masses_column_by_column(accept, alias):
    out = [0.0] * len(accept)
    for k, (share, other) in enumerate(zip(accept, alias, strict=True)):
        out[k] += share / len(accept)
        out[other] += (1 - share) / len(accept)
    return out


def masses_by_a_matrix(accept, alias):
    lent = (alias[None, :] == np.arange(len(alias))[:, None]) @ (1 - accept)
    return (accept + lent) / len(accept)


def masses_added_at(accept, alias):
    out = accept.copy()
    np.add.at(out, alias, 1 - accept)
    return out / out.sum()


def masses_in_place(accept, alias):
    np.add.at(accept, alias, 1 - accept)
    return accept / len(accept)


def last_lender(accept, alias):
    out = accept.copy()
    out[alias] += 1 - accept
    return out / len(out)


def wrong_side(accept, alias):
    return (1 - accept + np.bincount(alias, accept, len(accept))) / len(accept)


# 3.5


def acceptance(weights, factors):
    return normed(weights) @ factors / factors.max()


def acceptance_edge_by_edge(weights, factors):
    pairs = zip(weights, factors, strict=True)
    return sum(w * f / max(factors) for w, f in pairs) / sum(weights)


def below_a_top_of_1(weights, factors):
    return weights @ factors / weights.sum() / max(1, factors.max())


# 3.6


def entries(degrees):
    return degrees.sum(), (degrees**2).sum()


def entries_node_by_node(degrees):
    return [sum(int(d) for d in degrees), sum(int(d) * int(d) for d in degrees)]


def pair(first, second):
    return lambda d: (first(d), second(d))


def ends(d):
    return d.sum()


def squares(d):
    return d @ d


# 3.7


def two_steps(bought):
    return (bought / bought.sum(axis=0)).T @ (bought / bought.sum(axis=1, keepdims=True))


def two_steps_by_hand(bought):
    out = np.zeros((bought.shape[1], bought.shape[1]))
    for i, held in enumerate(bought.T):
        for basket in bought[held > 0]:
            out[i] += basket / basket.sum() / held.sum()
    return out.tolist()


def by_rows(matrix):
    return matrix / matrix.sum(axis=1, keepdims=True)


def never_back(bought):
    return hollow(two_steps(bought))


def both_on_axis_0(bought):
    return (bought / bought.sum(0)).T @ (bought / bought.sum(1))


def five_by_three(bought):
    return two_steps(bought) if len(bought) != bought.shape[1] else by_rows(bought.T @ bought)


RIGHT = {
    check.ex_3_1: [jaccard, jaccard_pair_by_pair, jaccard_less_one, jaccard_filled],
    check.ex_3_2: [time_spent, two_phases, fixed_point],
    check.ex_3_3: [step, step_node_by_node, step_of_rejection],
    check.ex_3_4: [masses, masses_column_by_column, masses_by_a_matrix, masses_added_at],
    check.ex_3_5: [acceptance, acceptance_edge_by_edge],
    check.ex_3_6: [entries, entries_node_by_node, lambda d: np.array([ends(d), squares(d)])],
    check.ex_3_7: [two_steps, two_steps_by_hand],
}
N_ARRAYS = {check.ex_3_4: 2, check.ex_3_5: 2}  # of the others: 1


@pytest.mark.parametrize(
    ("checker", "answer"), [(checker, answer) for checker in RIGHT for answer in RIGHT[checker]]
)
def test_every_way_that_is_right_passes(checker, answer):
    verdict = checker(answer)
    assert verdict.passed, verdict


@pytest.mark.parametrize("checker", RIGHT)
def test_an_answer_that_writes_into_its_arguments_is_told_and_spoils_no_later_check(checker):
    answer = RIGHT[checker][0]
    for place in range(N_ARRAYS.get(checker, 1)):

        def writer(*arguments, place=place):
            result = answer(*arguments)
            arguments[place][...] = 2
            return result

        assert "array has changed" in checker(writer).message
    assert checker(answer).passed


def mistakes_of_jaccard():
    def over(divisor):
        return lambda both: both / divisor(*parts(both)[:2])

    formulas = [
        (over(lambda i, j: i + j), "in n_i and in n_j"),
        (lambda b: 2 * over(lambda i, j: i + j)(b), "in n_i and in n_j"),
        (lambda b: b / (parts(b)[2] - b), "in n_i and in n_j"),
        (over(np.minimum), "users of one item"),
        (over(np.maximum), "users of one item"),
        (over(lambda i, j: i), "users of one item"),
        (over(lambda i, j: j), "users of one item"),
        (over(lambda i, j: np.sqrt(i * j)), "the cosine"),
        (lambda b: b / (2 * np.diag(b)[:, None] - b), "needs another axis"),
        (lambda b: b / (np.diag(b) + np.diag(b).T - b), "needs another axis"),
        (lambda b: b / parts(b)[0] + parts(b)[1] - b, "Division goes first"),
        (lambda b: b / parts(b)[1] + parts(b)[0] - b, "Division goes first"),
        (row_sums, "row's sum"),
    ]
    for formula, word in formulas:
        yield formula, word
        yield (lambda both, formula=formula: hollow(formula(both))), word
    yield (lambda b: b / parts(b)[2]), "meets itself"
    yield jaccard_of_whole_numbers, "whole numbers"
    yield jaccard_filled_too_early, "array has changed"
    yield jaccard_without_ones, "always come together"
    yield (lambda b: hollow(np.ones(b.shape))), "For one pair"
    yield (lambda b: jaccard(b)[0]), "One weight a pair of items makes (4, 4)"


def mistakes_of_a_step():
    yield from [
        (lambda w, u, v, p, q: step_with(w, u, v, 1 / p, 1, 1 / q), "In the right proportion"),
        (slipped(over_q, one, over_p), "changed places"),
        (slipped(times_q, one, times_p), "changed places"),
        (slipped(times_p, one, times_q), "What does a small p do"),
        (slipped(times_p, one, over_q), "What does a small p do"),
        (slipped(over_p, one, times_q), "What does a small p do"),
        (unweighted, "Heavy and light"),
        (lambda w, u, v, p, q: normed(factors_of(w, u, p, q)), "also goes where v has no edge"),
        (slipped(over_p, one, over_q, row="u"), "from u, or from v"),
        (slipped(over_p, one, over_q, row="u", around="v"), "from u, or from v"),
        (lambda w, u, v, p, q: step(w, v, u, p, q), "from u, or from v"),
        (slipped(over_q, one, over_q), "a case of its own"),
        (slipped(one, one, over_q), "a case of its own"),
        (slipped(over_p, one, over_q, around="v"), "Near to which node"),
        (slipped(over_p, over_q, one), "does q concern"),
        (slipped(one, one, one), "forgotten u"),
        (lambda w, u, v, p, q: w[v], "forgotten u"),
        (lambda w, u, v, p, q: step_with(w, u, v, 1 / q, 1, 1 / p), "changed places"),
        (lambda w, u, v, p, q: np.eye(5)[u], "is it u, has u"),
        (lambda w, u, v, p, q: step(w, u, v, p, q)[w[v] > 0], "One probability a node"),
        (lambda w, u, v, p, q: step(w, u, v, 0.5, 4), "not for p = q = 1"),
        (lambda w, u, v, p, q: step(w, u, v, p, 4 if p < 1 else p), "not for others"),
        (step_into_u, "where edges have a direction"),
        (lambda w, u, v, p, q: step(w + w.T, u, v, p, q), "where edges have a direction"),
        (step_in_place, "array has changed"),
    ]


MISTAKES = {
    check.ex_3_1: list(mistakes_of_jaccard()),
    check.ex_3_2: [
        (lambda w: w.sum(axis=1), "What do yours sum to"),
        (lambda w: 2 * time_spent(w), "What do yours sum to"),
        (lambda w: w.sum(axis=1) / w.sum(axis=1).max(), "What do yours sum to"),
        (lambda w: w.mean(axis=1), "What do yours sum to"),
        (lambda w: normed(degrees_of(w)), "prefer heavy ones"),
        (degrees_of, "prefer heavy ones"),
        (lambda w: np.full(len(w), 1 / len(w)), "As long at every node"),
        (one_step, "And many steps"),
        (walked, "a walk that is drawn"),
        (lambda w: normed(w.max(axis=1)), "one more step"),
        (lambda w: by_rows(w), "One share a node"),
        (many_steps, "not on a star"),
    ],
    check.ex_3_3: list(mistakes_of_a_step()),
    check.ex_3_4: [
        (lambda a, b: masses(a, b) * len(a), "one of n"),
        (lambda a, b: a / len(a), "its rest belong"),
        (lambda a, b: a, "its rest belong"),
        (lambda a, b: normed(a), "its rest belong"),
        (lambda a, b: np.bincount(b, 1 - a, len(a)) / len(a), "the other part"),
        (last_lender, "+= add them all"),
        (lambda a, b: last_lender(a, b) * len(a), "+= add them all"),
        (wrong_side, "which alias[k]'s"),
        (lambda a, b: (a + np.bincount(b, a, len(a))) / len(a), "which alias[k]'s"),
        (lambda a, b: (a + np.bincount(b, minlength=len(a))) / len(a), "all it has"),
        (lambda a, b: (a + (1 - a)[b]) / len(a), "Who lends to k"),
        (lambda a, b: np.full(len(a), 1 / len(a)), "outcomes were alike"),
        (lambda a, b: (a + np.bincount(b, 1 - a)) / len(a), "the last outcomes"),
        (masses_in_place, "array has changed"),
        (lambda a, b: normed(b), "Go through the columns"),
        (lambda a, b: masses(a, b).sum(), "One probability an outcome"),
        (lambda a, b: masses(a, b) + (len(a) == 2), "not for two of them"),
        (lambda a, b: np.maximum(masses(a, b), 0.01), "never drawn"),
    ],
    check.ex_3_5: [
        (lambda w, f: f.mean() / f.max(), "drawn equally often"),
        (lambda w, f: f.mean(), "drawn equally often"),
        (lambda w, f: normed(w) @ f, "Factors can exceed 1"),
        (lambda w, f: 1 / acceptance(w, f), "how many tries"),
        (lambda w, f: 1 / (normed(w) @ f), "how many tries"),
        (lambda w, f: normed(w) @ normed(f), "all factors together"),
        (lambda w, f: w @ f / f.max(), "are drawn sum to 1"),
        (lambda w, f: w @ f, "are drawn sum to 1"),
        (lambda w, f: (w * f).mean(), "are drawn sum to 1"),
        (lambda w, f: (w * f).mean() / f.max(), "are drawn sum to 1"),
        (lambda w, f: 1 - acceptance(w, f), "refused"),
        (lambda w, f: (w * f).mean() / (w * f).max(), "spent in the draw"),
        (lambda w, f: normed(w) @ f / (w * f).max(), "spent in the draw"),
        (lambda w, f: 0.5, "For each edge"),
        (lambda w, f: w * f, "one number"),
        (below_a_top_of_1, "all factors are below 1"),
        (lambda w, f: min(acceptance(w, f), 0.9), "all factors are equal"),
    ],
    check.ex_3_6: [
        (pair(squares, ends), "wrong order"),
        (pair(lambda d: ends(d) / 2, squares), "an edge has two ends"),
        (pair(len, squares), "First order: that is how many tables"),
        (pair(lambda d: 2 * ends(d), squares), "First order: count an entry once"),
        (pair(squares, squares), "First order: one table a node"),
        (pair(ends, lambda d: squares(d) / 2), "walked both ways"),
        (pair(ends, lambda d: (d**3).sum()), "two choices, not three"),
        (pair(ends, lambda d: len(d) * ends(d)), "any node, or by any edge"),
        (pair(ends, lambda d: ends(d) ** 2), "any node, or by any edge"),
        (pair(ends, lambda d: (d * (d - 1)).sum()), "not turn back"),
        (pair(ends, ends), "Second order: that is how many tables"),
        (pair(ends, lambda d: 2 * squares(d)), "Second order: count an entry once"),
        (pair(ends, len), "how many edges lead to v"),
        (lambda d: (d, d**2), "each in all of the graph"),
        (ends, "each in all of the graph"),
        (lambda d: "few", "array of numbers"),
        (lambda d: entries(np.maximum(d, 1)), "a lone node"),
    ],
    check.ex_3_7: [
        (lambda b: (b / b.sum(0)).T @ b, "A basket holds"),
        (lambda b: b.T @ by_rows(b), "An item stands"),
        (lambda b: two_steps(b).T, "Turned round"),
        (lambda b: by_rows(b.T @ b), "drawn before the item"),
        (never_back, "on your diagonal"),
        (lambda b: by_rows(never_back(b)), "on your diagonal"),
        (lambda b: b.T @ b, "How likely is each step"),
        (lambda b: by_rows(b) @ by_rows(b.T), "from basket to basket"),
        (both_on_axis_0, "loses an axis"),
        (lambda b: by_rows(b.T), "One probability a pair of items"),
        (lambda b: np.full((3, 3), 1 / 3), "rows sum to 1"),
        (five_by_three, "where both are three"),
    ],
}


@pytest.mark.parametrize(
    ("checker", "answer", "word"),
    [(checker, *mistake) for checker in MISTAKES for mistake in MISTAKES[checker]],
)
def test_usual_mistakes_get_a_hint(checker, answer, word):
    verdict = checker(answer)
    assert not verdict.passed
    assert word in verdict.message


@pytest.mark.parametrize("checker", RIGHT)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.7e308, 0, 1])
def test_nothing_but_the_answer_passes_in_its_shape(checker, value):
    answer = RIGHT[checker][0]
    verdict = checker(lambda *arguments: np.full(np.shape(answer(*arguments)), value))
    assert not verdict.passed
    assert verdict.message


@pytest.mark.parametrize("shape", [(), (2,), (4,), (5,), (4, 4), (3, 3)])
@pytest.mark.parametrize("checker", RIGHT)
def test_a_tensor_that_requires_a_gradient_is_answered_with_a_hint(checker, shape):
    verdict = checker(lambda *_: torch.ones(shape, requires_grad=True))
    assert not verdict.passed
    assert verdict.message


def test_the_right_answers_agree_with_the_package():
    had = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1], [1, 0, 0, 0]])
    users, items = had.nonzero()
    log = Interactions.from_frame(pd.DataFrame({"user": users, "item": items}), timestamp=None)
    graph = build_item_graph(log)
    np.testing.assert_allclose(jaccard(had.T @ had), graph.adjacency.toarray())
    np.testing.assert_allclose(time_spent(graph.adjacency.toarray()), normed(graph.strengths()))
    assert entries(graph.degrees())[0] == graph.adjacency.nnz
    np.testing.assert_allclose(masses(*alias_setup([5.0, 0, 1, 2])), [5 / 8, 0, 1 / 8, 2 / 8])


def test_results_in_any_scale_and_with_any_diagonal():
    raw, mean, law = any_scale(np.array([2.0, 6.0]))
    assert (raw.tolist(), mean.tolist(), law.tolist()) == ([2, 6], [1, 3], [0.25, 0.75])
    as_it_is, without = any_diagonal(np.ones((2, 2)))
    assert as_it_is.tolist() == [[1, 1], [1, 1]]
    assert without.tolist() == [[0, 1], [1, 0]]
