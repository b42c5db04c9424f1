"""Explorers used as a reader does, in Chromium with the network off: two widths, two themes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from companion.teaching import show_explorer, use_style
from companion.teaching.plotting import FIGURE_MIME, MUTED, PALETTE
from tests.book.conftest import ROOT
from tests.book.standalone import LOOKS, THEME, open_alone

pytestmark = pytest.mark.book

CONTROLS: dict[str, Any] = {
    "p": [0.25, 1, 4],
    "walk_length": [10, 20],
    "noise": ["<b>", "`${x}\\", "flat"],
}
LABELS = ["p", "walk length", "noise"]
START = (1, 10, "<b>")
BOOK = THEME + (ROOT / "_static" / "book.css").read_text(encoding="utf-8")
# A dark JupyterLab, whose variables are not the book's.
LAB = """
html { color-scheme: dark; }
body { --jp-ui-font-color0: rgb(255, 255, 255); --jp-ui-font-color1: rgb(222, 222, 222);
       --jp-border-color1: #616161; --jp-layout-color0: rgb(17, 17, 17); background: #111; }
"""
# What stands out from the explorer's own paper by less than 4.5 : 1, and how many texts there are.
POOR = r"""() => {
  const rgb = (s) => s.match(/[\d.]+/g).map(Number);
  const lin = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const lum = (c) => 0.2126 * lin(c[0]) + 0.7152 * lin(c[1]) + 0.0722 * lin(c[2]);
  const box = document.querySelector('.companion-explorer');
  const paper = lum(rgb(getComputedStyle(box).backgroundColor));
  const texts = [...box.querySelectorAll('p, span, output, text')]
    .filter((node) => node.checkVisibility());
  const poor = texts.filter((node) => {
    const style = getComputedStyle(node);
    const ink = lum(rgb(node.ownerSVGElement ? style.fill : style.color));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5; });
  return [texts.length, poor.map((node) => node.textContent)]; }"""

Open = Callable[..., AbstractContextManager[Any]]


def sentence(p: float, walk_length: int, noise: str) -> str:
    how = "more and more steeply as one goes to the right <i>" if p == 4 else "<i>"  # a second line
    return f"At p = {p}, walks of {walk_length} steps and the noise {noise} the line rises {how}."


def draw(p: float, walk_length: int, noise: str) -> tuple[Figure, str]:
    fig, ax = plt.subplots()
    ax.plot([0, p], [0, walk_length])
    ax.text(0.2, 0.8, "in a colour", color=PALETTE[p == 1], transform=ax.transAxes)
    ax.text(0.2, 0.6, "muted", color=MUTED, transform=ax.transAxes)
    title = f"{p}, {walk_length}, no. {CONTROLS['noise'].index(noise)}"
    ax.set(title=title, xlabel="x", ylabel="y", xlim=(0, 4), ylim=(0, 20))
    return fig, sentence(p, walk_length, noise)


@pytest.fixture(scope="module")
def bundle() -> dict[str, str]:
    found: list[dict[str, str]] = []
    with pytest.MonkeyPatch.context() as patch, mpl.rc_context():
        mpl.use("agg")
        use_style()
        patch.setattr("IPython.display.display", lambda data, **_: found.append(data))
        start = dict(zip(CONTROLS, START, strict=True))
        show_explorer(draw, CONTROLS, title="Lines & <script>", start=start)
    return found[0]


@pytest.fixture
def opened(chromium: Any, bundle: dict[str, str], tmp_path: Path) -> Open:
    @contextmanager
    def open_page(*, mime: str = FIGURE_MIME, copies: int = 1, **more: Any) -> Iterator[Any]:
        body = f"<p>{mime}</p>" + bundle[mime] * copies
        look = {"style": BOOK, **more}
        with open_alone(chromium, tmp_path / "page.html", body, **look) as page:
            if more.get("java_script_enabled", True):
                page.wait_for_selector(".companion-explorer[data-live] .explorer-controls")
            yield page

    return open_page


def slider(page: Any, name: str) -> Any:
    return page.get_by_role("slider", name=name, exact=True)


def assert_seen(box: Any, values: tuple[Any, ...]) -> None:
    """Check that the sliders, the picture and the sentence are those of ``values``."""
    said = sentence(*values)
    assert box.locator(".explorer-line").inner_text() == said
    (drawing,) = box.locator("svg").all()
    assert drawing.get_attribute("aria-label") == said
    title = f"{values[0]}, {values[1]}, no. {CONTROLS['noise'].index(values[2])}"
    assert title in drawing.locator("text").all_text_contents()
    assert box.locator("output").all_text_contents() == [str(value) for value in values]
    for name, value in zip(LABELS, values, strict=True):
        assert slider(box, name).get_attribute("aria-valuetext") == f"{name} = {value}"


@pytest.mark.parametrize(("width", "theme"), LOOKS)
@pytest.mark.parametrize("where", ["book", "elsewhere"])
def test_arrow_keys_lead_to_every_frame_and_its_sentence(
    opened: Open, width: int, theme: str, where: str
) -> None:
    look: dict[str, Any] = {"width": width, "theme": theme}
    if where == "elsewhere":  # where the book's variables are unknown it brings its own paper
        look |= {"style": f"html {{ color-scheme: {theme}; }}", "attributes": ""}
    with opened(**look) as page:
        assert_seen(page, START)
        seen = set()
        for values in itertools.product(*CONTROLS.values()):
            for name, options, value in zip(LABELS, CONTROLS.values(), values, strict=True):
                slider(page, name).press("Home")
                for _ in range(options.index(value)):
                    slider(page, name).press("ArrowRight")
            assert_seen(page, values)
            seen.add(page.locator("svg").inner_html())
        assert len(seen) == 18
        slider(page, "p").press("ArrowRight")  # at the end of the scale it stays
        slider(page, "p").press("ArrowLeft")
        assert_seen(page, (1, 20, "flat"))
        n_texts, poor = page.evaluate(POOR)
        assert n_texts > 12
        assert not poor
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_sliders_can_be_touched_and_stack_on_a_phone(opened: Open, width: int) -> None:
    with opened(width=width, has_touch=True) as page:
        boxes = [slider(page, name).bounding_box() for name in LABELS]
        assert all(box["height"] >= 40 for box in boxes)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        if width == 390:
            assert len({box["x"] for box in boxes}) == 1
            for upper, lower in itertools.pairwise(boxes):
                assert upper["y"] + upper["height"] <= lower["y"]
            assert all(box["width"] >= 300 for box in boxes)
            (drawing,) = page.locator("svg").all()
            assert drawing.bounding_box()["width"] <= 390 - 32
        else:
            assert len({box["y"] for box in boxes[:2]}) == 1
        box = boxes[0]
        page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + 6)
        assert_seen(page, (4, 10, "<b>"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_keyboard_stops_at_each_slider_and_shows_where_it_is(opened: Open, theme: str) -> None:
    with opened(theme=theme) as page:
        for name in LABELS:
            page.keyboard.press("Tab")
            assert slider(page, name).evaluate("n => n === document.activeElement")
            ring = "getComputedStyle(document.activeElement).outlineWidth"
            assert float(page.evaluate(ring).removesuffix("px")) >= 2
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body")


def test_the_page_below_stays_in_place_and_nothing_moves_by_itself(opened: Open) -> None:
    with opened() as page:
        box, line = page.locator(".companion-explorer"), page.locator(".explorer-line")
        before = box.bounding_box()
        slider(page, "p").press("ArrowRight")
        lines = "n => (r => (r.selectNodeContents(n), r.getClientRects().length))(new Range())"
        assert line.evaluate(lines) == 2
        assert box.bounding_box() == before
        assert page.evaluate("document.getAnimations().length") == 0


def test_ids_are_unique_in_the_page_whatever_is_chosen(opened: Open) -> None:
    with opened() as page:
        for _ in range(3):
            ids = page.evaluate("[...document.querySelectorAll('[id]')].map(n => n.id)")
            assert len(ids) == len(set(ids)) > 0
            dead = page.evaluate(
                """[...document.querySelectorAll('use')].filter(n =>
                  !document.querySelector(n.getAttribute('xlink:href'))).length"""
            )
            assert dead == 0
            slider(page, "walk length").press("ArrowRight")
            slider(page, "p").press("ArrowLeft")


def test_without_scripts_the_start_and_its_sentence_are_seen(opened: Open) -> None:
    with opened(java_script_enabled=False) as page:
        assert page.locator(".explorer-line").inner_text() == sentence(*START)
        assert page.locator("svg").is_visible()
        assert not page.locator("input").first.is_visible()
        assert not page.locator("output").first.is_visible()
        hint = page.locator(".explorer-hint")
        assert hint.is_visible()
        assert "p = 1, walk length = 10, noise = <b>" in hint.inner_text()
    with opened() as page:
        assert not page.locator(".explorer-hint").is_visible()


def test_paper_has_the_chosen_frame_and_its_values_but_no_sliders(opened: Open) -> None:
    with opened() as page:
        slider(page, "p").press("End")
        page.emulate_media(media="print")
        assert not page.locator("input:visible").count()
        assert page.locator("output").all_inner_texts() == ["4", "10", "<b>"]
        assert page.locator("output:visible").count() == 3
        assert page.locator(".explorer-line").inner_text() == sentence(4, 10, "<b>")
        assert page.locator("svg").is_visible()


def test_in_an_editor_the_explorer_takes_the_place_of_the_picture(opened: Open) -> None:
    with opened(mime="text/html") as page:
        assert not page.locator("img").count()
        assert_seen(page, START)
        slider(page, "noise").press("ArrowRight")
        assert_seen(page, (1, 10, "`${x}\\"))
    with opened(mime="text/html", java_script_enabled=False) as page:
        assert page.locator("img").get_attribute("alt") == sentence(*START)
        assert page.locator("img").is_visible()
        assert page.locator("main").inner_text().strip() == "text/html"


def test_in_a_dark_notebook_the_explorer_is_dark_and_can_be_read(opened: Open) -> None:
    dark = 'data-jp-theme-light="false"'
    with opened(mime="text/html", style=LAB, attributes=dark) as page:
        paper = "getComputedStyle(document.querySelector('.companion-explorer')).backgroundColor"
        assert page.evaluate(paper) == "rgb(17, 17, 17)"
        n_texts, poor = page.evaluate(POOR)
        assert n_texts > 12
        assert not poor


def test_two_explorers_on_a_page_leave_each_other_alone(opened: Open) -> None:
    with opened(copies=2) as page:
        one, other = (page.locator(".companion-explorer").nth(n) for n in (0, 1))
        slider(one, "p").press("Home")
        assert_seen(one, (0.25, 10, "<b>"))
        assert_seen(other, START)
