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
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from companion.teaching.experiments import read
from experiments import files
from experiments.surroundings import facts_of, one_thread, united, versions
from experiments.table import Settings, Table, check_names, key

__all__ = ["Table", "check", "measure", "run"]

RESULTS = Path(__file__).with_name("results")
REMEDY = "run make experiments"


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
    check_names(tables)
    options = _options([table.name for table in tables], arguments)
    chosen = [table for table in tables if options.only is None or table.name in options.only]
    if options.check:
        wrong = [] if options.only else _strangers(tables, results)
        wrong += [line for table in chosen for line in check(table, results)]
        if wrong:
            print(*wrong, sep="\n", flush=True)
            raise SystemExit(1)
        return
    for table in chosen:
        (_show if options.list else measure)(table, results)


def measure(table: Table, results: Path = RESULTS) -> None:
    """Measure the rows of a table that its file lacks; save after each."""
    path, data = results / f"{table.name}.json", facts_of(table.data)
    file = files.load(path)
    done = _still_good(table, file, data)
    used = file["versions"] if done else {}
    _say(table, f"{len(done)} of {len(table.runs)} rows stand in {path.name}")
    table.check_values(done.values())
    for place, (name, (settings, seed)) in enumerate(table.runs.items(), start=1):
        if name not in done:
            row = _measured(table, settings, seed)
            table.check_values([*done.values(), row])
            done[name], used = row, united(used, versions())
            _say(table, f"{place}/{len(table.runs)} {_words(row)}")
            files.save(path, files.contents(table, data, used, done))
    files.save(path, files.contents(table, data, used, done))  # words or order may have changed


def check(table: Table, results: Path = RESULTS) -> list[str]:
    """Return what is wrong with the file of a table; its cheap row is measured again."""
    path = results / f"{table.name}.json"
    if not path.is_file():
        return [f"{table.name}: there is no {path.name}: {REMEDY}"]
    if wrong := _differences(table, files.load(path)):
        return [f"{table.name}: {line}: {REMEDY}" for line in wrong]
    row = _measured(table, table.cheap_row, table.seeds[0])
    _say(table, f"again {_words(row)}")
    try:
        read(path).agrees(row["settings"], row["seed"], row["values"])
    except AssertionError as error:
        return [str(error)]
    return []


def _options(names: Sequence[str], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the rows that the files lack.")
    parser.add_argument("--only", action="append", metavar="TABLE", help="may be given again")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="measure one cheap row of each table")
    what.add_argument("--list", action="store_true", help="say what there is and what is done")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.only or ()) - set(names)):
        parser.error(f"tables are {', '.join(names)}; got {', '.join(unknown)}")
    return options


def _still_good(
    table: Table, file: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a file, by key, that need not be measured again."""
    if file.get("digest") != table.digest or file.get("data") != data:
        return {}
    held = _held(file)
    return {name: held[name] for name in table.runs if name in held}


def _held(file: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {key(row["settings"], row["seed"]): row for row in file["rows"]}


def _differences(table: Table, file: Mapping[str, Any]) -> list[str]:
    """Return in what a file is not that of the table, values aside."""
    data, held, wrong = facts_of(table.data), _held(file), []
    if file["digest"] != table.digest:
        wrong.append("measure has changed since the file was made")
    if data != file["data"]:
        wrong.append(f"the data are {_facts(data)}, those of the file {_facts(file['data'])}")
    wrong += [f"the file lacks {name}" for name in table.runs if name not in held]
    wrong += [f"the file has {name}, the table has not" for name in held if name not in table.runs]
    due = files.contents(table, data, file["versions"], held)
    if not wrong and files.text(due) != files.text(file):
        wrong.append("the file has other words, another order, cheap row or tolerance")
    return wrong


def _measured(table: Table, settings: Settings, seed: int) -> Mapping[str, Any]:
    """Measure one row, on one thread."""
    start = time.perf_counter()
    with one_thread():
        values = table.measure(**settings, seed=seed)
    return files.row(settings, seed, values, time.perf_counter() - start)


def _strangers(tables: Sequence[Table], results: Path) -> list[str]:
    """Return a complaint for each file with the number of this script that no table has."""
    names = {table.name for table in tables}
    ours = {name[:3] for name in names}
    found = sorted(path.stem for path in results.glob("*.json"))
    strange = [name for name in found if name[:3] in ours and name not in names]
    return [f"{name}.json is of no table: remove it" for name in strange]


def _show(table: Table, results: Path) -> None:
    rows = _still_good(table, files.load(results / f"{table.name}.json"), facts_of(table.data))
    seconds = sum(row["seconds"] for row in rows.values())
    _say(table, f"{len(rows)} of {len(table.runs)} rows, {seconds:.0f} s. {table.says}")


def _say(table: Table, words: str) -> None:
    print(f"{table.name}: {words}", flush=True)


def _words(row: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in row["settings"].items())
    values = ", ".join(f"{name} {value}" for name, value in row["values"].items())
    return f"{settings}, seed={row['seed']}: {values} ({row['seconds']:.1f} s)"


def _facts(data: Mapping[str, Any]) -> str:
    shape = f"{data['rows']:,} rows of {data['users']:,} users and {data['items']:,} items"
    return f"{shape} ({data['fingerprint'][:8]})"
