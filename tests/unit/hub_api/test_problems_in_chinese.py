"""Every problem in English and Chinese: each code, each place that refuses, and what validation says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.errors import AirspaceError, ErrorCode, InternalError
from hub_api import problems, two_languages
from tests.unit.hub_api.world import BODY, play, world

HUB = Path(__file__).parents[3] / "hub_api"
HAN = re.compile(r"[\u4e00-\u9fff]")


def told(code: ErrorCode, detail: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(problems.problem(code, detail).body))
    return found


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_has_both_languages_whatever_it_says(code: ErrorCode):
    for detail in ("something is wrong in line 7", "something is wrong · 第 7 行有误"):
        said = told(code, detail)
        assert HAN.search(said["title_zh"])
        assert HAN.search(said["detail_zh"])
        assert not HAN.search(said["title"] + said["detail"])
        assert "7" in said["detail_zh"]


def refusals() -> list[tuple[str, int, str]]:
    found = []
    for path in HUB.rglob("*.py"):
        if "node_modules" in path.parts or "commands" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DispatchError":
                found.append((path.name, node.lineno, ast.unparse(node)))
    return found


def test_every_refusal_of_the_hub_is_written_in_chinese_too():
    # What is passed on was written in both languages where it came from.
    passed_on = ("why_zh", "detail_zh", "_REFUSED", "objection", "fault['msg']", ", what, ")
    found = refusals()
    assert len(found) > 100
    silent = [r for r in found if not HAN.search(r[2]) and not any(name in r[2] for name in passed_on)]
    assert silent == []


def test_what_validation_says_is_put_into_chinese(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            bodies: list[Any] = [
                {},
                BODY | {"severity": "V"},
                BODY | {"floor": "x"},
                BODY | {"floor": 0},
                BODY | {"floor": 999},
                BODY | {"notes": "\x00"},
                BODY | {"notes": "x" * 3000},
                BODY | {"position": {"reference_system": "WGS84", "latitude_deg": 1, "longitude_deg": 2}},
                BODY | {"position": BODY["position"] | {"latitude_deg": 91}},
                BODY | {"ambulance_eta_at": "2026-03-01"},
                BODY | {"callback_url": "ftp://x"},
                BODY | {"unheard_of": 1},
                [],
            ]
            kinds = set()
            for number, body in enumerate(bodies):
                answer = await w.client.post(
                    "/v1/orders", json=body, headers={"Idempotency-Key": f"k{number}"}
                )
                said = answer.json()
                assert answer.status_code == 422, body
                assert HAN.search(said["detail_zh"]), said
                for error in said["errors"]:
                    kinds.add(error["reason"])
                    assert HAN.search(error["detail_zh"]), error
                    assert not HAN.search(error["detail"]), error
                    assert "{" not in error["detail_zh"], error
            assert len(kinds) >= 8
            for path in ("/v1/orders?limit=0", "/v1/orders?nothing=1", "/v1/nowhere", "/v1/drones/x"):
                said = (await w.client.get(path)).json()
                assert HAN.search(said["detail_zh"]), said
                assert not HAN.search(said["detail"]), said
            (limit,) = (await w.client.get("/v1/orders?limit=0")).json()["errors"]
            assert limit["detail_zh"] == "须大于或等于 1"

    play(main())


def test_an_error_of_another_room_keeps_what_it_says_behind_its_chinese_name():
    said = told(ErrorCode.ZONE_FILE_INVALID, AirspaceError(ErrorCode.ZONE_FILE_INVALID, "no ring").detail)
    assert said["detail_zh"] == "空域文件被拒绝（no ring）"
    assert told(ErrorCode.STORE_FAILED, InternalError(ErrorCode.STORE_FAILED, "x").detail)["title_zh"]


def test_every_kind_of_validation_error_is_filled_in_from_what_pydantic_tells():
    for kind, text in two_languages._KINDS.items():
        ctx = dict.fromkeys(re.findall(r"{(\w+)}", text), "7")
        said, said_zh = two_languages.of_validation({"type": kind, "msg": "m", "ctx": ctx})
        assert (said, "{" in said_zh) == ("m", False)
        assert HAN.search(said_zh) or said_zh.isascii() is False
