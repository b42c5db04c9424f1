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
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from companion.baselines import EASE
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


@functools.cache
def linear() -> Any:
    """Judge EASE on test with the settings of the published protocol: the rival to beat."""
    model = EASE(reg=400, last=10).fit(films().train_and_validation)
    return evaluate(model, films(), k=(10, 20))


def on_test(score: str, **settings: Any) -> dict[str, float]:
    """Refit on train and validation, judge once on test, and compare user by user with EASE."""
    model = Item2Vec(**settings).fit(films().train_and_validation, verbose=False)
    model.score_with = score  # type: ignore[assignment]
    report = evaluate(model, films(), k=(10, 20))
    ahead = report.compare(linear()).loc["ndcg@10"]
    values = {metric: float(report.values[metric]) for metric in METRICS}
    return values | {f"over EASE, {end}": float(ahead[end]) for end in AHEAD}


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
    model = Item2Vec(**{"engine": "fast", **settings}).fit(train, verbose=False)
    tables = {
        "input": model.item_embeddings_.vectors,
        "output": model.context_embeddings_.vectors,
    }
    row = np.full(data.n_items, -1)
    row[np.asarray(model.item_embeddings_.ids)] = np.arange(len(model.item_embeddings_))
    draws = np.random.default_rng(1)
    places = [draws.integers(len(basket)) for basket in held_out]
    wanted = row[[basket[place] for basket, place in zip(held_out, places, strict=True)]]
    others = [row[np.delete(b, place)] for b, place in zip(held_out, places, strict=True)]
    return {
        f"{first} x {second}": hit_rate(tables[first], tables[second], others, wanted, cosine)
        for first, second, cosine in [
            ("input", "input", True),
            ("input", "output", False),
            ("output", "output", True),
        ]
    }


def hit_rate(
    queries: NDArray[np.float32],
    targets: NDArray[np.float32],
    others: list[NDArray[np.intp]],
    wanted: NDArray[np.intp],
    cosine: bool,
    k: int = 20,
) -> float:
    """Return how often the product is among the k best that are not in the basket already."""
    if cosine:
        queries = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
        targets = targets / np.maximum(np.linalg.norm(targets, axis=1, keepdims=True), 1e-12)
    hits = 0
    for basket, product in zip(others, wanted, strict=True):
        if product < 0 or (basket < 0).all():
            continue
        scores = targets @ queries[basket[basket >= 0]].mean(axis=0)
        scores[basket[basket >= 0]] = -np.inf
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
                "skipgram": (0.00625, 0.0125, 0.025, 0.05),
                "cbow": (0.0125, 0.025, 0.05, 0.1),
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
        name="02_test",
        says="The chosen settings, and the defaults, refitted and judged once on test.",
        data=film_log,
        rows=[
            *({**row, "engine": "fast"} for row in (BEST_OUTPUT, BEST_INPUT, DEFAULTS)),
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
        tolerance={"input x input": 0.01, "input x output": 0.01, "output x output": 0.01},
    ),
]

if __name__ == "__main__":
    run(TABLES)
