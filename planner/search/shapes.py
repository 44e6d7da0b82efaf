"""From polygons in metres to grown rings in integer millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode

MM_PER_M = 1000.0

GROWTH_M = 0.011
"""What every obstacle grows beyond the buffer asked for. One centimetre closes the seam between zones that
share an edge (chosen: far below position error, far above the grid); the eleventh millimetre pays for
snapping corners to whole millimetres, which moves a boundary by at most 0.71 mm."""

MITRE_LIMIT = 2.0
"""Corners sharper than 60° are cut off, at twice the buffer from the corner (chosen: a longer spike costs
airspace, and a bevel at that distance still contains the round buffer)."""

MAX_SPAN_MM = float(2**26)
"""All coordinates of a world must fit in a square this wide (67.1 km), or orientation tests were not
exact."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rings:
    """Corners of all obstacles, obstacle by obstacle and ring by ring, in integer millimetres.

    ``previous`` and ``following`` are the neighbours on the ring, the obstacle on the left of each edge.
    ``first[k]:first[k + 1]`` are the corners of obstacle k.
    """

    x: Floats
    y: Floats
    previous: npt.NDArray[np.int64]
    following: npt.NDArray[np.int64]
    obstacle: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]


def to_mm(geometries: Any) -> Any:
    """Scale shapely geometries from metres to millimetres."""
    return shapely.transform(geometries, lambda xy: xy * MM_PER_M)


def check_obstacles(obstacles: Sequence[shapely.Polygon]) -> npt.NDArray[np.object_]:
    """The obstacles as an array; 3102 with the index for what is no valid, non-empty polygon."""
    shapes: npt.NDArray[np.object_] = np.empty(len(obstacles), dtype=object)
    shapes[:] = list(obstacles)
    usable = (shapely.get_type_id(shapes) == 3) & ~shapely.is_empty(shapes)
    usable[usable] = shapely.is_valid(shapes[usable])
    if not usable.all():
        index = int(np.flatnonzero(~usable)[0])
        detail = "an obstacle must be a polygon with an area and without self-crossing"
        if isinstance(shapes[index], shapely.Polygon):
            detail += f": {shapely.is_valid_reason(shapes[index])}"
        raise AirspaceError(ErrorCode.ZONE_INVALID, detail, field=f"obstacles/{index}")
    return shapes


def grow(shapes_m: npt.NDArray[np.object_], distance_m: float) -> npt.NDArray[np.object_]:
    """Mitred buffer by ``distance_m`` (negative: shrink), snapped to whole millimetres and valid.

    Every boundary ends up within 3 mm of the exact mitred buffer or farther out, never more than a millimetre
    nearer, which :data:`GROWTH_M` pays for. That is checked: shapely simplifies its input by a hundredth of
    the distance, and where a yard just closes it was seen to leave a larger one.
    """
    shapes = to_mm(shapes_m)
    distance = distance_m * MM_PER_M
    grown = shapely.buffer(shapes, distance, join_style="mitre", mitre_limit=MITRE_LIMIT)
    snapped = shapely.transform(grown, np.round)
    wrong = ~shapely.is_valid(snapped)
    wrong[~wrong] = ~_far_enough(snapped[~wrong], shapes[~wrong], distance)
    for k in np.flatnonzero(wrong).tolist():
        snapped[k] = _grown_by_pieces(shapes[k], distance)
        if not (snapped[k].is_valid and _far_enough(snapped[k], shapes[k], distance)):
            raise AirspaceError(
                ErrorCode.ZONE_INVALID, f"cannot be moved by {distance_m} m", field=f"obstacles/{k}"
            )
    if distance >= 0:
        # The kernels rely on every obstacle being connected; the hull is a safe superset.
        split = shapely.get_type_id(snapped) != 3
        snapped[split] = shapely.convex_hull(snapped[split])
    return np.asarray(snapped, dtype=object)


def _far_enough(moved: Any, shapes: Any, distance: float) -> Any:
    """Is every boundary that was moved by ``distance`` (mm) on the right side and at most 1 mm short?"""
    outer, inner = (moved, shapes) if distance >= 0 else (shapes, moved)
    apart = shapely.distance(shapely.boundary(moved), shapely.boundary(shapes))
    # an area that has shrunk to nothing has no boundary
    return shapely.covers(outer, inner) & ~(apart < abs(distance) - 1.0) | shapely.is_empty(moved)


def _grown_by_pieces(shape: shapely.Geometry, distance: float) -> shapely.Geometry:
    """The same buffer put together from a bar along every edge and a tip on every corner: slow and certain."""
    rings = rings_of(np.array([shape], dtype=object), outside=distance < 0)
    reach = abs(distance) + 2.0  # snapping the result may cost a millimetre and a half
    here = np.column_stack([rings.x, rings.y])
    there = here[rings.following]
    along = there - here
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    normal = np.column_stack([along[:, 1], -along[:, 0]])  # obstacles are on the left
    before, normal_before = along[rings.previous], normal[rings.previous]
    bars = shapely.polygons(np.stack([here, there, there + reach * normal, here + reach * normal], axis=1))
    convex = before[:, 0] * along[:, 1] - before[:, 1] * along[:, 0] > 0.0
    one, other = normal_before[convex], normal[convex]
    bisector = before[convex] - along[convex]  # never 0 where the corner is convex, and points outwards
    bisector /= np.hypot(bisector[:, 0], bisector[:, 1])[:, None]
    cosine = (bisector * one).sum(axis=1)
    # the tip of the mitre, or the two ends of its bevel at the limit
    out = np.minimum(1.0 / np.maximum(cosine, 1e-9), MITRE_LIMIT)
    slide = ((out - cosine) / (bisector * before[convex]).sum(axis=1))[:, None]
    corner = here[convex]
    tips = shapely.polygons(
        np.stack(
            [
                corner,
                corner + reach * one,
                corner + reach * (one + slide * before[convex]),
                corner + reach * (other - slide * along[convex]),
                corner + reach * other,
            ],
            axis=1,
        )
    )
    moved = shapely.union_all([*bars, *shapely.convex_hull(tips)])
    whole = shapely.union(shape, moved) if distance >= 0 else shapely.difference(shape, moved)
    snapped = shapely.set_precision(whole, 1.0)
    if distance >= 0 and shapely.get_type_id(snapped) != 3:
        # snapping cut off the tip of a sliver: two millimetres more keep it whole
        snapped = shapely.set_precision(shapely.buffer(whole, 2.0, join_style="mitre"), 1.0)
    return snapped


def rings_of(shapes_mm: npt.NDArray[np.object_], *, outside: bool = False) -> Rings:
    """Flatten snapped polygons; ``outside`` makes what lies outside them the obstacle."""
    rings, owner = _oriented_rings(shapes_mm, outside=outside)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # drop each ring's closing point and whatever rounding made coincide with the point before it
    keep = np.ones(len(xy), dtype=np.bool_)
    keep[1:] = (ring[1:] != ring[:-1]) | (xy[1:] != xy[:-1]).any(axis=1)
    xy, ring = xy[keep], ring[keep]
    last = np.ones(len(xy), dtype=np.bool_)
    last[:-1] = ring[1:] != ring[:-1]
    xy, ring = xy[~last], ring[~last]
    return _linked(xy, ring, owner[ring], len(shapes_mm))


def _linked(
    xy: Floats, ring: npt.NDArray[np.int64], obstacle: npt.NDArray[np.int64], obstacles: int
) -> Rings:
    """Rings from their corners in order; ``ring`` and ``obstacle`` number each corner's, both ascending."""
    n = len(xy)
    index = np.arange(n)
    starts = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]]) if n else index
    ends = np.r_[starts[1:], n] - 1 if n else index
    previous, following = index - 1, index + 1
    previous[starts], following[ends] = ends, starts
    return Rings(
        x=np.ascontiguousarray(xy[:, 0]),
        y=np.ascontiguousarray(xy[:, 1]),
        previous=previous,
        following=following,
        obstacle=obstacle,
        first=np.searchsorted(obstacle, np.arange(obstacles + 1)),
    )


def _oriented_rings(
    shapes_mm: npt.NDArray[np.object_], *, outside: bool
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    parts, part_owner = shapely.get_parts(shapes_mm, return_index=True)
    areal = shapely.get_type_id(parts) == 3
    parts, part_owner = parts[areal], part_owner[areal]
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    shell = np.r_[True, ring_part[1:] != ring_part[:-1]][: len(rings)]
    wrong = shapely.is_ccw(rings) != (shell != outside)
    rings[wrong] = shapely.reverse(rings[wrong])
    return rings, part_owner[ring_part]


def joined(a: Rings, b: Rings) -> Rings:
    """The obstacles of ``a``, then those of ``b``."""
    corners, obstacles = len(a.x), len(a.first) - 1
    return Rings(
        x=np.concatenate([a.x, b.x]),
        y=np.concatenate([a.y, b.y]),
        previous=np.concatenate([a.previous, b.previous + corners]),
        following=np.concatenate([a.following, b.following + corners]),
        obstacle=np.concatenate([a.obstacle, b.obstacle + obstacles]),
        first=np.concatenate([a.first, b.first[1:] + corners]),
    )


def grown_rings(shapes_m: npt.NDArray[np.object_], distance_m: float) -> Rings:
    """``rings_of(grow(shapes_m, distance_m))``, by the compiled buffer where that is certain to be right."""
    try:
        from planner.search.offset import offset_rings
    except ImportError:  # no numba; the world has said so already
        return rings_of(grow(shapes_m, distance_m))
    rings, owner = shapely.get_rings(shapes_m, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.ones(len(xy), dtype=np.bool_)
    last[:-1] = ring[1:] != ring[:-1]
    xy, ring = xy[~last] * MM_PER_M, ring[~last]
    first = np.searchsorted(ring, np.arange(len(rings) + 1))
    shell = np.ones(len(rings), dtype=np.bool_)
    shell[1:] = owner[1:] != owner[:-1]
    out = np.empty((2 * len(xy), 2))
    out_first = np.zeros(len(rings) + 1, dtype=np.int64)
    accepted = np.zeros(len(rings), dtype=np.bool_)
    offset_rings(xy, first, shell, distance_m * MM_PER_M, MITRE_LIMIT, out, out_first, accepted)
    plain = np.ones(len(shapes_m), dtype=np.bool_)
    plain[owner[~accepted]] = False
    corners = np.diff(out_first)
    kept = np.repeat(plain[owner], corners)
    made = _linked(
        out[: out_first[-1]][kept],
        np.repeat(np.arange(len(rings)), corners)[kept],
        np.repeat(owner, corners)[kept],
        len(shapes_m),
    )
    if plain.all():
        return made
    odd = np.flatnonzero(~plain)
    rest = rings_of(grow(shapes_m[odd], distance_m))
    return _merged(made, rest, odd)


def _merged(a: Rings, b: Rings, places: npt.NDArray[np.int64]) -> Rings:
    """``a`` with the obstacles of ``b`` at ``places``, where ``a`` has none."""
    obstacle = np.concatenate([a.obstacle, places[b.obstacle]])
    order = np.argsort(obstacle, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    n = len(a.x)
    return Rings(
        x=np.concatenate([a.x, b.x])[order],
        y=np.concatenate([a.y, b.y])[order],
        previous=place[np.concatenate([a.previous, b.previous + n])[order]],
        following=place[np.concatenate([a.following, b.following + n])[order]],
        obstacle=obstacle[order],
        first=np.searchsorted(obstacle[order], np.arange(len(a.first))),
    )


def shapes_of(rings: Rings) -> npt.NDArray[np.object_]:
    """Obstacles of one shell each as shapely polygons in mm, from rings with the obstacle on their left."""
    n = len(rings.x)
    xy = np.column_stack([rings.x, rings.y])
    starts = np.flatnonzero(rings.previous > np.arange(n))  # a ring begins where the way back leads ahead
    number = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, n]))
    circles = shapely.linearrings(xy, indices=number) if n else np.empty(0, dtype=object)
    owner = rings.obstacle[starts]
    shapes = np.full(len(rings.first) - 1, shapely.Polygon(), dtype=object)
    alone = np.bincount(owner, minlength=len(shapes)) == 1
    shapes[owner[alone[owner]]] = shapely.polygons(circles[alone[owner]])
    shell = shapely.is_ccw(circles) if len(circles) else np.empty(0, dtype=np.bool_)
    for k in np.unique(owner[~alone[owner]]).tolist():
        own = owner == k
        shapes[k] = shapely.Polygon(circles[own & shell][0], circles[own & ~shell].tolist())
    return shapes


class LazyShapes:
    """The grown obstacles as shapely polygons in millimetres, made only when somebody asks.

    The first ones are given as shapes, further ones as rings. Threads may ask at once: what is known is
    replaced in one step.
    """

    def __init__(self, first: npt.NDArray[np.object_], *parts: Rings) -> None:
        self._known = (first, parts)

    def __call__(self) -> npt.NDArray[np.object_]:
        """All of them."""
        first, parts = self._known
        if parts:
            first = np.concatenate([first, *map(shapes_of, parts)])
            self._known = (first, ())
        return first

    def extended(self, rings: Rings) -> LazyShapes:
        """With more obstacles."""
        first, parts = self._known
        return LazyShapes(first, *parts, rings)
