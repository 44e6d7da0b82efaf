"""Every difference between autopilots, behind one interface."""
