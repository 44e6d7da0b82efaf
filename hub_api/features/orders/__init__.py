"""Orders: place, see, follow, cancel."""
