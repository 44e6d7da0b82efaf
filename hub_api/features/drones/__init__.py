"""Drones: live state, readiness, and why not."""
