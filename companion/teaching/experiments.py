"""Results of long experiments, drawn by the chapters and held against one row run live.

What takes longer than a notebook may (several seeds, sweeps) is measured by
``experiments/NN_chapter.py`` and kept in ``experiments/results``; `experiment` reads it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import companion


@dataclass(frozen=True, eq=False)
class Experiment:
    """One table of results; get it with `experiment`.

    Parameters
    ----------
    table, says : str
        Its name, and one sentence on what it shows.
    rows : pandas.DataFrame
        One line a row and seed; columns: settings, "seed", values, "seconds".
    settings, values : tuple of str
        Which columns are which.
    seeds : tuple of int
    cheap : dict
        The settings of a row that takes little time: the one to run live.
    tolerance : dict
        How far each value may fall from the file when it is measured again.
    data : dict
        "fingerprint", "rows", "users" and "items" of the data measured on.
    versions : dict
        Of Python and the libraries that made the rows.
    """

    table: str
    says: str
    rows: pd.DataFrame
    settings: tuple[str, ...]
    values: tuple[str, ...]
    seeds: tuple[int, ...]
    cheap: dict[str, Any]
    tolerance: dict[str, float]
    data: dict[str, Any]
    versions: dict[str, str]

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
        """
        by = list(self.settings if by is None else by)
        _check_known("by", by, self.settings)
        _check_known("value", [value], (*self.values, "seconds"))
        lines = []
        for place in self._groups(by).values():
            group = self.rows.iloc[place]
            if group["seed"].duplicated().any():
                varying = [s for s in self.settings if len({repr(v) for v in group[s]}) > 1]
                raise ValueError(f"by must name {varying} too: rows differ in it, got by={by}")
            lines.append({s: group[s].iloc[0] for s in by} | _interval(group[value].to_numpy()))
        return _frame({name: [line[name] for line in lines] for name in lines[0]})

    def agrees(
        self,
        settings: Mapping[str, Any],
        seed: int,
        values: Mapping[str, float],
        tolerance: Mapping[str, float] | None = None,
    ) -> pd.Series[Any]:
        """Require that values measured now fall where the file says, and return its row.

        Parameters
        ----------
        settings : dict
            All settings of a row.
        seed : int
        values : dict
            One or more of the row's values, measured again.
        tolerance : dict, optional
            The largest allowed distance of each; that of the file by default.

        Raises
        ------
        KeyError
            If the table has no such row or value.
        ValueError
            If there is nothing to compare, or a value has no tolerance.
        AssertionError
            If a value falls further away; the message names all that do.
        """
        row = self._row(settings, seed)
        tolerance = self.tolerance if tolerance is None else tolerance
        if not values:
            raise ValueError("values must hold at least one value, got none")
        _check_known("values", list(values), self.values)
        if missing := [name for name in values if name not in tolerance]:
            raise ValueError(f"tolerance must name {missing}, got {dict(tolerance)}")
        wrong = [
            f"{name} is {_number(values[name]):.6g}, the file says {row[name]:.6g} "
            f"(allowed: {tolerance[name]:g} more or less)"
            for name in values
            if not _near(_number(values[name]), row[name], tolerance[name])
        ]
        if wrong:
            words = ", ".join(f"{name}={value!r}" for name, value in settings.items())
            raise AssertionError(f"{self.table}, {words}, seed={seed}: {'; '.join(wrong)}")
        return row

    def _groups(self, by: list[str]) -> dict[tuple[Any, ...], list[int]]:
        """Return the places of the rows that share these settings (pandas drops None)."""
        groups: dict[tuple[Any, ...], list[int]] = {}
        for place, key in enumerate(zip(*(self.rows[name] for name in by), strict=True)):
            groups.setdefault(tuple(map(repr, key)), []).append(place)
        return groups or {(): list(range(len(self.rows)))}

    def _row(self, settings: Mapping[str, Any], seed: int) -> pd.Series[Any]:
        fits = self.rows["seed"] == seed
        for name in self.settings:
            wanted = settings.get(name, _number)  # equal to no setting
            fits &= self.rows[name].map(lambda value, wanted=wanted: value == wanted)
        if set(settings) - set(self.settings) or not fits.any():
            raise KeyError(f"{self.table} has no row with {dict(settings)} and seed {seed}")
        return self.rows[fits].iloc[0]


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
        If there are no results in the current folder, in one above it, or beside the package.
    KeyError
        If there is no such table; the message lists those there are.
    """
    folder = _results()
    tables = sorted(path.stem for path in folder.glob("*.json"))
    if name not in tables:
        raise KeyError(f"no experiment {name!r}; there are {', '.join(tables)}")
    return read(folder / f"{name}.json")


def read(path: Path) -> Experiment:
    """Return the results that stand in a file."""
    file = json.loads(path.read_text(encoding="utf-8"))
    rows = file["rows"]
    settings, values = tuple(file["cheap"]), tuple(file["tolerance"])
    columns: dict[str, list[Any]] = {n: [row["settings"][n] for row in rows] for n in settings}
    columns["seed"] = [row["seed"] for row in rows]
    columns |= {n: [_number(row["values"][n]) for row in rows] for n in values}
    columns["seconds"] = [float(row["seconds"]) for row in rows]
    limits = {n: math.inf if limit is None else limit for n, limit in file["tolerance"].items()}
    return Experiment(
        table=file["table"],
        says=file["says"],
        rows=_frame(columns),
        settings=settings,
        values=values,
        seeds=tuple(file["seeds"]),
        cheap=file["cheap"],
        tolerance=limits,
        data=file["data"],
        versions=file["versions"],
    )


def _results() -> Path:
    """Return the first folder of results, looking where the reader is and then beside us."""
    for folder in _candidates():
        if any(folder.glob("*.json")):
            return folder
    raise FileNotFoundError(
        "there is no experiments/results here, in a folder above or beside the package: "
        "run make experiments in a copy of the book's repository"
    )


def _candidates() -> Iterator[Path]:
    here = Path.cwd()
    for folder in (here, *here.parents, Path(companion.__file__).parents[1]):
        yield folder / "experiments" / "results"


def _frame(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """Build a table in which None stays None; pandas would make a number of it."""
    frame = pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in columns.items()})
    whole = [n for n, v in columns.items() if not any(value is None for value in v)]
    return frame.assign(**{name: frame[name].infer_objects() for name in whole})


def _interval(values: np.ndarray[Any, Any]) -> dict[str, float]:
    n, mean = len(values), float(values.mean())
    half = math.nan
    if n > 1:
        half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n}


def _number(value: float | None) -> float:
    """Return a float; null stands for NaN in the files."""
    return math.nan if value is None else float(value)


def _near(now: float, then: float, limit: float) -> bool:
    return (math.isnan(now) and math.isnan(then)) or math.isinf(limit) or abs(now - then) <= limit


def _check_known(argument: str, names: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise KeyError(f"{argument} must be of {', '.join(known)}, got {', '.join(unknown)}")
