"""Learned vectors with the caller's own ids: look up, rank, save, hand on to other tools.

Every method of the book ends in `Embeddings`; what comes after knows nothing of how they were
learned.  Ids are told apart as the keys of a dict are: ``1`` and ``"1"`` are two ids, while
``1``, ``1.0`` and ``True`` are equal in Python and so are one id.  None is reserved.

Axes: n ids, D dimension, K list length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from companion import _embedding_files as files
from companion._checks import check_count, check_option, refuse_one_string, some
from companion._optional import require
from companion.topk import top_k

if TYPE_CHECKING:
    import pandas as pd

Metric = Literal["cosine", "dot", "euclidean"]
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
        If an id is not hashable, ``ids`` is one string, or ``vectors`` is not numeric.
    ValueError
        If ids repeat, the lengths differ, or ``vectors`` is empty, not 2-D or not finite.

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
        refuse_one_string("ids", ids)
        self._ids = tuple(files.plain(id_) for id_ in ids)
        self._codes = _number(self._ids)
        self._vectors = _as_floats("vectors", vectors)
        if len(shape := self._vectors.shape) != 2 or 0 in shape:
            raise ValueError(f"vectors must have shape (n, D), both at least 1, got {shape}")
        if len(self._ids) != len(self._vectors):
            raise ValueError(
                f"ids and vectors must have one length, got {len(self._ids)} ids "
                f"and vectors of shape {shape}"
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
        refuse_one_string("ids", ids)
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
            Scores are worked out in float64 and given as float32, cut off at its range.  A
            zero vector has no direction: its cosine with anything is 0.

        Raises
        ------
        TypeError, ValueError
            If the vector has another shape or is not finite, or ``k`` or ``metric`` is wrong.

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
        """Write one safetensors file (no pickle), whole or not at all; equal ones, equal bytes.

        Parameters
        ----------
        path : str or Path
            In a folder that exists.  What stood there is replaced at the very end.

        Raises
        ------
        TypeError
            If an id is no str, int, float, bool, None or tuple of these (types are kept).
        ValueError
            If a string is not valid Unicode or a tuple holds a NaN.
        """
        files.write_safetensors(path, self._ids, self._vectors)

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
        ids, vectors = files.read_safetensors(path)
        try:
            return cls(files.ids_from_json(ids), vectors)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} does not hold valid embeddings: {error}") from error

    def to_gensim(self, *, key: Callable[[Hashable], str] = str) -> Any:
        """Return gensim KeyedVectors.

        Its keys are strings, ``key(id)``; where two ids would share one, such as ``1`` and
        ``"1"``, ValueError names both (``key=repr`` keeps those apart).
        """
        models = require("gensim.models", extra="gensim")
        keyed = models.KeyedVectors(self.dim)
        keyed.add_vectors(files.distinct_keys(self._ids, key), self._vectors)
        return keyed

    def to_word2vec_text(self, path: str | Path, *, key: Callable[[Hashable], str] = str) -> None:
        """Write word2vec's text format, exact to the last bit of float32.

        Words are ``key(id)`` with ``_`` for every white-space character, which the format
        cannot hold.  An empty word, or one word for two ids, raises ValueError.
        """
        files.write_word2vec_text(path, self._ids, self._vectors, key)

    def to_projector(self, folder: str | Path, metadata: pd.DataFrame | None = None) -> None:
        r"""Write ``vectors.tsv`` and ``metadata.tsv`` for the TensorBoard projector.

        Backslash, tab and line breaks are written ``\\``, ``\t``, ``\n`` and ``\r``; a blank
        id is written in quotes, since the projector skips blank lines.

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
        """
        files.write_projector(folder, self._ids, self._vectors, metadata)


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
            f"ids must be distinct, got {some(repeated)} more than once "
            "(equal ids are one: 1, 1.0 and True)"
        )
    return codes


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
    """Score every row against the query; (n,)."""
    # In float64 products cannot overflow, and rows that point one way tie once in float32.
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
