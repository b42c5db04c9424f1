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
    rows = [f"| [`{name}`]({name}.md) | {_first_line(name)} |" for name in names]
    texts = {FOLDER / "index.md": INDEX.format(rows="\n".join(rows))}
    for name in names:
        more = "\n   :ignore-module-all:" if _only_collects(name, names) else ""
        texts[FOLDER / f"{name}.md"] = PAGE.format(name=name, more=more)
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
    tree = ast.parse(_source(name).read_text(encoding="utf-8"))
    homes = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    ours = [home for home in homes if home and home.startswith(f"{name}.")]
    return bool(ours) and set(ours) <= set(public)


def _first_line(name: str) -> str:
    docstring = ast.get_docstring(ast.parse(_source(name).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("|", "\\|")
