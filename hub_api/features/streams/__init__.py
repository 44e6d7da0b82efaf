"""Streams of everything a client may see: incidents, fleet, telemetry; by WebSocket and by server-sent events."""
