"""The page of an explorer: sliders, one frame, and all frames as data.

A frame is stored as the numbers of its pieces, and a piece, such as an edge or a tick with its
label, is written down once however many frames have it.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from companion.teaching._explorer_script import SCRIPT
from companion.teaching._explorer_style import STYLE

# What may be rounded; an opacity, in a style, may not.
_COORDINATES = re.compile(r'\s(?:d|x|y|width|height|transform)="[^"]*"')


class Frame(NamedTuple):
    """A drawing, from `companion.teaching.plotting.to_html`, and what is seen in it."""

    drawing: str
    sentence: str


@dataclass(frozen=True)
class Explorer:
    """What is shown.

    ``texts`` are the values of each control as they are shown.  There is a frame a combination of
    them, the last control's running fastest; ``first`` is the number of the one shown first.
    """

    title: str
    texts: dict[str, list[str]]
    frames: list[Frame]
    first: int


def to_page(explorer: Explorer) -> str:
    """Return the explorer as it stands in the book: style, sliders, a frame, data, script."""
    title, first = html.escape(explorer.title), explorer.frames[explorer.first]
    labels = [name.replace("_", " ") for name in explorer.texts]
    chosen = np.unravel_index(explorer.first, [len(texts) for texts in explorer.texts.values()])
    controls = list(zip(labels, explorer.texts.values(), map(int, chosen), strict=True))
    state = ", ".join(f"{label} = {texts[number]}" for label, texts, number in controls)
    return (
        '<div class="companion-explorer" data-lm-suppress-shortcuts="true" role="group" '
        f'aria-label="{title}"><style>{STYLE}</style><p class="explorer-title">{title}</p>'
        '<div class="explorer-controls" hidden>'
        f"{''.join(_slider(*control) for control in controls)}</div>{first.drawing}"
        '<p class="explorer-line" role="status" aria-live="polite">'
        f'{html.escape(first.sentence)}</p><p class="explorer-hint">The picture is that of '
        f"{html.escape(state)}. The sliders, which show others, need scripts.</p>"
        f'<script type="application/json">{_to_json(explorer)}</script>'
        f"<script>{SCRIPT}</script></div>"
    )


def _slider(label: str, texts: list[str], chosen: int) -> str:
    text = html.escape(texts[chosen])
    return (
        f'<div class="explorer-control"><label><span>{label}</span><input type="range" min="0" '
        f'max="{len(texts) - 1}" step="1" value="{chosen}" autocomplete="off" '
        f'aria-valuetext="{label} = {text}"></label>'
        f'<output aria-live="off">{text}</output></div>'
    )


def _to_json(explorer: Explorer) -> str:
    """Return all frames, written so that no text in them can end the script they stand in."""
    pieces: dict[str, int] = {}  # the number of each, in the order in which they come up
    frames = [
        [pieces.setdefault(piece, len(pieces)) for piece in split(frame.drawing)]
        for frame in explorer.frames
    ]
    data = {
        "texts": list(explorer.texts.values()),
        "sentences": [frame.sentence for frame in explorer.frames],
        "frames": frames,
        "pieces": list(pieces),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def split(drawing: str) -> list[str]:
    r"""Return what stands inside the <svg>, a piece a shape, in hundredths of a point.

    Joined by new lines the pieces are the drawing again.

    Examples
    --------
    >>> drawing = '''<svg><g>
    ... <path d="M 0.123456 1
    ... L 2 3"/>
    ... </g>
    ... <text x="7.654321">7.654321</text></svg>'''
    >>> split(drawing)
    ['<g><path d="M 0.12 1 L 2 3"/>\n</g>', '<text x="7.65">7.654321</text>']
    """
    inside = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
    lines = re.sub(r"\n(?!<)", " ", inside).replace("<g>\n", "<g>")
    return re.split(r"\n(?=<[^/])", re.sub(r"<[^>]*>", _round, lines))


def _round(tag: re.Match[str]) -> str:
    if "scale(" in tag[0] or "matrix(" in tag[0]:  # a factor is no coordinate
        return tag[0]
    return _COORDINATES.sub(
        lambda found: re.sub(r"\d+\.\d{3,}", lambda n: f"{float(n[0]):.2f}", found[0]), tag[0]
    )
