"""Scopes are what a credential may do; roles are the sets of them that people have."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a credential may do."""

    ORDERS_WRITE = "orders:write"
    """Place and cancel orders of its own client."""
    ORDERS_READ = "orders:read"
    """See orders of its own client, without personal data."""
    ORDERS_READ_ALL = "orders:read-all"
    """See orders of every client, without personal data."""
    ORDERS_APPROVE = "orders:approve"
    """Approve or refuse proposed flights of the orders it sees."""
    PERSONAL_READ = "personal:read"
    """See callers and patients' notes in orders of its own client."""
    FLEET_READ = "fleet:read"
    """See stations, drones, landing points and telemetry."""
    FLEET_COMMAND = "fleet:command"
    """Command drones in flight, close a flight by hand."""
    FLEET_MAINTAIN = "fleet:maintain"
    """Confirm what was done to a drone on its pad."""
    ZONES_READ = "zones:read"
    """See the airspace."""
    ZONES_WRITE = "zones:write"
    """Change zones and airspace authorisations."""
    SITE_WRITE = "site:write"
    """Change stations, drones, landing points and airframes."""
    WEATHER_WRITE = "weather:write"
    """Report what a station's sensors measure."""
    WEBHOOKS_MANAGE = "webhooks:manage"
    """Rotate its client's webhook secret, see and replay what was not delivered."""
    CODES_MANAGE = "codes:manage"
    """Say what its client's own severity codes mean."""
    REPORTS_READ = "reports:read"
    """See figures over all orders of every client; no single order."""
    METRICS_READ = "metrics:read"
    """Read the hub's metrics."""
    AUDIT_READ = "audit:read"
    """Read the audit log."""
    ACCESS_MANAGE = "access:manage"
    """Create, change and close accounts and keys."""
    ADMIN = "admin"
    """Everything, for every client, personal data included."""


class Role(StrEnum):
    """What a person is here for. Each role has the scopes of :data:`ROLE_SCOPES`."""

    DISPATCHER = "dispatcher"
    """Orders AEDs for one emergency centre, and sees its callers."""
    OPERATOR = "operator"
    """Watches and commands flights of every centre; sees no caller."""
    MAINTAINER = "maintainer"
    """Looks after drones and stations."""
    TEST_ENGINEER = "test_engineer"
    """Looks at everything technical, changes nothing that flies for patients."""
    VIEWER = "viewer"
    """Watches everything that flies and commands nothing: the wall screen, visitors, the authority's officer."""
    AUDITOR = "auditor"
    """Reads the audit log and what happened; sees no caller."""
    ADMINISTRATOR = "administrator"
    """Manages accounts, keys and callbacks; sees no caller, commands no drone."""


_S = Scope
ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.DISPATCHER: frozenset(
        {_S.ORDERS_WRITE, _S.ORDERS_READ, _S.PERSONAL_READ, _S.FLEET_READ, _S.ZONES_READ}
    ),
    Role.OPERATOR: frozenset(
        {
            *(_S.ORDERS_READ, _S.ORDERS_READ_ALL, _S.FLEET_READ, _S.FLEET_COMMAND, _S.FLEET_MAINTAIN),
            *(_S.ZONES_READ, _S.ZONES_WRITE, _S.ORDERS_APPROVE),
        }
    ),
    Role.MAINTAINER: frozenset(
        {_S.FLEET_READ, _S.FLEET_MAINTAIN, _S.SITE_WRITE, _S.ZONES_READ, _S.WEATHER_WRITE}
    ),
    Role.TEST_ENGINEER: frozenset(
        {_S.ORDERS_READ, _S.ORDERS_READ_ALL, _S.FLEET_READ, _S.ZONES_READ, _S.METRICS_READ}
    ),
    Role.VIEWER: frozenset({_S.ORDERS_READ, _S.ORDERS_READ_ALL, _S.FLEET_READ, _S.ZONES_READ}),
    Role.AUDITOR: frozenset(
        {_S.ORDERS_READ, _S.ORDERS_READ_ALL, _S.FLEET_READ, _S.ZONES_READ, _S.AUDIT_READ}
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            *(_S.ACCESS_MANAGE, _S.WEBHOOKS_MANAGE, _S.CODES_MANAGE, _S.SITE_WRITE),
            *(_S.AUDIT_READ, _S.METRICS_READ, _S.FLEET_READ, _S.ZONES_READ, _S.REPORTS_READ),
        }
    ),
}
