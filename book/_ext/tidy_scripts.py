"""Keep one of each inline script on a page.

Two of the extensions (sphinx-thebe, sphinx-togglebutton) hand the same ``const`` to Sphinx
twice, which every browser reports as an error on every page.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def keep_one_of_each(
    app: Sphinx, page: str, template: str, context: dict[str, Any], *_: Any
) -> None:
    """Drop the inline scripts that a page's context lists for the second time."""
    seen: set[str] = set()
    kept = []
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        if body is None or body not in seen:
            kept.append(script)
        if body is not None:
            seen.add(body)
    context["script_files"] = kept


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, after everybody else."""
    app.connect("html-page-context", keep_one_of_each, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
