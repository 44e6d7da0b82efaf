"""What waits on the ground: the readiness board, AEDs, docks, maintenance, drones out of service."""
