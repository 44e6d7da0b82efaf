"""Requests that the hub itself makes: where they may go, how they are written and signed."""
