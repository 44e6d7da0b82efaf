"""Verdicts about what a waiting drone cannot see itself: weather, its AED's self-test, authorisations, zones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from flight.model.preflight import PreflightVerdict, blocked, fine, warned
from geofences.model import Authorisation
from planner.flight_plan import FlightPlan

WIND_AGE = timedelta(minutes=10)
"""Older than this a report says nothing about now (chosen; the same as the hub's)."""
SELF_TEST_AGE = timedelta(hours=48)
"""AEDs test themselves daily; two days without a result are a missed one and a doubt (chosen)."""


def check_wind(
    strongest_m_s: float | None, measured_at: datetime | None, limit_m_s: float | None, now: datetime
) -> PreflightVerdict:
    """The station's sensor against the airframe's limit. Without a report only the plan's own wind stands."""
    if strongest_m_s is None or measured_at is None:
        return warned("wind", "unknown", "the station has not reported its wind", "未收到站点风速")
    if now - measured_at > WIND_AGE:
        minutes = (now - measured_at).total_seconds() / 60.0
        return warned(
            "wind", "old", f"the wind was measured {minutes:.0f} min ago", f"风速数据已过{minutes:.0f}分钟"
        )
    if limit_m_s is not None and strongest_m_s > limit_m_s:
        return blocked(
            "wind",
            "above_limit",
            f"{strongest_m_s:.1f} m/s at the station, {limit_m_s:.1f} m/s allowed",
            f"站点风速{strongest_m_s:.1f}米/秒，限值{limit_m_s:.1f}米/秒",
        )
    return fine("wind", f"{strongest_m_s:.1f} m/s at the station", f"站点风速{strongest_m_s:.1f}米/秒")


def check_self_test(
    passed: bool | None, tested_at: datetime | None, detail: str, now: datetime
) -> PreflightVerdict:
    """The AED's own test. An AED that never reported is flown with a warning: not every model reports."""
    if passed is None or tested_at is None:
        return warned("aed_self_test", "not_reported", "the AED reports no self-test", "AED未回报自检")
    if not passed:
        return blocked(
            "aed_self_test", "failed", f"the AED failed its self-test: {detail}", f"AED自检未通过: {detail}"
        )
    if now - tested_at > SELF_TEST_AGE:
        hours = (now - tested_at).total_seconds() / 3600.0
        return blocked(
            "aed_self_test",
            "overdue",
            f"the AED's last self-test is {hours:.0f} h old",
            f"AED上次自检已过{hours:.0f}小时",
        )
    return fine("aed_self_test", "passed", "AED自检通过")


def check_authorisations(
    plan: FlightPlan,
    *,
    known: Sequence[Authorisation] | None,
    revoked: Collection[str],
    departs_at: datetime,
) -> PreflightVerdict:
    """Every authorisation that the plan needs must stand and hold until the drone is back.

    ``known`` None: no airspace is at hand here; then only what was taken back is known.
    """
    needed = plan.authorisation_ids
    if not needed:
        return fine("authorisation", "none needed", "无需授权")
    taken = [each for each in needed if each in revoked]
    if taken:
        return blocked(
            "authorisation", "revoked", f"taken back: {', '.join(taken)}", f"授权已撤销: {', '.join(taken)}"
        )
    if known is None:
        return warned(
            "authorisation",
            "not_checked",
            "checked when planned, not again here",
            "规划时已核对授权，此处未复核",
        )
    held = {each.authorisation_id: each for each in known}
    until = departs_at + timedelta(seconds=plan.timing.total_s)
    for each in needed:
        authorisation = held.get(each)
        if authorisation is None:
            return blocked("authorisation", "unknown", f"{each} is not known any more", f"授权{each}不存在")
        if not authorisation.valid_from <= departs_at <= until <= authorisation.valid_until:
            return blocked(
                "authorisation",
                "not_valid",
                f"{each} holds from {authorisation.valid_from:%Y-%m-%d %H:%M} to "
                f"{authorisation.valid_until:%Y-%m-%d %H:%M} UTC",
                f"授权{each}不在有效期内",
            )
    return fine("authorisation", f"valid: {', '.join(needed)}", "授权有效")


def check_closed_zone(zone: str | None) -> PreflightVerdict:
    """``zone``: the name of a zone on the plan's way that was closed after the plan was made."""
    if zone is None:
        return fine("zones", "no zone on the way was closed", "航路无新关闭区域")
    return blocked("zones", "closed", f"zone {zone} on the way was closed", f"航路上的区域{zone}已关闭")
