"""The package as a whole: light to import, layered, documented, typed, honest about extras."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import BuiltinImporter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import companion
from companion._checks import check_between, check_count, check_option, some
from companion._optional import require

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "faiss",
    "gensim",
    "matplotlib",
    "annoy",
    "hnswlib",
    "numba",
    "sklearn",
    "IPython",
}
PUBLIC = [
    module.name
    for module in pkgutil.walk_packages(companion.__path__, "companion.")
    if not any(part.startswith("_") for part in module.name.split("."))
]


def in_a_fresh_process(code: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def test_importing_the_package_takes_less_than_three_tenths_of_a_second():
    code = (
        "import time; start = time.perf_counter(); import companion; "
        "print(time.perf_counter() - start)"
    )
    assert min(in_a_fresh_process(code) for _ in range(3)) < 0.3


def loaded_by(name: str) -> set[str]:
    code = f"import json, sys, {name}; print(json.dumps(sorted(sys.modules)))"
    return {module.partition(".")[0] for module in in_a_fresh_process(code)}


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("companion") & (HEAVY | {"pandas", "numpy", "scipy"})


@pytest.mark.parametrize(
    "name", ["interactions", "splits", "topk", "scoring", "embeddings", "evaluation", "recommend"]
)
def test_modules_for_arrays_do_not_load_learning_libraries(name):
    assert not loaded_by(f"companion.{name}") & HEAVY


def test_the_version_is_that_of_the_distribution():
    assert companion.__version__ == importlib.metadata.version("companion")


def test_layers_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


# --- documentation -----------------------------------------------------------------------


def own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Public functions and classes defined in the module, and their public methods."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing
        if inspect.isclass(thing):
            for attribute, value in vars(thing).items():
                value = getattr(value, "__func__", value)  # what a classmethod wraps
                value = value.fget if isinstance(value, property) else value
                if inspect.isfunction(value) and not attribute.startswith("_"):
                    yield f"{name}.{attribute}", value


def described(method: str, module: ModuleType) -> bool:
    """Whether a method has a docstring, its own or that of the method it overrides."""
    thing = module
    for part in method.split("."):
        thing = getattr(thing, part)
    return bool(inspect.getdoc(thing))


def test_there_are_public_modules():
    assert {"companion.interactions", "companion.topk", "companion.splits"} <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_described_and_typed(name):
    module = importlib.import_module(name)
    assert module.__doc__, "the module says not what it is"
    for path, thing in own(module):
        assert described(path, module), f"{path} has no docstring"
        if inspect.isfunction(thing):
            untyped = [
                parameter.name
                for parameter in inspect.signature(thing).parameters.values()
                if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
            ]
            assert not untyped, f"{path} has no type for {untyped}"
            assert "return" in thing.__annotations__, f"{path} has no type for what it returns"


@pytest.mark.parametrize(
    "name", ["interactions", "sequences", "topk", "scoring", "splits", "losses", "metrics"]
)
def test_every_function_of_the_ground_has_an_example(name):
    module = importlib.import_module(f"companion.{name}")
    bare = [
        path
        for path, thing in own(module)
        if inspect.isfunction(thing) and "." not in path and ">>>" not in (thing.__doc__ or "")
    ]
    assert not bare


# --- optional libraries ------------------------------------------------------------------


def test_a_missing_library_names_the_extra():
    with pytest.raises(ImportError) as caught:
        require("nosuchlibrary.part", extra="ann")
    assert str(caught.value) == (
        "this part of companion needs nosuchlibrary: pip install 'companion[ann]'"
    )


def test_a_library_hidden_from_the_import_names_the_extra(monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "networkx"]:
        monkeypatch.delitem(sys.modules, module)
    builtins_only = [finder for finder in sys.meta_path if finder is BuiltinImporter]
    monkeypatch.setattr(sys, "meta_path", builtins_only)
    with pytest.raises(ImportError, match=r"needs networkx: pip install 'companion\[graph\]'"):
        require("networkx", extra="graph")


def test_a_broken_library_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "half_installed.py").write_text("import its_own_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_own_dependency"):
        require("half_installed", extra="ann")


def test_a_library_that_is_there_is_returned():
    assert require("json.decoder", extra="book") is sys.modules["json.decoder"]


def test_every_extra_that_the_code_names_exists():
    names = {
        extra
        for path in (ROOT / "companion").rglob("*.py")
        if path.name != "_optional.py"
        for extra in path.read_text(encoding="utf-8").split('extra="')[1:]
    }
    used = {text.partition('"')[0] for text in names}
    offered = importlib.metadata.metadata("companion").get_all("Provides-Extra")
    assert used
    assert used <= set(offered or [])


# --- the checks at the door --------------------------------------------------------------


@pytest.mark.parametrize("value", [3, True, 2.0, "3", None, 0, -1])
def test_counts(value):
    if value == 3:
        assert check_count("n", value) == 3
    else:
        error = ValueError if value in (0, -1) else TypeError
        with pytest.raises(error, match=f"n must be an integer of at least 1, got {value!r}"):
            check_count("n", value)


def test_counts_may_start_elsewhere():
    assert check_count("n", 0, minimum=0) == 0
    with pytest.raises(ValueError, match="n must be an integer of at least 2, got 1"):
        check_count("n", 1, minimum=2)


def test_options():
    assert check_option("kind", "flat", ["flat", "ivf"]) is None
    for value in ("Flat", None, 1):
        with pytest.raises(ValueError, match=f"kind must be one of 'flat', 'ivf', got {value!r}"):
            check_option("kind", value, ["flat", "ivf"])


def test_bounds():
    assert check_between("p", 1, 0, 1) == 1.0
    assert check_between("p", 0.5, 0, 1, open_ends=True) == 0.5
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"p must lie in \[0, 1\], got"):
            check_between("p", value, 0, 1)
    for value in (0, 1):
        with pytest.raises(ValueError, match=rf"p must lie in \(0, 1\), got {value}"):
            check_between("p", value, 0, 1, open_ends=True)
    for value in ("0.5", None, True):
        with pytest.raises(TypeError, match=r"p must be a number in \[0, 1\], got"):
            check_between("p", value, 0, 1)


def test_a_few_of_many():
    assert some([1, 2]) == "1, 2"
    assert some([]) == ""
    assert some(list("abcdefg"), most=5) == "'a', 'b', 'c', 'd', 'e' and 2 more"
