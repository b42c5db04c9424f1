"""Six metrics of ranked lists at two lengths: `companion` against ranx, equal values required.

Both start from the same lists and the same relevant items.  ``metrics`` counts the arithmetic
alone: from a `TopK` and a sparse matrix here, from ranx's own containers there, already built.
``evaluation`` counts all that comes after the ranking: here the whole of `evaluate` (masking,
ties, coverage, the tables; no bootstrap, which ranx has not), there building the containers
and the same arithmetic.  Peers take turns, and the medians count; ranx compiles beforehand.

    python benchmarks/bench_evaluation.py           # 10,000 users
    python benchmarks/bench_evaluation.py --small   # 2,000 users
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
from numpy.typing import NDArray
from scipy import sparse

from companion.evaluation import METRICS, evaluate
from companion.interactions import Interactions
from companion.metrics import hit_matrix
from companion.splits import Split
from companion.topk import TopK

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ranx

N_ITEMS, K, CUTS, LEAST_RATIO = 5_000, 20, (10, 20), 3.0
NAMES = [f"{metric}@{cut}" for cut in CUTS for metric in METRICS]
Values = dict[str, NDArray[np.float64]]


def make_case(n_users: int) -> tuple[TopK, Split]:
    """Draw lists without ties and 1 to 9 relevant items a user, about one in three listed."""
    rng = np.random.default_rng(0)
    ids = np.argsort(rng.random((n_users, 200)), axis=1)[:, : K + 1] + rng.integers(
        0, N_ITEMS - 200, (n_users, 1)
    )
    scores = -np.sort(-rng.random((n_users, K + 1)), axis=1)
    rows = np.repeat(np.arange(n_users), rng.integers(1, 10, n_users))
    listed = ids[rows, rng.integers(0, K + 1, len(rows))]
    items = np.where(rng.random(len(rows)) < 0.3, listed, rng.integers(0, N_ITEMS, len(rows)))
    # User 0 has everything in train, which numbers the items; users 1, 2, ... are judged.
    everything = pd.DataFrame({"user": 0, "item": np.arange(N_ITEMS)})
    wanted = pd.DataFrame({"user": rows + 1, "item": items}).drop_duplicates()
    data = Interactions.from_frame(pd.concat([everything, wanted]), timestamp=None)
    return TopK(ids, scores), Split(data, np.where(data.users == 0, 0, 2).astype(np.int8), "drawn")


class Ranked:
    """A recommender that has its lists already, so that judging is all that is timed."""

    def __init__(self, top: TopK) -> None:
        self.top = top

    def recommend(
        self,
        users: NDArray[np.integer],
        k: int,
        *,
        exclude_seen: bool = True,
        exclude: sparse.csr_array | None = None,
    ) -> TopK:
        """Return the lists of users 1, 2, ... as they are."""
        return TopK(self.top.ids[users - 1, :k], self.top.scores[users - 1, :k])


def containers(top: TopK, relevant: sparse.csr_array) -> tuple[Any, Any]:
    """Build ranx's containers from dictionaries, as its documentation does."""
    ends = relevant.indptr
    qrels = {
        f"{u:06}": dict.fromkeys(map(str, relevant.indices[ends[u] : ends[u + 1]].tolist()), 1)
        for u in range(len(top))
    }
    lists = zip(top.ids[:, :K].tolist(), top.scores[:, :K].tolist(), strict=True)
    run = {
        f"{u:06}": dict(zip(map(str, ids), scores, strict=True))
        for u, (ids, scores) in enumerate(lists)
    }
    return ranx.Qrels(qrels), ranx.Run(run)


def ranx_metrics(qrels: Any, run: Any) -> Values:
    return ranx.evaluate(qrels, run, NAMES, return_mean=False)


def our_metrics(top: TopK, relevant: sparse.csr_array) -> Values:
    hits, n_relevant = hit_matrix(top, relevant), np.diff(relevant.indptr)
    return {
        f"{name}@{cut}": metric(hits, n_relevant, cut)
        for cut in CUTS
        for name, metric in METRICS.items()
    }


def our_evaluation(top: TopK, split: Split) -> Values:
    report = evaluate(Ranked(top), split, k=CUTS, repeats="hide", n_bootstrap=1)
    return {name: report.per_user[name].to_numpy() for name in NAMES}


def race(peers: dict[str, Callable[[], Values]], repeats: int) -> float:
    """Let the peers take turns, check that they agree, and return how many times faster we are."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    values: dict[str, Values] = {}
    for _ in range(repeats + 1):
        for name, peer in peers.items():
            start = time.perf_counter()
            values[name] = peer()
            seconds[name].append(time.perf_counter() - start)
    for metric in NAMES:  # at most 9 relevant items, fewer than k: one definition of MAP
        ours, theirs = values["companion"][metric], values["ranx"][metric]
        np.testing.assert_allclose(ours, theirs, atol=1e-12, err_msg=metric)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    shown = ", ".join(f"{name} {median * 1e3:.1f} ms" for name, median in medians.items())
    ratio = medians["ranx"] / medians["companion"]
    print(f"{shown}: {ratio:.1f} x faster, equal values (wanted: {LEAST_RATIO:g} x)")
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2,000 users")
    n_users, repeats = (2_000, 5) if parser.parse_args().small else (10_000, 5)
    top, split = make_case(n_users)
    relevant = split.test.to_csr(binary=True)[1:]
    first = TopK(top.ids[:, :K], top.scores[:, :K])
    print(f"{n_users} users, lists of {K}, {relevant.nnz} relevant items; medians of {repeats}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="unsafe cast from uint64 to int64")
        built = containers(top, relevant)
        print("metrics     ", end="")
        arithmetic = race(
            {
                "companion": lambda: our_metrics(first, relevant),
                "ranx": lambda: ranx_metrics(*built),
            },
            repeats,
        )
        print("evaluation  ", end="")
        whole = race(
            {
                "companion": lambda: our_evaluation(top, split),
                "ranx": lambda: ranx_metrics(*containers(top, relevant)),
            },
            repeats,
        )
    return int(min(arithmetic, whole) < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
