"""Walks, their memory and item graphs against PecanPy, fastnode2vec and implicit.

Walks: 10 of 80 nodes from every node of a Barabási-Albert graph (20,000 nodes, 30 edges a new
one, exponential weights) and of the item graph of Complete Journey (Jaccard, top 50, by basket).
PecanPy's seconds hold preparation and walks, with two threads, as its user meets them; of
fastnode2vec only the compiled walking counts, one thread.  Ours hold tables and walks.  Compiling
comes before every clock.

The peers get an environment of their own in a temporary folder (PecanPy needs NumPy below 2);
where they cannot be installed, that is said.

    python benchmarks/bench_node2vec.py           # about 10 minutes on two cores
    python benchmarks/bench_node2vec.py --small   # a tenth of the nodes, two corners of p and q
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
from scipy import sparse

from companion.datasets import load_complete_journey
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item_graph import build_item_graph
from companion.walks import prepare_walks, random_walks

CORNERS = [(1.0, 1.0), (0.25, 4.0), (4.0, 0.25), (0.5, 2.0)]
WALKS, LENGTH, TURNS = 10, 80, 3
PACKAGES = ("numpy<2", "pecanpy==2.0.9", "fastnode2vec==0.0.7")
MODES = ("PreComp", "SparseOTF")
PEERS = Path(__file__).with_name("node2vec_peers.py")
AN_ALIAS_ENTRY = 12  # bytes: a float64 and an int32


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the nodes, two corners")
    small = parser.parse_args().small
    log = load_complete_journey(
        drop_non_products=False, min_item_count=200 if small else 10, verbose=False
    )
    with tempfile.TemporaryDirectory() as folder:
        python = peers_environment(Path(folder))
        compare_graphs(log)
        for name, graph in {
            "Barabási-Albert": barabasi_albert(2_000 if small else 20_000),
            "Complete Journey": build_item_graph(log, top_k=50, by="basket"),
        }.items():
            compare_walks(name, graph, CORNERS[2:] if small else CORNERS, python, Path(folder))
    return 0


def peers_environment(folder: Path) -> Path | None:
    """Return the Python of an environment with the peers, or None if it cannot be made."""
    place = folder / "peers"
    venv.create(place, with_pip=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    made = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *PACKAGES], capture_output=True, text=True
    )
    if made.returncode:
        print(f"The peers cannot be installed here: {made.stderr.strip().splitlines()[-1:]}")
        return None
    return python


def barabasi_albert(n_nodes: int) -> ItemGraph:
    edges = np.array(nx.barabasi_albert_graph(n_nodes, 30, seed=0).edges())
    return ItemGraph.from_edges(
        edges, weights=np.random.default_rng(0).exponential(size=len(edges))
    )


def compare_walks(
    name: str,
    graph: ItemGraph,
    corners: list[tuple[float, float]],
    python: Path | None,
    folder: Path,
) -> None:
    degrees = graph.degrees()
    entries = int((degrees.astype(np.int64) ** 2).sum())
    ours = prepare_walks(graph).nbytes
    print(f"\n{name}: {graph.n_nodes:,} nodes, {graph.n_edges:,} edges, largest degree ", end="")
    print(f"{degrees.max():,}; mean {degrees.mean():.0f}")
    print(
        f"memory of the tables: {ours / 1e6:.0f} MB; an alias table for each pair of edges ", end=""
    )
    print(
        f"{entries * AN_ALIAS_ENTRY / 1e6:,.0f} MB: {ours / entries / AN_ALIAS_ENTRY:.3f} x ",
        end="",
    )
    print(f"(wanted: at most 0.1): {verdict(ours <= 0.1 * entries * AN_ALIAS_ENTRY)}")
    save(graph, folder / "graph.npz")
    save(barabasi_albert(100), folder / "small.npz")
    for p in (1.0, 2.0):  # the orders of walks are compiled each for itself
        random_walks(graph, p=p, walk_length=3, walks_per_node=1)
    print("seconds for all walks; M steps a second of one thread")
    for p, q in corners:
        compare_corner(graph, p, q, python, folder / "graph.npz")


def compare_corner(graph: ItemGraph, p: float, q: float, python: Path | None, path: Path) -> None:
    """Walk with one and with two threads, beside the peers."""
    one, two = (median_seconds(graph, p, q, threads) for threads in (1, 2))
    steps = WALKS * graph.n_nodes * (LENGTH - 1)
    print(f"p={p:g} q={q:g}: ours {one:.2f} and {two:.2f} s, {steps / one / 1e6:.2f} M", end="")
    if python is None:
        print()
        return
    settings = {"p": p, "q": q, "walks": WALKS, "length": LENGTH}
    theirs = {mode: peer(python, mode, path, **settings, threads=2) for mode in MODES}
    for mode, took in theirs.items():
        print(f" | {mode} {took['prepare']:.1f} + {took['walk']:.1f} s", end="")
    share = two / min(took["prepare"] + took["walk"] for took in theirs.values())
    fast = peer(python, "fastnode2vec", path, **settings, threads=1)
    rate = fast["steps"] / fast["walk"]
    times = steps / one / rate
    print(f" | fastnode2vec {rate / 1e6:.2f} M")
    print(
        f"    {share:.3f} x PecanPy's best (wanted: at most 0.1): {verdict(share <= 0.1)}; ", end=""
    )
    print(f"{times:.1f} x fastnode2vec a thread (wanted: 3): {verdict(times >= 3)}", flush=True)


def median_seconds(graph: ItemGraph, p: float, q: float, threads: int) -> float:
    times = []
    for turn in range(TURNS):
        start = time.perf_counter()
        random_walks(
            graph, p=p, q=q, walk_length=LENGTH, walks_per_node=WALKS, seed=turn, threads=threads
        )
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peer(
    python: Path, name: str, path: Path, *, threads: int, **settings: float
) -> dict[str, float]:
    """Let a peer walk in a process of its own."""
    command = [
        str(python),
        str(PEERS),
        name,
        str(path),
        json.dumps({**settings, "threads": threads}),
    ]
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def save(graph: ItemGraph, path: Path) -> None:
    matrix = graph.adjacency
    np.savez(path, indptr=matrix.indptr, indices=matrix.indices, data=matrix.data)


def compare_graphs(log: Interactions) -> None:
    """Build the Jaccard graph, top 50, beside implicit's neighbours of the same matrix."""
    print(f"Item graph of {log.n_items:,} products, top 50")
    baskets = log.baskets()
    rows = np.repeat(np.arange(len(baskets)), baskets.lengths())
    cells = (np.ones(len(rows)), (rows, baskets.items))
    matrices = {
        "basket": sparse.csr_matrix(sparse.coo_matrix(cells, (len(baskets), log.n_items))),
        "user": sparse.csr_matrix(log.to_csr(binary=True)),
    }
    build_item_graph(log, top_k=50, by="basket")  # compiles
    for (by, matrix), threads in itertools.product(matrices.items(), (1, 2)):
        ours, theirs = zip(*(one_turn(log, by, matrix, threads) for _ in range(TURNS)), strict=True)
        ratio = statistics.median(np.divide(ours, theirs).tolist())
        print(f"by {by}, threads {threads}: ours {statistics.median(ours):.2f} s, ", end="")
        print(f"implicit's cosine {statistics.median(theirs):.2f} s: {ratio:.2f} x ", end="")
        print(f"(wanted: at most 0.5): {verdict(ratio <= 0.5)}", flush=True)


def one_turn(
    log: Interactions, by: str, matrix: sparse.csr_matrix, threads: int
) -> tuple[float, float]:
    """Return our seconds and implicit's."""
    from implicit.nearest_neighbours import CosineRecommender

    start = time.perf_counter()
    build_item_graph(log, top_k=50, by=by, threads=threads)  # type: ignore[arg-type]
    between = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # implicit warns of a matrix that it made itself
        CosineRecommender(K=50, num_threads=threads).fit(matrix, show_progress=False)
    return between - start, time.perf_counter() - between


def verdict(reached: bool) -> str:
    return "reached" if reached else "target missed"


if __name__ == "__main__":
    sys.exit(main())
