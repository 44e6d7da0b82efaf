"""Looking after what waits on the ground: drones out of service, AEDs, docks, maintenance."""
