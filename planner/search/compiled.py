"""How the planner's kernels are compiled, cached, and run where there is no compiler."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from core.kernel_cache import drop_stale_caches

njit: Any
try:
    njit = import_module("numba").njit
except ImportError:
    njit = None
    logging.getLogger(__name__).warning(
        "numba cannot be imported: the planner's kernels run as plain Python, a hundred times slower"
    )

COMPILING: Final = njit is not None
"""Whether there is a compiler."""

# Files that a kernel may take names from. Files with kernels enter themselves, and because a kernel's file
# imports those that it takes names from, they are here before its own kernels are.
_sources: set[Path] = {Path(__file__), Path(__file__).with_name("problem.py")}


def compiled(function: Callable[..., Any], *, forceinline: bool = False) -> Any:
    """Compile without the interpreter lock, cached on disk where any cache folder can be written.

    Numba's cache watches only the file of the function that is called. Here an index is also dropped when any
    file with kernels is newer: a kernel may call kernels of other files, and take constants from those and
    from :mod:`planner.search.problem`, but from no other file of this project.

    Without numba the function itself comes back: the same answers, a hundred times slower.
    """
    if njit is None:
        return function
    try:
        kernel = njit(cache=True, nogil=True, forceinline=forceinline)(function)
    except RuntimeError:  # numba found no writable cache folder; each process then compiles for itself
        return njit(nogil=True, forceinline=forceinline)(function)
    source = Path(function.__code__.co_filename)
    if source not in _sources:
        _sources.add(source)
        stats = getattr(kernel, "stats", None)  # NUMBA_DISABLE_JIT gives back plain functions
        if stats is not None and stats.cache_path is not None:
            drop_stale_caches(Path(stats.cache_path), _sources, module=source.stem)
    return kernel


def inlined(function: Callable[..., Any]) -> Any:
    """Compile as part of the kernels that call it."""
    return compiled(function, forceinline=True)
