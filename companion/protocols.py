"""What an embedder, a recommender and an index must be able to do: three small protocols.

Methods that satisfy a protocol need not import it; the annotation alone says what a function
expects.  Axes: Q queries, I items, D dimension, K list length.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion.embeddings import Embeddings
from companion.interactions import Interactions
from companion.topk import TopK


@runtime_checkable
class Embedder(Protocol):
    """Learns one vector an item from interactions."""

    item_embeddings_: Embeddings

    def fit(self, data: Interactions) -> Self:
        """Learn from ``data``; afterwards ``item_embeddings_`` is there."""
        ...


@runtime_checkable
class Recommender(Protocol):
    """Ranks items for users.  Users and items are codes: row numbers of the training data."""

    def recommend(
        self,
        users: NDArray[np.integer],
        k: int,
        *,
        exclude_seen: bool = True,
        exclude: sparse.csr_array | None = None,
    ) -> TopK:
        """Return the best k item codes for each user, shape (Q, k).

        ``exclude_seen`` leaves out what the user had in the training data; ``exclude``,
        shape (Q, I), leaves out further pairs.
        """
        ...


@runtime_checkable
class VectorIndex(Protocol):
    """Finds the nearest of many vectors."""

    def build(self, vectors: ArrayLike | Embeddings) -> Self:
        """Index ``vectors``, shape (I, D), in place of what was there."""
        ...

    def add(self, vectors: ArrayLike, ids: ArrayLike | None = None) -> Self:
        """Add further vectors to what was built."""
        ...

    def search(self, queries: ArrayLike, k: int) -> TopK:
        """Return the k nearest ids of each of Q query vectors."""
        ...

    def save(self, path: str | Path) -> None:
        """Write the index to ``path``, whole or not at all."""
        ...

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an index that `save` wrote."""
        ...
