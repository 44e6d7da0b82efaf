"""How likely a person survives a cardiac arrest, by the minutes until help: published models, by name.

All times are minutes from the collapse (De Maio: from the call, which is what a dispatcher knows).

Caution for every use here: the models were fitted to witnessed or shockable arrests in Western services.
Chinese registries report 5.4 % shockable rhythms, 1.2 % survival, and 77 % of arrests at home, so
the absolute figures overstate the benefit several times over. Rankings between sites or plans, and minutes, carry
over better: report those, and name the model beside every probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from planner.checks import check_number, refuse


class SurvivalModelName(StrEnum):
    """The models there are."""

    DE_MAIO = "de_maio"
    VALENZUELA = "valenzuela"
    LARSEN = "larsen"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpTimes:
    """Minutes until each kind of help. None is «not known»: a model that needs it refuses, it guesses nothing.

    ``defibrillation_min``: first shock (t_D); ``cpr_min``: first hands on the chest (t_CPR);
    ``advanced_care_min``: advanced cardiac life support (t_ACLS).
    """

    defibrillation_min: float
    cpr_min: float | None = None
    advanced_care_min: float | None = None

    def __post_init__(self) -> None:
        check_number("defibrillation_min", self.defibrillation_min, minimum=0.0)
        for field in ("cpr_min", "advanced_care_min"):
            if getattr(self, field) is not None:
                check_number(field, getattr(self, field), minimum=0.0)


@dataclass(frozen=True, slots=True)
class SurvivalModel:
    """A model: its name, where it comes from, what it may be used for, and which times it needs.

    ``valid_to_min`` is the longest time to defibrillation that we trust it for; later ones count as
    extrapolated, which :meth:`extrapolates` says. ``survival`` is a probability in [0, 1].
    """

    name: SurvivalModelName
    source: str
    population: str
    needs_cpr: bool
    needs_advanced_care: bool
    valid_to_min: float
    _formula: Callable[[float, float, float], float]

    def survival(self, times: HelpTimes) -> float:
        """Probability of survival to discharge. Raises 3201 with the field when a time is missing."""
        cpr_min = self._needed("cpr_min", times.cpr_min, self.needs_cpr)
        advanced_min = self._needed("advanced_care_min", times.advanced_care_min, self.needs_advanced_care)
        return min(1.0, max(0.0, self._formula(times.defibrillation_min, cpr_min, advanced_min)))

    def extrapolates(self, times: HelpTimes) -> bool:
        """Whether the time to defibrillation is longer than the model is trusted for."""
        return times.defibrillation_min > self.valid_to_min

    def _needed(self, field: str, minutes: float | None, needed: bool) -> float:
        if minutes is not None:
            return minutes
        if needed:
            raise refuse(field, f"the model {self.name} needs it, and it isn't guessed")
        return 0.0


def _logistic(exponent: float) -> float:
    """1 / (1 + e^exponent), without overflow."""
    if exponent > 0.0:
        small = math.exp(-exponent)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(exponent))


def _de_maio(defibrillation_min: float, _cpr_min: float, _advanced_min: float) -> float:
    return _logistic(0.679 + 0.262 * defibrillation_min)


def _valenzuela(defibrillation_min: float, cpr_min: float, _advanced_min: float) -> float:
    return _logistic(-0.260 + 0.106 * cpr_min + 0.139 * defibrillation_min)


def _larsen(defibrillation_min: float, cpr_min: float, advanced_min: float) -> float:
    return 0.67 - 0.023 * cpr_min - 0.011 * defibrillation_min - 0.021 * advanced_min


SURVIVAL_MODELS: dict[SurvivalModelName, SurvivalModel] = {
    SurvivalModelName.DE_MAIO: SurvivalModel(
        SurvivalModelName.DE_MAIO,
        "De Maio et al., Annals of Emergency Medicine 42(2), 2003",
        "all non-traumatic arrests of the Ontario OPALS services, interval from call to defibrillator on scene",
        needs_cpr=False,
        needs_advanced_care=False,
        valid_to_min=15.0,
        _formula=_de_maio,
    ),
    SurvivalModelName.VALENZUELA: SurvivalModel(
        SurvivalModelName.VALENZUELA,
        "Valenzuela et al., Circulation 96(10), 1997",
        "witnessed ventricular fibrillation, Tucson and King County; intervals from collapse",
        needs_cpr=True,
        needs_advanced_care=False,
        valid_to_min=20.0,
        _formula=_valenzuela,
    ),
    SurvivalModelName.LARSEN: SurvivalModel(
        SurvivalModelName.LARSEN,
        "Larsen et al., Annals of Emergency Medicine 22(11), 1993",
        "witnessed ventricular fibrillation, King County; intervals from collapse; linear, so cut off at 0",
        needs_cpr=True,
        needs_advanced_care=True,
        valid_to_min=20.0,
        _formula=_larsen,
    ),
}
"""By name. ``valid_to_min`` is chosen, because the papers weren't at hand to read their range: 15 min, about
where De Maio's curve is within a percentage point of zero; 20 min, about where Larsen's line reaches zero."""


def survival_model(name: str) -> SurvivalModel:
    """The model of that name. Raises 3201 with the names that there are."""
    try:
        return SURVIVAL_MODELS[SurvivalModelName(name)]
    except ValueError:
        known = ", ".join(SurvivalModelName)
        raise refuse("model", f"{name!r} is none of {known}") from None
