"""Words that every room shares: positions with their datum, time, identifiers, numbered errors."""
