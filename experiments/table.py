"""A table to be measured: what is varied, over which seeds, and what its author promised."""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from companion._checks import check_between, check_count
from companion.interactions import Interactions
from experiments.surroundings import digest_of

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
        How far a value may fall from the file when it is measured again.  Values that are not
        named, such as speeds, are not compared.
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
            _check_measure(self.measure, self.rows)
            self.digest  # noqa: B018  # now: the file may change while the rows are measured
            _check_cheap(self.cheap, self.rows)
            _check_tolerance(self.tolerance)
        except (TypeError, ValueError) as error:
            raise type(error)(f"table {self.name!r}: {error}") from None

    @property
    def cheap_row(self) -> Settings:
        """The settings of the row that is measured again."""
        return self.rows[self.cheap] if isinstance(self.cheap, int) else self.cheap

    @property
    def script(self) -> str:
        """The name of the file that ``measure`` stands in."""
        return Path(inspect.getsourcefile(inspect.unwrap(self.measure)) or "").name

    @cached_property
    def digest(self) -> str:
        """SHA-256 of ``measure`` and of what it uses of its own file."""
        return digest_of(self.measure)

    @cached_property
    def runs(self) -> dict[str, tuple[Settings, int]]:
        """Every pair of settings and seed, in order, under its `key`."""
        pairs = [(settings, seed) for settings in self.rows for seed in self.seeds]
        return {key(settings, seed): (settings, seed) for settings, seed in pairs}

    def check_values(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Raise ValueError unless all measured rows have the same values, and those promised."""
        named = [list(row["values"]) for row in rows]
        for names in named:
            if names != named[0]:
                raise ValueError(
                    f"table {self.name!r}: rows have the values {named[0]} and {names}"
                )
            if unknown := [name for name in self.tolerance if name not in names]:
                raise ValueError(f"table {self.name!r}: tolerance of {unknown}, values are {names}")
            if taken := [n for n in names if n in {*self.rows[0], "seed", "seconds"}]:
                raise ValueError(f"table {self.name!r}: values must have other names than {taken}")


def key(settings: Settings, seed: int) -> str:
    """Return a text that stands for a row, whatever the order of its settings."""
    return f"{json.dumps(settings, sort_keys=True)} with seed {seed}"


def check_names(tables: Sequence[Table]) -> None:
    """Raise ValueError unless names are different and begin with the number of their script."""
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        raise ValueError(f"every table needs a name of its own, got {', '.join(names)}")
    for table in tables:
        if table.script[:3] != table.name[:3]:
            raise ValueError(
                f"table {table.name!r} must begin with the number of its script, {table.script}"
            )


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
            _check_setting(name, value)
    keys = [key(row, 0) for row in rows]
    if twice := [row for row, text in zip(rows, keys, strict=True) if keys.count(text) > 1]:
        raise ValueError(f"rows must differ, but this stands there twice: {twice[0]}")


def _check_setting(name: str, value: object) -> None:
    if name in ("seed", "seconds"):
        raise ValueError(f"{name!r} is no setting: the runner adds it")
    finite = not isinstance(value, float) or math.isfinite(value)
    if type(value) not in (str, int, float, bool, type(None)) or not finite:
        raise TypeError(f"a setting must be a value that JSON has, got {name}={value!r}")


def _check_seeds(seeds: Sequence[int]) -> None:
    for seed in seeds:
        check_count("a seed", seed, minimum=0)
    if len(seeds) == 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different and at least one, got {seeds!r}")


def _check_measure(function: Callable[..., Any], rows: Sequence[Settings]) -> None:
    if not inspect.isfunction(inspect.unwrap(function)):
        raise TypeError(f"measure must be a function, got {function!r}")
    for row in rows:
        inspect.signature(function).bind(**row, seed=0)


def _check_cheap(cheap: object, rows: Sequence[Settings]) -> None:
    known = cheap in range(len(rows)) if isinstance(cheap, int) else cheap in rows
    if not known:
        raise ValueError(f"cheap must be one of the rows or its place, got {cheap!r}")


def _check_tolerance(tolerance: Mapping[str, float]) -> None:
    if not tolerance:
        raise ValueError("tolerance must name at least one value of measure")
    for name, limit in tolerance.items():
        check_between(f"tolerance of {name!r}", limit, 0, sys.float_info.max)
