"""Loading modules in less time: a hub that comes back after a crash is waited for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """What modules make stays: looking through it again and again for garbage takes a fifth of the time to load them.

    Afterwards the collector leaves alone what is there by then.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
