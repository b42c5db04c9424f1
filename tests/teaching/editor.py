"""What a notebook editor makes of the ``text/html`` of a map or an explorer."""

from __future__ import annotations

import re

# A template runs to the first backtick, and "${" in it is code, unless a backslash is before them.
_TEMPLATE = re.compile(r"\.outerHTML = `((?:[^\\`$]|\$(?!\{)|\\[\\`$/])*)`;\n", re.DOTALL)


def page_in_editor(output: str, script: str) -> str:
    """Return the page, less its script, that the script of ``output`` puts in the PNG's place."""
    start = _TEMPLATE.search(output)
    assert start, "no template that ends"
    assert output[start.end() :] == f"{script}</script>"
    return re.sub(r"\\(.)", r"\1", start[1])
