"""The console as the hub serves it: what is built, how long it may be kept, what the page may load, who gets in."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from core.virtual_time import run_virtual
from hub_api.console import pages
from hub_api.settings import DEMO_PASSWORD, Settings
from tests.unit.hub_api.world import World, play, world

SCRIPT = "console.log('night')" * 100


def a_build(folder: Path) -> None:
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "index-Ab12.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "index.html").write_text("<!doctype html><title>drone-aed</title>", encoding="utf-8")
    (folder / ".built-from").write_text("digest", encoding="utf-8")


def a_client(folder: Path, **settings: object) -> httpx.AsyncClient:
    app = FastAPI()
    pages.install(app, Settings(_env_file=None, demo=True, **settings), folder)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")


def test_a_hub_without_built_assets_says_how_to_build_them(tmp_path: Path):
    async def main() -> None:
        async with a_client(tmp_path / "dist") as client:
            answer = await client.get("/console/")
            assert answer.status_code == 503
            assert "make setup" in answer.text
            assert "控制台尚未构建" in answer.text
            assert answer.headers["cache-control"] == "no-store"
            a_build(tmp_path / "dist")
            assert (await client.get("/console/")).status_code == 200

    run_virtual(main())


def test_the_page_is_asked_for_anew_and_its_files_are_kept(tmp_path: Path):
    async def main() -> None:
        a_build(tmp_path)
        async with a_client(tmp_path) as client:
            assert (await client.get("/console")).headers["location"] == "/console/"
            page = await client.get("/console/")
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            again = await client.get("/console/", headers={"If-None-Match": page.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            script = await client.get("/console/assets/index-Ab12.js")
            assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert script.headers["content-type"] == "text/javascript; charset=utf-8"
            assert script.headers["content-encoding"] == "gzip"
            assert script.text == SCRIPT
            plain = await client.get("/console/assets/index-Ab12.js", headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.text == SCRIPT

    run_virtual(main())


def test_a_new_build_shows_without_a_restart(tmp_path: Path):
    async def main() -> None:
        a_build(tmp_path)
        async with a_client(tmp_path) as client:
            before = await client.get("/console/")
            (tmp_path / "index.html").write_text("<!doctype html><title>newer</title>", encoding="utf-8")
            os.utime(tmp_path / "index.html", ns=(1, 1))
            after = await client.get("/console/", headers={"If-None-Match": before.headers["etag"]})
            assert (after.status_code, "newer" in after.text) == (200, True)

    run_virtual(main())


@pytest.mark.parametrize(
    "name",
    [
        "assets/../../settings.py",
        "%2e%2e/settings.py",
        "..%2f..%2fsettings.py",
        ".built-from",
        "other.js",
        "assets/",
    ],
)
def test_nothing_but_what_was_built_is_served(tmp_path: Path, name: str):
    async def main() -> None:
        a_build(tmp_path / "dist")
        (tmp_path / "settings.py").write_text("secret", encoding="utf-8")
        async with a_client(tmp_path / "dist") as client:
            assert (await client.get(f"/console/{name}")).status_code == 404

    run_virtual(main())


def test_the_page_may_load_nothing_but_the_hubs_own(tmp_path: Path):
    async def main() -> None:
        a_build(tmp_path)
        async with a_client(tmp_path) as client:
            policy = (await client.get("/console/")).headers["content-security-policy"]
            rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
            assert rules["default-src"] == "'none'"
            assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
            assert rules["img-src"] == "'self' data: blob:"
            assert rules["frame-ancestors"] == "'none'"
            assert "unsafe" not in policy

    run_virtual(main())


def test_the_tiles_of_the_settings_may_be_shown(tmp_path: Path):
    async def main() -> None:
        a_build(tmp_path)
        url = "https://tiles.example:8443/{z}/{x}/{y}.png?key=k"
        async with a_client(
            tmp_path, console_tiles_url=url, console_tiles_reference_system="GCJ-02"
        ) as client:
            policy = (await client.get("/console/")).headers["content-security-policy"]
            assert "img-src 'self' data: blob: https://tiles.example:8443;" in policy
            assert "key=k" not in policy

    run_virtual(main())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"console_tiles_url": "https://t.example/{z}/{x}/{y}"}, "console_tiles_reference_system"),
        ({"console_tiles_url": "https://t.example/{z}/{x}"}, "needs {z}, {x} and {y}"),
        ({"console_tiles_url": "javascript:{z}{x}{y}"}, "http, https"),
    ],
)
def test_tiles_are_never_guessed(given: dict[str, str], said: str):
    with pytest.raises(ValidationError, match=said):
        Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_the_console_learns_its_settings_after_the_login(tmp_path: Path):
    async def main() -> None:
        tiles = {
            "console_tiles_url": "/tiles/{z}/{x}/{y}.png",
            "console_tiles_reference_system": "WGS-84",
            "console_tiles_attribution": "自有底图",
        }
        async with world(tmp_path, **tiles) as w:
            unknown = await w.client.get("/v1/console/settings", headers={"X-API-Key": ""})
            assert unknown.status_code == 401
            shown = (await w.client.get("/v1/console/settings")).json()
            assert shown["timezone"] == "Asia/Shanghai"
            assert shown["site_name_zh"] == "宝安示范站点"
            assert shown["tiles"] == {
                "url": "/tiles/{z}/{x}/{y}.png",
                "reference_system": "WGS-84",
                "attribution": "自有底图",
                "max_zoom": 18,
            }

    play(main())


async def log_in(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post("/v1/auth/login", json={"name": name, "password": DEMO_PASSWORD})


def test_in_the_demo_every_role_may_log_in_with_one_click(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for _ in range(2):
                answer = await log_in(w.client, "operator")
                assert answer.status_code == 200
                assert "fleet:command" in answer.json()["scope"].split()
            assert "fleet:command" not in (await log_in(w.client, "auditor")).json()["scope"].split()
            assert (await log_in(w.client, "stranger")).status_code == 401

    play(main())


def test_the_demos_password_opens_nothing_elsewhere(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            assert (await log_in(w.client, "operator")).status_code == 200
        async with world(tmp_path, demo=False) as w:
            assert (await log_in(w.client, "operator")).status_code == 401
            assert (await log_in(w.client, "auditor")).status_code == 401

    play(main())


def test_a_drone_says_which_commands_its_phase_allows_and_why_not(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.clock.sleep(3.0)

            async def options(drone_id: str) -> dict[str, dict[str, object]]:
                drone = (await w.client.get(f"/v1/drones/{drone_id}")).json()
                return {option["command"]: option for option in drone["commands"]}

            idle = await options("bao-01")
            assert len(idle) == 6
            assert {option["refused"]["code"] for option in idle.values()} == {"no_flight"}  # type: ignore[index]
            view = (await w.order()).json()
            drone_id = view["decision"]["drone_id"]
            flying = await until_phase(w, drone_id, "outbound")
            assert flying["hold_flight"]["allowed"]
            assert flying["abort_flight"] == {"command": "abort_flight", "allowed": True, "refused": None}
            refused = flying["continue_flight"]["refused"]
            assert not flying["continue_flight"]["allowed"]
            assert refused["detail"]  # type: ignore[index]
            assert refused["detail_zh"]  # type: ignore[index]

    play(main())


async def until_phase(w: World, drone_id: str, phase: str) -> dict[str, dict[str, object]]:
    for _ in range(600):
        drone = (await w.client.get(f"/v1/drones/{drone_id}")).json()
        if drone["phase"] == phase:
            return {option["command"]: option for option in drone["commands"]}
        await w.hub.clock.sleep(0.5)
    raise AssertionError(f"{drone_id} never was {phase}")
