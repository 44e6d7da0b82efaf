"""Files that only we may read, replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from core.errors import ErrorCode, LinkError

PRIVATE = stat.S_IRUSR | stat.S_IWUSR


def read_private(path: Path) -> bytes:
    """The content. Raises LinkError 1005 where others may read or write the file, or it isn't ours."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if stat.S_IMODE(state.st_mode) & ~PRIVATE or state.st_uid != os.geteuid():
            raise LinkError(
                ErrorCode.LINK_KEY_INVALID,
                f"{path} holds secrets: it must be ours and readable by nobody else (mode 0600)",
            )
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Replace the file: on disk before the old one goes, and never readable by others in between."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
