"""Embeddings: ranking against a loop, ids of every kind, files that are whole or refused."""

from __future__ import annotations

import builtins
import errno
import json
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import _atomic
from companion import _embedding_files as files
from companion import embeddings as module
from companion.embeddings import Embeddings


def letters(vectors: Any) -> Embeddings:
    return Embeddings([chr(97 + row) for row in range(len(vectors))], vectors)


def random_embeddings(n: int = 40, dim: int = 5, seed: int = 0) -> Embeddings:
    rng = np.random.default_rng(seed)
    return Embeddings([f"item {i}" for i in range(n)], rng.normal(size=(n, dim)))


# --- ranking -----------------------------------------------------------------------------


def test_cosines_that_one_can_check_by_hand() -> None:
    e = letters([[3, 4], [4, 3], [5, 12], [0, 7], [-6, -8]])
    expected = [("c", 63 / 65), ("b", 24 / 25), ("d", 4 / 5), ("e", -1.0)]
    assert [id_ for id_, _ in e.similar("a")] == [id_ for id_, _ in expected]
    for (_, score), (_, exact) in zip(e.similar("a"), expected, strict=True):
        assert score == pytest.approx(exact, rel=1e-7)


def test_each_metric_by_hand() -> None:
    e = letters([[3, 4], [1, 0], [0, 0]])
    assert e.nearest([1, 0], metric="dot") == [("a", 3.0), ("b", 1.0), ("c", 0.0)]
    root = float(np.float32(math.sqrt(20)))
    assert e.nearest([1, 0], metric="euclidean") == [("b", 0.0), ("c", -1.0), ("a", -root)]
    cosines = e.nearest([1, 0], metric="cosine")
    assert cosines == [("b", 1.0), ("a", pytest.approx(3 / 5)), ("c", 0.0)]


def slow_score(row: Any, query: Any, metric: str) -> float:
    dot = sum(float(x) * float(y) for x, y in zip(row, query, strict=True))
    if metric == "dot":
        return dot
    if metric == "euclidean":
        return -math.sqrt(sum((float(x) - float(y)) ** 2 for x, y in zip(row, query, strict=True)))
    lengths = [math.sqrt(sum(float(x) ** 2 for x in v)) for v in (row, query)]
    return dot / (lengths[0] * lengths[1]) if all(lengths) else 0.0


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("block", [1, 13, 16_384])  # 13 leaves one of 40 rows over
def test_nearest_agrees_with_a_loop(
    metric: Any, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    e = random_embeddings()
    query = np.random.default_rng(1).normal(size=5).astype(np.float32)
    slow = sorted(
        ((slow_score(e[id_], query, metric), -e.code(id_), id_) for id_ in e.ids), reverse=True
    )
    found = e.nearest(query, k=12, metric=metric)
    assert [id_ for id_, _ in found] == [id_ for _, _, id_ in slow[:12]]
    for (_, score), (exact, _, _) in zip(found, slow, strict=False):
        assert score == pytest.approx(exact, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_similar_is_nearest_without_the_id_itself(metric: Any) -> None:
    e = random_embeddings()
    whole = [pair for pair in e.nearest(e["item 3"], k=40, metric=metric) if pair[0] != "item 3"]
    assert e.similar("item 3", k=40, metric=metric) == whole
    assert e.similar("item 3", k=4, metric=metric) == whole[:4]


def test_a_twin_of_the_id_is_kept_and_only_the_id_left_out() -> None:
    e = letters([[1, 0], [1, 0], [1, 0]])
    assert e.similar("b") == [("a", 1.0), ("c", 1.0)]


def test_ties_keep_the_order_of_the_rows_even_at_other_lengths() -> None:
    rng = np.random.default_rng(4)
    direction = rng.normal(size=33).astype(np.float32)
    lengths = 2.0 ** rng.integers(-20, 20, size=200)  # powers of two: float32 rounds nothing
    e = Embeddings(range(200), lengths[:, None] * direction)
    assert [id_ for id_, _ in e.nearest(rng.normal(size=33), k=200)] == list(range(200))


def test_zero_vectors_have_cosine_zero_with_everything() -> None:
    e = letters([[0, 0], [1, 0], [-1, 0]])
    assert e.nearest([2, 0]) == [("b", 1.0), ("a", 0.0), ("c", -1.0)]
    assert e.nearest([0, 0]) == [("a", 0.0), ("b", 0.0), ("c", 0.0)]
    assert e.similar("a") == [("b", 0.0), ("c", 0.0)]


@pytest.mark.parametrize("k", [3, 4, 10**12])
def test_k_beyond_n_gives_what_there_is(k: int) -> None:
    e = letters([[1, 0], [0, 1], [1, 1]])
    assert len(e.nearest([1, 0], k=k)) == 3
    assert len(e.similar("a", k=k)) == 2
    assert letters([[1.0]]).similar("a", k=k) == []


def test_huge_and_tiny_vectors_neither_overflow_nor_vanish() -> None:
    big, tiny = 3e38, 1e-44
    e = letters([[big, big], [tiny, tiny], [-big, big]])
    for query in ([big, big], [tiny, tiny]):
        scores = dict(e.nearest(query))
        assert scores == {"a": pytest.approx(1), "b": pytest.approx(1), "c": pytest.approx(0)}
    limit = float(np.finfo(np.float32).max)
    assert e.nearest([big, big], k=1, metric="dot") == [("a", limit)]
    assert e.nearest([big, -big], metric="euclidean")[-1] == ("c", -limit)
    assert np.allclose(e.normalized().vectors[:2], math.sqrt(0.5))


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_the_callers_query_is_left_alone(metric: Any) -> None:
    e = random_embeddings()
    query = np.arange(5, dtype=np.float32)
    query.flags.writeable = False
    e.nearest(query, metric=metric)
    assert query.tolist() == [0, 1, 2, 3, 4]
    before = e.vectors.copy()
    e.nearest(e["item 1"], metric=metric)
    assert np.array_equal(e.vectors, before)


# --- what it holds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda v: v,
        lambda v: v.astype(np.float32),
        np.asfortranarray,
        lambda v: np.repeat(v, 2, axis=1)[:, ::2],
        lambda v: v[::-1][::-1],
        lambda v: v.tolist(),
        lambda v: v.astype(int),
        pd.DataFrame,
    ],
    ids=["float64", "float32", "fortran", "strided", "reversed", "list", "int", "frame"],
)
def test_vectors_of_every_layout_come_out_the_same(make: Callable[[Any], Any]) -> None:
    values = np.arange(12.0).reshape(4, 3)
    given_vectors = make(values)
    if isinstance(given_vectors, np.ndarray):
        given_vectors.flags.writeable = False
    e = letters(given_vectors)
    assert e.vectors.dtype == np.float32
    assert e.vectors.flags.c_contiguous
    assert np.array_equal(e.vectors, values)
    assert e["b"].tolist() == [3, 4, 5]


def test_the_copy_is_private_and_cannot_be_written_to() -> None:
    values = np.ones((2, 2), dtype=np.float32)
    e = letters(values)
    values[:] = 7
    assert e.vectors.tolist() == [[1, 1], [1, 1]]
    for view in (e.vectors, e["a"]):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True


def test_lookups() -> None:
    e = Embeddings([10, "10", ("a", 1), None, False], np.arange(10).reshape(5, 2))
    assert (len(e), e.dim, e.ids) == (5, 2, (10, "10", ("a", 1), None, False))
    assert list(e) == list(e.ids)
    assert (e.code(10), e.code("10"), e.code(("a", 1)), e.code(None)) == (0, 1, 2, 3)
    assert e.codes(["10", 10, "10"]).tolist() == [1, 0, 1]
    assert e.codes([]).dtype == np.int64
    assert None in e
    assert "none" not in e
    assert e[("a", 1)].tolist() == [4, 5]
    assert repr(e) == "Embeddings(n=5, dim=2)"


def test_no_id_is_reserved() -> None:
    ids = [0, -1, "", "<pad>", None, "nan"]
    e = Embeddings(ids, np.eye(6))
    assert e.codes(ids).tolist() == list(range(6))
    assert {id_ for id_, _ in e.similar(-1)} == {0, "", "<pad>", None, "nan"}


def test_numpy_scalars_become_pythons_own() -> None:
    e = Embeddings(np.array([3, 1]), np.eye(2))
    assert [type(id_) for id_ in e.ids] == [int, int]
    assert e.code(np.int32(1)) == 1
    mixed = Embeddings(
        [np.str_("a"), np.float32(0.5), np.bool_(True), (np.int8(4), "b")], np.eye(4)
    )
    assert mixed.ids == ("a", 0.5, True, (4, "b"))
    assert [type(id_) for id_ in mixed.ids] == [str, float, bool, tuple]
    assert type(mixed.ids[3][0]) is int  # type: ignore[index]
    assert Embeddings(pd.Index([5, 6]), np.eye(2)).ids == (5, 6)


def test_normalized_is_new_and_keeps_zero_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 2)
    e = letters([[3, 4], [0, 0], [0, -2]])
    unit = e.normalized()
    assert unit.ids == e.ids
    assert np.allclose(unit.vectors, [[3 / 5, 4 / 5], [0, 0], [0, -1]])
    assert e["a"].tolist() == [3, 4]


def test_subset_takes_the_order_asked_for() -> None:
    e = letters([[1, 0], [2, 0], [3, 0]])
    part = e.subset(["c", "a"])
    assert part.ids == ("c", "a")
    assert part.vectors.tolist() == [[3, 0], [1, 0]]
    assert e.subset(id_ for id_ in e.ids).vectors.tolist() == e.vectors.tolist()
    with pytest.raises(KeyError, match="'z' is not among the 3 ids"):
        e.subset(["a", "z"])
    with pytest.raises(ValueError, match="ids must be distinct, got 'a' more than once"):
        e.subset(["a", "a"])
    with pytest.raises(ValueError, match="at least 1"):
        e.subset([])


# --- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "vectors", "error", "message"),
    [
        (["a", "b", "a"], np.eye(3), ValueError, "distinct, got 'a' more than once"),
        ([1, True], np.eye(2), ValueError, r"got 1 more than once .*1, 1.0 and True"),
        ([0.0, "0", False], np.eye(3), ValueError, "got 0.0 more than once"),
        (list(range(8)) * 2, np.eye(16), ValueError, "0, 1, 2, 3, 4 and 3 more more than once"),
        ([["a"]], np.eye(1), TypeError, r"hashable, got \['a'\] of type list"),
        ([("a", [1])], np.eye(1), TypeError, "hashable, .* of type tuple"),
        ("ab", np.eye(2), TypeError, "not one string, got 'ab'"),
        ([math.nan, 1], np.eye(2), ValueError, "must not be NaN"),
        ([(1, np.float64("nan")), 1], np.eye(2), ValueError, "must not be NaN"),
        (["a"], np.eye(2), ValueError, r"1 ids and vectors of shape \(2, 2\)"),
        (["a", "b"], [1.0, 2.0], ValueError, r"shape \(n, D\), .* got \(2,\)"),
        (["a"], np.zeros((1, 1, 1)), ValueError, r"got \(1, 1, 1\)"),
        ([], np.zeros((0, 4)), ValueError, r"both at least 1, got \(0, 4\)"),
        ([], [], ValueError, r"both at least 1, got \(0,\)"),
        (["a"], np.zeros((1, 0)), ValueError, r"both at least 1, got \(1, 0\)"),
        (["a"], [["x"]], TypeError, "vectors must be an array of numbers, got dtype <U1"),
        (["a"], [[None]], TypeError, "array of numbers, got dtype object"),
        (["a"], [[1j]], TypeError, "array of numbers, got dtype complex128"),
        (["a", "b"], [[1.0], [1.0, 2.0]], ValueError, "vectors must be a regular array"),
        (["a", "b"], [[0, 1], [math.nan, 0]], ValueError, r"finite .* got nan at \(1, 0\)"),
        (["a"], [[0, -math.inf]], ValueError, r"finite .* got -inf at \(0, 1\)"),
        (["a"], [[1e39]], ValueError, r"finite as float32, got 1e\+39 at \(0, 0\)"),
    ],
)
def test_bad_embeddings_are_refused(
    ids: Any, vectors: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Embeddings(ids, vectors)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e: e["z"], KeyError, "'z' is not among the 2 ids"),
        (lambda e: e.code(0), KeyError, "0 is not among"),
        (lambda e: e.codes(["a", "q"]), KeyError, "'q' is not among"),
        (lambda e: e.codes("ab"), TypeError, "not one string, got 'ab': pass a list"),
        (lambda e: e.codes(b"ab"), TypeError, "not one string, got b'ab': pass a list"),
        (lambda e: e.subset("ab"), TypeError, "not one string, got 'ab': pass a list"),
        (lambda e: e.similar("z"), KeyError, "'z' is not among"),
        (lambda e: e.similar("a", k=0), ValueError, "k must be an integer of at least 1, got 0"),
        (lambda e: e.nearest([0, 1], k=-1), ValueError, "k .* got -1"),
        (lambda e: e.nearest([0, 1], k=1.5), TypeError, "k .* got 1.5"),
        (lambda e: e.nearest([0, 1], metric="l2"), ValueError, "metric must be one of .*'l2'"),
        (lambda e: e.nearest([1]), ValueError, r"vector must have shape \(2,\), got \(1,\)"),
        (lambda e: e.nearest([[0, 1]]), ValueError, r"shape \(2,\), got \(1, 2\)"),
        (lambda e: e.nearest([0, math.nan]), ValueError, r"vector must be finite .* at \(1,\)"),
        (lambda e: e.nearest([0, 1e39]), ValueError, "vector must be finite as float32"),
        (lambda e: e.nearest("ab"), TypeError, "vector must be an array of numbers"),
    ],
)
def test_bad_questions_are_refused(
    call: Callable[[Embeddings], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(letters([[1, 0], [0, 1]]))


# --- save and load -----------------------------------------------------------------------

plain_ids = st.one_of(
    st.text(),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
)
any_ids = st.recursive(plain_ids, lambda inner: st.lists(inner, max_size=3).map(tuple))


def kinds(id_: Any) -> Any:
    return [kinds(part) for part in id_] if isinstance(id_, tuple) else (type(id_), repr(id_))


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(any_ids, min_size=1, max_size=8, unique=True), seed=st.integers(0, 999))
def test_what_was_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[Any], seed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.safetensors"
    vectors = np.random.default_rng(seed).normal(size=(len(ids), 3)).astype(np.float32)
    Embeddings(ids, vectors).save(path)
    back = Embeddings.load(path)
    assert [kinds(id_) for id_ in back.ids] == [kinds(id_) for id_ in ids]
    assert back.vectors.tobytes() == vectors.tobytes()


def test_types_stay_apart() -> None:
    ids = ["1", 1, ("1",), (1,), (True, "x"), (1.0, "y"), None, "None", math.inf, -math.inf, "é"]
    e = Embeddings(ids, np.eye(len(ids)))
    assert e.codes(ids).tolist() == list(range(len(ids)))


@pytest.mark.parametrize("one", [1, 1.0, True])
def test_one_comes_back_as_the_one_it_was(one: Any, tmp_path: Path) -> None:
    Embeddings([one, "1"], np.eye(2)).save(tmp_path / "e")
    back = Embeddings.load(tmp_path / "e")
    assert type(back.ids[0]) is type(one)
    assert back.code(1) == back.code(1.0) == back.code(True) == 0


def test_equal_embeddings_give_equal_bytes_in_the_published_format(tmp_path: Path) -> None:
    from safetensors import safe_open

    e = letters([[1, 2], [3, 4]])
    e.save(tmp_path / "one")
    letters(np.asfortranarray([[1.0, 2], [3, 4]])).save(str(tmp_path / "two"))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with safe_open(tmp_path / "one", framework="numpy") as file:
        about = file.metadata()
        assert file.get_tensor("vectors").tolist() == [[1, 2], [3, 4]]
        assert json.loads(file.get_tensor("ids").tobytes()) == ["a", "b"]
    assert (about["format"], about["version"]) == ("companion.embeddings", "1")
    assert len(about["sha256"]) == 64
    head = (tmp_path / "one").read_bytes()[:8]
    assert int.from_bytes(head, "little") % 8 == 0  # numbers start where memory maps like them


@pytest.mark.parametrize(
    ("id_", "name"),
    [
        (b"a", "bytes"),
        (frozenset([1]), "frozenset"),
        (pd.Timestamp("2020-01-01"), "Timestamp"),
        (np.datetime64("2020-01-01"), "datetime64"),
        ((1, b"x"), "bytes"),
        (1j, "complex"),
    ],
)
def test_ids_that_cannot_be_saved_are_named_before_anything_is_written(
    id_: Any, name: str, tmp_path: Path
) -> None:
    e = Embeddings(["a", id_], np.eye(2))
    assert e.code(id_) == 1
    with pytest.raises(TypeError, match=f"can be saved, got .* of type {name}"):
        e.save(tmp_path / "e")
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        Embeddings(["\ud800"], [[1]]).save(tmp_path / "e")
    assert list(tmp_path.iterdir()) == []


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk:
    """A file that takes some bytes and then no more."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.room = 100

    def write(self, data: Any) -> int:
        self.room -= memoryview(data).nbytes
        return no_space() if self.room < 0 else self.file.write(data)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def full_disk(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
    file = real_open(path, mode, *arguments, **options)
    return FullDisk(file) if "x" in mode or "w" in mode else file


real_open = builtins.open
WRITERS: list[Callable[[Embeddings, Path], None]] = [
    Embeddings.save,
    Embeddings.to_word2vec_text,
    lambda e, path: e.to_projector(path.parent),
]


@pytest.mark.parametrize("write", WRITERS, ids=["save", "word2vec", "projector"])
@pytest.mark.parametrize("failure", ["replace", "fsync", "write"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    write: Callable[[Embeddings, Path], None],
    failure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "vectors.tsv"
    write(letters([[1, 2], [3, 4]]), path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        if failure == "write":
            patch.setattr(_atomic, "open", full_disk, raising=False)
        else:
            patch.setattr(os, failure, no_space)
        with pytest.raises(OSError, match="No space left"):
            write(random_embeddings(), path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    write(random_embeddings(), path)  # the patch is what failed, not the writing
    assert path.read_bytes() != before["vectors.tsv"]
    assert len(list(tmp_path.iterdir())) == len(before)


def test_the_file_appears_only_after_everything_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = os.replace

    def watch(draft: Path, path: Path) -> None:
        seen.append((Embeddings.load(draft).ids, Path(path).exists(), Path(draft).parent))
        real(draft, path)

    monkeypatch.setattr(os, "replace", watch)
    letters([[1], [2]]).save(tmp_path / "e")
    assert seen == [(("a", "b"), False, tmp_path)]


def test_the_file_has_the_rights_of_any_other_new_file(tmp_path: Path) -> None:
    letters([[1]]).save(tmp_path / "e")
    (tmp_path / "plain").touch()
    assert (tmp_path / "e").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_saving_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing"):
        letters([[1]]).save(tmp_path / "missing" / "e")


def test_loading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        Embeddings.load(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        Embeddings.load(tmp_path)


def saved_bytes(folder: Path) -> bytes:
    Embeddings(["a", 2], [[1, 2], [3, 4]]).save(folder / "good")
    return (folder / "good").read_bytes()


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    good = saved_bytes(tmp_path)
    bad = tmp_path / "bad"
    for length in range(len(good)):
        bad.write_bytes(good[:length])
        with pytest.raises(ValueError, match="bad is truncated or no safetensors file"):
            Embeddings.load(bad)
    bad.write_bytes(good + b"\0")
    with pytest.raises(ValueError, match="bad is truncated or no safetensors file"):
        Embeddings.load(bad)


@pytest.mark.parametrize("flip", [1, 2, 32, 128])
def test_a_changed_byte_anywhere_is_refused(tmp_path: Path, flip: int) -> None:
    good = saved_bytes(tmp_path)
    bad = tmp_path / "bad"
    for place in range(len(good)):
        edited = bytearray(good)
        edited[place] ^= flip
        bad.write_bytes(edited)
        with pytest.raises(ValueError, match="bad "):
            Embeddings.load(bad)


def edited_file(path: Path, good: bytes, old: bytes, new: bytes) -> Path:
    assert good.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(good.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"companion.embeddings", b"companion.embeddingz", "must be of format .*embeddingz"),
        (b'"version":"1"', b'"version":"2"', "must be of version '1', got '2'"),
        (b'["a", 2]', b'["b", 2]', "checksum differs"),
        (b'["a", 2]', b'["a", 3]', "checksum differs"),
        (np.float32(3).tobytes(), np.float32(5).tobytes(), "checksum differs"),
        (b'"shape":[2,2]', b'"shape":[1,4]', "checksum differs"),
        (b'"dtype":"F32"', b'"dtype":"I32"', "must hold vectors"),
        (b'"ids":', b'"idz":', "must hold vectors"),
    ],
)
def test_a_file_edited_by_hand_says_what_is_wrong(
    old: bytes, new: bytes, message: str, tmp_path: Path
) -> None:
    path = edited_file(tmp_path / "bad", saved_bytes(tmp_path), old, new)
    with pytest.raises(ValueError, match=message):
        Embeddings.load(path)


def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.eye(2)}, tmp_path / "model")
    with pytest.raises(ValueError, match=r"must be of format .*, got None"):
        Embeddings.load(tmp_path / "model")


@pytest.mark.parametrize(
    "ids", [b"[", b'"ab"', b'["a"]', b'["a","a"]', b'["a",{"int":1}]', b"[1,NaN]", b"7"]
)
def test_a_forged_file_with_a_right_checksum_is_still_checked(ids: bytes, tmp_path: Path) -> None:
    tensors = {"vectors": np.eye(2, dtype="<f4"), "ids": np.frombuffer(ids, "u1")}
    body = b"".join(tensor.tobytes() for tensor in tensors.values())
    (tmp_path / "bad").write_bytes(files._header(tensors) + body)
    with pytest.raises(ValueError, match="bad does not hold valid embeddings"):
        Embeddings.load(tmp_path / "bad")


# --- other tools -------------------------------------------------------------------------


def gensim_models() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("gensim.models")


def test_gensim_finds_the_same_neighbours() -> None:
    gensim_models()
    e = random_embeddings()
    keyed = e.to_gensim()
    assert keyed.index_to_key == list(e.ids)
    assert np.array_equal(keyed.vectors, e.vectors)
    theirs, ours = keyed.most_similar("item 3", topn=8), e.similar("item 3", k=8)
    assert [id_ for id_, _ in ours] == [id_ for id_, _ in theirs]
    np.testing.assert_allclose([s for _, s in ours], [s for _, s in theirs], rtol=1e-5)


def test_keys_that_collide_are_named_and_a_key_function_resolves_them() -> None:
    gensim_models()
    e = Embeddings([1, "1", ("u", 2)], np.eye(3))
    with pytest.raises(ValueError, match="ids 1 and '1' share the key '1'"):
        e.to_gensim()
    keyed = e.to_gensim(key=repr)
    assert keyed.index_to_key == ["1", "'1'", "('u', 2)"]
    assert keyed["'1'"].tolist() == [0, 1, 0]


def test_word2vec_text_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    models = gensim_models()
    rng = np.random.default_rng(7)
    ids = ["Toy Story (1995)", "tab\there", "line\nbreak", "nbsp\xa0", 12, "Amélie", ("a", 1)]
    vectors = (rng.normal(size=(7, 6)) * 10.0 ** rng.integers(-38, 38, (7, 6))).astype(np.float32)
    Embeddings(ids, vectors).to_word2vec_text(tmp_path / "w2v.txt")
    back = models.KeyedVectors.load_word2vec_format(tmp_path / "w2v.txt")
    assert back.index_to_key == [
        "Toy_Story_(1995)",
        "tab_here",
        "line_break",
        "nbsp_",
        "12",
        "Amélie",
        "('a',_1)",
    ]
    assert back.vectors.tobytes() == vectors.tobytes()
    assert (tmp_path / "w2v.txt").read_bytes().startswith(b"7 6\n")


def test_word2vec_words_come_from_the_key_function(tmp_path: Path) -> None:
    Embeddings([1, "1"], [[1, 2], [3, 4]]).to_word2vec_text(tmp_path / "w2v.txt", key=repr)
    assert (tmp_path / "w2v.txt").read_text() == "2 2\n1 1.0 2.0\n'1' 3.0 4.0\n"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a b", "a_b"], "ids 'a b' and 'a_b' share the key 'a_b'"),
        ([1, "1"], "ids 1 and '1' share the key '1'"),
        (["", "x"], "not empty"),
    ],
)
def test_words_that_cannot_be_written_are_refused(
    ids: list[Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        Embeddings(ids, np.eye(2)).to_word2vec_text(tmp_path / "w2v.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_projectors_files(tmp_path: Path) -> None:
    ids = ["a\tb", "c\nd\r", "back\\slash", "", " ", 3]
    folder = tmp_path / "new" / "folder"
    Embeddings(ids, np.arange(12).reshape(6, 2) / 8).to_projector(folder)
    lines = (folder / "metadata.tsv").read_bytes().decode().split("\n")
    assert lines == [r"a\tb", r"c\nd\r", r"back\\slash", "''", "' '", "3", ""]
    vectors = [line.split("\t") for line in (folder / "vectors.tsv").read_text().splitlines()]
    assert [[float(x) for x in row] for row in vectors] == (
        np.arange(12).reshape(6, 2) / 8
    ).tolist()


def test_the_projectors_metadata_is_found_by_id_and_gets_a_heading(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"title": ["Heat", "Ran\n(1985)", "unused"], "year": [1995, 1985, 0]}, index=[7, 5, 6]
    )
    Embeddings([5, 7], np.eye(2)).to_projector(tmp_path, frame)
    lines = (tmp_path / "metadata.tsv").read_text().splitlines()
    assert lines == ["id\ttitle\tyear", "5\tRan\\n(1985)\t1985", "7\tHeat\t1995"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": [1]}, index=["a"]), "row for each id, lacks 'b'"),
        (pd.DataFrame({"x": [1, 2, 3]}, index=["a", "b", "a"]), "distinct index"),
        (pd.DataFrame({"id": [1, 2]}, index=["a", "b"]), "must not have a column 'id'"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    frame: pd.DataFrame, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        letters([[1], [2]]).to_projector(tmp_path / "p", frame)
    assert not (tmp_path / "p").exists()
