"""What chapters read of long experiments: tables, intervals over seeds, rows run live."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import companion
from companion.teaching import experiment
from companion.teaching.experiments import Experiment, read

ROOT = Path(__file__).parents[2]
T1 = math.tan(math.pi * 0.475)  # Student's t at 97.5 %, one degree of freedom: Cauchy's law
T2 = 0.95 * math.sqrt(2 / (1 - 0.95**2))  # and two degrees


def row(window: Any, decay: Any, seed: int, ndcg: float | None, seconds: float = 1.5) -> Any:
    settings = {"window": window, "decay": decay}
    values = {"ndcg@10": ndcg, "speed": 1e6}
    return {"settings": settings, "seed": seed, "values": values, "seconds": seconds}


ROWS = [
    row(5, None, 0, 0.1),
    row(5, None, 1, 0.2),
    row(5, None, 2, 0.6),
    row("all", None, 0, 0.5),
    row("all", None, 1, 0.7),
    row(5, 0.5, 0, 0.9),
]


def contents(rows: list[Any]) -> dict[str, Any]:
    return {
        "table": "02_window",
        "says": "Quality against the window.",
        "script": "experiments/02_item2vec.py",
        "seeds": [0, 1, 2],
        "cheap": {"window": 5, "decay": None},
        "tolerance": {"ndcg@10": 0.25},
        "data": {"fingerprint": "f", "rows": 1, "users": 1, "items": 1},
        "versions": {"python": "3.11.7"},
        "digest": "d",
        "rows": rows,
    }


def write(folder: Path, name: str = "02_window", rows: list[Any] = ROWS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**contents(rows), "table": name}))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Experiment:
    return read(write(tmp_path))


# --- the table ---------------------------------------------------------------------------


def test_a_line_a_row_and_seed_settings_first_then_seed_values_and_seconds(
    table: Experiment,
) -> None:
    assert list(table.rows.columns) == ["window", "decay", "seed", "ndcg@10", "speed", "seconds"]
    assert table.rows["window"].tolist() == [5, 5, 5, "all", "all", 5]
    assert table.rows["decay"].tolist() == [None] * 5 + [0.5]
    assert table.rows["seed"].tolist() == [0, 1, 2, 0, 1, 0]
    assert table.rows["ndcg@10"].tolist() == [0.1, 0.2, 0.6, 0.5, 0.7, 0.9]
    assert [table.rows[name].dtype.kind for name in ("seed", "ndcg@10", "seconds")] == list("iff")
    assert table.settings == ("window", "decay")
    assert table.values == ("ndcg@10", "speed")
    assert table.seeds == (0, 1, 2)
    assert table.seconds == 9.0
    assert (table.table, table.says) == ("02_window", "Quality against the window.")
    assert table.cheap == {"window": 5, "decay": None}
    assert table.tolerance == {"ndcg@10": 0.25}
    assert table.data["users"] == 1
    assert table.versions == {"python": "3.11.7"}


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 2], "i"), ([0.5, 2], "f"), ([True, False], "b"), ([1, None], "O")]
)
def test_settings_keep_their_kind(tmp_path: Path, values: list[Any], kind: str) -> None:
    rows = [row(value, None, 0, 0.1) for value in values]
    column = read(write(tmp_path, rows=rows)).rows["window"]
    assert column.dtype.kind == kind
    assert column.tolist() == values


def test_what_was_not_known_is_nan(tmp_path: Path) -> None:
    rows = read(write(tmp_path, rows=[row(1, 2, 0, None), row(1, 2, 1, 0.5)])).rows
    assert rows["ndcg@10"].dtype == float
    assert rows["ndcg@10"].isna().tolist() == [True, False]


# --- means and intervals over seeds ------------------------------------------------------


def test_the_interval_is_students_over_the_seeds(table: Experiment) -> None:
    found = table.summary()
    assert list(found.columns) == ["window", "decay", "mean", "low", "high", "n"]
    assert found["window"].tolist() == [5, "all", 5]  # in the order of the table
    assert found["decay"].tolist() == [None, None, 0.5]
    assert found["n"].tolist() == [3, 2, 1]
    np.testing.assert_allclose(found["mean"], [0.3, 0.6, 0.9])
    # .1 .2 .6: squares about .3 sum to .14, so sd^2 = .07; .5 .7: sd^2 = .02
    half = [T2 * math.sqrt(0.07 / 3), T1 * math.sqrt(0.02 / 2), math.nan]
    np.testing.assert_allclose(found["high"] - found["mean"], half)
    np.testing.assert_allclose(found["mean"] - found["low"], half)


def test_seeds_that_agree_leave_no_width(tmp_path: Path) -> None:
    found = read(write(tmp_path, rows=[row(1, 2, seed, 0.25) for seed in range(3)])).summary()
    assert found[["mean", "low", "high"]].to_numpy().tolist() == [[0.25, 0.25, 0.25]]


def test_one_seed_that_is_not_known_makes_the_mean_unknown(tmp_path: Path) -> None:
    rows = [row(1, 2, 0, None), row(1, 2, 1, 0.5), row(1, 2, 2, 0.5)]
    found = read(write(tmp_path, rows=rows)).summary()
    assert found[["mean", "low", "high"]].isna().all(axis=None)


def test_another_value_and_another_order_of_settings(table: Experiment) -> None:
    found = table.summary(by=["decay", "window"], value="seconds")
    assert list(found.columns)[:2] == ["decay", "window"]
    assert found["mean"].tolist() == [1.5, 1.5, 1.5]


def test_settings_that_do_not_vary_may_be_left_out(tmp_path: Path) -> None:
    found = read(write(tmp_path, rows=ROWS[:5])).summary(by=["window"])
    assert list(found.columns) == ["window", "mean", "low", "high", "n"]
    np.testing.assert_allclose(found["mean"], [0.3, 0.6])
    assert read(write(tmp_path, rows=ROWS[:3])).summary(by=[])["n"].tolist() == [3]


def test_rows_of_different_settings_have_no_common_mean(table: Experiment) -> None:
    with pytest.raises(ValueError, match=r"by must name \['decay'\] too: .*got by=\['window'\]"):
        table.summary(by=["window"])
    with pytest.raises(ValueError, match=r"by must name \['window', 'decay'\] too"):
        table.summary(by=[])


def test_what_the_table_does_not_have_is_named(table: Experiment) -> None:
    with pytest.raises(KeyError, match="by must be of window, decay, got dim"):
        table.summary(by=["dim"])
    with pytest.raises(KeyError, match="value must be of ndcg@10, speed, seconds, got recall"):
        table.summary(value="recall")


@given(
    st.lists(
        st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=5),
        min_size=1,
        max_size=4,
    )
)
def test_the_summary_is_that_of_scipy_row_by_row(groups: list[list[float]]) -> None:
    lines = [
        {"dim": 2**place, "seed": seed, "ndcg@10": value, "seconds": 0.0}
        for place, values in enumerate(groups)
        for seed, value in enumerate(values)
    ]
    frame = pd.DataFrame(lines).sample(frac=1, random_state=0)
    found = Experiment("02_dim", "…", frame, ("dim",)).summary().set_index("dim")
    for place, values in enumerate(groups):
        if np.ptp(values) > 0:
            scale = stats.sem(values)
            wanted = stats.t.interval(0.95, len(values) - 1, np.mean(values), scale)
            np.testing.assert_allclose(found.loc[2**place, ["low", "high"]], wanted, atol=1e-12)


# --- one row run live --------------------------------------------------------------------


@pytest.mark.parametrize("now", [0.25, 0.5, 0.74])
def test_a_row_that_falls_where_the_file_says_is_returned(table: Experiment, now: float) -> None:
    found = table.agrees({"decay": None, "window": "all"}, 0, {"ndcg@10": now})
    wanted = {"window": "all", "decay": None, "seed": 0, "ndcg@10": 0.5, "speed": 1e6}
    assert found == wanted | {"seconds": 1.5}


@pytest.mark.parametrize("now", [0.24, 0.76, math.nan])
def test_a_row_that_falls_elsewhere_is_named(table: Experiment, now: float) -> None:
    with pytest.raises(AssertionError) as caught:
        table.agrees({"window": "all", "decay": None}, 0, {"ndcg@10": now, "speed": 2.0})
    assert str(caught.value) == (
        "02_window, window='all', decay=None, seed=0: "
        f"ndcg@10 is {now:g}, the file says 0.5 +- 0.25"
    )


def test_all_values_that_fall_elsewhere_are_named(table: Experiment) -> None:
    with pytest.raises(AssertionError, match=r"ndcg@10 is 0.9, .* \+- 0.1; speed is 1, the file"):
        table.agrees(
            table.cheap, 1, {"ndcg@10": 0.9, "speed": 1.0}, {"ndcg@10": 0.1, "speed": 100.0}
        )


def test_a_tolerance_of_its_own_is_that_which_counts(table: Experiment) -> None:
    assert table.agrees(table.cheap, 0, {"ndcg@10": 0.5}, {"ndcg@10": 0.5})["ndcg@10"] == 0.1
    with pytest.raises(AssertionError):
        table.agrees(table.cheap, 0, {"ndcg@10": 0.2}, {"ndcg@10": 0.05})
    assert table.agrees(table.cheap, 0, {"speed": 1e6}, {"speed": 0.0})


def test_the_row_is_that_of_these_settings_and_this_seed(table: Experiment) -> None:
    assert table.agrees({"window": 5, "decay": None}, 2, {"ndcg@10": 0.6})["ndcg@10"] == 0.6
    assert table.agrees({"window": 5, "decay": 0.5}, 0, {"ndcg@10": 0.9})["ndcg@10"] == 0.9
    for settings, seed in (
        ({"window": 5, "decay": 0.5}, 1),
        ({"window": 7, "decay": None}, 0),
        ({"window": 5}, 0),
        ({"window": 5, "decay": None, "dim": 8}, 0),
    ):
        with pytest.raises(KeyError, match=r"02_window has no row with \{'window'.* and seed"):
            table.agrees(settings, seed, {"ndcg@10": 0.1})


def test_what_cannot_be_compared_is_an_error(table: Experiment) -> None:
    with pytest.raises(ValueError, match=r"none of \['speed'\] has a tolerance.*\['ndcg@10'\]"):
        table.agrees(table.cheap, 0, {"speed": 1e6})
    with pytest.raises(ValueError, match=r"none of \[\] has a tolerance"):
        table.agrees(table.cheap, 0, {})
    with pytest.raises(KeyError, match="values must be of ndcg@10, speed, got recall"):
        table.agrees(table.cheap, 0, {"recall": 0.1})
    with pytest.raises(KeyError, match="values must be of ndcg@10, speed, got ndgc"):
        table.agrees(table.cheap, 0, {"ndcg@10": 0.1}, {"ndgc": 0.1})


def test_what_is_not_known_agrees_with_itself_alone(tmp_path: Path) -> None:
    table = read(write(tmp_path, rows=[row(5, None, 0, None)]))
    assert table.agrees(table.cheap, 0, {"ndcg@10": math.nan})
    with pytest.raises(AssertionError, match="the file says nan"):
        table.agrees(table.cheap, 0, {"ndcg@10": 0.1})


# --- where results are looked for --------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with no results around, with a package that has none beside it."""
    package, here = tmp_path / "library" / "companion", tmp_path / "work" / "notebooks"
    for folder in (package, here):
        folder.mkdir(parents=True)
    monkeypatch.setattr(companion, "__file__", str(package / "__init__.py"))
    monkeypatch.chdir(here)
    _install(tmp_path / "site", [])
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path


def _install(site: Path, files: list[str]) -> None:
    """Leave what pip leaves of an installed package: its name and the list of its files."""
    about = site / "companion-0.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: companion\nVersion: 0.0\n")
    (about / "RECORD").write_text("".join(f"{name},,\n" for name in ["companion/a.py", *files]))


@pytest.mark.parametrize("folder", ["work/notebooks", "work", ".", "library"])
def test_results_are_found_here_above_or_beside_the_package(elsewhere: Path, folder: str) -> None:
    write(elsewhere / folder / "experiments" / "results")
    assert experiment("02_window").says == "Quality against the window."


def test_results_are_found_among_what_was_installed(elsewhere: Path) -> None:
    _install(elsewhere / "site", ["../share/companion/experiments/results/02_window.json"])
    write(elsewhere / "share" / "companion" / "experiments" / "results")
    assert experiment("02_window").table == "02_window"


def test_the_nearest_folder_with_results_is_the_one(elsewhere: Path) -> None:
    near, far = (elsewhere / f / "experiments" / "results" for f in ("work/notebooks", "work"))
    write(far, "02_far")
    near.mkdir(parents=True)  # an empty one is passed over
    assert experiment("02_far").table == "02_far"
    write(near, "02_near")
    write(near, "02_b")
    with pytest.raises(KeyError, match="no experiment '02_far'; there are 02_b, 02_near"):
        experiment("02_far")


def test_no_results_at_all_name_the_command(elsewhere: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run make experiments"):
        experiment("02_window")


def test_this_installation_finds_those_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in sorted((ROOT / "experiments" / "results").glob("*.json")):
        assert experiment(path.stem).table == path.stem


def test_the_reader_loads_no_runner() -> None:
    code = "import sys; from companion.teaching import experiment; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "companion.teaching.experiments" in loaded
    assert not loaded & {"experiments", "matplotlib", "torch", "IPython"}


def test_a_drawing_shows_the_means_their_intervals_and_the_values_of_the_setting() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    rows = pd.DataFrame(
        {
            "window": [1.0, 1.0, 20.0, 20.0, math.nan, math.nan],
            "seed": [0, 1] * 3,
            "auc": [0.1, 0.3, 0.5, 0.5, 0.7, 0.9],
            "seconds": 1.0,
        }
    )
    table = Experiment("02_window", "Quality against the window.", rows, ("window",))
    ax = figure.subplots()
    drawn = table.draw(ax, "window", "auc", color="#0077BB", names={None: "all"})
    pd.testing.assert_frame_equal(drawn, table.summary(by=["window"], value="auc"))
    (line,) = [one for one in ax.lines if one.get_linestyle() == "-"]
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata() == pytest.approx([0.2, 0.5, 0.8])
    (bars,) = ax.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx(pair) for pair in drawn[["low", "high"]].to_numpy().tolist()]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "20", "all"]
