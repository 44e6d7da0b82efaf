"""Which reporter the settings describe."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx

from core.clock import Clock
from core.ids import IdSource
from hub_api.dispatch.fleet import Fleet
from hub_api.identification.batches import BatchSigner
from hub_api.identification.ports import (
    FIELDS,
    GatewayIdentification,
    IdentificationPort,
    RecordedIdentification,
)
from hub_api.identification.reporter import IdentificationReporter
from hub_api.keyring import keyring
from hub_api.metrics import Metrics
from hub_api.outgoing.gateway import gateway_of
from hub_api.settings import Settings
from hub_api.store.database import Database


def identification_reporter(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    ids: IdSource,
    fleet: Fleet,
    metrics: Metrics,
    stack: AsyncExitStack,
    port: IdentificationPort | None,
    transport: httpx.AsyncBaseTransport | None,
) -> IdentificationReporter | None:
    """None where the settings switch it off. Raises 5002 for a missing key or a file that cannot be used."""
    if not (not settings.demo if settings.identification is None else settings.identification):
        return None
    keys = keyring(settings.identification_keys, field="identification_keys", demo=settings.demo)
    if port is None and (path := settings.identification_gateway_file) is not None:
        gateway = gateway_of(settings, "identification_gateway", path, FIELDS, clock, transport)
        stack.push_async_callback(gateway.close)
        port = GatewayIdentification(gateway)
    return IdentificationReporter(
        database,
        clock,
        ids,
        samples=fleet.samples,
        signer=BatchSigner(keys),
        port=port
        or RecordedIdentification(
            settings.data_dir / "identification", clock, keep_s=settings.identification_keep_s
        ),
        operator=settings.operator_id,
        period_s=settings.identification_period_s,
        keep_s=settings.identification_keep_s,
        on_taken=metrics.count_identified,
        on_refused=metrics.identification_refused.inc,
    )
