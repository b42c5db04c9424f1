"""Results of long experiments, drawn by the chapters and held against one row run live.

What takes longer than a notebook may (several seeds, sweeps) is measured by
``experiments/NN_chapter.py`` and kept in ``experiments/results``; `experiment` reads it.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

import companion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Experiment:
    """One table of results; get it with `experiment`.

    Parameters
    ----------
    table, says : str
        Its name, and one sentence on what it shows.
    rows : pandas.DataFrame
        One line a row and seed; columns: the settings, "seed", the values, "seconds".
    settings : tuple of str
        The columns that are settings.
    cheap : dict
        The settings of a row that takes little time: the one to run live.
    tolerance : dict
        How far a value may fall from the file when it is measured again.
    data : dict
        "fingerprint", "rows", "users" and "items" of the data measured on.
    versions : dict
        Of Python and the libraries that made the rows.
    """

    table: str
    says: str
    rows: pd.DataFrame
    settings: tuple[str, ...]
    cheap: Row = field(default_factory=dict)
    tolerance: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that were measured."""
        known = {*self.settings, "seed", "seconds"}
        return tuple(name for name in self.rows.columns if name not in known)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in their order."""
        return tuple(dict.fromkeys(self.rows["seed"].tolist()))

    @property
    def seconds(self) -> float:
        """What all rows took together."""
        return float(self.rows["seconds"].sum())

    def summary(self, by: Sequence[str] | None = None, value: str = "ndcg@10") -> pd.DataFrame:
        """Average a value over the seeds, with the 95 % interval of that mean.

        Parameters
        ----------
        by : sequence of str, optional
            The settings that tell the rows apart, in the order wished; all of them by default.
        value : str
            A value, or "seconds".

        Returns
        -------
        pandas.DataFrame
            Columns: ``by``, "mean", "low", "high" and "n", the number of seeds; one line a row
            of the table, in its order.  The interval is Student's t; of one seed it is NaN.

        Raises
        ------
        KeyError
            If there is no such setting or value; the message lists those there are.
        ValueError
            If ``by`` leaves out a setting that varies: rows that differ in more than the seed
            have no common mean.

        Examples
        --------
        >>> rows = pd.DataFrame({"dim": [8, 8, 16, 16], "seed": [0, 1, 0, 1],
        ...                      "ndcg@10": [0.1, 0.2, 0.3, 0.3], "seconds": 1.0})
        >>> Experiment("02_dim", "Quality against D.", rows, ("dim",)).summary().round(3)
           dim  mean    low   high  n
        0    8  0.15 -0.485  0.785  2
        1   16  0.30  0.300  0.300  2
        """
        by = list(self.settings) if by is None else list(by)
        _check_known("by", by, self.settings)
        _check_known("value", [value], (*self.values, "seconds"))
        groups: dict[str, list[Row]] = {}
        for row in self._records():
            groups.setdefault(json.dumps([row[name] for name in by]), []).append(row)
        lines = []
        for group in groups.values():
            self._check_one_row(group, by)
            line = {name: group[0][name] for name in by}
            lines.append(line | _interval(np.array([row[value] for row in group])))
        return _frame({name: [line[name] for line in lines] for name in lines[0]})

    def draw(
        self,
        ax: Axes,
        by: str,
        value: str,
        *,
        color: str,
        names: Mapping[Any, str] | None = None,
    ) -> pd.DataFrame:
        """Draw a value against one setting: means as a line, their 95 % intervals as bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes
            Rows stand side by side in the order of the table, whatever the setting's values.
        by, value : str
            As in `summary`.
        color : str
        names : dict, optional
            What to write for some of the values: ``{None: "all"}``.

        Returns
        -------
        pandas.DataFrame
            What was drawn: that of `summary`.
        """
        line = self.summary(by=[by], value=value)
        at = np.arange(len(line))
        bars = [line["mean"] - line["low"], line["high"] - line["mean"]]
        ax.errorbar(at, line["mean"], bars, fmt="o-", ms=4, color=color)
        ax.set_xticks(at, [_tick(one, names or {}) for one in line[by]])
        return line

    def agrees(
        self,
        settings: Mapping[str, Any],
        seed: int,
        values: Mapping[str, float],
        tolerance: Mapping[str, float] | None = None,
    ) -> Row:
        """Require that values measured now fall where the file says, and return its row.

        Parameters
        ----------
        settings : dict
            All settings of a row, such as ``cheap``.
        seed : int
        values : dict
            What was measured now.
        tolerance : dict, optional
            The largest distance allowed, by name; that of the file by default.  Values without
            one are not compared.

        Returns
        -------
        dict
            Settings, "seed", values and "seconds" of the file.

        Raises
        ------
        KeyError
            If the table has no such row or value.
        ValueError
            If no value has a tolerance.
        AssertionError
            If a value falls further away; the message names all that do.

        Examples
        --------
        >>> rows = pd.DataFrame({"dim": [8], "seed": [0], "ndcg@10": [0.1], "seconds": [1.0]})
        >>> table = Experiment("02_dim", "Quality against D.", rows, ("dim",))
        >>> table.agrees({"dim": 8}, 0, {"ndcg@10": 0.102}, tolerance={"ndcg@10": 0.004})
        {'dim': 8, 'seed': 0, 'ndcg@10': 0.1, 'seconds': 1.0}
        >>> table.agrees({"dim": 8}, 0, {"ndcg@10": 0.15}, tolerance={"ndcg@10": 0.004})
        Traceback (most recent call last):
            ...
        AssertionError: 02_dim, dim=8, seed=0: ndcg@10 is 0.15, the file says 0.1 +- 0.004
        """
        row = self._row(settings, seed)
        limits = self.tolerance if tolerance is None else tolerance
        _check_known("values", [*values, *limits], self.values)
        compared = {name: _number(value) for name, value in values.items() if name in limits}
        if not compared:
            raise ValueError(f"none of {list(values)} has a tolerance; these have: {list(limits)}")
        wrong = [
            f"{name} is {value:.6g}, the file says {row[name]:.6g} +- {limits[name]:g}"
            for name, value in compared.items()
            if not _near(value, row[name], limits[name])
        ]
        if wrong:
            words = ", ".join(f"{name}={value!r}" for name, value in settings.items())
            raise AssertionError(f"{self.table}, {words}, seed={seed}: {'; '.join(wrong)}")
        return row

    def _records(self) -> list[Row]:
        return [{str(n): v for n, v in row.items()} for row in self.rows.to_dict("records")]

    def _row(self, settings: Mapping[str, Any], seed: int) -> Row:
        for row in self._records():
            if row["seed"] == seed and {name: row[name] for name in self.settings} == settings:
                return row
        raise KeyError(f"{self.table} has no row with {dict(settings)} and seed {seed}")

    def _check_one_row(self, group: list[Row], by: list[str]) -> None:
        if len({row["seed"] for row in group}) < len(group):
            left = [n for n in self.settings if any(row[n] != group[0][n] for row in group)]
            raise ValueError(f"by must name {left} too: rows differ in it, got by={by}")


def experiment(name: str) -> Experiment:
    """Return the results of a long experiment.

    Parameters
    ----------
    name : str
        Of the table: the file ``experiments/results/NAME.json`` without its ending.

    Returns
    -------
    Experiment

    Raises
    ------
    FileNotFoundError
        If there are no results in the current folder, in one above it, or with the package.
    KeyError
        If there is no such table; the message lists those there are.
    """
    paths = {path.stem: path for path in _results()}
    if name not in paths:
        raise KeyError(f"there is no experiment {name!r}; there are {', '.join(sorted(paths))}")
    return read(paths[name])


def read(path: Path) -> Experiment:
    """Return the results that stand in a file."""
    file = json.loads(path.read_text(encoding="utf-8"))
    rows, settings = file["rows"], tuple(file["cheap"])
    columns = {name: [row["settings"][name] for row in rows] for name in settings}
    columns["seed"] = [row["seed"] for row in rows]
    for name in rows[0]["values"]:
        columns[name] = [_number(row["values"][name]) for row in rows]
    columns["seconds"] = [row["seconds"] for row in rows]
    about = {name: file[name] for name in ("table", "says", "cheap", "tolerance")}
    return Experiment(
        rows=_frame(columns),
        settings=settings,
        data=file["data"],
        versions=file["versions"],
        **about,
    )


def _results() -> list[Path]:
    """Return the files of the first folder that has any."""
    for paths in _candidates():
        if paths:
            return paths
    raise FileNotFoundError(
        "there is no experiments/results here, in a folder above or with the package: "
        "run make experiments in a clone of the book's repository"
    )


def _candidates() -> Iterator[list[Path]]:
    """Look where the reader is, beside the package, and among what was installed with it."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(companion.__file__).parents[1]):
        yield list((folder / "experiments" / "results").glob("*.json"))
    installed = importlib.metadata.files("companion") or []
    yield [Path(str(f.locate())) for f in installed if f.match("experiments/results/*.json")]


def _frame(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """Build a table in which None stays None; pandas would make a number of it."""
    frame = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    whole = [name for name, v in columns.items() if not any(value is None for value in v)]
    return frame.assign(**{name: frame[name].infer_objects() for name in whole})


def _interval(values: np.ndarray[Any, Any]) -> dict[str, float]:
    n, mean, half = len(values), float(values.mean()), math.nan
    if n > 1:
        half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n}


def _tick(value: Any, names: Mapping[Any, str]) -> str:
    """Write one value of a setting below an axis; a missing number stands for None."""
    if isinstance(value, float) and math.isnan(value):
        value = None
    if value in names:
        return names[value]
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _number(value: float | None) -> float:
    """Return a float; null stands for NaN in the files."""
    return math.nan if value is None else float(value)


def _near(now: float, then: float, limit: float) -> bool:
    return abs(now - then) <= limit or (math.isnan(now) and math.isnan(then))


def _check_known(argument: str, names: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise KeyError(f"{argument} must be of {', '.join(known)}, got {', '.join(unknown)}")
