"""What the phase tables may answer: a move, nothing, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flight.model.words import AedState, Effect, Phase, SafeState


class Back(StrEnum):
    """A target that is not in the table but in the state."""

    HELD = "held"


HELD = Back.HELD
"""Target of a row that goes back to the phase before the hold or the takeover."""


@dataclass(frozen=True, slots=True)
class Row:
    """One move: where to, what to ask for, what becomes known.

    ``hold_as``: the phase to which CONTINUE or a returned control leads. ``aed`` and ``safe_state``
    are set when given.
    """

    target: Phase | Back
    effects: tuple[Effect, ...] = ()
    hold_as: Phase | None = None
    aed: AedState | None = None
    safe_state: SafeState | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event means nothing in this phase."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The command is not possible in this phase; the reason goes back to whoever asked."""

    code: str
    detail: str
    detail_zh: str


IGNORE = Ignore()
Answer = Row | Ignore | Refuse

NO_FLIGHT = Refuse("no_flight", "there is no flight to command", "当前没有飞行任务")
NOT_CONNECTED = Refuse("vehicle_not_heard", "no vehicle is heard on this link", "链路上没有收到无人机信号")
BUSY = Refuse("flight_under_way", "the drone already has a flight", "无人机已有飞行任务")
ON_GROUND = Refuse(
    "still_on_ground", "the drone is still on its pad; abort calls it off", "无人机仍在停机坪，可取消任务"
)
NOT_HOLDING = Refuse("not_holding", "the flight is not holding", "飞行未处于悬停等待状态")
LINE_OUT = Refuse(
    "line_out",
    "the line is out and the drone hovers already; return retracts it first",
    "吊绳已放出，无人机已在悬停；返航将先收绳",
)
DESCENDING = Refuse("already_landing", "the drone is already landing", "无人机正在降落")
UNLOADING = Refuse(
    "unloading",
    "the drone stands at the landing point among people and starts nothing there; it is fetched",
    "无人机已降落在投送点，人员在旁，不再起飞，请派人取回",
)
NOT_OURS = Refuse(
    "control_elsewhere",
    "somebody else flies the drone; it is not commanded until control is given back",
    "无人机由他人操控，控制权归还前不发送指令",
)
AUTOPILOT = Refuse(
    "autopilot_returning",
    "the autopilot's own return flies the drone; only landing is offered",
    "飞控正在自主返航，仅可指令降落",
)
REPLACING = Refuse(
    "rerouting",
    "another mission is being written; the drone stands until it is whole",
    "正在更换航线，完成前无人机保持悬停",
)
NO_PLAN = Refuse(
    "no_plan",
    "the plan of this flight is not known here; holding, the autopilot's own return and landing are offered",
    "本机未知该飞行的计划，仅可指令悬停、飞控自主返航或降落",
)
