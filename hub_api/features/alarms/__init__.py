"""Alarms that operators have acknowledged, for every screen."""
