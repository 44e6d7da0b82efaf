"""The words of an incident: its state, its stages, how far help was escalated, who takes part.

Two states only: what happens inside an open incident is told by its stages and its orders, each of which has
tables of its own. Stages and levels come from the source documents: B1 (报警、定位、派单、指导、救援、反馈) and
A7 (志愿者 → AED → 必要时无人机AED).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum


class IncidentState(StrEnum):
    """Whether anybody still works on it."""

    OPEN = "OPEN"
    """Help is on its way or being given. Everything may be changed, orders may be placed."""
    CLOSED = "CLOSED"
    """The outcome is known. Final: only corrections of stages are taken, each with its reason."""


class Stage(StrEnum):
    """The six stages of a rescue, each reached once. Source: B1."""

    CALL = "call"
    """报警: the call began. Only the centre knows when: never taken from the moment that we were told."""
    LOCATED = "located"
    """定位: the place is known. Reached when a position is stored."""
    DISPATCHED = "dispatched"
    """派单: help was sent. Reached by the first order, or by the ambulance's dispatch."""
    GUIDED = "guided"
    """指导: somebody tells the caller what to do. Reached when a video link was taken over, or by the centre."""
    RESCUED = "rescued"
    """救援: first hands on the patient. Reached when a party treats, or by the centre."""
    FEEDBACK = "feedback"
    """反馈: the outcome is reported. Reached by closing."""


STAGE_ZH: Mapping[Stage, str] = {
    Stage.CALL: "报警",
    Stage.LOCATED: "定位",
    Stage.DISPATCHED: "派单",
    Stage.GUIDED: "指导",
    Stage.RESCUED: "救援",
    Stage.FEEDBACK: "反馈",
}


class Escalation(StrEnum):
    """How far help was called out, each level more than the one before. Source: A4, A7."""

    AMBULANCE = "ambulance"
    """The ambulance: always first, by the centre itself, before it tells us anything."""
    VOLUNTEERS = "volunteers"
    """Volunteers nearby."""
    GROUND_AED = "ground_aed"
    """And an AED on the ground near the patient."""
    DRONE_AED = "drone_aed"
    """And an AED by drone."""


ESCALATION_ZH: Mapping[Escalation, str] = {
    Escalation.AMBULANCE: "救护车",
    Escalation.VOLUNTEERS: "急救志愿者",
    Escalation.GROUND_AED: "地面AED",
    Escalation.DRONE_AED: "无人机AED",
}
LEVELS = tuple(Escalation)


class PartyKind(StrEnum):
    """Who takes part in an incident. Source: A2, A12, A19."""

    VOLUNTEER = "volunteer"
    AMBULANCE_CREW = "ambulance_crew"
    DOCTOR = "doctor"
    POLICE = "police"
    FIRE = "fire"
    SECURITY = "security"
    BYSTANDER = "bystander"
    OTHER = "other"


class PartyRole(StrEnum):
    """What a party is there for. Source: A15, A16."""

    CPR = "cpr"
    AED = "aed"
    RECEIVER = "receiver"
    """Stands at the landing point and carries the AED to the patient."""
    COORDINATOR = "coordinator"
    GUIDE = "guide"
    """Leads the ambulance's crew to the patient."""
    TRAFFIC = "traffic"
    TREATMENT = "treatment"


class PartyState(StrEnum):
    """How far a party got."""

    ALERTED = "alerted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EN_ROUTE = "en_route"
    ARRIVED = "arrived"
    TREATING = "treating"
    """Hands on the patient: this is what «first hands» counts from. Source: A10."""
    LEFT = "left"


class Outcome(StrEnum):
    """How an incident ended, in operational words; what became of the patient is sealed."""

    HANDED_OVER = "handed_over"
    TREATED_ON_SCENE = "treated_on_scene"
    NO_PATIENT_FOUND = "no_patient_found"
    FALSE_ALARM = "false_alarm"
    CANCELLED = "cancelled"
    OTHER = "other"
    ORDERS_FINISHED = "orders_finished"
    """Nobody worked with the incident itself; its orders are over."""


OUTCOME_ZH: Mapping[Outcome, str] = {
    Outcome.HANDED_OVER: "已移交医院",
    Outcome.TREATED_ON_SCENE: "现场救治",
    Outcome.NO_PATIENT_FOUND: "未找到患者",
    Outcome.FALSE_ALARM: "误报",
    Outcome.CANCELLED: "已取消",
    Outcome.OTHER: "其他",
    Outcome.ORDERS_FINISHED: "订单均已结束",
}
FIELD_ZH: Mapping[str, str] = {
    "access_notes": "进入方式",
    "address": "地址",
    "ambulance": "救护车",
    "called_at": "呼救时间",
    "caller": "呼救者",
    "callback_url": "回调地址",
    "doctor": "医生",
    "floor": "楼层",
    "notes": "备注",
    "place": "位置",
    "severity": "病情分级",
    "severity_code": "分级代码",
    "video_guidance": "视频指导",
}
"""What may be newly known of an incident."""
SOURCE_ZH: Mapping[str, str] = {
    "aed": "AED",
    "bystander": "目击者",
    "caller": "呼救者",
    "crew": "救护车组",
    "dispatcher": "调度员",
    "hospital": "医院",
    "volunteer": "志愿者",
}
"""Who says how the patient is."""


def moment_of(stages: Mapping[str, Mapping[str, str]], stage: Stage) -> datetime | None:
    """When a stage was reached; None if it was not, or if nobody has said so."""
    found = stages.get(stage)
    return None if found is None else datetime.fromisoformat(found["at"])


def gap_s(stages: Mapping[str, Mapping[str, str]], start: Stage, end: Stage) -> float | None:
    """Seconds from one stage to another; None while either is unknown. «Call to first hands» is the gap
    from CALL to RESCUED. Source: A10."""
    first, last = moment_of(stages, start), moment_of(stages, end)
    return None if first is None or last is None else (last - first).total_seconds()
