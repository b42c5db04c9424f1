"""Fitting and ranking: ItemKNN against implicit's cosine neighbours, EASE against a plain inverse.

All start from the same sparse matrix of made-up histories with popular items.  ItemKNN and
implicit find the 100 nearest neighbours of each item (which must be equally near), and list
the best 20 unseen items for every user.  EASE is compared with its textbook form, one call of
``numpy.linalg.inv``, whose weights it must equal.  Peers have two threads each and take turns;
the medians count.

    python benchmarks/bench_baselines.py           # 4,000 users, 2,500 items
    python benchmarks/bench_baselines.py --small   # 1,000 users, 600 items
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from companion.baselines import EASE, ItemKNN
from companion.interactions import Interactions

NEIGHBOURS, K, THREADS, REPEATS = 100, 20, 2, 5


def make_log(n_users: int, n_items: int) -> Interactions:
    """Draw 50 rows a user; a few items are popular."""
    rng = np.random.default_rng(0)
    n = 50 * n_users
    frame = pd.DataFrame(
        {
            "user": np.repeat(np.arange(n_users), 50),
            "item": (rng.power(0.4, n) * n_items).astype(int),
        }
    )
    return Interactions.from_frame(frame, timestamp=None)


def race(what: str, peers: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Let the peers take turns, print medians and the ratio, and return their last answers."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    answers: dict[str, Any] = {}
    for _ in range(REPEATS + 1):
        for name, peer in peers.items():
            start = time.perf_counter()
            answers[name] = peer()
            seconds[name].append(time.perf_counter() - start)
    ours, theirs = (statistics.median(times[1:]) for times in seconds.values())
    peer_name = list(peers)[1]
    shown = f"companion {ours:.3f} s, {peer_name} {theirs:.3f} s"
    print(f"{what:17} {shown}: {theirs / ours:.2f} x as fast")
    return answers


def fit_implicit(matrix: sparse.csr_matrix) -> CosineRecommender:
    model = CosineRecommender(K=NEIGHBOURS + 1, num_threads=THREADS)  # itself is one of them
    model.fit(matrix, show_progress=False)
    return model


def plain_ease(matrix: sparse.csr_array) -> NDArray[np.float64]:
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    precision = np.linalg.inv(gram + 100.0 * np.eye(len(gram)))
    weights = precision / -np.diagonal(precision)
    np.fill_diagonal(weights, 0.0)
    return weights


def check_neighbours(ours: sparse.csr_array, theirs: sparse.csr_matrix) -> None:
    """Require equal cosines: which of two equally near items is kept is left open."""
    dense = theirs.toarray()
    np.fill_diagonal(dense, 0.0)
    np.testing.assert_allclose(np.sort(ours.toarray(), axis=1), np.sort(dense, axis=1), atol=1e-5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="1,000 users, 600 items")
    n_users, n_items = (1_000, 600) if parser.parse_args().small else (4_000, 2_500)
    data = make_log(n_users, n_items)
    seen, users = data.to_csr(binary=True), np.arange(data.n_users)
    matrix = sparse.csr_matrix(seen).astype(np.float64)
    print(f"{data.n_users} users, {data.n_items} items, {seen.nnz} pairs; medians of {REPEATS}")
    with threadpool_limits(THREADS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Method expects CSR input")  # of its own matrix
        fitted = race(
            "ItemKNN fit",
            {
                "companion": lambda: ItemKNN(k=NEIGHBOURS).fit(data),
                "implicit": lambda: fit_implicit(matrix),
            },
        )
        check_neighbours(fitted["companion"].similarity_, fitted["implicit"].similarity)
        lists = race(
            "ItemKNN recommend",
            {
                "companion": lambda: fitted["companion"].recommend(users, K).scores,
                "implicit": lambda: fitted["implicit"].recommend(users, matrix, N=K)[1],
            },
        )
        same = np.isclose(lists["companion"], lists["implicit"], rtol=1e-3).mean()
        assert same > 0.98, f"only {same:.1%} of the scores agree"  # ties at the 100th neighbour
        weights = race(
            "EASE fit",
            {
                "companion": lambda: EASE(reg=100.0).fit(data).weights_,
                "numpy": lambda: plain_ease(seen),
            },
        )
        np.testing.assert_allclose(weights["companion"], weights["numpy"], rtol=1e-4, atol=1e-7)
    return 0


if __name__ == "__main__":
    sys.exit(main())
