"""The long experiments of chapter 2: what each knob of Item2Vec does.

Films: MovieLens-100K, leave last out, judged on validation by the film each user rated next; a
user is the mean of the last five.  Every model is scored twice, input against input (cosine) and
input against output (dot product), so every table answers both.  Groceries: Complete Journey cut
in time, and one product left out of a basket.  All but the table of engines use the fast engine
on one thread.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from companion.baselines import EASE, ItemKNN, Popularity
from companion.datasets import load_complete_journey, load_movielens
from companion.evaluation import evaluate
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.splits import Split, leave_last_out, temporal_split
from experiments.runner import Table, run

DIMENSIONS = (8, 16, 32, 64, 128, 256)
EXPONENTS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = (0, 1, 2, 3, 4)
FADING = {"negatives": 10, "last": None, "decay": 0.75}  # a film counts 3/4 of the next newer
METRICS = ("hit_rate@10", "ndcg@10", "hit_rate@20")
AHEAD = ("low", "difference", "high")  # of the bootstrap over users
LEFT_OUT = (
    "input x input",
    "output x output",
    "input x output",
    "input x input, dot",
    "input x output, cosine",
)
NEAR = {
    f"{matrix} {metric}": 0.02 if metric == "ndcg@10" else 0.04
    for matrix in ("input", "output")
    for metric in METRICS
}  # five standard deviations from seed to seed, or more


@functools.cache
def films() -> Split:
    """Return the films, leave last out."""
    return leave_last_out(load_movielens("100k", verbose=False))


def film_log() -> Interactions:
    """Return the whole log of films."""
    return films().data


def scored(model: Item2Vec, part: str = "validation") -> dict[str, float]:
    """Judge one model by both pairs of tables."""
    values = {}
    for matrix in ("input", "output"):
        model.score_with = matrix  # type: ignore[assignment]
        report = evaluate(model, films(), k=(10, 20), part=part, n_bootstrap=2)  # type: ignore[arg-type]
        for metric in METRICS:
            values[f"{matrix} {metric}"] = float(report.values[metric])
    return values


def on_films(**settings: Any) -> dict[str, float]:
    """Train on train, judge on validation."""
    model = Item2Vec(**{"engine": "fast", "last": 5, **settings})
    return scored(model.fit(films().train, verbose=False))


def on_films_by_exponent(**settings: Any) -> dict[str, float]:
    """Judge the scores as they are, and with the noise put back: exponent times log count."""
    model = Item2Vec(**{"engine": "fast", "last": 5, **settings})
    values = scored(model.fit(films().train, verbose=False))
    model.popularity_weight = settings["noise_exponent"]
    restored = scored(model)
    return values | {f"restored {name}": value for name, value in restored.items()}


def on_films_by_frequency(**settings: Any) -> dict[str, float]:
    """Hit rate where the film to be found is rare, middling or frequent: thirds of the users."""
    model = Item2Vec(**{"engine": "fast", "last": 5, "score_with": "output", **settings})
    report = evaluate(model.fit(films().train, verbose=False), films(), k=10, part="validation")
    counts = films().train.item_counts()[films().validation.items]
    third = np.searchsorted(np.quantile(counts, [1 / 3, 2 / 3]), counts)
    hits = report.per_user.loc[films().validation.user_ids, "hit_rate@10"].to_numpy()
    names = ("rare", "middling", "frequent")
    values = {name: float(hits[third == place].mean()) for place, name in enumerate(names)}
    return values | {"all": float(hits.mean())}


def on_grid(**settings: Any) -> dict[str, float]:
    """Train as the tuned model is: ten negatives, and a user's films fading by their age."""
    return on_films(**{**FADING, **settings})


def fading_rival(method: str, knob: int, decay: float) -> Any:
    """Return EASE or ItemKNN, the history fading as Item2Vec's may; knob is reg or k."""
    if method == "EASE":
        return EASE(reg=float(knob), decay=decay)
    return ItemKNN(k=knob, decay=decay)


def on_fading(seed: int, **settings: Any) -> dict[str, float]:
    """Train a rival on train, judge it on validation; nothing is random."""
    model = fading_rival(**settings).fit(films().train)
    report = evaluate(model, films(), k=(10, 20), part="validation", n_bootstrap=2)
    return {metric: float(report.values[metric]) for metric in METRICS}


@functools.cache
def linear() -> Any:
    """Judge on test the rival to beat: EASE with a fading history, tuned on validation."""
    return evaluate(fading_rival(**BEST_EASE).fit(films().train_and_validation), films())


def on_test(score: str, **settings: Any) -> dict[str, float]:
    """Refit on train and validation, judge once on test, and compare user by user with EASE."""
    model = Item2Vec(**settings).fit(films().train_and_validation, verbose=False)
    model.score_with = score  # type: ignore[assignment]
    report = evaluate(model, films())
    return {metric: float(report.values[metric]) for metric in METRICS} | ahead(report, linear())


def ahead(report: Any, rival: Any) -> dict[str, float]:
    """Return the mean lead in NDCG@10 and its bootstrap interval over users."""
    lead = report.compare(rival).loc["ndcg@10"]
    return {f"over EASE, {end}": float(lead[end]) for end in AHEAD}


@functools.cache
def films_cut_in_time() -> Split:
    """Return the films cut at one moment for all, and only users who were there before it."""
    whole = temporal_split(film_log(), validation_start=0.8, test_start=0.9).refit()
    assert whole.test.timestamps is not None
    kept = film_log().take(np.isin(film_log().users, whole.train.users))
    first = float(whole.test.timestamps.min())
    return temporal_split(kept, validation_start=first, test_start=first).refit()


def on_one_cut(**settings: Any) -> dict[str, float]:
    """Train before the cut and judge after it, with EASE and popularity beside."""
    cut = films_cut_in_time()
    models = {
        "": Item2Vec(**settings).fit(cut.train, verbose=False),
        "EASE ": fading_rival(**BEST_EASE).fit(cut.train),
        "popularity ": Popularity().fit(cut.train),
    }
    reports = {name: evaluate(model, cut) for name, model in models.items()}
    values = {
        f"{name}{metric}": float(report.values[metric])
        for name, report in reports.items()
        for metric in METRICS
    }
    return values | ahead(reports[""], reports["EASE "])


@functools.cache
def groceries() -> Split:
    """Return products bought 20 times or more in training, cut in time as in CJ-TIME."""
    data = load_complete_journey(min_item_count=1, verbose=False)
    cut, later = (pd.Timestamp(day) for day in ("2017-11-06", "2017-12-04"))
    assert data.timestamps is not None
    before = data.items[data.timestamps < cut.timestamp()]
    often = np.bincount(before, minlength=data.n_items) >= 20
    kept = data.take(often[data.items]).filter()
    return temporal_split(kept, validation_start=cut, test_start=later)


def grocery_log() -> Interactions:
    """Return the whole log of groceries."""
    return groceries().data


@functools.cache
def grocery_model(seed: int, part: str, **settings: Any) -> Item2Vec:
    """Return a model of baskets; the rows of one seed share it."""
    train = groceries().train if part == "validation" else groceries().train_and_validation
    defaults = {"engine": "fast", "by": "basket", "window": "all", "epochs": 10}
    model = Item2Vec(**{**defaults, **settings}, seed=seed)
    return model.fit(train, verbose=False)


def on_groceries(
    seed: int,
    score_with: str,
    last: int | None,
    popularity_weight: float = 0.0,
    part: str = "validation",
    **settings: Any,
) -> dict[str, float]:
    """Ask both questions: what is new in the next weeks, and what is bought at all."""
    model = copy.copy(grocery_model(seed, part, **settings))  # rows must not change each other's
    model.score_with, model.last = score_with, last  # type: ignore[assignment]
    model.popularity_weight = popularity_weight
    values = {}
    for name, repeats in {"new": "hide", "repeat": "count"}.items():
        report = evaluate(model, groceries(), k=10, part=part, repeats=repeats, n_bootstrap=2)  # type: ignore[arg-type]
        for metric in ("hit_rate@10", "ndcg@10", "recall@10"):
            values[f"{name} {metric}"] = float(report.values[metric])
    return values


@functools.cache
def baskets() -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]], Interactions]:
    """Return the baskets to train on, those held out (three products or more), and the log."""
    data = load_complete_journey(drop_non_products=False, min_item_count=10, verbose=False)
    filled = list(data.baskets())
    long_enough = np.flatnonzero([len(basket) >= 3 for basket in filled])
    held_out = np.random.default_rng(0).choice(long_enough, 8_000, replace=False)
    out = set(held_out.tolist())
    return [b for n, b in enumerate(filled) if n not in out], [filled[n] for n in held_out], data


def basket_log() -> Interactions:
    """Return the log of all baskets."""
    return baskets()[2]


def on_left_out(**settings: Any) -> dict[str, float]:
    """Leave one product out of a held-out basket, and ask the others for it: HR@20."""
    train, held_out, data = baskets()
    model = Item2Vec(**{"engine": "fast", "window": "all", **settings})
    model.fit(train, verbose=False)
    tables = {
        "input": model.item_embeddings_.vectors,
        "output": model.context_embeddings_.vectors,
    }
    row = np.full(data.n_items, -1)
    row[np.asarray(model.item_embeddings_.ids)] = np.arange(len(model.item_embeddings_))
    rest, left_out = leave_one_out(held_out)
    wanted, others = row[left_out], [row[basket] for basket in rest]
    products = {
        "input x input": ("input", "input", True),
        "output x output": ("output", "output", True),
        "input x output": ("input", "output", False),
        "input x input, dot": ("input", "input", False),
        "input x output, cosine": ("input", "output", True),
    }
    values = {}
    for name, (first, second, cosine) in products.items():
        pair = tables[first], tables[second]
        queries, targets = map(unit, pair) if cosine else pair
        values[name] = hit_rate(
            lambda basket, q=queries, t=targets: t @ q[basket].mean(axis=0), others, wanted
        )
        values[f"same type, {name}"] = same_type(queries[row], targets[row], data)
    return values


def on_left_out_plain(seed: int, method: str) -> dict[str, float]:
    """Ask counts the same question: how often two products lay in one basket."""
    train, held_out, data = baskets()
    places = np.repeat(np.arange(len(train)), [len(basket) for basket in train])
    cells = (np.ones(len(places), np.float32), (places, np.concatenate(train)))
    bought = sparse.coo_array(cells, (len(train), data.n_items)).tocsr()
    together = (bought.T @ bought).tocsr()
    counts = np.maximum(together.diagonal(), 1)
    share = {"P(j | i)": 1 / counts, "cosine": 1 / np.sqrt(counts)}.get(method)
    others, wanted = leave_one_out(held_out)

    def score(basket: NDArray[np.intp]) -> NDArray[np.float32]:
        if share is None:
            return counts.copy()
        added = np.asarray(together[basket].multiply(share[basket, None]).sum(axis=0)).ravel()
        return added * share if method == "cosine" else added

    return {"hit rate": hit_rate(score, others, wanted)}


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def same_type(
    queries: NDArray[np.float32], targets: NDArray[np.float32], data: Interactions
) -> float:
    """Return the share of same-type products among the ten best of the 2,000 most bought."""
    head = np.argsort(-data.item_counts(), kind="stable")[:2000]
    scores = queries[head] @ targets[head].T
    np.fill_diagonal(scores, -np.inf)
    nearest = np.argsort(-scores, axis=1)[:, :10]
    assert data.item_features is not None
    kinds = data.item_features["product_type"].fillna("unknown").to_numpy()[head]
    return float((kinds[nearest] == kinds[:, None]).mean())


def leave_one_out(
    held_out: list[NDArray[np.int32]],
) -> tuple[list[NDArray[np.int32]], NDArray[np.int32]]:
    """Take one product, drawn at random, out of each basket; return the rests and the products."""
    draws = np.random.default_rng(1)
    places = [draws.integers(len(basket)) for basket in held_out]
    rests = [np.delete(basket, place) for basket, place in zip(held_out, places, strict=True)]
    taken = [basket[place] for basket, place in zip(held_out, places, strict=True)]
    return rests, np.array(taken)


def hit_rate(
    score: Callable[[NDArray[np.intp]], NDArray[np.float32]],
    others: list[NDArray[np.intp]],
    wanted: NDArray[np.intp],
    k: int = 20,
) -> float:
    """Return how often the product is among the k best that are not in the basket already."""
    hits = 0
    for basket, product in zip(others, wanted, strict=True):
        known = basket[basket >= 0]
        if product >= 0 and len(known):
            scores = score(known)
            scores[known] = -np.inf
            lower = np.count_nonzero(scores < scores[product])  # the basket's own among them
            hits += int(len(scores) - lower <= k)  # a tie counts against, and so does NaN
    return hits / len(wanted)


def knob(name: str, values: tuple[Any, ...], says: str, cheapest: int = 0, **fixed: Any) -> Table:
    """Return a table that turns one knob of the defaults, and nothing else."""
    return Table(
        name=f"02_{name}",
        says=says,
        data=film_log,
        rows=[{**fixed, name: value} for value in values],
        seeds=SEEDS,
        measure=on_films,
        cheap={**fixed, name: values[cheapest]},
        tolerance=NEAR,
    )


def every(**choices: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return every combination of the choices as settings."""
    return [dict(zip(choices, row, strict=True)) for row in itertools.product(*choices.values())]


def basket_row(
    score_with: str, last: int | None, noise_exponent: float, popularity_weight: float, part: str
) -> dict[str, Any]:
    """Return the settings of one row of the table of groceries."""
    return {
        "score_with": score_with,
        "last": last,
        "noise_exponent": noise_exponent,
        "popularity_weight": popularity_weight,
        "part": part,
    }


# Chosen on validation in the table 02_tuned, by the mean over seeds; the chapter checks that.
BEST_OUTPUT = {"window": 20, "noise_exponent": 0.5, "epochs": 40, **FADING, "score": "output"}
BEST_INPUT = {"window": 20, "noise_exponent": 0.25, "epochs": 40, **FADING, "score": "input"}
BEST_EASE = {"method": "EASE", "knob": 400, "decay": 0.9}  # of 02_fading, likewise
FAST = {"score_with": "output", "engine": "fast"}
DECAYS = (0.6, 0.75, 0.8, 0.9, 0.95, 1.0)
BEST_CUT = {**BEST_OUTPUT, "last": 5, "decay": 1.0}  # without fading, which rivals lack
DEFAULTS = {
    "window": 5,
    "noise_exponent": 0.75,
    "epochs": 20,
    "negatives": 5,
    "last": 5,
    "decay": 1.0,
    "score": "input",
}

TABLES = [
    knob("window", (1, 2, 3, 5, 10, 20, "all"), "NDCG against the window."),
    knob("negatives", (1, 2, 5, 10, 20, 40), "NDCG against the negatives of a pair."),
    knob("dim", DIMENSIONS, "NDCG against the dimension."),
    knob("epochs", (1, 2, 5, 10, 20, 40, 80), "NDCG against the epochs."),
    knob("distance_decay", (None, 1.0, 0.7, 0.5), "NDCG against the decay.", 3, window=10),
    knob("max_history", (10, 20, 50, 100, 200, None), "NDCG against the history trained on."),
    knob("subsample", (None, 1e-2, 1e-3, 1e-4), "NDCG against the thinning of frequent films."),
    knob("shared_matrix", (False, True), "NDCG with one table for both roles and with two."),
    Table(
        name="02_exponent",
        says="NDCG against the exponent of the noise, for few and for many epochs.",
        data=film_log,
        rows=every(epochs=(5, 20), noise_exponent=EXPONENTS),
        seeds=SEEDS,
        measure=on_films_by_exponent,
        cheap={"epochs": 5, "noise_exponent": 0.75},
        tolerance=NEAR | {f"restored {name}": limit for name, limit in NEAR.items()},
    ),
    Table(
        name="02_modes",
        says="Hit rate of skip-gram and CBOW on rare and on frequent films.",
        data=film_log,
        rows=[
            {"mode": mode, "learning_rate": rate}
            for mode, rates in {
                "skipgram": (0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1),
                "cbow": (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4),
            }.items()
            for rate in rates
        ],
        seeds=SEEDS,
        measure=on_films_by_frequency,
        cheap={"mode": "cbow", "learning_rate": 0.05},
        tolerance={"rare": 0.06, "middling": 0.06, "frequent": 0.06, "all": 0.04},
    ),
    Table(
        name="02_engines",
        says="The three engines at the same hyperparameters.",
        data=film_log,
        rows=every(mode=("skipgram", "cbow"), engine=("torch", "fast", "gensim")),
        seeds=SEEDS,
        measure=on_films,
        cheap={"mode": "skipgram", "engine": "fast"},
        tolerance=NEAR,
    ),
    Table(
        name="02_tuned",
        says="The grid from which the settings of the test are chosen.",
        data=film_log,
        rows=every(window=(5, 10, 20), noise_exponent=(0.25, 0.5, 0.75), epochs=(40,)),
        measure=on_grid,
        cheap={"window": 5, "noise_exponent": 0.5, "epochs": 40},
        tolerance=NEAR,
    ),
    Table(
        name="02_fading",
        says="EASE and ItemKNN with a fading history: the grid of the rivals.",
        data=film_log,
        rows=[
            *every(method=("EASE",), knob=(200, 400, 800, 1600), decay=DECAYS),
            *every(method=("ItemKNN",), knob=(100, 400, 1600), decay=DECAYS),
        ],
        seeds=(0,),
        measure=on_fading,
        cheap={"method": "EASE", "knob": 400, "decay": 0.9},
        tolerance=dict.fromkeys(METRICS, 0.001),
    ),
    Table(
        name="02_one_cut",
        says="The chosen settings where one moment divides train and test for all users.",
        data=film_log,
        rows=[{key: value for key, value in BEST_OUTPUT.items() if key != "score"} | FAST],
        seeds=SEEDS,
        measure=on_one_cut,
        cheap=0,
        tolerance=dict.fromkeys(METRICS, 0.06),
    ),
    Table(
        name="02_test",
        says="The chosen settings, and the defaults, refitted and judged on test.",
        data=film_log,
        rows=[
            *(
                {**row, "engine": "fast"}
                for row in (BEST_OUTPUT, BEST_CUT, BEST_INPUT, {**DEFAULTS, "score": "output"})
            ),
            {**DEFAULTS, "engine": "fast"},
            *({**row, "engine": "gensim"} for row in (BEST_OUTPUT, DEFAULTS)),
        ],
        seeds=SEEDS,
        measure=on_test,
        cheap={**DEFAULTS, "engine": "fast"},
        tolerance={metric: NEAR[f"output {metric}"] for metric in METRICS}
        | {f"over EASE, {end}": 0.02 for end in AHEAD},
    ),
    Table(
        name="02_groceries",
        says="Groceries: the mean of a history under cosine, and its cures.",
        data=grocery_log,
        rows=[
            basket_row("input", None, 0.75, 0.0, "validation"),
            basket_row("input", 50, 0.75, 0.0, "validation"),
            basket_row("output", None, 0.75, 0.0, "validation"),
            basket_row("output", 50, 0.75, 0.0, "validation"),
            basket_row("output", 50, 0.75, 0.75, "validation"),
            basket_row("output", 50, 0.25, 0.0, "validation"),
            basket_row("output", 50, 1.0, 0.0, "validation"),
            basket_row("input", None, 0.75, 0.0, "test"),
            basket_row("output", 50, 0.75, 0.0, "test"),
        ],
        measure=on_groceries,
        cheap=3,
        tolerance={
            f"{question} {metric}": 0.03
            for question in ("new", "repeat")
            for metric in ("hit_rate@10", "ndcg@10", "recall@10")
        },
    ),
    Table(
        name="02_left_out",
        says="One product left out of a basket, asked for by the others: which two tables.",
        data=basket_log,
        rows=[
            {"engine": "fast", "shared_matrix": False, "epochs": 5},
            {"engine": "gensim", "shared_matrix": False, "epochs": 5},
            {"engine": "fast", "shared_matrix": False, "epochs": 15},
            {"engine": "gensim", "shared_matrix": False, "epochs": 15},
            {"engine": "fast", "shared_matrix": True, "epochs": 15},
        ],
        measure=on_left_out,
        cheap=0,
        tolerance=dict.fromkeys(LEFT_OUT, 0.01) | {f"same type, {name}": 0.02 for name in LEFT_OUT},
    ),
    Table(
        name="02_left_out_plain",
        says="The same question, answered by counts.",
        data=basket_log,
        rows=[{"method": name} for name in ("popularity", "P(j | i)", "cosine")],
        seeds=(0,),
        measure=on_left_out_plain,
        cheap={"method": "P(j | i)"},
        tolerance={"hit rate": 0.001},
    ),
]

if __name__ == "__main__":
    run(TABLES)
