"""What the hub logs while a scenario is played: kept with its run, shown where the run fails, and nowhere else.

Faults make a hub complain, as they should; hundreds of such runs on a terminal would hide the one line that matters.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

KEPT_LINES = 400
"""Chosen: the last words of a hub, tracebacks included."""


class Heard(logging.Handler):
    """The latest lines that were logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.extend(self.format(record).splitlines())

    @property
    def lines(self) -> tuple[str, ...]:
        """The oldest first."""
        return tuple(self._lines)


@contextmanager
def heard() -> Iterator[Heard]:
    """Whatever is logged inside goes there; handlers that others set up hear it as well."""
    ear, root = Heard(), logging.getLogger()
    root.addHandler(ear)
    try:
        yield ear
    finally:
        root.removeHandler(ear)
