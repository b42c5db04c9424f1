"""The pages of the API: one a public module of the package, and the page that lists them.

They are written at each build and never committed: the list of modules is the package's own,
and the text comes from the docstrings.
"""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path("companion")
FOLDER = Path("book/api")
PAGE = """\
# {name}

```{{eval-rst}}
.. automodule:: {name}
   :members:{more}
```
"""
GATHERED = """
| Name | What it is |
| :-- | :-- |
{rows}
"""
INDEX = """\
# The companion package

Each method of the book is a module of `companion`, tested and importable on its own. Every
method takes `Interactions` and ends in `Embeddings`; everything after that point knows nothing
of how they were learned.

| Module | What it is |
| :-- | :-- |
{rows}
"""


def modules() -> list[str]:
    """Return the dotted names of all public modules, sorted."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if len(parts) > 1 and not any(part.startswith("_") for part in parts):
            names.append(".".join(parts))
    return sorted(names)


def pages() -> dict[Path, str]:
    """Return path -> text of every page of the API."""
    names = modules()
    rows = [f"| [`{name}`]({name}.md) | {_summary(_tree(name))} |" for name in names]
    texts = {FOLDER / "index.md": INDEX.format(rows="\n".join(rows))}
    for name in names:
        gathers = _only_collects(name, names)
        page = PAGE.format(name=name, more="\n   :ignore-module-all:" if gathers else "")
        texts[FOLDER / f"{name}.md"] = page + (_gathered(name) if gathers else "")
    return texts


def write() -> None:
    """Write the pages that changed, and remove those of modules that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for stale in set(FOLDER.glob("*.md")) - set(texts):
        stale.unlink()
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _source(name: str) -> Path:
    path = Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _only_collects(name: str, public: list[str]) -> bool:
    """Say whether all names of a package come from public modules, which have pages already."""
    ours = {home for home, _ in _imports(name)}
    return bool(ours) and ours <= set(public)


def _gathered(name: str) -> str:
    """Return the table of the names that a package takes from its modules."""
    return GATHERED.format(rows="\n".join(_row(*found) for found in _imports(name)))


def _imports(name: str) -> list[tuple[str, str]]:
    """Return the module and the name of all that a package imports from its own modules."""
    return [
        (node.module, alias.name)
        for node in _tree(name).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{name}.")
        for alias in node.names
    ]


def _row(home: str, name: str) -> str:
    """Return a name's line: a link to it, or to its page where it is a type without a text."""
    for node in _tree(home).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return f"| {{py:obj}}`{name} <{home}.{name}>` | {_summary(node)} |"
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return f"| [`{name}`]({home}.md) | `{ast.unparse(node.value)}` |"
    raise ValueError(f"{home} must define {name}, which its package imports")


def _tree(name: str) -> ast.Module:
    return ast.parse(_source(name).read_text(encoding="utf-8"))


def _summary(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0].replace("|", "\\|")
