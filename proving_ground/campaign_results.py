"""What a campaign has played so far: one JSON line for each run, so that one that was stopped goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

Asked = tuple[str, str, int]
"""(fault, phase, seed)."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run's result. ``happened``: the fault came; one that keeps its phase from coming tests nothing."""

    fault: str
    phase: str
    seed: int
    passed: bool
    happened: bool
    virtual_s: float
    why: str = ""

    @property
    def asked(self) -> Asked:
        return self.fault, self.phase, self.seed


class Results:
    """Results kept in a file, or only in memory (None)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.played: dict[Asked, Played] = {}
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
                # A torn last line is what a stopped campaign leaves; that run is played again.
                if line.endswith("\n"):
                    self._take(Played(**json.loads(line)))

    def _take(self, played: Played) -> None:
        self.played[played.asked] = played

    def add(self, played: Played) -> None:
        """Remember a result. A failed one is not written: it is played again when its cause is mended."""
        self._take(played)
        if self._file is not None and played.passed:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(played), ensure_ascii=False) + "\n")

    def of(self, fault: str, phase: str) -> list[Played]:
        """The results of one cell of the table."""
        return [each for each in self.played.values() if (each.fault, each.phase) == (fault, phase)]
