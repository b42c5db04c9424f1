"""What else decides a result: the code that measures, the data, the versions, the threads."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import inspect
import io
import os
import platform
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from companion.interactions import Interactions, check_interactions

# module -> its distribution, of libraries that can move a result
LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "gensim": "gensim",
    "numba": "numba",
    "implicit": "implicit",
    "faiss": "faiss-cpu",
    "annoy": "annoy",
    "hnswlib": "hnswlib",
    "networkx": "networkx",
}
OWN_SCOPES = (
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Lambda,
    ast.FunctionDef,
    ast.ClassDef,
)
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def digest_of(function: Callable[..., Any]) -> str:
    """Return a SHA-256 of a function and of what it uses of its own file, also indirectly.

    Comments, docstrings and empty lines do not count, nor do other files.
    """
    function = inspect.unwrap(function)
    source = Path(inspect.getsourcefile(function) or "").read_text(encoding="utf-8")
    defined = _definitions(source)
    if function.__name__ not in defined:
        raise TypeError(f"measure must stand at the top level of its file, got {function!r}")
    waiting, used = [function.__name__], set[str]()
    while waiting:
        name = waiting.pop()
        if name in defined and name not in used:
            used.add(name)
            waiting += defined[name][1]
    texts = [text for name, (text, _) in defined.items() if name in used]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def facts_of(data: Callable[[], Interactions]) -> dict[str, Any]:
    """Return the fingerprint and the size of the data that a function returns."""
    return dict(_facts_of(data))


@cache  # several tables share their data
def _facts_of(data: Callable[[], Interactions]) -> dict[str, Any]:
    log = data()
    check_interactions(log)
    sizes = {"rows": len(log), "users": log.n_users, "items": log.n_items}
    return {"fingerprint": log.fingerprint(), **sizes}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that are loaded."""
    loaded = {"python": platform.python_version()}
    for module, distribution in LIBRARIES.items():
        if module in sys.modules:
            loaded[module] = importlib.metadata.version(distribution).partition("+")[0]
    return loaded


def united(former: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of both; where they differ, the former and then the present one."""
    both = {**former, **now}
    for name in former.keys() & now.keys():
        known = former[name].split(", ")
        both[name] = ", ".join([*(v for v in known if v != now[name]), now[name]])
    return {name: both[name] for name in ("python", *LIBRARIES) if name in both}


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the numerical libraries to one thread, also those that are loaded inside."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    variables = {name: os.environ.get(name) for name in ONE}
    os.environ.update(ONE)  # libraries read these when they are loaded
    try:
        with threadpool_limits(1):
            if torch:
                torch.set_num_threads(1)
            yield
    finally:
        if torch:
            torch.set_num_threads(threads)
        for name, value in variables.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def _definitions(source: str) -> dict[str, tuple[str, set[str]]]:
    """Return what a file defines at its top level: name -> (text, names used in it)."""
    lines = _without_comments(source)
    found: dict[str, tuple[str, set[str]]] = {}
    for node in ast.parse(source).body:
        for name in _defined_by(node):
            text = "\n".join(_code(node, lines))
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            if name in found:  # defined twice: both count
                text, names = f"{found[name][0]}\n{text}", names | found[name][1]
            found[name] = text, names
    return found


def _defined_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return [name.id for name in _names_of(node) if isinstance(name.ctx, ast.Store)]


def _names_of(node: ast.AST) -> Iterator[ast.Name]:
    """Walk over the names of a statement, but not into scopes of their own."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Name):
            yield part
        elif not isinstance(part, OWN_SCOPES):  # a comprehension's variable is none of the file's
            yield from _names_of(part)


def _code(node: ast.stmt, lines: list[str]) -> list[str]:
    """Return the lines of a statement without those of docstrings and empty ones."""
    decorators = getattr(node, "decorator_list", [])
    first = min(part.lineno for part in (node, *decorators))
    kept = set(range(first, (node.end_lineno or first) + 1))
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part):
            kept -= set(range(part.body[0].lineno, (part.body[0].end_lineno or 0) + 1))
    return [lines[number - 1] for number in sorted(kept) if lines[number - 1]]


def _without_comments(source: str) -> list[str]:
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return [line.rstrip() for line in lines]
