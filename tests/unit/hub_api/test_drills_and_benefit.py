"""Drills fly only what is marked for them; the benefit of a flight names its model and guesses nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.site import DrillUse, Site
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.test_approvals import flown
from tests.unit.hub_api.world import play, world

pytestmark = pytest.mark.usefixtures("each_database")


def a_site_with(**drills: DrillUse) -> Site:
    """The site with drones marked by name (underscore for hyphen)."""
    marks = {name.replace("_", "-"): use for name, use in drills.items()}
    site = a_site()
    return replace(
        site, drones=tuple(replace(d, drills=marks.get(d.drone_id, DrillUse.NO)) for d in site.drones)
    )


def test_a_drill_flies_only_what_is_marked_for_it_and_says_so_everywhere(tmp_path: Path):
    async def main() -> None:
        site = a_site_with(bao_02=DrillUse.ONLY, bao_03=DrillUse.ALLOWED)
        async with world(tmp_path, site=site) as w:
            drill = (await w.order("d", mode="drill", callback_url="https://dispatch.example/u")).json()
            assert drill["decision"]["drone_id"] == "bao-02"
            reasons = {
                c["drone_id"]: [r["code"] for r in c["reasons"]] for c in drill["decision"]["candidates"]
            }
            assert reasons["bao-01"] == ["not_for_drills"]
            # Ids sort by the millisecond that they were made in.
            await asyncio.sleep(0.01)
            real = (await w.order("r")).json()
            assert real["decision"]["drone_id"] == "bao-01"
            spelled = {
                c["drone_id"]: [r["code"] for r in c["reasons"]] for c in real["decision"]["candidates"]
            }
            assert "drills_only" in spelled["bao-02"]
            closed = await w.until(drill["order_id"], "CLOSED")
            assert closed["flights"][0]["drill"] is True
            assert all(event["drill"] for event in await w.events(drill["order_id"]))
            assert not any(event["drill"] for event in await w.events(real["order_id"]))
            sent = [json.loads(request.content) for request in w.callbacks]
            assert sent
            assert all(update["drill"] and update["mode"] == "drill" for update in sent)
            (command,) = [c for c in w.drones["bao-02"].commands if c.kind == "fly_mission"]
            assert command.drill is True  # type: ignore[union-attr]
            listed = (await w.client.get("/v1/orders")).json()["orders"]
            assert [line["drill"] for line in listed] == [False, True]

    play(main())


def test_a_drill_without_a_marked_drone_is_declined(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=a_site_with()) as w:
            drill = (await w.order("d", mode="drill")).json()
            assert drill["state"] == "DECLINED"
            assert flown(w) == []

    play(main())


@pytest.mark.parametrize(("model", "knows"), [("de_maio", True), ("valenzuela", False), ("larsen", False)])
def test_the_benefit_names_its_model_and_guesses_nothing(tmp_path: Path, model: str, knows: bool):
    async def main() -> None:
        async with world(tmp_path, survival_model=model) as w:
            eta = (w.hub.clock.now() + timedelta(seconds=514)).isoformat()
            decision = (await w.order(ambulance_eta_at=eta)).json()["decision"]
            benefit = decision["benefit"]
            assert benefit["ahead_s"] == pytest.approx(360.0, abs=0.1)
            assert benefit["model"] == model
            assert "overstate" in benefit["caution"]
            assert decision["candidates"][0]["ahead_of_ambulance_s"] == pytest.approx(360.0, abs=0.1)
            if knows:
                assert benefit["survival_with_drone"] > benefit["survival_without"] > 0
            else:
                assert benefit["survival_with_drone"] is None
                assert benefit["unknown"]["code"] == "cpr_time_unknown"
            assert (await w.order("k2")).json()["decision"]["benefit"] is None

    play(main())


def test_a_flight_after_the_ambulance_is_declined_only_by_setting(tmp_path: Path):
    async def main(margin_s: float | None, folder: Path) -> str:
        async with world(folder, no_benefit_margin_s=margin_s) as w:
            eta = (w.hub.clock.now() + timedelta(seconds=60)).isoformat()
            order = (await w.order(ambulance_eta_at=eta)).json()
            if margin_s == 30.0:
                assert [r["code"] for r in order["decision"]["reasons"]] == ["no_benefit"]
                assert order["decision"]["benefit"]["ahead_s"] < -30
            state: str = order["state"]
            return state

    # At the patient after 154 s: 94 s behind the ambulance.
    for name, margin_s, state in (("a", None, "DECIDED"), ("b", 100.0, "DECIDED"), ("c", 30.0, "DECLINED")):
        (tmp_path / name).mkdir()
        assert play(main(margin_s, tmp_path / name)) == state


@pytest.mark.parametrize("eta", ["2026-03-01T08:05:00", 1772352300, "soon"])
def test_a_moment_without_its_offset_is_refused(tmp_path: Path, eta: Any):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.order(ambulance_eta_at=eta)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "ambulance_eta_at"

    play(main())
