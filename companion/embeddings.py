"""Learned vectors with the caller's own ids: look up, rank, save, hand on to other tools.

Every method of the book ends in `Embeddings`; what comes after knows nothing of how they were
learned.  Ids are told apart as the keys of a dict are: ``1`` and ``"1"`` are two ids, while
``1``, ``1.0`` and ``True`` are equal in Python and so are one id.  None is reserved.

Axes: n ids, D dimension, K list length.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from scipy import sparse

from companion._checks import check_count, check_option
from companion._optional import require
from companion.topk import top_k

if TYPE_CHECKING:
    import pandas as pd

Metric = Literal["cosine", "dot", "euclidean"]
FORMAT, VERSION = "companion.embeddings", "1"
BLOCK = 16_384  # rows taken to float64 at a time: 8 MB at D = 64


class Embeddings:
    """A vector for each id.

    Parameters
    ----------
    ids : iterable of hashable, length n
        Distinct, in the order of the rows.  NumPy numbers become Python's own; NaN is
        refused, since it could never be looked up.
    vectors : array of float, shape (n, D)
        Finite; kept as a private float32 copy.

    Raises
    ------
    TypeError
        If an id is not hashable, or ``ids`` is one string, or ``vectors`` is not numeric.
    ValueError
        If ids repeat (they are named), the two lengths differ, or ``vectors`` is empty, not
        two-dimensional, or not finite as float32.

    Examples
    --------
    >>> e = Embeddings(["a", "b", "c"], [[3, 4], [4, 3], [-3, -4]])
    >>> e
    Embeddings(n=3, dim=2)
    >>> e["b"].tolist(), e.code("c"), "d" in e
    ([4.0, 3.0], 2, False)
    >>> [(i, round(score, 2)) for i, score in e.similar("a")]
    [('b', 0.96), ('c', -1.0)]
    """

    def __init__(self, ids: Iterable[Hashable], vectors: ArrayLike) -> None:
        if isinstance(ids, str | bytes):
            raise TypeError(f"ids must be a sequence of ids, not one string, got {ids!r}")
        self._ids = tuple(_plain(id_) for id_ in ids)
        self._codes = _number(self._ids)
        self._vectors = _as_vectors(vectors)
        if len(self._ids) != len(self._vectors):
            raise ValueError(
                f"ids and vectors must have one length, got {len(self._ids)} ids "
                f"and vectors of shape {self._vectors.shape}"
            )
        self._vectors.flags.writeable = False

    @property
    def ids(self) -> tuple[Hashable, ...]:
        """The ids, in the order of the rows."""
        return self._ids

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors, shape (n, D): a view that cannot be written to."""
        return self._vectors.view()

    @property
    def dim(self) -> int:
        """The dimension D."""
        return self._vectors.shape[1]

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._codes

    def __repr__(self) -> str:
        return f"Embeddings(n={len(self)}, dim={self.dim})"

    def __getitem__(self, id_: Hashable) -> NDArray[np.float32]:
        return self.vectors[self.code(id_)]

    def code(self, id_: Hashable) -> int:
        """Return the row number of an id; KeyError if there is none."""
        try:
            return self._codes[id_]
        except KeyError:
            raise KeyError(f"{id_!r} is not among the {len(self)} ids") from None

    def codes(self, ids: Iterable[Hashable]) -> NDArray[np.int64]:
        """Return the row numbers of many ids, shape (len(ids),); KeyError at an unknown one."""
        return np.array([self.code(id_) for id_ in ids], dtype=np.int64)

    def similar(
        self, id_: Hashable, k: int = 10, *, metric: Metric = "cosine"
    ) -> list[tuple[Hashable, float]]:
        """Return the k ids nearest to an id, itself left out; the rest as in `nearest`."""
        code = self.code(id_)
        own = sparse.csr_array(([True], ([0], [code])), shape=(1, len(self)))
        return self._rank(self._vectors[code], k, metric, exclude=own)

    def nearest(
        self, vector: ArrayLike, k: int = 10, *, metric: Metric = "cosine"
    ) -> list[tuple[Hashable, float]]:
        """Return the k ids nearest to a vector, best first, ties in the order of the rows.

        Parameters
        ----------
        vector : array of float, shape (D,)
            Finite; taken as float32 and never changed.
        k : int
            At least 1; where it exceeds n, all n come back.
        metric : {"cosine", "dot", "euclidean"}
            Higher is better: under "euclidean" a score is minus the distance.

        Returns
        -------
        list of (id, float)
            Scores are worked out in float64 and given as float32, cut off at its range.

        Raises
        ------
        TypeError, ValueError
            If the vector has another shape or is not finite, or ``k`` or ``metric`` is wrong.

        Notes
        -----
        A zero vector has no direction: its cosine with anything is 0.

        Examples
        --------
        >>> e = Embeddings(["far", "near"], [[0, 9], [1, 1]])
        >>> e.nearest([0, 1], k=1), e.nearest([0, 1], k=1, metric="euclidean")
        ([('far', 1.0)], [('near', -1.0)])
        """
        query = _as_floats("vector", vector)
        if query.shape != (self.dim,):
            raise ValueError(f"vector must have shape ({self.dim},), got {query.shape}")
        return self._rank(query, k, metric, exclude=None)

    def _rank(
        self, query: NDArray[np.float32], k: int, metric: str, exclude: sparse.csr_array | None
    ) -> list[tuple[Hashable, float]]:
        check_option("metric", metric, ("cosine", "dot", "euclidean"))
        width = min(check_count("k", k), len(self))
        scores = _score(self._vectors, query, metric)
        top = top_k(scores[None, :], width, exclude=exclude, overwrite=True)
        found = range(top.lengths()[0])
        return [(self._ids[top.ids[0, i]], float(top.scores[0, i])) for i in found]

    def normalized(self) -> Embeddings:
        """Return new embeddings with rows of length 1; zero rows stay zero."""
        units = self._vectors.copy()
        for start in range(0, len(units), BLOCK):
            block = units[start : start + BLOCK].astype(np.float64)
            norms = np.linalg.norm(block, axis=1, keepdims=True)
            units[start : start + BLOCK] = block / np.where(norms == 0, 1, norms)
        return Embeddings(self._ids, units)

    def subset(self, ids: Iterable[Hashable]) -> Embeddings:
        """Return new embeddings of the ids given, in their order; at least one."""
        rows = self.codes(ids)
        return Embeddings((self._ids[row] for row in rows), self._vectors[rows])

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, whole or not at all; equal embeddings, equal bytes.

        Parameters
        ----------
        path : str or Path
            In a folder that exists.  What stood there is replaced at the very end.

        Raises
        ------
        TypeError
            If an id is not a str, int, float, bool, None or a tuple of these.  Their types
            come back as they are.
        ValueError
            If a string is not valid Unicode or a tuple holds a NaN.

        Notes
        -----
        The tensors are ``vectors`` (float32) and ``ids`` (UTF-8 JSON as uint8), the metadata
        the format, its version and the SHA-256 of both tensors.  No pickle.
        """
        ids = json.dumps([_to_json(id_) for id_ in self._ids], ensure_ascii=False, allow_nan=False)
        tensors = {"vectors": self._vectors.astype("<f4"), "ids": np.frombuffer(ids.encode(), "u1")}
        with _written_whole(path) as file:
            file.write(_header(tensors))
            for tensor in tensors.values():
                file.write(tensor.data)

    @classmethod
    def load(cls, path: str | Path) -> Embeddings:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is truncated, edited, of another format or another version.
        """
        with open(path, "rb"):
            pass  # a missing file, a folder or missing rights raise Python's own errors
        tensors = _read(Path(path))
        try:
            ids = cast(Iterable[Hashable], _from_json(json.loads(tensors["ids"].tobytes())))
            return cls(ids, tensors["vectors"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} does not hold valid embeddings: {error}") from error

    def to_gensim(self, *, key: Callable[[Hashable], str] = str) -> Any:
        """Return gensim KeyedVectors.

        Its keys are strings, ``key(id)``; where two ids would share one, such as ``1`` and
        ``"1"``, ValueError names both (``key=repr`` keeps those apart).
        """
        models = require("gensim.models", extra="gensim")
        keyed = models.KeyedVectors(self.dim)
        keyed.add_vectors(_keys(self._ids, key), self._vectors)
        return keyed

    def to_word2vec_text(self, path: str | Path, *, key: Callable[[Hashable], str] = str) -> None:
        """Write word2vec's text format, exact to the last bit of float32.

        Words are ``key(id)`` with ``_`` for every white-space character, which the format
        cannot hold.  An empty word, or one word for two ids, raises ValueError.
        """
        words = _keys(self._ids, lambda id_: _one_word(key(id_)))
        with _written_whole(path) as file:
            file.write(f"{len(self)} {self.dim}\n".encode())
            for word, row in zip(words, self._vectors, strict=True):
                file.write(f"{word} {' '.join(row.astype(str))}\n".encode())

    def to_projector(self, folder: str | Path, metadata: pd.DataFrame | None = None) -> None:
        r"""Write ``vectors.tsv`` and ``metadata.tsv`` for the TensorBoard projector.

        Parameters
        ----------
        folder : str or Path
            Made if missing.
        metadata : DataFrame, optional
            Further columns, its index the ids; rows of other ids are left out.  Without it
            the one column ``id`` has no heading, as the projector wants it.

        Raises
        ------
        ValueError
            If the index repeats, lacks an id, or there is a column ``id`` already.

        Notes
        -----
        Backslash, tab and line breaks are written ``\\``, ``\t``, ``\n`` and ``\r``; a blank
        id is written in quotes, since the projector skips blank lines.
        """
        table = [[_cell(id_)] for id_ in self._ids]
        if metadata is not None:
            table = _with_columns(table, self._ids, metadata)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        vectors = (row.astype(str).tolist() for row in self._vectors)
        for name, lines in (("vectors.tsv", vectors), ("metadata.tsv", table)):
            with _written_whole(folder / name) as file:
                file.writelines(("\t".join(line) + "\n").encode() for line in lines)


def _plain(id_: Hashable) -> Hashable:
    """Turn NumPy scalars into Python's own, inside tuples too, and refuse NaN."""
    if type(id_) is tuple:
        return tuple(_plain(part) for part in id_)
    if isinstance(id_, np.bool_ | np.integer | np.floating | np.str_):
        id_ = id_.item()
    if isinstance(id_, float) and id_ != id_:
        raise ValueError("ids must not be NaN: it is not equal to itself")
    return id_


def _number(ids: tuple[Hashable, ...]) -> dict[Hashable, int]:
    """Give each id its position; refuse what cannot be looked up and what repeats."""
    for id_ in ids:
        try:
            hash(id_)
        except TypeError as error:
            kind = type(id_).__name__
            raise TypeError(f"ids must be hashable, got {id_!r} of type {kind}") from error
    codes = {id_: row for row, id_ in enumerate(ids)}
    if len(codes) != len(ids):
        repeated = [id_ for id_, count in Counter(ids).items() if count > 1]
        raise ValueError(
            f"ids must be distinct, got {_some(repeated)} more than once "
            "(equal ids are one: 1, 1.0 and True)"
        )
    return codes


def _some(ids: list[Hashable]) -> str:
    rest = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return ", ".join(repr(id_) for id_ in ids[:5]) + rest


def _as_vectors(vectors: ArrayLike) -> NDArray[np.float32]:
    array = _as_floats("vectors", vectors)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"vectors must have shape (n, D), both at least 1, got {array.shape}")
    return array


def _as_floats(name: str, values: ArrayLike) -> NDArray[np.float32]:
    """Return a fresh float32 array in row order, finite."""
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a regular array of numbers: {error}") from error
    if raw.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be an array of numbers, got dtype {raw.dtype}")
    with np.errstate(over="ignore"):  # what overflows is refused below
        array = np.array(raw, dtype=np.float32, order="C")
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(f"{name} must be finite as float32, got {raw[place]!s} at {place}")
    return array


def _score(
    vectors: NDArray[np.float32], query: NDArray[np.float32], metric: str
) -> NDArray[np.float32]:
    """Score every row against the query; (n,).

    In float64, so that products cannot overflow and rows that point the same way tie to
    the last bit of float32.
    """
    q = query.astype(np.float64)
    scores = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK].astype(np.float64)
        part = -np.linalg.norm(block - q, axis=1) if metric == "euclidean" else block @ q
        if metric == "cosine":
            norms = np.linalg.norm(block, axis=1) * np.linalg.norm(q)
            part /= np.where(norms == 0, 1, norms)  # a zero vector: 0 / 1
        scores[start : start + BLOCK] = part
    limit = np.finfo(np.float32).max
    return scores.clip(-limit, limit).astype(np.float32)


@contextmanager
def _written_whole(path: str | Path) -> Iterator[IO[bytes]]:
    """Write beside ``path`` and move into place at the end: whole, or not at all."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write in")
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(draft, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)  # gone already where all went well


def _header(tensors: dict[str, NDArray[Any]]) -> bytes:
    """Return the head of a safetensors file.

    By hand, since the library orders the metadata differently from run to run, and equal
    embeddings should give equal files.
    """
    about = {"format": FORMAT, "version": VERSION, "sha256": _digest(tensors)}
    entries: dict[str, Any] = {"__metadata__": about}
    start = 0
    for (name, tensor), dtype in zip(tensors.items(), ("F32", "U8"), strict=True):
        end = start + tensor.nbytes
        entries[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest(tensors: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over the shape and the bytes of both tensors."""
    digest = hashlib.sha256(repr(tensors["vectors"].shape).encode())
    digest.update(tensors["vectors"].data)
    digest.update(tensors["ids"].data)
    return digest.hexdigest()


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the two tensors of a file that is whole, ours and unchanged."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            _check_kind(path, about)
            names = file.keys()
            tensors = {name: np.ascontiguousarray(file.get_tensor(name)) for name in names}
    except SafetensorError as error:
        raise ValueError(f"{path} is truncated or no safetensors file: {error}") from error
    layout = {name: (tensor.dtype.str, tensor.ndim) for name, tensor in tensors.items()}
    if layout != {"vectors": ("<f4", 2), "ids": ("|u1", 1)}:
        raise ValueError(f"{path} must hold vectors (float32) and ids (uint8), got {layout}")
    if _digest(tensors) != about.get("sha256"):
        raise ValueError(f"{path} was changed after it was saved: its checksum differs")
    return tensors


def _check_kind(path: Path, about: dict[str, str]) -> None:
    found = about.get("format"), about.get("version")
    if found[0] != FORMAT:
        raise ValueError(f"{path} must be of format {FORMAT!r}, got {found[0]!r}")
    if found[1] != VERSION:
        raise ValueError(f"{path} must be of version {VERSION!r}, got {found[1]!r}")


def _to_json(id_: Hashable) -> Any:
    if type(id_) is tuple:
        return [_to_json(part) for part in id_]
    if type(id_) not in (str, int, float, bool, NoneType):
        raise TypeError(
            "only ids of type str, int, float, bool, None and tuples of these can be saved, "
            f"got {id_!r} of type {type(id_).__name__}"
        )
    if isinstance(id_, float) and math.isinf(id_):
        return {"float": str(id_)}  # JSON has no infinity
    return id_


def _from_json(value: Any) -> Hashable:
    if isinstance(value, list):
        return tuple(_from_json(part) for part in value)
    if isinstance(value, dict):
        return float(value["float"])
    return cast(Hashable, value)


def _keys(ids: tuple[Hashable, ...], key: Callable[[Hashable], str]) -> list[str]:
    """Return a key for each id; no two may share one."""
    owners: dict[str, Hashable] = {}
    for id_ in ids:
        word = key(id_)
        if word in owners:
            raise ValueError(f"ids {owners[word]!r} and {id_!r} share the key {word!r}")
        owners[word] = id_
    return list(owners)


def _one_word(text: str) -> str:
    if not text:
        raise ValueError("ids must give words that are not empty, got ''")
    return re.sub(r"\s", "_", text)


def _cell(value: object) -> str:
    text = str(value)
    for mark, written in (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
        text = text.replace(mark, written)
    return text if text.strip() else repr(text)


def _with_columns(
    table: list[list[str]], ids: tuple[Hashable, ...], metadata: pd.DataFrame
) -> list[list[str]]:
    """Append the columns of a frame, found by its index, and put headings on top."""
    if "id" in metadata.columns:
        raise ValueError("metadata must not have a column 'id': the ids are written there")
    rows = {_plain(id_): row for row, id_ in enumerate(metadata.index)}
    if len(rows) != len(metadata):
        raise ValueError("metadata must have a distinct index, got repeats")
    missing = [id_ for id_ in ids if id_ not in rows]
    if missing:
        raise ValueError(f"metadata must have a row for each id, lacks {_some(missing)}")
    cells = [[_cell(value) for value in row] for row in metadata.itertuples(index=False, name=None)]
    heading = ["id", *(_cell(column) for column in metadata.columns)]
    return [heading, *(own + cells[rows[id_]] for own, id_ in zip(table, ids, strict=True))]
