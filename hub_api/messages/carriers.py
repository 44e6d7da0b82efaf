"""Which carrier and video service the settings describe."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx

from core.clock import Clock
from hub_api.messages.gateways import SMS_FIELDS, VIDEO_CLOSE_FIELDS, VIDEO_FIELDS, GatewaySms, GatewayVideo
from hub_api.messages.ports import SmsPort, VideoPort
from hub_api.outgoing.gateway import gateway_of
from hub_api.settings import Settings


def carriers(
    settings: Settings,
    clock: Clock,
    stack: AsyncExitStack,
    *,
    sms: SmsPort | None,
    video: VideoPort | None,
    transport: httpx.AsyncBaseTransport | None,
) -> tuple[SmsPort | None, VideoPort | None]:
    """What was given, else what the settings name, else None. Raises 5002 for a file that cannot be used."""
    if sms is None and (path := settings.sms_gateway_file) is not None:
        gateway = gateway_of(settings, "sms_gateway", path, SMS_FIELDS, clock, transport)
        stack.push_async_callback(gateway.close)
        sms = GatewaySms(gateway)
    if video is None and (path := settings.video_gateway_file) is not None:
        gateway = gateway_of(settings, "video_gateway", path, VIDEO_FIELDS, clock, transport)
        stack.push_async_callback(gateway.close)
        closing = None
        if (path := settings.video_close_gateway_file) is not None:
            closing = gateway_of(
                settings,
                "video_close_gateway",
                path,
                VIDEO_CLOSE_FIELDS,
                clock,
                transport,
                secret="video_gateway",
            )
            stack.push_async_callback(closing.close)
        video = GatewayVideo(gateway, closing)
    return sms, video
