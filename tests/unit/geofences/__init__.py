"""Unit tests of geofences."""
