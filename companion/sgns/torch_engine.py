"""The readable engine: a module, and a loop to be read.

Axes: B batch, C contexts, N negatives, D dimension.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from companion.alias import alias_draw
from companion.losses import sgns_loss
from companion.sequences import Sequences
from companion.sgns.noise import noise_distribution
from companion.sgns.objective import Objective, Tables
from companion.sgns.pairs import (
    NO_CONTEXT,
    context_windows,
    expected_pairs,
    skip_gram_pairs,
)

# Each pair steps by its own gradient, as in word2vec, but from where the table stood at the
# start of the batch.  That is nearly the same while no row takes many steps at once; a row in
# every other pair, as small catalogues have them, would overshoot further with each batch.
BATCH = 1_024
STEPS_AT_ONCE = 2.0  # of length 1: the learning rate times the steps of the busiest row


class PairScores(nn.Module):
    """Scores a mean of input rows against the output rows of a target and of negatives."""

    def __init__(self, inputs: Tensor, outputs: Tensor, *, shared: bool) -> None:
        super().__init__()
        n, dim = inputs.shape
        self.input = nn.Embedding(n, dim, sparse=True, _weight=inputs)
        self.output = self.input
        if not shared:
            self.output = nn.Embedding(n, dim, sparse=True, _weight=outputs)

    def forward(
        self, contexts: Tensor, targets: Tensor, negatives: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Take codes of shape (B, C), (B,) and (B, N); return scores (B,) and (B, N)."""
        real = contexts != NO_CONTEXT
        rows = self.input(contexts.clamp(min=0)) * real[:, :, None]  # (B, C, D)
        hidden = rows.sum(dim=1) / real.sum(dim=1, keepdim=True)  # (B, D)
        up = (hidden * self.output(targets)).sum(dim=1)  # (B,)
        down = (hidden[:, None, :] * self.output(negatives)).sum(dim=2)  # (B, N)
        return up, down


class TorchEngine:
    """Stochastic gradient descent on `Objective` with PyTorch, on a CPU or a GPU.

    The parameters are those of `companion.sgns.train.make_engine`.
    """

    def __init__(
        self,
        objective: Objective,
        tables: Tables,
        counts: NDArray[np.int64],
        *,
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        self.objective, self.threads = objective, threads
        self.noise = objective.noise(counts)
        share = noise_distribution(counts, objective.noise_exponent).max()
        self._busiest = counts.max() / counts.sum() + objective.negatives * share  # steps a pair
        self.device = device_found(device)
        inputs, outputs = (torch.tensor(table) for table in tables)
        self.model = PairScores(inputs, outputs, shared=objective.shared_matrix).to(self.device)

    def run_epoch(
        self, sequences: Sequences, rates: tuple[float, float], *, rng: np.random.Generator
    ) -> None:
        """Meet every pair once, the learning rate falling from the first rate to the second."""
        optimizer = torch.optim.SGD(self.model.parameters(), lr=rates[0])
        total = self._expected_examples(sequences)
        size = int(np.clip(STEPS_AT_ONCE / (rates[0] * self._busiest), 1, BATCH))
        done, before = 0, torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            for contexts, targets, negatives in self._batches(sequences, size, rng):
                rate = rates[0] + (rates[1] - rates[0]) * min(done / total, 1.0)
                optimizer.param_groups[0]["lr"] = rate
                up, down = self.model(contexts, targets, negatives)
                counted = negatives != targets[:, None] if self.objective.mask_accidental else None
                loss = sgns_loss(up, down, mask=counted) * len(targets)  # each pair a full step
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                done += len(targets)
        finally:
            torch.set_num_threads(before)

    def tables(self) -> Tables:
        """Return copies of the input and the output table, shape (I, D) each."""
        inputs, outputs = (
            layer.weight.detach().cpu().numpy().copy()
            for layer in (self.model.input, self.model.output)
        )
        return inputs, outputs

    def _batches(
        self, sequences: Sequences, size: int, rng: np.random.Generator
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield contexts (B, C), targets (B,) and negatives (B, N) on the device."""
        for contexts, targets in self._examples(sequences, rng):
            shape = (len(targets), self.objective.negatives)
            negatives = alias_draw(*self.noise, shape, rng=rng)
            columns = (contexts.astype(np.int64), targets.astype(np.int64), negatives)
            on_device = [torch.from_numpy(column).to(self.device) for column in columns]
            for start in range(0, len(targets), size):
                first, second, third = (column[start : start + size] for column in on_device)
                yield first, second, third

    def _examples(
        self, sequences: Sequences, rng: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Yield many examples at a time: contexts (B, C) and targets (B,)."""
        settings = (self.objective.window, self.objective.distance_decay)
        if self.objective.mode == "skipgram":
            for centres, contexts in skip_gram_pairs(sequences, *settings, rng=rng):
                yield centres[:, None], contexts
        else:
            for centres, contexts in context_windows(sequences, *settings, rng=rng):
                some = (contexts != NO_CONTEXT).any(axis=1)
                yield contexts[some], centres[some]

    def _expected_examples(self, sequences: Sequences) -> float:
        if self.objective.mode == "cbow":
            return max(len(sequences.items), 1)
        settings = (self.objective.window, self.objective.distance_decay)
        return max(expected_pairs(sequences.lengths(), *settings), 1.0)


def device_found(device: str) -> torch.device:
    """Return the device of that name, or refuse one that is not there."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(device)
        torch.empty(1, device=found)  # a name alone does not say that it is there
    except (AssertionError, RuntimeError, TypeError) as error:
        says = str(error).splitlines()[0]
        raise ValueError(f"device must be one PyTorch has here, got {device!r}: {says}") from error
    return found
