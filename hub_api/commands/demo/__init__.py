"""``drone-aed demo``: one order, from the emergency centre's request to the drone back on its pad."""

from hub_api.commands.demo.command import demo

__all__ = ["demo"]
