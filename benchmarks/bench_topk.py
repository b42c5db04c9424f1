"""Full ranking: the best 20 of 19,900 items for 2,469 users, what they had masked.

Every peer starts from the same two float32 tables, d = 64, and ends with ids and scores.
`companion.topk` masks and breaks ties by id; FAISS's flat index (the limit), torch and NumPy
do neither, so they have less to do.  All use the same number of threads; peers take turns, and
the medians count.

    python benchmarks/bench_topk.py           # as above
    python benchmarks/bench_topk.py --small   # a quarter of the users
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from companion.topk import top_k_in_blocks

DIM, N_ITEMS, N_USERS, SEEN_PER_USER, K = 64, 19_900, 2_469, 300, 20
LARGEST_RATIO = 2.0
Table = NDArray[np.float32]
Ids = NDArray[np.int64]


def companion(users: Table, items: Table, seen: sparse.csr_array) -> Ids:
    return top_k_in_blocks(lambda block: block @ items.T, users, K, exclude=seen).ids


def companion_unmasked(users: Table, items: Table, seen: sparse.csr_array) -> Ids:
    return top_k_in_blocks(lambda block: block @ items.T, users, K).ids


def faiss_flat(users: Table, items: Table, seen: sparse.csr_array) -> Ids:
    index = faiss.IndexFlatIP(DIM)
    index.add(items)
    return index.search(users, K)[1]


def torch_topk(users: Table, items: Table, seen: sparse.csr_array) -> Ids:
    scores = torch.from_numpy(users) @ torch.from_numpy(items).T
    return torch.topk(scores, K).indices.numpy()


def numpy_argpartition(users: Table, items: Table, seen: sparse.csr_array) -> Ids:
    scores = users @ items.T
    best = np.argpartition(scores, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


PEERS: dict[str, Callable[[Table, Table, sparse.csr_array], Ids]] = {
    "companion, masked": companion,
    "companion, unmasked": companion_unmasked,
    "FAISS flat": faiss_flat,
    "torch topk": torch_topk,
    "NumPy argpartition": numpy_argpartition,
}


def make_task(n_users: int) -> tuple[Table, Table, sparse.csr_array]:
    rng = np.random.default_rng(0)
    users = rng.standard_normal((n_users, DIM), dtype=np.float32)
    items = rng.standard_normal((N_ITEMS, DIM), dtype=np.float32)
    columns = np.concatenate(
        [rng.choice(N_ITEMS, SEEN_PER_USER, replace=False) for _ in range(n_users)]
    )
    offsets = np.arange(n_users + 1) * SEEN_PER_USER
    ones = np.ones(len(columns), dtype=np.float32)
    return users, items, sparse.csr_array((ones, columns, offsets), shape=(n_users, N_ITEMS))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a quarter of the users")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    threads = os.cpu_count() or 1
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    task = make_task(N_USERS // 4 if options.small else N_USERS)

    lists = {peer: run(*task) for peer, run in PEERS.items()}  # first calls load code
    agreement = np.mean(lists["companion, unmasked"] == lists["FAISS flat"])
    seconds: dict[str, list[float]] = {peer: [] for peer in PEERS}
    for _ in range(options.repeats):
        for peer, run in PEERS.items():
            start = time.perf_counter()
            run(*task)
            seconds[peer].append(time.perf_counter() - start)
    medians = {peer: statistics.median(values) for peer, values in seconds.items()}

    print(f"{len(task[0]):,} x {N_ITEMS:,}, d={DIM}, top {K}, {threads} threads, ", end="")
    print(f"medians of {options.repeats}; unmasked, {agreement:.2%} of ids are those of FAISS")
    print(f"{'peer':<20} {'seconds':>8} {'fastest':>8} {'ratio':>6}")
    for peer in PEERS:
        ratio = medians[peer] / medians["FAISS flat"]
        print(f"{peer:<20} {medians[peer]:8.3f} {min(seconds[peer]):8.3f} {ratio:6.2f}")
    missed = medians["companion, masked"] > LARGEST_RATIO * medians["FAISS flat"]
    print(f"wanted: ratio at most {LARGEST_RATIO}: {'MISSED' if missed else 'reached'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
