"""Mend three things that extensions of Sphinx leave on every page.

sphinx-thebe and sphinx-togglebutton hand the same inline ``const`` to Sphinx twice, which every
browser reports as an error; sphinx-exercise gives the inside of every exercise the same id,
and turns the title of a solution, which opens it, into a link up to the exercise.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx_exercise.nodes import solution_node

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


def unlink_titles_of_solutions(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take the link out of the title of a solution: who touches it wants to open the solution."""
    for solution in doctree.findall(solution_node):
        title = solution.children[0]
        for link in list(title.findall(nodes.reference)):
            link.replace_self(link.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, after everybody else."""
    app.connect("html-page-context", keep_one_of_each, priority=900)
    app.connect("doctree-resolved", drop_repeated_ids, priority=900)
    app.connect("doctree-resolved", unlink_titles_of_solutions, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
