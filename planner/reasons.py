"""Why a candidate was refused, in a machine word, English and Chinese: every refusal is explained.

The codes are part of the interface; texts may be reworded. One function per code, so that a reason
can't be made without the facts it states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.spans import span, span_zh
from geofences.verdict import Forbidden, Verdict
from planner.checks import check_text


@dataclass(frozen=True, slots=True)
class Reason:
    """A machine word and a sentence each in English and Chinese."""

    code: str
    detail: str
    detail_zh: str

    def __post_init__(self) -> None:
        for field in self.__slots__:
            check_text(field, getattr(self, field))


def drone_not_ready(reasons: tuple[str, ...]) -> Reason:
    listed = ", ".join(reasons) if reasons else "no reason given"
    return Reason("drone_not_ready", f"The drone is not ready: {listed}.", f"无人机未就绪：{listed}。")


def unknown_airframe(airframe_id: str) -> Reason:
    return Reason(
        "unknown_airframe",
        f"There is no airframe file for {airframe_id!r}.",
        f"没有机型“{airframe_id}”的数据文件。",
    )


def wind_unknown() -> Reason:
    return Reason(
        "wind_unknown",
        "The station reports no wind; without it neither limit nor energy can be judged.",
        "站点没有风的数据，无法判断风限与电量。",
    )


def wind_above_limit(strongest_m_s: float, limit_m_s: float) -> Reason:
    return Reason(
        "wind_above_limit",
        f"Wind or gusts of {strongest_m_s:.1f} m/s are above the airframe's limit of {limit_m_s:.1f} m/s.",
        f"风速或阵风{strongest_m_s:.1f}米/秒，超过机型限制{limit_m_s:.1f}米/秒。",
    )


def no_common_delivery_method() -> Reason:
    return Reason(
        "no_common_delivery_method",
        "The landing point allows no delivery method that the airframe offers.",
        "投放点允许的交付方式与机型不符。",
    )


def landing_point_closed() -> Reason:
    return Reason(
        "landing_point_closed",
        "The landing point may not be used at this hour.",
        "该投放点在此时段不可使用。",
    )


def landing_point_too_small(clear_radius_m: float, needed_m: float) -> Reason:
    return Reason(
        "landing_point_too_small",
        f"Only {clear_radius_m:.0f} m around the landing point are clear, {needed_m:.0f} m are needed.",
        f"投放点净空半径仅{clear_radius_m:.0f}米，需要{needed_m:.0f}米。",
    )


def landing_point_too_steep(slope_deg: float, limit_deg: float) -> Reason:
    return Reason(
        "landing_point_too_steep",
        f"The landing point's ground slopes by {slope_deg:.0f}°, at most {limit_deg:.0f}° will do.",
        f"投放点坡度{slope_deg:.0f}度，超过允许的{limit_deg:.0f}度。",
    )


def carry_too_long(carry_s: float, limit_s: float) -> Reason:
    return Reason(
        "carry_too_long",
        f"Carrying the AED to the patient would take {span(carry_s)}; after {span(limit_s)} it is too late.",
        f"从投放点步行送到患者需{span_zh(carry_s)}，超过{span_zh(limit_s)}即失去意义。",
    )


def forbidden(where: str, where_zh: str, zone: str, detail: str, detail_zh: str) -> Reason:
    return Reason(
        "forbidden_zone", f"{where} is forbidden by {zone}: {detail}", f"{where_zh}受限：{detail_zh}"
    )


def from_verdict(where: str, where_zh: str, verdict: Verdict) -> Reason | None:
    """The airspace's own words, or None when it allows it."""
    if isinstance(verdict, Forbidden):
        zone = verdict.zone_name or verdict.zone_id or "the operating area"
        return forbidden(where, where_zh, zone, verdict.detail, verdict.detail_zh)
    return None


def operating_area_closed() -> Reason:
    return Reason(
        "operating_area_closed",
        "No operating area is open at these heights during the whole flight.",
        "飞行全程所需高度内没有开放的运行区域。",
    )


def search_gave_up() -> Reason:
    return Reason(
        "search_gave_up",
        "The search for a way used up its effort; no way is known, which doesn't prove that there is none.",
        "航路搜索达到计算上限，未找到航路，但不能证明不存在。",
    )


def terrain_unknown() -> Reason:
    return Reason(
        "terrain_unknown",
        "The ground height is not known everywhere on the way.",
        "航路沿线部分地面高程未知。",
    )


def too_close_to_zone(where: str, where_zh: str, zones: tuple[str, ...], distance_m: float) -> Reason:
    listed = ", ".join(zones)
    return Reason(
        "too_close_to_zone",
        f"{where} is closer than {distance_m:.0f} m to {listed}.",
        f"{where_zh}距离{listed}不足{distance_m:.0f}米。",
    )


def outside_operating_area(where: str, where_zh: str, distance_m: float) -> Reason:
    return Reason(
        "outside_operating_area",
        f"{where} is not at least {distance_m:.0f} m inside the operating area.",
        f"{where_zh}不在运行区域边界以内{distance_m:.0f}米处。",
    )


def no_route(zones: tuple[str, ...]) -> Reason:
    listed = ", ".join(zones) if zones else "the zones around"
    return Reason(
        "no_route",
        f"There is no legal way at any allowed height: {listed} close it off.",
        f"在允许的高度内没有合法航路：被{listed}封闭。",
    )


def no_legal_height(minimum_agl_m: float, maximum_agl_m: float) -> Reason:
    return Reason(
        "no_legal_height",
        f"No height from {minimum_agl_m:.0f} to {maximum_agl_m:.0f} m above ground is legal all the way.",
        f"离地{minimum_agl_m:.0f}至{maximum_agl_m:.0f}米之间没有全程合法的高度。",
    )


def no_height_profile(zones: tuple[str, ...]) -> Reason:
    listed, listed_zh = (", ".join(zones), "、".join(zones)) if zones else ("the ground", "地形")
    return Reason(
        "no_height_profile",
        f"No single height is legal all the way, and no climbing and descending way was found past {listed}.",
        f"没有全程合法的单一高度，也未找到可升降通过{listed_zh}的航路。",
    )


def wind_too_strong_on_leg() -> Reason:
    return Reason(
        "wind_too_strong_on_leg",
        "Against this wind a leg of the way can't be flown at cruise airspeed.",
        "逆风过强，部分航段无法以巡航空速飞行。",
    )


def not_enough_energy(need_wh: float, have_wh: float) -> Reason:
    return Reason(
        "not_enough_energy",
        f"Way out, hover and way back need {need_wh:.0f} Wh with their uncertainty; "
        f"{have_wh:.0f} Wh are there above the reserve.",
        f"往返及悬停（含不确定量）需{need_wh:.0f}瓦时，扣除储备后可用{have_wh:.0f}瓦时。",
    )


def no_legal_contingency(section: str, leg_index: int) -> Reason:
    where_zh = "去程" if section == "outbound" else "返程"
    return Reason(
        "no_legal_contingency",
        f"From {section} leg {leg_index} no straight return to a rally point or the pad is legal.",
        f"{where_zh}第{leg_index}航段没有合法的直线返航点。",
    )


def no_fence(max_vertices: int) -> Reason:
    return Reason(
        "no_fence",
        f"No fence of at most {max_vertices} corners contains the way and its returns without touching a zone.",
        f"无法用不超过{max_vertices}个顶点的围栏包住航路及返航路径而不触及限制区。",
    )


def conflict(intent_id: str, owner: str, detail: str, detail_zh: str) -> Reason:
    return Reason(
        "conflict",
        f"Conflicts with intent {intent_id} of {owner}: {detail}",
        f"与 {owner} 的飞行意图 {intent_id} 冲突：{detail_zh}",
    )


def verification_failed(detail: str) -> Reason:
    return Reason(
        "verification_failed",
        f"The independent check of the finished plan failed: {detail}.",
        f"航路独立校核未通过：{detail}。",
    )


@lru_cache(maxsize=64)
def not_tried(tried: int) -> Reason:
    return Reason(
        "not_tried",
        f"{tried} drones that would be there sooner can't fly to this landing point; this one was not planned.",
        f"{tried}架可更快到达的无人机均无法飞往该投放点，未再规划此机。",
    )


@lru_cache(maxsize=4096)
def slower_by_bound(bound_s: int) -> Reason:
    return Reason(
        "slower_by_bound",
        f"Even in a straight line it needs {span(bound_s)} to the patient, more than the chosen one.",
        f"即使直线飞行也需至少{span_zh(bound_s)}到达患者，慢于所选方案。",
    )


def slower_than_chosen(time_s: float) -> Reason:
    return Reason(
        "slower_than_chosen",
        f"Planned and legal; it would reach the patient after {span(time_s)}, later than the chosen one.",
        f"方案合法，到达患者需{span_zh(time_s)}，慢于所选方案。",
    )


def fastest(time_s: float) -> Reason:
    return Reason(
        "fastest",
        f"Reaches the patient first, after {span(time_s)}.",
        f"最快到达患者，用时{span_zh(time_s)}。",
    )


def floor_unknown() -> Reason:
    return Reason(
        "floor_unknown",
        "The patient's floor is not known; the time contains no stairs or lift.",
        "患者楼层未知，用时不含楼梯或电梯。",
    )


def no_drone_ready(count: int) -> Reason:
    return Reason(
        "no_drone_ready",
        f"None of {count} drones is ready to fly.",
        f"{count}架无人机均未就绪。",
    )


def nothing_to_choose(drones: int, landing_points: int) -> Reason:
    return Reason(
        "nothing_to_choose",
        f"There are {drones} drones and {landing_points} landing points: nothing to combine.",
        f"现有{drones}架无人机、{landing_points}个投放点，无可组合方案。",
    )


def no_candidate(count: int, commonest: Reason) -> Reason:
    return Reason(
        "no_candidate",
        f"None of {count} combinations can be flown; most often: {commonest.detail}",
        f"{count}个组合均不可行，最常见原因：{commonest.detail_zh}",
    )
