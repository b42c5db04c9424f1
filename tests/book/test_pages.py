"""The built pages, read as files: links, anchors, alternative texts, nothing from elsewhere."""

from __future__ import annotations

import functools
import importlib
import re
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.book.conftest import HTML, ROOT, book_pages
from tools import set_repository

pytestmark = pytest.mark.book

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
LINKED = {"stylesheet", "preload", "icon", "modulepreload", "preconnect", "dns-prefetch"}


@functools.cache
def soup(page: str) -> BeautifulSoup:
    path = HTML / page
    assert path.is_file(), f"{page} is not built: run make book"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


@functools.cache
def anchors(page: str) -> frozenset[str]:
    ids = {tag["id"] for tag in soup(page).find_all(id=True)}
    return frozenset(ids | {tag["name"] for tag in soup(page).find_all("a", attrs={"name": True})})


def is_external(url: str) -> bool:
    return bool(urlsplit(url).netloc) or urlsplit(url).scheme in ("http", "https")


@pytest.mark.parametrize("page", book_pages())
def test_every_internal_link_and_anchor_resolves(page: str) -> None:
    broken = []
    for tag in soup(page).find_all(href=True):
        parts = urlsplit(tag["href"])
        if parts.scheme or parts.netloc or tag["href"] in ("#", ""):
            continue
        target = (HTML / page).parent / unquote(parts.path) if parts.path else HTML / page
        target = target.resolve()
        if not target.is_file():
            broken.append(tag["href"])
        elif parts.fragment and target.suffix == ".html":
            there = str(target.relative_to(HTML.resolve()))
            if unquote(parts.fragment) not in anchors(there):
                broken.append(tag["href"])
    assert not broken, f"{page} links to what is not there: {sorted(set(broken))}"


@pytest.mark.parametrize("page", book_pages())
def test_every_picture_has_a_text_that_stands_for_it(page: str) -> None:
    for picture in soup(page).find_all("img"):
        decorative = picture.find_parent("a", class_="navbar-brand") or picture.find_parent(
            class_="dropdown-launch-buttons"
        )
        assert (picture.get("alt") or "").strip() or decorative, f"{page}: no alt: {picture}"
    for picture in soup(page).find_all("svg", attrs={"role": "img"}):
        named = (picture.get("aria-label") or "").strip() or picture.get("aria-hidden") == "true"
        assert named, f"{page}: an inline picture without a text"
    for picture in soup(page).select(".companion-figure svg"):
        assert len(picture["aria-label"]) >= 40, f"{page}: {picture['aria-label']!r} is no sentence"


@pytest.mark.parametrize("page", book_pages())
def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    loaded = [t[a] for name, a in LOADED.items() for t in soup(page).find_all(name) if t.get(a)]
    for link in soup(page).find_all("link", href=True):
        if LINKED & set(link.get("rel", ())):
            loaded.append(link["href"])
    assert not [url for url in loaded if is_external(url)]
    styles = " ".join(tag.text for tag in soup(page).find_all("style"))
    assert not re.search(r"(@import|url\()\s*['\"]?https?:", styles)


def test_no_style_sheet_loads_from_elsewhere() -> None:
    sheets = list(HTML.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(@import\s+|url\()\s*['\"]?(https?:)?//", text), sheet


@pytest.mark.parametrize("page", book_pages())
def test_ids_are_unique_and_nothing_is_left_unrendered(page: str) -> None:
    counts = Counter(tag["id"] for tag in soup(page).find_all(id=True))
    assert not [name for name, count in counts.items() if count > 1], page
    assert not soup(page).select(".system-message, .problematic"), page
    titles = [h1.get_text(strip=True) for h1 in soup(page).select("article h1")]
    assert page in ("index.html", "search.html") or len(titles) == 1, (page, titles)


@pytest.mark.parametrize("page", [page for page in book_pages() if "book/api/companion" in page])
def test_a_docstring_is_read_as_it_was_meant(page: str) -> None:
    article = soup(page).article
    assert not article.select("a[href^='mailto:']"), "a name with @ is no address: quote it"
    for field in article.select("dl.field-list > dt"):
        if field.get_text(strip=True).rstrip(":") in ("Parameters", "Variables"):
            entries = field.find_next_sibling("dd")
            for entry in entries.select(":scope > ul > li > p, :scope > p"):
                assert re.fullmatch(r"\*{0,2}[A-Za-z]\w*", entry.strong.text), entry.text
            assert not entries.select("ol"), f"{page}: one letter and a full stop begin a list"


def test_learned_attributes_end_in_their_underscore() -> None:
    names = {strong.text for strong in soup("book/api/companion.item2vec.html").select("strong")}
    assert {"item_embeddings_", "context_embeddings_", "history_", "vocabulary_"} <= names


def test_the_page_of_a_package_leads_to_all_that_it_gathers() -> None:
    page = soup("book/api/companion.sgns.html")
    links = {link.text: link["href"] for link in page.select("article table a")}
    assert set(links) == set(importlib.import_module("companion.sgns").__all__)
    assert links["train"] == "companion.sgns.train.html#companion.sgns.train.train"


def test_every_notebook_has_its_launch_buttons_and_each_leads_to_a_file() -> None:
    owner, name = set_repository.current(ROOT)
    notebooks = sorted(ROOT.glob("notebooks/*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        page = soup(f"notebooks/{notebook.stem}.html")
        links = [tag["href"] for tag in page.find_all("a", href=True)]
        binder = [urlsplit(url) for url in links if "mybinder.org" in url]
        colab = [urlsplit(url) for url in links if "colab.research.google.com" in url]
        assert binder, notebook
        assert colab, notebook
        for url in binder:
            assert url.path == f"/v2/gh/{owner}/{name}/main"
            assert (ROOT / parse_qs(url.query)["urlpath"][0].removeprefix("lab/tree/")).is_file()
        for url in colab:
            start = f"/github/{owner}/{name}/blob/main/"
            assert url.path.startswith(start)
            assert (ROOT / url.path.removeprefix(start)).is_file()
        assert page.select("button[onclick*=initThebe], .btn-launch-thebe"), "no live-code button"
        assert f'repo: "{owner}/{name}"' in str(page), "live code asks for another repository"
        assert [u for u in links if u.endswith(f"{notebook.stem}.ipynb")], "no download"


def test_every_other_link_to_the_host_is_to_this_repository() -> None:
    owner, name = set_repository.current(ROOT)
    paths = {"", "/issues/new", "/tree/main", "/blob/main"}
    for page in book_pages():
        for tag in soup(page).select("header a[href*='github.com'], nav a[href*='github.com']"):
            found = re.match(r"https://github\.com/([^/]+/[^/?#]+)([^?#]*)", tag["href"])
            if found and "colab" not in tag["href"]:
                assert found[1] == f"{owner}/{name}", (page, tag["href"])
                assert any(found[2].startswith(path) for path in paths)
