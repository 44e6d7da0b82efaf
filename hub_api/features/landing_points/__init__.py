"""Landing points: where an AED may be put down."""
