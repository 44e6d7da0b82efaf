"""Whatever the times: a probability, and never better for later help."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.survival import SURVIVAL_MODELS, HelpTimes, SurvivalModelName

MINUTES = st.floats(0.0, 1e4)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(SurvivalModelName),
    MINUTES,
    MINUTES,
    MINUTES,
    MINUTES,
    st.sampled_from(["defibrillation_min", "cpr_min", "advanced_care_min"]),
)
def test_later_help_never_helps(
    name: SurvivalModelName, shock: float, hands: float, care: float, later: float, field: str
) -> None:
    model = SURVIVAL_MODELS[name]
    times = HelpTimes(defibrillation_min=shock, cpr_min=hands, advanced_care_min=care)
    delayed = replace(times, **{field: getattr(times, field) + later})
    assert 0.0 <= model.survival(delayed) <= model.survival(times) <= 1.0


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(SurvivalModelName), st.floats(0.0, 8.0), st.floats(0.5, 5.0))
def test_a_later_shock_costs_within_the_data(name: SurvivalModelName, shock: float, later: float) -> None:
    model = SURVIVAL_MODELS[name]
    times = HelpTimes(defibrillation_min=shock, cpr_min=1.0, advanced_care_min=8.0)
    assert model.survival(replace(times, defibrillation_min=shock + later)) < model.survival(times)
