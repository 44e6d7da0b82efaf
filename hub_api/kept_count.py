"""The count of time that outlives a restart.

A hub reads the machine's time of day once, at its start, and counts on steadily: nothing that it times moves when somebody
sets the clock. A hub that starts again while flights are in the air would read the new time and find every moment that it
stored wrong by the step: deadlines long over or far away, a hover budget that is used up, a patient who waited five
minutes longer. So it goes on with the count of the process before it until it starts with nothing open; the machine's
own steady count, which runs from boot to boot, says how much time has passed (docs/decisions/0039).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

log = logging.getLogger(__name__)

COUNT_FILE = "clock.json"
"""In the data folder, beside the journals whose times it keeps true."""
TOLD_FROM_S = 2.0
"""As housekeeping: less is what a time server corrects in small steps."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine tells of time. ``boot``: between two boots the steady count means nothing; empty: not known."""

    now: Callable[[], datetime]
    steady_s: Callable[[], float]
    boot: str


@runtime_checkable
class CountsOn(Protocol):
    """A clock that is given its time of day when the hub starts, as a part of a test is."""

    def go_on(self, file: Path, *, busy: bool) -> None:
        """Take :func:`time_at_start` from ``file``."""
        ...


def this_machine() -> Machine:
    """The one that we run on."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return Machine(now=lambda: datetime.now(UTC), steady_s=time.monotonic, boot=boot)


def time_at_start(file: Path, machine: Machine, *, busy: bool) -> datetime:
    """The time of day from which a starting hub counts; ``busy``: orders or flights are open.

    Remembers in ``file`` when the machine's own was taken. A file that can't be read is no count.
    """
    machine_now, steady_s = machine.now(), machine.steady_s()
    counted = _counted(file, machine.boot, steady_s)
    if busy and counted is not None:
        off_s = (machine_now - counted).total_seconds()
        if abs(off_s) > TOLD_FROM_S:
            log.warning(
                "the machine's time of day was set by %+.0f s while orders are open: the hub goes on with the count of "
                "the process before it, until it starts with nothing open",
                off_s,
            )
        return counted
    kept = {"boot": machine.boot, "steady_s": steady_s, "time_of_day": machine_now.isoformat()}
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(kept), encoding="utf-8")
    fresh.replace(file)
    return machine_now


def _counted(file: Path, boot: str, steady_s: float) -> datetime | None:
    """What the process before would count now; None where nobody can know."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        began = datetime.fromisoformat(kept["time_of_day"])
        passed_s = steady_s - float(kept["steady_s"])
        known = bool(boot) and kept["boot"] == boot and passed_s >= 0.0 and began.tzinfo is not None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return began + timedelta(seconds=passed_s) if known else None
