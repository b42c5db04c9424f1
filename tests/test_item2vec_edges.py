"""Where Item2Vec must stay whole: small catalogues, wide windows, diverging rates, odd machines."""

import tracemalloc
import warnings

import numpy as np
import pytest

from companion.datasets import make_planted_interactions
from companion.item2vec import Item2Vec
from companion.splits import leave_last_out

ENGINES = ("torch", "fast", "gensim")
BASKETS = [["a", "b", "c"], ["b", "a"], ["x", "y"], ["y", "x", "z"]] * 10


def small(**options):
    return Item2Vec(**{"dim": 4, "epochs": 2, "engine": "fast", **options})


def fitted(data=BASKETS, *, validation=None, **options):
    return small(**options).fit(data, validation=validation, verbose=False)


@pytest.mark.parametrize(("n_items", "learning_rate"), [(20, 0.025), (60, 0.05), (100, 0.1)])
def test_the_torch_engine_stays_stable_where_few_items_share_a_batch(n_items, learning_rate):
    """The fast engine, one pair at a time, is at home here: so must the readable one be."""
    data = make_planted_interactions(
        n_users=300,
        n_items=n_items,
        n_groups=5,
        interactions_per_user=20,
        popularity_exponent=0.5,
        seed=0,
    )
    settings = {"dim": 16, "epochs": 3, "learning_rate": learning_rate}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch, fast = (
            Item2Vec(**settings, engine=e).fit(data, verbose=False) for e in ("torch", "fast")
        )
    assert torch.history_[-1]["loss"] == pytest.approx(fast.history_[-1]["loss"], rel=0.1)


@pytest.mark.parametrize("learning_rate", [1e6, 1e30])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("engine", ENGINES)
def test_training_that_diverges_is_an_error_and_changes_nothing(engine, mode, learning_rate):
    model = fitted(engine=engine, mode=mode)
    before = dict(vars(model))
    model.learning_rate = learning_rate
    with pytest.raises(ValueError, match=r"learning_rate.*diverge"):
        model.fit(BASKETS, verbose=False)
    assert all(vars(model)[name] is before[name] for name in before if name != "learning_rate")


def test_partial_fit_counts_known_items_however_few_the_new_rows():
    model = fitted(min_count=5)
    model.partial_fit([["a", "b"], ["b", "a"]], verbose=False)
    counts = dict(zip(model.vocabulary_.ids, model.vocabulary_.counts.tolist(), strict=True))
    assert (counts["a"], counts["b"], counts["c"]) == (22, 22, 10)
    model.partial_fit([["a", "b", "c"]] * 5 + [["c", "seldom"]], verbose=False)
    assert "seldom" not in model.item_embeddings_
    assert model.vocabulary_.counts[2] == 16


@pytest.mark.parametrize("engine", ["torch", "fast"])
def test_a_window_beyond_every_sequence_costs_no_memory(engine):
    fitted(engine=engine)
    tracemalloc.start()
    try:
        fitted(window=100_000, engine=engine)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_validation_that_asks_nothing_is_refused():
    """Now NDCG@10 is NaN each epoch, and training stops after three without a word."""
    split = leave_last_out(make_planted_interactions(n_users=50, n_items=20, n_groups=2, seed=0))
    with pytest.raises(ValueError, match="validation must hold an item that is new to its user"):
        fitted(split.train, validation=split.train, epochs=10)


def test_a_list_is_no_validation():
    with pytest.raises(TypeError, match="validation must be Interactions"):
        fitted(validation=BASKETS)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", 3.5])
def test_a_device_that_is_not_there_is_named(device):
    import torch

    if device == "cuda:99" and not torch.cuda.is_available():
        device = "cuda"
    with pytest.raises(ValueError, match="device must be"):
        small(engine="torch").fit(BASKETS, device=device, verbose=False)


def test_any_seed_fits_any_engine():
    for engine in ENGINES:
        fitted(engine=engine, seed=2**40)


def test_warm_start_is_a_switch():
    with pytest.raises(TypeError, match="warm_start must be True or False, got 'no'"):
        fitted(warm_start="no")


def test_before_fit_every_method_says_so():
    for ask in (lambda m: m.score(np.array([0])), lambda m: m.infer_vector(["a"])):
        with pytest.raises(AttributeError, match="Item2Vec is not fitted: call fit"):
            ask(Item2Vec())


@pytest.mark.parametrize("engine", ENGINES)
def test_the_set_view_does_not_learn_the_order_inside_a_basket(engine):
    """Sorted baskets of unrelated items: only a window can find that near numbers stand together.

    Shop logs often come sorted inside a basket, so what a window finds there is the sorting.
    """
    rng = np.random.default_rng(0)
    baskets = [np.sort(rng.choice(40, 12, replace=False)).tolist() for _ in range(800)]
    lead = {}
    for window in (1, "all"):
        model = fitted(baskets, dim=16, epochs=8, window=window, learning_rate=0.1, engine=engine)
        order = [model.item_embeddings_.code(item) for item in range(40)]
        inputs = model.item_embeddings_.vectors[order]
        scores = inputs @ model.context_embeddings_.vectors[order].T
        next_in_order = np.abs(np.subtract.outer(np.arange(40), np.arange(40))) == 1
        others = ~next_in_order & ~np.eye(40, dtype=bool)
        lead[window] = scores[next_in_order].mean() - scores[others].mean()
    assert lead[1] > 0.5
    assert abs(lead["all"]) < 0.15
