"""What routes may ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from hub_api.hub import Hub


async def get_hub(request: Request) -> Hub:
    """The running hub of this application."""
    hub: Hub = request.app.state.hub
    return hub


HubDep = Annotated[Hub, Depends(get_hub)]
IdempotencyKey = Annotated[
    str,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Unique per request and client, kept for 24 h: repeat with it until answered.",
        examples=["BA-120-2026-000123-1"],
    ),
]
