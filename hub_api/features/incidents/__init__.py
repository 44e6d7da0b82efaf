"""Incidents: one call for help with everything and everybody that belongs to it."""
