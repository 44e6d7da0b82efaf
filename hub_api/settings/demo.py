"""What everybody knows: the demo's credentials."""

from __future__ import annotations

DEMO_API_KEY = "demo-key-known-to-everybody"
"""Opens everything in demo mode, and is refused everywhere else."""
DEMO_CLIENT = "demo"
"""Whose orders the demo's key and accounts work on."""
DEMO_PASSWORD = "demo-password-known-to-everybody"
"""The password of the demo's accounts; refused everywhere else."""
