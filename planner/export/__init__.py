"""FlightPlan → files that people and ground stations read."""
