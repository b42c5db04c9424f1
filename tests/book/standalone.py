"""A page that holds one output and nothing else, opened with the network off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
# The theme's variables, with its values for light and dark.
THEME = """
html { --pst-color-text-base: #222832; --pst-color-text-muted: #48566b;
       --pst-color-border: #d1d5da; --pst-color-background: #ffffff; }
html[data-theme="dark"] { --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af;
       --pst-color-border: #48566b; --pst-color-background: #14181e; }
body { margin: 0; background: var(--pst-color-background); }
main { max-width: 45rem; margin: 0 auto; padding: 1rem; }
"""
_PAGE = """<!doctype html><html data-theme="{theme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body {attributes}><main>{body}<div style="height: 2000px"></div></main></body></html>"""
# How a node's text stands out from its own background.
CONTRAST = r"""(node) => {
  const rgb = (s) => s.match(/[\d.]+/g).map(Number);
  const lin = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const lum = (c) => 0.2126 * lin(c[0]) + 0.7152 * lin(c[1]) + 0.0722 * lin(c[2]);
  const style = getComputedStyle(node);
  const both = [style.color, style.backgroundColor].map((colour) => lum(rgb(colour)));
  const [low, high] = both.sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05); }"""


@contextmanager
def open_alone(
    chromium: Any,
    file: Path,
    body: str,
    *,
    width: int = 1280,
    theme: str = "light",
    style: str = THEME,
    attributes: str = 'class="bd-article"',
    **more: Any,
) -> Iterator[Any]:
    """Write ``file``, yield it as an open page, and fail where the page complains or asks."""
    page_text = _PAGE.format(theme=theme, style=style, body=body, attributes=attributes)
    file.write_text(page_text, encoding="utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 900}, **more)
    context.set_offline(True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or wrong.append(r.url))
    page.goto(file.as_uri())
    yield page
    assert not wrong
    context.close()
