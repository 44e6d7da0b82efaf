"""Exact any-angle route search among polygons in a local metric plane.

Geometry in, geometry out: this package knows nothing of zones, WGS-84 or drones.
"""

from planner.search.results import NoSearchRoute, SearchRoute
from planner.search.world import SearchWorld

__all__ = ["NoSearchRoute", "SearchRoute", "SearchWorld"]
