"""Mend two things that extensions of Sphinx leave on every page.

sphinx-thebe and sphinx-togglebutton hand the same inline ``const`` to Sphinx twice, which every
browser reports as an error; sphinx-exercise gives the inside of every exercise the same id.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

REPEATED_IDS = {"exercise-content", "solution-content"}


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


def drop_repeated_ids(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take away the ids that are the same in every exercise; nothing links to them."""
    for node in doctree.findall(nodes.section):
        node["ids"] = [name for name in node["ids"] if name not in REPEATED_IDS]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, after everybody else."""
    app.connect("html-page-context", keep_one_of_each, priority=900)
    app.connect("doctree-resolved", drop_repeated_ids, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
