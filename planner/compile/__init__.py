"""FlightPlan → what an autopilot holds: mission items, fence, rally points, as plain numbers."""
