"""The picture of a map: where points and names go, as an SVG and as a PNG of the same.

Axes: n points, in pixels of a page `WIDTH` wide, y downwards.
"""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from companion._optional import require
from companion.teaching.plotting import INK, PALETTE, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 720
_MARGIN = 24.0
_MOST = 12  # names in the picture, and
_LONGEST = 30  # letters in a name: a phone is some 45 wide
_FADED = 0.45  # opacity of what a search has not found; as in _map_style
_LETTER = 8.4  # pixels a bold letter of 13 px takes in a wide face

# Each colour's shape as a path around the point, 1 px in radius; areas are about equal.
_SHAPES: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("m{} {}h{}v{}h{}z", (-0.9, -0.9, 1.8, 1.8, -1.8)),
    ("m0 {}l{} {}h{}z", (-1.35, 1.25, 2.2, -2.5)),
    ("m0 {}l{} {}l{} {}l{} {}z", (-1.3, 1.3, 1.3, -1.3, 1.3, -1.3, -1.3)),
    ("m0 {}l{} {}h{}z", (1.35, 1.25, -2.2, -2.5)),
    (
        "m{} {}h{}v{}h{}v{}h{}v{}h{}v{}h{}v{}h{}z",
        (-0.4, -1.2, 0.8, 0.8, 0.8, 0.8, -0.8, 0.8, -0.8, -0.8, -0.8, -0.8, 0.8),
    ),
    ("m{} 0a{} {} 0 1 0 {} 0a{} {} 0 1 0 {} 0z", (-1, 1, 1, 2, 1, 1, -2)),
)
_MARKERS = "s^DvPo"  # the same shapes under matplotlib's names
_CIRCLE = 5  # the shape of points without groups


class Name(NamedTuple):
    """A name beside its point; ``side`` -1 ends there, 0 is centred, 1 begins there."""

    text: str
    x: float
    y: float
    side: int


@dataclass(frozen=True)
class Picture:
    """What is drawn: ``group`` is a colour's number, ``hit`` says what the start has found."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: NDArray[np.float64]
    group: NDArray[np.int64]
    hit: NDArray[np.bool_]
    labels: tuple[str, ...]
    groups: dict[str, int]
    title: str
    alt: str
    start: str
    height: int

    def shape_of(self, code: int) -> int:
        """Return the shape that goes with a colour: points without groups are circles."""
        return code if self.groups else _CIRCLE

    @property
    def names(self) -> list[Name]:
        """The names that fit beside their points without covering each other, biggest first."""
        found = np.flatnonzero(self.hit)
        reach = self.radius + 4
        edges = (self.x - reach, self.y - reach, self.x + reach, self.y + reach)
        taken = [tuple(row) for row in np.stack(edges, axis=1)[found]]
        names: list[Name] = []
        for row in found[np.argsort(-self.radius[found], kind="stable")]:
            name = self._beside(int(row), taken) if len(names) < _MOST else None
            if name is not None:
                names.append(name)
        return names

    def _beside(self, row: int, taken: list[tuple[float, ...]]) -> Name | None:
        """Return the first free place for a point's name, and take it; None if all are taken."""
        text, far = shorten(self.labels[row]), self.radius[row] + 6
        width = _LETTER * len(text)
        level = [(1, 0.0), (-1, 0.0), (0, -far - 9), (0, far + 9)]
        for side, dy in [*level, (1, -14), (1, 14), (-1, -14), (-1, 14)]:
            x, y = self.x[row] + side * far, self.y[row] + dy
            left = x - width * (1 - side) / 2
            box = (left, y - 8, left + width, y + 8)
            inside = min(box) >= 2 and box[2] <= WIDTH - 2 and box[3] <= self.height - 2
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                return Name(text, float(x), float(y), side)
        return None


def shorten(text: str) -> str:
    """Return a name of at most 30 letters; a year at its end stays.

    Examples
    --------
    >>> shorten("Wallace & Gromit: The Best of Aardman Animation (1996)")
    'Wallace & Gromit: The… (1996)'
    """
    if len(text) <= _LONGEST:
        return text
    year = re.search(r" \([0-9]{4}\)$|$", text)
    end = "…" + (year[0] if year else "")
    return text[: _LONGEST - len(end)].rstrip() + end


def fit(places: NDArray[np.float64], height: int) -> NDArray[np.float64]:
    """Return places (n, 2) in pixels: one scale for both axes, since distances are the message.

    Examples
    --------
    >>> fit(np.array([[0.0, 0.0], [2.0, 1.0]]), height=360)
    array([[ 48., 336.],
           [672.,  24.]])
    """
    low, high = places.min(axis=0), places.max(axis=0)
    page = np.array([WIDTH, height], dtype=np.float64)
    spread = (high - low).max()
    room = (page - 2 * _MARGIN) / np.maximum(high - low, 1e-9 * spread) if spread else page
    pixels = page / 2 + (places - (low + high) / 2) * room.min() * (1, -1)
    return np.asarray(pixels.round(2) + 0.0)  # no minus zero


def to_svg(picture: Picture) -> str:
    """Return the inline SVG: points with their titles, rings, names, in that order."""
    asked = bool(picture.hit.any())
    points = []
    for row in np.argsort(picture.hit, kind="stable"):  # what was found lies on top
        code = int(picture.group[row])
        kind = f"g{code} off" if asked and not picture.hit[row] else f"g{code}"
        radius = float(picture.radius[row])
        size = "" if radius == 4 else f' data-r="{radius:g}"'
        points.append(
            f'<path class="{kind}"{size} d="M{picture.x[row]:g} {picture.y[row]:g}'
            f'{shape(picture.shape_of(code), radius)}">'
            f"<title>{html.escape(picture.labels[row])}</title></path>"
        )
    found = np.flatnonzero(picture.hit)
    ring = '<circle cx="{:g}" cy="{:g}" r="{:g}"/>'
    rings = [ring.format(picture.x[i], picture.y[i], picture.radius[i] + 3.5) for i in found]
    anchors = ("end", "middle", "start")
    names = [
        f'<text class="hit" x="{name.x:g}" y="{name.y + 4.5:g}" '
        f'text-anchor="{anchors[name.side + 1]}">{html.escape(name.text)}</text>'
        for name in picture.names
    ]
    return (
        f'<svg role="img" aria-label="{html.escape(picture.alt)}" '
        f'viewBox="0 0 {WIDTH} {picture.height}" xmlns="http://www.w3.org/2000/svg">'
        f'<g class="points">{"".join(points)}</g>'
        f'<g class="rings">{"".join(rings)}</g><g class="names">{"".join(names)}</g></svg>'
    )


def shape(code: int, radius: float) -> str:
    """Return a group's shape as the rest of a path that starts at its point.

    Examples
    --------
    >>> shape(0, 4)
    'm-3.6 -3.6h7.2v7.2h-7.2z'
    """
    path, numbers = _SHAPES[code]
    return path.format(*(f"{round(number * radius, 1):g}" for number in numbers))


def to_png(picture: Picture) -> str:
    """Return the picture on white paper as a base64 PNG, 150 dots an inch."""
    figure = require("matplotlib.figure", extra="plot").Figure(
        figsize=(WIDTH / 96, picture.height / 96 + 0.7), dpi=150, facecolor="white", layout="none"
    )
    share = picture.height / 96 / figure.get_figheight()
    axes = figure.add_axes((0, 0, 1, share), frameon=False, xticks=[], yticks=[])
    axes.set(xlim=(0, WIDTH), ylim=(picture.height, 0))
    figure.text(0.02, 0.985, picture.title, va="top", color=INK, fontsize=12, fontweight="bold")
    _scatter(axes, picture)
    if picture.groups:
        handles, texts = axes.get_legend_handles_labels()
        figure.legend(
            handles, texts, loc="upper left", bbox_to_anchor=(0.01, 0.955), frameon=False,
            ncols=len(texts), fontsize=9, labelcolor=INK, handletextpad=0.1, columnspacing=1,
        )  # fmt: skip
    canvas = require("matplotlib.backends.backend_agg", extra="plot").FigureCanvasAgg(figure)
    canvas.draw()
    image = require("PIL.Image", extra="plot").fromarray(np.asarray(canvas.buffer_rgba()))
    file = io.BytesIO()
    image.convert("RGB").quantize(256, method=2, dither=0).save(file, format="png", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _scatter(axes: Axes, picture: Picture) -> None:
    asked = bool(picture.hit.any())
    for found in (False, True):
        for code in sorted(set(picture.group.tolist())):
            rows = (picture.group == code) & (picture.hit == found)
            axes.scatter(
                picture.x[rows], picture.y[rows], s=(1.5 * picture.radius[rows]) ** 2,
                c=PALETTE[code], marker=_MARKERS[picture.shape_of(code)], edgecolors=PAPER,
                linewidths=0.5, alpha=_FADED if asked and not found else 1,
            )  # fmt: skip
    for group, code in picture.groups.items():  # in full colour, for the legend alone
        axes.scatter([], [], c=PALETTE[code], marker=_MARKERS[code], s=36, label=group)
    hit = picture.hit
    size = (1.5 * (picture.radius[hit] + 3.5)) ** 2
    axes.scatter(picture.x[hit], picture.y[hit], s=size, c="none", edgecolors=INK, linewidths=1.5)
    sides = ("right", "center", "left")
    halo = require("matplotlib.patheffects", extra="plot").withStroke(linewidth=3, foreground=PAPER)
    for name in picture.names:
        axes.text(
            name.x, name.y, name.text, ha=sides[name.side + 1], va="center", fontsize=9,
            color=INK, fontweight="bold", path_effects=[halo],
        )  # fmt: skip


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
