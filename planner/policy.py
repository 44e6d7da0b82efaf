"""What an operator decides once: heights, validity, limits. Every default says why it was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from planner.checks import check_number
from planner.weather import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningPolicy:
    """Rules of the operator that no zone file contains.

    ``minimum_agl_m`` 60 (chosen): over trees, lamp posts and ordinary houses with the altitude error kept;
    what is taller must be in the airspace as a zone with a ceiling. ``maximum_agl_m`` 120: the true height of
    China's 适飞空域 for light and small craft, where no application is needed; the altitude error is
    kept below it. ``height_step_m`` 15 (chosen): several times the altitude error.
    ``valid_s`` 120 (chosen): a plan that hasn't taken off by then is planned again.
    ``carry_limit_s`` 900 (chosen): after a quarter of an hour on foot an ambulance is there first.
    ``accept_planned_return``: False refuses a plan from some point of which the autopilot's own
    straight return would be illegal. True accepts it, since every leg has a planned way back, and the
    compiled parameters then replace straight returns by retracing or landing.
    ``weather_required``: what must be known of the weather beside wind; what is known counts either way.
    """

    minimum_agl_m: float = 60.0
    maximum_agl_m: float = 120.0
    height_step_m: float = 15.0
    valid_s: float = 120.0
    carry_limit_s: float = 900.0
    accept_planned_return: bool = False
    weather_required: frozenset[Quantity] = frozenset()

    def __post_init__(self) -> None:
        check_number("policy.minimum_agl_m", self.minimum_agl_m, minimum=0.0)
        check_number("policy.maximum_agl_m", self.maximum_agl_m, minimum=self.minimum_agl_m, maximum=1000.0)
        check_number("policy.height_step_m", self.height_step_m, above=0.0)
        check_number("policy.valid_s", self.valid_s, above=0.0, maximum=3600.0)
        check_number("policy.carry_limit_s", self.carry_limit_s, above=0.0)


DEFAULT_POLICY = PlanningPolicy()
