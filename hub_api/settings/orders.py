"""What becomes of an order."""

from __future__ import annotations

from pydantic import Field, field_validator

from hub_api.access.scopes import Role
from hub_api.dispatch.modes import Mode, ModePolicy, UnansweredPolicy
from hub_api.settings.group import SettingsGroup
from planner.candidates import Severity
from planner.survival import SurvivalModelName


class OrderSettings(SettingsGroup):
    """Orders and incidents."""

    order_max_age_s: float = Field(
        600.0,
        gt=0,
        description="An order found undecided after a restart is declined when older: help came long ago.",
    )
    max_attempts: int = Field(
        3, ge=1, le=10, description="Drones that are tried for one order before it is given up."
    )

    default_mode: Mode = Field(
        Mode.AUTOMATIC,
        description="What orders are without asking: `automatic`, `approve` (a person lets each flight go) or `drill`. "
        "An order may ask for more caution, never for less.",
    )

    client_modes: dict[str, Mode] = Field(
        default_factory=dict,
        description='The same for single clients, JSON: `{"training-desk": "drill"}`.',
    )
    approval_alarm_s: float = Field(
        15.0,
        ge=1,
        le=600,
        description="A request for approval that is unanswered so long goes to the next in line.",
    )
    approval_chain: tuple[str, ...] = Field(
        ("role:operator",),
        min_length=1,
        description="Who is asked, in order, JSON: `role:` and a role, or `account:` and an account's name. "
        "After the last one `approval_timeout_policy` counts.",
    )
    approval_timeout_policy: UnansweredPolicy = Field(
        UnansweredPolicy.KEEP_WAITING,
        description="When nobody in the chain answered: `keep_waiting` (the last one is alarmed again and again, until "
        "`order_max_age_s`), `launch`, or `decline`.",
    )
    approval_timeout_policies: dict[Severity, UnansweredPolicy] = Field(
        default_factory=dict, description='The same by severity, JSON: `{"I": "launch", "IV": "decline"}`.'
    )
    pre_emption: dict[Severity, tuple[Severity, ...]] = Field(
        default_factory=lambda: {
            Severity.I: (Severity.II, Severity.III, Severity.IV),
            Severity.II: (Severity.III, Severity.IV),
        },
        description="From which severities an order may take a drone that has not taken off, JSON: "
        '`{"I": ["III", "IV"]}`; `{}`: never. Drills give way to everybody.',
    )
    pre_emption_gain_s: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="Where a free drone would fly too: a drone is taken only if the AED is at the patient so much sooner.",
    )
    pre_emption_limit: int = Field(
        1, ge=0, le=10, description="How often one order may lose its drone to more urgent ones."
    )
    pre_emption_wait_s: float = Field(
        15.0, gt=0, le=120, description="How long an order waits for a drone that is called back on its pad."
    )
    drone_wait_s: float = Field(
        300.0,
        ge=0,
        le=3600,
        description="How long an order that lost its drone (to a more urgent one, or because it failed) waits for another "
        "where one may become ready, at most until `order_max_age_s` after the order; then it fails. 0: it fails at once.",
    )
    survival_model: SurvivalModelName = Field(
        SurvivalModelName.DE_MAIO,
        description="Model of the predicted benefit: `de_maio`, `valenzuela` or `larsen`. Western curves: they rank "
        "rightly and overstate the absolute benefit here.",
    )
    survival_cpr_after_s: float | None = Field(
        None,
        ge=0,
        le=3600,
        description="Seconds from the call to the first hands, for the models that need it; none: they say so "
        "instead of guessing.",
    )
    no_benefit_margin_s: float | None = Field(
        None,
        ge=0,
        le=3600,
        description="Decline a flight whose AED would be at the patient this much later than the ambulance; "
        "none: it flies in any case.",
    )
    merge_radius_m: float = Field(
        50.0,
        ge=0,
        le=1000,
        description="Two orders this near in place, and within merge_window_s, are taken for one patient and served "
        "by one drone, unless one says `separate`. 0: only orders of one incident are merged.",
    )
    merge_window_s: float = Field(
        300.0, gt=0, description="How long after an order another one nearby is taken for the same patient."
    )
    incident_still_s: float = Field(
        180.0, gt=0, description="An open incident that nobody moves on for so long raises a warning event."
    )
    video_guidance_severities: tuple[Severity, ...] = Field(
        (Severity.I, Severity.II),
        description="Severities that are guided by video unless the centre says otherwise, JSON (A5): caller and doctor "
        "get a link by short message as soon as their numbers are known.",
    )

    @field_validator("approval_chain")
    @classmethod
    def _known_links(cls, chain: tuple[str, ...]) -> tuple[str, ...]:
        for link in chain:
            kind, _, name = link.partition(":")
            if kind == "account" and name:
                continue
            if kind != "role" or name not in set(Role):
                raise ValueError(f"{link!r} is neither role:<{'|'.join(Role)}> nor account:<name>")
        return chain

    @property
    def modes(self) -> ModePolicy:
        """What orders are without asking."""
        return ModePolicy(self.default_mode, self.client_modes)

    def unanswered_policy(self, severity: str) -> UnansweredPolicy:
        """What becomes of a flight for a patient of this severity that nobody approved or refused."""
        return self.approval_timeout_policies.get(Severity(severity), self.approval_timeout_policy)
