"""The airspace that decisions are made in."""
