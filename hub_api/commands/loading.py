"""Loading in less time, and no search for garbage where there is none: a hub that comes back after a crash is waited for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_COLLECT_AFTER = 10_000
"""Chosen: objects made and not gone again before the collector looks at the youngest of them; an order makes some
thousands."""


def settle_memory() -> None:
    """What is there by now stays, airspace, site and remembered answers: the collector need not look through a million
    objects again and again, which takes a third of a second. From now on it looks at what comes later, and less often."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])


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
