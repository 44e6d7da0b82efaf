"""Survival models against values computed by hand from the published formulas."""

from __future__ import annotations

import pytest

from core.errors import AirspaceError
from planner.survival import SURVIVAL_MODELS, HelpTimes, SurvivalModelName, survival_model


@pytest.mark.parametrize(
    ("name", "defibrillation_min", "cpr_min", "advanced_min", "expected"),
    [
        # 1/(1+e^0.679) = 1/(1+1.97190)
        ("de_maio", 0.0, None, None, 0.336485),
        # 0.679 + 0.262*5 = 1.989; e^1.989 = 7.30823
        ("de_maio", 5.0, None, None, 0.120362),
        # 3.299; e^3.299 = 27.0855
        ("de_maio", 10.0, None, None, 0.035605),
        # e^-0.26 = 0.771052
        ("valenzuela", 0.0, 0.0, None, 0.564636),
        # -0.26 + 0.106*2 + 0.139*6 = 0.786; e^0.786 = 2.194600
        ("valenzuela", 6.0, 2.0, None, 0.313028),
        ("larsen", 0.0, 0.0, 0.0, 0.67),
        # 0.67 - 0.046 - 0.066 - 0.21
        ("larsen", 6.0, 2.0, 10.0, 0.348),
        # 0.67 - 0.46 - 0.33 - 0.63 < 0
        ("larsen", 30.0, 20.0, 30.0, 0.0),
    ],
)
def test_hand_computed_values(
    name: str, defibrillation_min: float, cpr_min: float | None, advanced_min: float | None, expected: float
) -> None:
    times = HelpTimes(defibrillation_min=defibrillation_min, cpr_min=cpr_min, advanced_care_min=advanced_min)
    assert survival_model(name).survival(times) == pytest.approx(expected, abs=2e-6)


def test_a_missing_time_is_refused_not_guessed() -> None:
    with pytest.raises(AirspaceError) as caught:
        survival_model("valenzuela").survival(HelpTimes(defibrillation_min=5.0))
    assert caught.value.field == "cpr_min"
    with pytest.raises(AirspaceError) as caught:
        survival_model("larsen").survival(HelpTimes(defibrillation_min=5.0, cpr_min=1.0))
    assert caught.value.field == "advanced_care_min"


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(AirspaceError, match="de_maio, valenzuela, larsen"):
        survival_model("best")


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_impossible_times_are_refused(bad: float) -> None:
    with pytest.raises(AirspaceError):
        HelpTimes(defibrillation_min=bad)


def test_extrapolation_is_said() -> None:
    model = SURVIVAL_MODELS[SurvivalModelName.DE_MAIO]
    assert not model.extrapolates(HelpTimes(defibrillation_min=15.0))
    assert model.extrapolates(HelpTimes(defibrillation_min=15.1))
