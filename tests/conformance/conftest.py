"""Real autopilots are collected only by ``make conformance``, never by the ordinary test command."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("DRONE_AED_CONFORMANCE") else ["real"]
