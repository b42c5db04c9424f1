"""Claims: what is refused, what is displayed, and the page that is collected from notebooks."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path
from typing import Any

import pytest

from companion.teaching import claims
from companion.teaching.claims import CLAIM_MIME, Claim, claim, collect, main, page

GOOD: dict[str, Any] = {
    "says": "64 dimensions are enough",
    "source": "Someone 2013",
    "measured": 0.123456,
    "verdict": "holds in part",
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: bundles.append(data))
    return bundles


def notebook(path: Path, *bundles: dict[str, Any]) -> Path:
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in bundles]
    cells = [
        {"cell_type": "markdown", "source": "# Title", "metadata": {}},
        {"cell_type": "code", "source": "claim(…)", "outputs": outputs, "metadata": {}},
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_a_claim_shows_a_box_and_leaves_its_fields(shown: list[dict[str, Any]]) -> None:
    claim("usual-dimensions", **GOOD, interval=(0.1, 0.15))
    (bundle,) = shown
    assert bundle[CLAIM_MIME] == {
        "id": "usual-dimensions",
        "says": "64 dimensions are enough",
        "source": "Someone 2013",
        "measured": "0.123 (95 % interval 0.1 to 0.15)",
        "verdict": "holds in part",
    }
    assert 'id="claim-usual-dimensions"' in bundle["text/html"]
    assert "verdict-holds-in-part" in bundle["text/html"]
    assert bundle["text/plain"].splitlines() == [
        "Claim: 64 dimensions are enough (Someone 2013)",
        "Measured: 0.123 (95 % interval 0.1 to 0.15)",
        "Holds in part.",
    ]


def test_the_box_says_what_is_said_and_nothing_else_is_markup(shown: list[dict[str, Any]]) -> None:
    claim("a", **{**GOOD, "says": "d < 64 & <b>more</b>", "measured": "1 < 2"})
    texts: list[str] = []
    parser = html.parser.HTMLParser()
    parser.handle_data = texts.append  # type: ignore[method-assign]
    parser.feed(shown[0]["text/html"])
    assert "d < 64 & <b>more</b>" in "".join(texts)
    assert "1 < 2" in "".join(texts)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"id": "Two Words"}, ValueError, "id must be lower-case words joined by hyphens"),
        ({"id": "-a"}, ValueError, "id must be lower-case"),
        ({"id": 3}, TypeError, "id must be a string, got int"),
        ({"says": " "}, ValueError, "says must not be empty"),
        ({"source": None}, TypeError, "source must be a string, got NoneType"),
        ({"measured": float("nan")}, ValueError, "measured must be a finite number"),
        ({"measured": float("-inf")}, ValueError, "measured must be a finite number"),
        ({"measured": None}, TypeError, "measured must be a number or a string, got None"),
        ({"measured": True}, TypeError, "measured must be a number or a string, got True"),
        ({"measured": ""}, ValueError, "measured must be a finite number or a sentence"),
        ({"interval": (2, 1)}, ValueError, r"interval must be \(low, high\)"),
        ({"interval": (float("nan"), 1)}, ValueError, r"interval must be \(low, high\)"),
        ({"verdict": "true"}, ValueError, "verdict must be one of 'holds', 'holds in part'"),
    ],
)
def test_each_bad_input_is_named(
    change: dict[str, Any], error: type[Exception], message: str, shown: list[dict[str, Any]]
) -> None:
    arguments = {"id": "an-id", **GOOD, **change}
    with pytest.raises(error, match=message):
        claim(arguments.pop("id"), **arguments)
    assert not shown


def test_claims_are_collected_in_order_with_their_notebook(
    tmp_path: Path, shown: list[dict[str, Any]]
) -> None:
    for name in ("c", "a", "b"):
        claim(name, **GOOD)
    first = notebook(tmp_path / "01_one.ipynb", shown[0], {"text/plain": "3"}, shown[1])
    second = notebook(tmp_path / "02_two.ipynb", shown[2])
    found = collect([first, second])
    where = [(c.id, c.notebook) for c in found]
    assert where == [("c", "01_one"), ("a", "01_one"), ("b", "02_two")]


def test_the_same_id_twice_is_refused_and_both_places_are_named(
    tmp_path: Path, shown: list[dict[str, Any]]
) -> None:
    claim("a", **GOOD)
    paths = [notebook(tmp_path / f"{name}.ipynb", shown[0]) for name in ("one", "two")]
    with pytest.raises(ValueError, match="claim 'a' is made twice: in one and in two"):
        collect(paths)


def test_the_page_has_a_row_a_claim_with_a_link_to_its_box() -> None:
    rows = [
        Claim("a", "x | y", "S", "1", "holds", "01_one"),
        Claim("b", "$z$", "S", "2", "does not hold here", "01_one"),
    ]
    text = page(rows)
    counts = "holds: 1, holds in part: 0, no difference seen here: 0, does not hold here: 1"
    assert f"2 claims ({counts})" in text
    assert r"| x \| y | S | 1 | <a href=" in text
    assert '<a href="../notebooks/01_one.html#claim-b">does not hold here</a> |' in text
    assert r"\$z\$" in text


def test_check_falls_when_page_and_notebooks_disagree(
    tmp_path: Path, shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    claim("a", **GOOD)
    target, source = tmp_path / "claims.md", notebook(tmp_path / "01_one.ipynb", shown[0])
    assert main(["--check", str(target), str(source)]) == 1
    assert main(["--write", str(target), str(source)]) == 0
    assert main(["--check", str(target), str(source)]) == 0
    claim("a", **{**GOOD, "measured": 0.124})
    notebook(source, shown[1])
    assert main(["--check", str(target), str(source)]) == 1
    assert "run make notebooks" in capsys.readouterr().out


def test_the_builder_passes_the_fields_over_and_takes_the_drawing() -> None:
    from types import SimpleNamespace

    from companion.teaching._book_outputs import CompanionOutputs
    from companion.teaching.plotting import FIGURE_MIME

    def nodes(mime: str) -> Any:
        data = SimpleNamespace(mime_type=mime, string="<div></div>")
        return CompanionOutputs.handle_mime(None, data, False)

    assert nodes(claims.CLAIM_MIME) == []
    assert nodes(FIGURE_MIME)[0].astext() == "<div></div>"
    assert nodes("text/html") is None
