"""Write the repository's address everywhere: launch buttons, badges, citation, first cells.

The address stands in _config.yml; ``make set-repository URL=https://github.com/you/book`` reads
the old one there and puts the new one wherever the old one stands in the project's text files.
It needs nothing but Python itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

CONFIG = Path("_config.yml")
TEXT = {".md", ".ipynb", ".yml", ".yaml", ".toml", ".cff", ".py", ".bib"}
SKIPPED = {".venv", "_build", "build", "dist", "shared"}
GITHUB = re.compile(r"https://github\.com/([A-Za-z0-9-]+)/([A-Za-z0-9._-]+?)(?:\.git)?/?")


def current(root: Path = Path()) -> tuple[str, str]:
    """Return (owner, name) of the repository whose address stands in _config.yml."""
    found = re.search(r"^  url: +(\S+)$", (root / CONFIG).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError("_config.yml names no repository url")
    return parse(found[1])


def parse(url: str) -> tuple[str, str]:
    """Return (owner, name) of an address on GitHub, where Binder and Colab take books from."""
    match = GITHUB.fullmatch(url)
    if not match:
        raise ValueError(f"URL must look like https://github.com/owner/name, got {url!r}")
    return match[1], match[2]


def replace(url: str, root: Path = Path()) -> list[Path]:
    """Put the new address for the old one under ``root``; return the files that changed."""
    (owner, name), (new_owner, new_name) = current(root), parse(url)
    pairs = (
        (f"{owner}/{name}", f"{new_owner}/{new_name}"),
        (f"{owner}.github.io/{name}", f"{new_owner}.github.io/{new_name}"),
    )
    changed = []
    for path in _texts(root):
        before = after = path.read_bytes().decode("utf-8")
        for old, new in pairs:
            after = re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, after)
        if after != before:
            path.write_bytes(after.encode("utf-8"))
            changed.append(path)
    return changed


def _texts(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root).parts
        if path.suffix in TEXT and not SKIPPED & set(inside) and path.is_file():
            yield path


def main(arguments: list[str]) -> int:
    """Replace the address by the one given; say which files changed."""
    try:
        changed = replace(arguments[0] if arguments else "")
    except ValueError as error:
        print(f"make: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, changed)) or "Nothing to change.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
