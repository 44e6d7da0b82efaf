"""Giving a vehicle its signing key, and proof that it took it.

SETUP_SIGNING carries the secret in the open and is not acknowledged. So it goes only over a link that
nobody else hears (a cable on the pad; whoever calls says so), and what counts is that the vehicle signs
with the new key and acts on what we sign with it. The key is on disk before it is sent; until the
vehicle has proved it, the old key (or none) is believed as well, so a lost packet leaves nobody out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.mavlink.command import Command
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.hub import LinkHub
from flight.links.mavlink.link import AUTOPILOT_COMPONENT

ATTEMPTS = 8
PROOF_S = 1.5
"""After each attempt: a vehicle's heartbeat comes every second."""
CMD_REQUEST_MESSAGE = 512
HEARTBEAT_ID = 0


class Enrolment(StrEnum):
    """How it went."""

    PROVED = "proved"
    """The vehicle signs with the key and obeys what we sign with it."""
    DEAF = "deaf"
    """It signs with the key, and does not answer what we sign with it."""
    NOT_TAKEN = "not_taken"
    """It went on as before; the key stays pending and may be sent again."""
    ARMED = "armed"
    """Not tried: autopilots ignore a new key while armed, and a vehicle in the air must not lose its link."""


@dataclass(frozen=True, slots=True)
class EnrolmentOutcome:
    """``key_id`` names the key that was sent."""

    status: Enrolment
    key_id: str | None


async def set_up_signing(
    hub: LinkHub, link: VehicleConnection, owner: str, clock: Clock, *, link_is_private: bool
) -> EnrolmentOutcome:
    """Give the vehicle on ``link`` a (new) key. Raises LinkError 1005 without a store, or where the caller
    doesn't vouch for the link: whoever hears this owns the vehicle."""
    if hub.keys is None:
        raise LinkError(ErrorCode.LINK_KEY_INVALID, "this hub has no key store")
    if not link_is_private:
        raise LinkError(
            ErrorCode.LINK_KEY_INVALID, "a key is sent in the open: only over a link that nobody else hears"
        )
    if link.view.armed is not False:
        return EnrolmentOutcome(Enrolment.ARMED, None)
    before = hub.keys.keys(owner).active
    key = hub.keys.prepare(owner)
    claim = link.claim
    if before is None:
        # A vehicle without a key takes our frames signed or not.
        hub.expect(claim, owner, key, unsigned_too=True)
    else:
        hub.expect(claim, owner, before, key)
    assert claim.link.guard is not None
    times = claim.link.guard.times

    def proved(_: object) -> bool:
        return hub.keys is not None and hub.keys.keys(owner).active == key

    for _ in range(ATTEMPTS):
        if proved(None):
            break
        for _ in range(2):
            link.send(
                "SETUP_SIGNING",
                target_system=link.system_id,
                target_component=AUTOPILOT_COMPONENT,
                initial_timestamp=times.now(),
                secret_key=list(key.secret),
            )
        await link.wait_for(proved, PROOF_S)
    if not proved(None):
        return EnrolmentOutcome(Enrolment.NOT_TAKEN, key.key_id)
    answer = await link.command(Command(CMD_REQUEST_MESSAGE, param1=float(HEARTBEAT_ID)))
    return EnrolmentOutcome(Enrolment.DEAF if answer.unanswered else Enrolment.PROVED, key.key_id)
