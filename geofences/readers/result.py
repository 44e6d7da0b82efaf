"""What reading a zone file gives: zones, and everything that was not as the format says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from geofences.model import Zone


class NoteKind(StrEnum):
    """How far the reader departed from the letter of the file."""

    REPAIRED = "repaired"
    """The outline was changed; only where every reading of it agrees."""
    TOLERATED = "tolerated"
    """The format says it otherwise, and what is meant is certain."""
    IGNORED = "ignored"
    """Something that cannot restrict a flight was left out."""


@dataclass(frozen=True, slots=True)
class Note:
    """One departure, by feature and field."""

    kind: NoteKind
    feature: str
    field: str
    what: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The zones of a file and the notes about it."""

    file_format: str
    zones: tuple[Zone, ...]
    notes: tuple[Note, ...] = ()

    @property
    def repairs(self) -> tuple[Note, ...]:
        """Outlines that were changed: for a person to look at."""
        return tuple(note for note in self.notes if note.kind is NoteKind.REPAIRED)


@dataclass(slots=True)
class Report:
    """Collects notes during one reading. Equal notes about one feature are kept once."""

    notes: dict[Note, None] = field(default_factory=dict)

    def repaired(self, feature: str, field_path: str, what: str) -> None:
        self.notes.setdefault(Note(NoteKind.REPAIRED, feature, field_path, what))

    def tolerated(self, feature: str, field_path: str, what: str) -> None:
        self.notes.setdefault(Note(NoteKind.TOLERATED, feature, field_path, what))

    def ignored(self, feature: str, field_path: str, what: str) -> None:
        self.notes.setdefault(Note(NoteKind.IGNORED, feature, field_path, what))
