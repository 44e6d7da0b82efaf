"""The hub: takes orders from emergency centres, decides, sends drones, and says what happens."""

VERSION = "0.1.0"
"""The release; a test compares it with pyproject.toml."""
