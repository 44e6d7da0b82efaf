"""The ArduCopter personality: modes, missions, fences, failsafes and their surprises.

Behaviour as observed on ArduCopter V4.6.0-dev and read in its source; no line of it is copied.
"""
