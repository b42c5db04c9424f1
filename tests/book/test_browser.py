"""The built pages, looked at in Chromium with the network off: two widths, two themes."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.book.conftest import HTML, ROOT, book_pages

pytestmark = pytest.mark.book

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
NOTEBOOKS = [f"notebooks/{path.stem}.html" for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
PAGES = [page for page in book_pages() if page != "index.html"]  # which only leads on

BOX = "xpath=ancestor::*[self::details or contains(concat(' ', @class, ' '), ' admonition ')][1]"

MATH = r"""async () => {
  const wanted = document.querySelectorAll('.math.notranslate').length;
  if (wanted && window.MathJax?.startup) await MathJax.startup.promise;
  const text = document.querySelector('article')?.innerText ?? '';
  return {wanted, drawn: document.querySelectorAll('mjx-container').length,
          errors: document.querySelectorAll('mjx-merror').length,
          raw: (text.match(/\\[(\[][^\n]{0,40}/g) ?? [])};
}"""

PAUSE = "() => new Promise(done => setTimeout(done, 300))"  # for what the page sets after a change

# For each text and stroke of each figure: how it stands out from what is painted behind it.
CONTRAST = r"""() => {
  const rgb = s => { const m = s.match(/[\d.]+/g); return m ? m.map(Number) : null; };
  const lin = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const lum = c => 0.2126 * lin(c[0]) + 0.7152 * lin(c[1]) + 0.0722 * lin(c[2]);
  const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p);
                            return (x + 0.05) / (y + 0.05); };
  const clear = c => !c || (c.length === 4 && c[3] === 0);
  const page = node => { for (; node; node = node.parentElement) {
      const c = rgb(getComputedStyle(node).backgroundColor); if (!clear(c)) return c; }
    return [255, 255, 255]; };
  const poor = [];
  for (const svg of document.querySelectorAll('.companion-figure svg')) {
    const paper = page(svg.parentElement);
    for (const text of svg.querySelectorAll('text')) {
      text.scrollIntoView({block: 'center', inline: 'center'});
      const box = text.getBoundingClientRect();
      const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
        .find(e => svg.contains(e) && e !== svg && !e.closest('text')
                   && e.getBoundingClientRect().width > box.width / 2);  // a bar, not a dot
      if (under?.tagName === 'image') continue;
      let behind = under ? rgb(getComputedStyle(under).fill) : paper;
      if (clear(behind)) behind = paper;
      const ink = rgb(getComputedStyle(text.querySelector('tspan') ?? text).fill);
      const least = behind === paper ? 4.5 : 3;  // on a bar: as the bar on the page
      if (ratio(ink, behind) < least) poor.push([text.textContent, ink, behind]);
    }
    const grid = rgb(getComputedStyle(document.documentElement)
                     .getPropertyValue('--pst-color-border').trim().replace('#', '')
                     .replace(/../g, h => parseInt(h, 16) + ','));
    for (const path of svg.querySelectorAll('path, use, line')) {
      if (path.closest('defs, clipPath')) continue;
      const style = getComputedStyle(path), stroke = rgb(style.stroke), fill = rgb(style.fill);
      if (clear(stroke) || Number(style.strokeOpacity) < 1 || Number(style.opacity) < 1) continue;
      const same = (a, b) => a && b && a.slice(0, 3).join() === b.slice(0, 3).join();
      if (same(stroke, grid) || same(stroke, paper) || !clear(fill)) continue;
      if (ratio(stroke, paper) < 3) poor.push(['a line', stroke, paper]);
    }
  }
  return poor;
}"""


@contextmanager
def look(
    chromium: Any, site: str, width: int, theme: str, **more: Any
) -> Iterator[tuple[Any, list[str]]]:
    """Open a page that reaches only ``site``; yield it and the list of what went wrong."""
    wrong: list[str] = []
    context = chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,
        service_workers="block",
        **more,
    )

    def reach(route: Any) -> None:
        url = route.request.url
        if url.startswith((site, "data:", "blob:", "file:")):
            route.continue_()
        else:
            wrong.append(f"asked for {url}")
            route.abort()

    context.route("**/*", reach)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
    page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("response", lambda r: wrong.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    yield page, wrong
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_correctly_offline(chromium: Any, site: str, name: str) -> None:
    figures = "companion-figure" in (HTML / name).read_text(encoding="utf-8")
    for width, theme in LOOKS if figures else (LOOKS[0], LOOKS[-1]):
        with look(chromium, site, width, theme) as (page, wrong):
            page.goto(site + name, wait_until="load")
            page.wait_for_function("document.documentElement.dataset.theme")
            math = page.evaluate(MATH)
            where = f"{name} at {width} px, {theme}"
            assert page.evaluate("document.documentElement.dataset.theme") == theme, where
            assert math["drawn"] >= math["wanted"], (where, math)
            assert not math["errors"], (where, math)
            assert not math["raw"], (where, math)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{where}: the page is {wide} px wide"
            assert not page.evaluate(CONTRAST), where
            assert not wrong, (where, wrong)


@pytest.mark.parametrize("name", ["book/welcome.html", *NOTEBOOKS])
def test_a_page_opens_from_the_disk_with_the_network_cut(chromium: Any, name: str) -> None:
    with look(chromium, "file:", 1280, "light") as (page, wrong):
        page.context.set_offline(True)
        page.goto((HTML / name).as_uri(), wait_until="load")
        math = page.evaluate(MATH)
        assert math["drawn"] >= math["wanted"]
        assert page.locator("article").inner_text().strip()
        assert not wrong


def test_search_finds_a_word(chromium: Any, site: str) -> None:
    with look(chromium, site, 1280, "light") as (page, wrong):
        page.goto(site + "search.html?q=embeddings")
        page.wait_for_selector("#search-results ul.search li a", timeout=15_000)
        assert not wrong
        page.wait_for_function("/finished/.test(document.body.innerText)", timeout=15_000)
        excerpts = page.locator("#search-results .context").all_text_contents()
        assert excerpts
        over_the_text = (".pdf", "switched off here")  # a button, and the line for no scripts
        assert not [text for text in excerpts if any(word in text for word in over_the_text)]
        page.goto(site + "search.html?q=zzyzxquux")
        page.wait_for_function("/did not match/.test(document.body.innerText)", timeout=15_000)


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.parametrize("width", [1280, 390])
def test_a_solution_is_hidden_and_the_keyboard_opens_it(
    chromium: Any, site: str, name: str, width: int
) -> None:
    with look(chromium, site, width, "light") as (page, wrong):
        page.goto(site + name, wait_until="load")
        toggles = page.locator("article :is(button.toggle-button, details > summary)")
        assert toggles.count(), "no hidden solution on the page"
        for number in range(toggles.count()):
            toggle = toggles.nth(number)
            inside = toggle.locator(BOX)
            assert toggle.evaluate("t => t.tabIndex >= 0"), "the keyboard cannot reach it"
            before = inside.evaluate("b => b.getBoundingClientRect().height")
            toggle.focus()
            page.keyboard.press("Enter")
            page.wait_for_function(
                "([b, h]) => b.getBoundingClientRect().height > h + 5",
                arg=[inside.element_handle(), before],
                timeout=5_000,
            )
        assert not wrong


def test_the_keyboard_reaches_the_theme_switch_and_the_text(chromium: Any, site: str) -> None:
    with look(chromium, site, 1280, "light") as (page, _):
        page.goto(site + "book/welcome.html", wait_until="load")
        reached = set()
        for _step in range(80):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.className.toString()"))
            if any("theme-switch-button" in name for name in reached):
                break
        else:
            raise AssertionError(f"the theme switch was not reached: {reached}")
        page.keyboard.press("Enter")
        page.wait_for_function("document.documentElement.dataset.mode !== 'auto'")


@pytest.mark.parametrize("width", [390, 800])
def test_the_menu_opens_on_a_small_screen_and_leads_on(
    chromium: Any, site: str, width: int
) -> None:
    with look(chromium, site, width, "light") as (page, wrong):
        page.goto(site + "book/status.html", wait_until="load")
        link = page.get_by_role("link", name="Glossary", exact=True)
        assert not link.is_visible()
        page.locator("button.primary-toggle:visible").first.press("Enter")
        link.wait_for(state="visible", timeout=5_000)
        link.click()
        page.wait_for_url("**/glossary.html")
        assert not wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_is_light_and_hides_the_solutions(chromium: Any, site: str, theme: str) -> None:
    with look(chromium, site, 1280, theme) as (page, wrong):
        page.goto(site + NOTEBOOKS[0], wait_until="load")
        page.evaluate(
            """() => { window.printed = [];
              addEventListener('beforeprint', () => window.printed.push(
                document.documentElement.dataset.theme,
                document.querySelectorAll('.solution:not(.toggle-hidden)').length)); }"""
        )
        page.pdf()
        assert page.evaluate("window.printed") == ["light", 0]
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.emulate_media(media="print")
        wrap = "[...document.querySelectorAll('.cell_input pre')].map(p => getComputedStyle(p))"
        assert page.evaluate(f"{wrap}.every(s => s.whiteSpace.startsWith('pre-wrap'))")
        assert not wrong


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_on_paper_nothing_is_cut_and_code_goes_on_overleaf(
    chromium: Any, site: str, name: str
) -> None:
    with look(chromium, site, 680, "light") as (page, wrong):  # A4 less 15 mm at each side
        page.goto(site + name, wait_until="load")
        page.emulate_media(media="print")
        cut = page.evaluate(
            """() => {
              const edge = document.querySelector('.bd-article').getBoundingClientRect().right;
              const wide = '.cell_input pre, .cell_output pre, table, .companion-figure svg';
              return [...document.querySelectorAll(`article :is(${wide})`)]
                .filter(b => b.checkVisibility() && b.getBoundingClientRect().right > edge + 1)
                .map(b => b.textContent.slice(0, 40)); }"""
        )
        assert not cut
        kept = page.evaluate(
            """() => [...document.querySelectorAll(
                'article .cell_input, article .cell_input :is(div, pre), article .output')]
              .map(b => [b.className, getComputedStyle(b)])
              .filter(([, s]) => s.breakInside !== 'auto' || s.overflowX !== 'visible')
              .map(([name]) => name)"""
        )
        assert not kept
        assert not wrong


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_names_of_rows_stand_left_and_numbers_right(chromium: Any, site: str, name: str) -> None:
    with look(chromium, site, 1280, "light") as (page, wrong):
        page.goto(site + name, wait_until="load")
        sides = page.evaluate(
            """() => [...document.querySelectorAll('table.dataframe tbody tr')].flatMap(row =>
              [...row.cells].map(c => [c.tagName, getComputedStyle(c).textAlign]))"""
        )
        assert {tuple(side) for side in sides} == {("TH", "left"), ("TD", "right")}
        assert not wrong


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_wider_than_a_phone_shows_that_it_scrolls(
    chromium: Any, site: str, name: str
) -> None:
    with look(chromium, site, 390, "light") as (page, wrong):
        page.goto(site + name, wait_until="load")
        page.wait_for_selector(".more-right", timeout=10_000)
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.text_html, mjx-container[display=true]')]
              .filter(b => b.scrollWidth > b.clientWidth + 1 && b.clientWidth)
              .filter(b => !b.classList.contains('more-right') || b.tabIndex < 0)
              .map(b => b.textContent.slice(0, 40))"""
        )
        assert not cut
        hidden = """b => {
          const right = b.scrollWidth - b.clientWidth - b.scrollLeft, style = getComputedStyle(b);
          return [right, style.maskImage.match(/calc\\(100% - (min\\(.*?\\)|[\\d.]+px)/)?.[1]]; }"""
        for box in page.locator(".more-right").all():
            right, fade = box.evaluate(hidden)
            assert fade in (f"{min(right, 32)}px", f"min(32px, {right}px)")
        assert not wrong


@pytest.mark.parametrize("name", [*NOTEBOOKS, "book/api/companion.item2vec.html"])
@pytest.mark.parametrize("width", [1280, 390])
def test_printed_lines_wrap_and_code_scrolls(
    chromium: Any, site: str, name: str, width: int
) -> None:
    with look(chromium, site, width, "light") as (page, wrong):
        page.goto(site + name, wait_until="load")
        page.evaluate(MATH)
        page.evaluate(PAUSE)
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('article pre')].filter(p => p.checkVisibility())
              .map(p => ({code: !p.closest('.cell_output') || !!p.closest('.highlight-python'),
                          wraps: getComputedStyle(p).whiteSpace.startsWith('pre-wrap'),
                          cut: p.scrollWidth > p.clientWidth + 1,
                          shown: p.classList.contains('more-right') && p.tabIndex === 0}))"""
        )
        assert any(box["code"] for box in boxes)
        for box in boxes:
            assert box["wraps"] != box["code"]
            assert box["shown"] if box["cut"] else not box["shown"]
            assert box["code"] or not box["cut"]
        assert not wrong


FIGURES = """[...document.querySelectorAll('article .companion-figure:not(.map-stage)')]
  .map(f => [f.scrollWidth - f.clientWidth, f.clientWidth, f.tabIndex])"""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_figure_shrinks_a_little_and_takes_the_focus_only_where_it_scrolls(
    chromium: Any, site: str, name: str
) -> None:
    for width in (1280, 390, 300):
        with look(chromium, site, width, "light") as (page, _):
            page.goto(site + name, wait_until="load")
            if width == 300:
                page.wait_for_selector(".companion-figure.more-right:not(.map-stage)")
            figures = page.evaluate(FIGURES)
            assert figures
            for more, box, stop in figures:
                assert (stop == 0) == (more > 1)
                assert more == 0 or more > 0.1 * box - 1
            if width == 1280:
                assert not any(more for more, _, _ in figures)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_formula_that_is_a_little_too_wide_shrinks(chromium: Any, site: str, name: str) -> None:
    with look(chromium, site, 390, "light") as (page, _):
        page.goto(site + name, wait_until="load")
        page.evaluate(MATH)
        page.evaluate(PAUSE)
        shares = page.evaluate(
            """[...document.querySelectorAll('article mjx-container[display=true]')]
              .filter(f => f.clientWidth).map(f => f.scrollWidth / f.clientWidth)"""
        )
        assert shares
        assert not [share for share in shares if 1 < share <= 1.1]


def test_printed_code_is_told_from_other_printed_lines() -> None:
    is_code = runpy.run_path(str(ROOT / "book" / "_ext" / "printed_code.py"))["is_code"]
    assert is_code('class A:\n    """Text."""\n\n\ndef f():\n    return 1\n')
    for text in ("12", "a", "{'a': 1}", "Gattaca → Crumb", "def f(:", "[0.1 0.2]", "\0", ""):
        assert not is_code(text), text


def test_a_claim_is_a_card_on_a_phone_and_its_verdict_is_in_sight(chromium: Any, site: str) -> None:
    with look(chromium, site, 390, "light") as (page, wrong):
        page.goto(site + "book/claims.html", wait_until="load")
        cells = page.locator("#claims-measured tbody td")
        assert cells.count()
        for number in range(cells.count()):
            box = cells.nth(number).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        heads = page.locator("#claims-measured thead th").all_text_contents()
        names = "t => getComputedStyle(t, '::before').content.slice(1, -1)"
        assert [cells.nth(n).evaluate(names) for n in range(len(heads))] == heads
        assert not wrong


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_bar_over_a_solution_opens_it_and_its_button_says_so(
    chromium: Any, site: str, name: str
) -> None:
    with look(chromium, site, 1280, "light") as (page, wrong):
        page.goto(site + name, wait_until="load")
        solution = page.locator(".solution.toggle").first
        title = solution.locator("> .admonition-title")
        label = title.locator("button").get_attribute("aria-label")
        assert re.fullmatch(r"Show solution to Exercise \d+\.\d+", label)
        title.click(position={"x": 60, "y": 12})
        assert "toggle-hidden" not in solution.get_attribute("class")
        page.evaluate(PAUSE)
        hide = title.locator("button").get_attribute("aria-label")
        assert hide == label.replace("Show", "Hide")
        title.click(position={"x": 60, "y": 12})
        page.evaluate(PAUSE)
        assert title.locator("button").get_attribute("aria-label") == label
        assert page.url == site + name
        assert not wrong


def test_without_scripts_a_page_is_light_and_says_what_is_missing(chromium: Any, site: str) -> None:
    with look(chromium, site, 1280, "dark", java_script_enabled=False) as (page, _):
        page.goto(site + NOTEBOOKS[0], wait_until="load")
        assert page.locator("html").get_attribute("data-theme") == "light"
        assert page.locator(".no-scripts").is_visible()
        code = page.locator(".cell_input pre:visible").first
        paper = code.evaluate("p => getComputedStyle(p).backgroundColor")
        inks = code.evaluate(
            "p => [...p.querySelectorAll('span')].map(s => getComputedStyle(s).color)"
        )
        assert min(map(int, re.findall(r"\d+", paper)[:3])) > 230
        assert len(set(inks)) > 2
    with look(chromium, site, 1280, "dark") as (page, _):
        page.goto(site + NOTEBOOKS[0], wait_until="load")
        assert not page.locator(".no-scripts").count()


@pytest.mark.parametrize("name", ["book/notation.html", "book/troubleshooting.html", *NOTEBOOKS])
def test_words_of_the_ways_on_are_whole_on_a_phone(chromium: Any, site: str, name: str) -> None:
    with look(chromium, site, 390, "light") as (page, _):
        page.goto(site + name, wait_until="load")
        words = page.evaluate(
            """() => [...document.querySelectorAll('.prev-next-title')].flatMap(title => {
              const text = title.lastChild, range = document.createRange();
              const node = text.nodeType === 3 ? text : text.firstChild;
              return [...node.data.matchAll(/\\S+/g)].map(({ 0: word, index }) => {
                range.setStart(node, index);
                range.setEnd(node, index + word.length);
                return [word, new Set([...range.getClientRects()].map(r => r.top)).size]; }); })"""
        )
        assert words
        assert not [word for word, lines in words if lines > 1]


def test_the_focus_is_seen_on_the_buttons_of_the_header(chromium: Any, site: str) -> None:
    with look(chromium, site, 1280, "dark") as (page, _):
        page.goto(site + "book/welcome.html", wait_until="load")
        page.locator(".theme-switch-button:visible").first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        ring = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
        assert page.evaluate(ring) >= 2


def test_the_labels_of_the_references_are_those_of_the_text(chromium: Any, site: str) -> None:
    with look(chromium, site, 1280, "light") as (page, wrong):
        page.goto(site + NOTEBOOKS[0], wait_until="load")
        cited = page.locator("article a[href*='references.html#']").all_text_contents()
        page.goto(site + "book/references.html", wait_until="load")
        labels = {label.strip("[]") for label in page.locator(".label").all_text_contents()}
        assert cited
        assert {re.sub(r" \[(\d{4})\]?$", r", \1", c.strip("[]")) for c in cited} <= labels
        assert not wrong
