"""Rules of thumb, each with what was measured here and a verdict.

A cell that tests a rule ends in `claim`, which shows a box and leaves a machine-readable
output beside it.  The page of all claims is collected from the executed notebooks, so it
cannot drift from them::

    python -m companion.teaching.claims --write book/claims.md notebooks/*.ipynb
    python -m companion.teaching.claims --check book/claims.md notebooks/*.ipynb
"""

from __future__ import annotations

import argparse
import html
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from companion._checks import check_option
from companion._optional import require

Verdict = Literal["holds", "holds in part", "no difference seen here", "does not hold here"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
CLAIM_MIME = "application/vnd.companion.claim+json"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Claim:
    """One rule of thumb, what was measured, and the verdict; ``notebook`` is where it stands."""

    id: str
    says: str
    source: str
    measured: str
    verdict: Verdict
    notebook: str = ""


def claim(
    id: str,
    *,
    says: str,
    source: str,
    measured: float | str,
    interval: tuple[float, float] | None = None,
    verdict: Verdict,
) -> None:
    """Show a rule of thumb with its verdict, and leave it for the page of all claims.

    Parameters
    ----------
    id : str
        Lower-case words joined by hyphens; unique in the whole book, and the link to the box
        is ``#claim-<id>``.
    says : str
        The rule as it is usually repeated.
    source : str
        Who says it: authors and year.
    measured : float or str
        What this notebook found: a number (shown to three digits) or a short sentence.
    interval : (float, float), optional
        95 % interval of ``measured``, lower end first.
    verdict : {"holds", "holds in part", "no difference seen here", "does not hold here"}

    Raises
    ------
    TypeError
        If a text is not a string, or ``measured`` is neither a number nor a string.
    ValueError
        If the id is no slug, a text is empty, a number is not finite, the interval is not in
        order or the verdict is unknown.  That no id is used twice is checked by `collect`.

    Examples
    --------
    >>> claim("Sparse data", says="…", source="…", measured=0.1, verdict="holds")
    Traceback (most recent call last):
        ...
    ValueError: id must be lower-case words joined by hyphens, got 'Sparse data'
    """
    _check_texts(id, says, source)
    check_option("verdict", verdict, VERDICTS)
    found = Claim(id, says.strip(), source.strip(), _wording(measured, interval), verdict)
    fields = {name: value for name, value in asdict(found).items() if name != "notebook"}
    lines = (f"Claim: {found.says} ({found.source})", f"Measured: {found.measured}")
    plain = "\n".join((*lines, f"{verdict.capitalize()}."))
    bundle = {"text/html": _box(found), CLAIM_MIME: fields, "text/plain": plain}
    require("IPython.display", extra="plot").display(bundle, raw=True)


def collect(notebooks: Iterable[str | Path]) -> list[Claim]:
    """Return the claims of executed notebooks, in the order in which they stand.

    Raises
    ------
    ValueError
        If two cells make a claim of the same id; the message names both notebooks.
    """
    claims: dict[str, Claim] = {}
    for path in map(Path, notebooks):
        for fields in _outputs(path):
            found = Claim(**fields, notebook=path.stem)
            if found.id in claims:
                raise ValueError(
                    f"claim {found.id!r} is made twice: in {claims[found.id].notebook} and in "
                    f"{found.notebook}"
                )
            claims[found.id] = found
    return list(claims.values())


def page(claims: Sequence[Claim]) -> str:
    """Return the page of all claims as MyST Markdown; each verdict links to its box."""
    counts = [f"{verdict}: {sum(c.verdict == verdict for c in claims)}" for verdict in VERDICTS]
    head = [
        "# Claims, measured",
        "",
        "Every rule of thumb that the chapters repeat, who says it, and what became of it on "
        "this book's data. The verdict leads to the place where it was measured.",
        "",
        f"So far {len(claims)} claims ({', '.join(counts)}).",
        "",
        "| Claim | Who says it | Measured here | Verdict |",
        "| :-- | :-- | :-- | :-- |",
    ]
    rows = [
        f"| {_cell(c.says)} | {_cell(c.source)} | {_cell(c.measured)} | "
        f'<a href="../notebooks/{c.notebook}.html#claim-{c.id}">{c.verdict}</a> |'
        for c in claims
    ]
    return "\n".join([*head, *rows, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or say (and return 1) that it differs from the notebooks."""
    parser = argparse.ArgumentParser(prog="python -m companion.teaching.claims")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="PAGE", help="write the page")
    what.add_argument("--check", type=Path, metavar="PAGE", help="compare the page")
    parser.add_argument("notebooks", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    text = page(collect(sorted(options.notebooks)))
    if options.write:
        options.write.write_text(text, encoding="utf-8")
        return 0
    if options.check.is_file() and options.check.read_text(encoding="utf-8") == text:
        return 0
    print(f"{options.check} differs from the notebooks' claims: run make notebooks")
    return 1


def _check_texts(id: str, says: str, source: str) -> None:
    for name, value in (("id", id), ("says", says), ("source", source)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string, got {type(value).__name__}")
        if not value.strip():
            raise ValueError(f"{name} must not be empty")
    if not _SLUG.fullmatch(id):
        raise ValueError(f"id must be lower-case words joined by hyphens, got {id!r}")


def _wording(measured: float | str, interval: tuple[float, float] | None) -> str:
    """Return the measurement as text: three digits, the interval in brackets."""
    if isinstance(measured, str):
        text = measured.strip()
    elif isinstance(measured, bool) or not hasattr(measured, "__float__"):
        raise TypeError(f"measured must be a number or a string, got {measured!r}")
    else:
        text = f"{float(measured):.3g}"
    if not text or text in ("nan", "inf", "-inf"):
        raise ValueError(f"measured must be a finite number or a sentence, got {measured!r}")
    if interval is None:
        return text
    low, high = (float(end) for end in interval)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"interval must be (low, high) with low <= high, got {interval!r}")
    return f"{text} (95 % interval {low:.3g} to {high:.3g})"


def _box(found: Claim) -> str:
    """Return the box; its colours come from the book's style sheet, or are the page's own."""
    kind = found.verdict.replace(" ", "-")
    rows = (("Who says it", found.source), ("Measured here", found.measured))
    body = "".join(f"<p><b>{name}:</b> {html.escape(text)}</p>" for name, text in rows)
    return (
        f'<div class="companion-claim verdict-{kind}" id="claim-{found.id}" '
        'style="border-left:4px solid;padding:.4em 1em;margin:1em 0">'
        f"<p><b>Claim:</b> {html.escape(found.says)}</p>{body}"
        f'<p class="verdict"><b>{found.verdict.capitalize()}.</b></p></div>'
    )


def _outputs(path: Path) -> Iterable[dict[str, Any]]:
    """Yield the machine-readable claims of one notebook, cell by cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        for output in cell.get("outputs", ()):
            if CLAIM_MIME in output.get("data", {}):
                yield output["data"][CLAIM_MIME]


def _cell(text: str) -> str:
    """Return text that is safe inside a Markdown table."""
    return re.sub(r"([\\|*_`$<>\[\]])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    sys.exit(main())
