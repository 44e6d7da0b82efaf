"""The weather as it counts in decisions, and reports of aerodromes."""
