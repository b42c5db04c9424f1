"""Item2Vec against gensim's Word2Vec: speed, seconds to a held-out quality, quality, memory.

Baskets of Complete Journey, d=64, window 5, 5 negatives, skip-gram, learning rate .025; gensim
is called directly.  Peers have equal threads and take turns.  Compiling, and gensim's strings
and vocabulary, come before the clock; our alias table, the shuffling of baskets and the loss
after each epoch are inside it.  Each starts its tables in its own way.

Held-out quality: one product is left out of each of 8,000 baskets that nobody trains on, and the
mean of the others' input vectors is scored against the output vectors of all products.  HR@20 is
how often the one left out is among the best 20 that do not lie in the basket.  The products of a
basket stand in the order of their numbers, as in the file; the set view would find more.

    python benchmarks/bench_item2vec.py           # about 4 minutes on two cores
    python benchmarks/bench_item2vec.py --small   # products in 200 baskets or more, one seed
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gensim.models.word2vec import Word2Vec
from numpy.typing import NDArray
from scipy import sparse

from companion.datasets import load_complete_journey, load_movielens
from companion.evaluation import evaluate
from companion.item2vec import Item2Vec
from companion.sequences import Sequences
from companion.sgns import EngineName, Objective, expected_pairs, make_engine, start_tables, train
from companion.sgns.objective import Tables
from companion.splits import Split, leave_last_out

OBJECTIVE, DIM, RATE = Objective(), 64, 0.025  # window 5, 5 negatives, exponent 3/4
ENGINES: tuple[EngineName, ...] = ("gensim", "fast", "torch")
N_HELD, K = 8_000, 20
PEER_EPOCHS, MOST_EPOCHS, LONG_EPOCHS = 5, 8, 15
FILMS = Item2Vec(epochs=10, noise_exponent=0.25, last=5, score_with="output")
LEAST_RATIO, WISHED_RATIO, LARGEST_SHARE = 3.0, 4.0, 0.3
TWO = Sequences(np.array([0, 1], dtype=np.int32), np.array([0, 2]))  # enough to load all code
Run = Callable[[], Tables]
Hits = NDArray[np.float64]  # one a basket or user: the share of seeds that hit


class Case(NamedTuple):
    """Baskets to learn from, as we and as gensim take them, and how often each product occurs."""

    baskets: Sequences
    sentences: list[list[str]]
    counts: NDArray[np.int64]

    def n_pairs(self) -> float:
        """Predict the pairs of an epoch."""
        return expected_pairs(self.baskets.lengths(), OBJECTIVE.window)


class HeldOut(NamedTuple):
    """A row a basket with the weights of the products that stay, and the one left out."""

    others: sparse.csr_array
    left_out: NDArray[np.int32]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="products in 200 baskets or more")
    parser.add_argument("--one", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--baskets", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure_memory(options.one, options.baskets)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder  # an empty one: compiling is seen, and done once
        compare(Path(folder), *((200, 1, 1) if options.small else (10, 3, 3)))
    return 0


def compare(folder: Path, least: int, turns: int, n_seeds: int) -> None:
    log = load_complete_journey(drop_non_products=False, min_item_count=least, verbose=False)
    case = make_case(log.baskets(), log.n_items)
    print(f"{len(case.baskets):,} baskets, {len(case.baskets.items):,} tokens, ", end="")
    print(f"{log.n_items:,} products, {case.n_pairs():,.0f} pairs an epoch")
    compiling = learn("fast", make_case(TWO, 2))[0]
    print(f"compiling the fast engine, before any clock: {compiling:.1f} s")
    compare_speed(case, turns)
    compare_quality(*hold_out(case, rng=np.random.default_rng(0)), n_seeds)
    compare_films(leave_last_out(load_movielens("100k", verbose=False)), n_seeds)
    compare_memory(case, folder / "baskets.npz")


def make_case(baskets: Sequences, n_items: int) -> Case:
    names = np.array([str(code) for code in range(n_items)], dtype=object)
    sentences = [names[basket].tolist() for basket in baskets]
    return Case(baskets, sentences, np.bincount(baskets.items, minlength=n_items))


def learn(
    engine: EngineName, case: Case, *, threads: int = 1, epochs: int = 1, seed: int = 0
) -> tuple[float, Tables]:
    """Train, and return the seconds and the tables."""
    prepare = gensims if engine == "gensim" else partial(ours, engine)
    run = prepare(case, threads=threads, epochs=epochs, seed=seed)
    start = time.perf_counter()
    tables = run()
    return time.perf_counter() - start, tables


def ours(engine: EngineName, case: Case, *, threads: int, epochs: int, seed: int) -> Run:
    """Return a call that does everything."""

    def run() -> Tables:
        rng, counts = np.random.default_rng(seed), case.counts
        start = start_tables(len(counts), DIM, rng=rng)
        machine = make_engine(engine, OBJECTIVE, start, counts, threads=threads, device="cpu")
        losses = train(
            machine, OBJECTIVE, case.baskets, counts, epochs=epochs, learning_rate=RATE, rng=rng
        )
        deque(losses, maxlen=0)
        return machine.tables()

    return run


def gensims(case: Case, *, threads: int, epochs: int, seed: int) -> Run:
    """Shuffle the baskets and build the vocabulary, and return a call that trains."""
    order = np.random.default_rng(seed).permutation(len(case.sentences))
    sentences = [case.sentences[place] for place in order]
    settings = {"window": 5, "sg": 1, "negative": 5, "ns_exponent": 0.75, "min_alpha": 1e-4}
    model = Word2Vec(
        vector_size=DIM, alpha=RATE, sample=0, min_count=1, workers=threads, seed=seed, **settings
    )
    model.build_vocab(sentences)

    def run() -> Tables:
        model.train(sentences, total_examples=len(sentences), epochs=epochs)
        rows = [model.wv.key_to_index[str(code)] for code in range(len(case.counts))]
        return model.wv.vectors[rows], model.syn1neg[rows]

    return run


def compare_speed(case: Case, turns: int) -> None:
    """Train one epoch in turns; a ratio is the median of the turns' ratios."""
    twentieth = case.baskets.take(np.arange(0, len(case.baskets), 20))
    cases = dict.fromkeys(ENGINES, case) | {"torch": make_case(twentieth, len(case.counts))}
    print(f"\n1. One epoch, medians of {turns} turns (torch: a twentieth of the baskets)")
    print(f"{'engine':<7} {'threads':>7} {'tokens/s':>10} {'pairs/s':>11} {'x gensim':>8}")
    for threads, engines in {1: ENGINES, 2: ENGINES[:2]}.items():
        rates: dict[EngineName, list[float]] = {engine: [] for engine in engines}  # pairs/s
        for _ in range(turns):
            for engine in engines:
                took = learn(engine, cases[engine], threads=threads)[0]
                rates[engine].append(cases[engine].n_pairs() / took)
        for engine, pairs in rates.items():
            rate = statistics.median(pairs)
            tokens = rate * len(cases[engine].baskets.items) / cases[engine].n_pairs()
            ratio = statistics.median(np.divide(pairs, rates["gensim"]).tolist())
            print(f"{engine:<7} {threads:7} {tokens:10,.0f} {rate:11,.0f} {ratio:8.2f}", end="")
            wanted = f"  (wanted: {LEAST_RATIO:g}, wished: {WISHED_RATIO:g}): "
            print(wanted + verdict(ratio >= LEAST_RATIO) if engine == "fast" else "")


def verdict(reached: bool) -> str:
    return "reached" if reached else "target missed"


def hold_out(case: Case, *, rng: np.random.Generator) -> tuple[Case, HeldOut]:
    """Take baskets of three products or more away, and leave one product out of each."""
    baskets, n_items = case.baskets, len(case.counts)
    held = rng.choice(np.flatnonzero(baskets.lengths() >= 3), N_HELD, replace=False)
    rest = np.setdiff1d(np.arange(len(baskets)), held)
    kept = make_case(baskets.take(rng.permutation(rest)), n_items)
    assert kept.counts.all(), "a product occurs in held-out baskets alone"
    judged = baskets.take(held)
    lengths = judged.lengths()
    places = judged.offsets[:-1] + rng.integers(lengths)
    weights = np.repeat(1 / (lengths - 1), lengths).astype(np.float32)
    weights[places] = 0
    others = sparse.csr_array((weights, judged.items, judged.offsets), shape=(N_HELD, n_items))
    return kept, HeldOut(others, judged.items[places])


def hits_of(held: HeldOut, inputs: NDArray[np.float32], targets: NDArray[np.float32]) -> Hits:
    """Return 1 where the product left out is among the best K; ties and NaN do not help."""
    hits = np.zeros(N_HELD)
    for block in np.array_split(np.arange(N_HELD), 16):
        scores = (held.others[block] @ inputs) @ targets.T
        scores[held.others[block].nonzero()] = -np.inf  # what lies in the basket is no answer
        own = scores[np.arange(len(block)), held.left_out[block]]
        lower = np.count_nonzero(scores < own[:, None], axis=1)
        hits[block] = len(targets) - lower <= K
    return hits


def compare_quality(case: Case, held: HeldOut, n_seeds: int) -> None:
    """Raise our epochs until the held-out quality is gensim's; then train both for long."""
    popular = np.isin(held.left_out, np.argsort(-case.counts)[:K]).mean()
    print(f"\n2. HR@{K} over {N_HELD:,} held-out baskets ± standard error; seeds: {n_seeds}")
    print(f"Seconds: of the first seed, one thread (others: two).  {K} most bought: {popular:.4f}")
    print(f"{'engine':<7} {'epochs':>6} {'seconds':>8}  {'HR@20':<17} less gensim's")

    def judge(engine: EngineName, epochs: int) -> tuple[float, Hits]:
        settings = [{"epochs": epochs, "seed": s, "threads": 2 if s else 1} for s in range(n_seeds)]
        runs = [learn(engine, case, **one) for one in settings]
        hits = np.mean([hits_of(held, *tables) for _, tables in runs], axis=0)
        print(f"{engine:<7} {epochs:6} {runs[0][0]:8.2f}  {with_error(hits)}", end="  ")
        return runs[0][0], hits

    limit, theirs = judge("gensim", PEER_EPOCHS)
    print()
    share = np.inf
    for epochs in range(1, MOST_EPOCHS + 1):
        took, hits = judge("fast", epochs)
        print(with_error(hits - theirs, "+"))
        if hits.mean() >= theirs.mean():
            share = took / limit
            break
    print(
        f"seconds to the HR@{K} of gensim's {PEER_EPOCHS} epochs: {share:.2f} x gensim's", end=" "
    )
    print(f"(wanted: at most {LARGEST_SHARE}): {verdict(share <= LARGEST_SHARE)}")
    compare_at_length(case, held)


def compare_at_length(case: Case, held: HeldOut) -> None:
    """Train for many epochs, and score against the output and against the input vectors."""
    print(f"\n{LONG_EPOCHS} epochs, one seed, two threads: HR@{K}")
    print(f"{'engine':<7} {'seconds':>8}  {'input . output':<17} input . input (cosine)")
    hits: dict[str, Hits] = {}
    for engine in ENGINES[:2]:
        took, tables = learn(engine, case, threads=2, epochs=LONG_EPOCHS)
        unit = tables[0] / np.linalg.norm(tables[0], axis=1, keepdims=True)
        hits[engine] = hits_of(held, *tables)
        alike = with_error(hits_of(held, unit, unit))
        print(f"{engine:<7} {took:8.2f}  {with_error(hits[engine])}  {alike}")
    no_worse(hits["fast"] - hits["gensim"])


def with_error(values: Hits, sign: str = "") -> str:
    return f"{values.mean():{sign}.4f} ± {values.std() / np.sqrt(len(values)):.4f}"


def no_worse(difference: Hits) -> None:
    """Say whether the fast engine's quality is gensim's, by its interval, or above."""
    upper = difference.mean() + 1.96 * difference.std() / np.sqrt(len(difference))
    print(f"fast less gensim: {with_error(difference, '+')} (wanted: 0 inside its 95 % ", end="")
    print(f"interval, or above): {verdict(upper >= 0)}")


def compare_films(split: Split, n_seeds: int) -> None:
    """Train the three engines on MovieLens with equal hyperparameters."""
    print(f"\n3. MovieLens, last film but one, {FILMS.epochs} epochs, one thread")
    print(f"{'engine':<7} {'seeds':>5} {'seconds':>8}  {'HR@10':<17} NDCG@10")
    hits: dict[str, Hits] = {}
    for engine in ENGINES:
        n = 1 if engine == "torch" else n_seeds  # torch takes long
        start, tables = time.perf_counter(), []
        for seed in range(n):
            model = replace(FILMS, engine=engine, seed=seed)
            model.fit(split.train, device="cpu", verbose=False)
            report = evaluate(model, split, part="validation", k=10, n_bootstrap=1)
            tables.append(report.per_user[["hit_rate@10", "ndcg@10"]].to_numpy())
        took = (time.perf_counter() - start) / n
        hits[engine], ndcg = np.mean(tables, axis=0).T
        print(f"{engine:<7} {n:5} {took:8.2f}  {with_error(hits[engine])}  {with_error(ndcg)}")
    no_worse(hits["fast"] - hits["gensim"])


def compare_memory(case: Case, path: Path) -> None:
    """Let each peer learn in a process of its own, and compare the memory that it adds."""
    if not Path("/proc/self/clear_refs").exists():
        print("\n4. Memory: only measured where there is /proc")
        return
    np.savez(path, items=case.baskets.items, offsets=case.baskets.offsets)
    print("\n4. Memory that one epoch on one thread adds at its peak, in MB")
    print(f"{'engine':<7} {'input':>6} {'training':>9}")
    for engine in ENGINES[:2]:
        command = [sys.executable, __file__, "--one", engine, "--baskets", str(path)]
        added = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        print(f"{engine:<7} {added['input']:6.1f} {added['training']:9.1f}")


def measure_memory(engine: EngineName, path: Path) -> dict[str, float]:
    """Return how much one peer adds in this process: what it is given, and then at its peak."""
    learn(engine, make_case(TWO, 2))
    before = memory("VmRSS")
    with np.load(path) as arrays:
        baskets = Sequences(arrays["items"], arrays["offsets"])
    case = Case(baskets, [], np.bincount(baskets.items))
    if engine == "gensim":  # takes strings, and no arrays
        case = make_case(baskets, len(case.counts))._replace(baskets=TWO)
        del baskets
    given = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    learn(engine, case)
    return {"input": given - before, "training": memory("VmHWM") - given}


def memory(name: str) -> float:
    """Return an entry of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith(name))
    return int(kib) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
