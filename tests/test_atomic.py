"""A file is written whole or not at all, and the error that stopped it reaches the caller."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from companion import _atomic
from companion._atomic import written_whole

OLD, NEW = b"what stood there", b"what is to stand there"


class FullDisk(io.FileIO):
    """Takes a few bytes and then no more."""

    def write(self, data: Any) -> int:
        super().write(data[:3])
        raise no_space()


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def raising(error: BaseException) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> Any:
        raise error

    return call


@pytest.fixture(params=["new", "replaced"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where to write: no file as yet, or an old one."""
    if request.param == "replaced":
        (tmp_path / "file").write_bytes(OLD)
    return tmp_path / "file"


def contents(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def write_new(path: Path | str, then: Callable[[], object] = lambda: None) -> None:
    with written_whole(path) as file:
        file.write(NEW)
        then()


@pytest.mark.parametrize("kind", [str, Path])
def test_all_of_it_appears_and_nothing_else(path: Path, kind: type) -> None:
    write_new(kind(path))
    assert contents(path.parent) == {"file": NEW}


def test_until_the_end_the_old_file_stands(path: Path) -> None:
    before = contents(path.parent)
    with written_whole(path) as file:
        file.write(NEW)
        file.flush()
        seen = contents(path.parent)
        assert {name: seen[name] for name in before} == before
        assert len(seen) == len(before) + 1  # the draft lies in the same folder


def test_what_is_moved_is_complete_and_synced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Any] = []
    fsync, replace = os.fsync, os.replace

    def watch_fsync(handle: int) -> None:
        steps.append(("synced", os.fstat(handle).st_size))
        fsync(handle)

    def watch_replace(draft: Path, target: Path) -> None:
        steps.append(("moved", draft.read_bytes(), draft.parent == target.parent))
        replace(draft, target)

    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(os, "replace", watch_replace)
    write_new(path)
    assert steps == [("synced", len(NEW)), ("moved", NEW, True)]


@pytest.mark.parametrize("error", [ValueError("half-way"), no_space(), KeyboardInterrupt()])
def test_an_error_inside_the_block_changes_nothing(path: Path, error: BaseException) -> None:
    before = contents(path.parent)
    with pytest.raises(type(error)) as caught:
        write_new(path, then=raising(error))
    assert caught.value is error
    assert contents(path.parent) == before


def test_a_full_disk_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(_atomic, "open", FullDisk, raising=False)
        with pytest.raises(OSError, match="No space left") as caught:
            write_new(path)
    assert caught.value.errno == errno.ENOSPC
    assert contents(path.parent) == before
    write_new(path)  # the disk was what failed
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [no_space(), PermissionError("not yours"), KeyboardInterrupt()])
def test_a_failing_last_step_changes_nothing(
    path: Path, step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(path.parent)
    monkeypatch.setattr(os, step, raising(error))
    with pytest.raises(type(error)) as caught:
        write_new(path)
    assert caught.value is error
    assert contents(path.parent) == before


def test_a_draft_that_cannot_be_removed_does_not_hide_the_first_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = no_space()
    monkeypatch.setattr(os, "replace", raising(first))
    monkeypatch.setattr(Path, "unlink", raising(PermissionError("read-only now")))
    with pytest.raises(OSError, match="No space left") as caught:
        write_new(path)
    assert caught.value is first


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing"):
        write_new(tmp_path / "missing" / "file")
    assert contents(tmp_path) == {}


def test_the_rights_are_those_of_any_other_new_file(path: Path) -> None:
    write_new(path)
    (path.parent / "plain").touch()
    assert path.stat().st_mode == (path.parent / "plain").stat().st_mode
