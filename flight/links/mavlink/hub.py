"""All links of one process: agents of several drones share a transport, each with its own system id.

A claim gives the right to speak to one system on one link; the same one can't be claimed twice, because
two agents would command one vehicle. Keys and signing times are kept here, for every link together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.address import LinkAddress, parse_link
from flight.links.key_store import KeyStore
from flight.links.mavlink import kernel
from flight.links.mavlink.connection import LinkClaim
from flight.links.mavlink.link import Link
from flight.links.mavlink.signing import FLUSH_S, KeySigner, SignatureGuard, SigningKey, SigningTimes
from flight.links.mavlink.transports import open_transport
from flight.links.transport import Transport

log = logging.getLogger(__name__)


class LinkHub:
    """Gives out claims; opens each link once, however many vehicles answer there.

    ``keys`` and ``times`` come together or not at all. With ``signed_only`` a vehicle without a key is
    refused. Run :meth:`run` beside the agents: it writes the signing times down.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        keys: KeyStore | None = None,
        times: SigningTimes | None = None,
        signed_only: bool = False,
        opener: Callable[[str], Transport] = open_transport,
    ) -> None:
        if (keys is None) != (times is None) or (signed_only and keys is None):
            raise LinkError(ErrorCode.LINK_KEY_INVALID, "keys and signing times are needed, both of them")
        self._clock, self._keys, self._times, self._opener = clock, keys, times, opener
        self._signed_only = signed_only
        self._links: dict[LinkAddress, Link] = {}
        self._claims: dict[tuple[LinkAddress, int], tuple[str, LinkClaim]] = {}
        self._owners: dict[str, tuple[LinkAddress, int]] = {}

    @staticmethod
    def start() -> None:
        """Compile or load what makes decoding fast; takes up to some seconds, so call it before vehicles fly."""
        kernel.load()

    async def run(self) -> None:
        """Write the signing times down while vehicles are heard; ends when cancelled."""
        times = self._times
        if times is None:
            await asyncio.get_running_loop().create_future()
            return
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._clock.sleep(FLUSH_S)
                content = times.unwritten()
                if content is not None:
                    await loop.run_in_executor(None, times.write, content)
        finally:
            times.close()

    def claim(self, link: str, system_id: int, *, owner: str) -> LinkClaim:
        """The right to speak to ``system_id`` on ``link``, for the drone ``owner``.

        Raises LinkError 1003 for a bad link string, 1004 where somebody else has it, 1005 where a key is
        demanded and there is none.
        """
        address = parse_link(link)
        self._check_free(address, system_id, owner)
        held = self._claims.get((address, system_id))
        if held is not None:
            return held[1]
        claim = LinkClaim(self._link(address), system_id)
        if self._keys is not None:
            self._expect_signatures(claim, owner, self._keys)
        self._claims[address, system_id] = owner, claim
        self._owners[owner] = address, system_id
        return claim

    def release(self, link: str, system_id: int) -> None:
        """Give a claim back: the drone is out of service. Its conversation must have ended (1004): without
        the claim nobody would ask for its signatures any more."""
        address = parse_link(link)
        owner, claim = self._claims.get((address, system_id), (None, None))
        if owner is None or claim is None:
            return
        if claim.link.is_used_by(system_id):
            raise LinkError(ErrorCode.LINK_SYSTEM_ID_TAKEN, f"{owner} is still spoken to on {address}")
        del self._claims[address, system_id]
        del self._owners[owner]
        if claim.link.guard is not None:
            claim.link.guard.forget(system_id)
        if not any(other == address for other, _ in self._claims):
            del self._links[address]

    def _check_free(self, address: LinkAddress, system_id: int, owner: str) -> None:
        holder, _ = self._claims.get((address, system_id), (owner, None))
        if holder != owner:
            raise LinkError(
                ErrorCode.LINK_SYSTEM_ID_TAKEN,
                f"{owner}: system id {system_id} on {address} belongs to {holder} already",
                field="system_id",
            )
        held = self._owners.get(owner)
        if held is not None and held != (address, system_id):
            raise LinkError(
                ErrorCode.LINK_SYSTEM_ID_TAKEN,
                f"{owner} answers on {held[0]} as system {held[1]} already, not on {address} as {system_id}",
                field="link",
            )
        if address in self._links:
            return
        for other in self._links:
            if _same_place(other, address):
                raise LinkError(
                    ErrorCode.LINK_SYSTEM_ID_TAKEN,
                    f"{owner}: {address} and {other} are the same place, written differently",
                    field="link",
                )

    def _link(self, address: LinkAddress) -> Link:
        link = self._links.get(address)
        if link is None:
            guard = None if self._times is None else SignatureGuard(self._times)
            link = self._links[address] = Link(
                partial(self._opener, str(address)), self._clock, name=str(address), guard=guard
            )
        return link

    def _expect_signatures(self, claim: LinkClaim, owner: str, keys: KeyStore) -> None:
        known = keys.keys(owner)
        if known.all:
            # A key that was sent and never proved: the vehicle may have taken it or not.
            unproved = known.active is None and not self._signed_only
            self.expect(claim, owner, *known.all, unsigned_too=unproved)
        elif self._signed_only:
            raise LinkError(
                ErrorCode.LINK_KEY_INVALID, f"{owner} has no signing key, and signing is demanded"
            )

    def expect(self, claim: LinkClaim, owner: str, *known: SigningKey, unsigned_too: bool = False) -> None:
        """Believe the vehicle of ``claim`` only with one of the keys ``known``, and sign to it with the last
        one proved (the first). For :mod:`flight.links.mavlink.enrol`."""
        guard, times, keys = claim.link.guard, self._times, self._keys
        if guard is None or times is None or keys is None:
            raise LinkError(ErrorCode.LINK_KEY_INVALID, "this hub has no key store")
        signing_times, store = times, keys

        def proved(key: SigningKey) -> None:
            store.proved(owner, key)
            if claim.signer is None or claim.signer.key != key:
                claim.signer = KeySigner(key, signing_times)

        watch = len(known) > 1 or unsigned_too
        claim.signing = guard.expect(
            claim.system_id, *known, unsigned_too=unsigned_too, on_proof=proved if watch else None
        )
        claim.signer = KeySigner(known[0], signing_times)

    @property
    def keys(self) -> KeyStore | None:
        """Where the keys are."""
        return self._keys


def _same_place(one: LinkAddress, other: LinkAddress) -> bool:
    """Two ways to write one device or one listening port: the second could never be opened."""
    if one.scheme != other.scheme:
        return False
    if one.scheme == "serial":
        return one.host == other.host
    if one.scheme != "udpin" or one.port != other.port:
        return False
    anywhere = {"0.0.0.0", "::"}
    return one.host in anywhere or other.host in anywhere
