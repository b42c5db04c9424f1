"""Find a Chromium or Chrome to look at the book with, or install one where that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")  # fmt: skip


def find() -> str | None:
    """Return the path of an installed browser, ``BROWSER_PATH`` first, or None."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named
    installed = next((path for path in map(shutil.which, NAMES) if path), None)
    if installed:
        return installed
    candidates = [*APPLICATIONS, _playwrights_own()]
    return next((path for path in candidates if path and Path(path).exists()), None)


def install() -> str | None:
    """Install a browser: the distribution's package as root, else Playwright's; return its path."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts.insert(0, ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
        _succeeds(["apt-get", "update"])
    for command in attempts:
        if _succeeds(command) and find():
            return find()
    return None


def _succeeds(command: list[str]) -> bool:
    print("+", " ".join(command), flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL).returncode == 0


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def main() -> int:
    """Say which browser the page checks will use, installing one if there is none."""
    path = find() or install()
    if path:
        print(f"browser: {path}")
        return 0
    print(
        "!!! NO BROWSER: the checks of the rendered pages will NOT RUN. Install Chromium or\n"
        "!!! Chrome (apt install chromium | brew install --cask chromium), or name one with\n"
        "!!! BROWSER_PATH=/path/to/chrome make test"
    )
    return int(bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
