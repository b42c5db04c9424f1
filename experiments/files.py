"""Results as files: JSON with one row a line, so that two versions are easily compared."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from companion._atomic import written_whole
from experiments.table import Settings, Table

Contents = Mapping[str, Any]


def load(path: Path) -> dict[str, Any]:
    """Return what stands in a file; of one that is not there: no rows."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rows": []}


def save(path: Path, contents: Contents) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(text(contents).encode())


def contents(
    table: Table, data: Contents, versions: Contents, rows: Mapping[str, Contents]
) -> dict[str, Any]:
    """Return what belongs into the file of a table; ``rows`` under their keys, in any order."""
    return {
        "table": table.name,
        "says": table.says,
        "script": f"experiments/{table.script}",
        "seeds": list(table.seeds),
        "cheap": dict(table.cheap_row),
        "tolerance": dict(table.tolerance),
        "data": dict(data),
        "versions": dict(versions),
        "digest": table.digest,
        "rows": [rows[key] for key in table.runs if key in rows],
    }


def row(settings: Settings, seed: int, values: Mapping[str, float], seconds: float) -> Contents:
    """Return one measured row, rounded."""
    return {
        "settings": dict(settings),
        "seed": seed,
        "values": {name: _rounded(name, value) for name, value in values.items()},
        "seconds": round(seconds, 2),
    }


def text(contents: Contents) -> str:
    """Return JSON with one row a line."""
    head = [f"  {json.dumps(name)}: {_json(contents[name])}" for name in contents if name != "rows"]
    rows = ",\n".join(f"    {_json(row)}" for row in contents["rows"])
    return "{\n" + ",\n".join(head) + ',\n  "rows": [\n' + rows + "\n  ]\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _rounded(name: str, value: object) -> float | None:
    """Round to 6 digits; JSON knows no NaN, so null stands for it."""
    if not isinstance(value, numbers.Real) or math.isinf(number := float(value)):
        raise ValueError(f"{name} must be a finite number or NaN, got {value!r}")
    return None if math.isnan(number) else float(f"{number:.6g}")
