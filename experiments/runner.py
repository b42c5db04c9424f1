"""Tables of settings, measured over several seeds and kept as files that the book draws.

A script ``experiments/02_item2vec.py`` lists its tables and ends in ``run(TABLES)``::

    TABLES = [
        Table(
            name="02_window", says="Quality against the window.", data=movielens,
            rows=[{"window": 2}, {"window": 5}], seeds=(0, 1, 2), measure=quality,
            cheap={"window": 2}, tolerance={"ndcg@10": 0.004},
        )
    ]
    if __name__ == "__main__":
        run(TABLES)

``python -m experiments.02_item2vec`` measures the rows that ``results/02_window.json`` lacks and
saves after each, so that it may be stopped and started again; ``--check`` measures one cheap row
anew and holds it against the file.  One thread does all, so that results repeat.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import numbers
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from companion._atomic import written_whole
from companion._checks import check_count
from companion.interactions import Interactions
from companion.teaching.experiments import read
from experiments.surroundings import digest_of, facts_of, one_thread, united, versions

RESULTS = Path(__file__).with_name("results")
Settings = Mapping[str, Any]  # of JSON: str, int, float, bool or None


@dataclass(frozen=True, eq=False)
class Table:
    """One experiment: what is varied, what is measured, and on which data.

    Parameters
    ----------
    name : str
        The script's number and some words: ``"02_window"``; also the name of the file.
    says : str
        One sentence: what the table shows.
    data : callable
        Returns the `Interactions` measured on; only their fingerprint goes into the file.
    rows : sequence of dict
        The settings of each row, all with the same names.
    measure : callable
        A function at the top level of the script; called as ``measure(**settings, seed=seed)``,
        it returns a dict of numbers.
    cheap : dict or int
        The row to measure again in ``--check``, or its place in ``rows``.
    tolerance : dict
        How far each value may fall from the file; ``math.inf`` for what depends on the machine.
    seeds : sequence of int
        The first is that of the cheap row.

    Raises
    ------
    TypeError, ValueError
        Where one of these is not so; the message names the table.
    """

    name: str
    says: str
    data: Callable[[], Interactions]
    rows: Sequence[Settings]
    measure: Callable[..., Mapping[str, float]]
    cheap: Settings | int
    tolerance: Mapping[str, float]
    seeds: Sequence[int] = (0, 1, 2)

    def __post_init__(self) -> None:
        try:
            _check_words(self.name, self.says)
            _check_rows(self.rows)
            _check_seeds(self.seeds)
            _check_tolerance(self.tolerance)
            _check_measure(self.measure, self.rows)
            self.cheap_row  # noqa: B018  # raises where there is no such row
        except (TypeError, ValueError) as error:
            raise type(error)(f"table {self.name!r}: {error}") from None

    @property
    def cheap_row(self) -> Settings:
        """The settings of the row that is measured again."""
        if isinstance(self.cheap, int) and -len(self.rows) <= self.cheap < len(self.rows):
            return self.rows[self.cheap]
        if self.cheap not in self.rows:
            raise ValueError(f"cheap must be one of the rows or its place, got {self.cheap!r}")
        return self.cheap  # type: ignore[return-value]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of ``measure`` and of what it uses of its own file."""
        return digest_of(self.measure)

    @property
    def keys(self) -> dict[str, tuple[Settings, int]]:
        """Every pair of settings and seed, in order, by a text that stands for it."""
        pairs = [(settings, seed) for settings in self.rows for seed in self.seeds]
        return {_key(settings, seed): (settings, seed) for settings, seed in pairs}


def run(
    tables: Sequence[Table], arguments: Sequence[str] | None = None, *, results: Path = RESULTS
) -> None:
    """Measure what the files lack, or do what the command line says.

    Parameters
    ----------
    tables : sequence of Table
    arguments : sequence of str, optional
        Instead of those of the command line.
    results : path
        The folder of the files.

    Raises
    ------
    SystemExit
        If ``--check`` finds a difference, or an argument is wrong.
    ValueError
        If a name stands twice or does not begin with the number of its script.
    """
    _check_names(tables)
    parser = argparse.ArgumentParser(description="Measure the rows that the files lack.")
    parser.add_argument("--only", action="append", metavar="TABLE", help="may be given again")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="measure one cheap row a table")
    what.add_argument("--list", action="store_true", help="say what there is and what is done")
    options = parser.parse_args(arguments)
    names = [table.name for table in tables]
    if unknown := set(options.only or ()) - set(names):
        parser.error(f"tables are {', '.join(names)}; got {', '.join(sorted(unknown))}")
    chosen = [table for table in tables if options.only is None or table.name in options.only]
    if options.check:
        complaints = [] if options.only else _strangers(tables, results)
        complaints += [line for table in chosen for line in check(table, results)]
        if complaints:
            print(*complaints, sep="\n", flush=True)
            raise SystemExit(1)
        return
    for table in chosen:
        (_show if options.list else measure)(table, results)


def measure(table: Table, results: Path = RESULTS) -> None:
    """Measure the rows of a table that its file lacks; save after each."""
    path = results / f"{table.name}.json"
    data = facts_of(table.data)
    old = _load(path)
    same = old.get("digest") == table.digest and old.get("data") == data
    done = {_key(row["settings"], row["seed"]): row for row in old["rows"]} if same else {}
    done = {key: done[key] for key in table.keys if key in done}
    used = old["versions"] if done else {}
    _say(table, f"{len(done)} of {len(table.keys)} rows stand in {path.name}")
    for place, (key, (settings, seed)) in enumerate(table.keys.items(), start=1):
        if key not in done:
            done[key] = row = _measured(table, settings, seed)
            used = united(used, versions())
            _say(table, f"{place}/{len(table.keys)} {_words(row)}")
            _save(path, _contents(table, data, done, used))
    _save(path, _contents(table, data, done, used))  # also where only the words or the order changed


def check(table: Table, results: Path = RESULTS) -> list[str]:
    """Return what is wrong with the file of a table; its cheap row is measured again."""
    path = results / f"{table.name}.json"
    if not path.is_file():
        return [f"{table.name}: there is no {path.name}: run make experiments"]
    wrong = _differences(table, _load(path))
    if wrong:
        return [f"{table.name}: {line}: run make experiments" for line in wrong]
    row = _measured(table, table.cheap_row, table.seeds[0])
    _say(table, f"again {_words(row)}")
    try:
        read(path).agrees(row["settings"], row["seed"], row["values"], table.tolerance)
    except AssertionError as error:
        return [str(error)]
    return []


def _differences(table: Table, file: Mapping[str, Any]) -> list[str]:
    """Return in what a file is not that of the table, values aside."""
    wrong = []
    if file["digest"] != table.digest:
        wrong.append("measure has changed since the file was made")
    if (data := facts_of(table.data)) != file["data"]:
        wrong.append(f"the data are {_facts(data)}, those of the file {_facts(file['data'])}")
    held = {_key(row["settings"], row["seed"]): row for row in file["rows"]}
    wrong += [f"the file lacks {key}" for key in table.keys if key not in held]
    wrong += [f"the file has {key}, the table has not" for key in held if key not in table.keys]
    if not wrong and _text(_contents(table, file["data"], held, file["versions"])) != _text(file):
        wrong.append("the file has other words, another order, cheap row or tolerance")
    return wrong


def _measured(table: Table, settings: Settings, seed: int) -> dict[str, Any]:
    """Measure one row, on one thread."""
    start = time.perf_counter()
    with one_thread():
        values = table.measure(**settings, seed=seed)
    seconds = time.perf_counter() - start
    _check_values(table, settings, values)
    return {
        "settings": dict(settings),
        "seed": seed,
        "values": {name: _rounded(value) for name, value in values.items()},
        "seconds": round(seconds, 2),
    }


def _rounded(value: float) -> float | None:
    """Round to 6 digits; JSON knows no NaN, so null stands for it."""
    return None if math.isnan(value) else float(f"{value:.6g}")


def _contents(
    table: Table, data: Mapping[str, Any], rows: Mapping[str, Any], used: Mapping[str, str]
) -> dict[str, Any]:
    tolerance = {n: None if math.isinf(t) else float(t) for n, t in table.tolerance.items()}
    return {
        "table": table.name,
        "says": table.says,
        "script": f"experiments/{_script(table).name}",
        "seeds": list(table.seeds),
        "cheap": dict(table.cheap_row),
        "tolerance": tolerance,  # null: depends on the machine
        "data": dict(data),
        "versions": dict(used),
        "digest": table.digest,
        "rows": [rows[key] for key in table.keys if key in rows],
    }


def _save(path: Path, contents: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(_text(contents).encode())


def _text(contents: Mapping[str, Any]) -> str:
    """Return JSON with one row a line, so that two versions are easily compared."""
    head = [f"  {json.dumps(name)}: {_json(contents[name])}" for name in contents if name != "rows"]
    rows = ",\n".join(f"    {_json(row)}" for row in contents["rows"])
    return "{\n" + ",\n".join(head) + ',\n  "rows": [\n' + rows + "\n  ]\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rows": []}


def _key(settings: Settings, seed: int) -> str:
    return f"{json.dumps(settings, sort_keys=True)} with seed {seed}"


def _script(table: Table) -> Path:
    return Path(inspect.getsourcefile(inspect.unwrap(table.measure)) or "")


def _strangers(tables: Iterable[Table], results: Path) -> list[str]:
    """Return a complaint for each file with the number of this script that no table has."""
    names = {table.name for table in tables}
    numbers_of = {name[:3] for name in names}
    found = sorted(path.stem for path in results.glob("*.json"))
    return [
        f"{name}: {name}.json is of no table: remove it"
        for name in found
        if name[:3] in numbers_of and name not in names
    ]


def _show(table: Table, results: Path) -> None:
    file = _load(results / f"{table.name}.json")
    same = [row for row in file["rows"] if file["digest"] == table.digest]
    done = {_key(row["settings"], row["seed"]) for row in same} & set(table.keys)
    seconds = sum(row["seconds"] for row in same)
    _say(table, f"{len(done)} of {len(table.keys)} rows, {seconds:.0f} s. {table.says}")


def _say(table: Table, words: str) -> None:
    print(f"{table.name}: {words}", flush=True)


def _words(row: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in row["settings"].items())
    values = ", ".join(f"{name} {value}" for name, value in row["values"].items())
    return f"{settings}, seed={row['seed']}: {values} ({row['seconds']:.1f} s)"


def _facts(data: Mapping[str, Any]) -> str:
    shape = f"{data['rows']:,} rows of {data['users']:,} users and {data['items']:,} items"
    return f"{shape} ({data['fingerprint'][:8]})"


def _check_words(name: object, says: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise ValueError("name must be like '02_window'")
    if not isinstance(says, str) or not says.strip():
        raise ValueError(f"says must be a sentence, got {says!r}")


def _check_rows(rows: Sequence[Settings]) -> None:
    if not rows:
        raise ValueError("rows must hold at least one row")
    for row in rows:
        if not isinstance(row, Mapping) or not row:
            raise TypeError(f"a row must be a dict of settings, got {row!r}")
        if set(row) != set(rows[0]):
            raise ValueError(f"all rows must have the settings {list(rows[0])}, got {list(row)}")
        for name, value in row.items():
            if name in ("seed", "seconds"):
                raise ValueError(f"{name!r} is no setting: the runner adds it")
            finite = not isinstance(value, float) or math.isfinite(value)
            if type(value) not in (str, int, float, bool, type(None)) or not finite:
                raise TypeError(f"a setting must be a value of JSON, got {name}={value!r}")
    texts = [_key(row, 0) for row in rows]
    if twice := {text for text in texts if texts.count(text) > 1}:
        raise ValueError(f"rows must differ, but these stand twice: {', '.join(sorted(twice))}")


def _check_seeds(seeds: Sequence[int]) -> None:
    for seed in seeds:
        check_count("a seed", seed, minimum=0)
    if len(seeds) == 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different and at least one, got {seeds!r}")


def _check_tolerance(tolerance: Mapping[str, float]) -> None:
    if not tolerance:
        raise ValueError("tolerance must name every value of measure")
    for name, value in tolerance.items():
        if not isinstance(value, numbers.Real) or not value >= 0:
            raise ValueError(f"tolerance must be at least 0, got {name}={value!r}")


def _check_measure(function: object, rows: Sequence[Settings]) -> None:
    if not inspect.isfunction(inspect.unwrap(function)):  # type: ignore[arg-type]
        raise TypeError(f"measure must be a function, got {function!r}")
    for row in rows:
        inspect.signature(function).bind(**row, seed=0)  # type: ignore[arg-type]


def _check_names(tables: Sequence[Table]) -> None:
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        raise ValueError(f"every table needs a name of its own, got {', '.join(names)}")
    for table in tables:
        if _script(table).name[:3] != table.name[:3]:
            raise ValueError(
                f"table {table.name!r} must begin with the number of its script, "
                f"{_script(table).name}"
            )


def _check_values(table: Table, settings: Settings, values: Mapping[str, float]) -> None:
    if set(values) != set(table.tolerance):
        raise ValueError(
            f"table {table.name!r}: tolerance must name the values of measure, "
            f"{list(values)}, got {list(table.tolerance)}"
        )
    if both := set(values) & {*settings, "seed", "seconds"}:
        raise ValueError(f"table {table.name!r}: values must have names of their own, got {both}")
    for name, value in values.items():
        if not isinstance(value, numbers.Real) or math.isinf(value):
            raise ValueError(f"table {table.name!r}: {name} must be a number, got {value!r}")


if __name__ == "__main__":
    sys.exit("The runner has no tables of its own: python -m experiments.02_item2vec")
