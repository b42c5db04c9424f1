"""Tell the book's builder how to lay out what `show` and `claim` leave in a notebook.

MyST-NB finds `CompanionOutputs` through the entry point ``myst_nb.mime_renderers`` of this
package.  A figure's HTML goes into the page as it is, before the PNG of the same bundle; a
claim's JSON is for `companion.teaching.claims` alone, and the box beside it is what shows.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes

from companion.teaching.claims import CLAIM_MIME
from companion.teaching.plotting import FIGURE_MIME


class CompanionOutputs:
    """A renderer of MyST-NB for the two kinds of output that are this package's own."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [
        ("html", FIGURE_MIME, 1),
        ("dirhtml", FIGURE_MIME, 1),
        ("singlehtml", FIGURE_MIME, 1),
    ]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Return the nodes for one output, an empty list to pass it over, None if not ours."""
        if data.mime_type == CLAIM_MIME:
            return []
        if data.mime_type == FIGURE_MIME:
            return [nodes.raw(text=data.string, format="html", classes=["output"])]
        return None
