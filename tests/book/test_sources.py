"""What the book is made from, held against each other: no build and no browser needed."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import companion
from companion.teaching import claims
from tests.book.conftest import ROOT
from tools import api_pages, book, set_repository, stages, status

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
# conda-forge's name -> the name on the package index, where the two differ
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "python-annoy": "annoy",
    "pytorch-cpu": "torch",
}
CONDA_ALONE = {"python", "pip", "jupyterlab"}  # the language, and what Binder starts


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def requirements(*extras: str) -> dict[str, Requirement]:
    """Return name -> requirement of the package with these extras, extras of extras included."""
    found = {}
    waiting = [*PROJECT["dependencies"], *(line for name in extras for line in _extra(name))]
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name == "companion":
            waiting += [line for name in requirement.extras for line in _extra(name)]
        else:
            found[requirement.name] = requirement
    return found


def _extra(name: str) -> list[str]:
    return list(PROJECT["optional-dependencies"][name])


def conda() -> dict[str, SpecifierSet]:
    """Return name on the package index -> range, of environment.yml."""
    found = {}
    for line in yaml.safe_load(text("environment.yml"))["dependencies"]:
        for entry in line["pip"] if isinstance(line, dict) else [line]:
            if entry == "--editable .":
                continue
            name, bounds = re.fullmatch(r"([\w-]+)(.*)", entry).groups()  # type: ignore[union-attr]
            if name not in CONDA_ALONE:
                found[CONDA_NAMES.get(name, name)] = SpecifierSet(bounds)
    return found


def test_environment_yml_has_the_packages_and_ranges_of_pyproject() -> None:
    wanted = {name: r.specifier for name, r in requirements("test").items()}
    assert conda() == wanted


def test_environment_yml_installs_the_package_itself_and_a_supported_python() -> None:
    lines = yaml.safe_load(text("environment.yml"))["dependencies"]
    assert "--editable ." in lines[-1]["pip"]
    (python,) = (line for line in lines if str(line).startswith("python="))
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])


def test_every_requirement_is_pinned_inside_its_range() -> None:
    pins = dict(line.split("==") for line in text("constraints.txt").splitlines() if "==" in line)
    for name, requirement in requirements("test", "bench").items():
        assert name.lower() in pins, f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(Version(pins[name.lower()]), prereleases=True)
    assert "+" not in "".join(pins.values())


def test_the_package_itself_has_lower_bounds_only() -> None:
    for name, requirement in requirements("all").items():
        operators = {bound.operator for bound in requirement.specifier}
        assert operators == {">="}, f"{name}: {requirement.specifier}"


def test_every_page_of_the_contents_is_there_and_every_notebook_is_in_it() -> None:
    contents = yaml.safe_load(text("_toc.yml"))
    chapters = [c for part in contents["parts"] for c in part["chapters"]]
    files = [contents["root"], *(chapter["file"] for chapter in chapters)]
    assert len(files) == len(set(files))
    for file in files:
        made = file.startswith("book/api/")
        assert made or any((ROOT / f"{file}{end}").is_file() for end in (".md", ".ipynb")), file
    assert {f"notebooks/{path.stem}" for path in NOTEBOOKS} <= set(files)


def test_every_public_module_has_a_page_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names = api_pages.modules()
    assert {"companion.metrics", "companion.datasets", "companion.teaching.plotting"} <= set(names)
    assert not [name for name in names if "._" in name]
    pages = {path.stem: page for path, page in api_pages.pages().items()}
    assert set(pages) == {*names, "index"}
    assert all(f"({name}.md)" in pages["index"] for name in names)
    package = importlib.import_module("companion.sgns")
    rows = [row for row in pages["companion.sgns"].splitlines() if row.startswith("| ")][2:]
    assert len(rows) == len(package.__all__)
    for name in package.__all__:
        assert any(re.match(rf"\| (\{{py:obj\}}`{name} <|\[`{name}`\]\()", row) for row in rows)


def test_the_page_of_claims_is_that_of_the_notebooks() -> None:
    assert text("book/claims.md") == claims.page(claims.collect(NOTEBOOKS)), "run make notebooks"


def test_the_status_page_has_a_row_a_notebook_with_its_present_contents() -> None:
    page = text("book/status.md")
    for notebook in NOTEBOOKS:
        counts = " | ".join(map(str, status.contents(notebook).values()))
        assert f"../notebooks/{notebook.name}) | {counts} |" in page, "run make notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_in_order_and_without_an_error(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"])]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        if "raises-exception" not in cell["metadata"].get("tags", []):
            assert all(output["output_type"] != "error" for output in cell["outputs"])
        for output in cell["outputs"]:
            picture = {mime for mime in output.get("data", {}) if mime.startswith("image/")}
            shown = status.FIGURE_MIME in output.get("data", {})
            assert shown or not picture, "a figure without show(fig, alt=...)"


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {companion.__version__}\n" in text("CITATION.cff")


def test_the_address_is_written_everywhere_and_back_again(tmp_path: Path) -> None:
    names = ["_config.yml", "CITATION.cff", "README.md", "notebooks", "book"]
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    owner, name = set_repository.current(tmp_path)
    changed = set_repository.replace("https://github.com/Some-One/a.book.git", tmp_path)
    assert {"_config.yml", "CITATION.cff"} <= {path.name for path in changed}
    assert set_repository.current(tmp_path) == ("Some-One", "a.book")
    for path in before:
        left = path.read_bytes()
        assert f"github.com/{owner}/{name}".encode() not in left, path
        assert f"{owner}.github.io/{name}".encode() not in left, path
    assert b"https://Some-One.github.io/a.book" in (tmp_path / "CITATION.cff").read_bytes()
    set_repository.replace(f"https://github.com/{owner}/{name}", tmp_path)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "url", ["", "github.com/a/b", "https://example.org/a/b", "https://github.com/a"]
)
def test_an_address_that_no_launch_button_could_use_is_refused(url: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "_config.yml", tmp_path)
    with pytest.raises(ValueError, match="URL must look like https://github"):
        set_repository.replace(url, tmp_path)


@pytest.mark.parametrize("path", ["README.md", "CITATION.cff"])
def test_every_address_of_a_repository_is_this_one(path: str) -> None:
    owner, name = set_repository.current(ROOT)
    hosts = r"(?:github\.com|mybinder\.org/v2/gh|colab\.research\.google\.com/github)"
    for found in re.findall(rf"{hosts}/([\w-]+/[\w.-]+?)(?:\.git|[/)\s\"'?#]|$)", text(path)):
        assert found == f"{owner}/{name}", path


def test_the_fingerprint_sees_the_package_and_the_pins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "companion").mkdir()
    module, pins = tmp_path / "companion" / "a.py", tmp_path / "constraints.txt"
    module.write_text("1")
    pins.write_text("numpy==1")
    first = book.fingerprint()
    assert book.fingerprint() == first
    module.write_text("2")
    second = book.fingerprint()
    pins.write_text("numpy==2")
    assert len({first, second, book.fingerprint()}) == 3


def test_a_stage_that_fails_is_counted_and_the_rest_is_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say = "print('3 passed, {} failed, 1 skipped in 0.12s'); raise SystemExit({})"
    monkeypatch.setattr(
        stages,
        "STAGES",
        {
            "one": (sys.executable, "-c", say.format(2, 1)),
            "two": (sys.executable, "-c", "raise SystemExit(3)"),
            "three": (sys.executable, "-c", "pass"),
        },
    )
    assert stages.main([]) == 1
    assert capsys.readouterr().out.rstrip().endswith("4 passed, 3 failed, 1 not run")
    assert stages.main(["three"]) == 0
    monkeypatch.setattr(stages, "STAGES", {"one": (sys.executable, "-c", say.format(0, 0))})
    assert stages.main([]) == 0
    assert "1 checks were NOT RUN" in capsys.readouterr().out


def test_make_help_names_every_command_of_the_readme() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    for command in ("book", "test", "serve", "bench", "notebooks", "clean", "set-repository"):
        assert f"make {command} " in listed
