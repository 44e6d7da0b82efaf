"""Which of the active operational intents does a new one meet? Exact in place, height and time together.

Two volumes conflict when one point lies in both at one moment: outlines, altitudes and times are compared pair
by pair of volumes, never intent by intent, because a flight is not everywhere all the time. Everything is
closed and widened by :data:`PRECISION_M`: touching is a conflict.

Outlines are compared in the plane of a :class:`core.geodesy.LocalFrame`, where straight edges stand for
F3548's geodesics and distances for circles. The frame's errors (≤ 1 ppm of a length within 15 km of the origin, 4 ppm
within 32 km) stay below the precision for outlines of up to 2.5 km there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from core.geodesy import LocalFrame, Wgs84Point
from planner.checks import refuse
from planner.intents import Circle, IntentState, OperationalIntent, Polygon, Volume4D

PRECISION_M = 0.01
"""F3548-21's precision of an intersection; here as far as volumes may lie apart and still conflict."""

_OUTLINES = 65_536
"""Chosen: outlines remembered by an index before all are forgotten; 200 flights have some 6,000."""

_ASKED = 4
"""Chosen: volumes of asked intents remembered: a plan as it was asked, later, and around."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One pair of volumes that meet, and in which heights (above the ellipsoid) and times they do.

    ``volume_index`` counts the asked intent's volumes, ``other_volume_index`` those of the intent it meets.
    """

    intent_id: str
    owner: str
    state: IntentState
    priority: int
    volume_index: int
    other_volume_index: int
    altitude_lower_m: float
    altitude_upper_m: float
    time_start: datetime
    time_end: datetime


class _Block:
    """The volumes of some intents as flat arrays with a tree over their bounds. Times are µs since 1970."""

    def __init__(self, intents: Sequence[OperationalIntent], cores: _Cores) -> None:
        self.intents = tuple(intents)
        volumes = [volume for intent in intents for volume in intent.volumes]
        counts = [len(intent.volumes) for intent in intents]
        self.size = len(volumes)
        self.intent_number = np.repeat(np.arange(len(counts)), counts)
        self.volume_number = np.concatenate([np.arange(count) for count in counts])
        self.cores, self.radius_m = cores.of([volume.outline for volume in volumes])
        self.low_m = np.array([volume.altitude_lower_m for volume in volumes])
        self.high_m = np.array([volume.altitude_upper_m for volume in volumes])
        self.start_us = np.array([_us(volume.time_start) for volume in volumes], dtype=np.int64)
        self.end_us = np.array([_us(volume.time_end) for volume in volumes], dtype=np.int64)
        bounds = shapely.bounds(self.cores)
        reach_m = (self.radius_m + PRECISION_M)[:, None]
        self.boxes = shapely.box(*(bounds + np.hstack([-reach_m, -reach_m, reach_m, reach_m])).T)

    @cached_property
    def circles(self) -> dict[Wgs84Point, list[tuple[OperationalIntent, Volume4D]]]:
        """Its round volumes by their centre."""
        found: dict[Wgs84Point, list[tuple[OperationalIntent, Volume4D]]] = {}
        for intent in self.intents:
            for volume in intent.volumes:
                if isinstance(volume.outline, Circle):
                    found.setdefault(volume.outline.centre, []).append((intent, volume))
        return found

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Over the boxes; an intent that is only asked about needs none."""
        return shapely.STRtree(self.boxes)


class IntentIndex:
    """Active intents, immutable: :meth:`adding` and :meth:`removing` return another index.

    They share what didn't change: intents live in blocks whose sizes grow geometrically, so that adding
    one costs little, and a removed one is skipped until its block is rebuilt.
    """

    def __init__(self, intents: Iterable[OperationalIntent] = (), *, origin: Wgs84Point) -> None:
        listed = tuple(intents)
        self.frame = LocalFrame(origin)
        self._current = {intent.intent_id: intent for intent in listed}
        if len(self._current) < len(listed):
            raise refuse("intents", "an intent_id occurs twice")
        self._cores = _Cores(self.frame)
        self._met: tuple[_Block, list[tuple[_Block, int, int]]] | None = None
        self._blocks: tuple[_Block, ...] = (_Block(listed, self._cores),) if listed else ()

    def __len__(self) -> int:
        return len(self._current)

    def __iter__(self) -> Iterator[OperationalIntent]:
        return iter(self._current.values())

    def get(self, intent_id: str) -> OperationalIntent | None:
        """The intent of that id, if it is active."""
        return self._current.get(intent_id)

    def circles_at(self, centre: Wgs84Point) -> Iterator[tuple[OperationalIntent, Volume4D]]:
        """Active intents' round volumes around this very place: pads and landing points."""
        for block in self._blocks:
            for intent, volume in block.circles.get(centre, ()):
                if self._current.get(intent.intent_id) is intent:
                    yield intent, volume

    def adding(self, intent: OperationalIntent) -> IntentIndex:
        """An index with ``intent`` too; it takes the place of one with the same id."""
        current = {**self._current, intent.intent_id: intent}
        tail: list[OperationalIntent] = [intent]
        blocks = list(self._blocks)
        while blocks and len(blocks[-1].intents) <= 2 * len(tail):
            tail = [old for old in blocks.pop().intents if current.get(old.intent_id) is old] + tail
        return self._with(current, (*blocks, _Block(tail, self._cores)))

    def removing(self, intent_id: str) -> IntentIndex:
        """An index without that intent; the same one when it isn't there."""
        if intent_id not in self._current:
            return self
        current = {key: kept for key, kept in self._current.items() if key != intent_id}
        blocks = self._blocks
        if 2 * len(current) < sum(len(block.intents) for block in blocks):
            blocks = (_Block(tuple(current.values()), self._cores),) if current else ()
        return self._with(current, blocks)

    def _with(self, current: dict[str, OperationalIntent], blocks: tuple[_Block, ...]) -> IntentIndex:
        result = object.__new__(IntentIndex)
        result.frame, result._cores = self.frame, self._cores
        result._current, result._blocks, result._met = current, blocks, None
        return result

    def conflicts(self, new: OperationalIntent) -> tuple[Conflict, ...]:
        """Every pair of volumes in which ``new`` meets an active intent other than itself.

        Ordered by time, then by intent and volumes.
        """
        asked, met = self._cores.asked(new), self._met
        if met is None or met[0] is not asked:
            # Whether a plan is blocked, by what, and whom it pushes aside: the same question, one after the other.
            met = self._met = asked, list(self._meeting(asked, longest_delay_us=0))
        found = [
            _conflict(new, mine, block, other)
            for block, mine, other in met[1]
            if self._is_another(new, block, other)
        ]
        return tuple(sorted(found, key=_order))

    def blocked_delays_us(
        self, new: OperationalIntent, longest_delay: timedelta
    ) -> list[tuple[int, int, OperationalIntent]]:
        """For each pair that could meet if ``new`` left 0 … ``longest_delay`` later: the delays at which it does.

        Closed intervals in whole µs (clipped below at 0), with the other intent; sorted.
        """
        asked = self._cores.asked(new)
        found = [
            (
                max(0, int(block.start_us[other] - asked.end_us[mine])),
                int(block.end_us[other] - asked.start_us[mine]),
                block.intents[block.intent_number[other]],
            )
            for block, mine, other in self._meeting(asked, longest_delay // _MICROSECOND)
            if self._is_another(new, block, other)
        ]
        return sorted(found, key=lambda row: (row[0], row[1], row[2].intent_id))

    @staticmethod
    def _is_another(new: OperationalIntent, block: _Block, other: int) -> bool:
        return block.intents[block.intent_number[other]].intent_id != new.intent_id

    def _meeting(self, asked: _Block, longest_delay_us: int) -> Iterator[tuple[_Block, int, int]]:
        """Pairs of volumes, those of an intent that is active under the asked one's own id among them."""
        for block in self._blocks:
            mine, other = block.tree.query(asked.boxes)
            keep = (
                (asked.low_m[mine] - PRECISION_M <= block.high_m[other])
                & (block.low_m[other] - PRECISION_M <= asked.high_m[mine])
                & (asked.start_us[mine] <= block.end_us[other])
                & (block.start_us[other] <= asked.end_us[mine] + longest_delay_us)
            )
            mine, other = mine[keep], other[keep]
            apart_m = asked.radius_m[mine] + block.radius_m[other] + PRECISION_M
            near = shapely.dwithin(asked.cores[mine], block.cores[other], apart_m)
            for row, column in zip(mine[near].tolist(), other[near].tolist(), strict=True):
                intent = block.intents[block.intent_number[column]]
                if self._current.get(intent.intent_id) is intent:
                    yield block, row, column


def outline_polygon(volume: Volume4D, frame: LocalFrame) -> shapely.Polygon:
    """The outline in the frame's metres; a circle as a polygon drawn around it."""
    (core,) = _drawn([volume.outline], frame)
    if not isinstance(volume.outline, Circle):
        return core
    return shapely.buffer(core, volume.outline.radius_m / np.cos(np.pi / 4 / 8), quad_segs=8)


Outline = Polygon | Circle


class _Cores:
    """Outlines in an index's plane. The volumes of a plan are asked about, added and moved between blocks with the very
    same outlines; each is drawn once."""

    def __init__(self, frame: LocalFrame) -> None:
        self._frame = frame
        # By identity; the outline is kept, so that no other gets its place.
        self._known: dict[int, tuple[Outline, shapely.Geometry]] = {}
        self._asked: list[_Block] = []

    def asked(self, intent: OperationalIntent) -> _Block:
        """Its volumes; the last few that were asked about are remembered, whatever the intent is called."""
        for known in self._asked:
            if known.intents[0].volumes is intent.volumes:
                return known
        self._asked = [_Block((intent,), self), *self._asked[: _ASKED - 1]]
        return self._asked[0]

    def of(self, outlines: Sequence[Outline]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
        """Polygons, or centres with a radius."""
        new = [outline for outline in outlines if id(outline) not in self._known]
        if new:
            if len(self._known) > _OUTLINES:
                self._known.clear()
                new = list(outlines)
            drawn = zip(new, _drawn(new, self._frame), strict=True)
            self._known.update((id(outline), (outline, core)) for outline, core in drawn)
        cores = np.empty(len(outlines), dtype=object)
        cores[:] = [self._known[id(outline)][1] for outline in outlines]
        radius_m = [outline.radius_m if isinstance(outline, Circle) else 0.0 for outline in outlines]
        return cores, np.array(radius_m)


def _drawn(outlines: Sequence[Outline], frame: LocalFrame) -> npt.NDArray[np.object_]:
    """Polygons, or centres, in the frame; all points in one projection call."""
    rings = [(outline.centre,) if isinstance(outline, Circle) else outline.ring for outline in outlines]
    xy = frame.project([(point.longitude_deg, point.latitude_deg) for ring in rings for point in ring])
    counts = np.array([len(ring) for ring in rings])
    cores = np.empty(len(outlines), dtype=object)
    is_circle = counts == 1
    of_circle = np.repeat(is_circle, counts)
    cores[is_circle] = shapely.points(xy[of_circle])
    if not is_circle.all():
        number = np.repeat(np.arange(np.count_nonzero(~is_circle)), counts[~is_circle])
        cores[~is_circle] = shapely.polygons(shapely.linearrings(xy[~of_circle], indices=number))
    return cores


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _conflict(new: OperationalIntent, mine: int, block: _Block, other: int) -> Conflict:
    intent = block.intents[block.intent_number[other]]
    ours = new.volumes[mine]
    theirs = intent.volumes[block.volume_number[other]]
    return Conflict(
        intent_id=intent.intent_id,
        owner=intent.owner,
        state=intent.state,
        priority=intent.priority,
        volume_index=mine,
        other_volume_index=int(block.volume_number[other]),
        altitude_lower_m=max(ours.altitude_lower_m, theirs.altitude_lower_m),
        altitude_upper_m=min(ours.altitude_upper_m, theirs.altitude_upper_m),
        time_start=max(ours.time_start, theirs.time_start),
        time_end=min(ours.time_end, theirs.time_end),
    )


def _order(conflict: Conflict) -> tuple[datetime, str, int, int]:
    return conflict.time_start, conflict.intent_id, conflict.volume_index, conflict.other_volume_index
