"""Figures that can be read in light and dark, on a phone, in print, and without eyes.

`use_style` sets matplotlib up once a notebook; `show` checks a figure, draws it twice and
leaves one bundle of outputs:

* an inline SVG for the book, whose ink, paper and grid are CSS variables, so that it follows
  the reader's theme, and which carries its alternative text;
* a PNG on white paper for everything else: a notebook editor, a code host, print;
* the alternative text itself.

The palette is that of Okabe and Ito (2008), with each colour darkened or lightened until it
stands out by at least 3 : 1 (the bound of WCAG 2 for graphics) from white *and* from the dark
page; text in a colour takes a shade of it that stands out by 4.5 : 1, one for each theme.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from typing import TYPE_CHECKING, Any

from companion._optional import require

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Blue, vermilion, green, pink, ochre, grey: the order in which lines take their colours.
PALETTE = ("#0077BB", "#D55E00", "#00936B", "#C46A9B", "#A67C00", "#7A7F87")
# The same colours for text, on the light and on the dark page: letters are thinner than lines and
# need 4.5 : 1.
_TEXT_SHADES = {
    "#0077bb": ("#0077bb", "#0093e8"),
    "#d55e00": ("#b55000", "#e86700"),
    "#00936b": ("#007e5c", "#00a175"),
    "#c46a9b": ("#b14681", "#c771a0"),
    "#a67c00": ("#8b6800", "#b38600"),
    "#7a7f87": ("#6a6e76", "#888d94"),
}
#: Text and axes; becomes the reader's text colour in the book.
INK = "#222832"
#: Notes and what steps back; becomes the reader's muted text colour.
MUTED = "#48566b"
#: Grid lines and frames.
GRID = "#d1d5da"
#: The page behind the figure: for halos around labels and gaps between bars.
PAPER = "#fefefe"

FIGURE_MIME = "application/vnd.companion.figure+html"

_THEME = {
    INK: "var(--pst-color-text-base, #222832)",
    MUTED: "var(--pst-color-text-muted, #48566b)",
    GRID: "var(--pst-color-border, #d1d5da)",
    PAPER: "var(--pst-color-background, #fefefe)",
    "#000000": "var(--pst-color-text-base, #000000)",
    "#ffffff": "var(--pst-color-background, #ffffff)",
}
_FONT = "var(--pst-font-family-base, system-ui), 'DejaVu Sans', sans-serif"
_PIXELS_PER_POINT = 96 / 72
_SMALLEST = 0.56  # of its natural size: 13 pt then stand as 10 px on a phone
_CLOSE = "110%"  # of its box: a figure whose smallest width is no more than that shrinks into it
_CLOUD = 1_000  # points from which a scatter is a picture inside the SVG, not a shape each


def use_style() -> None:
    """Set matplotlib up for the book; call it once, in a notebook's first cell.

    Text is 12 to 14 pt on a figure 6.4 in wide, faces are transparent, the layout is
    constrained (nothing is cut off), and only the left and bottom spines are drawn.  Write
    labels beside the lines where you can: `PALETTE` gives the colours in order.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message names the extra.

    Examples
    --------
    >>> use_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["axes.spines.top"]
    False
    """
    matplotlib = require("matplotlib", extra="plot")
    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    clear = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    matplotlib.rcParams.update(
        {
            **dict.fromkeys(ink, INK),
            **dict.fromkeys(clear, "none"),
            "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 14,
            "axes.titleweight": "bold",
            "axes.labelsize": 13,
            "font.size": 13,
            "xtick.labelsize": 12,
            "ytick.labelsize": 12,
            "grid.color": GRID,
            "grid.linewidth": 0.8,
            "figure.figsize": (6.4, 4.0),
            "figure.titlesize": 15,
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "legend.fontsize": 12,
            "lines.linewidth": 2.2,
            "patch.edgecolor": PAPER,
            "image.cmap": "cividis",
            "svg.fonttype": "none",
            "svg.hashsalt": "companion",
        }
    )


def show(fig: Figure, *, alt: str, title: str | None = None) -> None:
    """Check a figure, display it as one bundle of outputs, and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        What is *seen*, in at least one whole sentence of at least 40 characters: the text
        that stands for the picture where it cannot be looked at.
    title : str, optional
        A title over the whole figure, where the axes have none of their own.

    Raises
    ------
    TypeError
        If ``alt`` is not a string.
    ValueError
        If ``alt`` is no sentence, if an axis has no label or the figure no title, or if a
        dense cloud of points is drawn in a colour that has to follow the reader's theme.

    Notes
    -----
    Axes that are switched off, axes whose tick labels are hidden (as in shared panels) and
    colour bars' empty side need no label.  Scatters of more than 1,000 points are drawn as a
    picture inside the SVG.  Black and white in a figure stand for ink and paper.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> show(fig, alt="A line.")
    Traceback (most recent call last):
        ...
    ValueError: alt must be a whole sentence of at least 40 characters, got 'A line.'
    """
    check_alt(alt)
    if title is not None:
        fig.suptitle(title)
    check_labels(fig)
    display = require("IPython.display", extra="plot").display
    bundle = {FIGURE_MIME: to_html(fig, alt=alt), "image/png": to_png(fig), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})
    require("matplotlib.pyplot", extra="plot").close(fig)


def to_html(fig: Figure, *, alt: str, name: str | None = None) -> str:
    """Return the figure as an inline SVG in a box that scrolls where it is too wide.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        Text for ``aria-label``.
    name : str, optional
        What makes the figure's ids its own, so that several figures can stand on one page; the
        alt text if not given.  Figures that take turns in one place may share a name.

    Returns
    -------
    str
        The same text for the same figure, on every run.
    """
    clouds = [artist for artist in fig.findobj(_is_cloud) if not artist.get_rasterized()]
    for artist in clouds:
        artist.set_rasterized(True)
    file = io.StringIO()
    try:
        fig.savefig(file, format="svg", dpi=200, transparent=True)
    finally:
        for artist in clouds:
            artist.set_rasterized(False)
    width, height = (float(inches) * 96 for inches in fig.get_size_inches())
    svg = _themed(_own_ids(_body(file.getvalue()), alt if name is None else name))
    least = f"{_SMALLEST * width:.0f}px"
    close = f"max(100%, ({least} - {_CLOSE}) * 999)"  # 100% where it is close, else no bound
    style = (
        f"width:{width:.0f}px;max-width:100%;min-width:min({least}, {close});height:auto;"
        f"fill:{_THEME['#000000']};stroke-linejoin:round;stroke-linecap:butt"
    )
    points = f"{width / _PIXELS_PER_POINT:g} {height / _PIXELS_PER_POINT:g}"
    return (
        '<div class="companion-figure" style="overflow-x:auto">'
        f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {points}" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'style="{style}">{svg}</svg></div>'
    )


def to_png(fig: Figure) -> str:
    """Return the figure on white paper as a base64 PNG, 150 dots an inch."""
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return base64.b64encode(file.getvalue()).decode("ascii")


def check_alt(alt: object, name: str = "alt") -> None:
    """Raise TypeError or ValueError unless the alt text is a whole sentence."""
    if not isinstance(alt, str):
        raise TypeError(f"{name} must be a string, got {type(alt).__name__}")
    sentence = alt.strip()
    if len(sentence) < 40 or " " not in sentence or sentence[-1] not in ".!?":
        raise ValueError(f"{name} must be a whole sentence of at least 40 characters, got {alt!r}")


def check_labels(fig: Figure) -> None:
    """Raise ValueError for a missing title, a missing label, or ink in a cloud."""
    panels = [axes for axes in fig.axes if axes.get_label() != "<colorbar>"]
    titled = [any(axes.get_title(loc=at) for at in ("left", "center", "right")) for axes in panels]
    if not fig.get_suptitle() and not all(titled):
        raise ValueError("the figure needs a title: ax.set_title(...), or show(..., title=...)")
    for number, axes in enumerate(panels):
        for name in ("x", "y"):
            if _lacks_label(fig, axes, name):
                raise ValueError(f"panel {number} needs a label: ax.set_{name}label(...)")
    for cloud in fig.findobj(_is_cloud):
        if _is_inked(cloud):
            raise ValueError(
                "a scatter of more than 1,000 points is a picture and cannot follow the "
                "reader's theme: give it a colour of PALETTE, not ink"
            )


def _lacks_label(fig: Figure, axes: Axes, name: str) -> bool:
    axis = axes.xaxis if name == "x" else axes.yaxis
    whole = fig.get_supxlabel() if name == "x" else fig.get_supylabel()
    if not axes.axison or not axis.get_visible() or whole or axis.label.get_text():
        return False
    side = "bottom" if name == "x" else "left"
    hidden = not axis.get_tick_params().get(f"label{side}", True)  # inner panels that share it
    return not hidden and len(axis.get_majorticklocs()) > 0


def _is_cloud(artist: Artist) -> bool:
    collections = require("matplotlib.collections", extra="plot")
    return isinstance(artist, collections.PathCollection) and len(artist.get_offsets()) > _CLOUD


def _is_inked(cloud: Any) -> bool:
    to_hex = require("matplotlib.colors", extra="plot").to_hex
    return any(to_hex(colour) in (INK, MUTED, "#000000") for colour in cloud.get_facecolors()[:1])


def _body(svg: str) -> str:
    """Return what stands inside matplotlib's <svg>, less what is of no use on a page."""
    inside = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    for useless in (r"<metadata>.*?</metadata>", r"<style.*?</style>", r"<!--.*?-->"):
        inside = re.sub(useless, "", inside, flags=re.DOTALL)
    inside = re.sub(r"font: ([^;\"]*?)(\d[\d.]*)px [^;\"]*", rf"font: \1\2px {_FONT}", inside)
    return re.sub(r"\s*\n\s*", "\n", inside).strip()


def _own_ids(svg: str, name: str) -> str:
    """Keep only the ids that something points to, each under a prefix of this figure's own."""
    prefix = _prefix(name)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))

    def rename(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', rename, svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)


def _prefix(name: str) -> str:
    return "f" + hashlib.sha256(name.encode()).hexdigest()[:8]


def rename_ids(drawing: str, old: str, new: str) -> str:
    """Return what `to_html` gave for the name ``old``, with the ids of the name ``new``."""
    points = rf'( id="|href="#|url\(#){_prefix(old)}-'
    return re.sub(points, rf"\g<1>{_prefix(new)}-", drawing)


def _themed(svg: str) -> str:
    """Put the CSS variables of the page where ink, paper and grid were."""

    def swap(match: re.Match[str]) -> str:
        return match[1] + _THEME.get(match[2].lower(), match[2])

    def shade(match: re.Match[str]) -> str:
        shades = _TEXT_SHADES.get(match[2].lower())
        return match[0] if shades is None else f"{match[0]}; fill: light-dark({', '.join(shades)})"

    # matplotlib writes a text as <text style=...>, and one with formulas as <tspan style=...>s.
    svg = re.sub(r"(<(?:text|tspan) [^>]*?fill: )(#\w{6})", shade, svg)
    return re.sub(r"((?:fill|stroke): )(#[0-9a-fA-F]{6})", swap, svg)
