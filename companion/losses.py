"""The losses that teach embeddings: pairs, sampled softmax, in-batch softmax, watch time.

Everything is computed from ``logsigmoid`` and ``log_softmax``, which stay finite and keep
their gradient where ``log(sigmoid(x) + tiny)`` has lost it.  Scores are logits as they are: a
caller who wants a temperature divides by it first (`in_batch_softmax_loss` alone makes its own
scores, so it takes the temperature itself).

Every loss returns a mean over the batch, a tensor of shape ().  Each function raises TypeError
where an argument is not of the type named, and ValueError where shapes do not fit or a value
lies outside its range; to the losses no axis may be empty.

Axes: B batch, N negatives, D dimension.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid

from companion._checks import check_between

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def sgns_loss(
    positive_scores: Tensor, negative_scores: Tensor, *, mask: Tensor | None = None
) -> Tensor:
    """Skip-gram with negative sampling: positives up, each negative down, independently.

    The mean over b of ``-log σ(s⁺_b) - Σ_n log σ(-s⁻_bn)``: a sum over n, so that N weighs
    the negatives against the positive.  (Mikolov et al. 2013, Distributed representations of
    words and phrases and their compositionality, equation 4, doi:10.48550/arXiv.1310.4546)

    Parameters
    ----------
    positive_scores, negative_scores : torch.Tensor of float, shapes (B,) and (B, N)
        Logits of the observed and of the drawn pairs; B and N at least 1.
    mask : torch.Tensor of bool, shape (B, N), optional
        True where a negative counts.  A row without any keeps its positive term.

    Examples
    --------
    Scores of zero cost log 2 a pair:

    >>> loss = sgns_loss(torch.zeros(1), torch.zeros(1, 2))
    >>> round(loss.item() / math.log(2), 4)
    3.0
    """
    mask = _check_pairs(positive_scores, negative_scores, mask)
    down = _zero_where_masked(logsigmoid(-_zero_where_masked(negative_scores, mask)), mask)
    return -(logsigmoid(positive_scores) + down.sum(dim=1)).mean()


def bpr_loss(
    positive_scores: Tensor, negative_scores: Tensor, *, mask: Tensor | None = None
) -> Tensor:
    """Bayesian personalised ranking: each positive above each of its negatives.

    The mean over b of the mean over n of ``-log σ(s⁺_b - s⁻_bn)``, over the negatives that
    count: every positive has the same weight.  A row without any has loss and gradient zero
    and still counts in B.  Parameters are those of `sgns_loss`.  (Rendle et al. 2009, BPR:
    Bayesian personalized ranking from implicit feedback, section 4.1,
    doi:10.48550/arXiv.1205.2618)

    Examples
    --------
    >>> loss = bpr_loss(torch.tensor([1.0]), torch.tensor([[1.0, 1.0]]))
    >>> round(loss.item() / math.log(2), 4)
    1.0
    """
    mask = _check_pairs(positive_scores, negative_scores, mask)
    margins = positive_scores[:, None] - _zero_where_masked(negative_scores, mask)  # (B, N)
    terms = _zero_where_masked(logsigmoid(margins), mask)
    counts = negative_scores.shape[1] if mask is None else mask.sum(dim=1).clamp(min=1)
    return -(terms.sum(dim=1) / counts).mean()


def sampled_softmax_loss(
    positive_scores: Tensor,
    negative_scores: Tensor,
    *,
    log_q_positive: Tensor | None = None,
    log_q_negative: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Softmax over the positive and its drawn negatives instead of the whole catalogue.

    The mean over b of ``-log(exp(c⁺_b) / (exp(c⁺_b) + Σ_n exp(c⁻_bn)))`` with the corrected
    scores ``c = s - log q`` of `correct_logits`.

    Parameters
    ----------
    positive_scores, negative_scores : torch.Tensor of float, shapes (B,) and (B, N)
        Logits, already divided by a temperature if there is one.
    log_q_positive : torch.Tensor of float, shape (B,), optional
        Log-probability of drawing each positive; see the notes for when to give it.
    log_q_negative : torch.Tensor of float, shape (B, N) or (N,), optional
        Log-probability, or log expected count, of each negative.
    mask : torch.Tensor of bool, shape (B, N), optional
        True where a negative counts: mask padding, and draws that hit the row's positive.
        A row without any has loss and gradient zero.

    Notes
    -----
    Two corrections answer two questions; without either, the learned score is off by log q
    and popular items come out too low.

    *The positive is there for certain* (Bengio & Senécal 2008, Adaptive importance sampling
    to accelerate training of a neural probabilistic language model,
    doi:10.1109/TNN.2007.912312): give ``log_q_negative = log(N q)`` alone, the log of the
    expected count among the row's N draws, with positives excluded or masked.  As N grows the
    gradient becomes that of the full softmax.  Here a constant in log q matters.

    *The positive is a candidate like the others* (Jean et al. 2015, On using very large
    target vocabulary for neural machine translation, doi:10.3115/v1/P15-1001; Yi et al. 2019):
    give both, ``log q``.  A constant cancels, and with draws that hit the positive left in,
    the true conditional probabilities are a stationary point at any N.

    Examples
    --------
    Three equal scores, one of them right:

    >>> loss = sampled_softmax_loss(torch.zeros(1), torch.zeros(1, 2))
    >>> round(loss.exp().item(), 4)
    3.0
    """
    mask = _check_pairs(positive_scores, negative_scores, mask)
    if log_q_positive is not None:
        positive_scores = correct_logits(positive_scores, log_q_positive)
    if log_q_negative is not None:
        negative_scores = correct_logits(negative_scores, log_q_negative)
    if mask is not None:
        negative_scores = negative_scores.masked_fill(~mask, -math.inf)
    logits = torch.cat([positive_scores[:, None], negative_scores], dim=1)  # (B, 1 + N)
    return -log_softmax(logits, dim=1)[:, 0].mean()


def in_batch_softmax_loss(
    users: Tensor,
    items: Tensor,
    *,
    temperature: float = 1.0,
    log_q: Tensor | None = None,
    item_codes: Tensor | None = None,
) -> Tensor:
    """Softmax over the items of the batch: each row's item against everybody else's.

    The mean over b of ``-log softmax_c(u_b · v_c / τ - log q_c)`` at c = b.  A row left without
    negatives (a batch of one, or of one item only under ``item_codes``) has loss and gradient
    zero.  (Yi et al. 2019, Sampling-bias-corrected neural modeling for large corpus item
    recommendations, section 3, doi:10.1145/3298689.3346996)

    Parameters
    ----------
    users, items : torch.Tensor of float, shape (B, D)
        Each row's user and its own item; give unit rows in both for a cosine.
    temperature : float
        τ > 0.  It divides the scores and leaves log q alone.  One that is learned divides
        the user vectors before the call.
    log_q : torch.Tensor of float, shape (B,), optional
        Log-probability with which each row's item comes into a batch.
    item_codes : torch.Tensor of int, shape (B,), optional
        Which item each row has.  Other rows with the same item are then no negatives of it.

    Examples
    --------
    >>> vectors = torch.eye(2)
    >>> loss = in_batch_softmax_loss(vectors, vectors, temperature=0.5)
    >>> math.isclose(loss.item(), math.log(1 + math.exp(-1 / 0.5)), rel_tol=1e-6)
    True
    """
    _check_vectors(users, items)
    tau = check_between("temperature", temperature, 0, math.inf, open_ends=True)
    logits = users @ items.T / tau  # (B, B): row b holds user b against every row's item
    if log_q is not None:
        _check_shape("log_q", log_q, (len(items),))
        logits = correct_logits(logits, log_q)
    if item_codes is not None:
        logits = logits.masked_fill(_accidental_hits(item_codes, len(items)), -math.inf)
    return -log_softmax(logits, dim=1).diagonal().mean()


def weighted_logistic_loss(logits: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Logistic loss with positives weighted by watch time and negatives by one.

    The mean over b of ``-y_b w_b log σ(z_b) - (1 - y_b) log σ(-z_b)``.  With the same features
    everywhere the best odds ``exp(z)`` are the sum of the watch times over the number of
    negatives: where positives are rare, nearly the expected watch time of an impression, which
    is why ``exp(z)`` is served as its estimate.  (Covington, Adams & Sargin 2016, Deep neural
    networks for YouTube recommendations, section 4.2, doi:10.1145/2959100.2959190)

    Parameters
    ----------
    logits : torch.Tensor of float, shape (B,)
        Scores z before the sigmoid.
    weights : torch.Tensor of float, shape (B,)
        Watch time, finite and at least 0, of the positives; at a negative it is not used.
    labels : torch.Tensor of bool, int or float, shape (B,)
        1 for a watched impression, 0 for one that was not.

    Examples
    --------
    >>> watch, labels = torch.tensor([30.0, 0.0]), torch.tensor([1, 0])
    >>> loss = weighted_logistic_loss(torch.zeros(2), watch, labels)
    >>> round(loss.item() / math.log(2), 4)  # (30 + 1) / 2
    15.5
    """
    positive = _check_impressions(logits, weights, labels)
    up = torch.where(positive, weights, 0.0) * logsigmoid(logits)
    down = torch.where(positive, 0.0, logsigmoid(-logits))
    return -(up + down).mean()


def correct_logits(scores: Tensor, log_q: Tensor) -> Tensor:
    """Take the sampling bias out of scores: ``scores - log_q``.

    An item that is drawn often appears often as a negative; minus log q makes up for it.  The
    result has the shape of ``scores``.  Only here stands the sign of the correction.

    Parameters
    ----------
    scores : torch.Tensor of float, shape (..., N)
        Logits, already divided by a temperature if there is one: log q never is.
    log_q : torch.Tensor of float, shape (..., N) or its last axes
        Log-probability, or log expected count, of drawing each.  What was drawn has q > 0;
        -inf may stand only where a mask takes the entry out.

    Examples
    --------
    An item drawn half of the time gains log 2, one drawn always gains nothing:

    >>> correct_logits(torch.zeros(2), torch.tensor([0.5, 1.0]).log()).exp()
    tensor([2., 1.])
    """
    _check_float("scores", scores)
    _check_float("log_q", log_q)
    if log_q.dim() == 0 or scores.shape[scores.dim() - log_q.dim() :] != log_q.shape:
        raise ValueError(
            f"log_q must have the shape of scores {tuple(scores.shape)} or of its last axes, "
            f"got {tuple(log_q.shape)}"
        )
    return scores - log_q


def _zero_where_masked(values: Tensor, mask: Tensor | None) -> Tensor:
    # Filled before and after the logarithm: whatever padding holds, even NaN, neither the
    # value nor the gradient of a masked entry reaches the sum.
    return values if mask is None else values.masked_fill(~mask, 0.0)


def _accidental_hits(item_codes: Tensor, n_rows: int) -> Tensor:
    """Mark other rows that hold the row's own item; shape (B, B), the diagonal False."""
    if not isinstance(item_codes, Tensor) or item_codes.dtype not in INTEGERS:
        raise TypeError(f"item_codes must be a tensor of integers, got {_kind(item_codes)}")
    _check_shape("item_codes", item_codes, (n_rows,))
    same = item_codes[:, None] == item_codes[None, :]
    return same.fill_diagonal_(False)


def _check_pairs(positive: Tensor, negative: Tensor, mask: Tensor | None) -> Tensor | None:
    _check_float("positive_scores", positive)
    _check_float("negative_scores", negative)
    if positive.dim() != 1 or negative.dim() != 2 or len(positive) != len(negative):
        raise ValueError(
            "positive_scores must have shape (B,) and negative_scores (B, N), "
            f"got {tuple(positive.shape)} and {tuple(negative.shape)}"
        )
    if negative.numel() == 0:
        raise ValueError(f"B and N must be at least 1, got (B, N) = {tuple(negative.shape)}")
    if mask is not None:
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            raise TypeError(f"mask must be a tensor of bool, got {_kind(mask)}")
        _check_shape("mask", mask, tuple(negative.shape))
    return mask


def _check_vectors(users: Tensor, items: Tensor) -> None:
    _check_float("users", users)
    _check_float("items", items)
    if users.dim() != 2 or users.shape != items.shape:
        raise ValueError(
            "users and items must share one shape (B, D), "
            f"got {tuple(users.shape)} and {tuple(items.shape)}"
        )
    if users.numel() == 0:
        raise ValueError(f"B and D must be at least 1, got (B, D) = {tuple(users.shape)}")


def _check_impressions(logits: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Check a batch of impressions and return which are positive; bool, shape (B,)."""
    _check_float("logits", logits)
    _check_float("weights", weights)
    if logits.dim() != 1 or len(logits) == 0:
        raise ValueError(f"logits must have shape (B,), B at least 1, got {tuple(logits.shape)}")
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels must be a tensor of 0 and 1, got {_kind(labels)}")
    _check_shape("weights", weights, tuple(logits.shape))
    _check_shape("labels", labels, tuple(logits.shape))
    positive = labels == 1
    if not bool((positive | (labels == 0)).all()):
        raise ValueError(f"labels must be 0 or 1, got {labels.tolist()}")
    used = weights[positive]
    if not bool(((used >= 0) & used.isfinite()).all()):
        raise ValueError("weights of positives must be finite and at least 0")
    return positive


def _check_float(name: str, value: object) -> None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor, got {_kind(value)}")


def _check_shape(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} must have shape {shape}, got {tuple(value.shape)}")


def _kind(value: object) -> str:
    return f"a tensor of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
