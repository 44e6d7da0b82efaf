"""Every sentence of the readers of zone, authorisation and site files has its Chinese, and loses nothing in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hub_api.features.site.schemas import AirframeRequest, DroneRequest, LandingPointRequest
from hub_api.readers_in_chinese import SENTENCES, in_chinese
from tests.unit.hub_api.world import World, play, world

ROOT = Path(__file__).resolve().parents[3]
HAN = re.compile(r"[\u4e00-\u9fff]")
NOT_ASKED_BY_REQUESTS = {
    "airspace.py": "its questions come from the planner",
    "batch.py": "likewise",
    "geotiff.py": "the ground is read at start",
    "judge.py": "likewise the planner's",
    "manifest.py": "a manifest is read at start",
    "terrain.py": "the ground is read at start",
    "vertical.py": "the geoid is a setting",
}
READERS = [
    *(file for file in (ROOT / "geofences").rglob("*.py") if file.name not in NOT_ASKED_BY_REQUESTS),
    *(ROOT / "core" / name for name in ("geodesy.py", "gcj02.py")),
    *(ROOT / "planner" / name for name in ("site.py", "checks.py", "airframe.py")),
    *(ROOT / "hub_api" / name for name in ("site_data/book.py", "dispatch/airspace_book.py")),
]
SAYING = {"ZoneFileError", "AirspaceError", "refuse", "tolerated", "ignored", "repaired"}
NOT_SAID_TO_REQUESTS = {
    # A number without a datum is asked for by no file and no request.
    "altitude is given above {self.datum}, asked above {datum}",
    "{self._metres!r} is not a finite altitude",
}


def template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else ast.unparse(ast.JoinedStr([part]))[2:-1]
            for part in node.values
        )
    return None


def sentences() -> Iterator[tuple[str, str]]:
    """Where it is said, and what, with what it quotes in braces."""
    for file in READERS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in SAYING:
                continue
            for argument in node.args:
                said = template(argument)
                # A field's path and a feature's name have no spaces of their own.
                if said is not None and " " in re.sub(r"\{[^}]*\}", "", said):
                    yield f"{file.name}:{node.lineno}", said


def filled(said: str) -> tuple[str, list[str]]:
    """As it may be heard: names in place of what is quoted."""
    names: list[str] = []

    def name(hole: re.Match[str]) -> str:
        names.append({0: "quuz", 1: "corge", 2: "grault", 3: "garply"}[len(names)])
        return names[-1]

    return re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", name, said), names


def test_every_sentence_of_the_readers_has_its_chinese():
    found = [said for said in sentences() if said[1] not in NOT_SAID_TO_REQUESTS]
    assert len(found) > 130
    silent = []
    for where, said in found:
        text, names = filled(said)
        # Two sentences say at the start of which thing they speak, and whose zone it is.
        text = text.replace("is in corge already", "is in feed corge already")
        text = re.sub(r"^quuz (names .*zone)", r"authorisation quuz \1", text)
        text = text.replace("must be corge and", "must be at least corge and")
        chinese = in_chinese(text)
        if chinese is None or not HAN.search(chinese) or any(name not in chinese for name in names):
            silent.append((where, text, chinese))
    assert silent == []


def test_every_line_of_the_table_is_found_as_itself():
    """A sentence that another one's pattern swallows would be told as that one."""
    for english, chinese in SENTENCES.items():
        holes = re.findall(r"\{(\w+)\}", english)
        assert set(re.findall(r"\{(\w+)\}", chinese)) == set(holes), english
        values = {hole: f"q{number}z" for number, hole in enumerate(holes)}
        assert in_chinese(english.format(**values)) == chinese.format(**values)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "feature GX-1: the outline is not a simple polygon: Self-intersection[113.8 22.6], and there is more than one"
            " way to repair it",
            "要素 GX-1：轮廓不是简单多边形：边线自相交 [113.8 22.6]，且修复方式不唯一",
        ),
        ("feature a: b: is missing", "要素 a: b：缺少该字段"),
        ("expected an object, found a list of 3", "须为对象，实为 含 3 项的列表"),
        ("'x is missing' is not a text", "'x is missing' 不是文本"),
        ("something that nobody says", None),
        ("is missing" + " " * 2000, None),
    ],
)
def test_what_is_quoted_stays(text: str, chinese: str | None):
    assert in_chinese(text) == chinese


def test_nothing_that_a_file_quotes_keeps_the_hub_busy():
    text = "feature " + "x: " * 300 + " is outside [" * 20
    assert in_chinese(text) is None


def square(**changes: Any) -> dict[str, Any]:
    feature = {
        "type": "Feature",
        "properties": {"identifier": "POLICE-7", "country": "CHN", "restriction": "PROHIBITED"},
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                [[113.88, 22.56], [113.89, 22.56], [113.89, 22.57], [113.88, 22.57], [113.88, 22.56]]
            ],
        },
    }
    return {"type": "FeatureCollection", "features": [feature | changes]}


def ring(points: list[list[float]]) -> dict[str, Any]:
    return square(geometry={"type": "Polygon", "coordinates": [points]})


BOW_TIE = [[113.88, 22.56], [113.89, 22.57], [113.89, 22.56], [113.88, 22.57], [113.88, 22.56]]
MANY = [[113.88 + number * 1e-9, 22.56] for number in range(200_001)]


async def refusal(w: World, content: bytes | str, file_format: str = "geojson") -> dict[str, Any]:
    answer = await w.client.post(
        "/v1/airspace/feeds/police/preview", params={"format": file_format}, content=content
    )
    assert answer.status_code == 422, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_zone_files_are_refused_in_chinese_with_field_and_reason(tmp_path: Path):
    crs = {"type": "name", "properties": {"name": "EPSG:4490"}}
    files: list[tuple[bytes | str, str, str, str]] = [
        (json.dumps(ring(BOW_TIE)), "geojson", "自相交", "geometry"),
        (json.dumps(ring(MANY)), "geojson", "200001 个点", "geometry"),
        (json.dumps(square() | {"crs": crs}), "geojson", "WGS 84", "crs"),
        (json.dumps(square(geometry=None)), "geojson", "缺少该字段", "geometry"),
        ("{", "geojson", "文件不是 JSON：第 1 行", ""),
        (b"\xff\xfe", "geojson", "UTF-8", ""),
        ("[" * 100_000, "geojson", "嵌套过深", ""),
        ('{"type": NaN}', "geojson", "NaN 不是数字", ""),
        (json.dumps({"type": "FeatureCollection", "features": []}), "geojson", "文件不含任何空域", "body"),
        ("<a/>", "kml", "不是 KML", ""),
        ('<!DOCTYPE a [<!ENTITY b "c">]><kml>&b;</kml>', "kml", "不允许的 XML", ""),
        ("PK", "kmz", "KMZ", ""),
        ("AC R\nAN X\nAL GND\nAH 100 QNH\n", "openair", "不是高度", "line 4"),
        (json.dumps({"features": 3}), "ed269", "须为要素列表", "features"),
        (json.dumps({"airports": [{"icao": "ZGSZ"}]}), "aerodromes", "要素 ZGSZ：缺少该字段", "runways"),
        (
            json.dumps({"airports": [{"icao": "ZGSZ", "runways": [{"ends": []}]}]}),
            "aerodromes",
            "跑道须有两个端点",
            "ends",
        ),
    ]

    async def main() -> None:
        async with world(tmp_path) as w:
            for content, file_format, chinese, field in files:
                said = await refusal(w, content, file_format)
                assert chinese in said["detail_zh"], said
                assert "空域文件被拒绝" not in said["detail_zh"], said
                assert not HAN.search(said["detail"]), said
                if field:
                    (error,) = said["errors"]
                    assert field in error["field"]
                    assert error["detail_zh"] == said["detail_zh"]

    play(main())


def test_a_name_in_a_file_is_quoted_whatever_it_is(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            named = {"identifier": "甲 · 乙", "country": "CHN", "restriction": "NONE_OF_THEM"}
            said = await refusal(w, json.dumps(square(properties=named)))
            assert said["detail"].startswith("feature 甲 · 乙: 'NONE_OF_THEM' is not one of")
            assert said["detail_zh"].startswith("要素 甲 · 乙：'NONE_OF_THEM' 不在可选值之中")
            endless = named | {"identifier": "x" * 100_000}
            said = await refusal(w, json.dumps(square(properties=endless)))
            assert len(said["detail"]) < 400
            assert "不在可选值之中" in said["detail_zh"]

    play(main())


def test_what_was_repaired_is_told_in_chinese_too(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            open_ring = json.dumps(ring([*BOW_TIE[:1], [113.89, 22.56], [113.89, 22.57]]))
            answer = await w.client.post(
                "/v1/airspace/feeds/police/preview", params={"format": "geojson"}, content=open_ring
            )
            notes = answer.json()["notes"]
            assert [(note["what"], note["what_zh"]) for note in notes if note["kind"] == "repaired"] == [
                ("the ring was not closed", "环未闭合，已补全")
            ]

    play(main())


def example(request: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = request.model_json_schema()["examples"][0]
    return found


def test_items_of_the_site_are_refused_in_chinese(tmp_path: Path):
    point, drone, profile = (
        example(LandingPointRequest),
        example(DroneRequest),
        example(AirframeRequest)["profile"],
    )
    late = [{"days": [1], "start": "18:00", "end": "06:00"}]
    wrong: list[tuple[str, dict[str, Any], str, str]] = [
        ("drones/new", drone | {"station_id": "nowhere"}, "没有站点 'nowhere'", "station_id"),
        ("drones/new", drone | {"airframe_id": "none"}, "没有无人机 new 所用的机型 'none'", "airframe_id"),
        ("landing-points/new", point | {"alternates": ["x"]}, "'x' 不是另一个投送点", "alternates"),
        ("landing-points/new", point | {"hours": late}, "'06:00' 须晚于 '18:00'", "hours"),
        ("landing-points/new", point | {"hours": [late[0] | {"end": "99:00"}]}, "晚于 24:00", "hours"),
        ("airframes/new", {"profile": {}}, "缺少该字段", "name"),
        ("airframes/new", {"profile": profile | {"colour": 1}}, "机型数据没有该字段", "colour"),
        ("airframes/new", {"profile": profile | {"name": 7}}, "须为文本", "name"),
        ("airframes/new", {"profile": profile | {"autopilot": "abacus"}}, "可选值", "autopilot"),
        ("airframes/new", {"profile": profile | {"take_off_mass_kg": -1}}, "须大于 0", "take_off_mass_kg"),
        ("airframes/new", {"profile": profile | {"deliveries": []}}, "至少要有一种投送方式", "deliveries"),
        ("airframes/new", {"profile": profile | {"power": "much"}}, "须为", "power"),
    ]

    async def main() -> None:
        async with world(tmp_path) as w:
            for path, body, chinese, field in wrong:
                answer = await w.client.put(
                    f"/v1/{path}", params={"reason": "test", "preview": "true"}, json=body
                )
                said = answer.json()
                assert answer.status_code == 422, (path, body, said)
                assert chinese in said["detail_zh"], said
                assert "站点数据被拒绝" not in said["detail_zh"], said
                assert field in said["errors"][0]["field"], said

    play(main())
