"""Reports add up what happened, drills left out, the same on both databases."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.dispatch.non_flights import word_of
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.verdicts import CandidateAnswer, tell
from hub_api.features.reports.figures import key_of, shares, spread, times
from hub_api.store.repositories.reports import OrderFigures
from planner.reasons import Reason
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_access import a_key
from tests.unit.hub_api.world import World, play, world

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


async def month(w: World) -> None:
    """Four drones: three fly, one order is cancelled on the pad, one finds no drone, and one is only a drill."""
    soon = (w.hub.clock.now() + timedelta(seconds=300)).isoformat()
    past = (w.hub.clock.now() + timedelta(seconds=1)).isoformat()
    ids = [
        (await w.order(key, severity=severity, **more)).json()["order_id"]
        for key, severity, more in (
            ("a", "I", {"ambulance_eta_at": soon}),
            ("b", "I", {"ambulance_eta_at": past}),
            ("c", "II", {}),
            ("cancelled", "III", {}),
            ("declined", "IV", {}),
        )
    ]
    await w.client.post(f"/v1/orders/{ids[3]}/cancel", json={"reason": "误报"})
    for order_id in ids:
        await w.until(order_id, "CLOSED", "CANCELLED", "DECLINED")
    drill = (await w.order("drill", mode="drill")).json()
    assert drill["decision"]["outcome"] == "accepted"


@pytest.mark.usefixtures("each_database")
def test_a_month_adds_up(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await month(w)
            report = (await w.client.get("/v1/reports/take-off-share")).json()
            total = report["total"]
            assert (total["orders"], total["open"], total["took_off"], total["delivered"]) == (5, 0, 3, 3)
            assert total["take_off_share"] == pytest.approx(0.6)
            assert (total["ahead_of_ambulance"], total["ahead_share"]) == (1, 0.5)
            assert total["non_flights"] == {"cancelled_before_take_off": 1, "on_mission": 1}
            groups = {group["key"]: group["orders"] for group in report["groups"]}
            assert groups == {"took_off": 3, "cancelled_before_take_off": 1, "on_mission": 1}
            by_hour = (await w.client.get("/v1/reports/take-off-share?group_by=hour")).json()
            # 08:00 UTC in Shenzhen.
            assert [group["key"] for group in by_hour["groups"]] == ["16"]
            by_station = (await w.client.get("/v1/reports/take-off-share?group_by=station")).json()
            assert sum(group["orders"] for group in by_station["groups"]) == 5
            assert all(group["key"].startswith("st-") for group in by_station["groups"])

            timed = (await w.client.get("/v1/reports/response-times?group_by=severity")).json()
            assert timed["total"]["order_to_aed_on_ground_s"]["count"] == 3
            # Seven phases of ten seconds until the release.
            assert timed["total"]["order_to_aed_on_ground_s"]["p50_s"] == pytest.approx(80.0, abs=1.0)
            assert timed["total"]["order_to_airborne_s"]["p50_s"] == pytest.approx(30.0, abs=1.0)
            assert timed["total"]["ahead_of_ambulance_s"]["count"] == 2
            assert [group["key"] for group in timed["groups"]] == ["I", "II", "III", "IV"]

            table = await w.client.get("/v1/reports/take-off-share?format=csv")
            assert table.headers["content-type"] == "text/csv; charset=utf-8"
            lines = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
            assert (lines[0]["key"], lines[0]["orders"], lines[0]["took_off"]) == ("total", "5", "3")
            times_table = await w.client.get("/v1/reports/response-times?format=csv")
            measures = [row["measure"] for row in csv.DictReader(io.StringIO(times_table.text))]
            assert measures[0] == "order_to_decided_s"

    play(main())


@pytest.mark.usefixtures("each_database")
def test_a_client_sees_its_own_month_and_a_period_is_checked(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(answer="refuse")}) as w:
            await w.order("a")
            _, secret = await a_key(w, "orders:read", client="other")
            own = await w.client.get("/v1/reports/take-off-share", headers={"X-API-Key": secret})
            assert own.json()["total"]["orders"] == 0
            assert own.json()["total"]["take_off_share"] is None

            async def status(query: str) -> int:
                answer = await w.client.get("/v1/reports/response-times", params=query)
                return answer.status_code

            assert await status("since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z") == 200
            for wrong in (
                "since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z",
                "since=2024-03-02T00:00:00Z",
                "since=2026-03-01T00:00:00",
                "since=1772352300",
                "until=0001-01-01T00:00:00Z",
                "group_by=reason",
            ):
                assert await status(wrong) == 422, wrong

    play(main())


def figures(**changes: Any) -> OrderFigures:
    values: dict[str, Any] = {
        **dict.fromkeys(OrderFigures._fields),
        "state": "CLOSED",
        "severity": "I",
        "received_at": AT,
    }
    return OrderFigures(**(values | changes))


def test_an_order_that_is_open_is_in_no_share():
    orders = [
        figures(state="AWAITING_APPROVAL"),
        figures(airborne_at=AT, state="AIRBORNE"),
        figures(state="DECLINED"),
    ]
    whole, groups = shares(orders, key_of("reason", ZoneInfo("UTC")))
    assert (whole.orders, whole.settled, whole.took_off) == (3, 2, 1)
    assert set(groups) == {"open", "took_off", "unknown"}


@given(st.lists(st.floats(-1e4, 1e4, allow_nan=False), min_size=1, max_size=200))
def test_percentiles_are_times_that_happened_and_are_in_order(values: list[float]):
    found = spread(values)
    points = [found.least_s, found.p10_s, found.p50_s, found.p90_s, found.p99_s, found.most_s]
    assert all(point in values for point in points)
    assert points == sorted(points)  # type: ignore[type-var]
    at_most = sum(1 for value in values if value <= found.p90_s)  # type: ignore[operator]
    assert at_most >= 0.9 * len(values) - 1e-9


def test_an_empty_period_has_no_times():
    found = times([], key_of("none", ZoneInfo("UTC")))
    assert found["all"]["order_to_decided_s"].count == 0
    assert found["all"]["order_to_decided_s"].p50_s is None


def test_the_word_for_a_non_flight_is_that_of_the_nearest_landing_point():
    def refused(point: str, *codes: str) -> CandidateAnswer:
        return CandidateAnswer(
            station_id="s",
            drone_id="d",
            landing_point_id=point,
            verdict="refused",
            reasons=tuple(Reason(code, code, code) for code in codes),
            time_to_patient_s=None,
            least_time_to_patient_s=None,
        )

    def word(code: str, *candidates: CandidateAnswer) -> str | None:
        reasons = (Reason(code, code, code),)
        return word_of(Answer(plan=None, told=tell(candidates), reasons=reasons, airspace_version=""))

    nearest = [refused("near", "wind_above_limit"), refused("near", "wind_above_limit")]
    others = [refused("near", "on_mission"), *[refused("far", "carry_too_long")] * 9]
    assert word("no_candidate", *nearest, *others) == "wind_above_limit"
    assert word("no_benefit") == "no_benefit"
    assert word("attempts_exhausted") == "not_off_the_ground"
    assert word("no_drone_ready") == "no_drone_ready"
