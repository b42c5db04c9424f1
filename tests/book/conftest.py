"""The built book, its pages, and a browser that reaches nothing but this machine."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import browser

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"


def book_pages() -> list[str]:
    """Return the paths of all built pages, or one name that fails when there are none."""
    skipped = {"_sources", "_static"}
    pages = [path.relative_to(HTML) for path in HTML.rglob("*.html")]
    return sorted(str(page) for page in pages if page.parts[0] not in skipped) or ["index.html"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the built book on this machine; its address ends in a slash."""
    assert (HTML / "index.html").is_file(), "the book is not built: run make book"
    handler = functools.partial(_Quiet, directory=str(HTML))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Start an installed Chromium or Chrome; without one, say so, and fail where CI is set."""
    path = browser.find()
    if path is None:
        word = "NOT RUN: no Chromium or Chrome found (see `python -m tools.browser`)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(word)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(browser.ARGUMENTS))
        yield started
        started.close()
