"""What the demo shows in the terminal, English and Chinese side by side."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_STYLE = {"chosen": "bold green", "possible": "cyan", "refused": "red"}
_VERDICT_ZH = {"chosen": "选中", "possible": "可行", "refused": "拒绝"}
_SHOWN_CANDIDATES = 10


def minutes(duration_s: float | None) -> str:
    """m:ss, or a dash where nothing is known."""
    if duration_s is None:
        return "—"
    sign = "-" if duration_s < 0 else ""
    whole = round(abs(duration_s))
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def show_order(console: Console, order: dict[str, Any], source: str) -> None:
    """The order as the centre sends it."""
    position = order["position"]
    console.rule("[bold]120 → hub   急救中心派单")
    console.print(f"[dim]{source}[/]")
    console.print(
        f"  {position['reference_system']} {position['latitude_deg']:.6f} N {position['longitude_deg']:.6f} E"
        f" · severity 病情 {order['severity']}"
        + (f" · floor 楼层 {order['floor']}" if order.get("floor") else "")
    )
    if order.get("notes"):
        console.print(f"  {order['notes']}")


def show_decision(console: Console, view: dict[str, Any], names: dict[str, str], answered_s: float) -> None:
    """Every candidate with its reasons, then the plan."""
    decision, place = view["decision"], view["position"]
    console.rule(f"[bold]Decision in {answered_s * 1000:.0f} ms   决策")
    console.print(
        f"  patient at WGS-84 {place['wgs84_latitude_deg']:.6f} N {place['wgs84_longitude_deg']:.6f} E"
        f" (sent as {place['reference_system']})"
    )
    _show_candidates(console, decision["candidates"], names)
    if decision["outcome"] == "declined":
        for reason in decision["reasons"]:
            console.print(
                f"  [bold red]declined 无法出动[/] {reason['code']}: {reason['detail']} · {reason['detail_zh']}"
            )
        return
    eta, station, point = decision["eta"], decision["station"], decision["landing_point"]
    console.print(
        f"  [bold green]{decision['drone_id']}[/] from [bold]{station['name']} {station['name_zh']}[/]"
        f" to [bold]{point['name']} {point['name_zh']}[/],"
        f" {decision['delivery_method']}: AED on the ground in [bold]{minutes(eta['aed_on_ground_s'])}[/],"
        f" at the patient in {minutes(eta['patient_s'])}, drone home after {minutes(eta['drone_home_s'])}"
    )


def _show_candidates(console: Console, candidates: list[dict[str, Any]], names: dict[str, str]) -> None:
    """The best in full, the refused ones by reason; ``order.json`` holds every one with its sentences."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "drone", "landing point 投送点", "patient", "at least", "why 原因"):
        table.add_column(
            heading, justify="right" if heading in ("patient", "at least") else "left", no_wrap=True
        )
    flyable = [candidate for candidate in candidates if candidate["verdict"] != "refused"]
    for candidate in flyable[:_SHOWN_CANDIDATES]:
        verdict = candidate["verdict"]
        point = candidate["landing_point_id"]
        table.add_row(
            Text(f"{verdict} {_VERDICT_ZH[verdict]}", style=_STYLE[verdict]),
            candidate["drone_id"],
            names.get(point, point),
            minutes(candidate["time_to_patient_s"]),
            minutes(candidate["least_time_to_patient_s"]),
            ", ".join(reason["code"] for reason in candidate["reasons"]),
        )
    console.print(table)
    if len(flyable) > _SHOWN_CANDIDATES:
        console.print(f"  [dim]… and {len(flyable) - _SHOWN_CANDIDATES} more that are slower[/]")
    refused = Counter(
        reason["code"]
        for candidate in candidates
        if candidate["verdict"] == "refused"
        for reason in candidate["reasons"]
    )
    for code, count in refused.most_common():
        example = next(
            reason
            for candidate in candidates
            if candidate["verdict"] == "refused"
            for reason in candidate["reasons"]
            if reason["code"] == code
        )
        console.print(
            f"  [red]refused 拒绝[/] {count} × {code}, e.g. {example['detail']} [dim]{example['detail_zh']}[/]"
        )


class FlightScreen:
    """Live progress: a pinned panel in a terminal, one line an event elsewhere."""

    def __init__(self, console: Console, *, planned_delivery_s: float, planned_home_s: float) -> None:
        self._console = console
        self._planned_delivery_s = planned_delivery_s
        self._planned_home_s = planned_home_s
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None
        self._state = "DECIDED"

    def __enter__(self) -> FlightScreen:
        self._console.rule("[bold]Flight   飞行")
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.update(Text(""), refresh=True)
            self._live.stop()

    def event(self, elapsed_s: float, event: dict[str, Any]) -> None:
        """One line: time since the order, in vehicle time, and both sentences."""
        self._state = event.get("state") or self._state
        style = "bold green" if event["kind"] in ("aed_on_ground", "aed_released") else ""
        if event["kind"] in ("safety_action_taken", "delivery_failed", "command_refused"):
            style = "bold yellow"
        self._console.print(
            Text(f"  +{minutes(elapsed_s):>5}  ", style="dim")
            + Text(event["detail"], style=style)
            + Text(f"  {event['detail_zh']}", style="dim")
        )

    def progress(self, elapsed_s: float, view: dict[str, Any], drone: dict[str, Any] | None) -> None:
        """The pinned panel: phase, countdown, height, battery."""
        if not self._live:
            return
        live = view.get("live")
        delivered = view["aed_on_ground_at"] is not None
        target_s = self._planned_home_s if delivered else self._planned_delivery_s
        eta_s = live["eta_s"] if live else None
        countdown = "drone home in 返航剩余" if delivered else "AED on the ground in 距送达"
        bits = [f"[bold]{countdown} {minutes(eta_s if eta_s is not None else target_s - elapsed_s)}[/]"]
        if live:
            bits.append(live["phase"])
            if live["height_above_home_m"] is not None:
                bits.append(f"{live['height_above_home_m']:.0f} m above home")
        charge = (drone or {}).get("charge_fraction")
        if charge is not None:
            bits.append(f"battery {charge:.0%}")
        self._live.update(
            Panel(
                Group(
                    Text.from_markup(" · ".join(bits)),
                    ProgressBar(total=target_s, completed=min(elapsed_s, target_s)),
                ),
                title=f"{self._state}",
                title_align="left",
            )
        )


def elapsed_s(view: dict[str, Any], at: str) -> float:
    """Seconds of vehicle time from the order to the moment ``at``."""
    return (datetime.fromisoformat(at) - datetime.fromisoformat(view["received_at"])).total_seconds()


def show_summary(console: Console, view: dict[str, Any], record: str | None, real_s: float) -> None:
    """The end: how it went and where the record lies."""
    console.rule("[bold]Summary   小结")
    rows: list[tuple[str, str]] = [("order 订单", f"{view['order_id']} · {view['state']}")]
    for label, field in (
        ("airborne 起飞", "airborne_at"),
        ("AED on the ground 送达", "aed_on_ground_at"),
        ("closed 结束", "finished_at"),
    ):
        if view[field]:
            rows.append((label, f"{minutes(elapsed_s(view, view[field]))} after the order 接单后"))
    for flight in view["flights"]:
        rows.append((f"flight 飞行 {flight['drone_id']}", f"{flight['safe_state']}: {flight['end_reason']}"))
    rows.append(("real time 实际用时", f"{real_s:.0f} s"))
    if record:
        rows.append(("flight record 飞行记录", record))
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(f"  {row[0]}", row[1])
    console.print(table)
