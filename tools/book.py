"""Build the book: run the notebooks that changed, write _build/html, fail on any warning.

Notebooks run from an empty kernel and their outputs are kept in _build/.jupyter_cache, so that
a second build runs only what changed.  The cache knows the cells but not what they import:
when the package, the pinned versions or the results that notebooks read have changed since,
everything built is thrown away first.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools import api_pages

BUILD = Path("_build")
HTML = BUILD / "html"
FINGERPRINT = BUILD / "fingerprint"
KEPT = ("status", "ipython")
SOURCES = ("companion/**/*.py", "experiments/results/**/*.json", "constraints.txt",
           "pyproject.toml", "_config.yml", "book/_ext/**/*.py")  # fmt: skip


def fingerprint(patterns: Iterable[str] = SOURCES) -> str:
    """Return a hash over every file that an executed notebook depends on, and over Python."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted({path for pattern in patterns for path in Path().glob(pattern)}):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> int:
    """Build what changed and say where to look; return the builder's exit status."""
    now = fingerprint()
    if not FINGERPRINT.is_file() or FINGERPRINT.read_text() != now:
        _forget(path for path in BUILD.glob("*") if path.name not in KEPT)
    BUILD.mkdir(exist_ok=True)
    api_pages.write()
    FINGERPRINT.write_text(now)
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ".", "-n", "-W", "--keep-going", "--quiet"]
    status = subprocess.run(command).returncode
    if status:
        for report in sorted(HTML.glob("reports/**/*.log")):
            print(f"\n{report.stem}:\n{report.read_text(encoding='utf-8')}", file=sys.stderr)
        # A page with a warning must be read again next time, or the warning would be forgotten.
        _forget([BUILD / ".doctrees", HTML])
        print("The book was not built: the warnings above say why.", file=sys.stderr)
        return status
    print(f"\nThe book is ready: open {HTML / 'index.html'} or run make serve.")
    return 0


def _forget(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(build())
