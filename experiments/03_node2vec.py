"""The long experiments of chapter 3: which graph, which walks, and what they add.

Films: MovieLens-100K, leave last out, judged on validation by the film each user rated next; a
user is the mean of the last five.  Every model is scored twice, input against input (cosine) and
input against output (dot product).  Beside it stands the graph itself: the sum of the weights
between an item and the last five.  Groceries: Complete Journey, as in chapter 2.  Walks and
training use one thread.
"""

from __future__ import annotations

import functools
import importlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics import roc_auc_score

from companion.baselines import EASE, Popularity
from companion.datasets import load_complete_journey
from companion.embeddings import Embeddings
from companion.evaluation import evaluate
from companion.graph import ItemGraph
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.item_graph import build_bipartite_graph, build_item_graph
from companion.node2vec import Node2Vec
from companion.recommend import HistoryRecommender
from companion.scoring import ScoringRecommender
from experiments.runner import Table, run

before = importlib.import_module("experiments.02_item2vec")  # the same data, the same questions

SEEDS = (0, 1, 2, 3, 4)
METRICS = ("hit_rate@10", "ndcg@10")
AHEAD = ("low", "difference", "high")  # of the bootstrap over users
WALKS = {"walk_length": 40, "walks_per_node": 10, "epochs": 5}
RANDOM, MATCHED = "AUC, any pairs", "AUC, pairs of like popularity and degree"
NEAR = {
    f"{matrix} {metric}": 0.02 if metric == "ndcg@10" else 0.04
    for matrix in ("input", "output")
    for metric in METRICS
}  # five standard deviations from seed to seed, or more


@dataclass(eq=False)
class GraphRecommender(ScoringRecommender):
    """Ranks items by the sum of the weights of their edges to a user's history."""

    data: Interactions
    graph: ItemGraph
    last: int | None = 5
    decay: float = 1.0

    def __post_init__(self) -> None:
        self._seen = self.data.to_csr(binary=True)
        histories = self.data.sequences(self.last)
        self._weights = histories.weights_of_mean(self.data.n_items, decay=self.decay)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Score items for some users; shape (B, I)."""
        return (self._weights[users] @ self.graph.adjacency).toarray()


def film_log() -> Interactions:
    """Return the whole log of films."""
    return before.films().data


@functools.cache
def film_graph(weight: str, top_k: int | None, keep: str = "either") -> ItemGraph:
    """Return an item graph of the films to train on."""
    return build_item_graph(before.films().train, weight, top_k=top_k, keep=keep)  # type: ignore[arg-type]


def judged(recommender: Any, part: str = "validation") -> Any:
    """Return the report of one recommender on films."""
    return evaluate(recommender, before.films(), k=10, part=part, n_bootstrap=2)  # type: ignore[arg-type]


def scored(model: Node2Vec, data: Interactions, **history: Any) -> dict[str, float]:
    """Judge one model by both pairs of tables."""
    values = {}
    for matrix, context in (("input", None), ("output", model.context_embeddings_)):
        report = judged(HistoryRecommender(data, model.item_embeddings_, context, **history))
        for metric in METRICS:
            values[f"{matrix} {metric}"] = float(report.values[metric])
    return values


def on_graph(
    seed: int, weight: str, top_k: int | None, keep: str, **settings: Any
) -> dict[str, float]:
    """Walk over one graph of films and train; and let the graph answer by itself."""
    graph, train = film_graph(weight, top_k, keep), before.films().train
    model = Node2Vec(**{**WALKS, **settings}, seed=seed).fit(graph, verbose=False)
    alone = judged(GraphRecommender(train, graph)).values
    return {
        **scored(model, train, last=5),
        **{f"graph {metric}": float(alone[metric]) for metric in METRICS},
        "edges": float(graph.n_edges),
    }


def on_films(seed: int, **settings: Any) -> dict[str, float]:
    """Walk over the graph of the knobs' tables, Jaccard and the top 10, and train."""
    graph = film_graph("jaccard", 10)
    model = Node2Vec(**{**WALKS, **settings}, seed=seed).fit(graph, verbose=False)
    return scored(model, before.films().train, last=5)


def on_grid(seed: int, weight: str, top_k: int, **settings: Any) -> dict[str, float]:
    """Train with ten negatives and twenty epochs, a user's films fading by their age."""
    tuned = {**WALKS, "epochs": 20, "negatives": 10, **settings}
    model = Node2Vec(**tuned, seed=seed).fit(film_graph(weight, top_k), verbose=False)
    return scored(model, before.films().train, decay=0.75)


def on_popularity(seed: int, score: str, popularity_weight: float) -> dict[str, float]:
    """Put popularity back into the scores of the best settings of the grid."""
    train, settings = before.films().train, BEST_OUTPUT if score == "output" else BEST_INPUT
    model = best_walker(seed, score, **settings)
    context = model.context_embeddings_ if score == "output" else None
    options = {"decay": 0.75, "popularity_weight": popularity_weight}
    values = judged(HistoryRecommender(train, model.item_embeddings_, context, **options)).values
    return {metric: float(values[metric]) for metric in METRICS}


@functools.cache
def best_walker(seed: int, score: str, weight: str, top_k: int, **settings: Any) -> Node2Vec:
    """Return a model of the grid; the rows of one seed share it."""
    tuned = {**WALKS, "epochs": 20, "negatives": 10, **settings}
    return Node2Vec(**tuned, seed=seed).fit(film_graph(weight, top_k), verbose=False)


def on_graphs_alone(seed: int, weight: str, top_k: int, decay: float) -> dict[str, float]:
    """Let a graph answer by itself; nothing is random."""
    graph = film_graph(weight, top_k)
    report = judged(GraphRecommender(before.films().train, graph, None, decay))
    return {metric: float(report.values[metric]) for metric in METRICS}


def on_test(
    seed: int,
    score: str,
    weight: str,
    top_k: int,
    last: int | None,
    decay: float,
    popularity_weight: float,
    **settings: Any,
) -> dict[str, float]:
    """Refit on train and validation, judge on test, and compare user by user."""
    past = before.films().train_and_validation
    graph = build_item_graph(past, weight, top_k=top_k)  # type: ignore[arg-type]
    model = Node2Vec(**settings, seed=seed).fit(graph, verbose=False)
    context = model.context_embeddings_ if score == "output" else None
    history = {"last": last, "decay": decay, "popularity_weight": popularity_weight}
    ours = HistoryRecommender(past, model.item_embeddings_, context, **history)
    report = evaluate(ours, before.films())
    values = {metric: float(report.values[metric]) for metric in METRICS}
    for name, rival in {"Item2Vec": item2vec_on_test(seed), "graph": graph_on_test()}.items():
        lead = report.compare(rival).loc["ndcg@10"]
        values |= {f"over {name}, {end}": float(lead[end]) for end in AHEAD}
        values |= {f"{name} {metric}": float(rival.values[metric]) for metric in METRICS}
    values |= {f"{group} films": share for group, share in by_frequency(report).items()}
    rival = by_frequency(item2vec_on_test(seed))
    return values | {f"{group} films, Item2Vec": share for group, share in rival.items()}


@functools.cache
def item2vec_on_test(seed: int) -> Any:
    """Judge on test the tuned Item2Vec of chapter 2."""
    settings = {name: value for name, value in before.BEST_OUTPUT.items() if name != "score"}
    model = Item2Vec(**settings, engine="fast", score_with="output", seed=seed)
    return evaluate(model.fit(before.films().train_and_validation, verbose=False), before.films())


@functools.cache
def graph_on_test() -> Any:
    """Judge on test the graph that is best by itself on validation."""
    past = before.films().train_and_validation
    graph = build_item_graph(past, BEST_ALONE["weight"], top_k=BEST_ALONE["top_k"])
    return evaluate(GraphRecommender(past, graph, None, BEST_ALONE["decay"]), before.films())


def on_order(seed: int, shuffled: bool) -> dict[str, float]:
    """Judge on test the tuned Item2Vec, trained on histories in their order, or out of it."""
    past = before.films().train_and_validation
    rows = np.arange(len(past))
    if shuffled:  # inside of each user alone
        draws = np.random.default_rng(seed).random(len(past))
        rows = np.lexsort([draws, past.users])
    settings = {
        name: value
        for name, value in before.BEST_OUTPUT.items()
        if name not in ("score", "last", "decay")
    }
    learned_from = replace(past, items=past.items[rows])
    model = Item2Vec(**settings, engine="fast", seed=seed).fit(learned_from, verbose=False)
    tables = model.item_embeddings_, model.context_embeddings_
    report = evaluate(HistoryRecommender(past, *tables, decay=0.75), before.films())
    lead = report.compare(graph_on_test()).loc["ndcg@10"]
    values = {metric: float(report.values[metric]) for metric in METRICS}
    return values | {f"over graph, {end}": float(lead[end]) for end in AHEAD}


def by_frequency(report: Any) -> dict[str, float]:
    """Return the hit rate where the film to be found is rare, middling or frequent."""
    split = before.films()
    counts = split.train_and_validation.item_counts()[split.test.items]
    third = np.searchsorted(np.quantile(counts, [1 / 3, 2 / 3]), counts)
    hits = report.per_user.loc[split.test.user_ids, "hit_rate@10"].to_numpy()
    names = ("rare", "middling", "frequent")
    return {name: float(hits[third == place].mean()) for place, name in enumerate(names)}


def on_part_of_the_log(
    seed: int,
    share: float,
    method: str,
    weight: str | None,
    top_k: int | None,
    noise_exponent: float | None,
) -> dict[str, float]:
    """Keep a share of the training rows, drawn by the seed, and judge on all of validation."""
    whole = before.films().train
    data = whole.take(np.random.default_rng(seed).random(len(whole)) < share)
    if method == "popularity":
        recommender: Any = Popularity().fit(data)
    elif method == "Item2Vec":
        model = Item2Vec(
            engine="fast", window=20, epochs=40, noise_exponent=noise_exponent, seed=seed
        )
        model.last, model.score_with = 5, "output"
        recommender = model.fit(data, verbose=False)
    elif method in ("graph", "two steps"):
        graph = build_item_graph(data, weight, top_k=top_k)  # type: ignore[arg-type]
        recommender = GraphRecommender(data, graph if method == "graph" else two_steps(graph))
    else:
        if weight is None:
            graph = build_bipartite_graph(data)
        else:
            graph = build_item_graph(data, weight, top_k=top_k)  # type: ignore[arg-type]
        walker = Node2Vec(**WALKS, noise_exponent=noise_exponent, seed=seed)
        walker.fit(graph, verbose=False)
        tables = walker.item_embeddings_, walker.context_embeddings_
        recommender = HistoryRecommender(data, *tables, last=5)
    values = judged(recommender).values
    return {metric: float(values[metric]) for metric in METRICS} | {"rows": float(len(data))}


def two_steps(graph: ItemGraph) -> ItemGraph:
    """Return the graph of one step or two of a walk, without any training."""
    step = graph.adjacency.multiply(1 / np.maximum(graph.strengths(), 1e-30)[:, None]).tocsr()
    mixed = step + step @ step
    return ItemGraph(sparse.csr_array(mixed), graph.ids, directed=True)


@functools.cache
def grocery_walker(seed: int, weight: str, by: str) -> Node2Vec:
    """Return a model of products; the rows of one seed share it."""
    graph = build_item_graph(before.groceries().train, weight, top_k=50, by=by)  # type: ignore[arg-type]
    return Node2Vec(**{**WALKS, "epochs": 3}, seed=seed).fit(graph, verbose=False)


def on_groceries(
    seed: int, weight: str, by: str, score_with: str, last: int | None
) -> dict[str, float]:
    """Ask both questions: what is new in the next weeks, and what is bought at all."""
    model = grocery_walker(seed, weight, by)
    context = model.context_embeddings_ if score_with == "output" else None
    train = before.groceries().train
    recommender = HistoryRecommender(train, model.item_embeddings_, context, last=last)
    values = {}
    for name, repeats in {"new": "hide", "repeat": "count"}.items():
        report = evaluate(
            recommender,
            before.groceries(),
            k=10,
            part="validation",
            repeats=repeats,  # type: ignore[arg-type]
            n_bootstrap=2,
        )
        for metric in METRICS:
            values[f"{name} {metric}"] = float(report.values[metric])
    return values


def on_groceries_by_rivals(
    seed: int, method: str, by: str | None, top_k: int | None, part: str
) -> dict[str, float]:
    """Ask the rivals the first question; nothing is random."""
    split = before.groceries()
    past = split.train if part == "validation" else split.train_and_validation
    if method == "graph":
        graph = build_item_graph(past, "cosine", top_k=top_k, by=by)  # type: ignore[arg-type]
        recommender: Any = GraphRecommender(past, graph, 50)
    elif method == "EASE":
        recommender = EASE(reg=500.0).fit(past)
    else:
        recommender = Popularity(last_days=28).fit(past)
    report = evaluate(recommender, split, k=10, part=part, repeats="hide", n_bootstrap=2)  # type: ignore[arg-type]
    return {f"new {metric}": float(report.values[metric]) for metric in METRICS}


def on_groceries_against(seed: int, part: str) -> dict[str, float]:
    """Compare the best walks with the best Item2Vec on new products, household by household."""
    split = before.groceries()
    past = split.train if part == "validation" else split.train_and_validation
    graph = build_item_graph(past, "cosine", top_k=50, by="user")
    own = build_item_graph(past, "cosine", top_k=BEST_GROCERY_GRAPH, by="user")
    walker = Node2Vec(**{**WALKS, "epochs": 3}, seed=seed).fit(graph, verbose=False)
    reader = Item2Vec(engine="fast", by="basket", window="all", epochs=10, seed=seed)
    reader.last, reader.score_with = 50, "output"
    tables = walker.item_embeddings_, walker.context_embeddings_
    models = {
        "Node2Vec": HistoryRecommender(past, *tables, last=50),
        "its graph": GraphRecommender(past, graph, 50),
        "best graph": GraphRecommender(past, own, 50),
        "Item2Vec": reader.fit(past, verbose=False),
    }
    reports = {
        name: evaluate(model, split, k=10, part=part, repeats="hide")  # type: ignore[arg-type]
        for name, model in models.items()
    }
    values = {
        f"{name} {metric}": float(report.values[metric])
        for name, report in reports.items()
        for metric in METRICS
    }
    for name in ("its graph", "best graph", "Item2Vec"):
        lead = reports["Node2Vec"].compare(reports[name]).loc["hit_rate@10"]
        values |= {f"over {name}, {end}": float(lead[end]) for end in AHEAD}
    return values


def on_left_out(seed: int, weight: str, top_k: int) -> dict[str, float]:
    """Leave one product out of a held-out basket, and ask the others for it: HR@20."""
    _, held_out, data = before.baskets()
    graph = basket_graph(weight, top_k)
    model = Node2Vec(**{**WALKS, "epochs": 3}, seed=seed).fit(graph, verbose=False)
    e = rows_of(model.item_embeddings_, data)
    c = rows_of(model.context_embeddings_, data)
    others, wanted = before.leave_one_out(held_out)
    unit = before.unit(e)
    counts = np.asarray(graph.adjacency.todense(), dtype=np.float32)
    scores: dict[str, Callable[[NDArray[np.intp]], NDArray[np.float32]]] = {
        "input x input": lambda basket: unit @ unit[basket].mean(axis=0),
        "input x output": lambda basket: c @ e[basket].mean(axis=0),
        "graph": lambda basket: counts[basket].sum(axis=0),
    }
    values = {name: before.hit_rate(score, others, wanted) for name, score in scores.items()}
    return {
        **values,
        "same type, input x input": before.same_type(unit, unit, data),
        "same type, graph": before.same_type(counts, np.eye(len(counts), dtype=np.float32), data),
    }


@functools.cache
def basket_graph(weight: str, top_k: int) -> ItemGraph:
    """Return the item graph of the baskets that are trained on."""
    train, _, data = before.baskets()
    basket = np.repeat(np.arange(len(train)), [len(one) for one in train])
    frame = pd.DataFrame({"user": basket, "item": data.item_ids[np.concatenate(train)]})
    log = Interactions.from_frame(frame, timestamp=None)
    graph = build_item_graph(log, weight, top_k=top_k)  # type: ignore[arg-type]
    place = data.item_ids.get_indexer(log.item_ids)
    cells = graph.adjacency.tocoo()
    shape = (data.n_items, data.n_items)
    matrix = sparse.coo_array((cells.data, (place[cells.row], place[cells.col])), shape)
    return ItemGraph(matrix.tocsr(), data.item_ids)


def rows_of(table: Embeddings, data: Interactions) -> NDArray[np.float32]:
    """Return a row for every item of a log: zeros where it has no vector."""
    row = pd.Index(table.ids, tupleize_cols=False).get_indexer(data.item_ids)
    return np.where(row[:, None] >= 0, table.vectors[row], np.float32(0))


@dataclass(frozen=True)
class Meetings:
    """Baskets of common products before a day, and pairs that had not met by then.

    ``met`` are pairs that met at least twice after that day, ``apart`` and ``matched`` pairs that
    did not; those of ``matched`` are as popular as those of ``met``.
    """

    log: Interactions
    met: NDArray[np.int64]
    apart: NDArray[np.int64]
    matched: NDArray[np.int64]


def early_baskets() -> Interactions:
    """Return the baskets before the day."""
    return meetings().log


@functools.cache
def meetings() -> Meetings:
    """Return the pairs of products, each an array of shape (2, 20,000) or so."""
    log = load_complete_journey(min_item_count=1, verbose=False)
    assert log.timestamps is not None
    early = log.timestamps < pd.Timestamp("2017-11-06").timestamp()
    common = np.bincount(log.items[early], minlength=log.n_items) >= 50
    past, future = (log.take(part & common[log.items]) for part in (early, ~early))
    past = past.filter()
    together_then = together(future, past.item_ids)
    met_by_then = together(past, past.item_ids)
    apart_now = np.triu(met_by_then == 0, 1)
    rng = np.random.default_rng(0)
    met = draw(np.argwhere(apart_now & (together_then >= 2)), 20_000, rng)
    never = draw(np.argwhere(apart_now & (together_then == 0)), 2_000_000, rng)
    # a fifteenth by the product of the counts, and inside of it by that of the degrees
    sizes = np.log(past.item_counts()), np.log(1 + np.count_nonzero(met_by_then, axis=1))
    want, have = np.zeros(len(met), int), np.zeros(len(never), int)
    for size in sizes:
        for bin_ in np.unique(want).tolist():
            ours, others = want == bin_, have == bin_
            edges = np.quantile(size[met[ours]].sum(axis=1), np.linspace(0, 1, 16)[1:-1])
            want[ours] = 100 * bin_ + np.digitize(size[met[ours]].sum(axis=1), edges)
            have[others] = 100 * bin_ + np.digitize(size[never[others]].sum(axis=1), edges)
    matched = [
        draw(never[have == bin_], np.count_nonzero(want == bin_), rng) for bin_ in np.unique(want)
    ]
    return Meetings(past, met.T, never[: len(met)].T, np.concatenate(matched).T)


def together(log: Interactions, item_ids: pd.Index[Any]) -> NDArray[np.float32]:
    """Return how many baskets held both of two products; shape (I, I)."""
    baskets = log.baskets()
    place = item_ids.get_indexer(log.item_ids)[baskets.items]
    row = np.repeat(np.arange(len(baskets)), baskets.lengths())
    cells = (
        np.ones(np.count_nonzero(place >= 0), np.float32),
        (row[place >= 0], place[place >= 0]),
    )
    held = sparse.coo_array(cells, (len(baskets), len(item_ids))).tocsr()
    held.data[:] = 1
    return (held.T @ held).toarray()


def draw(pairs: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most so many of the rows, drawn without putting back."""
    return pairs[rng.permutation(len(pairs))[:most]]


def on_meetings(seed: int, method: str) -> dict[str, float]:
    """Tell the pairs that will meet from pairs that will not: the area under the ROC curve."""
    pairs, score = meetings(), PAIR_SCORES[method](seed)
    values = {}
    for name, others in {RANDOM: pairs.apart, MATCHED: pairs.matched}.items():
        found = np.concatenate([score(*pairs.met), score(*others)])
        truth = np.repeat([1, 0], [pairs.met.shape[1], others.shape[1]])
        values[name] = float(roc_auc_score(truth, found))
    return values


PairScore = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.floating[Any]]]


def by_popularity(seed: int) -> PairScore:
    """Score a pair by the product of its counts."""
    counts = meetings().log.item_counts().astype(float)
    return lambda a, b: counts[a] * counts[b]


@functools.cache
def neighbourhoods() -> sparse.csr_array:
    """Return who met whom; shape (I, I)."""
    return sparse.csr_array(build_item_graph(early_baskets(), "count", by="basket").adjacency > 0)


def by_common_neighbours(seed: int) -> PairScore:
    """Count the neighbours that two products share."""
    near = neighbourhoods().astype(float)
    return lambda a, b: near[a].multiply(near[b]).sum(axis=1)


def by_adamic_adar(seed: int) -> PairScore:
    """Count them, each divided by the log of how many neighbours it has itself."""
    near = neighbourhoods().astype(float)
    rare = near @ sparse.diags_array(1 / np.log(np.maximum(near.sum(axis=0), 2)))
    return lambda a, b: rare[a].multiply(near[b]).sum(axis=1)


def by_degrees(seed: int) -> PairScore:
    """Score a pair by the product of its degrees: preferential attachment."""
    degrees = neighbourhoods().sum(axis=0).astype(float)
    return lambda a, b: degrees[a] * degrees[b]


def by_jaccard_of_neighbours(seed: int) -> PairScore:
    """Return the share of all neighbours of either that are common."""
    near = neighbourhoods().astype(float)
    degrees = near.sum(axis=0)

    def score(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        common = near[a].multiply(near[b]).sum(axis=1)
        return common / np.maximum(degrees[a] + degrees[b] - common, 1)

    return score


def by_cosine_of_rows(seed: int) -> PairScore:
    """Compare two rows of the cosine graph by their cosine; nothing is trained."""
    graph = build_item_graph(early_baskets(), "cosine", top_k=200, by="basket").adjacency
    norms = np.sqrt(graph.multiply(graph).sum(axis=1))
    rows = sparse.csr_array(sparse.diags_array(1 / np.maximum(norms, 1e-12)) @ graph)
    return lambda a, b: rows[a].multiply(rows[b]).sum(axis=1)


def by_weights_of_two_steps(seed: int) -> PairScore:
    """Add up the product of the weights over all paths of two steps in the cosine graph."""
    graph = build_item_graph(early_baskets(), "cosine", top_k=200, by="basket").adjacency
    return lambda a, b: graph[a].multiply(graph[b]).sum(axis=1)


def by_tables(inputs: Embeddings, outputs: Embeddings) -> PairScore:
    """Score a pair as it was trained, in both directions."""
    e, c = rows_of(inputs, early_baskets()), rows_of(outputs, early_baskets())
    return lambda a, b: (e[a] * c[b] + e[b] * c[a]).sum(axis=1)


def by_walks(seed: int, weight: str = "cosine", top_k: int | None = 200) -> PairScore:
    """Let walks over an item graph say it."""
    graph = build_item_graph(early_baskets(), weight, top_k=top_k, by="basket")  # type: ignore[arg-type]
    model = Node2Vec(**{**WALKS, "epochs": 3}, seed=seed).fit(graph, verbose=False)
    return by_tables(model.item_embeddings_, model.context_embeddings_)


def by_baskets(seed: int) -> PairScore:
    """Let Item2Vec over the same baskets say it."""
    model = Item2Vec(engine="fast", by="basket", window="all", epochs=10, seed=seed)
    model.fit(early_baskets(), verbose=False)
    return by_tables(model.item_embeddings_, model.context_embeddings_)


PAIR_SCORES: dict[str, Callable[[int], PairScore]] = {
    "popularity": by_popularity,
    "degrees": by_degrees,
    "common neighbours": by_common_neighbours,
    "Jaccard of neighbours": by_jaccard_of_neighbours,
    "Adamic-Adar": by_adamic_adar,
    "cosine graph, two steps": by_weights_of_two_steps,
    "cosine graph, rows": by_cosine_of_rows,
    "Node2Vec, cosine, top 200": by_walks,
    "Node2Vec, cosine, top 50": functools.partial(by_walks, top_k=50),
    "Node2Vec, counts, all": functools.partial(by_walks, weight="count", top_k=None),
    "Item2Vec": by_baskets,
}


def knob(name: str, values: tuple[Any, ...], says: str, cheapest: int = 0) -> Table:
    """Return a table that turns one knob of the defaults, and nothing else."""
    return Table(
        name=f"03_{name}",
        says=says,
        data=film_log,
        rows=[{name: value} for value in values],
        seeds=SEEDS,
        measure=on_films,
        cheap={name: values[cheapest]},
        tolerance=NEAR,
    )


def every(**choices: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return every combination of the choices as settings."""
    return [dict(zip(choices, row, strict=True)) for row in itertools.product(*choices.values())]


# Chosen on validation in 03_tuned and 03_alone, by the mean over seeds; the chapter checks that.
TUNED = {"window": 5, **WALKS, "epochs": 20, "negatives": 10}
BEST_OUTPUT = {"weight": "cosine", "top_k": 10, "noise_exponent": 0.25, "p": 0.25, "q": 4.0}
BEST_INPUT = {"weight": "cosine", "top_k": 10, "noise_exponent": 0.5, "p": 0.25, "q": 4.0}
POPULARITY = {"output": 0.0, "input": 0.02}  # of 03_popularity, likewise
BEST_GROCERY_GRAPH = 20  # top_k, of 03_groceries_rivals, likewise
BEST_ALONE = {"weight": "cosine", "top_k": 50, "decay": 0.6}
PLAIN = {"p": 0.5, "q": 2.0, "window": 5, **WALKS, "epochs": 5, "negatives": 5}
THIN = [
    dict(zip(("method", "weight", "top_k", "noise_exponent"), row, strict=True))
    for row in (
        ("popularity", None, None, None),
        *itertools.product(("graph",), ("count", "jaccard", "cosine"), (10, 50, None), (None,)),
        *itertools.product(("two steps",), ("count", "cosine"), (50,), (None,)),
        *itertools.product(("Node2Vec",), ("count", "jaccard", "cosine"), (10, 50), (0.25,)),
        *itertools.product(("users and items", "Item2Vec"), (None,), (None,), (0.25, 0.75)),
    )
]
GRAPHS = every(weight=("jaccard", "count", "cosine", "pmi"), top_k=(5, 10, 20, 50, 200, None))

TABLES = [
    Table(
        name="03_graph",
        says="NDCG against the weight and the pruning of the graph, by walks and by the graph.",
        data=film_log,
        rows=[{**row, "keep": "either"} for row in GRAPHS]
        + every(weight=("jaccard",), top_k=(5, 10, 20, 50, 200), keep=("both",)),
        measure=on_graph,
        cheap={"weight": "jaccard", "top_k": 10, "keep": "either"},
        tolerance=NEAR | {f"graph {metric}": 0.001 for metric in METRICS} | {"edges": 1.0},
    ),
    Table(
        name="03_p_q",
        says="NDCG against p and q.",
        data=film_log,
        rows=every(p=(0.0625, 0.25, 1.0, 4.0, 16.0), q=(0.0625, 0.25, 1.0, 4.0, 16.0)),
        seeds=SEEDS,
        measure=on_films,
        cheap={"p": 0.25, "q": 4.0},
        tolerance=NEAR,
    ),
    Table(
        name="03_walks",
        says="NDCG against the number of walks from a node and their length, five epochs each.",
        data=film_log,
        rows=every(walks_per_node=(1, 2, 5, 10, 20, 50), walk_length=(10, 20, 40, 80)),
        measure=on_films,
        cheap={"walks_per_node": 2, "walk_length": 20},
        tolerance=NEAR,
    ),
    knob("epochs", (1, 2, 5, 10, 20, 50), "NDCG against the epochs over ten walks of 40."),
    knob("window", (1, 2, 3, 5, 10, 20), "NDCG against the window."),
    knob("noise_exponent", (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0), "NDCG against the exponent."),
    knob("dim", (8, 16, 32, 64, 128, 256), "NDCG against the dimension."),
    Table(
        name="03_tuned",
        says="The grid from which the settings of the test are chosen.",
        data=film_log,
        rows=[
            {**row, "p": p, "q": q}
            for p, q in ((1.0, 1.0), (0.25, 4.0))
            for row in every(
                weight=("jaccard", "cosine"), top_k=(5, 10, 20), noise_exponent=(0.25, 0.5, 0.75)
            )
        ],
        measure=on_grid,
        cheap=0,
        tolerance=NEAR,
    ),
    Table(
        name="03_popularity",
        says="The best settings with popularity put back into the score.",
        data=film_log,
        rows=[
            *every(score=("output",), popularity_weight=(0.0, 0.25, 0.5, 0.75, 1.0)),
            *every(score=("input",), popularity_weight=(0.0, 0.02, 0.05, 0.1, 0.2)),
        ],
        measure=on_popularity,
        cheap=0,
        tolerance={metric: NEAR[f"output {metric}"] for metric in METRICS},
    ),
    Table(
        name="03_alone",
        says="Graphs that answer by themselves, the history fading: the grid of the rival.",
        data=film_log,
        rows=every(
            weight=("jaccard", "cosine"), top_k=(20, 50, 100, 200), decay=(0.5, 0.6, 0.75, 0.9)
        ),
        seeds=(0,),
        measure=on_graphs_alone,
        cheap=0,
        tolerance=dict.fromkeys(METRICS, 0.001),
    ),
    Table(
        name="03_test",
        says="The chosen settings, and the usual ones, refitted and judged on test.",
        data=film_log,
        rows=[
            {**row, **TUNED, "last": None, "decay": 0.75, "score": score, "popularity_weight": much}
            for row, score, much in (
                (BEST_OUTPUT, "output", POPULARITY["output"]),
                (BEST_INPUT, "input", POPULARITY["input"]),
            )
        ]
        + [
            {
                **{"score": "input", "weight": "jaccard", "top_k": 50, "noise_exponent": 0.75},
                **{**PLAIN, "last": 5, "decay": 1.0, "popularity_weight": 0.0},
            },
        ],
        seeds=SEEDS,
        measure=on_test,
        cheap=2,
        tolerance={metric: NEAR[f"output {metric}"] for metric in METRICS},
    ),
    Table(
        name="03_order",
        says="The tuned Item2Vec, trained on histories in their order and on shuffled ones.",
        data=film_log,
        rows=[{"shuffled": False}, {"shuffled": True}],
        seeds=SEEDS,
        measure=on_order,
        cheap={"shuffled": True},
        tolerance={metric: NEAR[f"output {metric}"] for metric in METRICS},
    ),
    Table(
        name="03_part",
        says="Quality where only a share of the log is left.",
        data=film_log,
        rows=[{**row, "share": share} for share in (1.0, 0.5, 0.25, 0.1, 0.05) for row in THIN],
        measure=on_part_of_the_log,
        cheap=7,
        tolerance={"hit_rate@10": 0.03, "ndcg@10": 0.015, "rows": 0.5},
    ),
    Table(
        name="03_groceries",
        says="Groceries cut in time: what is new in the next weeks, and what is bought at all.",
        data=before.grocery_log,
        rows=every(
            weight=("jaccard", "cosine"),
            by=("basket", "user"),
            score_with=("input", "output"),
            last=(50,),
        ),
        measure=on_groceries,
        cheap={"weight": "cosine", "by": "basket", "score_with": "output", "last": 50},
        tolerance={
            f"{question} {metric}": 0.03 for question in ("new", "repeat") for metric in METRICS
        },
    ),
    Table(
        name="03_groceries_rivals",
        says="Groceries cut in time: what is new in the next weeks, by rivals that walk nowhere.",
        data=before.grocery_log,
        rows=[
            {"method": method, "by": by, "top_k": top_k, "part": part}
            for part in ("validation", "test")
            for method, by, top_k in (
                *itertools.product(("graph",), ("basket", "user"), (10, 20, 50, 100, 200)),
                ("popularity of 28 days", None, None),
                ("EASE", None, None),
            )
        ],
        seeds=(0,),
        measure=on_groceries_by_rivals,
        cheap=6,
        tolerance={f"new {metric}": 0.001 for metric in METRICS},
    ),
    Table(
        name="03_groceries_against",
        says="New products by the best walks, the graph alone and the best Item2Vec, compared.",
        data=before.grocery_log,
        rows=every(part=("validation", "test")),
        measure=on_groceries_against,
        cheap=0,
        tolerance={f"{name} hit_rate@10": 0.03 for name in ("Node2Vec", "best graph", "Item2Vec")},
    ),
    Table(
        name="03_left_out",
        says="One product left out of a basket, asked for by the others; and products of one type.",
        data=before.basket_log,
        rows=every(weight=("jaccard", "cosine"), top_k=(50, 200)),
        measure=on_left_out,
        cheap={"weight": "cosine", "top_k": 50},
        tolerance={
            "input x input": 0.015,
            "input x output": 0.015,
            "graph": 0.002,
            "same type, input x input": 0.02,
            "same type, graph": 0.002,
        },
    ),
    Table(
        name="03_meetings",
        says="Which products that were never in one basket will be: the area under the curve.",
        data=early_baskets,
        rows=[{"method": name} for name in PAIR_SCORES],
        measure=on_meetings,
        cheap={"method": "common neighbours"},
        tolerance={RANDOM: 0.02, MATCHED: 0.02},
    ),
]

if __name__ == "__main__":
    run(TABLES)
