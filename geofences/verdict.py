"""The answer to «may we be there, then?»: never a bool, always with its reasons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Nothing forbids it. ``conditions`` of the zones entered must be kept."""

    conditions: tuple[str, ...] = ()
    authorisation_ids: tuple[str, ...] = ()
    """Standing authorisations without which the answer would have been Forbidden."""
    terrain: str = ""
    """Which ground heights above ground were measured from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """A zone forbids it.

    ``reason`` is a machine word:

    - ``prohibited``: inside a PROHIBITED zone;
    - ``authorisation_required``: inside a REQ_AUTHORISATION zone that no authorisation covers there and then;
    - ``conditions_unconfirmed``: inside a CONDITIONAL zone whose conditions nobody confirmed for us;
    - ``outside_operating_area``: not inside the union of the operating areas (``zone_id`` is None);
    - ``operating_area_closed``: operating areas exist, none of them applies then (``zone_id`` is None).
    """

    zone_id: str | None
    zone_name: str
    reason: str
    detail: str
    detail_zh: str
    terrain: str = ""


Verdict = Allowed | Forbidden
