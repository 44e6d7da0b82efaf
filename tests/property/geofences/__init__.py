"""Property tests of geofences."""
