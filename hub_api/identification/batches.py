"""What the authority is told: one signed batch a second with every flying drone in it.

Source of the duties: MH/T 4053-2022 (at least every 2 s, delay of at most 1 s, buffered and back-filled after an
outage). The authority's own field list is not public; the fields here are named so that a gateway's file can
map them. Positions are WGS-84, heights above mean sea level and above the pad. Nothing about a patient.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flight.messages import TelemetrySample
from hub_api.keyring import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBatch:
    """``payload`` is the exact text that ``signature`` (Ed25519, base64) covers; ``key`` names the key."""

    batch_id: str
    payload: str
    key: str
    signature: str

    def as_json(self) -> dict[str, str]:
        """As it is stored and sent."""
        return {
            "batch_id": self.batch_id,
            "payload": self.payload,
            "key": self.key,
            "signature": self.signature,
        }


class BatchSigner:
    """Signs with the first of the keys; each is the seed of an Ed25519 key (RFC 8032)."""

    def __init__(self, keys: Keyring) -> None:
        self._name, seed = keys.current
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        """What the authority checks with: base64 of the raw public key."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(
        self, batch_id: str, operator: str, made_at: datetime, reports: list[dict[str, Any]]
    ) -> SignedBatch:
        """One batch."""
        content = {
            "batch_id": batch_id,
            "operator": operator,
            "made_at": made_at.isoformat(),
            "reports": reports,
        }
        payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        signature = base64.b64encode(self._key.sign(payload.encode())).decode()
        return SignedBatch(batch_id=batch_id, payload=payload, key=self._name, signature=signature)


def is_signed(batch: dict[str, str], public_key: str) -> bool:
    """Whether a batch is what its signer signed; for receivers and tests."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(base64.b64decode(batch["signature"]), batch["payload"].encode())
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def report_of(sample: TelemetrySample, now: datetime, lost_after_s: float) -> dict[str, Any]:
    """One drone. A drone that is not heard any more stays in the reports, with its last position and that word."""
    east, north = sample.velocity_east_m_s, sample.velocity_north_m_s
    moving = east is not None and north is not None
    age_s = (now - sample.at).total_seconds() + (sample.link_age_s or 0.0)
    return {
        "uas_id": sample.drone_id,
        "flight_id": sample.flight_id,
        "at": sample.at.isoformat(),
        "state": "telemetry_lost" if age_s > lost_after_s else "reported",
        "phase": str(sample.phase),
        "latitude_deg": None if sample.position is None else sample.position.latitude_deg,
        "longitude_deg": None if sample.position is None else sample.position.longitude_deg,
        "altitude_amsl_m": sample.altitude_amsl_m,
        "height_above_take_off_m": sample.height_above_home_m,
        "ground_speed_m_s": round(math.hypot(east or 0.0, north or 0.0), 2) if moving else None,
        "track_deg": round(math.degrees(math.atan2(east or 0.0, north or 0.0)) % 360.0, 1)
        if moving
        else None,
        "vertical_speed_m_s": sample.velocity_up_m_s,
    }


def reports_of(
    samples: Iterable[TelemetrySample], now: datetime, lost_after_s: float
) -> list[dict[str, Any]]:
    """Every given drone."""
    return [report_of(sample, now, lost_after_s) for sample in samples]
