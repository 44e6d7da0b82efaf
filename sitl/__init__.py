"""Simulated vehicles that speak real MAVLink 2: the proving ground of the project.

Imports only ``core``; shares no MAVLink code with ``flight``, so that one bug cannot cancel in both.
Nothing at run time imports this package; commands start it as a process (``python -m sitl fleet``).
"""
