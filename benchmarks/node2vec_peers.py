"""Walks of other libraries, run by `bench_node2vec` in an environment of their own.

PecanPy needs NumPy below 2.  This file imports nothing of the package; it reads a graph, walks as
it is told, and prints the seconds as JSON.  Compiling comes before the clock, on a small graph.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def main() -> int:
    peer, path, settings = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    run = {"fastnode2vec": fastnode2vec}.get(peer, pecanpy)
    small = {**settings, "walks": 1, "length": 5}
    run(peer, path.with_name("small.npz"), **small)
    print(json.dumps(run(peer, path, **settings)))
    return 0


def pecanpy(
    mode: str, path: Path, *, p: float, q: float, walks: int, length: int, threads: int
) -> dict[str, float]:
    """Walk by one of PecanPy's modes, as its user calls it."""
    from pecanpy import pecanpy as library

    graph = getattr(library, mode)(p=p, q=q, workers=threads, verbose=False, random_state=0)
    graph.read_npz(str(path), weighted=True, implicit_ids=True)
    start = time.perf_counter()
    graph.preprocess_transition_probs()
    between = time.perf_counter()
    found = graph.simulate_walks(walks, length)
    end = time.perf_counter()
    return {
        "prepare": between - start,
        "walk": end - between,
        "steps": float(sum(map(len, found)) - len(found)),
    }


def fastnode2vec(
    peer: str, path: Path, *, p: float, q: float, walks: int, length: int, threads: int
) -> dict[str, float]:
    """Walk by fastnode2vec's compiled function, one thread; names and lists are left out."""
    from fastnode2vec.graph import Graph, _random_walk_weighted

    file = np.load(path)
    edges = zip(_sources(file), file["indices"].tolist(), file["data"].tolist(), strict=True)
    start = time.perf_counter()
    graph = Graph(edges, directed=True, weighted=True, verbose=False)
    between = time.perf_counter()
    for _ in range(walks):
        for node in range(len(graph.node_names)):
            _random_walk_weighted(graph.indptr, graph.indices, graph.data, length, p, q, node)
    end = time.perf_counter()
    n_steps = walks * len(graph.node_names) * (length - 1)
    return {"prepare": between - start, "walk": end - between, "steps": float(n_steps)}


def _sources(file: Any) -> list[int]:
    rows: NDArray[np.int64] = np.repeat(np.arange(len(file["indptr"]) - 1), np.diff(file["indptr"]))
    return rows.tolist()


if __name__ == "__main__":
    sys.exit(main())
