"""Explorers: what is refused, that every frame is there and light, and that scripts only add."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from companion.teaching import show_explorer
from companion.teaching._explorer_page import split
from companion.teaching._explorer_script import SCRIPT
from companion.teaching._explorer_style import STYLE
from companion.teaching._interactive import EDITOR_STARTS
from companion.teaching.plotting import (
    FIGURE_MIME,
    GRID,
    PALETTE,
    PAPER,
    to_html,
    to_png,
    use_style,
)
from tests.teaching.editor import page_in_editor

CONTROLS: dict[str, Any] = {"p": [0.25, 0.5, 1.0, 2, 4], "q": [1, 2]}
NASTY = "<b>&\"' `${x}\\ </script><!-- <script>"


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with mpl.rc_context():
        mpl.use("agg")
        use_style()
        yield
        assert not plt.get_fignums()
    plt.close("all")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: bundles.append(data))
    return bundles


def sentence(**values: Any) -> str:
    return f"A line rises from the lower left corner to the upper right one at {values}."


def line(**values: Any) -> tuple[Figure, str]:
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, 1], [0, 1])
    ax.set(title=str(values), xlabel="x", ylabel="y")
    return fig, sentence(**values)


def an_explorer(**changes: Any) -> None:
    arguments = {"draw": line, "controls": CONTROLS, "title": "Lines", **changes}
    show_explorer(**arguments)


def page_of(shown: list[dict[str, Any]]) -> BeautifulSoup:
    return BeautifulSoup(shown[-1][FIGURE_MIME], "html.parser")


def data_of(shown: list[dict[str, Any]]) -> dict[str, Any]:
    (script,) = page_of(shown).find_all("script", type="application/json")
    return json.loads(script.string)


def test_one_bundle_is_displayed_for_each_kind_of_reader(shown: list[dict[str, Any]]) -> None:
    an_explorer(start={"p": 4, "q": 2})
    (bundle,) = shown
    assert set(bundle) == {FIGURE_MIME, "text/html", "image/png", "text/plain"}
    assert bundle["text/plain"] == sentence(p=4, q=2)
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    fig, _ = line(p=4, q=2)
    assert bundle["image/png"] == to_png(fig)
    plt.close(fig)
    assert bundle["text/html"].startswith(EDITOR_STARTS["explorer"])
    before_script = bundle["text/html"].partition("<script>")[0]
    (image,) = BeautifulSoup(before_script, "html.parser").find_all("img")
    assert image["alt"] == sentence(p=4, q=2)
    assert image["src"] == f"data:image/png;base64,{bundle['image/png']}"
    assert bundle["text/html"].count("</script") == 1  # the data's own would end it too early


def test_a_second_drawing_is_the_same_to_the_byte(shown: list[dict[str, Any]]) -> None:
    for _ in range(2):
        an_explorer()
    assert shown[0] == shown[1]


def test_each_combination_is_drawn_once_and_the_last_control_runs_fastest(
    shown: list[dict[str, Any]],
) -> None:
    drawn: list[tuple[Any, ...]] = []

    def draw(**values: Any) -> tuple[Figure, str]:
        drawn.append(tuple(values.values()))
        return line(**values)

    controls = {"p": (0.5, 1), "walk_length": np.array([10, 20, 40]), "noise": ["flat", "count"]}
    an_explorer(draw=draw, controls=controls)
    assert drawn == list(itertools.product(*controls.values()))
    data = data_of(shown)
    assert data["texts"] == [["0.5", "1"], ["10", "20", "40"], ["flat", "count"]]
    said = [sentence(**dict(zip(controls, values, strict=True))) for values in drawn]
    assert data["sentences"] == said
    assert len(data["frames"]) == 12
    for frame, values in zip(data["frames"], drawn, strict=True):
        title = str(dict(zip(controls, values, strict=True)))
        drawing = "\n".join(data["pieces"][piece] for piece in frame)
        assert title in BeautifulSoup(drawing, "html.parser").text


def test_the_script_counts_frames_as_they_are_drawn(shown: list[dict[str, Any]]) -> None:
    controls = {"p": [1, 2], "q": [1, 2, 3], "r": [1, 2, 3, 4]}
    an_explorer(controls=controls)
    sliders = "for (const { name, slider, output, texts } of controls) {"
    (formula,) = re.findall(rf"let frame = 0;.*\n +{re.escape(sliders)}\n +frame = (.+);\n", SCRIPT)
    formula = formula.replace("texts.length", "n").replace("Number(slider.value)", "chosen")
    said = data_of(shown)["sentences"]
    for values in itertools.product(*controls.values()):
        frame = 0
        for value, options in zip(values, controls.values(), strict=True):
            numbers = {"frame": frame, "n": len(options), "chosen": options.index(value)}
            frame = eval(formula, numbers)
        assert said[frame] == sentence(**dict(zip(controls, values, strict=True)))


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (np.linspace(0, 1, 6), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (np.array([0.1, 1e-5, 12.5], dtype=np.float32), ["0.1", "1e-05", "12.5"]),
        ([-0.0, 1 / 3], ["0", "0.333333"]),
        ([1_234_567, 7], ["1234567", "7"]),  # an integer is exact
    ],
)
def test_numbers_are_shown_without_the_noise_of_their_last_digits(
    shown: list[dict[str, Any]], values: Any, texts: list[str]
) -> None:
    an_explorer(controls={"p": values}, start={"p": values[1]})
    assert data_of(shown)["texts"] == [texts]
    assert page_of(shown).output.text == texts[1]


def test_the_middle_is_shown_first_unless_another_start_is_given(
    shown: list[dict[str, Any]],
) -> None:
    for start, values in [
        (None, {"p": 1.0, "q": 1}),  # of two the lower one
        ({}, {"p": 1.0, "q": 1}),
        ({"q": 2}, {"p": 1.0, "q": 2}),
        ({"q": 1, "p": 0.25}, {"p": 0.25, "q": 1}),
        ({"p": 2.0}, {"p": 2, "q": 1}),
    ]:
        an_explorer(start=start)
        page = page_of(shown)
        assert page.select_one(".explorer-line").text == sentence(**values)
        assert page.select_one(".companion-figure svg")["aria-label"] == sentence(**values)
        assert shown[-1]["text/plain"] == sentence(**values)
        for slider, (name, value) in zip(page.find_all("input"), values.items(), strict=True):
            assert int(slider["value"]) == CONTROLS[name].index(value)
            assert slider["aria-valuetext"] == f"{name} = {value:g}"


def test_sliders_are_native_labelled_and_hidden_until_they_work(
    shown: list[dict[str, Any]],
) -> None:
    an_explorer(controls={"walk_length": [10, 20, 40], "q": [1, 2]})
    page = page_of(shown)
    assert page.select_one(".explorer-controls").has_attr("hidden")
    sliders = page.select('.explorer-control > label > input[type="range"]')
    assert [(s["min"], s["max"], s["step"], s["value"]) for s in sliders] == [
        ("0", "2", "1", "1"),
        ("0", "1", "1", "0"),
    ]
    assert [label.text for label in page.find_all("label")] == ["walk length", "q"]
    assert [output.text for output in page.find_all("output")] == ["20", "1"]
    (line_,) = page.select('p[role="status"]')
    assert line_["aria-live"] == "polite"
    hint = page.select_one(".explorer-hint")
    assert not hint.has_attr("hidden")
    assert "walk length = 20, q = 1" in hint.text
    assert "need scripts" in hint.text


def test_only_one_frame_stands_in_the_page_and_the_ids_are_its_own(
    shown: list[dict[str, Any]],
) -> None:
    def draw(p: float, q: int) -> tuple[Figure, str]:
        fig, alt = line(p=p, q=q)
        if (p, q) == (4, 2):  # the last frame
            fig.axes[0].plot([0, 1], [1, 0])
        return fig, alt

    an_explorer()
    an_explorer(title="Other lines")
    an_explorer(draw=draw)
    all_ids = []
    for number, bundle in enumerate(shown):
        page = BeautifulSoup(bundle[FIGURE_MIME], "html.parser")
        assert len(page.select("svg")) == 1
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert ids
        data = data_of(shown[number : number + 1])
        for frame in data["frames"]:  # whichever takes the place: unique, and no dead reference
            drawing = "\n".join(data["pieces"][piece] for piece in frame)
            own = re.findall(r' id="([^"]+)"', drawing)
            assert len(own) == len(set(own)) > 0
            assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawing)) == set(own)
        all_ids.append(set(re.findall(r' id=\\"([^"]+)\\"', bundle[FIGURE_MIME])) | set(ids))
    for one, other in itertools.combinations(all_ids, 2):
        assert not one & other


def test_the_page_reaches_for_nothing_and_its_rules_stay_inside(
    shown: list[dict[str, Any]],
) -> None:
    an_explorer()
    page = page_of(shown)
    assert not page.find_all(src=True)
    assert not re.search(r"@import|fetch\(|import\(|https?://(?!www\.w3\.org)", str(page))
    rules = re.findall(r"^\s*([^@{}\n]+)\{", STYLE, flags=re.MULTILINE)
    assert len(rules) > 10
    assert all(".companion-explorer" in rule for rule in rules)


def test_texts_stay_text_whatever_is_in_them(shown: list[dict[str, Any]]) -> None:
    def draw(kind: str) -> tuple[Figure, str]:
        fig, _ = line()
        fig.axes[0].set_title(kind.replace("$", "").replace("\\", ""))
        return fig, f"{NASTY} is what the title of this figure says, in the frame of {kind}."

    an_explorer(draw=draw, controls={"kind": [NASTY, "plain"]}, title=NASTY)
    page = page_of(shown)
    assert page.select_one(".explorer-title").text == NASTY
    assert page.div["aria-label"] == NASTY
    assert page.output.text == NASTY
    assert page.input["aria-valuetext"] == f"kind = {NASTY}"
    assert page.select_one(".explorer-line").text.endswith(f"in the frame of {NASTY}.")
    assert len(page.find_all("script")) == 2
    assert not page.find_all("b")
    data = data_of(shown)
    assert data["texts"] == [[NASTY, "plain"]]
    assert data["sentences"][1].startswith(NASTY)
    raw = shown[0][FIGURE_MIME]
    assert len(re.findall("</script", raw, flags=re.IGNORECASE)) == 2
    assert "<!--" not in raw
    in_editor = page_in_editor(shown[0]["text/html"], SCRIPT)
    assert f"{in_editor.removesuffix('</div>')}<script>{SCRIPT}</script></div>" == raw
    (script,) = BeautifulSoup(in_editor, "html.parser").find_all("script")
    assert json.loads(script.string) == data
    assert data["pieces"]


def test_a_frame_put_together_is_the_drawing_in_hundredths_of_a_point() -> None:
    fig, alt = line()
    fig.axes[0].set(title="$x^2$", xlabel="0.123456")
    fig.axes[0].imshow(np.eye(2), extent=(0, 1, 0, 1))
    drawing = to_html(fig, alt=alt)
    plt.close(fig)
    inside = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
    joined = "\n".join(split(drawing))
    for text in (inside, joined):
        assert BeautifulSoup(text, "html.parser").find("text")
    tags = [
        [tag.name for tag in BeautifulSoup(t, "html.parser").find_all()] for t in (inside, joined)
    ]
    assert tags[0] == tags[1]
    numbers = [re.findall(r"(?<![\w.])\d+\.?\d*(?![\w.])", t) for t in (inside, joined)]
    np.testing.assert_allclose(*(np.array(n, dtype=float) for n in numbers), atol=0.00501)
    assert "0.123456" in joined  # words are not rounded
    tilted = '<g transform="translate(1.23456 2) scale(0.12345)"/>'
    assert split(f"<svg>{tilted}</svg>") == [tilted]  # nor are factors
    faint = '<path d="M 1 2" style="opacity: 0.004; stroke-width: 0.125"/>'
    assert split(f"<svg>{faint}</svg>") == [faint]  # nor is what is no coordinate
    placed = '<g transform="rotate(-90.00123 1.23456 2)"><rect x="0.129" y="0.001" width="9.999"/>'
    assert split(f"<svg>{placed}</svg>") == [
        '<g transform="rotate(-90.00 1.23 2)"><rect x="0.13" y="0.00" width="10.00"/>'
    ]
    coordinates = re.findall(r'\b[dxy]="([^"]*)"', joined)
    assert not re.search(r"\.\d{3}", " ".join(coordinates[1:]))


def node_link(p: float, q: float) -> tuple[Figure, str]:
    """Draw 20 nodes, 40 edges, a walk of 20 steps that differs from frame to frame, two bars."""
    rng = np.random.default_rng(0)
    places = np.stack([np.cos(np.arange(20) * np.pi / 10), np.sin(np.arange(20) * np.pi / 10)], 1)
    edges = rng.choice(20, (40, 2))
    walk = np.random.default_rng(int(64 * p + q)).choice(20, 21)
    fig, (graph, bars) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=[3, 1])
    for edge in edges:
        graph.plot(*places[edge].T, color=GRID)
    for a, b in itertools.pairwise(walk):
        arrow = {"arrowstyle": "-|>", "color": PALETTE[1], "shrinkA": 9, "shrinkB": 9}
        graph.annotate("", places[b], places[a], arrowprops=arrow)
    graph.scatter(*places.T, s=260, c=[PALETTE[0 if n in walk else 5] for n in range(20)], zorder=3)
    for node, (x, y) in enumerate(places):
        graph.text(x, y, str(node), color=PAPER, ha="center", va="center")
    graph.set(title="A walk")
    graph.axis("off")
    bars.bar(["back", "new"], [p / 5, q / 5])
    bars.set(title="All walks", xlabel="the step leads", ylabel="share", ylim=(0, 1))
    return fig, sentence(p=p, q=q)


def test_25_frames_of_a_graph_take_less_than_a_fifth_of_a_megabyte(
    shown: list[dict[str, Any]],
) -> None:
    knob = [0.25, 0.5, 1, 2, 4]
    an_explorer(draw=node_link, controls={"p": knob, "q": knob})
    fig, alt = node_link(1, 1)
    one = len(to_html(fig, alt=alt).encode())
    plt.close(fig)
    size = len(shown[0][FIGURE_MIME].encode())
    assert size < 200_000
    assert size < 25 * one / 4  # pieces are shared


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"title": None}, TypeError, "title must be text, got None"),
    ({"title": " "}, ValueError, "title must not be empty, got ' '"),
    ({"draw": 3}, TypeError, "draw must be callable, got 3"),
    ({"controls": [1, 2]}, TypeError, r"controls must be a mapping of names to values, got \[1, 2"),
    ({"controls": {}}, ValueError, "controls must be 1 to 3, got 0"),
    ({"controls": {name: [1, 2] for name in "abcd"}}, ValueError, "controls must be 1 to 3, got 4"),
    (
        {"controls": {"": [1, 2]}},
        TypeError,
        "controls must have names of draw's parameters, got ''",
    ),
    ({"controls": {1: [1, 2]}}, TypeError, "controls must have names of draw's parameters, got 1"),
    ({"controls": {"p": "abc"}}, TypeError, r"controls\['p'\] must be a sequence of val.*'abc'"),
    ({"controls": {"p": 3}}, TypeError, r"controls\['p'\] must be a sequence of values, got 3"),
    ({"controls": {"p": []}}, ValueError, r"'p'\] must have 2 to 12 different values, got 0: \[\]"),
    ({"controls": {"p": [1]}}, ValueError, r"'p'\] must have 2 to 12 different values, got 1"),
    ({"controls": {"p": range(13)}}, ValueError, r"'p'\] must have 2 to 12 different.*got 13"),
    ({"controls": {"p": [1, 2, 1.0]}}, ValueError, r"have 2 to 12 different values, got 2: \[1, 2"),
    ({"controls": {"p": [1, "1"]}}, ValueError, r"must have 2 to 12 different values, got 1"),
    ({"controls": {"p": [0.0, -0.0]}}, ValueError, r"2 to 12 different values, got 1: \[0.0, -0"),
    ({"controls": {"p": [1, 1 + 1e-9]}}, ValueError, r"must have 2 to 12 different values, got 1"),
    ({"controls": {"p": {1, 2}}}, TypeError, r"'p'\] must have an order, .* got \{1, 2\}"),
    ({"controls": {"p": frozenset("ab")}}, TypeError, r"'p'\] must have an order, .*frozenset"),
    ({"controls": {"p": [1, 10**400]}}, ValueError, r"controls\['p'\] must be numbers below 1e308"),
    (
        {"controls": {"p": [1, 10**5000]}},
        ValueError,
        r"controls\['p'\] must be numbers below 1e308",
    ),
    ({"controls": {"p": [1, None]}}, TypeError, r"'p'\] must be numbers or texts, got None"),
    ({"controls": {"p": [0, True]}}, TypeError, r"'p'\] must be numbers or texts, got True"),
    ({"controls": {"p": [0, np.nan]}}, ValueError, "must be finite numbers or texts, got nan"),
    ({"controls": {"p": ["a", " "]}}, ValueError, "must be finite numbers or texts, got ' '"),
    (
        {"controls": {"p": range(12), "q": range(12), "r": [1, 2]}},
        ValueError,
        "controls must have at most 150 combinations, got 288",
    ),
    ({"start": 3}, TypeError, "start must be a mapping of names to values, got 3"),
    ({"start": {"r": 1}}, ValueError, r"start must name some of \['p', 'q'\], got 'r'"),
    ({"start": {"p": 3}}, ValueError, r"start\['p'\] must be one of \[0.25, .*\], got 3"),
    ({"start": {"p": "1"}}, ValueError, r"start\['p'\] must be one of .*, got '1'"),
    ({"start": {"p": True}}, ValueError, r"start\['p'\] must be one of .*, got True"),
    ({"start": {"p": np.True_}}, ValueError, r"start\['p'\] must be one of .*, got .*True"),
    ({"start": {"p": np.ones(2)}}, ValueError, r"start\['p'\] must be one of .*, got array"),
    ({"start": np.ones(2)}, TypeError, r"start must be a mapping of names to values, got array"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_what_cannot_be_shown_is_refused_before_anything_is_drawn(
    shown: list[dict[str, Any]], changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    def draw(**_: Any) -> tuple[Figure, str]:
        raise AssertionError("drawn")

    with pytest.raises(error, match=message):
        an_explorer(**{"draw": draw, **changes})
    assert not shown


def unlabelled(**values: Any) -> tuple[Figure, str]:
    fig, alt = line(**values)
    fig.axes[0].set_xlabel("")
    return fig, alt


def fails(**values: Any) -> tuple[Figure, str]:
    line(**values)
    raise KeyError("in the middle of a drawing")


BAD_FRAMES: list[tuple[Any, type[Exception], str]] = [
    (lambda p, q: None, TypeError, "draw must return a figure and a sentence, got None"),
    (
        lambda p, q: line(p=p, q=q)[0],
        TypeError,
        "draw must return a figure and a sentence, got <Fig",
    ),
    (lambda p, q: line(p=p, q=q)[::-1], TypeError, "draw must return a figure and a sentence, got"),
    (lambda p, q: (line()[0], "A line."), ValueError, "draw's sentence must be a whole sentence"),
    (lambda p, q: (line()[0], None), TypeError, "draw's sentence must be a string, got NoneType"),
    (unlabelled, ValueError, r"panel 0 needs a label: ax\.set_xlabel"),
    (lambda p: line(p=p), TypeError, "unexpected keyword argument 'q'"),
    (fails, KeyError, "in the middle of a drawing"),
]


@pytest.mark.parametrize(("draw", "error", "message"), BAD_FRAMES)
def test_what_is_no_frame_is_refused_named_and_closed(
    shown: list[dict[str, Any]], draw: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        an_explorer(draw=draw)
    assert caught.value.__notes__ == ["in the frame of {'p': 0.25, 'q': 1}"]
    assert not shown
    assert not plt.get_fignums()


def test_frames_of_two_sizes_are_refused(shown: list[dict[str, Any]]) -> None:
    def draw(p: float, q: int) -> tuple[Figure, str]:
        fig, alt = line(p=p, q=q)
        fig.set_size_inches(3, 1 + q)
        return fig, alt

    with pytest.raises(ValueError, match=r"of one size, got 3.0 x 2.0 and 3.0 x 3.0 inches"):
        an_explorer(draw=draw)
    assert not shown


def test_figures_that_were_open_before_stay_open(shown: list[dict[str, Any]]) -> None:
    mine, _ = line()
    an_explorer()
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)
