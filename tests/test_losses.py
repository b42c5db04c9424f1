"""The losses: a slow oracle in double precision, hand values, gradients, and the logQ law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.losses import (
    bpr_loss,
    correct_logits,
    in_batch_softmax_loss,
    sampled_softmax_loss,
    sgns_loss,
    weighted_logistic_loss,
)

LOG2 = math.log(2)
PAIR_LOSSES = [sgns_loss, bpr_loss, sampled_softmax_loss]


def f64(values: Any, *, grad: bool = False) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


# --- the oracle: one row, one negative at a time, from the definitions -------------------


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))


def log_softmax_first(scores: list[float]) -> float:
    top = max(scores)
    return scores[0] - top - math.log(sum(math.exp(s - top) for s in scores))


def slow_sgns(positive: Any, negative: Any, mask: Any) -> float:
    total = 0.0
    for b in range(len(positive)):
        total -= log_sigmoid(positive[b])
        for n in range(len(negative[b])):
            if mask[b][n]:
                total -= log_sigmoid(-negative[b][n])
    return total / len(positive)


def slow_bpr(positive: Any, negative: Any, mask: Any) -> float:
    total = 0.0
    for b in range(len(positive)):
        terms = [
            -log_sigmoid(positive[b] - negative[b][n])
            for n in range(len(negative[b]))
            if mask[b][n]
        ]
        total += sum(terms) / len(terms) if terms else 0.0
    return total / len(positive)


def slow_softmax(positive: Any, negative: Any, mask: Any) -> float:
    total = 0.0
    for b in range(len(positive)):
        others = [negative[b][n] for n in range(len(negative[b])) if mask[b][n]]
        total -= log_softmax_first([positive[b], *others])
    return total / len(positive)


SLOW = {sgns_loss: slow_sgns, bpr_loss: slow_bpr, sampled_softmax_loss: slow_softmax}


def random_pairs(seed: int, B: int = 7, N: int = 5) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    mask = rng.random((B, N)) < 0.6
    mask[0] = False  # a row with nothing to compare with
    return rng.normal(0, 4, B), rng.normal(0, 4, (B, N)), mask


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize("seed", range(5))
def test_pair_losses_agree_with_the_oracle(loss: Callable[..., Any], seed: int) -> None:
    positive, negative, mask = random_pairs(seed)
    slow = SLOW[loss]
    masked = loss(f64(positive), f64(negative), mask=torch.tensor(mask))
    assert masked.item() == pytest.approx(slow(positive, negative, mask), rel=1e-12)
    full = loss(f64(positive), f64(negative))
    assert full.item() == pytest.approx(slow(positive, negative, mask | True), rel=1e-12)
    single = loss(f64(positive).float(), f64(negative).float())
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(full.item(), rel=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_sampled_softmax_with_log_q_agrees_with_the_oracle(shared: bool) -> None:
    positive, negative, mask = random_pairs(11)
    rng = np.random.default_rng(12)
    q_positive = rng.uniform(0.01, 1, 7)
    q_negative = rng.uniform(0.01, 1, 5 if shared else (7, 5))
    loss = sampled_softmax_loss(
        f64(positive),
        f64(negative),
        log_q_positive=f64(np.log(q_positive)),
        log_q_negative=f64(np.log(q_negative)),
        mask=torch.tensor(mask),
    )
    # exp(s - log q) is exp(s) / q: the oracle divides, in words of its own
    rows = np.broadcast_to(q_negative, (7, 5))
    total = 0.0
    for b in range(7):
        own = math.exp(positive[b]) / q_positive[b]
        rest = sum(math.exp(negative[b, n]) / rows[b, n] for n in range(5) if mask[b, n])
        total -= math.log(own / (own + rest))
    assert loss.item() == pytest.approx(total / 7, rel=1e-12)


@pytest.mark.parametrize("with_codes", [True, False])
@pytest.mark.parametrize("with_log_q", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 0.05])
def test_in_batch_agrees_with_the_oracle(
    with_codes: bool, with_log_q: bool, temperature: float
) -> None:
    rng = np.random.default_rng(3)
    users, items = rng.normal(0, 0.5, (6, 4)), rng.normal(0, 0.5, (6, 4))
    codes, q = [4, 9, 4, 0, 9, 4], rng.uniform(0.05, 1, 6)
    loss = in_batch_softmax_loss(
        f64(users),
        f64(items),
        temperature=temperature,
        log_q=f64(np.log(q)) if with_log_q else None,
        item_codes=torch.tensor(codes) if with_codes else None,
    )
    total = 0.0
    for b in range(6):
        scores = []
        for c in [b, *(c for c in range(6) if c != b)]:
            if with_codes and c != b and codes[c] == codes[b]:
                continue
            score = sum(users[b, d] * items[c, d] for d in range(4)) / temperature
            scores.append(score - math.log(q[c]) if with_log_q else score)
        total -= log_softmax_first(scores)
    assert loss.item() == pytest.approx(total / 6, rel=1e-12)


def test_weighted_logistic_agrees_with_the_oracle() -> None:
    rng = np.random.default_rng(5)
    logits, weights = rng.normal(0, 3, 20), rng.exponential(40, 20)
    labels = rng.integers(0, 2, 20)
    total = 0.0
    for z, w, y in zip(logits, weights, labels, strict=True):
        total -= w * log_sigmoid(z) if y else log_sigmoid(-z)
    loss = weighted_logistic_loss(f64(logits), f64(weights), torch.tensor(labels))
    assert loss.item() == pytest.approx(total / 20, rel=1e-12)


# --- values one can check by hand ------------------------------------------------------


def test_equal_scores_cost_what_the_arithmetic_says() -> None:
    zeros = (torch.zeros(3), torch.zeros(3, 4))
    assert sgns_loss(*zeros).item() == pytest.approx(5 * LOG2)
    assert bpr_loss(*zeros).item() == pytest.approx(LOG2)
    assert sampled_softmax_loss(*zeros).item() == pytest.approx(math.log(5))
    same = torch.ones(4, 2)
    assert in_batch_softmax_loss(same, same).item() == pytest.approx(math.log(4))


def test_hand_values_with_unequal_rows() -> None:
    # σ(log 3) = 3/4, so the positive costs log(4/3) and a negative at log 3 costs log 4
    positive, negative = f64([math.log(3), 0.0]), f64([[math.log(3)], [0.0]])
    expected = (math.log(4 / 3) + math.log(4) + 2 * LOG2) / 2
    assert sgns_loss(positive, negative).item() == pytest.approx(expected)
    # one negative three times less likely: 3 / (3 + 1)
    assert sampled_softmax_loss(positive[:1], f64([[0.0]])).item() == pytest.approx(math.log(4 / 3))
    assert bpr_loss(positive[:1], f64([[0.0]])).item() == pytest.approx(math.log(4 / 3))


def test_bpr_gives_every_positive_the_same_weight() -> None:
    mask = torch.tensor([[True, True, True], [True, False, False]])
    positive = f64([0.0, math.log(3)])
    loss = bpr_loss(positive, torch.zeros(2, 3, dtype=torch.float64), mask=mask)
    assert loss.item() == pytest.approx((LOG2 + math.log(4 / 3)) / 2)


def test_temperature_divides_scores_and_not_log_q() -> None:
    users = f64([[1.0], [0.0]])
    items = f64([[1.0], [0.0]])
    log_q = f64([0.5, 0.25]).log()
    loss = in_batch_softmax_loss(users, items, temperature=0.5, log_q=log_q)
    # row 0: e^2 * 2 against 1 * 4; row 1: 1 * 4 against 1 * 2
    first, second = 2 * math.e**2 / (2 * math.e**2 + 4), 4 / 6
    assert loss.item() == pytest.approx(-(math.log(first) + math.log(second)) / 2)


def test_accidental_hits_are_no_negatives() -> None:
    users, items = f64([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), f64([[2.0, 0], [2, 0], [0, 2]])
    codes = torch.tensor([7, 7, 0], dtype=torch.int32)
    masked = in_batch_softmax_loss(users, items, item_codes=codes)
    one = math.log(1 + math.exp(-2))  # rows 0 and 1: only row 2 is a negative
    two = math.log(1 + 2 * math.exp(-2))  # row 2: rows 0 and 1 both are
    assert masked.item() == pytest.approx((2 * one + two) / 3)
    raw = in_batch_softmax_loss(users, items)
    assert raw.item() > LOG2 / 2  # the twin: two of three rows pushed away from their own item


# --- gradients ---------------------------------------------------------------------------


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize("masked", [True, False])
def test_gradcheck_of_pair_losses(loss: Callable[..., Any], masked: bool) -> None:
    positive, negative, mask = random_pairs(21, B=4, N=3)
    keep = torch.tensor(mask) if masked else None
    assert torch.autograd.gradcheck(
        lambda p, n: loss(p, n, mask=keep), (f64(positive, grad=True), f64(negative, grad=True))
    )


def test_gradcheck_of_the_others() -> None:
    rng = np.random.default_rng(22)
    users, items = (f64(rng.normal(0, 1, (4, 3)), grad=True) for _ in range(2))
    log_q, codes = f64(np.log(rng.uniform(0.1, 1, 4))), torch.tensor([1, 2, 1, 3])
    assert torch.autograd.gradcheck(
        lambda u, v: in_batch_softmax_loss(u, v, temperature=0.3, log_q=log_q, item_codes=codes),
        (users, items),
    )
    weights, labels = f64([3.0, 7.0, 9.0]), torch.tensor([True, False, True])
    assert torch.autograd.gradcheck(
        lambda z: weighted_logistic_loss(z, weights, labels), (f64([0.3, -1, 2], grad=True),)
    )
    q = f64(np.log([0.2, 0.5]))
    assert torch.autograd.gradcheck(
        lambda p, n: sampled_softmax_loss(p, n, log_q_positive=q, log_q_negative=q),
        (f64([0.1, 2.0], grad=True), f64([[1.0, 3.0], [0.0, -1.0]], grad=True)),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_scores_stay_finite_and_keep_their_gradient(dtype: torch.dtype) -> None:
    big = 1e4
    # (loss, positive, negative, value, gradient of the positive, gradient of the negative)
    cases = [
        (sgns_loss, -big, big, 2 * big, -1.0, 1.0),
        (sgns_loss, big, -big, 0.0, 0.0, 0.0),
        (bpr_loss, -big, big, 2 * big, -1.0, 1.0),
        (bpr_loss, big, -big, 0.0, 0.0, 0.0),
        (sampled_softmax_loss, -big, big, 2 * big, -1.0, 1.0),
        (sampled_softmax_loss, big, -big, 0.0, 0.0, 0.0),
    ]
    for loss, p, n, value, grad_p, grad_n in cases:
        positive = torch.tensor([p], dtype=dtype, requires_grad=True)
        negative = torch.tensor([[n]], dtype=dtype, requires_grad=True)
        result = loss(positive, negative)
        result.backward()
        assert result.item() == value
        assert positive.grad is not None
        assert negative.grad is not None
        assert positive.grad.item() == grad_p
        assert negative.grad.item() == grad_n
    # the twin that tutorials ship: its gradient is gone where it is needed most
    naive = torch.tensor([-big], dtype=dtype, requires_grad=True)
    (-torch.log(torch.sigmoid(naive) + 1e-10)).sum().backward()
    assert naive.grad is not None
    assert naive.grad.item() == 0.0


def test_extreme_vectors_and_logits() -> None:
    users = torch.tensor([[100.0], [-100.0]], requires_grad=True)
    items = torch.tensor([[-100.0], [100.0]])
    loss = in_batch_softmax_loss(users, items)
    loss.backward()
    assert loss.item() == 2e4
    assert users.grad is not None
    assert torch.equal(users.grad, torch.tensor([[100.0], [-100.0]]))
    logits = torch.tensor([-1e4, 1e4], requires_grad=True)
    watch = weighted_logistic_loss(logits, torch.tensor([30.0, 5.0]), torch.tensor([1, 0]))
    watch.backward()
    assert watch.item() == (30 * 1e4 + 1e4) / 2
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.tensor([-15.0, 0.5]))


# --- masks -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    extra=st.integers(1, 4),
    junk=st.sampled_from([0.0, 1e4, -1e4, math.inf, -math.inf, math.nan]),
)
def test_padding_changes_nothing(
    loss: Callable[..., Any], seed: int, extra: int, junk: float
) -> None:
    positive, negative, mask = random_pairs(seed, B=3, N=2)
    padded = np.hstack([negative, np.full((3, extra), junk)])
    wide = np.hstack([mask, np.zeros((3, extra), bool)])
    order = np.random.default_rng(seed).permutation(2 + extra)
    p, n = f64(positive, grad=True), f64(negative, grad=True)
    short = loss(p, n, mask=torch.tensor(mask))
    short.backward()
    q, m = f64(positive, grad=True), f64(padded[:, order], grad=True)
    long = loss(q, m, mask=torch.tensor(wide[:, order]))
    long.backward()
    assert long.item() == pytest.approx(short.item(), rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=1e-10, atol=1e-15)
    back = np.argsort(order)
    expected = np.hstack([n.grad.numpy(), np.zeros((3, extra))])
    np.testing.assert_allclose(m.grad.numpy()[:, back], expected, rtol=1e-10, atol=1e-15)


def test_a_row_without_negatives() -> None:
    mask = torch.zeros(1, 2, dtype=torch.bool)
    expected = {sgns_loss: (LOG2, -0.5), bpr_loss: (0.0, 0.0), sampled_softmax_loss: (0.0, 0.0)}
    for loss, (value, gradient) in expected.items():
        positive, negative = f64([0.0], grad=True), f64([[5.0, -5.0]], grad=True)
        result = loss(positive, negative, mask=mask)
        result.backward()
        assert result.item() == pytest.approx(value)
        assert positive.grad is not None
        assert negative.grad is not None
        assert positive.grad.item() == pytest.approx(gradient)
        assert negative.grad.tolist() == [[0.0, 0.0]]


def test_a_batch_of_one_and_of_one_item_teach_nothing_in_batch() -> None:
    users, items = f64([[1.0, 2.0], [0.0, 1.0]], grad=True), f64([[3.0, 1.0], [3.0, 1.0]])
    alone = in_batch_softmax_loss(users[:1], items[:1])
    same = in_batch_softmax_loss(users, items, item_codes=torch.tensor([5, 5]))
    (alone + same).backward()
    assert (alone.item(), same.item()) == (0.0, 0.0)
    assert users.grad is not None
    assert users.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


# --- the law of logQ ---------------------------------------------------------------------

SCORES = [0.4, 1.0, -0.5]  # item 0 is the positive; items 1 and 2 are drawn
NOISE = [0.9, 0.1]  # item 1 is popular, item 2 is not


def full_softmax_gradient() -> torch.Tensor:
    scores = f64(SCORES, grad=True)
    (-torch.log_softmax(scores, dim=0)[0]).backward()
    assert scores.grad is not None
    return scores.grad


def expected_gradient(N: int, log_q: torch.Tensor | None) -> torch.Tensor:
    """Give the exact mean over all draws of N negatives: how often item 1 came is binomial."""
    counts = torch.arange(N + 1)
    log_p = (
        torch.lgamma(f64(N + 1.0))
        - torch.lgamma(counts + 1.0).double()
        - torch.lgamma(N - counts + 1.0).double()
        + counts * math.log(NOISE[0])
        + (N - counts) * math.log(NOISE[1])
    )
    drawn = torch.where(torch.arange(N)[None, :] < counts[:, None], 1, 2)  # (N + 1, N)
    total = torch.zeros(3, dtype=torch.float64)
    for row, weight in zip(drawn, log_p.double().exp(), strict=True):
        scores = f64(SCORES, grad=True)
        negative_q = None if log_q is None else log_q[row][None, :]
        sampled_softmax_loss(scores[:1], scores[row][None, :], log_q_negative=negative_q).backward()
        assert scores.grad is not None
        total += weight * scores.grad
    return total


def test_with_log_q_the_gradient_goes_to_that_of_the_full_softmax() -> None:
    truth = full_softmax_gradient()
    errors = []
    for N in (2, 20, 200):
        log_q = f64([math.nan, *NOISE]).log() + math.log(N)  # item 0 is never drawn
        errors.append((expected_gradient(N, log_q) - truth).abs().max().item())
    assert errors[0] > 5 * errors[1] > 25 * errors[2]  # the bias falls as 1 / N
    assert errors[2] < 2e-3


@pytest.mark.parametrize("twin", ["none", "wrong sign", "taken for uniform"])
def test_without_log_q_or_with_its_sign_turned_it_does_not(twin: str) -> None:
    truth, N = full_softmax_gradient(), 200
    log_q = f64([math.nan, *NOISE]).log() + math.log(N)
    wrong = {
        "none": None,
        "wrong sign": -log_q,
        "taken for uniform": f64([0, 1, 1]) * math.log(N / 2),
    }
    error = (expected_gradient(N, wrong[twin]) - truth).abs().max().item()
    assert error > 0.1


@pytest.mark.parametrize(
    ("sign", "stationary"), [(1.0, True), (0.0, False), (-1.0, False)], ids=["+", "none", "-"]
)
def test_with_both_corrections_the_true_probabilities_are_stationary(
    sign: float, stationary: bool
) -> None:
    # All 3 * 3^2 ways to draw a positive from p and two candidates from q, hits left in.
    p, q = [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]
    scores = f64(np.log(p), grad=True)
    log_q = sign * f64(np.log(q))
    total = torch.zeros((), dtype=torch.float64)
    for y, a, b in itertools.product(range(3), repeat=3):
        others = torch.tensor([a, b])
        loss = sampled_softmax_loss(
            scores[y : y + 1],
            scores[others][None, :],
            log_q_positive=log_q[y : y + 1],
            log_q_negative=log_q[others],
        )
        total = total + p[y] * q[a] * q[b] * loss
    total.backward()
    assert scores.grad is not None
    largest = scores.grad.abs().max().item()
    assert (largest < 1e-12) if stationary else (largest > 0.05)


def test_correct_logits_takes_log_q_away_and_moves_nothing_else() -> None:
    scores, log_q = f64([[1.0, 2.0]]), f64([-3.0, -0.5])
    assert correct_logits(scores, log_q).tolist() == [[4.0, 2.5]]
    assert scores.tolist() == [[1.0, 2.0]]


# --- watch time --------------------------------------------------------------------------


def test_the_best_odds_are_watch_time_over_negatives() -> None:
    labels = torch.tensor([1, 0, 0, 1, 0, 0, 0])
    watch = f64([30.0, 99.0, math.nan, 12.0, 0.0, -1.0, 5.0])  # what stands at a 0 is not used
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([bias], max_iter=100, tolerance_change=0)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = weighted_logistic_loss(bias.expand(7), watch, labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert bias.exp().item() == pytest.approx((30 + 12) / 5, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_labels_may_be_of_any_type(dtype: torch.dtype) -> None:
    labels = torch.tensor([1, 0]).to(dtype)
    loss = weighted_logistic_loss(torch.zeros(2), torch.tensor([3.0, 8.0]), labels)
    assert loss.item() == pytest.approx(2 * LOG2)


# --- what is refused ---------------------------------------------------------------------

P, M = torch.zeros(2), torch.zeros(2, 3)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize(
    ("arguments", "mask", "error", "message"),
    [
        ((P.long(), M), None, TypeError, r"positive_scores must be a floating-point .*int64"),
        ((P, M.int()), None, TypeError, r"negative_scores must be a floating-point .*int32"),
        (([0.0], M), None, TypeError, "positive_scores must be a floating-point tensor, got list"),
        ((P, P), None, ValueError, r"\(B, N\), got \(2,\) and \(2,\)"),
        ((torch.zeros(3), M), None, ValueError, r"got \(3,\) and \(2, 3\)"),
        ((P[:, None], M), None, ValueError, r"got \(2, 1\) and \(2, 3\)"),
        ((P[:0], M[:0]), None, ValueError, r"at least 1, got \(B, N\) = \(0, 3\)"),
        ((P, M[:, :0]), None, ValueError, r"at least 1, got \(B, N\) = \(2, 0\)"),
        ((P, M), M[:, :2] > 0, ValueError, r"mask must have shape \(2, 3\), got \(2, 2\)"),
        ((P, M), M, TypeError, "mask must be a tensor of bool, got a tensor of torch.float32"),
    ],
)
def test_bad_pairs_are_refused(
    loss: Callable[..., Any], arguments: Any, mask: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loss(*arguments, mask=mask)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: in_batch_softmax_loss(M, M[:1]), ValueError, r"\(2, 3\) and \(1, 3\)"),
        (lambda: in_batch_softmax_loss(P, P), ValueError, r"share one shape \(B, D\)"),
        (lambda: in_batch_softmax_loss(M[:0], M[:0]), ValueError, "at least 1"),
        (lambda: in_batch_softmax_loss(M.int(), M), TypeError, "users .* torch.int32"),
        (lambda: in_batch_softmax_loss(M, M.int()), TypeError, "items .* torch.int32"),
        (lambda: in_batch_softmax_loss(M, M, temperature=0), ValueError, "temperature .* got 0"),
        (lambda: in_batch_softmax_loss(M, M, log_q=M[0]), ValueError, r"log_q .*\(2,\).*\(3,\)"),
        (lambda: in_batch_softmax_loss(M, M, log_q=P.int()), TypeError, "log_q must be a float"),
        (lambda: in_batch_softmax_loss(M, M, item_codes=P), TypeError, "item_codes .* integers"),
        (
            lambda: in_batch_softmax_loss(M, M, item_codes=M[0].int()),
            ValueError,
            r"item_codes must have shape \(2,\), got \(3,\)",
        ),
        (lambda: sampled_softmax_loss(P, M, log_q_negative=P), ValueError, r"\(2, 3\).*\(2,\)"),
        (lambda: sampled_softmax_loss(P, M, log_q_positive=M), ValueError, r"\(2,\).*\(2, 3\)"),
        (lambda: correct_logits(P, torch.tensor(0.1)), ValueError, r"got \(\)"),
        (lambda: weighted_logistic_loss(P, P, P[:1]), ValueError, "labels must have shape"),
        (lambda: weighted_logistic_loss(P, P[:1], P), ValueError, "weights must have shape"),
        (lambda: weighted_logistic_loss(P, P, [0, 1]), TypeError, "labels .* got list"),
        (lambda: weighted_logistic_loss(P, P, P + 2), ValueError, r"0 or 1, got \[2.0, 2.0\]"),
        (lambda: weighted_logistic_loss(P, P - 1, P + 1), ValueError, "at least 0"),
        (lambda: weighted_logistic_loss(P, P / 0, P + 1), ValueError, "finite"),
        (lambda: weighted_logistic_loss(P[:0], P[:0], P[:0]), ValueError, "B at least 1"),
        (lambda: weighted_logistic_loss(P.int(), P, P), TypeError, "logits .* torch.int32"),
        (lambda: weighted_logistic_loss(P, P.int(), P), TypeError, "weights .* torch.int32"),
    ],
)
def test_other_bad_inputs_are_refused(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
