"""README and CONTRIBUTING: their example runs, their commands exist, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tools import set_repository

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", read(name), flags=re.DOTALL)


def links(name: str) -> list[str]:
    """Return what a page links to, code left out."""
    prose = re.sub(r"```.*?```|`[^`]*`", " ", read(name), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r"<(https?://[^>]+)>", prose)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["films", "lists", "edges"])
def test_an_example_has_ten_lines_and_prints_what_stands_below_it(which: int) -> None:
    examples, prints = blocks("README.md", "python"), blocks("README.md", "text")
    assert len(examples) == len(prints) == 3
    assert len([line for line in examples[which].splitlines() if line.strip()]) <= 10
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(examples[which], "README.md", "exec"), {})
    assert printed.getvalue() == prints[which]


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_to_a_file(name: str) -> None:
    found = [urlsplit(link) for link in links(name)]
    assert found
    missing = [f.path for f in found if not f.scheme and not (ROOT / f.path).is_file()]
    assert not missing


def targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), flags=re.MULTILINE)
    assert phony
    return set(phony[1].split())


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_make_is_in_the_makefile(name: str) -> None:
    called = set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", read(name), flags=re.MULTILINE))
    assert called
    assert called <= targets()


def test_the_two_commands_are_what_the_check_from_scratch_runs() -> None:
    assert re.findall(r"^\$ make (\w+) +#", read("README.md"), re.MULTILINE)[:2] == ["book", "test"]
    assert re.findall(r"^make (\w+) ", read(".ci/run"), re.MULTILINE) == ["book", "test"]


def test_variables_of_make_and_stages_of_the_tests_exist() -> None:
    for name in set(re.findall(r"make [a-z-]+ ([A-Z]+)=", read("README.md"))) - {"URL"}:
        assert re.search(rf"^{name} +\?=", read("Makefile"), re.MULTILINE), name
    (stages,) = re.findall(r"tools\.stages ([a-z ]+?) +#", read("CONTRIBUTING.md"))
    for stage in stages.split():
        assert f'    "{stage}": (' in read("tools/stages.py"), stage


def test_what_readme_asks_of_a_machine_is_what_is_checked() -> None:
    readme, check = " ".join(read("README.md").split()), read("tools/check_machine.sh")
    asked = re.search(r"needs Python (3\.\d+), (3\.\d+) or (3\.\d+)", readme)
    checked = re.search(r"needs Python (3\.\d+), (3\.\d+) or (3\.\d+)", check)
    assert asked
    assert checked
    assert asked.groups() == checked.groups()
    room = r"(\d+) GB of free disk \((\d+) GB with"
    assert re.findall(room, readme) == re.findall(room, check) != []


def test_extras_environment_and_files_that_readme_names_exist() -> None:
    readme = read("README.md")
    extras = set(tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"])
    listed = re.search(r"# with extras: (.*), or all", readme)
    assert listed
    assert set(listed[1].split()) == extras - {"all", "book", "test", "bench"}
    for wanted in re.findall(r"'\.\[([a-z,]+)\]'", readme):
        assert set(wanted.split(",")) <= extras
    (environment,) = re.findall(r"conda activate ([\w-]+)", readme)
    assert f"\nname: {environment}\n" in read("environment.yml")


def test_badges_lead_to_this_repository_and_to_files() -> None:
    owner, name = set_repository.current(ROOT)
    found = [urlsplit(link) for link in links("README.md")]
    binder = [url for url in found if url.netloc == "mybinder.org" and url.query]
    colab = [url for url in found if url.netloc.startswith("colab") and "blob" in url.path]
    hub = [url for url in found if url.netloc == "github.com"]
    assert binder
    assert colab
    assert hub
    for url in binder:
        assert url.path == f"/v2/gh/{owner}/{name}/main"
        assert (ROOT / parse_qs(url.query)["urlpath"][0].removeprefix("lab/tree/")).is_file()
    for url in colab:
        start = f"/github/{owner}/{name}/blob/main/"
        assert url.path.startswith(start)
        assert (ROOT / url.path.removeprefix(start)).is_file()
    for url in hub:
        assert url.path.startswith(f"/{owner}/{name}/")
        workflow = re.search(r"/actions/workflows/([\w.]+)", url.path)
        assert workflow
        assert (ROOT / ".github" / "workflows" / workflow[1]).is_file()
    assert f"<https://{owner}.github.io/{name}>" in read("README.md")


def chapters(page: str) -> list[tuple[int, str, str | None, str]]:
    """Return number, title, notebook (or None) and state of each row of a table of chapters."""
    rows = re.findall(r"^\| (\d) \| (.*?) \|(?:.*\|)? (here|planned) \|$", read(page), re.MULTILINE)
    found = []
    for number, cell, state in rows:
        link = re.fullmatch(r"\[(.*)\]\((?:\.\./)?notebooks/(.*)\)", cell)
        title, notebook = (link[1], link[2]) if link else (cell, None)
        found.append((int(number), title, notebook, state))
    return found


@pytest.mark.parametrize("page", ["README.md", "book/welcome.md"])
def test_a_chapter_is_called_here_if_and_only_if_it_is(page: str) -> None:
    rows = chapters(page)
    assert [row[0] for row in rows] == list(range(1, 10))
    here = {notebook for _, _, notebook, state in rows if state == "here"}
    assert here == {path.name for path in ROOT.glob("notebooks/*.ipynb")}
    assert not [row for row in rows if row[3] == "planned" and row[2]]
    for notebook in here:
        assert f"file: notebooks/{str(notebook).removesuffix('.ipynb')}" in read("_toc.yml")


def test_readme_and_the_welcome_page_list_the_same_chapters() -> None:
    assert chapters("README.md") == chapters("book/welcome.md")


@pytest.mark.parametrize("name", PAGES)
def test_no_package_registry_is_named(name: str) -> None:
    for host in ("pypi" + ".org", "python" + "hosted", "npmjs", "debian" + ".org"):
        assert host not in read(name)


def test_the_changelog_has_the_version_of_the_package() -> None:
    version = re.search(r'__version__ = "(.*)"', read("companion/__init__.py"))
    assert version
    assert f"What will be {version[1]}." in read("CHANGELOG.md") or f"[{version[1]}]" in read(
        "CHANGELOG.md"
    )
