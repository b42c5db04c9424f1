"""What is minimised: hyperparameters at the door, start tables, and the loss by a slow oracle."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from scipy import stats

from companion.losses import sgns_loss
from companion.sequences import Sequences
from companion.sgns import LossProbe, Objective, start_tables
from companion.sgns.objective import PROBE_CENTRES, mean_of_contexts
from companion.sgns.pairs import NO_CONTEXT

LOG3 = math.log(3)


def pack(lists):
    items = np.array([item for one in lists for item in one], dtype=np.int32)
    return Sequences(items, np.cumsum([0, *map(len, lists)]))


def random_tables(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(0, 0.7, (n, dim)).astype(np.float32) for _ in range(2))


def slow_loss(probe, tables, *, mask):
    """One centre, one context, one negative at a time, in double precision."""
    inputs, outputs = (table.astype(float).tolist() for table in tables)
    losses = []
    for b in range(len(probe.targets)):
        real = [code for code in probe.contexts[b].tolist() if code != NO_CONTEXT]
        hidden = [
            sum(column) / len(real) for column in zip(*(inputs[c] for c in real), strict=True)
        ]
        dots = [
            sum(h * o for h, o in zip(hidden, outputs[code], strict=True))
            for code in [probe.targets[b], *probe.negatives[b]]
        ]
        loss = math.log1p(math.exp(-dots[0]))
        for code, score in zip(probe.negatives[b], dots[1:], strict=True):
            if not (mask and code == probe.targets[b]):
                loss += math.log1p(math.exp(score))
        losses.append(loss)
    return sum(losses) / len(losses)


LISTS = [[0, 1, 2, 0, 3], [4], [], [2, 1], [3, 3, 3, 4, 4, 0, 1]]


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("window", [2, 9, "all"])
def test_the_loss_against_the_oracle(mode, mask, window):
    objective = Objective(mode=mode, window=window, negatives=4, mask_accidental=mask)
    counts = np.array([4, 3, 3, 4, 3])
    probe = LossProbe(objective, pack(LISTS), counts, rng=np.random.default_rng(1))
    tables = random_tables(5, 3)
    expected = slow_loss(probe, tables, mask=mask)
    assert probe.loss(tables) == pytest.approx(expected, rel=1e-6)
    assert probe.loss(tables) == probe.loss(tables)
    hits = probe.negatives == probe.targets[:, None]
    assert hits.any()  # or the mask would be tested by nothing
    assert slow_loss(probe, tables, mask=not mask) != pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_the_loss_is_that_of_companion_losses(mode):
    objective = Objective(mode=mode, window=3)
    probe = LossProbe(objective, pack(LISTS), np.ones(5, int), rng=np.random.default_rng(2))
    inputs, outputs = map(torch.tensor, random_tables(5, 3))
    hidden = torch.tensor(mean_of_contexts(inputs.numpy(), probe.contexts))
    up = (hidden * outputs[probe.targets]).sum(dim=1)
    down = (hidden[:, None] * outputs[probe.negatives]).sum(dim=2)
    mask = torch.tensor(probe.negatives != probe.targets[:, None])
    expected = sgns_loss(up, down, mask=mask).item()
    assert probe.loss((inputs.numpy(), outputs.numpy())) == pytest.approx(expected, rel=1e-5)


def test_golden_loss():
    # One sequence of two: each is the other's only context.  Negatives are always item 2.
    objective = Objective(window=1, negatives=2)
    rng = np.random.default_rng(0)
    probe = LossProbe(objective, pack([[0, 1]]), np.array([0, 0, 1]), rng=rng)
    inputs = np.array([[LOG3, 0], [0, LOG3], [9, 9]], dtype=np.float32)
    outputs = np.array([[0, -1], [1, 0], [-1, 1]], dtype=np.float32)
    # 0: score log 3 costs log 4/3, two negatives at -log 3 cost log 4/3 each.
    # 1: score -log 3 costs log 4, two negatives at log 3 cost log 4 each.
    expected = (3 * math.log(4 / 3) + 3 * math.log(4)) / 2
    assert probe.loss((inputs, outputs)) == pytest.approx(expected, rel=1e-6)
    zeros = np.zeros((3, 2), np.float32)
    assert probe.loss((zeros, zeros)) == pytest.approx(3 * math.log(2))


def test_the_loss_stays_finite_where_a_sigmoid_has_gone():
    objective = Objective(window=1, negatives=1)
    rng = np.random.default_rng(0)
    probe = LossProbe(objective, pack([[0, 1]]), np.array([0, 0, 1]), rng=rng)
    inputs = np.full((3, 1), 100, np.float32)
    outputs = np.array([[-100], [-100], [100]], np.float32)
    assert probe.loss((inputs, outputs)) == 20_000  # 10^4 each, neither inf nor NaN


def test_mean_of_contexts_divides_by_the_contexts_that_are_there():
    table = np.array([[1, 2], [3, 4], [100, 100]], dtype=np.float32)
    pad = NO_CONTEXT
    contexts = np.array([[0, 1, pad, pad], [pad, pad, 1, pad], [pad] * 4, [0, 0, 1, pad]])
    mean = mean_of_contexts(table, contexts)
    np.testing.assert_allclose(mean, [[2, 3], [3, 4], [0, 0], [5 / 3, 8 / 3]], rtol=1e-6)


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_the_sample_is_of_pairs_that_occur_and_of_whole_windows(mode):
    lists = [[0, 1, 2], [3, 4], [5], []]
    objective = Objective(mode=mode, window=2, distance_decay=1.0)
    probe = LossProbe(objective, pack(lists), np.ones(6, int), rng=np.random.default_rng(3))
    found = Counter(
        (tuple(sorted(code for code in row if code != NO_CONTEXT)), target)
        for row, target in zip(probe.contexts.tolist(), probe.targets.tolist(), strict=True)
    )
    if mode == "cbow":
        expected = {((1, 2), 0), ((0, 2), 1), ((0, 1), 2), ((4,), 3), ((3,), 4)}
    else:
        triangle = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
        expected = {((a,), b) for a, b in [*triangle, (3, 4), (4, 3)]}
    assert found == Counter(expected)


@pytest.mark.parametrize(
    ("lengths", "n_seen"), [([50] * 400, 7), ([20_000] * 3, 1), ([2] * 5_000, 7)]
)
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_a_large_log_is_sampled(mode, lengths, n_seen):
    lists = [[s % 7] * length for s, length in enumerate(lengths)]
    objective = Objective(mode=mode, window=1)
    probe = LossProbe(objective, pack(lists), np.ones(7, int), rng=np.random.default_rng(4))
    a_centre = 1 if mode == "cbow" or lengths[0] == 2 else 2 - 2 / lengths[0]
    centres = len(probe.targets) / a_centre
    assert PROBE_CENTRES - 1 <= centres <= PROBE_CENTRES + 50
    assert len(set(probe.targets.tolist())) == n_seen


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_the_sample_sees_a_set_as_a_set(mode):
    objective = Objective(mode=mode, window="all")
    counts = np.ones(1_000, int)
    rng = np.random.default_rng(0)
    probe = LossProbe(objective, pack([list(range(1_000))]), counts, rng=rng)
    away = np.abs(probe.contexts - probe.targets[:, None])[probe.contexts != NO_CONTEXT]
    assert abs(away.mean() - 1_000 / 3) < 40  # two of 1,000 at random; neighbours are 3 apart


def test_the_generator_decides_what_is_sampled():
    lists = [[s % 7, (s + 1) % 7] for s in range(5_000)]
    first, again, other = (
        LossProbe(Objective(), pack(lists), np.ones(7, int), rng=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    for name in ("contexts", "targets", "negatives"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.negatives, other.negatives)


# --- the hyperparameters and where training starts -----------------------------------------


def test_start_tables_do_not_shrink_with_the_dimension():
    inputs, outputs = start_tables(2_000, 8, rng=np.random.default_rng(0))
    assert inputs.dtype == outputs.dtype == np.float32
    assert outputs.shape == (2_000, 8)
    assert not outputs.any()
    half = 1 / (2 * math.sqrt(8))
    uniform = stats.uniform(-half, 2 * half)
    assert stats.kstest(inputs.ravel(), uniform.cdf).pvalue > 1e-4
    assert stats.kstest(inputs.ravel(), stats.uniform(-0.95 * half, 1.9 * half).cdf).pvalue < 1e-4
    again, _ = start_tables(2_000, 8, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(inputs, again)


@pytest.mark.parametrize(("dim", "error"), [(0, ValueError), (-3, ValueError), (2.0, TypeError)])
def test_a_dim_is_a_count(dim, error):
    with pytest.raises(error, match=r"^dim must be an integer of at least 1, got "):
        start_tables(3, dim, rng=np.random.default_rng(0))


EXPONENT = r"noise_exponent must lie in \(-inf, inf\), got "


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "sg"}, ValueError, "mode must be one of 'skipgram', 'cbow', got 'sg'"),
        ({"mode": 1}, ValueError, "mode must be one of 'skipgram', 'cbow', got 1"),
        ({"negatives": 0}, ValueError, "negatives must be an integer of at least 1, got 0"),
        ({"negatives": -1}, ValueError, "negatives must be an integer of at least 1, got -1"),
        ({"negatives": 5.0}, TypeError, "negatives must be an integer of at least 1, got 5.0"),
        ({"noise_exponent": math.nan}, ValueError, EXPONENT + "nan"),
        ({"noise_exponent": math.inf}, ValueError, EXPONENT + "inf"),
        ({"window": 0}, ValueError, "window must be an integer of at least 1, got 0"),
        ({"window": "big"}, ValueError, "window must be .* or \"all\", got 'big'"),
        ({"distance_decay": 2}, ValueError, r"distance_decay must lie in .0, 1\], got 2"),
        ({"window": "all", "distance_decay": 0.5}, ValueError, "distance_decay needs an .*"),
        ({"mask_accidental": 1}, TypeError, "mask_accidental must be True or False, got 1"),
        ({"shared_matrix": None}, TypeError, "shared_matrix must be True or False, got None"),
    ],
)
def test_objectives_that_are_none(options, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Objective(**options)


def test_an_objective_is_written_by_name_and_stays_as_it_is():
    with pytest.raises(TypeError):
        Objective("skipgram")
    with pytest.raises(AttributeError):
        Objective().negatives = 3


def test_a_probe_without_a_pair_is_refused():
    nothing = Sequences(np.array([0, 1], dtype=np.int32), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match=r"^sequences must hold one of two items or more"):
        LossProbe(Objective(), nothing, np.array([1, 1]), rng=np.random.default_rng(0))
