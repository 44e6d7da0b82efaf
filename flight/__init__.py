"""The MAVLink flight controller: one owner task per vehicle, driven by messages over a bus."""
