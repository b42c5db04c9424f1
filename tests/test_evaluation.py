"""The evaluator: a split by hand, a dense oracle, statistics with known answers, bad arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from companion.baselines import Popularity
from companion.evaluation import METRICS, Report, evaluate
from companion.interactions import Interactions
from companion.scoring import ScoringRecommender
from companion.splits import Split
from companion.topk import TopK


class ByScores(ScoringRecommender):
    """Ranks by a dense matrix that is given, and notes how many users it is asked for."""

    def __init__(self, scores: Any) -> None:
        self.scores = np.asarray(scores, dtype=np.float64)
        self._seen = sparse.csr_array(self.scores.shape)
        self.asked: list[int] = []

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        self.asked.append(len(users))
        return self.scores[users]


def make_split(rows: list[tuple[str, str, int]], protocol: str = "by hand") -> Split:
    """Make a split of (user, item, part) rows; items are numbered by first appearance."""
    frame = pd.DataFrame(rows, columns=["user", "item", "part"])
    data = Interactions.from_frame(frame.assign(row=frame.index), timestamp="row", weight="part")
    assert data.weights is not None
    part = data.weights.astype(np.int8)  # carried along as a weight: rows get a canonical order
    return Split(
        Interactions.from_frame(frame.assign(row=frame.index), timestamp="row"), part, protocol
    )


def random_case(seed: int, n_users: int, n_items: int, *, repeats: bool = False) -> Split:
    """Draw a split with at least one train row and one test row; users may lack any part."""
    rng = np.random.default_rng(seed)
    users = [(f"u{user}", "i0", 0) for user in range(n_users)]
    items = [("u0", f"i{item}", 0) for item in range(1, n_items)]
    cells = rng.choice(n_users * n_items, size=2 * n_users, replace=repeats)
    drawn = [(f"u{c // n_items}", f"i{c % n_items}", int(rng.integers(0, 3))) for c in cells]
    known = set() if repeats else {(u, i) for u, i, _ in users + items}
    drawn = [row for row in drawn if row[:2] not in known]
    return make_split([*users, *items, *drawn, ("u1", f"i{n_items - 1}", 2)])


# --- by hand ----------------------------------------------------------------------------------

# Items a, b, c, e, d have the codes 0 .. 4, by first appearance.
TINY = [
    ("ann", "a", 0),
    ("ann", "b", 1),
    ("ann", "c", 2),
    ("ann", "e", 2),
    ("bob", "b", 0),
    ("bob", "d", 0),
    ("bob", "a", 2),
    ("cat", "c", 0),  # nothing to be found in test: left out of everything
    ("cat", "a", 1),
]
#    a  b  c  e  d
SCORES = [
    [9, 8, 1, 2, 3],  # ann: d, e, c once a and b are hidden; c and e are relevant
    [1, 9, 5, 4, 9],  # bob: c, e, a; a is relevant
    [0, 0, 0, 0, 0],
]


def test_a_split_by_hand() -> None:
    report = evaluate(ByScores(SCORES), make_split(TINY), k=[2, 3])
    assert report.n_users == 2
    assert report.per_user.index.tolist() == ["ann", "bob"]
    half = 1 / math.log2(3)
    ideal = 1 + half  # ann has two relevant items
    expected = {
        "hit_rate@2": [1, 0],
        "recall@2": [1 / 2, 0],
        "precision@2": [1 / 2, 0],
        "ndcg@2": [half / ideal, 0],
        "mrr@2": [1 / 2, 0],
        "map@2": [1 / 4, 0],
        "hit_rate@3": [1, 1],
        "recall@3": [1, 1],
        "precision@3": [2 / 3, 1 / 3],
        "ndcg@3": [(half + 1 / 2) / ideal, 1 / 2],
        "mrr@3": [1 / 2, 1 / 3],
        "map@3": [(1 / 2 + 2 / 3) / 2, 1 / 3],
    }
    assert report.per_user.columns.tolist() == list(expected)
    for metric, values in expected.items():
        assert report.per_user[metric].tolist() == pytest.approx(values), metric
        assert report.values[metric] == pytest.approx(sum(values) / 2), metric
    assert report.coverage == 4 / 5  # d e c and c e a: all but b
    assert report.protocol == "by hand, test, repeats: refuse"
    assert report.name == "ByScores"


def test_validation_hides_train_alone_and_test_hides_both() -> None:
    split = make_split(TINY)
    validation = evaluate(ByScores(SCORES), split, k=1, part="validation")
    assert validation.per_user["hit_rate@1"].to_dict() == {"ann": 1, "cat": 0}  # b is first now
    test = evaluate(ByScores(SCORES), split, k=3)
    assert test.per_user["recall@3"].to_dict() == {"ann": 1, "bob": 1}


def test_coverage_counts_the_lists_of_the_largest_k() -> None:
    split = make_split(TINY)
    assert evaluate(ByScores(SCORES), split, k=1).coverage == 2 / 5  # d; c
    assert evaluate(ByScores(SCORES), split, k=[1, 2]).coverage == 3 / 5  # d e; c e
    assert evaluate(ByScores(np.zeros((3, 5))), split, k=2).coverage == 3 / 5  # c e; a c


# --- repeats ----------------------------------------------------------------------------------

REPEATED = [
    ("ann", "a", 0),
    ("ann", "b", 0),
    ("ann", "a", 2),
    ("ann", "a", 2),  # twice in test: one relevant item
    ("ann", "c", 2),
    ("bob", "c", 0),
    ("bob", "c", 2),  # nothing new
]


def test_a_pair_that_was_seen_raises_unless_it_may() -> None:
    with pytest.raises(ValueError, match=r"2 \(user, item\) pairs of test were seen before; say"):
        evaluate(ByScores(np.zeros((2, 3))), make_split(REPEATED), k=1)


def test_hiding_repeats_asks_only_for_what_is_new() -> None:
    scores = [[9, 8, 1], [1, 2, 3]]
    report = evaluate(ByScores(scores), make_split(REPEATED), k=1, repeats="hide")
    assert report.per_user["recall@1"].to_dict() == {"ann": 1}  # c alone is left and wanted


def test_counting_repeats_hides_nothing() -> None:
    scores = [[9, 8, 1], [1, 2, 3]]
    report = evaluate(ByScores(scores), make_split(REPEATED), k=2, repeats="count")
    assert report.per_user["recall@2"].to_dict() == {"ann": 1 / 2, "bob": 1}  # a of a, c
    assert report.per_user["mrr@2"].to_dict() == {"ann": 1, "bob": 1}


def test_train_is_not_relevant_where_validation_repeats_it() -> None:
    split = make_split([("ann", "a", 0), ("ann", "a", 1), ("ann", "b", 1), ("ann", "c", 2)])
    with pytest.raises(ValueError, match=r"1 \(user, item\) pairs of validation"):
        evaluate(ByScores([[1, 2, 3]]), split, k=1, part="validation")
    evaluate(ByScores([[1, 2, 3]]), split, k=1)  # the test repeats nothing


# --- a dense oracle -----------------------------------------------------------------------------


def oracle(scores: NDArray[Any], split: Split, k: int, repeats: str) -> dict[str, list[float]]:
    """Rank whole rows, each tie broken against the recommender, in plain Python."""
    before = {
        (u, i)
        for u, i, p in zip(split.data.users, split.data.items, split.part, strict=True)
        if p < 2
    }
    found: dict[str, list[float]] = {"hit_rate": [], "recall": [], "ndcg": [], "mrr": []}
    for user in range(split.data.n_users):
        wanted = set(split.test.items[split.test.users == user].tolist())
        candidates = range(split.data.n_items)
        if repeats == "hide":
            wanted -= {item for item in wanted if (user, item) in before}
            candidates = [item for item in candidates if (user, item) not in before]
        if not wanted:
            continue
        ranked = sorted(candidates, key=lambda item: (-scores[user, item], item in wanted))
        places = [place for place, item in enumerate(ranked[:k], 1) if item in wanted]
        ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(wanted)) + 1))
        found["hit_rate"].append(float(bool(places)))
        found["recall"].append(len(places) / len(wanted))
        found["ndcg"].append(sum(1 / math.log2(place + 1) for place in places) / ideal)
        found["mrr"].append(1 / places[0] if places else 0.0)
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 100_000),
    n_scores=st.sampled_from([1, 2, 4, 1000]),
    k=st.integers(1, 30),
    repeats=st.sampled_from(["hide", "count"]),
)
def test_equals_a_dense_ranking_with_ties_against_the_recommender(
    seed: int, n_scores: int, k: int, repeats: Any
) -> None:
    """One score: everything tied; two and four: long ties across place k; 1000: hardly any."""
    split = random_case(seed, n_users=6, n_items=25, repeats=True)
    scores = np.random.default_rng(seed).integers(0, n_scores, (6, 25))
    expected = oracle(scores, split, k, repeats)
    if not expected["recall"]:
        return
    report = evaluate(ByScores(scores), split, k=k, repeats=repeats, n_bootstrap=1, batch_size=4)
    for metric, values in expected.items():
        assert report.per_user[f"{metric}@{k}"].tolist() == pytest.approx(values), metric


def test_equals_the_oracle_for_popularity() -> None:
    split = random_case(5, n_users=40, n_items=30, repeats=True)
    model = Popularity().fit(split.train_and_validation)
    expected = oracle(model.score(np.arange(40)), split, 5, "hide")
    report = evaluate(model, split, k=5, repeats="hide")
    for metric, values in expected.items():
        assert report.per_user[f"{metric}@5"].tolist() == pytest.approx(values), metric


def test_a_constant_scorer_hits_nothing_until_the_misses_run_out() -> None:
    split = make_split([("ann", "a", 0), ("ann", "b", 2), ("bob", "c", 0), ("bob", "d", 0)])
    constant = ByScores(np.zeros((2, 4)))  # b is relevant, c and d are not, a is hidden
    report = evaluate(constant, split, k=[1, 2, 3])
    assert [report.values[f"hit_rate@{k}"] for k in (1, 2, 3)] == [0, 0, 1]


def test_k_beyond_the_catalogue() -> None:
    report = evaluate(ByScores(SCORES), make_split(TINY), k=100)
    assert report.values["recall@100"] == 1
    assert report.values["precision@100"] == pytest.approx((2 / 100 + 1 / 100) / 2)


# --- batches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 7, 49, 50, 1000])
@pytest.mark.parametrize("n_scores", [3, 1000])
def test_the_size_of_a_batch_changes_nothing(batch_size: int, n_scores: int) -> None:
    split = random_case(1, n_users=50, n_items=40)
    scores = np.random.default_rng(1).integers(0, n_scores, (50, 40))
    reference = evaluate(ByScores(scores), split, k=[3, 10])
    report = evaluate(ByScores(scores), split, k=[3, 10], batch_size=batch_size)
    pd.testing.assert_frame_equal(report.per_user, reference.per_user)
    assert report.intervals == reference.intervals
    assert report.coverage == reference.coverage


class Narrow:
    """Refuses to be asked for more users at a time than it may, and holds no matrix itself."""

    def __init__(self, most: int, n_items: int) -> None:
        self.most, self.n_items, self.widths = most, n_items, [0]

    def recommend(
        self,
        users: NDArray[np.integer],
        k: int,
        *,
        exclude_seen: bool = True,
        exclude: sparse.csr_array | None = None,
    ) -> TopK:
        assert 0 < len(users) <= self.most
        assert exclude_seen is False  # what is hidden comes from the split, not from the model
        assert exclude is not None
        assert exclude.shape == (len(users), self.n_items)
        self.widths.append(k)
        ids = np.tile(np.arange(1, k + 1), (len(users), 1))
        return TopK(ids, -ids.astype(np.float32))


def test_never_holds_users_times_items() -> None:
    import tracemalloc

    U, n_items = 3_000, 4_000
    users = np.repeat(np.arange(U), 2)
    items = np.tile([0, 1], U)
    items[1::2] = 1 + np.arange(U) % (n_items - 1)
    frame = pd.DataFrame({"user": users, "item": items})
    vocabulary = pd.DataFrame({"user": 0, "item": np.arange(n_items)})
    data = Interactions.from_frame(pd.concat([frame, vocabulary]), timestamp=None)
    first = np.concatenate([[True], np.diff(data.users) != 0])
    part = np.where(first | (data.users == 0), 0, 2)
    model = Narrow(most=100, n_items=data.n_items)
    tracemalloc.start()
    report = evaluate(model, Split(data, part, "by hand"), k=5, batch_size=100, n_bootstrap=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.n_users == U - 1
    assert max(model.widths) == 6  # one more than k shows that nothing is tied at the cut
    assert peak < U * n_items / 4  # a matrix of bits would take U * I / 8, one of bytes U * I


def test_only_users_with_ties_at_the_cut_are_asked_again() -> None:
    split = random_case(2, n_users=30, n_items=40)
    scores = np.random.default_rng(2).permuted(np.tile(np.arange(40.0), (30, 1)), axis=1)
    scores[7] = 0.0
    model = ByScores(scores)
    split = Split(split.data, np.where(split.data.users == 7, 2, split.part), "user 7 is tested")
    n_users = evaluate(model, split, k=5).n_users
    assert model.asked == [n_users, 1, 1]  # 6, then 24, then all 40 places


# --- intervals and comparison -------------------------------------------------------------------


def bernoulli_report(n_users: int, rate: float, seed: int) -> Report:
    """Judge a recommender that is right for each user with the probability ``rate``."""
    frame = pd.DataFrame({"user": range(n_users), "item": 0, "part": 0})
    wanted = frame.assign(item=1, part=2)
    others = pd.DataFrame({"user": 0, "item": [2], "part": [0]})
    rows = pd.concat([frame, wanted, others]).itertuples(index=False, name=None)
    split = make_split([(f"u{user:05}", f"i{item}", part) for user, item, part in rows])
    right = np.random.default_rng(seed).random(n_users) < rate
    scores = np.where(right[:, None], [0, 2, 1], [0, 1, 2])
    return evaluate(ByScores(scores), split, k=1, seed=seed)


def test_the_interval_contains_the_mean_and_is_as_wide_as_theory_says() -> None:
    report = bernoulli_report(1_000, 0.3, seed=0)
    frame = report.to_frame()
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    p = report.values["hit_rate@1"]
    low, high = report.intervals["hit_rate@1"]
    width = 2 * 1.96 * math.sqrt(p * (1 - p) / 1_000)
    assert high - low == pytest.approx(width, rel=0.12)
    assert (low + high) / 2 == pytest.approx(p, abs=0.1 * width)


def test_four_times_the_users_halve_the_interval() -> None:
    few, many = bernoulli_report(400, 0.4, seed=1), bernoulli_report(1_600, 0.4, seed=1)
    widths = [np.diff(r.intervals["hit_rate@1"])[0] for r in (few, many)]
    assert 1.6 < widths[0] / widths[1] < 2.5


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """60 reports of 200 users: 57 are expected to cover, fewer than 51 with probability 1e-3."""
    covered = 0
    for seed in range(60):
        low, high = bernoulli_report(200, 0.3, seed=seed).intervals["hit_rate@1"]
        covered += low <= 0.3 <= high
    assert 51 <= covered <= 60


def test_the_seed_decides_the_interval() -> None:
    split, model = random_case(3, 50, 40), ByScores(np.random.default_rng(3).random((50, 40)))
    first, again, other = (evaluate(model, split, k=5, seed=seed) for seed in (1, 1, 2))
    assert first.intervals == again.intervals != other.intervals
    assert first.values == other.values


def test_identical_reports_differ_by_nothing() -> None:
    report = bernoulli_report(100, 0.5, seed=0)
    assert (report.compare(report) == 0).all(axis=None)


def test_a_planted_difference_is_found_and_has_a_sign() -> None:
    split = random_case(4, n_users=200, n_items=60)
    rng = np.random.default_rng(4)
    noise = rng.random((200, 60))
    better = evaluate(ByScores(noise + 0.5 * split.test.to_csr(binary=True).toarray()), split, k=10)
    worse = evaluate(ByScores(noise), split, k=10)
    forth, back = better.compare(worse), worse.compare(better)
    assert (forth["low"] > 0).all()
    assert (back["high"] < 0).all()
    assert forth["difference"].to_dict() == pytest.approx(
        {metric: better.values[metric] - worse.values[metric] for metric in better.values}
    )
    assert ((forth["low"] < forth["difference"]) & (forth["difference"] < forth["high"])).all()


def test_pairing_makes_the_interval_narrower() -> None:
    """Both models find the easy users; unpaired intervals would count that as uncertainty."""
    split = random_case(6, n_users=200, n_items=60)
    relevant = split.test.to_csr(binary=True).toarray()
    noise = np.random.default_rng(6).random((200, 60))
    one = evaluate(ByScores(noise + 0.5 * relevant), split, k=10)
    two = evaluate(ByScores(noise + 0.45 * relevant), split, k=10)
    low, high = one.compare(two).loc["ndcg@10", ["low", "high"]]
    assert high - low < np.diff(one.intervals["ndcg@10"])[0] / 2


def test_other_users_or_metrics_are_not_compared() -> None:
    model, split = ByScores(SCORES), make_split(TINY)
    report = evaluate(model, split, k=2)
    with pytest.raises(ValueError, match="other must judge the same users"):
        report.compare(evaluate(model, split, k=2, part="validation"))
    with pytest.raises(ValueError, match=r"other must have the metrics \['hit_rate@2', .*@3'"):
        report.compare(evaluate(model, split, k=3))
    with pytest.raises(ValueError, match="n_bootstrap must be an integer of at least 1, got 0"):
        report.compare(report, n_bootstrap=0)


# --- what chance and perfection give --------------------------------------------------------------


def one_out_of_many(n_users: int, n_items: int, seed: int) -> Split:
    """Each user has one item in train and another one in test, both at random."""
    rng = np.random.default_rng(seed)
    rows = [("u0", f"i{item}", 0) for item in range(n_items - 1)] + [("u0", f"i{n_items - 1}", 2)]
    for user in range(1, n_users):
        seen, wanted = rng.choice(n_items, 2, replace=False)
        rows += [(f"u{user}", f"i{seen}", 0), (f"u{user}", f"i{wanted}", 2)]
    return make_split(rows)


def test_chance_hits_k_in_i_and_perfection_always() -> None:
    """3999 users pick K of 99 unseen items: within 4 standard errors, 6e-5 to fail by chance."""
    U, n_items, K = 4_000, 100, 10
    split = one_out_of_many(U, n_items, seed=0)
    relevant = split.test.to_csr(binary=True).toarray()
    noise = np.random.default_rng(1).random((U, n_items))
    by_chance = evaluate(ByScores(noise), split, k=K, n_bootstrap=1).values["hit_rate@10"]
    p = K / (n_items - 1)
    assert abs(by_chance - p) < 4 * math.sqrt(p * (1 - p) / U)
    perfect = evaluate(ByScores(relevant + noise / 2), split, k=[1, 10], n_bootstrap=1).values
    assert perfect.pop("precision@10") == pytest.approx(1 / 10)
    assert set(perfect.values()) == {1.0}
    shuffled = np.random.default_rng(2).permutation(relevant + noise / 2)
    by_others = evaluate(ByScores(shuffled), split, k=K, n_bootstrap=1).values["hit_rate@10"]
    assert abs(by_others - p) < 4 * math.sqrt(p * (1 - p) / U)


# --- shown ----------------------------------------------------------------------------------------


def test_to_frame_says_value_low_high() -> None:
    report = evaluate(ByScores(SCORES), make_split(TINY), k=2, name="by hand")
    frame = report.to_frame()
    assert frame.columns.tolist() == ["value", "low", "high"]
    assert frame.index.tolist() == [f"{metric}@2" for metric in METRICS]
    assert frame.loc["recall@2", "value"] == pytest.approx(1 / 4)
    assert tuple(frame.loc["recall@2", ["low", "high"]]) == report.intervals["recall@2"]
    assert repr(report).startswith("Report(by hand, 2 users, hit_rate@2=0.500, recall@2=0.250")


def test_the_html_names_what_was_judged_and_is_the_same_each_time() -> None:
    report = evaluate(ByScores(SCORES), make_split(TINY), k=2, name="a < b")
    html = report._repr_html_()
    assert html == report._repr_html_()
    assert html.startswith("<table")
    assert html.count("<caption>") == 1
    for part in ("a &lt; b: 2 users, by hand, test, repeats: refuse; 60.0% of the", "0.250"):
        assert part in html


def test_seconds_are_those_of_the_recommender_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that only the recommender moves: by 3 a call, and there are two calls."""
    now = [100.0]
    monkeypatch.setattr("companion.evaluation.time.perf_counter", lambda: now[0])

    class Slow(ByScores):
        def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
            now[0] += 3.0
            return super().score(users)

    assert evaluate(Slow(SCORES), make_split(TINY), k=2, batch_size=1).seconds == 6.0


# --- bad arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 0}, ValueError, "k must be an integer of at least 1, got 0"),
        ({"k": -1}, ValueError, "k must be an integer of at least 1, got -1"),
        ({"k": [10, 0]}, ValueError, "k must be an integer of at least 1, got 0"),
        ({"k": 2.5}, TypeError, "k must be an integer of at least 1, got 2.5"),
        ({"k": None}, TypeError, "k must be an integer of at least 1, got None"),
        ({"k": True}, TypeError, "k must be an integer of at least 1, got True"),
        ({"k": "10"}, TypeError, "k must be an integer of at least 1, got '1'"),
        ({"k": []}, ValueError, "k must name at least one list length, got none"),
        ({"part": "train"}, ValueError, "part must be one of 'validation', 'test', got 'train'"),
        (
            {"repeats": True},
            ValueError,
            "repeats must be one of 'refuse', 'hide', 'count', got True",
        ),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, got 0"),
        ({"n_bootstrap": 0}, ValueError, "n_bootstrap must be an integer of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = ByScores(SCORES)
    with pytest.raises(error, match=message):
        evaluate(model, make_split(TINY), **arguments)
    assert model.asked == []  # refused at the door


@pytest.mark.parametrize("k", [np.int64(2), np.array([2]), (2, 2)])
def test_k_may_be_any_integer_or_several(k: Any) -> None:
    report = evaluate(ByScores(SCORES), make_split(TINY), k=k)
    assert report.per_user.columns.tolist() == [f"{metric}@2" for metric in METRICS]


@pytest.mark.parametrize("recommender", [None, "popularity", np.zeros((3, 5)), Popularity])
def test_what_is_no_recommender_is_refused(recommender: Any) -> None:
    with pytest.raises(TypeError, match=r"recommender must be an object with recommend\(\), got"):
        evaluate(recommender, make_split(TINY), k=1)


@pytest.mark.parametrize("split", [None, pd.DataFrame(), (1, 2)])
def test_what_is_no_split_is_refused(split: Any) -> None:
    kind = type(split).__name__
    says = rf"split must be a Split \(see companion.splits\), got {kind}"
    with pytest.raises(TypeError, match=says):
        evaluate(ByScores(SCORES), split, k=1)


def test_lists_of_another_length_are_refused() -> None:
    class Short:
        def recommend(self, users: Any, k: int, **_: Any) -> TopK:
            return TopK(np.zeros((len(users), 1)), np.zeros((len(users), 1)))

    with pytest.raises(ValueError, match=r"recommend must return \(2, 3\) ids, padded, got \(2, 1"):
        evaluate(Short(), make_split(TINY), k=2)


@pytest.mark.parametrize("foreign", [5, -2])
def test_ids_that_are_no_items_are_refused(foreign: int) -> None:
    class Foreign:
        def recommend(self, users: Any, k: int, **_: Any) -> TopK:
            ids = np.tile(np.append(np.arange(k - 1), foreign)[::-1], (len(users), 1))
            return TopK(ids, np.tile(np.arange(k, 0, -1), (len(users), 1)))

    with pytest.raises(ValueError, match=rf"ids must lie in 0 .. 4 \(or be -1\), got {foreign}"):
        evaluate(Foreign(), make_split(TINY), k=2)


def test_nothing_to_find_is_no_result() -> None:
    split = make_split([("ann", "a", 0), ("ann", "b", 2)])
    with pytest.raises(ValueError, match="no user has a relevant item in validation"):
        evaluate(ByScores([[1, 2]]), split, k=1, part="validation")
    only_old = make_split([("ann", "a", 0), ("ann", "a", 2)])
    with pytest.raises(ValueError, match="no user has a relevant item in test"):
        evaluate(ByScores([[1]]), only_old, k=1, repeats="hide")


def test_an_unfitted_model_says_so() -> None:
    with pytest.raises(AttributeError, match=r"Popularity is not fitted: call fit\(data\) first"):
        evaluate(Popularity(), make_split(TINY), k=1)
