"""What routes may ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from hub_api.wiring import Hub


async def get_hub(request: Request) -> Hub:
    """The running hub of this application."""
    hub: Hub = request.app.state.hub
    return hub


HubDep = Annotated[Hub, Depends(get_hub)]
