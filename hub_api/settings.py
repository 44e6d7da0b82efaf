"""Everything that may be set from outside: environment ``DRONE_AED_*`` or a ``.env`` file.

Each field says its unit in its name and its reason in its description. Settings that contradict
each other are refused at start (5002) rather than repaired.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ErrorCode, InternalError
from hub_api.access.scopes import Role
from hub_api.dispatch.modes import Mode, ModePolicy, UnansweredPolicy
from planner.candidates import Severity
from planner.survival import SurvivalModelName
from planner.weather import Quantity

DEMO_API_KEY = "demo-key-known-to-everybody"
"""Opens everything in demo mode, and is refused everywhere else."""
DEMO_CLIENT = "demo"
"""Whose orders the demo's key and accounts work on."""
DEMO_PASSWORD = "demo-password-known-to-everybody"
"""The password of the demo's accounts; refused everywhere else."""


class Settings(BaseSettings):
    """The hub's settings. ``Settings()`` reads the environment; tests pass values."""

    model_config = SettingsConfigDict(
        env_prefix="DRONE_AED_", env_file=".env", extra="ignore", frozen=True, validate_default=True
    )

    data_dir: Path = Field(
        Path("drone-aed-data"), description="Database, agents' journals and flight records live here."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; by default a SQLite file in data_dir. PostgreSQL by URL."
    )
    site_file: Path = Field(
        Path("examples/sites/baoan.json"), description="Stations, drones and landing points (JSON)."
    )
    places_file: Path | None = Field(
        None,
        description="Names of the city that people search (JSON, WGS-84). None: NAME.places.json beside the site file "
        "NAME.json, if it is there.",
    )
    max_photo_bytes: int = Field(
        12 * 1024 * 1024,
        ge=64 * 1024,
        description="Largest photo that may be uploaded; a phone's is about 5 MB.",
    )
    airspace_file: Path | None = Field(
        None,
        description="The site's airspace: a manifest as geofences/data/baoan.airspace.json. Required outside demo mode, "
        "where none means the demonstration airspace.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(8120, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    demo: bool = Field(
        False, description="Demo mode: the well-known demo key works. Never in front of real drones."
    )
    speedup: float = Field(
        1.0, gt=0, le=100, description="Clock seconds per real second; other than 1 only in demo mode."
    )
    max_body_bytes: int = Field(
        64 * 1024, ge=1024, description="Largest request body; an order is about 1 kB."
    )
    max_zone_file_bytes: int = Field(
        20 * 1024 * 1024, ge=64 * 1024, description="Largest zone file; a whole country's is about 10 MB."
    )
    idempotency_keep_s: float = Field(
        24 * 3600.0, ge=3600, description="How long a client's idempotency key is remembered."
    )
    geoid_undulation_m: float = Field(
        0.0,
        ge=-110.0,
        le=90.0,
        description="Height of the geoid above the WGS-84 ellipsoid at the site. Between our own flights any value "
        "gives the same answer, since it counts for all of them; set the surveyed one before intents "
        "are exchanged with other operators.",
    )
    order_max_age_s: float = Field(
        600.0,
        gt=0,
        description="An order found undecided after a restart is declined when older: help came long ago.",
    )
    telemetry_stale_s: float = Field(
        5.0, gt=0, description="A drone not heard for longer is not ready. Telemetry comes 4 times a second."
    )
    ambulance_stale_s: float = Field(
        30.0,
        gt=0,
        description="A place of an ambulance that is older is not shown as where it is. Crews' devices tell it "
        "every few seconds.",
    )
    weather_stale_s: float = Field(
        600.0, gt=0, description="Wind older than this is not known; unknown wind is a reason to refuse."
    )
    aed_report_required: bool = Field(
        False,
        description="Whether a drone stays on the ground while nobody reported its AED's battery, pads and self-test. "
        "Not every AED model reports; switch it on where all of yours do or people enter it.",
    )
    dock_silent_s: float = Field(
        900.0, gt=0, description="A dock that reported once and then nothing for longer is shown as silent."
    )
    weather_report_stale_s: float = Field(
        4500.0,
        gt=0,
        description="A METAR older than this is not used. They come every half hour or hour; chosen: one may be missing.",
    )
    weather_required: str | None = Field(
        None,
        description="What must be known at a station beside wind before its drones fly, of `rain,visibility,temperature`; "
        "empty for nothing. None: all three, and in demo mode nothing. What is known always counts.",
    )
    weather_keep_s: float = Field(
        30 * 86400.0, ge=86400, description="How long readings and weather reports are kept for looking back."
    )
    fleet_settle_s: float = Field(
        15.0,
        ge=0,
        description="After a start, how long decisions wait for drones to come up before doing without them.",
    )
    command_repeat_s: float = Field(
        2.0, gt=0, description="An unanswered command is published again after this time, same id."
    )
    command_answer_s: float = Field(
        10.0, gt=0, description="A drone that has not answered its flight command by then is replaced."
    )
    planner: Literal["auto", "process", "thread"] = Field(
        "auto",
        description="Where decisions are computed. `process`: in a process of their own, on another core than what stores "
        "and speaks; it takes as much memory as the hub. `thread`: in the hub's own. `auto`: in a process where the machine "
        "gives the hub two cores or more.",
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
    callback_timeout_s: float = Field(5.0, gt=0, description="Deadline of one callback request.")
    callback_attempts: int = Field(
        8, ge=1, le=50, description="Tries per callback; the pause doubles from 1 s, at most 300 s."
    )
    callback_hosts: str | None = Field(
        None,
        description="Where orders' callbacks may go: hosts (`dispatch.example`, `*.example.cn`) and networks "
        "(`10.20.0.0/16`), separated by commas; nothing else then. None: every public address, and in demo mode anywhere.",
    )
    gateway_hosts: str | None = Field(
        None,
        description="Hosts that the gateway files below may name, written like `callback_hosts`. Required with them "
        "outside demo mode.",
    )
    sms_gateway_file: Path | None = Field(
        None,
        description="How the carrier of short messages is asked, as examples/gateways/sms.json. None: messages are given up "
        "with that reason; in demo mode they are recorded.",
    )
    sms_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `sms_gateway_file` stand for."
    )
    video_gateway_file: Path | None = Field(
        None, description="How the video service is asked, as examples/gateways/video.json."
    )
    video_close_gateway_file: Path | None = Field(
        None,
        description="How the video service is told to close a room, as examples/gateways/video-close.json; its secret is "
        "the same. None: rooms stay open for as long as the service keeps them, and each is listed as given up.",
    )
    video_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `video_gateway_file` stand for."
    )
    identification: bool | None = Field(
        None,
        description="Whether the authority is told where drones fly (network identification). None: yes; in demo mode no.",
    )
    identification_gateway_file: Path | None = Field(
        None,
        description="How the authority is told, as examples/gateways/identification.json. None: recorded in "
        "`data_dir`/identification only.",
    )
    identification_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `identification_gateway_file` stand for."
    )
    identification_keys: SecretStr | None = Field(
        None,
        description="Keys that sign network identification (seeds of Ed25519), written like `personal_keys`. Required "
        "with it outside demo mode.",
    )
    identification_period_s: float = Field(
        1.0, ge=0.5, le=2.0, description="Between two reports of a drone; the authority wants 2 s at most."
    )
    identification_keep_s: float = Field(
        30 * 86400.0,
        ge=86400,
        description="How long reports that the authority does not take are kept, and recorded ones.",
    )
    operator_id: str = Field(
        "drone-aed", max_length=80, description="Who flies, as the authority registered it."
    )
    message_usable_s: float = Field(
        1800.0,
        ge=60,
        description="How long after it was owed a short message or video link is still worth sending; then it is given up.",
    )
    message_attempts: int = Field(
        8, ge=1, le=50, description="Tries per message; the pause doubles from 1 s, at most 60 s."
    )
    personal_keys: SecretStr | None = Field(
        None,
        description="Keys that seal callers and patients' notes at rest, `name:base64`, the newest first. "
        "`drone-aed secrets` makes them. Required outside demo mode.",
    )
    token_keys: SecretStr | None = Field(
        None,
        description="Keys that sign access tokens, written like `personal_keys`. Required outside demo mode.",
    )
    token_lifetime_s: float = Field(
        900.0, ge=60, le=3600, description="How long an access token works before it must be renewed."
    )
    session_s: float = Field(
        12 * 3600.0,
        ge=600,
        description="How long a person may renew tokens before logging in again: a shift.",
    )
    personal_keep_s: float = Field(
        90 * 86400.0,
        ge=86400,
        description="How long after an order's end its caller and notes are kept, then erased. "
        "Chosen: 90 days; set what the authority prescribes.",
    )
    request_rate_s: float = Field(
        200.0, gt=0, description="Requests per second that each key or account may make on average."
    )
    order_rate_s: float = Field(
        200.0,
        gt=0,
        description="Orders per second that each key may place: a budget of its own, which nothing else uses up.",
    )
    link_keys_file: Path | None = Field(
        None,
        description="Keys with which vehicles sign (MAVLink 2), made by `drone-aed link-key`; none: links are not signed.",
    )
    links_signed_only: bool | None = Field(
        None,
        description="Refuse vehicles without a key. Needs link_keys_file. Default: true outside demo mode. `false` there "
        "says that somebody answers for it: whoever reaches an unsigned link can command the drone and be believed.",
    )
    report_font_file: Path | None = Field(
        None,
        description="A TrueType font (.ttf) with Chinese that PDF reports embed; none: the standard font STSong-Light, "
        "which the reader's program supplies.",
    )
    console_tiles_url: str | None = Field(
        None,
        description="Map tiles under the console's map, `https://…/{z}/{x}/{y}.png`, or a path on this host; none: the "
        "map draws what the hub itself knows.",
    )
    console_tiles_reference_system: Literal["WGS-84", "GCJ-02"] | None = Field(
        None,
        description="The tiles' reference system, never guessed: Chinese map services draw in GCJ-02, up to 600 m off.",
    )
    console_tiles_attribution: str = Field(
        "", description="What the tiles' owner wants shown on the map; also their review number (审图号)."
    )
    console_tiles_max_zoom: int = Field(
        18, ge=1, le=24, description="Deepest level of the tiles; nearer, they are enlarged."
    )
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for machines.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    @property
    def effective_links_signed_only(self) -> bool:
        """``links_signed_only``, or what the mode asks for."""
        return not self.demo if self.links_signed_only is None else self.links_signed_only

    @model_validator(mode="after")
    def _keys_for_signed_links(self) -> Settings:
        if self.links_signed_only and self.link_keys_file is None:
            raise ValueError(
                "links_signed_only needs link_keys_file: without keys every vehicle would be refused"
            )
        return self

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

    @model_validator(mode="after")
    def _tiles_name_their_system(self) -> Settings:
        if self.console_tiles_url is None:
            return self
        if any(part not in self.console_tiles_url for part in ("{z}", "{x}", "{y}")):
            raise ValueError("console_tiles_url needs {z}, {x} and {y}")
        scheme = urlsplit(self.console_tiles_url).scheme
        if scheme not in ("", "http", "https"):
            raise ValueError("console_tiles_url is http, https, or a path on this host")
        if self.console_tiles_reference_system is None:
            raise ValueError(
                "console_tiles_url needs console_tiles_reference_system: GCJ-02 tiles taken for WGS-84 show every "
                "drone in another street"
            )
        return self

    @model_validator(mode="after")
    def _demo_only(self) -> Settings:
        if self.speedup != 1.0 and not self.demo:
            raise ValueError(
                "speedup other than 1 is only allowed in demo mode: real drones fly in real time"
            )
        return self

    @property
    def decides_in_a_process(self) -> bool:
        """``planner``, with ``auto`` looked up."""
        if self.planner == "auto":
            # Not every system says what a process may use of the machine.
            allowed = getattr(os, "sched_getaffinity", None)
            return (os.cpu_count() or 1 if allowed is None else len(allowed(0))) > 1
        return self.planner == "process"

    @property
    def effective_weather_required(self) -> frozenset[Quantity]:
        """``weather_required``, read. Checked when the settings are made."""
        if self.weather_required is None:
            return frozenset() if self.demo else frozenset(Quantity)
        named = (part.strip() for part in self.weather_required.split(","))
        return frozenset(Quantity(name) for name in named if name)

    @model_validator(mode="after")
    def _weather_quantities(self) -> Settings:
        try:
            _ = self.effective_weather_required
        except ValueError:
            raise ValueError(
                "weather_required names something else than rain, visibility, temperature"
            ) from None
        return self

    @property
    def effective_database_url(self) -> str:
        """``database_url``, or the SQLite file in ``data_dir``."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hub.db'}"

    @property
    def effective_places_file(self) -> Path | None:
        """``places_file``, or the one beside the site file; None where there is none."""
        beside = self.site_file.with_suffix(".places.json")
        return self.places_file or (beside if beside.is_file() else None)

    @property
    def journal_dir(self) -> Path:
        """Where the agents of this process keep their journals."""
        return self.data_dir / "journals"

    @property
    def records_dir(self) -> Path:
        """Where the agents of this process keep a folder for every flight."""
        return self.data_dir / "flights"

    def prepare_data_dir(self) -> None:
        """Create the data directory, readable by its owner only: it holds callers' data. Raises 5002 where it can't."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            os.chmod(self.data_dir, 0o700)
            for folder in (self.journal_dir, self.records_dir):
                folder.mkdir(exist_ok=True)
                # A folder that somebody else made may be there and take nothing.
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as error:
            raise InternalError(
                ErrorCode.SETTINGS_INVALID,
                f"nothing can be stored in {error.filename or self.data_dir}: {error.strerror}",
                field="data_dir",
            ) from error
