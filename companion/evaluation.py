"""One evaluator for every recommender: who is counted, what is hidden, how sure we are.

Every user with at least one relevant item in the judged part counts, and counts in every
metric.  The whole catalogue is ranked.  What a user had before the judged part is hidden.
Intervals come from resampling users (percentile bootstrap; Efron and Tibshirani 1993,
doi:10.1201/9780429246593).

Axes: U users judged, I items, K list length.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from companion import metrics
from companion._checks import check_count, check_option
from companion.protocols import Recommender
from companion.splits import Split
from companion.topk import PAD_ID

METRICS = {
    "hit_rate": metrics.hit_rate_at_k,
    "recall": metrics.recall_at_k,
    "precision": metrics.precision_at_k,
    "ndcg": metrics.ndcg_at_k,
    "mrr": metrics.mrr_at_k,
    "map": metrics.map_at_k,
}
Repeats = Literal["refuse", "hide", "count"]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What `evaluate` found.

    Parameters
    ----------
    per_user : pandas.DataFrame, shape (U, metrics)
        One row a judged user (index: user ids), one column a metric, such as ``ndcg@10``.
    intervals : dict of (low, high)
        95 % bootstrap interval of each mean, over users.
    coverage : float
        Share of the catalogue that stands in at least one list of the largest k.
    seconds : float
        Time spent in ``recommend``.
    protocol : str
        The split's protocol, the part judged and how repeats were treated.
    name : str
        What was judged.
    """

    per_user: pd.DataFrame
    intervals: dict[str, tuple[float, float]]
    coverage: float
    seconds: float
    protocol: str
    name: str

    @property
    def values(self) -> dict[str, float]:
        """The mean of each metric over the judged users."""
        return {str(metric): float(mean) for metric, mean in self.per_user.mean().items()}

    @property
    def n_users(self) -> int:
        """How many users were judged."""
        return len(self.per_user)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a metric: value, low, high."""
        low_high = pd.DataFrame(self.intervals, index=["low", "high"]).T
        return low_high.assign(value=self.per_user.mean())[["value", "low", "high"]]

    def compare(self, other: Report, *, n_bootstrap: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Compare two recommenders on the same users, pair by pair.

        Parameters
        ----------
        other : Report
            Of the same users and metrics.
        n_bootstrap, seed : int
            Resamples of the users, and their seed.

        Returns
        -------
        pandas.DataFrame
            One row a metric: the mean of self - other, and its 95 % interval.  Zero outside
            the interval means that the difference is no accident of which users were asked.

        Raises
        ------
        ValueError
            If the reports judge other users or other metrics.
        """
        if not self.per_user.index.equals(other.per_user.index):
            raise ValueError("other must judge the same users; evaluate both on the same split")
        if not self.per_user.columns.equals(other.per_user.columns):
            raise ValueError(
                f"other must have the metrics {list(self.per_user.columns)}, "
                f"got {list(other.per_user.columns)}"
            )
        difference = self.per_user - other.per_user
        check_count("n_bootstrap", n_bootstrap)
        low_high = pd.DataFrame(_bootstrap(difference, n_bootstrap, seed), index=["low", "high"])
        return low_high.T.assign(difference=difference.mean())[["difference", "low", "high"]]

    def __repr__(self) -> str:
        shown = ", ".join(f"{metric}={value:.3f}" for metric, value in self.values.items())
        return f"Report({self.name}, {self.n_users} users, {shown})"

    def _repr_html_(self) -> str:
        caption = (
            f"{self.name}: {self.n_users} users, {self.protocol}; "
            f"{self.coverage:.1%} of the catalogue listed, {self.seconds:.2f} s"
        )
        table = self.to_frame().to_html(float_format="{:.3f}".format, border=0)
        return table.replace(">", f"><caption>{escape(caption)}</caption>", 1)


def evaluate(
    recommender: Recommender,
    split: Split,
    *,
    k: int | Sequence[int] = (10, 20),
    part: Literal["validation", "test"] = "test",
    repeats: Repeats = "refuse",
    name: str | None = None,
    batch_size: int = 1024,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Report:
    """Judge a recommender on the validation or test part of a split.

    Parameters
    ----------
    recommender : Recommender
        Fitted on ``split.train`` or ``split.train_and_validation``.
    split : Split
    k : int or sequence of int
        List lengths.
    part : {"test", "validation"}
        What to judge on.  Seen is all that lies before: train, for the test also validation.
    repeats : {"refuse", "hide", "count"}
        What to do with a pair that was seen before: raise; hide it and not look for it (the
        question is "what new?"); or hide nothing and count it ("what next?").
    name : str, optional
        For tables; by default the recommender's class.
    batch_size : int
        Users ranked at a time.
    n_bootstrap, seed : int
        Resamples of the users for the intervals, and their seed.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If ``recommender`` is no object with ``recommend``, ``split`` no Split, or a count no
        integer.
    ValueError
        If an argument is out of range, no user has a relevant item, or a pair was seen before
        and ``repeats="refuse"``.

    Notes
    -----
    Ties are broken against the recommender.  Where a run of equal scores goes on past place k,
    a longer list is asked for until the end of the run is in sight.

    Examples
    --------
    >>> from companion.baselines import Popularity
    >>> from companion.datasets import make_planted_interactions
    >>> from companion.splits import leave_last_out
    >>> data = make_planted_interactions(n_users=50, n_items=40, n_groups=2, seed=0)
    >>> split = leave_last_out(data)
    >>> report = evaluate(Popularity().fit(split.train), split, k=10, repeats="hide")
    >>> 0 <= report.values["ndcg@10"] <= report.values["hit_rate@10"] <= 1
    True
    """
    cuts = sorted({check_count("k", cut) for cut in (k if isinstance(k, Iterable) else [k])})
    if not cuts:
        raise ValueError("k must name at least one list length, got none")
    if not isinstance(split, Split):
        raise TypeError(f"split must be a Split (see companion.splits), got {type(split).__name__}")
    check_option("part", part, ("validation", "test"))
    check_option("repeats", repeats, ("refuse", "hide", "count"))
    check_count("batch_size", batch_size)
    check_count("n_bootstrap", n_bootstrap)
    if isinstance(recommender, type) or not isinstance(recommender, Recommender):
        raise TypeError(f"recommender must be an object with recommend(), got {recommender!r}")
    relevant, seen = _question(split, part, repeats)
    users = np.flatnonzero(np.diff(relevant.indptr))
    if len(users) == 0:
        raise ValueError(f"no user has a relevant item in {part}")
    judge = _Judge(recommender, relevant, seen, max(cuts))
    batches = [judge.hits(users[i : i + batch_size]) for i in range(0, len(users), batch_size)]
    per_user = pd.DataFrame(
        _per_user(np.vstack(batches), np.diff(relevant.indptr)[users], cuts),
        index=split.data.user_ids[users],
    )
    return Report(
        per_user=per_user,
        intervals=_bootstrap(per_user, n_bootstrap, seed),
        coverage=float(judge.listed.mean()),
        seconds=judge.seconds,
        protocol=f"{split.protocol}, {part}, repeats: {repeats}",
        name=name or type(recommender).__name__,
    )


def _question(
    split: Split, part: str, repeats: Repeats
) -> tuple[sparse.csr_array, sparse.csr_array | None]:
    """Return what is relevant and what is hidden, both of shape (users, items)."""
    relevant = getattr(split, part).to_csr(binary=True)
    if repeats == "count":
        return relevant, None
    before = split.train if part == "validation" else split.train_and_validation
    seen = before.to_csr(binary=True)
    overlap = relevant.multiply(seen).tocsr()
    overlap.eliminate_zeros()
    if overlap.nnz and repeats == "refuse":
        raise ValueError(
            f"{overlap.nnz} (user, item) pairs of {part} were seen before; say repeats='hide' to "
            "ask only for what is new, or repeats='count' to let a repeat count"
        )
    fresh = (relevant - overlap).tocsr()
    fresh.eliminate_zeros()
    return fresh, seen


class _Judge:
    """Asks a recommender for lists and keeps what they hit."""

    def __init__(
        self,
        recommender: Recommender,
        relevant: sparse.csr_array,
        seen: sparse.csr_array | None,
        k: int,
    ) -> None:
        self.recommender, self.relevant, self.seen, self.k = recommender, relevant, seen, k
        self.listed = np.zeros(relevant.shape[1], dtype=bool)
        self.seconds = 0.0

    def hits(self, users: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return the hit matrix of some users, shape (B, K), and note which items were listed."""
        return self._hits(users, self.k + 1)

    def _hits(self, users: NDArray[np.intp], width: int) -> NDArray[np.bool_]:
        start = time.perf_counter()
        hidden = None if self.seen is None else self.seen[users]
        top = self.recommender.recommend(users, width, exclude_seen=False, exclude=hidden)
        self.seconds += time.perf_counter() - start
        if top.ids.shape != (len(users), width):
            asked = (len(users), width)
            raise ValueError(f"recommend must return {asked} ids, padded, got {top.ids.shape}")
        hits = metrics.hit_matrix(top, self.relevant[users])[:, : self.k]  # refuses foreign ids
        if width == self.k + 1:
            first = top.ids[:, : self.k]
            self.listed[first[first != PAD_ID]] = True
        at_cut = top.scores[:, self.k - 1]
        going_on = np.isfinite(at_cut) & (at_cut == top.scores[:, -1])
        if going_on.any() and width < self.listed.size:
            hits[going_on] = self._hits(users[going_on], min(4 * width, self.listed.size))
        return hits


def _per_user(
    hits: NDArray[np.bool_], n_relevant: NDArray[Any], cuts: list[int]
) -> dict[str, NDArray[np.float64]]:
    return {
        f"{name}@{cut}": metric(hits, n_relevant, cut)
        for cut in cuts
        for name, metric in METRICS.items()
    }


def _bootstrap(
    per_user: pd.DataFrame, n_bootstrap: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Return the 2.5 % and 97.5 % points of each column's mean over resampled users."""
    rng = np.random.default_rng(seed)
    values, n = per_user.to_numpy(np.float64), len(per_user)
    means = np.empty((n_bootstrap, values.shape[1]))
    for resample in means:
        times_drawn = np.bincount(rng.integers(n, size=n), minlength=n)
        resample[:] = times_drawn @ values / n
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return {
        metric: (float(low[column]), float(high[column]))
        for column, metric in enumerate(per_user.columns)
    }
