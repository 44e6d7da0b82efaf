"""MAVLink 2: codec, transports and sans-IO transactions."""
