"""How an order is carried out: by itself, with a person's approval, or as a drill.

A client's policy says what its orders are by default; an order may ask for more caution than that, never for less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import DispatchError, ErrorCode
from hub_api.dispatch.fleet import DroneView
from planner.reasons import Reason
from planner.site import DrillUse


class Mode(StrEnum):
    """How an order is carried out."""

    AUTOMATIC = "automatic"
    """The decision sends the drone."""
    APPROVE = "approve"
    """The decision proposes a flight; a person approves or refuses it."""
    DRILL = "drill"
    """Nobody is in need. The same path, flown by drones that are marked for it, and flagged everywhere."""


class UnansweredPolicy(StrEnum):
    """What becomes of a proposed flight when nobody in the chain has answered."""

    KEEP_WAITING = "keep_waiting"
    """The last in the chain is alarmed again and again."""
    LAUNCH = "launch"
    """It flies: nobody has said no."""
    DECLINE = "decline"
    """It does not fly: nobody has said yes."""


@dataclass(frozen=True, slots=True)
class ModePolicy:
    """What orders are without asking: for every client, and for those named."""

    default: Mode
    by_client: Mapping[str, Mode]

    def of(self, client: str) -> Mode:
        return self.by_client.get(client, self.default)

    def decide(self, client: str, asked: Mode | None) -> tuple[Mode, bool]:
        """The order's mode, and whether its flights wait for a person. Raises 4001 for less caution than is due.

        A drill practises what the client's real orders go through, its approvals too. A client whose policy is
        «drill» (a training desk) never moves a drone for a patient.
        """
        policy = self.of(client)
        mode = policy if asked is None else asked
        if policy is Mode.DRILL and mode is not Mode.DRILL:
            raise _less_cautious(mode, policy, "the client only has drills · 该客户端仅可演练")
        if policy is Mode.APPROVE and mode is Mode.AUTOMATIC:
            raise _less_cautious(
                mode, policy, "its flights are approved by a person · 该客户端的飞行须经人工批准"
            )
        return mode, mode is Mode.APPROVE or (mode is Mode.DRILL and policy is Mode.APPROVE)


def _less_cautious(asked: Mode, policy: Mode, why: str) -> DispatchError:
    return DispatchError(
        ErrorCode.ORDER_INVALID,
        f"{asked} asks for less caution than the policy {policy}: {why} · 所请求的模式低于机构规定的谨慎级别（{policy}）",
        field="mode",
    )


def fit_for(views: Iterable[DroneView], *, drill: bool) -> tuple[DroneView, ...]:
    """The drones with what speaks against this kind of order added to their reasons."""
    out_of_it = {use: reason for use in DrillUse if (reason := against(use, drill=drill)) is not None}
    if isinstance(views, tuple) and not any([view.drone.drills in out_of_it for view in views]):
        return views
    return tuple([_judged(view, out_of_it.get(view.drone.drills)) for view in views])


def _judged(view: DroneView, reason: Reason | None) -> DroneView:
    return view if reason is None else replace(view, ready=False, not_ready=(*view.not_ready, reason))


def against(use: DrillUse, *, drill: bool) -> Reason | None:
    """Why a drone of this use does not serve such an order; None: it may."""
    if drill and use is DrillUse.NO:
        return Reason("not_for_drills", "it is not marked for drills", "未标记为可用于演练")
    if not drill and use is DrillUse.ONLY:
        return Reason("drills_only", "it is marked for drills only", "仅限演练使用")
    return None
