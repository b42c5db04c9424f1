"""The engines: one step by hand, gradients against autograd, laws, threads, and gensim's mapping.

A noise distribution with a single item in it makes every negative known beforehand; that of the
kernels is followed number by number.
"""

from __future__ import annotations

import itertools
import logging
import math
import sys

import numpy as np
import pytest
import torch
from scipy import stats

from companion.losses import sgns_loss
from companion.sequences import Sequences
from companion.sgns import (
    LossProbe,
    Objective,
    keep_probability,
    make_engine,
    noise_distribution,
    start_tables,
    torch_engine,
    train,
    width_law,
)
from companion.sgns._kernels import GROUP, walk
from companion.sgns.gensim_engine import LONGEST
from companion.sgns.torch_engine import BATCH

LOG3 = math.log(3)  # the sigmoid of log 3 is 3/4, that of -log 3 is 1/4
ENGINES = ("torch", "fast", "gensim")
OURS = ("torch", "fast")
MODES = ("skipgram", "cbow")


def pack(lists):
    items = np.array([item for one in lists for item in one], dtype=np.int32)
    return Sequences(items, np.cumsum([0, *map(len, lists)]))


def only(item, n):
    """Counts of which the noise distribution draws one item, always."""
    return np.eye(n, dtype=np.int64)[item]


def table(*rows):
    return np.array(rows, dtype=np.float32)


def random_tables(n, dim, seed=0, scale=0.4):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(0, scale, (n, dim)).astype(np.float32) for _ in range(2))


def run_engine(name, objective, lists, tables, counts, rates, seed=0, **options):
    """Run one epoch and return the tables."""
    engine = make_engine(name, objective, tables, counts, **options)
    engine.run_epoch(pack(lists), rates, rng=np.random.default_rng(seed))
    return engine.tables()


def run_kernel(objective, lists, tables, counts, rates, seed=1):
    """Run one epoch of a compiled kernel, called directly, and return the tables."""
    sequences, law = pack(lists), width_law(objective.window, objective.distance_decay)
    inputs = tables[0].copy()
    outputs = inputs if objective.shared_matrix else tables[1].copy()
    walk(
        sequences.items, sequences.offsets, 0, len(sequences), objective.mode == "cbow", law,
        objective.negatives, objective.mask_accidental, inputs, outputs,
        *objective.noise(counts), *rates, np.array([seed], dtype=np.uint64),
    )  # fmt: skip
    return inputs, outputs


def close(found, expected, tolerance=1e-6):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# --- one step by hand --------------------------------------------------------------------
#
# Rate 1/2.  Each input row is orthogonal to the other's, and the one negative is item 2:
#   0 -> 1: score  log 3, so the pair misses 1/4;  negative at -log 3 misses 1/4
#   1 -> 0: score -log 3, so the pair misses 3/4;  negative at -log 3 misses 1/4

INPUTS = table([LOG3, 0], [0, LOG3], [5, 5])
OUTPUTS = table([0, -1], [1, 0], [-1, -1])
PAIR = Objective(window=1, negatives=1)


def test_golden_skip_gram_step_in_torch():
    inputs, outputs = run_engine("torch", PAIR, [[0, 1]], (INPUTS, OUTPUTS), only(2, 3), (0.5, 0.5))
    # 1/2 (1/4 (1, 0) - 1/4 (-1, -1)) and 1/2 (3/4 (0, -1) - 1/4 (-1, -1))
    close(inputs, [[LOG3 + 1 / 4, 1 / 8], [1 / 8, LOG3 - 1 / 4], [5, 5]])
    close(outputs, [[0, -1 + 3 / 8 * LOG3], [1 + LOG3 / 8, 0], [-1 - LOG3 / 8, -1 - LOG3 / 8]])


def test_golden_skip_gram_step_in_the_kernel():
    inputs, outputs = run_kernel(PAIR, [[0, 1]], (INPUTS, OUTPUTS), only(2, 3), (0.5, 0.5))
    # The second pair meets the negative where the first has left it: at (-1 - log 3 / 8, -1).
    second = 1 / 2 * (3 / 4 * 0 + 1 / 4 * (1 + LOG3 / 8))
    close(inputs, [[LOG3 + 1 / 4, 1 / 8], [second, LOG3 - 1 / 4], [5, 5]])
    close(outputs, [[0, -1 + 3 / 8 * LOG3], [1 + LOG3 / 8, 0], [-1 - LOG3 / 8, -1 - LOG3 / 8]])


@pytest.mark.parametrize("run", [lambda *args: run_engine("torch", *args), run_kernel])
def test_golden_cbow_step(run):
    # The row of item 1 is zero, so the centres 0 and 2, whose only context it is, move no
    # output before they are met.  Centre 1: the mean of 0 and 2 is (log 3, log 3).
    objective = Objective(mode="cbow", window=1, negatives=1)
    inputs = table([2 * LOG3, 0], [0, 0], [0, 2 * LOG3], [5, 5])
    outputs = table([0, 0], [1, 0], [0, 0], [0, -1])
    after_in, after_out = run(objective, [[0, 1, 2]], (inputs, outputs), only(3, 4), (0.5, 0.5))
    # The mean's step is 1/2 (1/4 (1, 0) - 1/4 (0, -1)) = (1/8, 1/8): half of it to each.
    close(after_in[0], [2 * LOG3 + 1 / 16, 1 / 16])
    close(after_in[2], [1 / 16, 2 * LOG3 + 1 / 16])
    close(after_out[0], [0, 0])
    close(after_out[1], [1 + LOG3 / 8, LOG3 / 8])
    close(after_in[3], [5, 5])


@pytest.mark.parametrize("run", [lambda *args: run_engine("torch", *args), run_kernel])
def test_golden_cbow_step_where_most_of_the_window_is_empty(run):
    # One context of ten places: a mean over the padding would be a tenth of the row.
    objective = Objective(mode="cbow", window=5, distance_decay=1.0, negatives=1)
    after_in, after_out = run(objective, [[0, 1]], (INPUTS, OUTPUTS), only(2, 3), (0.5, 0.5))
    # The first centre is 0 and its context is 1: what 1 -> 0 was above, with all of the step.
    close(after_out[0], [0, -1 + 3 / 8 * LOG3])
    close(after_in[1], [1 / 8, LOG3 - 1 / 4])
    close(after_out[1], [1 + LOG3 / 8, 0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("run", [lambda *args: run_engine("torch", *args), run_kernel])
def test_scores_beyond_any_sigmoid_step_as_they_should(run, mode):
    objective = Objective(mode=mode, window=1, negatives=1)
    inputs, outputs = table([100], [-100], [0]), table([-100], [-100], [100])
    after_in, after_out = run(objective, [[0, 1]], (inputs, outputs), only(2, 3), (0.5, 0.5))
    if mode == "cbow":  # the context's row meets the centre's, not the centre's the context's
        # centre 0, context 1: score +10^4, negative at -10^4: nothing is missed.
        # centre 1, context 0: score -10^4, negative at 10^4: all is missed, twice.
        close(after_in, [[100 - 50 - 50], [-100], [0]])
        close(after_out, [[-100], [-100 + 50], [100 - 50]])
    else:
        # 0 -> 1 misses all, twice; 1 -> 0 nothing, even once the negative has moved to 50.
        close(after_in, [[100 - 50 - 50], [-100], [0]])
        close(after_out, [[-100], [-100 + 50], [100 - 50]])


# --- a group of contexts and its shared negatives, by hand -------------------------------
#
# As many items as a group has contexts, and one more, in a whole window: each centre has one
# group.  Only the row of item 0 is not zero, so only the centre 0 moves outputs.  It meets item 1
# at log 3, where 1/4 is missed, and the others at 0, where 1/2 is; the last item is in no pair.

GROUP_INPUTS = table([LOG3, 0], *[[0, 0]] * GROUP, [7, 7])
GROUP_OUTPUTS = table([1, 1], [1, 0], *[[0, 0]] * (GROUP - 1), [1, 0])


def one_group(noise, **options):
    objective = Objective(window=GROUP, distance_decay=1.0, negatives=1, **options)
    tables = (GROUP_INPUTS, GROUP_OUTPUTS)
    lists, counts = [list(range(GROUP + 1))], only(noise, GROUP + 2)
    return run_kernel(objective, lists, tables, counts, (0.5, 0.5))


def test_a_shared_negative_weighs_as_much_as_the_contexts_it_stands_for():
    inputs, outputs = one_group(noise=GROUP + 1)
    # The negative at log 3 misses 3/4, once for each context.
    close(inputs[0], [LOG3 + 1 / 2 * (1 / 4 - GROUP * 3 / 4), 0])
    close(outputs[-1], [1 - 1 / 2 * GROUP * 3 / 4 * LOG3, 0])
    close(outputs[:2], [[1, 1], [1 + 1 / 2 * 1 / 4 * LOG3, 0]])
    close(outputs[2:-1], [[1 / 2 * 1 / 2 * LOG3, 0]] * (GROUP - 1))


@pytest.mark.parametrize(("mask", "weight"), [(True, GROUP - 1), (False, GROUP)])
def test_a_negative_that_is_one_of_the_contexts_stands_for_the_others(mask, weight):
    inputs, outputs = one_group(noise=GROUP, mask_accidental=mask)
    # As a context the item has moved to (log 3 / 4, 0); there the negative finds it.
    moved = LOG3 / 4
    miss = 1 / (1 + math.exp(-moved * LOG3))
    close(outputs[GROUP], [moved - 1 / 2 * weight * miss * LOG3, 0])
    close(inputs[0], [LOG3 + 1 / 2 * (1 / 4 - weight * miss * moved), 0])


# --- gradients ---------------------------------------------------------------------------


class Numbers:
    """The kernels' generator, xorshift64*, in Python's integers."""

    def __init__(self, seed):
        self.x = seed

    def uniform(self):
        self.x ^= self.x >> 12
        self.x = (self.x ^ (self.x << 25)) & (2**64 - 1)
        self.x ^= self.x >> 27
        return (self.x * 0x2545F4914F6CDD1D % 2**64 >> 11) / 2**53

    def width(self, law):
        u = self.uniform()
        return max(d for d, keep in enumerate(law.tolist(), start=1) if d == 1 or u < keep)

    def item(self, accept, alias):
        place = self.uniform() * len(accept)
        column = int(place)
        return column if place - column < accept[column] else int(alias[column])


def windows(lists, width_of):
    for items in lists:
        for i in range(len(items)):
            width = width_of()
            near = [p for p in range(len(items)) if p != i and abs(p - i) <= width]
            if near:
                yield items[i], [items[p] for p in near]


def chunks(contexts):
    return [contexts[start : start + GROUP] for start in range(0, len(contexts), GROUP)]


def examples_of_kernel(objective, lists, counts, seed=1):
    """List (input items, target, negatives) as the kernels meet them."""
    numbers, noise = Numbers(seed), objective.noise(counts)
    law = width_law(objective.window, objective.distance_decay)
    examples = []
    for centre, contexts in windows(lists, lambda: numbers.width(law)):
        groups = [[centre]] if objective.mode == "cbow" else chunks(contexts)
        for group in groups:
            negatives = [numbers.item(*noise) for _ in range(objective.negatives)]
            inputs = contexts if objective.mode == "cbow" else [centre]
            examples += [(inputs, target, negatives) for target in group]
    return examples


def downhill(examples, tables, *, mask, shared=False):
    """Minus the gradient of the summed loss, by autograd in double precision."""
    inputs, outputs = (torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in tables)
    outputs = inputs if shared else outputs
    means = torch.zeros((len(examples), len(inputs)), dtype=torch.float64)
    for row, (contexts, _, _) in enumerate(examples):
        for code in contexts:
            means[row, code] += 1 / len(contexts)
    targets = torch.tensor([target for _, target, _ in examples])
    negatives = torch.tensor([drawn for _, _, drawn in examples])
    hidden = means @ inputs
    up = (hidden * outputs[targets]).sum(dim=1)
    down = (hidden[:, None] * outputs[negatives]).sum(dim=2)
    keep = negatives != targets[:, None] if mask else None
    (sgns_loss(up, down, mask=keep) * len(examples)).backward()
    return tuple(-one.grad.numpy() for one in ([inputs] if shared else [inputs, outputs]))


LISTS = [[0, 1, 2, 3, 1, 4, 5, 0, 2], [3], [], [5, 4], [2, 2, 6]]
RATE = 1e-3
NEAR = 2e-3  # float32 divided by the rate, and what is of third order in it


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize(("window", "decay"), [(6, 1.0), (5, None)])
@pytest.mark.parametrize("shared", [False, True])
def test_the_kernels_step_is_the_gradient(mode, mask, window, decay, shared):
    objective = Objective(
        mode=mode, window=window, distance_decay=decay, negatives=3,
        mask_accidental=mask, shared_matrix=shared,
    )  # fmt: skip
    counts, tables = np.array([1, 5, 9, 2, 2, 4, 1]), random_tables(7, 4)
    examples = examples_of_kernel(objective, LISTS, counts)
    expected = downhill(examples, tables, mask=mask, shared=shared)
    # Half the way up and half the way down: that steps see the steps before them cancels out.
    there, back = (run_kernel(objective, LISTS, tables, counts, (r, r)) for r in (RATE, -RATE))
    found = [(a.astype(float) - b) / (2 * RATE) for a, b in zip(there, back, strict=True)]
    for one, gradient in zip(found, expected, strict=not shared):
        close(one, gradient, NEAR)
    # The twin: with the mask the other way round it is another gradient.
    assert any(target in negatives for _, target, negatives in examples)
    other = downhill(examples, tables, mask=not mask, shared=shared)
    assert np.abs(other[0] - expected[0]).max() > 100 * NEAR


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("noise", [7, 2])  # in no sequence, and in several
@pytest.mark.parametrize("shared", [False, True])
def test_the_torch_step_is_the_gradient(mode, mask, noise, shared, monkeypatch):
    monkeypatch.setattr(torch_engine, "STEPS_AT_ONCE", 1e9)  # all pairs in one batch
    objective = Objective(
        mode=mode, window=6, distance_decay=1.0, negatives=3,
        mask_accidental=mask, shared_matrix=shared,
    )  # fmt: skip
    counts, tables = only(noise, 8), random_tables(8, 4)
    examples = []
    for centre, contexts in windows(LISTS, lambda: 6):
        if mode == "cbow":
            examples.append((contexts, centre, [noise] * 3))
        else:
            examples += [([centre], target, [noise] * 3) for target in contexts]
    expected = downhill(examples, tables, mask=mask, shared=shared)
    # In double precision and at a rate so small that no batch sees the one before it.
    exact = tuple(one.astype(np.float64) for one in tables)
    after = run_engine("torch", objective, LISTS, exact, counts, (1e-8, 1e-8))
    for new, old, gradient in zip(after, exact, expected, strict=not shared):
        close((new - old) / 1e-8, gradient, 1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_the_fast_engine_runs_the_kernel(mode):
    objective = Objective(mode=mode, window=4, distance_decay=1.0, negatives=2)
    counts, tables = only(7, 8), random_tables(8, 4)
    engine = run_engine("fast", objective, LISTS, tables, counts, (0.05, 0.05))
    kernel = run_kernel(objective, LISTS, tables, counts, (0.05, 0.05))
    for found, expected in zip(engine, kernel, strict=True):
        np.testing.assert_array_equal(found, expected)


# --- the learning rate -------------------------------------------------------------------


def many_pairs(n):
    """Sequences of two items that stand in no other; item 2 n is always the negative."""
    lists = np.arange(2 * n).reshape(n, 2).tolist()
    tables = np.full((2 * n + 1, 1), 0.5, np.float32), np.zeros((2 * n + 1, 1), np.float32)
    return lists, tables, only(2 * n, 2 * n + 1)


def rates_used(outputs, n):
    """The rate of each pair: its target, at 0, moved by rate x 1/2 x 1/2."""
    return np.asarray(outputs[: 2 * n, 0] * 4, dtype=float)


@pytest.mark.parametrize("mode", MODES)
def test_the_rate_falls_in_a_straight_line_in_the_kernel(mode):
    lists, tables, counts = many_pairs(50)
    objective = Objective(mode=mode, window=1, negatives=1)
    _, outputs = run_kernel(objective, lists, tables, counts, (0.01, 0.002))
    expected = np.repeat(0.01 - 0.008 * np.arange(50) / 50, 2)
    np.testing.assert_allclose(rates_used(outputs, 50), expected, rtol=0.01)


@pytest.mark.parametrize("mode", MODES)
def test_the_rate_falls_batch_by_batch_in_torch(mode):
    n = 4 * BATCH
    lists, tables, counts = many_pairs(n)
    objective = Objective(mode=mode, window=1, negatives=1)
    _, outputs = run_engine("torch", objective, lists, tables, counts, (0.01, 0.002))
    used = np.sort(rates_used(outputs, n))[::-1]
    # Never below the straight line, and above it by what falls within a batch at most.
    above = used - (0.01 - 0.008 * np.arange(2 * n) / (2 * n))
    assert above.min() > -1e-4
    assert above.max() < 0.008 * BATCH / (2 * n) + 1e-4


def test_the_rate_falls_in_a_straight_line_in_the_fast_engine():
    n = 800
    lists, tables, counts = many_pairs(n)
    objective = Objective(window=1, negatives=1)
    _, outputs = run_engine("fast", objective, lists, tables, counts, (0.01, 0.002))
    expected = np.repeat(0.01 - 0.008 * np.arange(n) / n, 2)
    np.testing.assert_allclose(rates_used(outputs, n), expected, rtol=0.01)


def test_the_rate_never_falls_below_its_end(monkeypatch):
    monkeypatch.setattr(torch_engine.TorchEngine, "_expected_examples", lambda *_: 1.0)
    lists, tables, counts = many_pairs(BATCH)
    objective = Objective(window=1, negatives=1)
    _, outputs = run_engine("torch", objective, lists, tables, counts, (0.01, 0.002))
    assert rates_used(outputs, BATCH).min() > 0.0019


# --- laws of whole engines ---------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("mode", MODES)
def test_an_engine_draws_negatives_by_the_law(name, mode):
    # Each negative moves its output, at 0, by the same tiny step: that counts the draws.
    counts = np.array([0, 0, 1, 4, 25, 30, 140])
    objective = Objective(mode=mode, window=1, negatives=5, noise_exponent=-0.5)
    tables = np.ones((7, 1), np.float32), np.zeros((7, 1), np.float32)
    _, outputs = run_engine(name, objective, [[0, 1]] * 4_000, tables, counts, (1e-6, 1e-6))
    drawn = np.rint(outputs[2:, 0].astype(float) / -0.5e-6)
    assert abs(drawn.sum() - 40_000) < 200  # the sigmoid has left 1/2 by a little
    law = noise_distribution(counts, -0.5)[2:]
    assert stats.chisquare(drawn, law * drawn.sum()).pvalue > 1e-4
    for wrong in (-0.55, -0.45, 0.75):  # the twins
        law = noise_distribution(counts, wrong)[2:]
        assert stats.chisquare(drawn, law * drawn.sum()).pvalue < 1e-4


@pytest.mark.parametrize("name", OURS)
def test_an_engine_meets_contexts_by_the_width_law(name):
    # Centre 0 stands first in each sequence, so it meets distance d with P(width >= d).
    objective = Objective(window=4, negatives=1)
    tables = np.zeros((6, 1), np.float32), np.zeros((6, 1), np.float32)
    tables[0][0] = 1
    _, outputs = run_engine(
        name, objective, [[0, 1, 2, 3, 4]] * 10_000, tables, only(5, 6), (1e-6, 1e-6)
    )
    met = outputs[1:5, 0].astype(float) / 0.5e-6 / 10_000
    np.testing.assert_allclose(met, [1, 3 / 4, 2 / 4, 1 / 4], atol=0.02)
    assert met[0] > met[1] + 0.2  # the twin: a whole window would give 1 everywhere


# --- what every engine promises ----------------------------------------------------------


def planted(n_lists=300, n_groups=4, seed=0):
    """Lists from one of some groups of ten items each, and how often each item occurs."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(n_groups, size=n_lists)
    lists = [(10 * group + rng.integers(10, size=8)).tolist() for group in groups]
    return lists, np.bincount(np.concatenate(lists), minlength=10 * n_groups)


PLANTED, COUNTS = planted()


def learn(name, objective, lists=PLANTED, counts=COUNTS, *, epochs=3, seed=0, rate=0.05, **options):
    tables = start_tables(len(counts), 8, rng=np.random.default_rng(seed))
    engine = make_engine(name, objective, tables, counts, seed=seed, **options)
    rng = np.random.default_rng(seed)
    losses = list(
        train(engine, objective, pack(lists), counts, epochs=epochs, learning_rate=rate, rng=rng)
    )
    return engine.tables(), losses


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", MODES)
def test_one_thread_gives_the_same_tables_for_the_same_seed(name, mode):
    objective = Objective(mode=mode)
    first, losses = learn(name, objective)
    again, losses_again = learn(name, objective)
    other, _ = learn(name, objective, seed=1)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 1e-3
    assert losses == losses_again
    assert losses[-1] < losses[0] < 6 * math.log(2)


@pytest.mark.parametrize("name", ENGINES)
def test_the_generator_decides_the_epoch(name):
    # Same tables, another generator: other widths and negatives.
    tables = random_tables(40, 8)
    runs = [run_engine(name, Objective(), PLANTED, tables, COUNTS, (0.05, 0.05), s) for s in (0, 1)]
    same = np.array_equal(runs[0][0], runs[1][0])
    assert same == (name == "gensim")  # which draws from a seed of its own


@pytest.mark.parametrize("mode", MODES)
def test_two_threads_agree_statistically_with_one(mode):
    objective = Objective(mode=mode)
    lists, counts = planted(2_000)
    (_, one), (tables, two) = (
        learn("fast", objective, lists, counts, threads=threads) for threads in (1, 2)
    )
    assert all(np.isfinite(part).all() for part in tables)
    np.testing.assert_allclose(two, one, rtol=0.05)
    assert two[-1] < 0.5 * 6 * math.log(2)  # the twin: tables that have learned nothing


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_no_part_of_the_log_is_left_out_or_met_twice(threads):
    lists, tables, counts = many_pairs(101)
    objective = Objective(window=1, negatives=1)
    _, outputs = run_engine("fast", objective, lists, tables, counts, (0.01, 0.01), threads=threads)
    np.testing.assert_allclose(rates_used(outputs, 101), 0.01, rtol=0.02)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", MODES)
def test_tables_handed_in_and_out_are_copies(name, mode):
    tables = random_tables(40, 8)
    before = [one.copy() for one in tables]
    engine = make_engine(name, Objective(mode=mode), tables, COUNTS)
    for found, expected in zip(engine.tables(), before, strict=True):
        np.testing.assert_array_equal(found, expected)  # in our order
    engine.run_epoch(pack(PLANTED), (0.05, 0.05), rng=np.random.default_rng(0))
    for one, expected in zip(tables, before, strict=True):
        np.testing.assert_array_equal(one, expected)
    learned = engine.tables()
    kept = [one.copy() for one in learned]
    for one in learned:
        one[:] = 0
    for found, expected in zip(engine.tables(), kept, strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
    assert not np.array_equal(kept[0], before[0])
    assert not np.array_equal(kept[1], before[1])


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("mode", MODES)
def test_a_shared_matrix_is_one_table(name, mode):
    tables = random_tables(40, 8)
    objective = Objective(mode=mode, shared_matrix=True)
    inputs, outputs = run_engine(name, objective, PLANTED, tables, COUNTS, (0.05, 0.01))
    np.testing.assert_array_equal(inputs, outputs)
    # What is handed in as the output table plays no part.
    other = tables[0], random_tables(40, 8, seed=9)[1]
    again, _ = run_engine(name, objective, PLANTED, other, COUNTS, (0.05, 0.01))
    np.testing.assert_array_equal(inputs, again)
    apart = run_engine(name, Objective(mode=mode), PLANTED, tables, COUNTS, (0.05, 0.01))
    assert not np.array_equal(*apart)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", MODES)
def test_items_in_no_pair_keep_their_input_row(name, mode):
    lists = [[0, 1, 2, 0], [3], [], [1, 0]]
    tables, counts = random_tables(6, 4), np.array([3, 2, 1, 1, 50, 7])
    inputs, outputs = run_engine(name, Objective(mode=mode), lists, tables, counts, (0.1, 0.1))
    np.testing.assert_array_equal(inputs[3:], tables[0][3:])
    assert (inputs[:3] != tables[0][:3]).any(axis=1).all()
    assert (outputs[4] != tables[1][4]).any()  # but the frequent one was a negative


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lists", [[], [[], []], [[1], [2], []]])
def test_nothing_to_learn_changes_nothing(name, mode, lists):
    tables, counts = random_tables(3, 4), np.array([1, 2, 3])
    found = run_engine(name, Objective(mode=mode), lists, tables, counts, (0.1, 0.1))
    for one, expected in zip(found, tables, strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("mode", MODES)
def test_engines_learn_the_same(mode):
    objective, (lists, counts) = Objective(mode=mode), planted(3_000, n_groups=20)
    group, losses = np.arange(200) // 10, {}
    for name in ENGINES:
        (inputs, _), curve = learn(name, objective, lists, counts, epochs=6)
        losses[name] = curve[-1]
        unit = inputs / np.linalg.norm(inputs, axis=1, keepdims=True)
        nearest = (unit @ unit.T - 2 * np.eye(200)).argmax(axis=1)
        assert (group[nearest] == group).mean() > 0.95
    assert losses["fast"] == pytest.approx(losses["torch"], rel=0.05)
    if mode == "skipgram":  # gensim's CBOW steps further: see companion.sgns.gensim_engine
        assert losses["gensim"] == pytest.approx(losses["torch"], rel=0.1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("n_items", "decline", "exponent", "rate", "negatives"),
    [(8, 0, 0.75, 0.025, 5), (40, 0, 0.75, 0.1, 20), (100, 1, 0.75, 0.05, 5), (40, 1, -1, 0.1, 5)],
)
def test_small_catalogues_stay_as_stable_in_batches(
    mode, n_items, decline, exponent, rate, negatives
):
    # Few items, one far more frequent than the others, or rare ones drawn all the time.
    rng, weights = np.random.default_rng(0), np.arange(1, n_items + 1) ** -float(decline)
    lists = [rng.choice(n_items, 8, p=weights / weights.sum()).tolist() for _ in range(1_000)]
    counts = np.bincount(np.concatenate(lists), minlength=n_items)
    objective = Objective(mode=mode, negatives=negatives, noise_exponent=exponent)
    torch_loss, fast_loss = (
        learn(name, objective, lists, counts, rate=rate)[1][-1] for name in OURS
    )
    assert torch_loss == pytest.approx(fast_loss, rel=0.05)


def test_a_rate_that_diverges_is_named():
    with pytest.raises(ValueError, match=r"^learning_rate must be smaller: with 10000.0 training"):
        learn("fast", Objective(), rate=1e4)


# --- gensim ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"sg": 1, "window": 5, "shrink_windows": True}),
        ({"mode": "cbow", "window": 3}, {"sg": 0, "cbow_mean": 1, "window": 3}),
        ({"distance_decay": 1.0, "window": 2}, {"window": 2, "shrink_windows": False}),
        ({"window": "all"}, {"window": 5, "shrink_windows": False}),
        ({"negatives": 9, "noise_exponent": -0.5}, {"negative": 9, "ns_exponent": -0.5}),
    ],
)
def test_the_mapping_onto_gensim(options, expected):
    counts = np.array([3, 50, 8])
    objective = Objective(**options)
    engine = make_engine(
        "gensim", objective, random_tables(3, 4), counts, threads=2, seed=5, device="cpu"
    )
    model = engine.model
    for name, value in {**expected, "vector_size": 4, "workers": 2, "seed": 5}.items():
        assert getattr(model, name) == value, name
    assert model.sample == 0
    assert model.hs == 0
    # Its own table of the noise, read back in our order.
    share = np.diff(model.cum_table.astype(float), prepend=0) / model.cum_table[-1]
    ours = [share[model.wv.key_to_index[str(code)]] for code in range(3)]
    assert ours == pytest.approx(noise_distribution(counts, objective.noise_exponent), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance_decay": 0.5}, 'distance_decay must be None or 1.0 with engine="gensim", got 0'),
        ({"mask_accidental": False}, 'mask_accidental must be True with engine="gensim", got F'),
        ({"shared_matrix": True}, 'shared_matrix must be False with engine="gensim", got True'),
    ],
)
def test_what_gensim_cannot_do(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make_engine("gensim", Objective(**options), random_tables(3, 4), np.array([1, 2, 3]))


def test_gensim_sorts_by_count_and_we_get_our_order_back():
    tables, counts = random_tables(5, 3), np.array([2, 90, 1, 40, 2])
    engine = make_engine("gensim", Objective(), tables, counts)
    assert engine.model.wv.index_to_key[:2] == ["1", "3"]  # or there would be nothing to undo
    np.testing.assert_array_equal(engine.model.wv["2"], tables[0][2])
    place = engine.model.wv.key_to_index["3"]
    np.testing.assert_array_equal(engine.model.syn1neg[place], tables[1][3])
    for found, expected in zip(engine.tables(), tables, strict=True):
        np.testing.assert_array_equal(found, expected)
    engine.run_epoch(pack([[2, 4]] * 9), (0.1, 0.1), rng=np.random.default_rng(0))
    moved = (engine.tables()[0] != tables[0]).any(axis=1)
    assert moved.tolist() == [False, False, True, False, True]


def test_gensim_keeps_the_rows_of_items_with_count_0():
    tables = random_tables(3, 4)
    engine = make_engine("gensim", Objective(window=1), tables, np.array([3, 0, 2]))
    for found, expected in zip(engine.tables(), tables, strict=True):
        np.testing.assert_array_equal(found, expected)
    engine.run_epoch(pack([[0, 2]] * 9), (0.1, 0.1), rng=np.random.default_rng(0))
    moved = (engine.tables()[0] != tables[0]).any(axis=1)
    assert moved.tolist() == [True, False, True]


@pytest.mark.parametrize("length", [LONGEST - 1, LONGEST, 2 * LONGEST + 5])
def test_long_sequences_reach_gensim_whole(length, monkeypatch):
    lists = [(np.arange(length) % 3).tolist(), [], [2, 0]]
    engine = make_engine("gensim", Objective(), random_tables(5, 3), np.array([9, 9, 9, 1, 1]))
    calls = []
    monkeypatch.setattr(engine.model, "train", lambda *args, **named: calls.append((args, named)))
    engine.run_epoch(pack(lists), (0.05, 0.01), rng=np.random.default_rng(0))
    [((sentences,), named)] = calls
    assert max(map(len, sentences)) <= LONGEST
    assert [name for words in sentences for name in words] == [
        str(item) for items in lists for item in items
    ]
    assert [len(words) for words in sentences[-1:]] == [2]  # pieces do not run together
    assert named == {
        "total_examples": len(sentences), "epochs": 1, "start_alpha": 0.05, "end_alpha": 0.01
    }  # fmt: skip


def test_gensim_learns_from_what_stands_behind_place_10_000():
    lists = [[0, 1] * (LONGEST // 2) + [2, 3] * 20]
    tables, counts = random_tables(4, 3), np.array([5_000, 5_000, 20, 20])
    inputs, _ = run_engine("gensim", Objective(), lists, tables, counts, (0.05, 0.05))
    assert (inputs != tables[0]).any(axis=1).all()


def test_gensim_has_nothing_to_complain_about(caplog):
    with caplog.at_level(logging.WARNING, logger="gensim"):
        engine = make_engine("gensim", Objective(), random_tables(40, 8), COUNTS)
        engine.run_epoch(pack(PLANTED), (0.05, 0.04), rng=np.random.default_rng(0))
    assert not [record for record in caplog.records if "EPOCH" in record.message]


# --- the door ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("sklearn", {}, ValueError, "engine must be one of 'torch', 'fast', 'gensim', got 'skl"),
        (None, {}, ValueError, "engine must be one of 'torch', 'fast', 'gensim', got None"),
        ("fast", {"threads": 0}, ValueError, "threads must be an integer of at least 1, got 0"),
        ("torch", {"threads": 1.0}, TypeError, "threads must be an integer of at least 1, got 1"),
        ("fast", {"device": "cuda"}, ValueError, 'device must be "auto" or "cpu" with engine=\''),
        ("torch", {"device": "gpu"}, ValueError, "device must be one PyTorch has here, got 'gpu'"),
        ("gensim", {"device": "cuda"}, ValueError, 'device must be "auto" or "cpu" with engine='),
    ],
)
def test_engines_that_are_none(name, options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        make_engine(name, Objective(), random_tables(3, 4), np.array([1, 2, 3]), **options)


@pytest.mark.parametrize(
    ("name", "library", "module"),
    [
        ("torch", "torch", "torch"),
        ("fast", "numba", "numba"),
        ("gensim", "gensim", "gensim.models.word2vec"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(name, library, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"^this part of companion needs {library}: pip install 'companion\[{name}\]'$"
    with pytest.raises(ImportError, match=message):
        make_engine(name, Objective(), random_tables(3, 4), np.array([1, 2, 3]))


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_gets_its_threads_back(threads):
    before = torch.get_num_threads()
    run_engine("torch", PAIR, [[0, 1]], (INPUTS, OUTPUTS), only(2, 3), (0.1, 0.1), threads=threads)
    assert torch.get_num_threads() == before


# --- the loop over epochs ----------------------------------------------------------------


class Recorder:
    """An engine that learns nothing and remembers what it was given."""

    def __init__(self, n):
        self.epochs, self.rates = [], []
        self._tables = random_tables(n, 4)

    def run_epoch(self, sequences, rates, *, rng):
        self.epochs.append([items.tolist() for items in sequences])
        self.rates.append(rates)

    def tables(self):
        return self._tables


def record(objective, lists, *, epochs=4, learning_rate=0.05, counts=COUNTS, **options):
    engine = Recorder(40)
    rng = np.random.default_rng(0)
    settings = {"epochs": epochs, "learning_rate": learning_rate, **options}
    losses = list(train(engine, objective, pack(lists), counts, rng=rng, **settings))
    return engine, losses


def test_rates_fall_from_the_first_to_1e_4_without_a_gap():
    engine, _ = record(Objective(), PLANTED)
    marks = [0.05 - (0.05 - 1e-4) * epoch / 4 for epoch in range(5)]
    assert np.ravel(engine.rates).tolist() == pytest.approx(np.ravel([*itertools.pairwise(marks)]))
    engine, _ = record(Objective(), PLANTED, learning_rate=5e-5)
    assert np.ravel(engine.rates).tolist() == pytest.approx([5e-5] * 8)


@pytest.mark.parametrize("window", [3, "all"])
def test_each_epoch_has_its_own_order_and_sets_an_inner_one(window):
    lists = [list(range(start, start + 8)) for start in range(0, 40, 8)]
    engine, _ = record(Objective(window=window), lists)
    assert len({str(order) for order in engine.epochs}) == 4
    for order in engine.epochs:
        assert sorted(map(sorted, order)) == lists
        assert (sorted(order) == lists) == (window == 3)


def test_every_epoch_is_thinned_out_anew():
    counts = np.array([*COUNTS[:39], 20_000])
    lists = [[39, 5]] * 2_000
    keep = keep_probability(counts, 0.01)[39]
    engine, _ = record(Objective(), lists, counts=counts, subsample=0.01)
    kept = [sum(items.count(39) for items in order) for order in engine.epochs]
    assert stats.binomtest(sum(kept), 4 * 2_000, keep).pvalue > 1e-4
    assert stats.binomtest(sum(kept), 4 * 2_000, keep + 0.05).pvalue < 1e-4  # the twin
    assert len(set(kept)) > 1
    assert all(sum(items.count(5) for items in order) == 2_000 for order in engine.epochs)


def test_the_loss_is_that_of_one_fixed_sample():
    engine, losses = record(Objective(), PLANTED)
    assert len(losses) == 4
    assert len(set(losses)) == 1  # the tables stay, the sample too
    probe = LossProbe(Objective(), pack(PLANTED), COUNTS, rng=np.random.default_rng(0))
    assert losses[0] == probe.loss(engine.tables())


def test_an_epoch_runs_only_when_it_is_asked_for():
    engine = Recorder(40)
    losses = train(
        engine, Objective(), pack(PLANTED), COUNTS,
        epochs=9, learning_rate=0.05, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert engine.epochs == []
    next(losses)
    next(losses)
    assert len(engine.epochs) == 2
