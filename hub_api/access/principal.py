"""Who asks, and what of the stored data that lets them see."""

from __future__ import annotations

from dataclasses import dataclass

from hub_api.access.scopes import Scope
from hub_api.actor import Actor, ActorKind

_WIDER: dict[str, str] = {
    Scope.FLEET_MAINTAIN: Scope.FLEET_COMMAND,
    Scope.REPORTS_READ: Scope.ORDERS_READ,
}
"""Who commands drones in flight may also confirm what is done to them on the pad; who sees orders, their figures."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated person or machine. ``key_id`` is the key, or the account, behind the request."""

    key_id: str
    client: str
    scopes: frozenset[str]
    kind: ActorKind = "machine"
    name: str = ""

    def may(self, scope: str) -> bool:
        """Whether it has the scope, or a wider one."""
        return bool(self.scopes & {scope, Scope.ADMIN, _WIDER.get(scope, scope)})

    @property
    def known_as(self) -> str:
        """By what name it is written down what this person or machine did."""
        return (self.name or self.client)[:120]

    @property
    def visible_client(self) -> str | None:
        """The client whose orders it may see; None: those of every client."""
        return None if self.may(Scope.ORDERS_READ_ALL) else self.client

    @property
    def visible_figures_client(self) -> str | None:
        """The client over whose orders it may see figures; None: over those of every client."""
        return None if Scope.REPORTS_READ in self.scopes else self.visible_client

    @property
    def visible_flights_client(self) -> str | None:
        """The client whose flights it may look back at. Who maintains drones sees every flight: a flight's record
        names no patient."""
        return None if self.may(Scope.FLEET_MAINTAIN) else self.visible_client

    def sees_personal_data_of(self, client: str) -> bool:
        """Whether callers and patients' notes of this client's orders are shown."""
        if Scope.ADMIN in self.scopes:
            return True
        return Scope.PERSONAL_READ in self.scopes and client == self.client

    @property
    def writable_client(self) -> str | None:
        """The client whose orders it may cancel; None: those of every client."""
        return None if Scope.ADMIN in self.scopes else self.client

    def owns(self, client: str) -> bool:
        """Whether it acts for this client: what the client tells the hub for itself alone is shown whole."""
        return self.writable_client in (None, client)

    @property
    def actor(self) -> Actor:
        return Actor(self.kind, self.key_id, self.client)
