"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any], *, forceinline: bool = False) -> Any:
    """Compile without the interpreter lock, cached on disk where any cache folder can be written.

    numba's cache watches only the file of the function that is called: a kernel may call others of its own file
    only, or an edited helper would leave stale machine code behind.
    """
    try:
        return njit(cache=True, nogil=True, forceinline=forceinline)(function)
    except RuntimeError:  # numba found no writable cache folder; each process then compiles for itself
        return njit(nogil=True, forceinline=forceinline)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile as part of the kernels that call it."""
    return compiled(function, forceinline=True)
