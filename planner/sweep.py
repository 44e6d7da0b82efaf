"""Obstacle edges in a uniform grid, for asking many times whether a straight return meets one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIN_CELL_M = 200.0
"""Chosen: about the size of an urban zone, so that a cell holds a handful of edges."""
MAX_CELLS_ACROSS = 512


@dataclass(frozen=True, slots=True)
class SweepIndex:
    """``edges`` (n, 4) by cell, ``owner`` the obstacle of each; ``cells`` where each cell's run begins.

    ``grid`` = origin x, y, cell size, columns, rows. ``places`` has one corner of every obstacle, with its
    owner, ascending in x: an obstacle whose edges are all clear of a triangle lies in it exactly when its
    corner does.
    The boundary of a keep-in area counts as one more obstacle, the last.
    """

    grid: Floats
    cells: Ints
    edges: Floats
    owner: Ints
    places: Floats
    place_owner: Ints
    has_keep_in: bool
    clearance_m: float
    obstacles: int
    """Without the keep-in area."""

    def standing(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """The mask of obstacles with the keep-in area's place, which always counts."""
        return np.append(mask, True) if self.has_keep_in else mask


def build_sweep_index(
    polygons: npt.NDArray[np.object_], keep_in: shapely.Geometry | None, clearance_m: float
) -> SweepIndex:
    """Index the boundaries of ``polygons`` (and of ``keep_in``) for tests within ``clearance_m``."""
    shapes = list(polygons)
    parts = [] if keep_in is None else [part for part in shapely.get_parts(keep_in) if not part.is_empty]
    edges, shape_of_edge = _edges([*shapes, *parts])
    owner = np.minimum(shape_of_edge, len(shapes))
    places, place_owner = _places(shapes, parts)
    if len(edges):
        low, high = _boxes(edges, clearance_m)
        origin, end = low.min(axis=0), high.max(axis=0)
        size = max(MIN_CELL_M, float((end - origin).max()) / MAX_CELLS_ACROSS)
        columns, rows = (int(span // size) + 1 for span in end - origin)
        grid = np.array([origin[0], origin[1], size, columns, rows], dtype=np.float64)
        cell, which = _registered(grid, low, high)
    else:
        grid = np.array([0.0, 0.0, MIN_CELL_M, 1.0, 1.0])
        cell = which = np.zeros(0, dtype=np.int64)
    order = np.argsort(cell, kind="stable")
    return SweepIndex(
        grid=grid,
        cells=np.searchsorted(cell[order], np.arange(int(grid[3] * grid[4]) + 1)).astype(np.int64),
        edges=np.ascontiguousarray(edges[which[order]]),
        owner=np.ascontiguousarray(owner[which[order]]),
        places=places,
        place_owner=place_owner,
        has_keep_in=bool(parts),
        clearance_m=clearance_m,
        obstacles=len(shapes),
    )


def with_obstacles(index: SweepIndex, polygons: npt.NDArray[np.object_]) -> SweepIndex | None:
    """The index with further polygons behind its obstacles; None where one reaches beyond its grid.

    A detour around other traffic asks among the zones of a city and two or three polygons more: building all anew
    would take many times as long as putting these in.
    """
    edges, shape_of_edge = _edges(list(polygons))
    low, high = _boxes(edges, index.clearance_m)
    origin, size, across = index.grid[:2], index.grid[2], index.grid[3:]
    if not len(index.edges) or (low < origin).any() or (high >= origin + size * across).any():
        return None
    cell, which = _registered(index.grid, low, high)
    order = np.argsort(cell, kind="stable")
    cell, which = cell[order], which[order]
    # At the end of each cell's run.
    at = index.cells[cell + 1]
    places, place_owner = _places(list(polygons), [])
    place_at = np.searchsorted(index.places[:, 0], places[:, 0], side="right")
    moved = index.obstacles + len(polygons)

    def renumbered(owner: Ints) -> Ints:
        # The keep-in area stays the last.
        if not index.has_keep_in:
            return owner
        return np.where(owner == index.obstacles, moved, owner)

    return SweepIndex(
        grid=index.grid,
        cells=index.cells + np.searchsorted(cell, np.arange(len(index.cells))),
        edges=_inserted(index.edges, at, edges[which]),
        owner=_inserted(renumbered(index.owner), at, index.obstacles + shape_of_edge[which]),
        places=np.insert(index.places, place_at, places, axis=0),
        place_owner=np.insert(renumbered(index.place_owner), place_at, index.obstacles + place_owner),
        has_keep_in=index.has_keep_in,
        clearance_m=index.clearance_m,
        obstacles=moved,
    )


Rows = TypeVar("Rows", Floats, Ints)


def _inserted(rows: Rows, at: Ints, more: Rows) -> Rows:
    """``more`` before the rows ``at``, which ascend. A few among hundreds of thousands: what lies between is copied as
    a whole, in a fifth of the time of :func:`numpy.insert`."""
    pieces: list[Rows] = []
    before = taken = 0
    positions, counts = np.unique(at, return_counts=True)
    for position, count in zip(positions.tolist(), counts.tolist(), strict=True):
        pieces += rows[before:position], more[taken : taken + count]
        before, taken = position, taken + count
    pieces.append(rows[before:])
    return np.concatenate(pieces)


def _edges(shapes: list[shapely.Polygon]) -> tuple[Floats, Ints]:
    """All boundaries' edges (n, 4), and the shape of each."""
    rings, ring_shape = shapely.get_rings(np.array(shapes, dtype=object), return_index=True)
    coordinates, ring_of = shapely.get_coordinates(rings, return_index=True)
    joined = ring_of[1:] == ring_of[:-1]
    edges = np.hstack([coordinates[:-1][joined], coordinates[1:][joined]]).reshape(-1, 4)
    if not len(edges):
        return edges, np.zeros(0, dtype=np.int64)
    return edges, ring_shape[ring_of[:-1][joined]].astype(np.int64)


def _boxes(edges: Floats, clearance_m: float) -> tuple[Floats, Floats]:
    """Low and high corners of the edges' boxes, grown."""
    low = np.minimum(edges[:, :2], edges[:, 2:]) - clearance_m
    return low, np.maximum(edges[:, :2], edges[:, 2:]) + clearance_m


def _registered(grid: Floats, low: Floats, high: Floats) -> tuple[Ints, Ints]:
    """Every pair of a cell and a box that meets it."""
    first = ((low - grid[:2]) // grid[2]).astype(np.int64)
    last = ((high - grid[:2]) // grid[2]).astype(np.int64)
    wide, tall = (last - first + 1).T
    count = wide * tall
    which = np.repeat(np.arange(len(low)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    column = first[which, 0] + step % wide[which]
    row = first[which, 1] + step // wide[which]
    return row * int(grid[3]) + column, which


def _places(shapes: list[shapely.Polygon], parts: list[shapely.Polygon]) -> tuple[Floats, Ints]:
    found = [(shapely.get_coordinates(shape)[0], index) for index, shape in enumerate(shapes)]
    # Leaving a keep-in area without crossing its boundary is possible only into one of its holes.
    for part in parts:
        found += [(shapely.get_coordinates(ring)[0], len(shapes)) for ring in part.interiors]
    if not found:
        return np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    found.sort(key=lambda pair: float(pair[0][0]))
    return np.array([place for place, _ in found]), np.array([index for _, index in found], dtype=np.int64)
