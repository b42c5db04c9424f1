"""The tools behind make: what they measure, refuse, throw away, and the status they exit with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from companion.teaching.plotting import FIGURE_MIME
from tools import benchmarks, book, browser, measure, nbval_figures, notebooks, set_repository
from tools.measure import Measured


def test_a_run_is_measured_and_its_status_passed_on() -> None:
    # Measured from a small process: Linux counts what the parent held at the fork as well.
    held = "x = bytearray(300_000_000); x[::4096] = b'1' * len(x[::4096]); raise SystemExit(7)"
    ask = "import sys; from tools import measure; print(measure.run([sys.executable, '-c', {!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", ask.format(held)],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = eval(done.stdout, {"Measured": Measured})
    assert took.status == 7
    assert 300 < took.peak_mb < 600
    assert 0 < took.seconds < 60


def test_a_run_that_is_killed_has_no_good_status() -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert measure.run([sys.executable, "-c", killed]).status == -9


@pytest.fixture
def one_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    path = Path("notebooks/01_one.ipynb")
    path.write_text("{}")
    return path


@pytest.mark.parametrize(
    ("took", "status", "word"),
    [
        (Measured(0, 89.9, 1499.0), 0, "89.9 s of 90"),
        (Measured(1, 10.0, 100.0), 1, "10.0 s of 90"),
        (Measured(0, 90.1, 100.0), 1, "TOO MUCH"),
        (Measured(0, 10.0, 1501.0), 1, "TOO MUCH"),
    ],
)
def test_a_notebook_is_held_to_its_outputs_time_and_memory(
    took: Measured,
    status: int,
    word: str,
    one_notebook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(measure, "run", lambda command: commands.append(command) or took)
    assert notebooks.main(["compare"]) == status
    assert word in capsys.readouterr().out
    assert len(commands) == 1
    assert {"--nbval", str(one_notebook)} <= set(commands[0])
    assert Path("_build/status/01_one.json").is_file()


def test_one_bad_notebook_of_two_is_enough(
    one_notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_notebook.with_name("02_two.ipynb").write_text("{}")
    monkeypatch.setattr(measure, "run", lambda c: Measured(int("01_one" in c[-1]), 1.0, 1.0))
    assert notebooks.compare() == 1


def test_no_notebook_at_all_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert notebooks.compare() == 1
    assert "no notebook" in capsys.readouterr().out


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_browser_is_said_loudly_and_fails_where_ci_is_set(
    ci: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(browser, "install", lambda: None)
    monkeypatch.setenv("CI", ci)
    assert browser.main() == status
    assert "NOT RUN" in capsys.readouterr().out


def test_a_browser_that_is_named_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/somewhere/chrome")
    assert browser.main() == 0
    assert capsys.readouterr().out == "browser: /somewhere/chrome\n"


def test_a_benchmark_that_fails_is_named_and_the_rest_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "bench_a.py").write_text("raise SystemExit(1)")
    (folder / "bench_b.py").write_text("print('b has run')")
    assert benchmarks.main() == 1
    out = capfd.readouterr().out
    assert "b has run" in out
    assert "failed: bench_a\n" in out
    (folder / "bench_a.py").write_text("")
    assert benchmarks.main() == 0


class _Notebook:
    """What nbval gives its items for a parent."""

    skip_compare: tuple[str, ...] = ("image/png", "metadata")


def test_only_the_drawing_of_a_figure_is_passed_over() -> None:
    notebook, module = _Notebook(), object()
    items: list[Any] = [SimpleNamespace(parent=one) for one in (notebook, notebook, module)]
    nbval_figures.pytest_collection_modifyitems(items)
    assert notebook.skip_compare == ("image/png", "metadata", FIGURE_MIME)
    assert _Notebook.skip_compare == ("image/png", "metadata")


def test_of_a_map_or_an_explorer_only_that_there_is_one_is_compared() -> None:
    cell = SimpleNamespace(parent=_Notebook(), sanitize=str.upper)
    nbval_figures.pytest_collection_modifyitems([cell])  # type: ignore[list-item]
    for start in ('<div data-map="', '<div data-explorer="'):
        assert cell.sanitize(f'{start}12ab34cd">a picture</div>') == start
    assert cell.sanitize("<div>a table</div>") == "<DIV>A TABLE</DIV>"


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Stand in for jupyter-book: it leaves a page, and returns the status put here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book.api_pages, "write", lambda: None)
    answer = {"status": 0, "calls": 0}

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "-W" in command
        answer["calls"] += 1
        for folder in (book.HTML, book.BUILD / ".doctrees", book.BUILD / ".jupyter_cache"):
            folder.mkdir(parents=True, exist_ok=True)
        (book.HTML / "index.html").write_text("a page")
        return subprocess.CompletedProcess(command, answer["status"])

    monkeypatch.setattr(subprocess, "run", run)
    return answer


def kept(*names: str) -> list[bool]:
    return [(book.BUILD / name).exists() for name in names]


@pytest.mark.parametrize("source", ["companion/a.py", "book/_ext/a.py", "_config.yml"])
def test_a_changed_source_throws_the_build_away_and_keeps_what_is_no_build(
    source: str, builder: dict[str, int]
) -> None:
    path = Path(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("1")
    assert book.build() == 0
    for mark in (".jupyter_cache/old", "status/old"):
        (book.BUILD / mark).parent.mkdir(exist_ok=True)
        (book.BUILD / mark).touch()
    assert book.build() == 0
    assert kept(".jupyter_cache/old", "status/old") == [True, True]
    path.write_text("2")
    assert book.build() == 0
    assert kept(".jupyter_cache/old", "status/old") == [False, True]
    assert builder["calls"] == 3


def test_a_build_that_fails_is_read_again_and_its_results_are_kept(
    builder: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    builder["status"] = 2
    assert book.build() == 2
    assert "The book was not built" in capsys.readouterr().err
    assert kept(".doctrees", "html", ".jupyter_cache") == [False, False, True]
    builder["status"] = 0
    assert book.build() == 0
    assert kept(".doctrees", "html/index.html") == [True, True]


def test_names_that_only_contain_the_address_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://github.com/owner/name\n")
    other = "owner/name-fork xowner/name owner/names x-owner/name xowner.github.io/name\n"
    (tmp_path / "page.md").write_text(f"{other}gh/owner/name/main owner.github.io/name.\n")
    changed = set_repository.replace("https://github.com/new/book", tmp_path)
    assert [path.name for path in changed] == ["_config.yml", "page.md"]
    after = (tmp_path / "page.md").read_text()
    assert after == f"{other}gh/new/book/main new.github.io/book.\n"
