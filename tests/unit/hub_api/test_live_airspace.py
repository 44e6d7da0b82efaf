"""Zones and approvals change while the hub runs: previewed, stored, in force, told, and the same after a restart."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.virtual_time import run_virtual
from flight import messages as m
from geofences.airspace import Airspace
from hub_api.access.principal import Principal
from hub_api.access.scopes import Scope
from hub_api.features.streams.messages import EventFilter, Topic
from hub_api.features.zones.views import tag_of
from hub_api.store.repositories import events
from tests.unit.hub_api.played_planning import an_airspace
from tests.unit.hub_api.world import EPOCH, World, world

NEAR = [113.87, 22.55]
"""A corner beside the demo stations, in longitude and latitude."""


def feed(*identifiers: str, restriction: str = "PROHIBITED", at: list[float] = NEAR) -> bytes:
    """A GeoJSON zone file: small squares side by side."""
    features = []
    for number, identifier in enumerate(identifiers):
        west, south = at[0] + 0.004 * number, at[1]
        ring = [
            [west, south],
            [west + 0.002, south],
            [west + 0.002, south + 0.002],
            [west, south + 0.002],
            [west, south],
        ]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"identifier": identifier, "restriction": restriction, "name": identifier},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


async def put(w: World, content: bytes, name: str = "city", **query: str) -> Any:
    return await w.client.put(
        f"/v1/airspace/feeds/{name}",
        params={"format": "geojson", "reason": "police operation", **query},
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )


async def zone_ids(w: World) -> set[str]:
    features = (await w.client.get("/v1/zones")).json()["features"]
    return {feature["properties"]["zone_id"] for feature in features}


def test_a_preview_changes_nothing_and_a_put_does_what_it_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            before = await zone_ids(w)
            shown = await w.client.post(
                "/v1/airspace/feeds/city/preview", params={"format": "geojson"}, content=feed("P1", "P2")
            )
            assert shown.status_code == 200, shown.text
            assert shown.json()["applied"] is False
            assert shown.json()["added"] == ["P1", "P2"]
            assert await zone_ids(w) == before
            done = await put(w, feed("P1", "P2"))
            assert done.status_code == 200, done.text
            assert done.json()["added"] == ["P1", "P2"]
            assert done.json()["version"] == shown.json()["version"] == w.hub.airspace.version
            assert await zone_ids(w) == before | {"P1", "P2"}
            # The next version of the feed takes the place of the first as a whole.
            again = (await put(w, feed("P2", "P3"))).json()
            assert (again["added"], again["removed"], again["changed"]) == (["P3"], ["P1"], ["P2"])
            assert await zone_ids(w) == before | {"P2", "P3"}
            gone = await w.client.delete("/v1/airspace/feeds/city", params={"reason": "over"})
            assert gone.json()["removed"] == ["P2", "P3"]
            assert await zone_ids(w) == before
            history = (await w.client.get("/v1/airspace/changes")).json()["changes"]
            assert [item["action"] for item in history] == ["feed_deleted", "feed_put", "feed_put"]
            # Every screen is told of each, even where no flight is touched.
            stored = await w.hub.database.read(lambda s: events.after(s, 0, limit=500))
            told = [event for event in stored if event.kind == "airspace_in_force"]
            versions = [item["version"] for item in reversed(history)]
            assert [event.data["version"] for event in told] == versions
            viewer = Principal("acc_1", "other", frozenset({Scope.FLEET_READ}))
            screen = EventFilter(w.hub, viewer, frozenset({Topic.FLEET}))
            assert [await screen.shows(event) for event in told] == [True] * 3
            assert history[1]["previous_version"] == history[2]["version"]

    run_virtual(main())


def test_after_a_restart_the_airspace_is_the_same_version_and_all(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await put(w, feed("P1"))
            await put(w, feed("P9", at=[113.95, 22.60]), name="second")
            version, ids = w.hub.airspace.version, await zone_ids(w)
        async with world(tmp_path, seed=2) as w:
            assert w.hub.airspace.version == version
            assert await zone_ids(w) == ids
            feeds = (await w.client.get("/v1/airspace")).json()["feeds"]
            assert [item["feed_id"] for item in feeds] == ["city", "second"]

    run_virtual(main())


def test_a_bad_file_is_refused_whole_with_feature_field_and_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            version = w.hub.airspace.version
            crossing = feed("P1").replace(b"[113.872, 22.55]", b"[113.87, 22.5521]", 1)
            bowtie = json.loads(feed("GOOD", "BAD"))
            ring = bowtie["features"][1]["geometry"]["coordinates"][0]
            ring[1], ring[2] = ring[2], ring[1]
            many = json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [
                        {
                            "type": "Feature",
                            "geometry": {
                                "type": "Polygon",
                                "coordinates": [
                                    [[113.0 + i * 1e-7, 22.0 + (i % 2) * 1e-7] for i in range(600_000)]
                                ],
                            },
                            "properties": {"identifier": "MANY", "restriction": "PROHIBITED"},
                        }
                    ],
                }
            ).encode()
            cases: list[tuple[bytes, dict[str, str], int]] = [
                (b"", {}, 422),
                (b"not json", {}, 422),
                (b"{}", {}, 422),
                (b'{"type":"FeatureCollection","features":[]}', {}, 422),
                (json.dumps(bowtie).encode(), {}, 422),
                (many, {}, 422),
                (feed("Z1"), {}, 422),  # an identifier of the site's own airspace
                (feed("P1"), {"format": "shapefile"}, 422),
                (feed("P1"), {"reason": ""}, 422),
                (feed("P1"), {"expected_version": "yesterday"}, 409),
                (b"x" * (21 * 1024 * 1024), {}, 413),
            ]
            for content, query, status in cases:
                answer = await put(w, content, **query)
                assert answer.status_code == status, (content[:60], answer.text)
                assert answer.headers["content-type"].startswith("application/problem+json")
                assert answer.json()["detail"]
            strange = await put(w, feed("P1"), name="..%2Fetc")
            assert strange.status_code in (404, 422)
            assert crossing
            assert w.hub.airspace.version == version
            assert (await w.client.get("/v1/airspace")).json()["feeds"] == []

    run_virtual(main())


def test_a_drone_in_flight_is_told_of_zones_near_its_way_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order()).json()
            drone_id = order["decision"]["drone_id"]
            await put(w, feed("P1"))
            await put(w, feed("FAR", at=[114.5, 22.9]), name="far")
            await w.hub.clock.sleep(5.0)
            told = [c for c in w.drones[drone_id].commands if isinstance(c, m.ZoneActivated)]
            assert {notice.zone.zone_id for notice in told} == {"P1"}
            assert told[0].airspace_version.endswith(".1")
            others = [c for d, drone in w.drones.items() if d != drone_id for c in drone.commands]
            assert not [c for c in others if isinstance(c, m.ZoneActivated)]
            await w.client.delete("/v1/airspace/feeds/city", params={"reason": "over"})
            await w.hub.clock.sleep(5.0)
            cleared = [c for c in w.drones[drone_id].commands if isinstance(c, m.ZoneCleared)]
            assert {notice.zone_id for notice in cleared} == {"P1"}

    run_virtual(main())


def approval(identifier: str, *zones: str) -> dict[str, Any]:
    return {
        "authorisation": {
            "authorisation_id": identifier,
            "zone_ids": list(zones),
            "authority": "Shenzhen Air Traffic Management",
            "number": "SZ-2026-118",
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2026-12-31T00:00:00Z",
        },
        "reason": "letter of 1 March",
    }


def test_an_approval_that_ends_makes_zones_another_answer_in_the_same_version(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await put(w, feed("R1", restriction="REQ_AUTHORISATION"))
            given = approval("A1", "R1")
            ends = w.hub.clock.now() + timedelta(seconds=30)
            given["authorisation"]["valid_until"] = ends.isoformat()
            assert (await w.client.post("/v1/authorisations", json=given)).status_code == 201
            first = await w.client.get("/v1/zones")
            tag = {"If-None-Match": first.headers["ETag"]}
            assert (await w.client.get("/v1/zones", headers=tag)).status_code == 304
            await w.hub.clock.sleep(31.0)
            later = await w.client.get("/v1/zones", headers=tag)
            assert later.status_code == 200
            assert later.json()["version"] == first.json()["version"]
            valid = [answer.json()["authorisations"][-1]["valid_now"] for answer in (first, later)]
            assert valid == [True, False]

    run_virtual(main())


def test_zones_are_sent_compressed_to_who_takes_it_and_are_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            plain = await w.client.get("/v1/zones", headers={"Accept-Encoding": "identity"})
            packed = await w.client.get("/v1/zones", headers={"Accept-Encoding": "gzip"})
            assert "Content-Encoding" not in plain.headers
            assert packed.headers["Content-Encoding"] == "gzip"
            assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
            assert packed.content == plain.content
            assert packed.headers["ETag"] == plain.headers["ETag"]
            assert packed.headers["Vary"] == "Accept-Encoding"

    run_virtual(main())


@pytest.mark.parametrize("version", ["宝安-2026-11", 'a"b', "a b\tc", "v1.2+3"])
def test_a_version_in_any_letters_names_the_zones(version: str) -> None:
    named = Airspace(an_airspace().zones, version=version)
    tag = tag_of(named, EPOCH)
    assert tag.isascii()
    assert tag.isprintable()
    assert (tag[0], tag[-1], tag.count('"')) == ('"', '"', 2)
    assert tag_of(Airspace(an_airspace().zones, version=version + "x"), EPOCH) != tag


def test_an_approval_is_given_once_and_revoked_for_good(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await put(w, feed("R1", restriction="REQ_AUTHORISATION"))
            unknown = await w.client.post("/v1/authorisations", json=approval("A1", "NOWHERE"))
            assert unknown.status_code == 422
            prohibited = await w.client.post("/v1/authorisations", json=approval("A1", "Z1"))
            assert prohibited.status_code == 422
            given = await w.client.post("/v1/authorisations", json=approval("A1", "R1"))
            assert given.status_code == 201, given.text
            twice = await w.client.post("/v1/authorisations", json=approval("A1", "R1"))
            assert twice.status_code == 409
            listed = (await w.client.get("/v1/authorisations")).json()
            assert [item["authorisation_id"] for item in listed["authorisations"]] == ["A1"]
            # The feed cannot go while an approval names its zone: somebody would fly on a lie.
            held = await w.client.delete("/v1/airspace/feeds/city", params={"reason": "over"})
            assert held.status_code == 422
            gone = await w.client.post("/v1/authorisations/A1/revoke", json={"reason": "withdrawn"})
            assert gone.status_code == 200
            assert (
                await w.client.post("/v1/authorisations/A1/revoke", json={"reason": "x"})
            ).status_code == 409
            again = await w.client.post("/v1/authorisations", json=approval("A1", "R1"))
            assert again.status_code == 409
            missing = await w.client.post("/v1/authorisations/A7/revoke", json={"reason": "x"})
            assert missing.status_code == 404
            listed = (await w.client.get("/v1/authorisations")).json()
            assert listed["authorisations"] == []
            assert [item["authorisation_id"] for item in listed["revoked"]] == ["A1"]

    run_virtual(main())
