"""What several tests share: the real data, loaded once, and a reproducible hypothesis."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from companion.interactions import Interactions

settings.register_profile(
    "reproducible",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def movielens_100k() -> Interactions:
    from companion.datasets import load_movielens

    return load_movielens("100k", verbose=False)


@pytest.fixture(scope="session")
def complete_journey() -> Interactions:
    from companion.datasets import load_complete_journey

    return load_complete_journey(verbose=False)


@pytest.fixture(scope="session")
def log_of() -> Callable[..., Interactions]:
    """Make interactions from rows (user, item, timestamp), or (user, item) without a time."""
    from companion.interactions import Interactions

    def build(rows: Iterable[tuple[Any, ...]], **options: Any) -> Interactions:
        rows = list(rows)
        names = ["user", "item", "timestamp", "weight", "basket"][: len(rows[0])]
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        # One object at a time, so that pandas does not take a tuple for a row of numbers.
        frame = pd.DataFrame({name: pd.Series(list(column)) for name, column in columns.items()})
        options.setdefault("timestamp", "timestamp" if "timestamp" in names else None)
        return Interactions.from_frame(frame, **options)

    return build


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every import of numba fail, as where it is not installed."""
    load = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "numba":
            raise ModuleNotFoundError("No module named 'numba'", name="numba")
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
