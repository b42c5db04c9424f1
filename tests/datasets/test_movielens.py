"""MovieLens: every packing on small files of the same layout, and the facts of the real one."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

from companion.datasets import DatasetUnavailableError, _fetch, load_movielens, movielens
from companion.datasets._fetch import Archive, file_sha256
from companion.datasets.movielens import _title_and_year

# user, item, rating, second; user 7 has two films at second 300, the later number first
RATINGS = [(7, 50, 5, 300), (7, 11, 3, 300), (2, 1412, 4, 100), (7, 267, 1, 200), (2, 50, 4, 90)]
# id, title, year or None, mark after the year, genres
FILMS = [
    (11, "Seven (Se7en)", 1995, "", ["Crime", "Thriller"]),
    (50, '"Star" Wars, The', 1977, "", ["Action", "Sci-Fi"]),
    (267, "unknown", None, "", ["unknown"]),
    (1005, "Double vie de Véronique, La (Double Life of Veronique, The)", 1991, "", ["Drama"]),
    (1412, "Land Before Time III", 1995, " (V)", ["Children's"]),
]
USERS = [(2, 53, "F", "other", "00501"), (7, 24, "M", "technician", "T8H1N")]
GENRES = ["unknown", "Action", "Children's", "Crime", "Drama", "Sci-Fi", "Thriller"]


def write_zip(path, members, encoding="utf-8"):
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in members.items():
            archive.writestr(name, "".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def write_100k_wheel(folder):
    def film(item, title, year, mark, genres):
        if year is None:
            return [item, "unkonwn", "unkonwn", " ".join(genres)]
        if mark:  # what stands in the last brackets was taken for the year
            title, year = f"{title} ({year})", mark.strip(" ()")
        return [item, title, year, " ".join(genres)]

    tables = {
        "inter": (["user_id:token", "item_id:token", "rating:float", "timestamp:float"], RATINGS),
        "item": (
            ["item_id:token", "movie_title", "release_year", "class"],
            [film(*f) for f in FILMS],
        ),
        "user": (["user_id:token", "age", "gender", "occupation", "zip_code"], USERS),
    }
    members = {
        f"recbole/dataset_example/ml-100k/ml-100k.{name}": [
            "\t".join(map(str, row)) for row in [header, *rows]
        ]
        for name, (header, rows) in tables.items()
    }
    return write_zip(folder / "recbole-1.2.1-py3-none-any.whl", members)


def full_title(title, year, mark):
    return title if year is None else f"{title} ({year}){mark}"


def write_100k_zip(folder):
    def film(item, title, year, mark, genres):
        flags = [str(int(genre in genres)) for genre in GENRES]
        date = "" if year is None else f"01-Jan-{year}"
        return "|".join([str(item), full_title(title, year, mark), date, "", "http:", *flags])

    members = {
        "ml-100k/u.data": ["\t".join(map(str, row)) for row in RATINGS],
        "ml-100k/u.item": [film(*row) for row in FILMS],
        "ml-100k/u.user": ["|".join(map(str, row)) for row in USERS],
        "ml-100k/u.genre": [f"{genre}|{code}" for code, genre in enumerate(GENRES)] + [""],
    }
    return write_zip(folder / "ml-100k.zip", members, "latin-1")


def write_1m_zip(folder):
    def film(item, title, year, mark, genres):
        return f"{item}::{full_title(title, year, mark)}::{'|'.join(genres)}"

    members = {
        "ml-1m/ratings.dat": ["::".join(map(str, row)) for row in RATINGS],
        "ml-1m/movies.dat": [film(*row) for row in FILMS],
        "ml-1m/users.dat": ["2::F::1::10::00501", "7::M::25::17::55117-1234"],
    }
    return write_zip(folder / "ml-1m.zip", members, "latin-1")


def write_25m_zip(folder):
    def film(item, title, year, mark, genres):
        quoted = full_title(title, year, mark).replace('"', '""')
        names = "(no genres listed)" if genres == ["unknown"] else "|".join(genres)
        return f'{item},"{quoted}",{names}'

    members = {
        "ml-25m/ratings.csv": ["userId,movieId,rating,timestamp"]
        + [f"{user},{item},{rating}.0,{time}" for user, item, rating, time in RATINGS],
        "ml-25m/movies.csv": ["movieId,title,genres", *[film(*row) for row in FILMS]],
    }
    return write_zip(folder / "ml-25m.zip", members)


WRITERS = {
    "wheel": ("100k", write_100k_wheel),
    "100k": ("100k", write_100k_zip),
    "1m": ("1m", write_1m_zip),
    "25m": ("25m", write_25m_zip),
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Return a function that writes a small file of a layout and loads it, offline."""

    def load(layout):
        name, write = WRITERS[layout]
        folder = tmp_path / layout
        folder.mkdir()
        path = write(folder)
        archive = Archive(path.name, "https://example.org", file_sha256(path), 0)
        monkeypatch.setitem(movielens._ARCHIVES, name, (archive,))
        return load_movielens(name, folder=folder, offline=True)

    return load


@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_gives_ratings_in_file_order_and_readable_films(small, layout):
    data = small(layout)
    assert data.user_ids.tolist() == [7, 2]
    assert data.item_ids.tolist() == [50, 11, 1412, 267]  # 1005 was never rated
    rows = [
        (int(data.user_ids[u]), int(data.item_ids[i]), float(w), int(t))
        for u, i, w, t in zip(data.users, data.items, data.weights, data.timestamps, strict=True)
    ]
    # by user, then time; film 50 before film 11: at a tie the order is that of the file
    assert rows == [
        (7, 267, 1, 200),
        (7, 50, 5, 300),
        (7, 11, 3, 300),
        (2, 50, 4, 90),
        (2, 1412, 4, 100),
    ]
    assert data.timestamps.dtype == np.int64
    films = data.item_features
    assert films["title"].tolist() == [
        'The "Star" Wars',
        "Seven (Se7en)",
        "Land Before Time III",
        "unknown",
    ]
    assert films["year"].tolist() == [1977, 1995, 1995, pd.NA]
    assert films["genres"].tolist() == [
        ("Action", "Sci-Fi"),
        ("Crime", "Thriller"),
        ("Children's",),
        (),
    ]


def test_both_packings_of_100k_are_the_same_data(small):
    wheel, published = small("wheel"), small("100k")
    assert wheel.fingerprint() == published.fingerprint()
    pd.testing.assert_frame_equal(wheel.item_features, published.item_features)
    pd.testing.assert_frame_equal(wheel.user_features, published.user_features)
    assert published.user_features.loc[2].tolist() == [53, "F", "other", "00501"]


def test_occupations_of_1m_have_names(small):
    users = small("1m").user_features
    assert users.columns.tolist() == ["age", "gender", "occupation", "zip_code"]
    assert users.loc[2].tolist() == [1, "F", "K-12 student", "00501"]
    assert users.loc[7].tolist() == [25, "M", "technician/engineer", "55117-1234"]


def test_25m_knows_nothing_of_its_users(small):
    assert small("25m").user_features is None


@pytest.mark.parametrize(
    ("raw", "title", "year"),
    [
        ("Star Wars (1977)", "Star Wars", 1977),
        ("Godfather, The (1972)", "The Godfather", 1972),
        ("Good, The Bad and The Ugly, The (1966)", "The Good, The Bad and The Ugly", 1966),
        ("Beans of Egypt, Maine, The (1994)", "The Beans of Egypt, Maine", 1994),
        ("Enfer, L' (1994)", "L'Enfer", 1994),
        ("Misérables, Les (1995)", "Les Misérables", 1995),
        ("Tin Drum, The (Blechtrommel, Die) (1979)", "The Tin Drum (Die Blechtrommel)", 1979),
        ("Die xue shuang xiong (Killer, The) (1989)", "Die xue shuang xiong (The Killer)", 1989),
        ("Fly (a.k.a. Big Fly, The) (1986)", "Fly (a.k.a. The Big Fly)", 1986),
        (
            "Maybe, Maybe Not (Bewegte Mann, Der) (1994)",
            "Maybe, Maybe Not (Der Bewegte Mann)",
            1994,
        ),
        ("Paris, Texas (1984)", "Paris, Texas", 1984),
        ("Corrina, Corrina (1994)", "Corrina, Corrina", 1994),
        ("Theory, Therefore (1990)", "Theory, Therefore", 1990),
        ("2001: A Space Odyssey (1968) ", "2001: A Space Odyssey", 1968),
        ("Great Giving (1995) (V)", "Great Giving", 1995),
        ("A Series (2006–2007)", "A Series", 2006),
        ("Still Running (2012- )", "Still Running", 2012),
        ("unknown", "unknown", None),
        ("(500) Days", "(500) Days", None),
    ],
)
def test_titles_as_one_says_them(raw, title, year):
    assert _title_and_year(raw) == (title, year)


@pytest.mark.parametrize("name", ["100K", "10m", "", 100, None])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="name must be one of '100k', '1m', '25m', got"):
        load_movielens(name)


def test_a_cold_cache_offline_names_both_files(tmp_path):
    with pytest.raises(DatasetUnavailableError) as caught:
        load_movielens("100k", folder=tmp_path, offline=True)
    for archive in movielens._ARCHIVES["100k"]:
        assert archive.filename in str(caught.value)
        assert archive.sha256 in str(caught.value)


def test_warm_cache_needs_no_network(movielens_100k, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("network")

    monkeypatch.setattr(_fetch.urllib.request, "urlopen", refuse)
    monkeypatch.setattr(_fetch.subprocess, "run", refuse)
    again = load_movielens("100k")
    assert again.fingerprint() == movielens_100k.fingerprint()


def test_facts_of_100k(movielens_100k):
    data = movielens_100k
    assert (len(data), data.n_users, data.n_items) == (100_000, 943, 1_682)
    assert data.n_repeats() == 0
    assert data.tied_timestamps() == 75_772  # three rows in four
    assert data.user_counts().min() == 20
    assert data.user_counts().max() == 737
    assert data.item_counts().max() == data.item_counts()[data.item_code(50)] == 583
    assert np.unique(data.weights, return_counts=True)[1].tolist() == [
        6_110, 11_370, 27_145, 34_174, 21_201,
    ]  # fmt: skip
    first, last = data.timestamps.min(), data.timestamps.max()
    assert str(np.datetime64(int(first), "s")) == "1997-09-20T03:05:10"
    assert str(np.datetime64(int(last), "s")) == "1998-04-22T23:10:38"


def test_films_and_users_of_100k(movielens_100k):
    films, users = movielens_100k.item_features, movielens_100k.user_features
    assert films.loc[50, "title"] == "Star Wars"
    assert films.loc[127, "title"] == "The Godfather"
    assert films.loc[1412, ["title", "year"]].tolist() == [
        "Land Before Time III: The Time of the Great Giving",
        1995,
    ]
    assert films.index[films["year"].isna()].tolist() == [267]
    assert sorted(films.index[films["genres"].map(len) == 0]) == [267, 1373]
    assert len({genre for genres in films["genres"] for genre in genres}) == 18
    assert films.duplicated(["title", "year"]).sum() == 18
    twice = films[films.duplicated("title", keep=False)].groupby("title")["year"].nunique()
    assert (twice > 1).sum() == 5
    assert not films["title"].str.contains(r", (?:The|A|An)\b *(?:\(|\)|$)").any()
    assert users["gender"].value_counts().to_dict() == {"M": 670, "F": 273}
    assert (users["age"].min(), users["age"].max()) == (7, 73)
    assert users["occupation"].nunique() == 21
    assert users["occupation"].value_counts().index[0] == "student"


def test_rows_of_the_wheel_are_those_of_the_publisher(movielens_100k):
    """The rating file inside the wheel, less its header, is the published u.data, byte for byte."""
    import hashlib

    path = _fetch.cache_folder() / movielens._WHEEL.filename
    if not path.exists():
        pytest.skip("this cache holds the publisher's own file")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("recbole/dataset_example/ml-100k/ml-100k.inter")
    published = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"
    assert hashlib.sha256(text.split(b"\n", 1)[1]).hexdigest() == published
