"""Maps: what is refused, where points and names go, and that the page says it all by itself."""

from __future__ import annotations

import base64
import itertools
import re
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from companion.teaching import show_map
from companion.teaching._interactive import EDITOR_STARTS
from companion.teaching._map_picture import _FADED, WIDTH, Picture, fit, shape, shorten
from companion.teaching._map_script import SCRIPT
from companion.teaching._map_style import STYLE
from companion.teaching.maps import _group, _radii, matches
from companion.teaching.plotting import FIGURE_MIME, PALETTE
from tests.teaching.editor import page_in_editor

ALT = "Four films lie in the corners of a square, and the two with Alien are on the left."
LABELS = ["Alien (1979)", "Aliens (1986)", "Heat (1995)", "Misérables, Les (1995)"]
SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]
NASTY = ["<b>&\"'", "</script><!-- ${x} `y` \\", "</title></svg><script>fail()</script>", "a\nb"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: bundles.append(data))
    return bundles


def a_map(**changes: Any) -> None:
    arguments: dict[str, Any] = {"places": SQUARE, "labels": LABELS, "title": "Films", "alt": ALT}
    show_map(**{**arguments, **changes})


def page_of(shown: list[dict[str, Any]]) -> BeautifulSoup:
    return BeautifulSoup(shown[-1][FIGURE_MIME], "html.parser")


def picture(seed: int, n: int = 60) -> Picture:
    rng = np.random.default_rng(seed)
    return Picture(
        *fit(rng.normal(size=(n, 2)), 520).T,
        radius=rng.uniform(2.5, 9, n).round(1),
        group=np.zeros(n, dtype=np.int64),
        hit=rng.random(n) < 0.4,
        labels=tuple("x" * int(length) for length in rng.integers(1, 60, n)),
        groups={},
        title="t",
        alt=ALT,
        start="x",
        height=520,
    )


def test_one_bundle_is_displayed_for_each_kind_of_reader(shown: list[dict[str, Any]]) -> None:
    a_map()
    (bundle,) = shown
    assert set(bundle) == {FIGURE_MIME, "text/html", "image/png", "text/plain"}
    assert bundle["text/plain"] == ALT
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/html"].startswith(EDITOR_STARTS["map"])
    before_script = bundle["text/html"].partition("<script>")[0]
    (image,) = BeautifulSoup(before_script, "html.parser").find_all("img")
    assert image["alt"] == ALT
    assert image["src"] == f"data:image/png;base64,{bundle['image/png']}"
    assert "Alien" not in before_script.replace(ALT, "")  # no titles where scripts are taken out


def test_a_second_drawing_is_the_same_to_the_byte(shown: list[dict[str, Any]]) -> None:
    for _ in range(2):
        a_map(groups=["a", "a", "b", "b"], sizes=[1, 2, 3, 4], start="alien")
    assert shown[0] == shown[1]


def test_the_page_has_no_ids_and_reaches_for_nothing(shown: list[dict[str, Any]]) -> None:
    a_map(groups=["a", "a", "b", "b"], start="alien")
    page = page_of(shown)
    assert not page.find_all(id=True)
    assert not page.find_all(src=True)
    assert not page.find_all(href=True)
    assert not re.search(r"url\(|@import|fetch\(|import\(", shown[0][FIGURE_MIME])
    rules = re.findall(r"^([^@{}\n]+)\{", page.style.text, flags=re.MULTILINE)
    assert rules
    assert all(rule.strip().startswith(".companion-map") for rule in rules)


def test_the_picture_has_a_role_and_a_text(shown: list[dict[str, Any]]) -> None:
    a_map(groups=["a", "a", "b", "b"])
    (svg,) = page_of(shown).select(".companion-figure svg")
    assert (svg["role"], svg["aria-label"]) == ("img", ALT)
    assert all(s.get("aria-hidden") == "true" for s in page_of(shown).select("svg") if s != svg)


def test_titles_stay_text_whatever_is_in_them(shown: list[dict[str, Any]]) -> None:
    a_map(labels=NASTY, title=NASTY[0], groups=NASTY, start="<b>")
    page = page_of(shown)
    assert sorted(t.text for t in page.select("svg title")) == sorted(NASTY)
    assert page.select_one(".map-title").text == NASTY[0]
    assert [li.text.strip() for li in page.select(".map-legend li")] == NASTY
    assert page.select_one(".names").text == NASTY[0]
    assert page.input["value"] == "<b>"
    assert len(page.find_all("script")) == 1
    assert not page.find_all("b")
    in_editor = page_in_editor(shown[0]["text/html"], SCRIPT)
    assert (
        f"{in_editor.removesuffix('</div>')}<script>{SCRIPT}</script></div>"
        == (shown[0][FIGURE_MIME])
    )


def test_the_largest_map_stays_below_400_kilobytes(shown: list[dict[str, Any]]) -> None:
    n, rng = 2_000, np.random.default_rng(0)
    labels = [f"A film with a rather long name, the {number} (1995)" for number in range(n)]
    groups = [f"group {number % 6}" for number in range(n)]
    places, sizes = rng.normal(size=(n, 2)), rng.random(n)
    show_map(places, labels, title="T", alt=ALT, groups=groups, sizes=sizes, start="77")
    assert len(shown[0][FIGURE_MIME].encode()) < 400_000


def test_the_start_is_ringed_named_and_on_top_and_the_rest_fades(
    shown: list[dict[str, Any]],
) -> None:
    a_map(labels=[*LABELS[2:], *LABELS[:2]], start="alien")
    page = page_of(shown)
    faded = ["off" in path["class"] for path in page.select(".points path")]
    assert faded == [True, True, False, False]
    assert len(page.select(".rings circle")) == 2
    assert [text.text for text in page.select(".names text")] == LABELS[:2]
    assert page.select_one(".map-line").text == "2 of 4 match “alien”."
    assert page.select_one(".map-controls").has_attr("hidden")  # nothing that does not work yet


def test_the_page_and_the_png_fade_alike() -> None:
    assert f".points .off {{ opacity: {_FADED}; }}" in STYLE


def test_without_a_start_nothing_is_ringed_and_nothing_fades(shown: list[dict[str, Any]]) -> None:
    a_map()
    page = page_of(shown)
    assert not page.select(".off, .rings circle, .names text")
    assert page.select_one(".map-line").text == "4 names."


def test_one_scale_for_both_axes_and_up_is_up() -> None:
    pixels = fit(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1.0]]), 520)
    scale = (WIDTH - 2 * 24) / 4
    np.testing.assert_allclose(pixels[1] - pixels[0], [4 * scale, 0])
    np.testing.assert_allclose(pixels[2] - pixels[0], [0, -scale])
    np.testing.assert_allclose((pixels.min(axis=0) + pixels.max(axis=0)) / 2, [WIDTH / 2, 260])


@pytest.mark.parametrize("places", [[[3.0, 4.0]], [[1e9, 1.0]] * 5])
def test_points_in_one_place_lie_in_the_middle(places: list[list[float]]) -> None:
    np.testing.assert_array_equal(fit(np.array(places), 400), [[WIDTH / 2, 200]] * len(places))


def test_points_on_a_line_and_far_from_the_origin_stay_on_the_page() -> None:
    for places in ([[0, 0], [0, 5.0]], [[1e9, 0], [1e9 + 1, 0]], [[-1e300, 0], [1e300, 1.0]]):
        pixels = fit(np.array(places, dtype=float), 400)
        assert (pixels >= 0).all()
        assert (pixels <= [WIDTH, 400]).all()
        assert np.ptp(pixels, axis=0).max() >= 300


def test_areas_go_by_size_within_limits() -> None:
    np.testing.assert_allclose(_radii([1, 4, 0, 16], 4), [9 / 4, 9 / 2, 2.5, 9.0], atol=0.26)
    np.testing.assert_allclose(_radii([4, 16, 9], 3), [9 / 2, 9, 9 * 3 / 4], atol=0.051)
    assert (_radii([0, 0], 2) == 9).all()
    assert (_radii(None, 2) == 4).all()


def test_groups_take_colours_in_order_and_other_is_last_and_grey(
    shown: list[dict[str, Any]],
) -> None:
    codes, colours = _group(["Other", "Drama", "Other", "Comedy"], 4)
    assert list(colours.items()) == [("Drama", 0), ("Comedy", 1), ("Other", len(PALETTE) - 1)]
    assert codes.tolist() == [5, 0, 5, 1]
    a_map(groups=["Other", "Drama", "Other", "Comedy"])
    page = page_of(shown)
    drawn = {path["class"][0]: path["d"].partition("m")[2] for path in page.select(".points path")}
    assert len(set(drawn.values())) == 3  # a shape each, for those who do not tell colours apart
    for name, code in colours.items():
        (item,) = (li for li in page.select(".map-legend li") if li.text.strip() == name)
        assert item["data-group"] == f"g{code}"
        assert item.path["fill"] == PALETTE[code]
        assert f".g{code} {{ fill: {PALETTE[code]}; }}" in page.style.text


def test_shapes_differ_and_without_groups_points_are_circles(shown: list[dict[str, Any]]) -> None:
    assert len({shape(code, 4) for code in range(len(PALETTE))}) == len(PALETTE)
    a_map()
    for path in page_of(shown).select(".points path"):
        assert path["class"] == ["g0"]
        assert "a4 4 0 1 0" in path["d"]


@pytest.mark.parametrize("seed", range(20))
def test_names_cover_neither_each_other_nor_a_ring_nor_the_edge(seed: int) -> None:
    drawn = picture(seed)
    reach = drawn.radius + 3.5
    boxes = [
        (x - r, y - r, x + r, y + r)
        for x, y, r in zip(drawn.x[drawn.hit], drawn.y[drawn.hit], reach[drawn.hit], strict=True)
    ]
    assert 1 <= len(drawn.names) <= 12
    named = []
    for name in drawn.names:
        left = name.x - 8 * len(name.text) * (1 - name.side) / 2
        named.append((left, name.y - 7, left + 8 * len(name.text), name.y + 7))
        assert min(named[-1]) >= 0
        assert named[-1][2] <= WIDTH
        assert named[-1][3] <= 520
    for one, other in [*itertools.product(named, boxes), *itertools.combinations(named, 2)]:
        apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
        assert apart, (one, other)


def test_the_biggest_points_are_named_first(shown: list[dict[str, Any]]) -> None:
    labels = [f"film {number:02d}" for number in range(30)]
    places = [[number % 5 * 3.0, number // 5] for number in range(30)]
    sizes = np.arange(30)
    show_map(places, labels, title="T", alt=ALT, sizes=sizes, start="film")
    named = [text.text for text in page_of(shown).select(".names text")]
    assert named == labels[:17:-1]


def test_a_long_name_is_cut_and_its_title_is_not(shown: list[dict[str, Any]]) -> None:
    long = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb (1963)"
    assert shorten(long) == "Dr. Strangelove or: Ho… (1963)"
    assert shorten(long.removesuffix(" (1963)")) == "Dr. Strangelove or: How I Lea…"
    assert shorten("x" * 30) == "x" * 30
    a_map(labels=[long, *LABELS[1:]], start="strangelove")
    page = page_of(shown)
    assert page.select_one(".names text").text == shorten(long)
    assert long in [title.text for title in page.select("title")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ALIEN", [0, 1]),
        ("aliens", [1]),
        ("les miserables", [3]),
        ("MISÉR", [3]),
        ("1995", [2, 3]),
        ("heat alien", []),
        ("  heat   1995 ", [2]),
        ("", []),
        ("(19", [0, 1, 2, 3]),
    ],
)
def test_a_search_takes_each_word_anywhere(query: str, found: list[int]) -> None:
    assert [row for row, label in enumerate(LABELS) if matches(label, query)] == found


@given(st.lists(st.text("abcXYZ019:(é", min_size=1), min_size=1), st.randoms())
def test_a_label_is_found_by_its_words_in_any_order_and_case(words: list[str], rng: Any) -> None:
    label = " ".join(words)
    rng.shuffle(words)
    assert matches(label, " ".join(words).upper())
    assert not matches(label, f"{label} q")


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"places": [[0, 0]] * 3}, ValueError, r"places must have shape \(4, 2\), one a label, got"),
    ({"places": np.zeros((4, 3))}, ValueError, r"places must have shape \(4, 2\).*got \(4, 3\)"),
    ({"places": [[0, 0], [1]]}, TypeError, "places must be numbers in an array"),
    ({"places": [["a", 0]] * 4}, TypeError, "places must be numbers in an array"),
    ({"places": [[0, np.nan]] * 4}, ValueError, "places must be finite, got nan"),
    ({"places": [[0, np.inf]] * 4}, ValueError, "places must be finite, got inf"),
    ({"labels": "film"}, TypeError, "labels must be a sequence of ids, not one string"),
    ({"labels": ["a", "b", "c", 4]}, TypeError, "labels must be text, got 4"),
    ({"labels": ["a", "b", "c", " "]}, ValueError, "labels must not be empty, got ' '"),
    ({"labels": []}, ValueError, "labels must be 1 to 2,000 names, got 0"),
    ({"labels": ["a"] * 2_001}, ValueError, "labels must be 1 to 2,000 names, got 2,001"),
    ({"title": None}, TypeError, "title must be text, got None"),
    ({"title": ""}, ValueError, "title must not be empty, got ''"),
    ({"alt": "A map."}, ValueError, "alt must be a whole sentence of at least 40 characters"),
    ({"groups": list("abc")}, ValueError, "groups must be 4, one a label, got 3"),
    ({"groups": "abcd"}, TypeError, "groups must be a sequence of ids, not one string"),
    ({"groups": ["a", "b", "c", None]}, TypeError, "groups must be names, got None"),
    ({"sizes": [1, 2, 3]}, ValueError, r"sizes must have shape \(4,\), one a label, got \(3,\)"),
    ({"sizes": [1, 2, 3, -1]}, ValueError, "sizes must be finite and at least 0, got -1"),
    ({"sizes": [1, 2, 3, np.nan]}, ValueError, "sizes must be finite and at least 0, got nan"),
    ({"start": "casablanca"}, ValueError, "start must be found in at least one label, got 'casa"),
    ({"start": " "}, ValueError, "start must be found in at least one label, got ' '"),
    ({"start": 3}, TypeError, "start must be text, got 3"),
    ({"height": 100}, ValueError, "height must be an integer of at least 200, got 100"),
    ({"height": 500.0}, TypeError, "height must be an integer of at least 200, got 500.0"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_what_cannot_be_drawn_is_refused_and_named(
    shown: list[dict[str, Any]], changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        a_map(**changes)
    assert not shown


def test_a_seventh_group_is_refused_and_a_sixth_is_not(shown: list[dict[str, Any]]) -> None:
    labels, places = [f"film {i}" for i in range(7)], np.eye(7)[:, :2]
    with pytest.raises(ValueError, match="groups must be at most 6 different ones, got 7"):
        show_map(places, labels, title="T", alt=ALT, groups=list("abcdefg"))
    show_map(places, labels, title="T", alt=ALT, groups=list("abcdeff"))
    assert len(page_of(shown).select(".map-legend li")) == 6
