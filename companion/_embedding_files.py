"""The files that `companion.embeddings.Embeddings` reads and writes; each is written whole.

- *safetensors*: the tensors ``vectors`` (float32) and ``ids`` (UTF-8 JSON as uint8); in the
  metadata the format, its version and the SHA-256 of both tensors.  No pickle.
- *word2vec's text*: a line ``n D``, then one a word: the word, a space, D numbers.
- *the TensorBoard projector*: ``vectors.tsv`` and ``metadata.tsv``.

Axes: n ids, D dimension.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from companion._atomic import written_whole
from companion._checks import some

if TYPE_CHECKING:
    import pandas as pd

FORMAT, VERSION = "companion.embeddings", "1"


def plain(id_: Hashable) -> Hashable:
    """Turn NumPy scalars into Python's own, inside tuples too, and refuse NaN."""
    if type(id_) is tuple:
        return tuple(plain(part) for part in id_)
    if isinstance(id_, np.bool_ | np.integer | np.floating | np.str_):
        id_ = id_.item()
    if isinstance(id_, float) and id_ != id_:
        raise ValueError("ids must not be NaN: it is not equal to itself")
    return id_


def write_safetensors(
    path: str | Path, ids: tuple[Hashable, ...], vectors: NDArray[np.float32]
) -> None:
    """Write ids and vectors, shape (n, D), as one safetensors file."""
    text = json.dumps([_to_json(id_) for id_ in ids], ensure_ascii=False, allow_nan=False)
    tensors = {"vectors": vectors.astype("<f4"), "ids": np.frombuffer(text.encode(), "u1")}
    with written_whole(path) as file:
        file.write(_header(tensors))
        for tensor in tensors.values():
            file.write(tensor.data)


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


def read_safetensors(path: str | Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the ids, still as JSON, and the vectors of a file that is whole, ours, unchanged."""
    with open(path, "rb"):
        pass  # a missing file, a folder or missing rights raise Python's own errors
    path = Path(path)
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
    return tensors["ids"], tensors["vectors"]


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


def ids_from_json(ids: NDArray[np.uint8]) -> Iterable[Hashable]:
    """Return what the JSON in a file holds, not yet checked; ValueError if it is no JSON."""
    return cast(Iterable[Hashable], _from_json(json.loads(ids.tobytes())))


def _from_json(value: Any) -> Hashable:
    if isinstance(value, list):
        return tuple(_from_json(part) for part in value)
    if isinstance(value, dict):
        return float(value["float"])
    return cast(Hashable, value)


def write_word2vec_text(
    path: str | Path,
    ids: tuple[Hashable, ...],
    vectors: NDArray[np.float32],
    key: Callable[[Hashable], str],
) -> None:
    """Write word2vec's text format; every white-space character of a word becomes ``_``."""
    words = distinct_keys(ids, lambda id_: _one_word(key(id_)))
    with written_whole(path) as file:
        file.write(f"{len(ids)} {vectors.shape[1]}\n".encode())
        for word, row in zip(words, vectors, strict=True):
            file.write(f"{word} {' '.join(row.astype(str))}\n".encode())


def distinct_keys(ids: tuple[Hashable, ...], key: Callable[[Hashable], str]) -> list[str]:
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


def write_projector(
    folder: str | Path,
    ids: tuple[Hashable, ...],
    vectors: NDArray[np.float32],
    metadata: pd.DataFrame | None,
) -> None:
    """Write the projector's two files into a folder, which is made if missing."""
    table = [[_cell(id_)] for id_ in ids]
    if metadata is not None:
        table = _with_columns(table, ids, metadata)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = (row.astype(str).tolist() for row in vectors)
    for name, lines in (("vectors.tsv", numbers), ("metadata.tsv", table)):
        with written_whole(folder / name) as file:
            file.writelines(("\t".join(line) + "\n").encode() for line in lines)


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
    rows = {plain(id_): row for row, id_ in enumerate(metadata.index)}
    if len(rows) != len(metadata):
        raise ValueError("metadata must have a distinct index, got repeats")
    missing = [id_ for id_ in ids if id_ not in rows]
    if missing:
        raise ValueError(f"metadata must have a row for each id, lacks {some(missing)}")
    cells = [[_cell(value) for value in row] for row in metadata.itertuples(index=False, name=None)]
    heading = ["id", *(_cell(column) for column in metadata.columns)]
    return [heading, *(own + cells[rows[id_]] for own, id_ in zip(table, ids, strict=True))]
