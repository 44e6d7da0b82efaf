"""The signing keys of the vehicles: one file that only we may read, replaced whole or not at all.

A new key is pending until the vehicle has proved that it took it; until then the old one stays, so that
a vehicle is never without a key that both sides know.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.mavlink.signing import SigningKey
from flight.links.private_file import read_private, write_private

FORMAT = "drone-aed signing keys 1"


@dataclass(frozen=True, slots=True)
class VehicleKeys:
    """What is known of one vehicle: the key in use, and one that it was sent and has not proved yet."""

    active: SigningKey | None = None
    pending: SigningKey | None = None

    @property
    def all(self) -> tuple[SigningKey, ...]:
        """Keys that it may sign with, the newest last."""
        return tuple(key for key in (self.active, self.pending) if key is not None)


class KeyStore:
    """Keys by the vehicle's own name (a drone id, not a system id: those change hands).

    Raises LinkError 1005 where the file can't be used; a missing file is an empty store.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._held: dict[str, dict[str, Any]] = {}
        self._vehicles: dict[str, VehicleKeys] = {}
        if path.exists() or path.is_symlink():
            self._load()

    def _load(self) -> None:
        try:
            content = json.loads(read_private(self._path))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r} is not {FORMAT!r}")
            for vehicle, entry in content["vehicles"].items():
                self._vehicles[vehicle] = VehicleKeys(
                    *(None if entry[state] is None else _key(entry[state]) for state in ("active", "pending"))
                )
                self._held[vehicle] = entry
        except LinkError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LinkError(
                ErrorCode.LINK_KEY_INVALID, f"{self._path}: no usable key store: {error}"
            ) from error

    @property
    def vehicles(self) -> tuple[str, ...]:
        """Names of the vehicles that have a key or are getting one."""
        return tuple(self._vehicles)

    def keys(self, vehicle: str) -> VehicleKeys:
        """What is known of a vehicle; nothing for one that was never set up."""
        return self._vehicles.get(vehicle, VehicleKeys())

    def prepare(self, vehicle: str) -> SigningKey:
        """The key to send to a vehicle: the pending one, or a new one. On disk before this returns."""
        known = self.keys(vehicle)
        if known.pending is not None:
            return known.pending
        key = SigningKey(secrets.token_bytes(32))
        self._put(vehicle, VehicleKeys(known.active, key))
        return key

    def adopt(self, vehicle: str, key: SigningKey) -> None:
        """Take over a key that the vehicle has already, from another ground station."""
        self.adopt_all({vehicle: key})

    def adopt_all(self, keys: Mapping[str, SigningKey]) -> None:
        """Take over the keys of a whole fleet at once."""
        for vehicle, key in keys.items():
            self._set(vehicle, VehicleKeys(key, None))
        self._write()

    def proved(self, vehicle: str, key: SigningKey) -> None:
        """The vehicle signed with ``key``: it is the one in use from now on."""
        known = self.keys(vehicle)
        if key == known.pending:
            self._put(vehicle, VehicleKeys(key, None))

    def remove(self, vehicle: str) -> None:
        """Forget a vehicle's keys; it is not believed signed any more. Does not reach the vehicle itself."""
        if self._vehicles.pop(vehicle, None) is not None:
            del self._held[vehicle]
            self._write()

    def _put(self, vehicle: str, keys: VehicleKeys) -> None:
        self._set(vehicle, keys)
        self._write()

    def _set(self, vehicle: str, keys: VehicleKeys) -> None:
        before = self._held.get(vehicle, {})
        entry: dict[str, Any] = {}
        for state, key in (("active", keys.active), ("pending", keys.pending)):
            entry[state] = None if key is None else self._entry(key, before)
        self._vehicles[vehicle], self._held[vehicle] = keys, entry

    def _entry(self, key: SigningKey, before: dict[str, Any]) -> dict[str, str]:
        for known in before.values():
            if known is not None and known["key_id"] == key.key_id:
                return dict(known)
        return {
            "key_id": key.key_id,
            "secret": key.secret.hex(),
            "created_at": self._clock.now().isoformat(),
        }

    def _write(self) -> None:
        content = {"format": FORMAT, "vehicles": self._held}
        write_private(self._path, json.dumps(content, indent=1, ensure_ascii=False).encode())


def _key(entry: dict[str, str]) -> SigningKey:
    key = SigningKey(bytes.fromhex(entry["secret"]))
    if key.key_id != entry["key_id"]:
        raise ValueError(f"the secret of key {entry['key_id']} is damaged")
    return key
