"""What a hub tells outside: callbacks to centres, messages to people, reports to the authority."""

from __future__ import annotations

from dataclasses import dataclass

from hub_api.dispatch.callbacks import CallbackSender
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.webhooks import Webhooks
from hub_api.identification.reporter import IdentificationReporter
from hub_api.identification.start import identification_reporter
from hub_api.messages.carriers import carriers
from hub_api.messages.recorder import Recorder
from hub_api.messages.sender import MessageSender
from hub_api.messages.service import Messages
from hub_api.outgoing.destinations import GuardedTransport
from hub_api.store.units import Owed
from hub_api.wiring.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The senders, and what they send."""

    webhooks: Webhooks
    callbacks: CallbackSender
    messages: Messages
    message_sender: MessageSender
    recorder: Recorder
    identification: IdentificationReporter | None


def make_outside(ground: Ground, fleet: Fleet) -> Outside:
    """Make them; each sends only what is stored as owed."""
    settings, given = ground.settings, ground.given
    webhooks = Webhooks(ground.database, ground.vault, ground.ids, ground.clock)
    callbacks = CallbackSender(
        ground.database,
        ground.clock,
        timeout_s=settings.callback_timeout_s,
        attempts=settings.callback_attempts,
        webhooks=webhooks,
        transport=given.callback_transport or GuardedTransport(ground.callback_hosts),
    )
    ground.wakers[Owed.CALLBACK] = callbacks.wake
    sms, video = carriers(
        settings,
        ground.clock,
        ground.stack,
        sms=given.sms,
        video=given.video,
        transport=given.gateway_transport,
    )
    messages = Messages(
        vault=ground.vault, ids=ground.ids, clock=ground.clock, usable_s=settings.message_usable_s
    )
    recorder = Recorder()
    return Outside(
        webhooks=webhooks,
        callbacks=callbacks,
        messages=messages,
        message_sender=MessageSender(
            ground.database,
            ground.clock,
            messages=messages,
            sms=sms or (recorder if settings.demo else None),
            video=video or (recorder if settings.demo else None),
            recorder=recorder,
            attempts=settings.message_attempts,
            on_attempt=ground.metrics.count_message,
        ),
        recorder=recorder,
        identification=identification_reporter(
            settings,
            database=ground.database,
            clock=ground.clock,
            ids=ground.ids,
            fleet=fleet,
            metrics=ground.metrics,
            stack=ground.stack,
            port=given.identification,
            transport=given.gateway_transport,
        ),
    )
