"""Maps of items that a reader can hover, search and zoom, with nothing to load.

`show_map` leaves one bundle of outputs, as `companion.teaching.plotting.show` does for figures:

* for the book: an inline SVG in the page's own colours, each point with its title.  The script
  beside it adds search, zoom and names; without it the picture and the browser's own tooltips
  stay;
* for a notebook editor: the PNG, and a script that puts the map in its place.  A code host that
  takes scripts out is left with the PNG;
* the PNG on white paper, and the alternative text.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion._checks import check_count, refuse_one_string
from companion.teaching._interactive import check_text, display_page
from companion.teaching._map_picture import Picture, fit, shape, to_png, to_svg
from companion.teaching._map_script import SCRIPT
from companion.teaching._map_style import STYLE
from companion.teaching.plotting import PALETTE, check_alt

_RADIUS = 4.0  # pixels, where no sizes are given
_LARGEST, _SMALLEST = 9.0, 2.5
_MOST_POINTS = 2_000
_REST = "Other"  # a group of this name is grey


def show_map(
    places: ArrayLike,
    labels: Sequence[str],
    *,
    title: str,
    alt: str,
    groups: Sequence[str] | None = None,
    sizes: ArrayLike | None = None,
    start: str | None = None,
    height: int = 520,
) -> None:
    """Display a map of items to hover, search and zoom, as one bundle of outputs.

    Parameters
    ----------
    places : array_like of float, shape (n, 2)
        Where each item lies, in any unit; both axes get one scale.  n is 1 to 2,000.
    labels : sequence of str, length n
        The items' titles: what is searched and shown.
    title : str
    alt : str
        What is *seen*, in a whole sentence of at least 40 characters.
    groups : sequence of str, length n, optional
        The group of each item, at most six; colours, shapes and the legend go by the order of
        first appearance, but a group named "Other" is last and grey.
    sizes : array_like of float, shape (n,), optional
        At least 0; a point's area goes by its size, within limits.  Names of big points are
        placed first.
    start : str, optional
        What the search box holds at first: a label or words of several.  The picture without
        the script, the PNG and the printed page show the map in this state.
    height : int
        Of the map on a wide screen, in pixels, at least 200.

    Raises
    ------
    ImportError
        If matplotlib or IPython is missing; the message names the extra.
    TypeError
        If a text is not a string, or one string stands where several should.
    ValueError
        If lengths or shapes disagree, a place or size is not finite, there are too many points
        or groups, the title or a label is empty, ``alt`` is no sentence or ``start`` finds
        nothing.

    Notes
    -----
    A search takes an item when each of its words is somewhere in the label, whatever the case
    and the accents.

    Examples
    --------
    >>> show_map([[0, 0], [1, 2]], ["Alien", "Heat"], title="Two films", start="casablanca",
    ...          alt="Alien lies in the lower left corner and Heat in the upper right one.")
    Traceback (most recent call last):
        ...
    ValueError: start must be found in at least one label, got 'casablanca'
    """
    check_count("height", height, minimum=200)
    _check_texts(title, alt, labels)
    pixels = fit(_check_places(places, len(labels)), height)
    codes, names = _group(groups, len(labels))
    picture = Picture(
        x=pixels[:, 0],
        y=pixels[:, 1],
        radius=_radii(sizes, len(labels)),
        group=codes,
        hit=_search(start, labels),
        labels=tuple(labels),
        groups=names,
        title=title,
        alt=alt,
        start=start or "",
        height=height,
    )
    display_page(_to_html(picture), kind="map", script=SCRIPT, png=to_png(picture), alt=alt)


def matches(label: str, query: str) -> bool:
    """Return whether each word of ``query`` is in ``label``; case and accents do not count.

    Examples
    --------
    >>> matches("Misérables, Les (1995)", "les miser")
    True
    >>> matches("Heat (1995)", " ")
    False
    """
    words, folded = _fold(query).split(), _fold(label)
    return bool(words) and all(word in folded for word in words)


def _fold(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.category(c).startswith("M")).lower()


def _to_html(picture: Picture) -> str:
    """Return the map as it stands in the book: style, controls, picture, script."""
    title = html.escape(picture.title)
    buttons = "".join(
        f'<button type="button" data-do="{do}" aria-label="{name}">{sign}</button>'
        for do, name, sign in [
            ("in", "Zoom in", "+"), ("out", "Zoom out", "−"), ("reset", "Reset the map", "Reset"),
        ]
    )  # fmt: skip
    return (
        '<div class="companion-map" data-lm-suppress-shortcuts="true" '
        f'style="--map-height:{picture.height}px"><style>{STYLE}</style>'
        f'<p class="map-title">{title}</p>'
        '<div class="map-controls" hidden><label>Find in this map<input type="search" '
        f'value="{html.escape(picture.start)}" placeholder="part of a name" autocomplete="off" '
        f'spellcheck="false"></label>{buttons}</div>'
        f'<p class="map-line" role="status" aria-live="polite">{_line(picture)}</p>'
        f"{_legend(picture.groups)}"
        '<div class="companion-figure map-stage" role="group" '
        f'aria-label="{title}: arrow keys move the map, plus and minus zoom">{to_svg(picture)}'
        '<div class="map-tip" hidden></div></div>'
        '<p class="map-hint" hidden>Point at an item, or touch it, for its name. Zoom with the '
        "buttons, two fingers, or the wheel after a click on the map; then drag to move.</p>"
        f"<script>{SCRIPT}</script></div>"
    )


def _line(picture: Picture) -> str:
    found = int(picture.hit.sum())
    if not found:
        return f"{len(picture.labels)} names."
    verb = "matches" if found == 1 else "match"
    return f"{found} of {len(picture.labels)} {verb} “{html.escape(picture.start.strip())}”."


def _legend(groups: dict[str, int]) -> str:
    items = (
        f'<li data-group="g{code}"><svg aria-hidden="true" viewBox="-7 -7 14 14">'
        f'<path fill="{PALETTE[code]}" d="M0 0{shape(code, 5)}"/></svg> {html.escape(name)}</li>'
        for name, code in groups.items()
    )
    return f'<ul class="map-legend">{"".join(items)}</ul>' if groups else ""


def _check_texts(title: object, alt: object, labels: Sequence[object]) -> None:
    refuse_one_string("labels", labels)
    for name, text in [("title", title), *(("labels", label) for label in labels)]:
        check_text(name, text)
    check_alt(alt)
    if not 1 <= len(labels) <= _MOST_POINTS:
        raise ValueError(f"labels must be 1 to {_MOST_POINTS:,} names, got {len(labels):,}")


def _check_places(places: ArrayLike, n: int) -> NDArray[np.float64]:
    found = _numbers("places", places)
    if found.shape != (n, 2):
        raise ValueError(f"places must have shape ({n}, 2), one a label, got {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"places must be finite, got {found[~np.isfinite(found)][0]}")
    return found


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be numbers in an array: {error}") from None


def _group(groups: Sequence[str] | None, n: int) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return the colour of each point's group, and that of each group in the legend's order."""
    if groups is None:
        return np.zeros(n, dtype=np.int64), {}
    refuse_one_string("groups", groups)
    for group in groups:
        if not isinstance(group, str) or not group.strip():
            raise TypeError(f"groups must be names, got {group!r}")
    if len(groups) != n:
        raise ValueError(f"groups must be {n}, one a label, got {len(groups)}")
    names = tuple(sorted(dict.fromkeys(groups), key=_REST.__eq__))  # stable: the rest goes last
    if len(names) > len(PALETTE):
        raise ValueError(f"groups must be at most {len(PALETTE)} different ones, got {len(names)}")
    colours = {name: code for code, name in enumerate(names)}
    if _REST in names:
        colours[_REST] = len(PALETTE) - 1
    return np.array([colours[group] for group in groups]), colours


def _radii(sizes: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if sizes is None:
        return np.full(n, _RADIUS)
    found = _numbers("sizes", sizes)
    if found.shape != (n,):
        raise ValueError(f"sizes must have shape ({n},), one a label, got {found.shape}")
    if not (np.isfinite(found) & (found >= 0)).all():
        wrong = found[~(np.isfinite(found) & (found >= 0))][0]
        raise ValueError(f"sizes must be finite and at least 0, got {wrong}")
    share = found / found.max() if found.max() else np.ones(n)
    return np.maximum(_LARGEST * np.sqrt(share), _SMALLEST).round(1)


def _search(start: str | None, labels: Sequence[str]) -> NDArray[np.bool_]:
    if start is None:
        return np.zeros(len(labels), dtype=np.bool_)
    if not isinstance(start, str):
        raise TypeError(f"start must be text, got {start!r}")
    hit = np.array([matches(label, start) for label in labels])
    if not hit.any():
        raise ValueError(f"start must be found in at least one label, got {start!r}")
    return hit
