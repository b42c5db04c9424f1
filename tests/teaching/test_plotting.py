"""Figures: what is refused, what is displayed, and that the drawing follows the theme."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from companion.teaching import plotting
from companion.teaching.plotting import FIGURE_MIME, INK, PALETTE, PAPER, show, to_html, use_style

ALT = "A line rises from the lower left corner to the upper right one."


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with mpl.rc_context():
        mpl.use("agg")
        use_style()
        yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: bundles.append(data))
    return bundles


def line(title: str = "A line") -> Figure:
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1])
    ax.set(title=title, xlabel="time (days)", ylabel="share")
    return fig


def luminance(colour: str) -> float:
    channels = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_and_white_is_the_known_one() -> None:
    assert contrast("black", "white") == pytest.approx(21)


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
def test_each_colour_stands_out_from_the_light_and_the_dark_page(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3


def test_ink_and_muted_ink_are_readable_on_paper() -> None:
    assert contrast(INK, "#ffffff") >= 7
    assert contrast(plotting.MUTED, "#ffffff") >= 4.5


def test_one_bundle_is_displayed_and_the_figure_is_closed(shown: list[dict[str, Any]]) -> None:
    fig = line()
    show(fig, alt=ALT)
    (bundle,) = shown
    assert set(bundle) == {FIGURE_MIME, "image/png", "text/plain"}
    assert bundle["text/plain"] == ALT
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert fig.number not in plt.get_fignums()


def test_the_drawing_carries_its_alternative_text_and_a_role() -> None:
    alt = 'Lines "a" & <b> cross once, halfway between the two ends of the axis.'
    svg = to_html(line(), alt=alt)
    assert 'role="img"' in svg
    assert 'aria-label="Lines &quot;a&quot; &amp; &lt;b&gt; cross once' in svg


def test_ink_paper_and_grid_follow_the_theme_and_no_fixed_ink_is_left() -> None:
    fig = line()
    fig.axes[0].grid(True)
    fig.axes[0].bar([0], [1], edgecolor=PAPER)
    svg = to_html(fig, alt=ALT)
    for variable in ("--pst-color-text-base", "--pst-color-background", "--pst-color-border"):
        assert f": var({variable}" in svg
    fixed = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
    assert fixed <= {colour.lower() for colour in PALETTE}


@pytest.mark.parametrize("colour", PALETTE)
def test_text_in_a_colour_takes_a_shade_that_can_be_read_and_lines_keep_theirs(colour: str) -> None:
    fig = line()
    (ax,) = fig.axes
    ax.lines[0].set_color(colour)
    ax.text(0.5, 0.5, "plain", color=colour)
    ax.text(0.2, 0.5, "$x^2$", color=colour)
    ax.text(0.2, 0.2, "inked", color=INK)
    svg = to_html(fig, alt=ALT)
    texts = re.findall(r"<(?:text|tspan) [^>]*?fill: ([^\"]*)[^>]*>([^<]+)", svg)
    fills = {text: fill for fill, text in texts}
    assert set(fills) >= {"plain", "x", "2", "inked"}
    assert fills["inked"].startswith("var(--pst-color-text-base")
    for text in ("plain", "x", "2"):
        rest, light, dark = re.findall(r"^(#\w+); fill: light-dark\((#\w+), (#\w+)\)", fills[text])[
            0
        ]
        assert rest == colour.lower()  # for browsers that do not know light-dark
        assert contrast(light, "#ffffff") >= 4.5
        assert contrast(dark, "#14181e") >= 4.5
    assert svg.count("light-dark") == 3
    assert f"stroke: {colour.lower()}" in svg


def test_nothing_in_the_drawing_reaches_beyond_it() -> None:
    svg = to_html(line(), alt=ALT)
    assert "<style" not in svg  # matplotlib's own begins with * and would hit the whole page
    assert "<metadata" not in svg
    assert not re.search(r'(href|src)="(?!#)', svg)


def test_a_second_drawing_is_the_same_to_the_byte() -> None:
    assert to_html(line(), alt=ALT) == to_html(line(), alt=ALT)


def test_two_figures_on_a_page_share_no_id_and_every_reference_has_its_target() -> None:
    one, other = (to_html(line(), alt=alt) for alt in (ALT, ALT.replace("rises", "climbs")))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) == own


def test_a_dense_cloud_is_a_picture_and_a_sparse_one_is_not() -> None:
    sizes = {}
    for count in (900, 30_000):
        fig = line()
        cloud = fig.axes[0].scatter(*np.random.default_rng(0).random((2, count)), color=PALETTE[0])
        svg = to_html(fig, alt=ALT)
        sizes[count] = len(svg)
        assert ("<image" in svg) == (count > 1_000)
        assert not cloud.get_rasterized()  # the caller's figure is as it was
    assert sizes[30_000] < 500_000


def test_a_wide_figure_keeps_its_letters_legible_and_never_outgrows_its_column() -> None:
    fig, ax = plt.subplots(figsize=(10, 4))
    ax.plot([0, 1])
    svg = to_html(fig, alt=ALT)
    assert "width:960px;max-width:100%" in svg
    smallest = int(re.findall(r"min-width:min\((\d+)px", svg)[0])
    assert 12 * 96 / 72 * smallest / 960 >= 8.9  # tick labels of 12 pt, in CSS pixels,
    assert 12 * 96 / 72 * smallest / 960 / 1.1 >= 8  # and in a box it shrinks into
    assert 'style="overflow-x:auto"' in svg
    assert "tabindex" not in svg  # the keyboard stops only where there is something to scroll


@pytest.mark.parametrize("alt", ["", "A line.", "no-spaces" * 8 + ".", "x" * 30 + " it has no end"])
def test_an_alternative_text_that_is_no_sentence_is_refused(alt: str) -> None:
    with pytest.raises(ValueError, match="alt must be a whole sentence of at least 40 characters"):
        show(line(), alt=alt)


def test_an_alternative_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="alt must be a string, got NoneType"):
        show(line(), alt=None)  # type: ignore[arg-type]


def test_a_missing_title_or_label_is_refused_and_named() -> None:
    with pytest.raises(ValueError, match=r"needs a title: ax\.set_title"):
        show(line(title=""), alt=ALT)
    for name in ("x", "y"):
        fig = line()
        fig.axes[0].set(**{f"{name}label": ""})
        with pytest.raises(ValueError, match=rf"panel 0 needs a label: ax\.set_{name}label"):
            show(fig, alt=ALT)


def test_panels_that_share_an_axis_and_axes_switched_off_need_no_label(
    shown: list[dict[str, Any]],
) -> None:
    fig, axes = plt.subplots(1, 3, sharey=True)
    for ax in axes:
        ax.plot([0, 1])
        ax.set(title="t", xlabel="x")
    axes[0].set_ylabel("y")
    axes[2].axis("off")
    axes[2].set_xlabel("")
    show(fig, alt=ALT, title="Three panels")
    assert "Three panels" in shown[0][FIGURE_MIME]


def test_a_colour_bar_needs_no_title(shown: list[dict[str, Any]]) -> None:
    fig = line()
    fig.colorbar(fig.axes[0].scatter([0, 1], [0, 1], c=[0, 1]), label="count")
    show(fig, alt=ALT)
    assert len(shown) == 1


def test_a_dense_cloud_in_ink_is_refused_because_a_picture_has_no_theme() -> None:
    fig = line()
    fig.axes[0].scatter(np.arange(2_000), np.arange(2_000), color=INK)
    with pytest.raises(ValueError, match=r"cannot follow the reader's theme"):
        show(fig, alt=ALT)


def test_teaching_does_not_load_matplotlib() -> None:
    code = "import sys, companion.teaching; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_name_is_an_attribute_error() -> None:
    import companion.teaching

    with pytest.raises(AttributeError, match="no attribute 'plot'"):
        _ = companion.teaching.plot
