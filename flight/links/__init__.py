"""Ways to a vehicle. Only this package touches a MAVLink library."""
