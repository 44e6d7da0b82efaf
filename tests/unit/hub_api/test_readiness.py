"""The readiness board and what changes it: never chosen, and every decision says why. Source: B4, C9, F3, H3."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flight import messages as m
from hub_api.access.scopes import Scope
from hub_api.security import create_api_key
from tests.unit.hub_api.test_flight_records import delivered
from tests.unit.hub_api.test_live_airspace import approval, feed, put
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")


def aed(w: World, **changes: Any) -> dict[str, Any]:
    return {
        "serial": "HS1-0231",
        "model": "HS1",
        "firmware": "7.4",
        "battery_fraction": 0.92,
        "pads_expire_on": "2027-08-31",
        "self_tested_at": (w.hub.clock.now() - timedelta(hours=2)).isoformat(),
        "self_test_passed": True,
        **changes,
    }


async def board(w: World) -> dict[str, Any]:
    answer = await w.client.get("/v1/readiness")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def drone(w: World, drone_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(d for d in (await board(w))["drones"] if d["drone_id"] == drone_id)
    return found


async def refusals(w: World, key: str, drone_id: str) -> list[str]:
    """Why a decision made now does not choose the drone."""
    order = (await w.order(key)).json()
    await w.client.post(f"/v1/orders/{order['order_id']}/cancel", json={"reason": "test"})
    await w.hub.clock.sleep(300.0)
    candidates = [c for c in order["decision"]["candidates"] if c["drone_id"] == drone_id]
    return [reason["code"] for reason in candidates[0]["reasons"]]


def test_a_drone_out_of_service_is_never_chosen_until_it_is_put_back(tmp_path: Path):
    async def first() -> None:
        async with world(tmp_path) as w:
            await w.hub.clock.sleep(3.0)
            url = "/v1/drones/bao-01"
            out = await w.client.post(f"{url}/out-of-service", json={"reason": "桨叶有缺口"})
            assert out.status_code == 200, out.text
            assert out.json()["ready"] is False
            assert out.json()["out_of_service"]["reason"] == "桨叶有缺口"
            assert await refusals(w, "k1", "bao-01") == ["out_of_service"]
            shown = await board(w)
            assert (shown["drones_ready"], shown["drones_out_of_service"]) == (3, 1)
            again = await w.client.post(f"{url}/out-of-service", json={"reason": "电机更换"})
            assert again.json()["out_of_service"]["since"] == out.json()["out_of_service"]["since"]

    async def after_a_restart() -> None:
        async with world(tmp_path, seed=2) as w:
            await w.hub.clock.sleep(3.0)
            shown = await drone(w, "bao-01")
            assert shown["out_of_service"]["reason"] == "电机更换"
            assert "电机更换" in shown["not_ready_reasons"][0]["detail_zh"]
            back = await w.client.post("/v1/drones/bao-01/in-service", json={"reason": "换好了"})
            assert (back.status_code, back.json()["ready"]) == (200, True)
            assert await refusals(w, "k2", "bao-01") == []
            twice = await w.client.post("/v1/drones/bao-01/in-service", json={"reason": "x"})
            assert twice.status_code == 409
            unknown = await w.client.post("/v1/drones/none/out-of-service", json={"reason": "x"})
            assert unknown.status_code == 404
            entries = (await w.client.get("/v1/audit", params={"subject": "bao-01"})).json()["entries"]
            assert [entry["action"] for entry in entries] == [
                *("care.drone_in_service", "care.drone_out_of_service", "care.drone_out_of_service")
            ]
            assert entries[0]["after_sha256"] is None
            assert entries[0]["before_sha256"] == entries[1]["after_sha256"]

    play(first())
    play(after_a_restart())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"battery_fraction": 0.1}, "aed_battery_low"),
        ({"pads_expire_on": "2026-02-28"}, "aed_pads_expired"),
        ({"self_test_passed": False, "self_test_detail": "electrodes"}, "aed_self_test_failed"),
    ],
)
def test_an_aed_that_may_fail_keeps_its_drone_on_the_ground(
    tmp_path: Path, changes: dict[str, Any], code: str
):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.clock.sleep(3.0)
            url = "/v1/drones/bao-01/aed"
            good = await w.client.put(url, json=aed(w))
            assert (good.status_code, good.json()["ready"]) == (200, True)
            assert good.json()["findings"] == []
            bad = (await w.client.put(url, json=aed(w, **changes))).json()
            assert bad["ready"] is False
            assert [(f["level"], f["reason"]["code"]) for f in bad["findings"]] == [("block", code)]
            assert await refusals(w, "k1", "bao-01") == [code]
            # The drone's own checks are told of the self-test, too.
            told = [c for c in w.drones["bao-01"].commands if isinstance(c, m.AedSelfTested)]
            assert [c.passed for c in told] == [True, changes.get("self_test_passed", True)]
            assert (await w.client.put(url, json=aed(w))).json()["ready"] is True

    play(main())


def test_a_self_test_grows_old_by_itself(tmp_path: Path):
    async def reported() -> None:
        async with world(tmp_path) as w:
            await w.client.put("/v1/drones/bao-01/aed", json=aed(w))

    async def later(hours: float) -> list[str]:
        async with world(tmp_path, seed=int(hours), epoch=EPOCH + timedelta(hours=hours)) as w:
            return [finding["reason"]["code"] for finding in (await drone(w, "bao-01"))["findings"]]

    play(reported())
    assert play(later(45)) == []
    assert play(later(47)) == ["aed_self_test_overdue"]


def test_where_reports_are_asked_for_an_unknown_aed_does_not_fly(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, aed_report_required=True) as w:
            await w.hub.clock.sleep(3.0)
            assert (await board(w))["drones_ready"] == 0
            await w.client.put("/v1/drones/bao-01/aed", json=aed(w))
            assert (await board(w))["drones_ready"] == 1
            await w.client.put("/v1/drones/bao-01/aed", json=aed(w, battery_fraction=None))
            reasons = (await drone(w, "bao-01"))["not_ready_reasons"]
            assert [reason["code"] for reason in reasons] == ["aed_battery_unknown"]

    play(main())


def test_a_cabinet_that_says_the_same_every_minute_fills_no_log(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            heard = w.hub.feed.listen(lambda event: event.kind == "aed_reported")
            for _ in range(5):
                await w.client.put("/v1/drones/bao-01/aed", json=aed(w))
                await w.hub.clock.sleep(60.0)
            await w.client.put("/v1/drones/bao-01/aed", json=aed(w, self_test_passed=False))
            first, second = await heard.next(), await heard.next()
            assert first is not None
            assert second is not None
            assert (first.data["findings"], second.data["findings"]) == ([], ["aed_self_test_failed"])
            entries = (await w.client.get("/v1/audit", params={"subject": "bao-01"})).json()["entries"]
            assert len([entry for entry in entries if entry["action"] == "care.aed_reported"]) == 2
            w.hub.feed.leave(heard)

    play(main())


def test_a_drone_that_left_the_site_while_it_was_out_is_not_counted(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.client.post("/v1/drones/bao-01/out-of-service", json={"reason": "sold"})
            assert (await board(w))["drones_out_of_service"] == 1
            gone = await w.client.delete("/v1/drones/bao-01", params={"reason": "sold"})
            assert gone.status_code == 200, gone.text
            shown = await board(w)
            assert shown["drones_out_of_service"] == 0
            assert "bao-01" not in [each["drone_id"] for each in shown["drones"]]

    play(main())


def test_wrong_reports_are_refused_with_their_field(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            later = (w.hub.clock.now() + timedelta(minutes=1)).isoformat()
            cases: list[tuple[dict[str, Any], str]] = [
                ({"battery_fraction": 1.1}, "battery_fraction"),
                ({"pads_expire_on": "31.08.2027"}, "pads_expire_on"),
                ({"self_tested_at": "2026-03-01T07:00:00"}, "self_tested_at"),
                ({"self_tested_at": later}, "self_tested_at"),
                ({"self_test_passed": None}, "self_test_passed"),
                ({"serial": ""}, "serial"),
                ({"self_test_detail": "a\x00b"}, "self_test_detail"),
                ({"colour": "red"}, "colour"),
            ]
            for changes, field in cases:
                answer = await w.client.put("/v1/drones/bao-01/aed", json=aed(w, **changes))
                assert answer.status_code == 422, changes
                assert answer.json()["errors"][0]["field"] == field, answer.text
            assert (await drone(w, "bao-01"))["aed"] is None
            assert (await w.client.put("/v1/drones/none/aed", json=aed(w))).status_code == 404

    play(main())


def test_a_jammed_door_keeps_the_station_s_drones_on_the_ground(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.clock.sleep(3.0)
            shown = await drone(w, "bao-01")
            station_id = shown["station_id"]

            async def report(**changes: Any) -> int:
                body = {"door": "closed", "mains_power": True, "measured_at": w.hub.clock.now().isoformat()}
                url = f"/v1/stations/{station_id}/dock"
                return (await w.client.put(url, json=body | changes)).status_code

            async def station() -> dict[str, Any]:
                found = (await board(w))["stations"]
                one: dict[str, Any] = next(item for item in found if item["station_id"] == station_id)
                return one

            assert (await station())["dock"] is None
            assert await report() == 204
            assert (await station())["ready_drone_ids"] == ["bao-01"]
            await w.hub.clock.sleep(5.0)
            assert await report(door="jammed") == 204
            assert (await station())["ready_drone_ids"] == []
            assert await refusals(w, "k1", "bao-01") == ["dock_door_jammed"]
            # An older word that arrives late changes nothing; a newer one does.
            old = (w.hub.clock.now() - timedelta(minutes=10)).isoformat()
            assert await report(measured_at=old) == 204
            assert (await station())["ready_drone_ids"] == []
            assert await report(mains_power=False) == 204
            assert [f["reason"]["code"] for f in (await station())["findings"]] == ["dock_on_backup"]
            assert (await station())["ready_drone_ids"] == ["bao-01"]
            await w.hub.clock.sleep(1000.0)
            assert "dock_silent" in {f["reason"]["code"] for f in (await station())["findings"]}
            ahead = (w.hub.clock.now() + timedelta(minutes=10)).isoformat()
            assert await report(measured_at=ahead) == 422
            assert await report(door="ajar") == 422
            none = await w.client.put(
                "/v1/stations/none/dock", json={"door": "open", "measured_at": w.hub.clock.now().isoformat()}
            )
            assert none.status_code == 404

    play(main())


def test_maintenance_is_counted_from_stored_flights_and_grounds_when_it_is_over(tmp_path: Path):
    async def first() -> None:
        async with world(tmp_path) as w:
            url = "/v1/airframes/hex10/maintenance-rules/propellers"
            rule = {"name": "Propellers", "name_zh": "桨叶检查", "every_flights": 2, "grounds": True}
            made = await w.client.put(url, json=rule)
            assert made.status_code == 200, made.text
            assert (await w.client.put(url, json=rule | {"every_flights": None})).status_code == 422
            nobody = await w.client.put("/v1/airframes/none/maintenance-rules/x", json=rule)
            assert nobody.status_code == 404
            await delivered(w, "k1")
            await w.hub.clock.sleep(5.0)
            shown = await drone(w, "bao-01")
            assert (shown["flights"], shown["maintenance"][0]["flights_left"]) == (1, 1)
            assert shown["air_h"] > 0.0
            assert shown["maintenance"][0]["state"] == "ok"
            await delivered(w, "k2")
            await w.hub.clock.sleep(5.0)
            shown = await drone(w, "bao-01")
            assert (shown["flights"], shown["maintenance"][0]["state"]) == (2, "overdue")
            assert [reason["code"] for reason in shown["not_ready_reasons"]] == ["maintenance_overdue"]
            assert await refusals(w, "k3", "bao-01") == ["maintenance_overdue"]

    async def after_a_restart() -> None:
        async with world(tmp_path, seed=2) as w:
            await w.hub.clock.sleep(3.0)
            assert (await drone(w, "bao-01"))["maintenance"][0]["state"] == "overdue"
            body = {"rule_id": "propellers", "done_at": w.hub.clock.now().isoformat(), "note": "全部更换"}
            done = await w.client.post("/v1/drones/bao-01/maintenance", json=body)
            assert done.status_code == 201, done.text
            assert done.json()["flights_then"] == 0, (
                "by then: this world's clock begins before the flights ended"
            )

    async def later() -> None:
        async with world(tmp_path, seed=3, epoch=EPOCH + timedelta(days=1)) as w:
            await w.hub.clock.sleep(3.0)
            body = {"rule_id": "propellers", "done_at": w.hub.clock.now().isoformat(), "note": "全部更换"}
            done = await w.client.post("/v1/drones/bao-01/maintenance", json=body)
            assert done.json()["flights_then"] == 2
            shown = await drone(w, "bao-01")
            assert (shown["ready"], shown["maintenance"][0]["flights_left"]) == (True, 2)
            history = (await w.client.get("/v1/drones/bao-01/maintenance")).json()["done"]
            assert [item["flights_then"] for item in history] == [2, 0]
            wrong = await w.client.post("/v1/drones/bao-01/maintenance", json=body | {"rule_id": "motors"})
            assert wrong.status_code == 404
            url = "/v1/airframes/hex10/maintenance-rules/propellers"
            assert (await w.client.delete(url)).status_code == 204
            assert (await w.client.delete(url)).status_code == 404
            assert (await drone(w, "bao-01"))["maintenance"] == []
            assert (await w.client.get("/v1/maintenance-rules")).json()["rules"] == []

    play(first())
    play(after_a_restart())
    play(later())


def test_the_board_lists_approvals_with_how_long_they_hold(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await put(w, feed("R1", restriction="REQ_AUTHORISATION"))
            for identifier, until in (("A1", "2026-03-10T00:00:00Z"), ("A2", "2026-12-31T00:00:00Z")):
                body = approval(identifier, "R1")
                body["authorisation"]["valid_until"] = until
                assert (await w.client.post("/v1/authorisations", json=body)).status_code == 201
            states = {a["authorisation_id"]: a["state"] for a in (await board(w))["authorisations"]}
            assert states == {"A1": "ends_soon", "A2": "valid"}
            await w.client.post("/v1/authorisations/A2/revoke", json={"reason": "withdrawn"})

    async def later() -> None:
        async with world(tmp_path, seed=2, epoch=EPOCH + timedelta(days=10)) as w:
            shown = {a["authorisation_id"]: a for a in (await board(w))["authorisations"]}
            assert (shown["A1"]["state"], shown["A2"]["state"]) == ("ended", "revoked")
            assert shown["A2"]["revoked_reason"] == "withdrawn"

    play(main())
    play(later())


def test_who_only_looks_may_report_nothing(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:

            async def status(method: str, path: str, body: Any, *scopes: Scope) -> int:
                secret, _ = await create_api_key(
                    w.hub.database, w.hub.ids, w.hub.clock, client="c", name="k", scopes=frozenset(scopes)
                )
                answer = await w.client.request(method, path, json=body, headers={"X-API-Key": secret})
                return answer.status_code

            out = ("POST", "/v1/drones/bao-01/out-of-service", {"reason": "x"})
            assert await status(*out, Scope.FLEET_READ) == 403
            assert await status(*out, Scope.FLEET_MAINTAIN) == 200
            assert await status("PUT", "/v1/drones/bao-01/aed", aed(w), Scope.FLEET_READ) == 403
            assert await status("PUT", "/v1/drones/bao-01/aed", aed(w), Scope.FLEET_COMMAND) == 200
            dock = {"door": "open", "measured_at": w.hub.clock.now().isoformat()}
            station = (await board(w))["stations"][0]["station_id"]
            assert await status("PUT", f"/v1/stations/{station}/dock", dock, Scope.FLEET_MAINTAIN) == 403
            assert await status("PUT", f"/v1/stations/{station}/dock", dock, Scope.WEATHER_WRITE) == 204
            assert await status("GET", "/v1/readiness", None, Scope.ORDERS_READ) == 403

    play(main())


def test_a_drone_that_waits_on_its_pad_is_called_back_when_it_goes_out_of_service(tmp_path: Path):
    """Somebody may stand at its propellers; its order gets another drone."""

    async def main() -> None:
        async with world(tmp_path) as w:
            placed = (await w.order("k1")).json()
            drone_id = placed["decision"]["drone_id"]
            await w.until(placed["order_id"], "LAUNCHING")
            out = await w.client.post(f"/v1/drones/{drone_id}/out-of-service", json={"reason": "桨叶有缺口"})
            assert out.status_code == 200, out.text
            closed = await w.until(placed["order_id"], "CLOSED")
            first, second = closed["flights"]
            assert (first["drone_id"], first["safe_state"]) == (drone_id, "never_left_ground")
            assert second["drone_id"] != drone_id
            assert second["aed_on_ground_at"] is not None

    play(main())


def test_a_drone_in_the_air_finishes_although_it_goes_out_of_service(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            placed = (await w.order("k1")).json()
            drone_id = placed["decision"]["drone_id"]
            await w.until(placed["order_id"], "AIRBORNE")
            await w.client.post(f"/v1/drones/{drone_id}/out-of-service", json={"reason": "later"})
            closed = await w.until(placed["order_id"], "CLOSED")
            assert [flight["drone_id"] for flight in closed["flights"]] == [drone_id]

    play(main())
