"""Sentences for what happened, in English and Chinese; the machine-readable word is the event's kind."""

from __future__ import annotations

from core.spans import span, span_zh
from flight import messages as m
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import AedState, Phase, SafeState

_PHASES: dict[Phase, tuple[str, str]] = {
    Phase.DISCONNECTED: ("The drone is not heard", "无人机失联"),
    Phase.STANDBY: ("The drone stands by", "无人机待命"),
    Phase.PREPARING: ("The drone checks itself and takes the mission", "无人机自检并接收航线"),
    Phase.WAITING: (
        "The drone is prepared and waits for its moment to take off",
        "无人机准备就绪，等待起飞时刻",
    ),
    Phase.ARMING: ("The drone is being armed", "无人机解锁中"),
    Phase.ARMED: ("Motors run, take-off is commanded", "电机已启动，准备起飞"),
    Phase.CLIMBING: ("The drone climbs from its pad", "无人机起飞爬升"),
    Phase.OUTBOUND: ("The drone is on its way to the landing point", "无人机飞往投送点"),
    Phase.HOVERING: ("The drone hovers over the landing point", "无人机在投送点上空悬停"),
    Phase.LOWERING: ("The AED is being lowered: keep clear", "正在下放 AED，请勿靠近"),
    Phase.RELEASING: ("The AED is at the ground and is being released", "AED 已到地面，正在释放"),
    Phase.RETRACTING: ("The AED is released, the line comes up", "AED 已释放，正在收线"),
    Phase.RECOVERING_LINE: ("The delivery is broken off, the line comes up", "投送中止，正在收线"),
    Phase.TOUCHING_DOWN: (
        "The drone lands at the landing point with the AED: keep clear",
        "无人机正携 AED 在投送点降落，请勿靠近",
    ),
    Phase.UNLOADING: (
        "The drone stands at the landing point, its motors are being stopped: keep clear",
        "无人机已落地，正在停桨，请勿靠近",
    ),
    Phase.INBOUND: ("The drone flies home", "无人机返航"),
    Phase.RETURNING: ("The drone returns early", "无人机提前返航"),
    Phase.HOLDING: ("The drone holds its position", "无人机原地悬停"),
    Phase.STANDING_OFF: ("The drone stops for safety", "无人机因安全原因悬停"),
    Phase.REROUTING: ("The drone stands and takes another route", "无人机悬停并更换航线"),
    Phase.UNCLAIMED: ("The drone is in the air with a flight unknown here", "无人机正在执行本机未知的飞行"),
    Phase.DIVERTING: ("The drone diverts to a rally point", "无人机备降"),
    Phase.AUTOPILOT_RETURN: ("The autopilot returns by itself", "飞控自主返航"),
    Phase.HANDED_OVER: ("Somebody else controls the drone", "无人机由其他操作者控制"),
    Phase.LANDING: ("The drone lands", "无人机降落中"),
    Phase.LANDING_HERE: ("The drone lands where it is", "无人机就地降落"),
    Phase.DISARMING: ("The flight is called off on the pad", "飞行已取消，电机停转中"),
    Phase.ENDED: ("The flight is over", "飞行结束"),
}
_SAFE_STATES: dict[SafeState, tuple[str, str]] = {
    SafeState.NEVER_LEFT_GROUND: ("it never left the ground", "未起飞"),
    SafeState.ON_PAD: ("it is back on its pad", "已返回停机坪"),
    SafeState.DELIVERED_ON_GROUND: (
        "it stands at the landing point with its motors off, somebody fetches it",
        "已停在投送点，电机已停，需派人取回",
    ),
    SafeState.LANDED_AT_RALLY: ("it landed at a rally point", "已在备降点降落"),
    SafeState.LANDED_ELSEWHERE: (
        "it landed elsewhere, somebody must go there",
        "已在其他地点降落，需派人前往",
    ),
    SafeState.CLOSED_BY_HAND: ("a person closed it", "已由人工关闭"),
    SafeState.LOST: ("it is lost, the last position is known", "失联，已知最后位置"),
}
_AED: dict[AedState, tuple[str, str]] = {
    AedState.ON_BOARD: ("the AED is on board", "AED 仍在机上"),
    AedState.RELEASED: ("the AED was released", "AED 已释放"),
    AedState.UNKNOWN: ("it is not known where the AED is", "AED 位置不明"),
}
_COMMANDS = {
    "fly_mission": ("the flight", "飞行任务"),
    "abort_flight": ("the recall", "召回指令"),
    "return_home": ("the return", "返航指令"),
    "hold_flight": ("the hold", "悬停指令"),
    "continue_flight": ("to go on", "继续指令"),
    "divert_flight": ("the diversion", "备降指令"),
    "land_now": ("to land at once", "立即降落指令"),
    "confirm_aed_loaded": ("that an AED is loaded", "AED 已装载确认"),
    "reroute_flight": ("another route", "改航指令"),
    "close_flight": ("to close the flight", "关闭飞行指令"),
    "zone_activated": ("that a zone was closed", "区域关闭通知"),
    "zone_cleared": ("that a zone is open again", "区域开放通知"),
    "authorisation_revoked": ("that an authorisation was taken back", "授权撤销通知"),
    "patient_moved": ("that the patient moved", "患者位置变更通知"),
    "landing_point_occupied": ("that the landing point is occupied", "投放点被占用通知"),
    "landing_point_cleared": ("that the landing point is free", "投放点已清空通知"),
    "wind_reported": ("the wind at the station", "站点风况"),
    "weather_judged": ("what the weather has become", "天气变化通知"),
    "aed_self_tested": ("the AED's self-test", "AED 自检结果"),
    "report_state": ("to report", "状态上报指令"),
}


_ACTIONS: dict[SafetyAction, str] = {
    SafetyAction.NONE: "不采取动作",
    SafetyAction.WARN: "告警",
    SafetyAction.HOLD: "悬停",
    SafetyAction.RETURN: "返航",
    SafetyAction.DIVERT: "备降",
    SafetyAction.LAND: "就地降落",
    SafetyAction.TERMINATE: "终止飞行",
}
_FAULTS: dict[Fault, str] = {
    Fault.LINK_STALE: "链路迟滞",
    Fault.LINK_LOST: "链路中断",
    Fault.GPS_LOST: "卫星定位丢失",
    Fault.GPS_GLITCH: "卫星定位跳变",
    Fault.ESTIMATOR_FAILED: "位置估计失效",
    Fault.BATTERY_LOW: "电量低",
    Fault.BATTERY_CRITICAL: "电量严重不足",
    Fault.ENERGY_SHORT: "电量不足以完成计划",
    Fault.WIND_ABOVE_LIMIT: "风速超限",
    Fault.WEATHER_UNFIT: "天气超出机型限制",
    Fault.INTRUDER: "有其他航空器接近",
    Fault.NO_PROGRESS: "飞行无进展",
    Fault.MISSION_LOST: "机上航线丢失",
    Fault.DEVIATION: "偏离航线",
    Fault.ZONE_AHEAD: "前方空域关闭",
    Fault.ZONE_AROUND: "所在空域关闭",
    Fault.ZONE_TURN_BACK: "空域关闭须折返",
    Fault.NO_NEW_WAY: "没有可行的新航线",
    Fault.AUTHORISATION_REVOKED: "飞行授权撤销",
    Fault.ORDER_CANCELLED: "订单取消",
    Fault.PATIENT_MOVED: "患者位置变更",
    Fault.LANDING_POINT_OCCUPIED: "投放点被占用",
    Fault.WINCH_JAM: "绞盘卡滞",
    Fault.RELEASE_NOT_CONFIRMED: "未确认释放",
    Fault.LINE_NOT_RETRACTED: "吊绳未收回",
    Fault.MOTOR_TROUBLE: "电机异常",
    Fault.CRASHED: "坠落",
    Fault.LANDING_OVERDUE: "降落超时",
    Fault.GROUND_UNNOTICED: "飞控未识别着地",
    Fault.HELD_LONG: "悬停过久，患者等待中",
    Fault.CONTROL_TAKEN: "控制权被接管",
    Fault.AUTOPILOT_REBOOTED: "飞控重启",
    Fault.FENCE_BREACHED: "越出围栏",
}
_LINKS = {"up": "正常", "stale": "迟滞", "lost": "中断"}


def phase_zh(phase: Phase) -> str:
    """A phase as the Chinese sentences say it."""
    return _PHASES[phase][1]


def safe_state_zh(state: SafeState) -> str:
    """How a flight ended, in Chinese."""
    return _SAFE_STATES[state][1]


def command_zh(kind: str) -> str:
    """What a drone is told, in Chinese; the word itself for a kind that no table of ours has."""
    return _COMMANDS.get(kind, (kind, kind))[1]


def _joined(reasons: tuple[m.Reason, ...]) -> tuple[str, str]:
    return "; ".join(r.detail for r in reasons), ";".join(r.detail_zh for r in reasons)


def narrate(event: m.Event) -> tuple[str, str]:
    """The sentence for an event of a flight, (English, Chinese)."""
    match event:
        case m.CommandAccepted():
            en, zh = _COMMANDS.get(event.command_kind, (event.command_kind, event.command_kind))
            return f"{event.drone_id} accepted {en}", f"{event.drone_id} 已接受{zh}"
        case m.CommandRefused():
            en, zh = _COMMANDS.get(event.command_kind, (event.command_kind, event.command_kind))
            why, why_zh = _joined(event.reasons)
            return f"{event.drone_id} refused {en}: {why}", f"{event.drone_id} 拒绝{zh}：{why_zh}"
        case m.PhaseChanged():
            en, zh = _PHASES[event.phase]
            return (f"{en} ({event.reason})" if event.reason else en), zh
        case m.AedReleased():
            return "The drone confirmed the release of the AED", "无人机确认 AED 已释放"
        case m.AedOnGround():
            return "The AED is on the ground and may be approached", "AED 已送达地面，可以取用"
        case m.DeliveryFailed():
            return (
                f"This flight will not deliver: {event.reason.detail}",
                f"本次飞行无法送达：{event.reason.detail_zh}",
            )
        case m.SafetyActionTaken():
            return (
                f"Fault {event.fault} in phase {event.phase}: {event.action.name} ({event.detail})",
                f"{_FAULTS[event.fault]}（{phase_zh(event.phase)}）：{_ACTIONS[event.action]}",
            )
        case m.FaultCleared():
            return f"Fault {event.fault} is over", f"故障已解除：{_FAULTS[event.fault]}"
        case m.LinkChanged():
            return (
                f"The link is {event.link} after {span(event.silent_s)} of silence",
                f"链路{_LINKS[event.link]}，静默 {span_zh(event.silent_s)}",
            )
        case m.FlightRerouted():
            return (
                f"The drone flies another route to {event.plan.landing_point_id} ({event.reason})"
                if event.plan.delivers
                else f"The drone flies another route home ({event.reason})",
                f"无人机改航前往 {event.plan.landing_point_id}" if event.plan.delivers else "无人机改航返回",
            )
        case m.RerouteFailed():
            why, why_zh = _joined(event.reasons)
            return f"No other route is flown: {why}", f"未能改航：{why_zh}"
        case m.UnknownFlightFound():
            return (
                f"{event.drone_id} is in the air and its controller knows no flight",
                f"{event.drone_id} 在空中，控制器无对应飞行记录",
            )
        case m.FlightResumed():
            return (
                f"The flight is followed again after a restart: phase {event.phase}, {_AED[event.aed][0]}",
                f"重启后已恢复跟踪飞行：{phase_zh(event.phase)}；{_AED[event.aed][1]}",
            )
        case m.FlightEnded():
            state, state_zh = _SAFE_STATES[event.safe_state]
            return (
                f"The flight is over: {state}; {_AED[event.aed][0]}",
                f"飞行结束：{state_zh}；{_AED[event.aed][1]}",
            )
        case m.PreflightChecked():
            return (
                ("The drone is ready", "无人机就绪")
                if event.ready
                else ("The drone is not ready", "无人机未就绪")
            )
        case m.VehicleState():
            return f"The drone reports phase {event.phase}", f"上报状态：{phase_zh(event.phase)}"
