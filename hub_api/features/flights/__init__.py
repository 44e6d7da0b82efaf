"""Flights: ending by hand what no drone will ever end."""
