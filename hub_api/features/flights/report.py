"""A flight's report as PDF, in Chinese and English: for the file, the authority and the family of the patient.

Laid out by ReportLab. Chinese stands in STSong-Light, one of the fonts that PDF programs bring themselves, so that
no font has to be shipped; a font file by setting is embedded instead.
"""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from core.errors import ErrorCode, InternalError
from hub_api import VERSION
from hub_api.features.flights import report_drawing as drawing
from hub_api.features.flights.report_facts import ReportFacts, minutes

STANDARD_FONT = "STSong-Light"
EMBEDDED_FONT = "report-font"
_WIDTH = A4[0] - 36 * mm - 12  # a frame pads 6 points on either side
_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f℃]+")
"""What Helvetica has no glyph for; the middle dot and the dashes it has."""
_OUTCOMES = {
    "open": ("飞行未结束", "The flight is still open", "#0b57d0"),
    "delivered": ("AED 已送达地面", "The AED was delivered", "#1b7a43"),
    "not_delivered": ("未投送", "The AED was not delivered", "#b3261e"),
    "never_left_ground": ("未起飞", "The drone never left the ground", "#6b7b88"),
}


@cache
def _font(path: Path | None) -> str:
    """The registered font for Chinese. Raises 5002 for a file that is no TrueType font."""
    if path is None:
        pdfmetrics.registerFont(UnicodeCIDFont(STANDARD_FONT))
        return STANDARD_FONT
    try:
        pdfmetrics.registerFont(TTFont(EMBEDDED_FONT, str(path)))
    except (TTFError, OSError) as error:
        raise InternalError(ErrorCode.SETTINGS_INVALID, str(error), field="report_font_file") from None
    return EMBEDDED_FONT


def flight_report(facts: ReportFacts, *, font_file: Path | None = None) -> bytes:
    """The PDF. Raises 5002 where ``font_file`` can't be used."""
    layout = _Layout(_font(font_file))
    flight_id = facts.mission.flight_id
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title=f"{flight_id} · AED",
        author="drone-aed",
        invariant=True,
    )

    def footer(canvas: Any, _document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(drawing.INK)
        said = f"{flight_id}  |  drone-aed {VERSION}  |  {facts.local(facts.made_at)} {facts.site.timezone}"
        canvas.drawString(18 * mm, 9 * mm, said)
        canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    document.build(_story(facts, layout), onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


class _Layout:
    """Paragraphs and tables of one look. Latin stands in Helvetica, Chinese in ``cjk_font``."""

    def __init__(self, cjk_font: str) -> None:
        self._cjk = cjk_font
        base = {"fontName": "Helvetica", "textColor": drawing.INK, "alignment": TA_LEFT, "wordWrap": "CJK"}
        self._styles = {
            "title": ParagraphStyle("title", fontSize=17, leading=23, **base),
            "head": ParagraphStyle("head", fontSize=11, leading=16, spaceBefore=9, spaceAfter=3, **base),
            "text": ParagraphStyle("text", fontSize=8.5, leading=12, **base),
            "small": ParagraphStyle("small", fontSize=7.5, leading=10.5, **base),
        }

    def text(self, text: str, style: str = "text", colour: str | None = None) -> Paragraph:
        marked = _CJK.sub(lambda run: f'<font name="{self._cjk}">{run.group()}</font>', escape(text))
        if colour is not None:
            marked = f'<font color="{colour}">{marked}</font>'
        return Paragraph(marked, self._styles[style])

    def facts(self, rows: list[tuple[str, str, str]]) -> Table:
        """(中文, English, value)"""
        cells = [[self.text(f"{zh} {en}", "small"), self.text(value)] for zh, en, value in rows]
        table = Table(cells, colWidths=[58 * mm, _WIDTH - 58 * mm], splitInRow=1)
        table.setStyle(_grid())
        return table

    def table(self, head: list[str], rows: list[list[str]], widths: list[float]) -> Table:
        cells = [[self.text(cell, "small", "#ffffff") for cell in head]]
        cells += [[self.text(cell, "small") for cell in row] for row in rows]
        # A row may be longer than a page: it goes on, and the report is not lost for it.
        table = Table(cells, colWidths=widths, repeatRows=1, splitInRow=1)
        style = _grid()
        style.add("BACKGROUND", (0, 0), (-1, 0), drawing.INK)
        table.setStyle(style)
        return table


def _grid() -> TableStyle:
    return TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, drawing.FAINT),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ]
    )


def _story(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    zh, en, colour = _OUTCOMES[facts.outcome]
    banner = Table([[layout.text(f"{zh} · {en}", "head", "#ffffff")]], colWidths=[_WIDTH])
    banner.setStyle(
        TableStyle([("BACKGROUND", (0, 0), (-1, -1), HexColor(colour)), ("LEFTPADDING", (0, 0), (-1, -1), 8)])
    )
    story: list[Flowable] = [
        layout.text("AED 无人机投送飞行报告", "title"),
        layout.text(f"AED delivery by drone: flight report · {facts.site.name_zh} {facts.site.name}"),
        Spacer(1, 5),
        banner,
        *_overview(facts, layout),
        *_times(facts, layout),
        *_map(facts, layout),
        *_curves(facts, layout),
        *_plan(facts, layout),
        *_events(facts, layout),
    ]
    return story


def _overview(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    mission = facts.mission
    rows = [
        ("飞行编号", "flight", mission.flight_id),
        (
            "订单编号",
            "order",
            f"{facts.order_id} ({facts.severity})" + (" · 演练 DRILL" if facts.drill else ""),
        ),
        ("急救中心编号", "incident", facts.incident_reference or "—"),
        ("无人机", "drone", f"{mission.drone_id} ({facts.plans[0].airframe_id})"),
        ("起飞站点", "station", facts.name_of(mission.station_id)),
        ("投送点", "landing point", facts.name_of(mission.landing_point_id)),
        ("结束状态", "safe state", f"{mission.safe_state or '—'}  {mission.end_reason or ''}"),
    ]
    return [layout.text("概要 · Overview", "head"), layout.facts(rows)]


def _times(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    mission = facts.mission
    rows = [
        [f"{zh} {en}", facts.local(moment), facts.after_order(moment)]
        for zh, en, moment in (
            ("收到订单", "order received", facts.received_at),
            ("下达飞行指令", "flight commanded", mission.created_at),
            ("无人机接受", "drone accepted", mission.accepted_at),
            ("起飞", "airborne", mission.airborne_at),
            ("AED 到达地面", "AED on the ground", mission.aed_on_ground_at),
            ("确认无法投送", "delivery lost", mission.lost_at if mission.aed_on_ground_at is None else None),
            ("飞行结束", "flight ended", mission.ended_at),
        )
    ]
    head = ["阶段 Stage", f"当地时间 Local time ({facts.site.timezone})", "自接单起 After the order (min:s)"]
    return [
        layout.text("时间 · Times", "head"),
        layout.table(head, rows, [64 * mm, 62 * mm, _WIDTH - 126 * mm]),
    ]


def _map(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    plan = facts.plans[-1]
    chart = drawing.route_map(plan, facts.track, facts.zones, width=_WIDTH, height=88 * mm)
    said = (
        "蓝：计划去程 planned way out；绿：计划返程 planned way back；红：实际航迹 flown track。"
        f"空域版本 airspace {facts.zones_version}"
    )
    if plan.airspace_version != facts.zones_version:
        said += f"（规划时为 planned in {plan.airspace_version}）"
    return [
        KeepTogether([layout.text("航线与航迹 · Route and track", "head"), chart, layout.text(said, "small")])
    ]


def _curves(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    head = layout.text("飞行数据 · Flight data", "head")
    if not facts.track:
        why = (
            "记录中没有轨迹数据。 The record holds no track."
            if facts.record_here
            else "本机没有该次飞行的机载记录，因此没有轨迹与曲线。 The drone's own record is not on this host, "
            "so there is no track and no curve."
        )
        return [head, layout.text(why)]
    began = facts.track[0].at
    times = [(sample.at - began).total_seconds() for sample in facts.track]
    summary = facts.summary
    rows = [
        ("飞行距离", "flown", f"{summary.flown_m / 1000.0:.2f} km"),
        ("最大高度（相对起飞点）", "highest above the pad", _figure(summary.highest_m, "m")),
        ("最大地速", "fastest over ground", _figure(summary.fastest_m_s, "m/s")),
        (
            "最低电量",
            "least charge",
            "—" if summary.least_charge_fraction is None else f"{summary.least_charge_fraction:.0%}",
        ),
        ("最长失联", "longest silence", _figure(summary.longest_silence_s, "s")),
    ]
    found: list[Flowable] = [head, layout.facts(rows)]
    for title, figures, colour in (
        (
            "高度（米） Height above the pad (m)",
            [sample.figures["height_above_home_m"] for sample in facts.track],
            drawing.OUT,
        ),
        ("地速（米/秒） Ground speed (m/s)", [s.ground_speed_m_s for s in facts.track], drawing.FLOWN),
        ("电量 Battery charge", [s.figures["charge_fraction"] for s in facts.track], drawing.BACK),
    ):
        chart = drawing.curve(times, figures, width=_WIDTH, height=29 * mm, colour=colour, whole_s=times[-1])
        found.append(KeepTogether([Spacer(1, 4), layout.text(title, "small"), chart]))
    return found


def _figure(number: float | None, unit: str) -> str:
    return "—" if number is None else f"{number:.1f} {unit}"


def _plan(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    plan = facts.plans[0]
    wind = plan.wind
    rows = [
        ("计划编号", "plan", plan.plan_id),
        ("预计 AED 落地", "AED on the ground, planned", minutes(plan.timing.time_to_aed_on_ground_s)),
        ("预计到达患者", "at the patient, planned", minutes(plan.timing.time_to_patient_s)),
        ("预计全程", "whole flight, planned", minutes(plan.timing.total_s)),
        ("能量", "energy", f"{plan.energy.total_wh:.0f} Wh / {plan.energy.usable_wh:.0f} Wh"),
        ("风", "wind", f"{wind.from_deg:.0f}°, {wind.speed_m_s:.1f} m/s"),
        ("走廊半宽", "corridor half width", f"{plan.corridor_half_width_m:.0f} m"),
        ("空域授权", "authorisations", ", ".join(plan.authorisation_ids) or "—"),
        ("条件", "conditions", "; ".join(plan.conditions) or "—"),
        ("改航次数", "re-routes", str(len(facts.plans) - 1)),
    ]
    return [KeepTogether([layout.text("计划 · Plan", "head"), layout.facts(rows)])]


def _events(facts: ReportFacts, layout: _Layout) -> list[Flowable]:
    rows = [
        [facts.local(event.at).partition(" ")[2], event.kind, f"{event.detail_zh}\n{event.detail}"]
        for event in facts.events
    ]
    head = ["时间 Time", "事件 Event", "说明 What happened"]
    return [
        layout.text("事件 · Events", "head"),
        layout.table(head, rows, [22 * mm, 38 * mm, _WIDTH - 60 * mm]),
    ]
