"""Keeps numba's on-disk cache honest across files.

Numba recompiles a cached kernel when its own file changed, but not when a kernel or a constant that it takes
from another file did. Dropping every index that is older than the newest of the files closes that gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def drop_stale_caches(folder: Path, sources: Iterable[Path], *, module: str = "") -> list[str]:
    """Remove indexes in the cache ``folder`` that are older than the newest of ``sources``; returns their names.

    ``module``: only indexes of the file of that name, without its suffix; all by default. Call it before the
    first kernel runs: numba reads an index once. A source that can't be read counts for nothing, since then
    nothing can have been compiled from it.
    """
    newest_s = 0.0
    for source in sources:
        with suppress(OSError):
            newest_s = max(newest_s, source.stat().st_mtime)
    dropped = []
    for index in folder.glob(f"{module}.*.nbi" if module else "*.nbi"):
        with suppress(OSError):  # another process may be doing the same
            if index.stat().st_mtime < newest_s:
                index.unlink()
                dropped.append(index.name)
    return sorted(dropped)
