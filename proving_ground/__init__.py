"""The proving ground: hub, agents and simulated vehicles in one process, on one virtual clock, by scenario files.

It stands above all other rooms, because it joins them; nothing imports it (docs/decisions/0015).
"""
