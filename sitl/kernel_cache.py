"""Which files hold the simulator's kernels, and the guard of their cache (see :mod:`core.kernel_cache`)."""

from __future__ import annotations

from pathlib import Path

from core import kernel_cache

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
    return kernel_cache.drop_stale_caches(here / "__pycache__", (here / name for name in KERNEL_FILES))
