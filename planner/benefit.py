"""What a drone is worth to one patient: minutes ahead of the ambulance, and what a survival model makes of them.

Minutes and rankings carry over from one city to another; probabilities do not (see :mod:`planner.survival`): they
are given with the model's name beside them, and nothing is decided by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from planner.checks import check_aware
from planner.reasons import Reason
from planner.survival import HelpTimes, SurvivalModel

CAUTION = "Western curves: they rank rightly and overstate the absolute benefit here."
CAUTION_ZH = "西方队列曲线：仅供排序，绝对获益被高估。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """The AED of a drone against waiting for the ambulance. Times count from the call.

    ``ahead_s`` is negative where the ambulance comes first. The survivals are None where the model needs a time
    that nobody told; ``unknown`` says which. ``extrapolates``: later than the model is trusted for.
    """

    ahead_s: float
    model: str
    source: str
    population: str
    survival_with_drone: float | None
    survival_without: float | None
    extrapolates: bool
    unknown: Reason | None


def predicted_benefit(
    model: SurvivalModel,
    *,
    called_at: datetime,
    ambulance_at: datetime,
    aed_at_patient_at: datetime,
    cpr_after_s: float | None,
) -> Benefit:
    """The benefit of an AED at the patient at ``aed_at_patient_at``.

    The first shock comes with the AED or with the ambulance, whichever is first; advanced care with the
    ambulance. ``cpr_after_s``: first hands after the call, None if nobody told. A moment before the call counts
    as the call's.
    """
    for name, moment in (
        ("called_at", called_at),
        ("ambulance_at", ambulance_at),
        ("aed_at_patient_at", aed_at_patient_at),
    ):
        check_aware(name, moment)
    ambulance_min = max(0.0, (ambulance_at - called_at).total_seconds() / 60.0)
    aed_min = max(0.0, (aed_at_patient_at - called_at).total_seconds() / 60.0)
    unknown = None
    with_drone: float | None = None
    without: float | None = None
    cpr_min = None if cpr_after_s is None else cpr_after_s / 60.0
    drone_times = _times(min(aed_min, ambulance_min), cpr_min, ambulance_min)
    plain_times = _times(ambulance_min, cpr_min, ambulance_min)
    if model.needs_cpr and cpr_min is None:
        unknown = Reason(
            "cpr_time_unknown",
            f"The model {model.name} needs the time of the first hands on the chest, and nobody told it.",
            f"模型 {model.name} 需要首次按压时间，目前未知。",
        )
    else:
        with_drone, without = model.survival(drone_times), model.survival(plain_times)
    return Benefit(
        ahead_s=(ambulance_at - aed_at_patient_at).total_seconds(),
        model=str(model.name),
        source=model.source,
        population=model.population,
        survival_with_drone=with_drone,
        survival_without=without,
        extrapolates=model.extrapolates(plain_times),
        unknown=unknown,
    )


def _times(shock_min: float, cpr_min: float | None, ambulance_min: float) -> HelpTimes:
    """Somebody who brings a defibrillator also has hands: first hands are never later than the first shock."""
    return HelpTimes(
        defibrillation_min=shock_min,
        cpr_min=None if cpr_min is None else min(cpr_min, shock_min),
        advanced_care_min=ambulance_min,
    )
