"""What `show_map` and `show_explorer` have in common: how a live page gets into a notebook."""

from __future__ import annotations

import hashlib
import html
from typing import Literal

from companion._optional import require
from companion.teaching.plotting import FIGURE_MIME

#: How the ``text/html`` of each kind begins: coordinates differ between machines, and a
#: comparison of notebooks may pass it over by this.
EDITOR_STARTS = {"map": '<div data-map="', "explorer": '<div data-explorer="'}


def display_page(
    page: str, *, kind: Literal["map", "explorer"], script: str, png: str, alt: str
) -> None:
    """Display a page that ends with its script, its PNG and its text as one bundle."""
    bundle = {
        FIGURE_MIME: page,
        "text/html": _in_an_editor(page, kind, script, png, alt),
        "image/png": png,
        "text/plain": alt,
    }
    display = require("IPython.display", extra="plot").display
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def _in_an_editor(page: str, kind: str, script: str, png: str, alt: str) -> str:
    """Return the PNG and a script that puts the page in its place, and runs the page's own.

    The page is no HTML here but a text inside the script: where scripts are taken out, nothing
    of it is left lying about.
    """
    key = hashlib.sha256(page.encode()).hexdigest()[:8]
    end = f"<script>{script}</script></div>"
    assert page.endswith(end)
    markup = page.removesuffix(end) + "</div>"
    for sign in ("\\", "`", "${"):  # what a template would read as its own
        markup = markup.replace(sign, f"\\{sign}")
    markup = markup.replace("</script", "<\\/script")  # of data; other < and & are escaped
    return (
        f'{EDITOR_STARTS[kind]}{key}"><img alt="{html.escape(alt)}" style="max-width:100%" '
        f'src="data:image/png;base64,{png}"></div><script>\n'
        f"for (const old of document.querySelectorAll('[data-{kind}=\"{key}\"]')) "
        f"old.outerHTML = `{markup}`;\n{script}</script>"
    )


def check_text(name: str, text: object) -> None:
    """Raise TypeError or ValueError unless ``text`` is a text with something in it.

    Examples
    --------
    >>> check_text("title", " ")
    Traceback (most recent call last):
        ...
    ValueError: title must not be empty, got ' '
    """
    if not isinstance(text, str):
        raise TypeError(f"{name} must be text, got {text!r}")
    if not text.strip():
        raise ValueError(f"{name} must not be empty, got {text!r}")
