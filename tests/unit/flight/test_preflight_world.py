"""Weather, self-test, authorisations and closed zones of a waiting drone."""

from datetime import UTC, datetime, timedelta

from flight.closed_zones import ClosedZones
from flight.model.preflight import PreflightVerdict
from flight.model.preflight_world import (
    check_authorisations,
    check_closed_zone,
    check_self_test,
    check_wind,
)
from geofences.model import Authorisation
from tests.unit.flight.plans import plan, replace
from tests.unit.planner.helpers import box_zone

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def said(verdict: PreflightVerdict) -> tuple[str, str]:
    assert verdict.detail
    assert verdict.detail_zh
    return verdict.level.value, verdict.code


def test_wind() -> None:
    assert said(check_wind(None, None, 12.0, NOW)) == ("warn", "unknown")
    assert said(check_wind(9.0, NOW, 12.0, NOW)) == ("ok", "ok")
    assert said(check_wind(12.1, NOW, 12.0, NOW)) == ("block", "above_limit")
    assert said(check_wind(20.0, NOW - timedelta(minutes=11), 12.0, NOW)) == ("warn", "old")


def test_self_test() -> None:
    assert said(check_self_test(None, None, "", NOW)) == ("warn", "not_reported")
    assert said(check_self_test(True, NOW, "", NOW)) == ("ok", "ok")
    assert said(check_self_test(False, NOW, "pads expired", NOW)) == ("block", "failed")
    assert said(check_self_test(True, NOW - timedelta(hours=49), "", NOW)) == ("block", "overdue")


def authorisation(until: datetime) -> Authorisation:
    return Authorisation(
        authorisation_id="auth-1",
        zone_ids=("z",),
        authority="CAAC",
        number="1",
        valid_from=NOW - timedelta(days=1),
        valid_until=until,
    )


def test_authorisations() -> None:
    needs = replace(plan(), authorisation_ids=("auth-1",))
    long = (authorisation(NOW + timedelta(days=1)),)
    short = (authorisation(NOW + timedelta(seconds=needs.timing.total_s - 1)),)
    asked = {"revoked": (), "departs_at": NOW}
    assert said(check_authorisations(plan(), known=(), **asked)) == ("ok", "ok")
    assert said(check_authorisations(needs, known=long, **asked)) == ("ok", "ok")
    assert said(check_authorisations(needs, known=short, **asked)) == ("block", "not_valid"), "ends in flight"
    assert said(check_authorisations(needs, known=(), **asked)) == ("block", "unknown")
    assert said(check_authorisations(needs, known=None, **asked)) == ("warn", "not_checked")
    taken = check_authorisations(needs, known=long, revoked={"auth-1"}, departs_at=NOW)
    assert said(taken) == ("block", "revoked")


def test_a_zone_that_was_closed_on_the_way() -> None:
    on_way = ClosedZones((box_zone("new", 300.0, -20.0, 400.0, 20.0),), plan().home.position, None)
    beside = ClosedZones((box_zone("new", 300.0, 60.0, 400.0, 90.0),), plan().home.position, None)
    assert said(check_closed_zone(on_way.on_plan(plan(), NOW))) == ("block", "closed")
    assert said(check_closed_zone(beside.on_plan(plan(), NOW))) == ("ok", "ok")
