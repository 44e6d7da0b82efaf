"""A compiled mission as plain data with MAVLink's numbers; no MAVLink library is needed to read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionItem:
    """One MISSION_ITEM_INT before its integers: degrees and metres stay floats here.

    ``frame``, ``command`` and the params are MAVLink's own numbers (common.xml). ``height_m`` is
    the item's z in the datum that ``frame`` says: above home for frame 3, above mean sea level for
    frame 0. Items without a position carry 0.
    """

    seq: int
    frame: int
    command: int
    param1: float = 0.0
    param2: float = 0.0
    param3: float = 0.0
    param4: float = 0.0
    latitude_deg: float = 0.0
    longitude_deg: float = 0.0
    height_m: float = 0.0
    autocontinue: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternateIndices:
    """Where an alternate's sections are.

    A jump from the first hover to ``transfer_first`` diverts: up, over to the alternate, and down to its
    ``delivery_hover``, where the mission loiters as over the first point and then goes home by itself from
    ``inbound_first``. To bring the AED home while on the transfer, fly it on and jump to ``inbound_first`` when
    ``delivery_hover`` becomes current.
    """

    landing_point_id: str
    transfer_first: int
    delivery_hover: int
    winch_retract: int | None
    inbound_first: int
    land: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionIndices:
    """Where things are in the mission, by sequence number.

    ``retrace_first`` and ``retrace_land`` bound the section that flies the way out backwards; where
    the way back is the way out reversed they point into the ordinary way back. ``takeoff`` is where the
    mission is begun: for a vehicle that is in the air already, the item that follows the take-off.
    ``delivery_hover`` is None in a mission that only goes home. ``alternates`` are those of the plan that fit into
    the mission, in the plan's order; none where a landing in its middle doesn't end it.
    """

    takeoff: int
    delivery_hover: int | None
    winch_retract: int | None
    inbound_first: int
    land: int
    retrace_first: int
    retrace_land: int
    alternates: tuple[AlternateIndices, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLeg:
    """Which leg of the plan an item ends: ``section`` (outbound, inbound or retrace) and its index there."""

    section: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredParameter:
    """A parameter of the autopilot without which the plan's promises do not hold, and why."""

    name: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMission:
    """Mission, fence and rally lists ready for upload.

    ``return_entry[seq]``: while the vehicle flies towards item ``seq``, a jump to this sequence
    number starts the legal way home from there. ``item_legs[seq]`` names the leg that the item ends,
    None for items that are no leg.
    """

    autopilot: str
    items: tuple[MissionItem, ...]
    fence: tuple[MissionItem, ...]
    rally: tuple[MissionItem, ...]
    indices: MissionIndices
    return_entry: tuple[int, ...]
    item_legs: tuple[ItemLeg | None, ...]
    required_parameters: tuple[RequiredParameter, ...] = ()
