"""Long experiments: rows are measured once, kept as files, and held against one run anew."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from companion.teaching.experiments import read
from experiments import runner, surroundings
from experiments.runner import Table, run
from experiments.surroundings import digest_of, one_thread, united
from tools import book, experiments, stages

ROOT = Path(__file__).parents[1]
SCRIPT = '''\
"""A script as small as can be."""

import functools

from companion.datasets import make_planted_interactions
from experiments.runner import Table

CALLS = __import__("experiments_seen").calls
SCALE = 10


@functools.cache
def planted():
    return make_planted_interactions(n_users=30, n_items=12, n_groups=2, seed=0)


def other():
    return 1


@functools.lru_cache(maxsize=8)
def scaled(value):
    """Say what it does."""
    return value * SCALE  # and why


def quality(window, decay, seed):
    CALLS.append((window, decay, seed))
    return {"ndcg@10": scaled(window) + seed / 3, "speed": 1 / 3 * 1e7}


TABLE = Table(
    name="97_window",
    says="Quality against the window.",
    data=planted,
    rows=[{"window": 2, "decay": None}, {"window": 5, "decay": None}],
    seeds=(4, 7),
    measure=quality,
    cheap={"window": 5, "decay": None},
    tolerance={"ndcg@10": 0.25},
)
'''
FIRST = [(2, None, 4), (2, None, 7), (5, None, 4), (5, None, 7)]
DIGEST = "as the script is"
FILE = f"""\
{{
  "table": "97_window",
  "says": "Quality against the window.",
  "script": "experiments/97_try.py",
  "seeds": [4, 7],
  "cheap": {{"window": 5, "decay": null}},
  "tolerance": {{"ndcg@10": 0.25}},
  "data": {{"fingerprint": "FINGERPRINT", "rows": 1500, "users": 30, "items": 12}},
  "versions": {{"python": "3.11.7", "numpy": "2.1.0"}},
  "digest": "{DIGEST}",
  "rows": [
    {{"settings": {{"window": 2, "decay": null}}, "seed": 4, "values": {{"ndcg@10": 21.3333, "speed": 3333330.0}}, "seconds": 0.25}},
    {{"settings": {{"window": 2, "decay": null}}, "seed": 7, "values": {{"ndcg@10": 22.3333, "speed": 3333330.0}}, "seconds": 0.25}},
    {{"settings": {{"window": 5, "decay": null}}, "seed": 4, "values": {{"ndcg@10": 51.3333, "speed": 3333330.0}}, "seconds": 0.25}},
    {{"settings": {{"window": 5, "decay": null}}, "seed": 7, "values": {{"ndcg@10": 52.3333, "speed": 3333330.0}}, "seconds": 0.25}}
  ]
}}
"""  # noqa: E501


class Script:
    """A script in a folder of its own, which a test may change and load again."""

    def __init__(self, folder: Path, calls: list[tuple[Any, ...]]) -> None:
        self.path, self.results = folder / "97_try.py", folder / "results"
        self.file = self.results / "97_window.json"
        self._calls = calls
        self.path.write_text(SCRIPT)

    def change(self, old: str, new: str) -> None:
        before = self.path.read_text()
        assert before.count(old) == 1, old
        self.path.write_text(before.replace(old, new))

    def table(self) -> Table:
        """Load the file as Python does when it is run."""
        spec = importlib.util.spec_from_file_location("script_97", self.path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["script_97"] = module
        spec.loader.exec_module(module)
        table = module.TABLE
        assert isinstance(table, Table)
        return table

    def run(self, *arguments: str) -> list[tuple[Any, ...]]:
        """Run it and return which rows were measured."""
        self._calls.clear()
        run([self.table()], arguments, results=self.results)
        return list(self._calls)

    def kept(self) -> list[tuple[Any, ...]]:
        rows = json.loads(self.file.read_text())["rows"]
        return [(*row["settings"].values(), row["seed"]) for row in rows]

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the file of results as a merge or a hand might."""
        contents = json.loads(self.file.read_text())
        change(contents)
        self.file.write_text(json.dumps(contents))

    def complaint(self, capsys: pytest.CaptureFixture[str]) -> str:
        """Return what the check complains of, and require that it does."""
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            self.run("--check")
        assert caught.value.code == 1
        return capsys.readouterr().out


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    calls: list[tuple[Any, ...]] = []
    module = type(sys)("experiments_seen")
    module.calls = calls  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "experiments_seen", module)
    return Script(tmp_path, calls)


# --- what is measured, and what is kept --------------------------------------------------


def test_the_file_says_all_that_decides_the_results_one_row_a_line(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(runner.time, "perf_counter", lambda: next(clock) / 4)
    monkeypatch.setattr(runner, "versions", lambda: {"python": "3.11.7", "numpy": "2.1.0"})
    assert script.run() == FIRST
    table = script.table()
    wanted = FILE.replace(DIGEST, table.digest).replace("FINGERPRINT", table.data().fingerprint())
    assert script.file.read_text() == wanted


def test_a_second_run_measures_nothing_and_changes_nothing(script: Script) -> None:
    script.run()
    before = script.file.read_bytes()
    assert script.run() == []
    assert script.file.read_bytes() == before


@pytest.mark.parametrize("gone", range(4))
def test_only_the_row_that_is_missing_is_measured(script: Script, gone: int) -> None:
    script.run()
    script.edit(lambda file: file["rows"].pop(gone))
    assert script.run() == [FIRST[gone]]
    assert script.kept() == FIRST


def test_new_rows_and_seeds_are_measured_and_old_ones_dropped(script: Script) -> None:
    script.run()
    script.change("seeds=(4, 7)", "seeds=(7, 1)")
    script.change('{"window": 2, "decay": None}', '{"window": 3, "decay": 0.5}')
    assert script.run() == [(3, 0.5, 7), (3, 0.5, 1), (5, None, 1)]
    assert script.kept() == [(3, 0.5, 7), (3, 0.5, 1), (5, None, 7), (5, None, 1)]


def test_another_order_of_rows_or_settings_measures_nothing(script: Script) -> None:
    script.run()
    script.change(
        '[{"window": 2, "decay": None}, {"window": 5, "decay": None}]',
        '[{"decay": None, "window": 5}, {"decay": None, "window": 2}]',
    )
    assert script.run() == []
    assert [row[2] for row in script.kept()] == [4, 7, 4, 7]
    assert [row[1] for row in script.kept()] == [None] * 4  # each row as it was written
    rows = read(script.file).rows
    assert rows["window"].tolist() == [5, 5, 2, 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scaled(window) +", "scaled(window) -"),  # measure itself
        ("value * SCALE", "value / SCALE"),  # a function it calls
        ("SCALE = 10", "SCALE = 11"),  # a number that this one uses
        ("maxsize=8", "maxsize=9"),  # how this one is decorated
        ("seed=0)", "seed=1)"),  # the data, which measure does not name
    ],
)
def test_what_decides_a_result_makes_all_rows_be_measured_again(
    script: Script, old: str, new: str
) -> None:
    script.run()
    script.change(old, new)
    assert script.run() == FIRST
    assert script.kept() == FIRST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # and why", "  # and another reason"),
        ("Say what it does.", "Say more."),
        ("def scaled(value):\n", "def scaled(value):  \n\n"),
        ("    return 1\n", "    return 2\n"),  # a function that measure does not call
        ("against the window", "for two windows"),
        ("0.25}", "0.5}"),
        ('cheap={"window": 5, "decay": None}', "cheap=0"),
    ],
)
def test_what_decides_no_result_measures_nothing(script: Script, old: str, new: str) -> None:
    script.run()
    script.change(old, new)
    assert script.run() == []
    assert script.run("--check")  # and the file has the new words


@pytest.mark.parametrize("error", ["RuntimeError('third row')", "KeyboardInterrupt('third row')"])
def test_a_row_that_fails_leaves_those_before_it(script: Script, error: str) -> None:
    line = "    CALLS.append((window, decay, seed))\n"
    script.change(line, f"{line}    if CALLS[2:]:\n        raise {error}\n")
    with pytest.raises((RuntimeError, KeyboardInterrupt), match="third row"):
        script.run()
    assert script.kept() == FIRST[:2]
    assert [path.name for path in script.results.iterdir()] == ["97_window.json"]
    assert script.run() == FIRST[2:]  # the first two are not measured again
    assert script.kept() == FIRST


def test_the_code_that_counts_is_that_which_was_loaded(script: Script) -> None:
    table = script.table()
    script.change("value * SCALE", "value / SCALE")  # while the rows are being measured
    run([table], [], results=script.results)
    assert script.run() == FIRST


def test_versions_are_those_that_made_rows(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_by() -> str:
        return str(json.loads(script.file.read_text())["versions"]["numpy"])

    monkeypatch.setattr(runner, "versions", lambda: {"python": "3.11.7", "numpy": "2.1.0"})
    script.run()
    monkeypatch.setattr(runner, "versions", lambda: {"python": "3.11.7", "numpy": "2.2.0"})
    script.run()
    assert made_by() == "2.1.0"
    script.edit(lambda file: file["rows"].pop())
    script.run()
    assert made_by() == "2.1.0, 2.2.0"
    script.change("SCALE = 10", "SCALE = 11")
    script.run()
    assert made_by() == "2.2.0"


def test_versions_of_two_runs_stand_together_once_each() -> None:
    both = united({"python": "3.11.7", "torch": "2.2", "numpy": "2.1, 2.2"}, {"numpy": "2.1"})
    assert both == {"python": "3.11.7", "numpy": "2.2, 2.1", "torch": "2.2"}
    assert list(both) == ["python", "numpy", "torch"]


def test_versions_name_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = surroundings.versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["numpy"] == sys.modules["numpy"].__version__
    monkeypatch.delitem(sys.modules, "gensim", raising=False)
    assert "gensim" not in surroundings.versions()
    monkeypatch.setitem(sys.modules, "gensim", object())
    monkeypatch.setattr(surroundings.importlib.metadata, "version", lambda name: f"9.1+{name}")
    assert surroundings.versions()["gensim"] == "9.1"  # without the build


# --- the check ---------------------------------------------------------------------------


def test_the_check_measures_the_cheap_row_with_the_first_seed_and_changes_nothing(
    script: Script,
) -> None:
    script.run()
    before = script.file.read_bytes()
    assert script.run("--check") == [(5, None, 4)]
    assert script.file.read_bytes() == before


@pytest.mark.parametrize("offset", [-0.24, 0.24])
def test_a_value_within_its_tolerance_passes(script: Script, offset: float) -> None:
    script.run()
    script.edit(lambda file: file["rows"][2]["values"].update({"ndcg@10": 51.3333 + offset}))
    assert script.run("--check")


@pytest.mark.parametrize("offset", [-0.26, 0.26])
def test_a_value_outside_its_tolerance_fails(
    script: Script, offset: float, capsys: pytest.CaptureFixture[str]
) -> None:
    script.run()
    then = 51.3333 + offset
    script.edit(lambda file: file["rows"][2]["values"].update({"ndcg@10": then}))
    said = f"97_window, window=5, decay=None, seed=4: ndcg@10 is 51.3333, the file says {then:.6g}"
    assert f"{said} +- 0.25\n" in script.complaint(capsys)


def test_a_value_without_a_tolerance_is_not_compared(script: Script) -> None:
    script.run()
    script.edit(lambda file: file["rows"][2]["values"].update(speed=1.0))
    assert script.run("--check")


def test_the_check_needs_the_file(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = "97_window: there is no 97_window.json: run make experiments"
    assert wanted in script.complaint(capsys)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            lambda file: file["rows"].pop(1),
            'the file lacks {"decay": null, "window": 2} with seed 7',
        ),
        (
            lambda file: file["rows"].append({**file["rows"][1], "seed": 9}),
            'the file has {"decay": null, "window": 2} with seed 9, the table has not',
        ),
        (
            lambda file: file["data"].update(fingerprint="0123456789", rows=3),
            "those of the file 3 rows of 30 users and 12 items (01234567)",
        ),
        (lambda file: file.update(digest="0"), "measure has changed since the file was made"),
        (lambda file: file.update(says="No."), "the file has other words, another order"),
        (lambda file: file["rows"].reverse(), "the file has other words, another order"),
        (lambda file: file["tolerance"].update({"ndcg@10": 9}), "cheap row or tolerance"),
    ],
)
def test_a_file_that_is_not_that_of_the_table_fails_before_anything_is_measured(
    script: Script,
    change: Callable[[dict[str, Any]], None],
    wanted: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script.run()
    script.edit(change)
    said = script.complaint(capsys)
    assert wanted in said
    assert "run make experiments" in said
    assert "again" not in said
    script.run()  # as it says
    assert script.run("--check")


def test_a_file_of_this_number_that_no_table_has_fails(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    script.run()
    script.file.with_name("97_gone.json").write_text("{}")
    script.file.with_name("96_others.json").write_text("{}")
    said = script.complaint(capsys)
    assert "97_gone.json is of no table: remove it\n" in said
    assert "96_others" not in said
    assert script.run("--check", "--only", "97_window")


# --- the command line --------------------------------------------------------------------


def test_only_some_tables_can_be_run(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    first = script.table()
    other = replace(first, name="97_other")
    run([first, other], ["--only", "97_other"], results=script.results)
    assert [path.name for path in script.results.iterdir()] == ["97_other.json"]
    with pytest.raises(SystemExit) as caught:
        run([first, other], ["--only", "97_nothing"], results=script.results)
    assert caught.value.code == 2
    assert "tables are 97_window, 97_other; got 97_nothing" in capsys.readouterr().err


def test_a_run_says_what_it_does(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    script.run()
    script.edit(lambda file: file["rows"].pop())
    capsys.readouterr()
    assert script.run("--list") == []
    assert capsys.readouterr().out == "97_window: 3 of 4 rows, 0 s. Quality against the window.\n"
    script.run()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "97_window: 3 of 4 rows stand in 97_window.json"
    assert second.startswith("97_window: 4/4 window=5, decay=None, seed=7: ndcg@10 52.3333, speed")


def test_a_script_runs_as_a_program(script: Script) -> None:
    script.change('CALLS = __import__("experiments_seen").calls', "CALLS = []")
    script.path.write_text(
        f"{script.path.read_text()}\n"
        "if __name__ == '__main__':\n"
        "    from pathlib import Path\n"
        "    from experiments.runner import run\n"
        "    run([TABLE], results=Path(__file__).with_name('results'))\n"
    )

    def program(*arguments: str) -> int:
        command = [sys.executable, str(script.path), *arguments]
        return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode

    assert program("--check") == 1
    assert program() == 0
    assert script.kept() == FIRST
    assert str(script.path.parent) not in script.file.read_text()
    assert program("--check") == 0


# --- what a script may not say -----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("97_window", "window", "name must be like '02_window'"),
        ("97_window", "97_Window!", "name must be like '02_window'"),
        ('"Quality against the window."', '" "', "says must be a sentence, got ' '"),
        ("rows=[{", "rows=[] and [{", "rows must hold at least one row"),
        ('{"window": 2, "decay": None}', '{"window": 2}', r"must have the settings \['window'\]"),
        ('{"window": 2, "decay": None}', "{}", "a row must be a dict of settings, got {}"),
        ('"window": 2', '"window": (2,)', r"a value that JSON has, got window=\(2,\)"),
        ('"window": 2', '"window": float("nan")', "a value that JSON has, got window=nan"),
        ('"window": 2', '"window": 5', "this stands there twice: {'window': 5, 'decay': None}"),
        ("seeds=(4, 7)", "seeds=(4, 4)", "seeds must be different"),
        ("seeds=(4, 7)", "seeds=()", "at least one"),
        ("seeds=(4, 7)", "seeds=(4, -7)", "a seed must be an integer of at least 0, got -7"),
        ("measure=quality", "measure=lambda **settings: {}", "at the top level of its file"),
        ("measure=quality", "measure=functools.partial(quality)", "measure must be a function"),
        ("measure=quality", "measure=other", "got an unexpected keyword argument"),
        ('cheap={"window": 5', 'cheap={"window": 9', "cheap must be one of the rows"),
        ('cheap={"window": 5, "decay": None}', "cheap=2", "or its place, got 2"),
        ('cheap={"window": 5, "decay": None}', "cheap=-1", "or its place, got -1"),
        ('{"ndcg@10": 0.25}', "{}", "tolerance must name at least one value"),
        ("0.25}", "-0.25}", "tolerance of 'ndcg@10' must lie in"),
        ("0.25}", 'float("inf")}', "tolerance of 'ndcg@10' must lie in"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_measured_is_refused_at_once(
    script: Script, old: str, new: str, message: str
) -> None:
    script.change(old, new)
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        script.table()
    assert str(caught.value).startswith("table '")


@pytest.mark.parametrize("name", ["seed", "seconds"])
def test_a_setting_may_not_have_the_name_of_a_column(script: Script, name: str) -> None:
    text = script.path.read_text().replace('"decay"', f'"{name}"').replace("decay,", "other,")
    script.path.write_text(text)
    with pytest.raises(ValueError, match=f"'{name}' is no setting: the runner adds it"):
        script.table()


def test_names_are_those_of_one_script_and_differ(script: Script) -> None:
    table = script.table()
    with pytest.raises(ValueError, match="every table needs a name of its own"):
        run([table, table], [], results=script.results)
    script.change("97_window", "96_window")
    with pytest.raises(ValueError, match=r"'96_window' must begin with the number.*97_try\.py"):
        run([script.table()], [], results=script.results)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ('{"ndcg": 1.0}', r"tolerance of \['ndcg@10'\], values are \['ndcg'\]"),
        ('{"ndcg@10": 1.0, "window": 3.0}', r"values must have other names than \['window'\]"),
        ('{"ndcg@10": float("inf")}', "ndcg@10 must be a finite number or NaN, got inf"),
        ('{"ndcg@10": "much"}', "ndcg@10 must be a finite number or NaN, got 'much'"),
        (
            '{"ndcg@10": 1.0} if window == 2 else {"ndcg@10": 1.0, "hits": 1.0}',
            r"rows have the values \['ndcg@10'\] and \['ndcg@10', 'hits'\]",
        ),
    ],
)
def test_values_that_no_table_can_hold_are_refused(script: Script, new: str, message: str) -> None:
    script.change('{"ndcg@10": scaled(window) + seed / 3, "speed": 1 / 3 * 1e7}', new)
    with pytest.raises(ValueError, match=message):
        script.run()


def test_a_tolerance_that_names_nothing_is_refused_also_where_all_is_measured(
    script: Script,
) -> None:
    script.run()
    script.change('tolerance={"ndcg@10"', 'tolerance={"ndcg@20"')
    with pytest.raises(ValueError, match=r"tolerance of \['ndcg@20'\]"):
        script.run()


def test_a_value_may_be_unknown(script: Script) -> None:
    script.change("1 / 3 * 1e7", 'float("nan")')
    script.run()
    assert '"speed": null' in script.file.read_text()
    assert read(script.file).rows["speed"].isna().all()
    assert script.run("--check")


def test_a_digest_wants_a_function_that_it_can_find() -> None:
    def inside() -> None:
        """Stand where no file's top level is."""

    with pytest.raises(TypeError, match="measure must stand at the top level of its file"):
        digest_of(inside)
    assert digest_of(test_a_value_may_be_unknown) != digest_of(test_names_are_those_of_one_script_and_differ)  # noqa: E501  # fmt: skip


# --- one thread --------------------------------------------------------------------------


def test_a_row_has_one_thread_also_in_libraries_that_it_loads_itself() -> None:
    code = """
import json, numpy, os
from threadpoolctl import threadpool_info, threadpool_limits
from experiments.surroundings import one_thread
threads = lambda: sorted({pool["num_threads"] for pool in threadpool_info()})
threadpool_limits(2)
before = threads()
with one_thread():
    import torch  # after the limit was set
    found = [threads(), torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]]
torch.set_num_threads(2)
with one_thread():
    inside = torch.get_num_threads()
print(json.dumps([before, found, inside, torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]]))
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    before, found, inside, after, variable = json.loads(done.stdout)
    assert before == [2]  # or nothing below would be shown
    assert found == [[1], 1, "1"]
    assert inside == 1
    assert after == 2
    assert variable == "2"


def test_the_variables_are_as_before_also_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")

    def row() -> None:
        with one_thread():
            assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        row()
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["MKL_NUM_THREADS"] == "3"


def test_a_row_is_measured_on_one_thread(script: Script) -> None:
    script.change("seed / 3", '__import__("os").environ["OMP_NUM_THREADS"].count("1")')
    script.run()
    assert read(script.file).rows["ndcg@10"].tolist() == [21.0, 21.0, 51.0, 51.0]


# --- the tool, and what stands around it -------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments" / "results").mkdir(parents=True)
    say = "import sys; print(sys.argv[1:]); raise SystemExit({})"
    for name, status in (("01_a", 0), ("02_b", 0), ("runner", 1)):
        (tmp_path / "experiments" / f"{name}.py").write_text(say.format(status))
    return tmp_path / "experiments"


def test_every_script_is_run_and_one_that_fails_is_named(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert experiments.main([]) == 0
    assert capfd.readouterr().out.count("[]") == 2
    (folder / "01_a.py").write_text("raise SystemExit(3)")
    assert experiments.main(["--check"]) == 1
    out = capfd.readouterr().out
    assert "['--check']" in out  # the second has been run
    assert out.endswith("failed: 01_a\n")


def test_the_check_has_six_minutes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for end, status, word in (
        (360.0, 0, "360.0 s of 360\n"),
        (360.1, 1, "360.1 s of 360: TOO MUCH\n"),
    ):
        clock = iter([0.0, end, 0.0, end])
        monkeypatch.setattr(experiments.time, "perf_counter", clock.__next__)
        assert experiments.main(["--check"]) == status
        assert word in capsys.readouterr().out
        assert experiments.main([]) == 0  # a full run has as long as it needs


def test_results_that_no_script_makes_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "results" / "02_window.json").touch()
    assert experiments.main(["--check"]) == 0
    (folder / "results" / "03_old.json").touch()
    assert experiments.main(["--check"]) == 1
    assert "03_old.json is of no script: remove it" in capsys.readouterr().out


def test_no_script_at_all_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert experiments.main([]) == 1
    assert "There is no experiment in experiments." in capsys.readouterr().out
    assert experiments.main(["--once"]) == 2


def test_make_test_measures_one_row_of_each_table_after_the_units_that_compile_it() -> None:
    names = list(stages.STAGES)
    assert stages.STAGES["experiments"][1:] == ("-m", "tools.experiments", "--check")
    assert names.index("units") < names.index("experiments") < names.index("notebooks")


def test_make_runs_them_all() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "make experiments " in said
    said = subprocess.run(
        ["make", "-n", "experiments"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert any(line.endswith("-m tools.experiments") for line in said.splitlines())


def test_the_book_is_built_anew_when_results_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("experiments/results/02_window.json")
    path.parent.mkdir(parents=True)
    prints = {book.fingerprint()}
    for text in ("{}", "{} "):
        path.write_text(text)
        prints.add(book.fingerprint())
    assert len(prints) == 3


def test_a_variable_of_a_comprehension_is_no_name_of_the_file() -> None:
    source = "T = [row for row in range(3)]\nU = V = 1\n\ndef f(row):\n    return row\n"
    assert set(surroundings._definitions(source)) == {"T", "U", "V", "f"}
