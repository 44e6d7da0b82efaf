"""Photos of landing points, and places found by name."""

from __future__ import annotations

import asyncio
import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.clock import LoopClock
from core.ids import IdSource
from hub_api.access.scopes import Scope
from hub_api.security import create_api_key
from hub_api.site_data import photos, places
from hub_api.store.backup import back_up, restore
from hub_api.store.database import Database, make_engine
from hub_api.store.schema import upgrade
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.site_words import landing_point, point_ids, put
from tests.unit.hub_api.world import EPOCH, play, world

pytestmark = pytest.mark.usefixtures("each_database")


def picture(kind: str = "JPEG", size: tuple[int, int] = (300, 200)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "green")
    exif = image.getexif()
    exif[0x010F] = "A telephone"
    image.save(out, kind, exif=exif)
    return out.getvalue()


def test_a_photo_is_redrawn_kept_and_served_as_a_picture_only(tmp_path: Path):
    async def main() -> str:
        async with world(tmp_path) as w:
            point = a_site().landing_points[0].landing_point_id

            async def upload(content: bytes, **query: str) -> Any:
                return await w.client.post(
                    "/v1/photos", params={"landing_point_id": point, **query}, content=content
                )

            made = await upload(picture("JPEG", (4000, 1000)), caption="从北侧看")
            assert made.status_code == 201, made.text
            shown = made.json()
            assert (shown["width_px"], shown["height_px"], shown["caption"]) == (2048, 512, "从北侧看")
            got = await w.client.get(shown["url"])
            assert got.headers["content-type"] == "image/jpeg"
            assert got.headers["x-content-type-options"] == "nosniff"
            with Image.open(io.BytesIO(got.content)) as image:
                assert image.size == (2048, 512)
                assert not dict(image.getexif())
            assert b"telephone" not in got.content
            assert (await upload(picture("PNG"))).status_code == 201
            for content in (b"", b"<svg onload=alert(1)>", b"GIF89a" + b"x" * 100, picture()[:200]):
                bad = await upload(content)
                assert bad.status_code == 422, content[:20]
                assert bad.json()["errors"][0]["field"] == "body"
            bomb = io.BytesIO()
            Image.new("1", (9_000, 9_000)).save(bomb, "PNG")
            assert (await upload(bomb.getvalue())).status_code == 422
            unknown = await upload(picture(), landing_point_id="none")
            assert unknown.status_code == 404
            assert (await upload(b"x" * (13 * 1024 * 1024))).status_code == 413
            listed = (await w.client.get("/v1/photos", params={"landing_point_id": point})).json()["photos"]
            assert len(listed) == 2
            for _ in range(10):
                assert (await upload(picture())).status_code == 201
            assert (await upload(picture())).status_code == 409
            other_id = next(p["photo_id"] for p in listed if p["photo_id"] != shown["photo_id"])
            assert (await w.client.delete(f"/v1/photos/{other_id}")).status_code == 204
            assert (await w.client.get(f"/v1/photos/{other_id}")).status_code == 404
            for other in ("pho_none", "..%2Fhub.db", "pho_01KJM6JM008GQ741755PS000000"):
                assert (await w.client.get(f"/v1/photos/{other}")).status_code in (404, 422)
            url: str = shown["url"]
            return url

    url = play(main())

    async def after_a_restart() -> None:
        async with world(tmp_path, seed=2) as w:
            assert (await w.client.get(url)).status_code == 200

    play(after_a_restart())


def test_a_back_up_holds_the_site_and_its_photos(tmp_path: Path):
    async def first() -> tuple[str, str]:
        async with world(tmp_path) as w:
            await put(w, "landing-points/lp-new", landing_point())
            await w.client.post(
                "/v1/photos", params={"landing_point_id": "lp-new", "caption": "x"}, content=picture()
            )
            await w.client.put("/v1/drones/bao-01/aed", json={"serial": "S1", "pads_expire_on": "2027-01-31"})
            await w.client.post("/v1/drones/bao-02/out-of-service", json={"reason": "桨叶"})
            engine = w.hub.database.engine
            back_up(engine, tmp_path / "b.gz", now=EPOCH)
            return (await w.client.get("/v1/site")).json()["version"], "lp-new"

    version, point = play(first())
    (tmp_path / "target").mkdir()
    target = make_engine(f"sqlite:///{tmp_path / 'target' / 'hub.db'}")
    restore(target, tmp_path / "b.gz")
    target.dispose()

    async def restored() -> None:
        url = f"sqlite:///{tmp_path / 'target' / 'hub.db'}"
        async with world(tmp_path / "target", seed=2, database_url=url) as w:
            assert (await w.client.get("/v1/site")).json()["version"] == version
            assert point in await point_ids(w)
            (photo,) = (await w.client.get("/v1/photos")).json()["photos"]
            assert (await w.client.get(photo["url"])).status_code == 200
            drones = {d["drone_id"]: d for d in (await w.client.get("/v1/readiness")).json()["drones"]}
            assert drones["bao-01"]["aed"]["pads_expire_on"] == "2027-01-31"
            assert drones["bao-02"]["out_of_service"]["reason"] == "桨叶"

    play(restored())


def test_an_old_order_is_found_by_its_whole_id_and_by_its_own_centre_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "_ORDERS_SEARCHED", 1)

    async def main() -> None:
        async with world(tmp_path) as w:
            old = (await w.order("k1", incident_reference="BA-1")).json()["order_id"]
            await w.order("k2")
            scopes = frozenset({Scope.FLEET_READ, Scope.ORDERS_READ})
            secret, _ = await create_api_key(
                w.hub.database, w.hub.ids, w.hub.clock, client="other", name="k", scopes=scopes
            )

            async def found(q: str, **headers: str) -> list[str]:
                answer = await w.client.get("/v1/places", params={"q": q}, headers=headers)
                return [place["id"] for place in answer.json()["places"]]

            assert await found("BA-1") == []
            assert await found(old) == [old]
            assert await found(f" {old.lower()} ") == [old]
            assert await found(old, **{"X-API-Key": secret}) == []

    play(main())


def test_pictures_are_drawn_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    drawing, most = 0, 0

    def slow(content: bytes) -> tuple[bytes, int, int]:
        nonlocal drawing, most
        drawing += 1
        most = max(most, drawing)
        time.sleep(0.05)
        drawing -= 1
        return content, 1, 1

    monkeypatch.setattr(photos, "redrawn", slow)

    async def main() -> None:
        engine = make_engine(f"sqlite:///{tmp_path / 'hub.db'}")
        upgrade(engine)
        database, clock = Database(engine, on_committed=lambda _: None), LoopClock()
        desk = photos.PhotoDesk(database=database, ids=IdSource(clock), clock=clock, site=a_site)
        point = a_site().landing_points[0].landing_point_id
        await asyncio.gather(*(desk.add(point, b"x", caption="", by="x") for _ in range(4)))
        database.close()

    asyncio.run(main())
    assert most == 1


def test_places_are_found_by_name_and_id_in_both_languages(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(incident_reference="BA-120-2026-000777")).json()

            async def found(q: str, **headers: str) -> list[tuple[str, str]]:
                answer = await w.client.get("/v1/places", params={"q": q}, headers=headers)
                assert answer.status_code == 200, answer.text
                return [(place["kind"], place["id"]) for place in answer.json()["places"]]

            assert ("landing_point", "lp-baoan-stadium") in await found("体育场")
            assert (await found("ST-XIXIANG"))[0] == ("station", "st-xixiang")
            assert (await found("bao-01"))[0] == ("drone", "bao-01")
            assert ("place", "baoan-airport-t3") in await found("机场")
            assert await found("BA-120-2026-000777") == [("order", order["order_id"])]
            assert (await found(order["order_id"]))[0] == ("order", order["order_id"])
            assert await found("no such place at all") == []
            assert await found("' OR 1=1 --") == []
            # Names begin before they contain; a new station is found at once.
            await put(w, "landing-points/lp-new", landing_point(name_zh="体育场"))
            assert (await found("体育场"))[0] == ("landing_point", "lp-new")
            secret, _ = await create_api_key(
                w.hub.database,
                w.hub.ids,
                w.hub.clock,
                client="other",
                name="k",
                scopes=frozenset({Scope.FLEET_READ, Scope.ORDERS_READ}),
            )
            assert await found("BA-120-2026-000777", **{"X-API-Key": secret}) == []
            assert (await w.client.get("/v1/places", params={"q": ""})).status_code == 422

    play(main())
