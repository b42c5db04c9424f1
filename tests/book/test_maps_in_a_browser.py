"""Maps used as a reader does, in Chromium with the network off: two widths, two themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.teaching import show_map
from companion.teaching._map_picture import shorten
from companion.teaching.maps import matches
from companion.teaching.plotting import FIGURE_MIME
from tests.book.conftest import ROOT
from tests.book.standalone import CONTRAST, LOOKS, THEME, open_alone

pytestmark = pytest.mark.book

ALT = "Films lie on a disc in a spiral, and those of one series are neighbours on it."
SERIES = ["Alien", "Star Trek", "Wallace & Gromit: The Best of Aardman Animation", "<b>&\"'`${x}\\"]
LABELS = [f"{SERIES[n % 4]} {n} ({1950 + n % 48})" for n in range(240)]
LABELS[7] = "Misérables, Les (1995)"
DRAWN = sorted(range(240), key=lambda n: matches(LABELS[n], "star trek 9"))  # found ones on top
TURN = np.arange(240) * 2.4
PLACES = np.sqrt(np.arange(1, 241))[:, None] * np.stack([np.cos(TURN), np.sin(TURN)], axis=1)
BOXES = """(selector) => [...document.querySelectorAll(selector)].map((node) => {
  const box = node.getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom]; })"""
PLACED = r"""() => {
  const edge = document.querySelector('.map-stage').getBoundingClientRect();
  return [...document.querySelectorAll('.points path')].map((node) => {
    const [, x, y] = node.getAttribute('d').match(/^M(\S+) (\S+)m/);
    return [+x + edge.left + 1, +y + edge.top + 1]; }); }"""
Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def bundle() -> dict[str, str]:
    found: list[dict[str, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", lambda data, **_: found.append(data))
        groups = [SERIES[n % 4] for n in range(240)]
        show_map(PLACES, LABELS, title="Films & more", alt=ALT, groups=groups, start="star trek 9")
    return found[0]


@pytest.fixture
def opened(chromium: Any, bundle: dict[str, str], tmp_path: Path) -> Open:
    """Return a way to open a page with the map, and to fail where the page complains."""
    book = (ROOT / "_static" / "book.css").read_text(encoding="utf-8")

    @contextmanager
    def open_page(
        width: int = 1280,
        theme: str = "light",
        mime: str = FIGURE_MIME,
        copies: int = 1,
        **more: Any,
    ) -> Iterator[Any]:
        body = f"<p>{mime}</p>" + bundle[mime] * copies
        look = {"width": width, "theme": theme, "style": THEME + book, **more}
        with open_alone(chromium, tmp_path / "page.html", body, **look) as page:
            if more.get("java_script_enabled", True):
                page.wait_for_selector(".companion-map[data-live] .points path")
                page.wait_for_function(
                    "document.querySelector('.map-stage svg').viewBox.baseVal.x === 0"
                )
            yield page

    return open_page


def found_by(query: str) -> int:
    return sum(matches(label, query) for label in LABELS)


def settle(page: Any) -> None:
    """Wait until nothing moves any more."""
    page.evaluate(
        """async () => {
          const look = () => document.querySelector('.points').innerHTML;
          for (let before = ''; before !== look();) {
            before = look();
            await new Promise((done) => setTimeout(done, 80));
          } }"""
    )


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_a_search_rings_names_fades_and_is_cleared(opened: Open, width: int, theme: str) -> None:
    with opened(width, theme, reduced_motion="reduce") as page:
        line, field = page.locator(".map-line"), page.get_by_label("Find in this map")
        assert field.input_value() == "star trek 9"
        assert page.locator(".rings circle").count() == found_by("star trek 9") > 1
        assert page.locator(".names .hit").count() >= 1
        for query in ("alien 1960", "WALLACE", "les miserables", '<b>&"', "`${x}\\", "zzz"):
            field.fill(query)
            n = found_by(query)
            assert page.locator(".rings circle").count() == n, query
            assert page.locator(".points .off").count() == len(LABELS) - n
            assert page.locator(".names .hit").count() <= min(n, 12)
            assert line.inner_text().startswith(f"{n or 'None'} of 240 match"), line.inner_text()
            assert query in line.inner_text()
        field.press("Escape")
        assert field.input_value() == ""
        assert page.locator(".rings circle").count() == page.locator(".points .off").count() == 0
        assert line.inner_text().startswith("240 names")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_names_and_tooltips_are_whole_legible_and_inside(
    opened: Open, width: int, theme: str
) -> None:
    with opened(width, theme, reduced_motion="reduce") as page:
        (edge,) = page.evaluate(BOXES, ".map-stage")
        field, tip = page.get_by_label("Find in this map"), page.locator(".map-tip")
        for query in ("wallace", "1995", "alien"):
            field.fill(query)
            boxes = page.evaluate(BOXES, ".names text")
            assert boxes
            for box in boxes:
                assert edge[0] <= box[0] < box[2] <= edge[2]
                assert edge[1] <= box[1] < box[3] <= edge[3]
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('.companion-map *')]
              .filter((n) => n.checkVisibility() && n.textContent.trim()
                && [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim()))
              .filter((n) => !n.closest('style, script'))
              .map((n) => parseFloat(getComputedStyle(n).fontSize)
                * (n.ownerSVGElement ? n.getScreenCTM().a : 1))"""
        )
        assert min(sizes) >= 12
        field.fill("")
        placed = np.array(page.evaluate(PLACED))
        for row in {*placed.argmin(axis=0), *placed.argmax(axis=0)}:
            page.mouse.move(*placed[row])
            assert tip.is_visible()
            (box,) = page.evaluate(BOXES, ".map-tip")
            assert edge[0] <= box[0] < box[2] <= edge[2]
            assert edge[1] <= box[1] < box[3] <= edge[3]
            assert tip.evaluate(CONTRAST) >= 7
            assert tip.evaluate("t => t.firstChild.data") == LABELS[DRAWN[row]]
            assert tip.locator("small").inner_text() == SERIES[DRAWN[row] % 4]
        page.mouse.move(edge[0] - 5, edge[1] - 5)
        assert not tip.is_visible()


def test_enter_zooms_to_what_was_found_and_reset_leads_back(opened: Open) -> None:
    with opened() as page:
        at_first = page.evaluate(PLACED)
        field = page.get_by_label("Find in this map")
        field.fill("miserables")
        field.press("Enter")
        settle(page)
        (edge,) = page.evaluate(BOXES, ".map-stage")
        (ring,) = page.evaluate(BOXES, ".rings circle")
        assert abs((ring[0] + ring[2]) / 2 - (edge[0] + edge[2]) / 2) < 3
        assert abs((ring[1] + ring[3]) / 2 - (edge[1] + edge[3]) / 2) < 3
        before, now = np.ptp(at_first, axis=0), np.ptp(page.evaluate(PLACED), axis=0)
        assert (now > 2 * before).all()
        page.get_by_role("button", name="Reset the map").click()
        settle(page)
        np.testing.assert_allclose(sorted(page.evaluate(PLACED)), sorted(at_first), atol=0.2)
        assert field.input_value() == "star trek 9"


def placed(page: Any, label: str, query: str) -> tuple[float, float]:
    """Return where a label's point is now: what a query has found is drawn last."""
    order = sorted(DRAWN, key=lambda n: matches(LABELS[n], query))
    x, y = page.evaluate(PLACED)[order.index(LABELS.index(label))]
    return x, y


def test_enter_names_the_ten_nearest_of_a_single_match_and_zooms_to_them(opened: Open) -> None:
    label = "Star Trek 225 (1983)"  # far out, where its neighbours lie on one side
    away = np.hypot(*(PLACES - PLACES[LABELS.index(label)]).T)
    nearest = [LABELS[n] for n in np.argsort(away)[1:11]]
    with opened(reduced_motion="reduce") as page:
        field, line = page.get_by_label("Find in this map"), page.locator(".map-line")
        field.fill("trek 225")
        assert page.locator(".points .off").count() == 239
        field.press("Enter")
        field.press("Enter")  # a second time changes nothing
        assert page.locator(".points .off").count() == 229  # the neighbours have their colour
        assert line.locator(".map-kin").text_content() == f" They are {'; '.join(nearest)}."
        assert "Its nearest on the map have names." in line.inner_text()
        (edge,) = page.evaluate(BOXES, ".map-stage")
        middle = [(edge[0] + edge[2]) / 2, (edge[1] + edge[3]) / 2]
        np.testing.assert_allclose(placed(page, label, "trek 225"), middle, atol=3)
        for name in nearest:
            x, y = placed(page, name, "trek 225")
            assert edge[0] < x < edge[2], name
            assert edge[1] < y < edge[3], name
        named = page.locator(".names text:not(.hit)").all_text_contents()
        assert len(named) >= 8
        assert set(named) <= {shorten(name) for name in nearest}
        field.fill("trek 22")
        assert page.locator(".points .off").count() == 240 - found_by("trek 22")
        assert not page.locator(".names text:not(.hit)").count()


def test_plus_zooms_towards_what_was_found(opened: Open) -> None:
    with opened(reduced_motion="reduce") as page:
        (edge,) = page.evaluate(BOXES, ".map-stage")
        page.get_by_label("Find in this map").fill("trek 225")
        for _ in range(6):
            page.get_by_role("button", name="Zoom in").click()
        (ring,) = page.evaluate(BOXES, ".rings circle")
        assert abs((ring[0] + ring[2]) / 2 - (edge[0] + edge[2]) / 2) < 3
        assert abs((ring[1] + ring[3]) / 2 - (edge[1] + edge[3]) / 2) < 3


def test_a_touched_name_stays_when_the_finger_is_lifted_and_goes_at_a_tap_elsewhere(
    opened: Open,
) -> None:
    with opened(390, reduced_motion="reduce", has_touch=True) as page:
        page.get_by_label("Find in this map").fill("miserables")
        (edge,) = page.evaluate(BOXES, ".map-stage")
        (ring,) = page.evaluate(BOXES, ".rings circle")
        tip = page.locator(".map-tip")
        for elsewhere in [(edge[0] + 6, edge[1] + 6), (edge[0] + 6, edge[1] - 12)]:
            page.touchscreen.tap((ring[0] + ring[2]) / 2, (ring[1] + ring[3]) / 2)
            page.wait_for_timeout(300)
            assert tip.is_visible()
            assert tip.evaluate("t => t.firstChild.data") == "Misérables, Les (1995)"
            page.touchscreen.tap(*elsewhere)  # an empty corner of the map, and a place above it
            assert not tip.is_visible()


def test_buttons_zoom_and_a_drag_pans_but_not_off_the_map(opened: Open) -> None:
    with opened(reduced_motion="reduce") as page:
        field = page.get_by_label("Find in this map")
        field.fill("")
        before = np.array(page.evaluate(PLACED))
        page.get_by_role("button", name="Zoom in").click()
        page.get_by_role("button", name="Zoom in").click()
        now = np.array(page.evaluate(PLACED))
        np.testing.assert_allclose(np.ptp(now, axis=0) / np.ptp(before, axis=0), 1.8**2, rtol=1e-2)
        (edge,) = page.evaluate(BOXES, ".map-stage")
        x, y = (edge[0] + edge[2]) / 2, (edge[1] + edge[3]) / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y - 25, steps=4)
        page.mouse.up()
        np.testing.assert_allclose(
            np.array(page.evaluate(PLACED)) - now, [[40, -25]] * 240, atol=0.2
        )
        for _ in range(6):
            page.mouse.move(edge[0] + 5, edge[1] + 5)
            page.mouse.down()
            page.mouse.move(edge[2] - 5, edge[3] - 5, steps=4)
            page.mouse.up()
        inside = [
            edge[0] < px < edge[2] and edge[1] < py < edge[3] for px, py in page.evaluate(PLACED)
        ]
        assert any(inside)
        for _ in range(4):
            page.get_by_role("button", name="Zoom out").click()
        np.testing.assert_allclose(page.evaluate(PLACED), before, atol=0.2)


def test_the_wheel_scrolls_the_page_until_the_map_is_clicked(opened: Open) -> None:
    with opened(reduced_motion="reduce") as page:
        (edge,) = page.evaluate(BOXES, ".map-stage")
        x, y = edge[0] + 200, edge[1] + 150
        before = np.array(page.evaluate(PLACED))
        page.mouse.move(x, y)
        page.mouse.wheel(0, 120)
        page.wait_for_function("scrollY > 50")
        page.evaluate("scrollTo(0, 0)")
        np.testing.assert_allclose(page.evaluate(PLACED), before)
        page.mouse.click(x, y)
        page.mouse.wheel(0, -300)
        page.wait_for_function("document.querySelector('.map-stage').style.touchAction === 'none'")
        now = np.array(page.evaluate(PLACED))
        # What lies under the pointer stays there.
        np.testing.assert_allclose(now, (before - [x, y]) * np.exp(0.6) + [x, y], atol=0.6)
        assert page.evaluate("scrollY") == 0


def test_two_fingers_zoom_around_their_middle(opened: Open) -> None:
    with opened(390, reduced_motion="reduce", has_touch=True) as page:
        (edge,) = page.evaluate(BOXES, ".map-stage")
        x, y = (edge[0] + edge[2]) / 2, (edge[1] + edge[3]) / 2
        before = np.array(page.evaluate(PLACED))
        touch = page.context.new_cdp_session(page)
        for kind, half in [("Start", 30), ("Move", 45), ("Move", 60), ("End", 0)]:
            fingers = [{"x": x - half, "y": y}, {"x": x + half, "y": y}] if half else []
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})
        now = np.array(page.evaluate(PLACED))
        np.testing.assert_allclose(now, (before - [x, y]) * 2 + [x, y], atol=1.5)


def test_the_keyboard_has_five_stops_and_arrows_say_what_is_in_the_middle(opened: Open) -> None:
    with opened(reduced_motion="reduce") as page:
        page.get_by_label("Find in this map").fill("")
        stops = []
        for _ in range(4):
            page.keyboard.press("Tab")
            stops.append(page.evaluate("document.activeElement.ariaLabel"))
        assert stops[:3] == ["Zoom in", "Zoom out", "Reset the map"]
        assert stops[3].startswith("Films & more: arrow keys move the map")
        ring = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
        assert page.evaluate(ring) >= 2
        page.keyboard.press("+")
        page.keyboard.press("+")
        before = np.array(page.evaluate(PLACED))
        page.keyboard.press("ArrowRight")
        np.testing.assert_allclose(
            np.array(page.evaluate(PLACED)) - before, [[-60, 0]] * 240, atol=0.2
        )
        line, tip = page.locator(".map-line"), page.locator(".map-tip")
        assert line.inner_text() == f"Nearest the middle: {tip.evaluate('t => t.firstChild.data')}"
        assert line.get_attribute("aria-live") == "polite"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_zoom_moves_at_once_for_those_who_want_no_motion(opened: Open, motion: str) -> None:
    with opened(reduced_motion=motion) as page:
        spans = page.evaluate(
            """() => {
              const span = () => {
                const xs = [...document.querySelectorAll('.points path')]
                  .map((n) => parseFloat(n.getAttribute('d').slice(1)));
                return Math.max(...xs) - Math.min(...xs); };
              const before = span();
              document.querySelector('[data-do=in]').click();
              return [before, span()]; }"""
        )
        assert spans[1] == pytest.approx(spans[0] * (1.8 if motion == "reduce" else 1), rel=0.01)


def test_without_scripts_the_picture_the_names_and_the_titles_stay(opened: Open) -> None:
    with opened(java_script_enabled=False) as page:
        assert page.locator(".rings circle").count() == found_by("star trek 9")
        assert page.locator(".points title").count() == 240
        for gone in (".map-controls", ".map-hint", ".map-tip"):
            assert not page.locator(gone).is_visible()


def test_paper_shows_the_start_and_the_reader_gets_the_own_state_back(opened: Open) -> None:
    with opened(reduced_motion="reduce") as page:
        at_first = page.evaluate(PLACED)
        field = page.get_by_label("Find in this map")
        field.fill("alien 8")
        page.get_by_role("button", name="Zoom in").click()
        page.evaluate(
            """() => addEventListener('beforeprint', () => window.printed =
              document.querySelectorAll('.rings circle').length)"""
        )
        mine = page.evaluate(PLACED)
        page.pdf()
        assert page.evaluate("window.printed") == found_by("star trek 9")
        np.testing.assert_allclose(sorted(page.evaluate(PLACED)), sorted(mine), atol=0.2)
        assert page.locator(".points .off").count() == 240 - found_by("alien 8")
        page.emulate_media(media="print")
        assert not page.locator(".map-controls").is_visible()
        assert not page.locator(".map-keys").is_visible()
        assert page.locator(".map-stage svg").is_visible()
        assert not np.allclose(sorted(mine), sorted(at_first))


def test_in_an_editor_the_map_takes_the_place_of_the_picture(opened: Open) -> None:
    with opened(mime="text/html", reduced_motion="reduce") as page:
        assert not page.locator("img").count()
        field = page.get_by_label("Find in this map")
        field.fill("`${x}\\")
        assert page.locator(".rings circle").count() == found_by("`${x}\\") == 59
        page.mouse.move(*page.evaluate(PLACED)[-1])
        assert page.locator(".map-tip").evaluate("t => t.firstChild.data") in LABELS
    with opened(mime="text/html", java_script_enabled=False) as page:
        assert page.locator(f'img[alt="{ALT}"]').is_visible()
        assert page.locator("main").inner_text().strip() == "text/html"


def test_two_maps_on_a_page_leave_each_other_alone(opened: Open) -> None:
    with opened(copies=2, reduced_motion="reduce") as page:
        one, other = (page.locator(".companion-map").nth(n) for n in (0, 1))
        one.locator("input").fill("alien 8")
        assert one.locator(".rings circle").count() == found_by("alien 8")
        assert other.locator(".rings circle").count() == found_by("star trek 9")
        assert other.locator("input").input_value() == "star trek 9"
