"""Keeps numba's on-disk cache honest across files.

Numba recompiles a cached kernel when its own file changed, but not when a kernel it calls in another
file did. Dropping every index that is older than the newest kernel file closes that gap.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

KERNEL_FILES = (
    "air.py",
    "airframe.py",
    "columns.py",
    "control.py",
    "physics.py",
    "power.py",
    "trajectory.py",
)


def drop_stale_caches(folder: Path | None = None) -> list[str]:
    """Remove stale cache indexes beside the kernels in ``folder``; returns their names.

    A cache elsewhere (numba falls back to the user's cache folder where it may not write here) belongs to an
    installed, unchanging package and is left alone.
    """
    here = folder or Path(__file__).parent
    newest_s = max((here / name).stat().st_mtime for name in KERNEL_FILES if (here / name).exists())
    dropped = []
    for index in (here / "__pycache__").glob("*.nbi"):
        with suppress(OSError):
            if index.stat().st_mtime < newest_s:
                index.unlink()
                dropped.append(index.name)
    return sorted(dropped)
