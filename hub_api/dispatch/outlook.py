"""A decision weighed against the ambulance: what the flight is worth, and whether it is worth flying."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.spans import span, span_zh
from hub_api.dispatch.planning import Answer
from hub_api.store.records import OrderRecord
from planner.benefit import Benefit, predicted_benefit
from planner.flight_plan import FlightPlan
from planner.reasons import Reason
from planner.survival import SurvivalModelName, survival_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Which model, and the policy. ``no_benefit_margin_s`` None: a flight that comes after the ambulance flies too,
    because ambulances are late more often than drones."""

    model: SurvivalModelName
    cpr_after_s: float | None
    no_benefit_margin_s: float | None

    def weigh(self, order: OrderRecord, answer: Answer, now: datetime) -> Answer:
        """The answer with its benefit; declined where the policy says that it comes too late to help."""
        if answer.plan is None or order.ambulance_eta_at is None:
            return answer
        benefit = self._benefit(order, answer.plan, order.ambulance_eta_at, answer.delay_s, now)
        answer = replace(answer, benefit=benefit)
        if self.no_benefit_margin_s is None or -benefit.ahead_s <= self.no_benefit_margin_s:
            return answer
        return replace(answer, plan=None, reasons=(no_benefit(benefit),))

    def _benefit(
        self, order: OrderRecord, plan: FlightPlan, ambulance_at: datetime, delay_s: float, now: datetime
    ) -> Benefit:
        """Times count from the order: when the call began the hub does not know better."""
        return predicted_benefit(
            survival_model(self.model),
            called_at=order.received_at,
            ambulance_at=ambulance_at,
            aed_at_patient_at=now + timedelta(seconds=delay_s + plan.timing.time_to_patient_s),
            cpr_after_s=self.cpr_after_s,
        )


def no_benefit(benefit: Benefit) -> Reason:
    """The drone would come after the ambulance."""
    return Reason(
        "no_benefit",
        f"The AED would reach the patient {span(-benefit.ahead_s)} after the ambulance.",
        f"AED 将比救护车晚 {span_zh(-benefit.ahead_s)}到达患者。",
    )
