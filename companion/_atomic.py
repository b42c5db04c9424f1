"""Write a file whole or not at all: nobody ever sees half of one, whatever goes wrong."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Lend a new file beside ``path`` and move it into place once all is on the disk.

    Parameters
    ----------
    path : path
        In a folder that exists.  What stood there is replaced at the very end.

    Yields
    ------
    binary file
        Open for writing; it has the rights of any other new file.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    OSError
        Python's own, where writing, syncing or replacing fails.

    Notes
    -----
    After any error, also one raised inside the block, and after Ctrl-C the old file stands
    unchanged, the new one is gone, and the error goes on to the caller.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder) / "list.txt") as file:
    ...         _ = file.write(b"all of it")
    ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('list.txt', 'all of it')]
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write in")
    draft = path.with_name(f".{secrets.token_hex(8)}.part")  # a rename is atomic in one folder
    try:
        with open(draft, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a rename must not outrun the contents
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what the caller must hear
            draft.unlink(missing_ok=True)
        raise
