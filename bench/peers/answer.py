"""Runs inside ``.venv-peers``: ``answer.py PEER CASE.json`` answers pairs until its time is up, prints JSON.

Imports nothing of the project.
"""

import json
import math
import sys
import time


def pyvisgraph(zones):
    """Full visibility graph; each query adds its two ends to the graph."""
    import pyvisgraph as vg

    graph = vg.VisGraph()
    graph.build([[vg.Point(x, y) for x, y in zone] for zone in zones], workers=1, status=False)

    def answer(start, goal):
        return [(p.x, p.y) for p in graph.shortest_path(vg.Point(*start), vg.Point(*goal))]

    return answer


def extremitypathfinder(zones):
    """Visibility graph between the convex corners only."""
    from extremitypathfinder import PolygonEnvironment

    environment = PolygonEnvironment()
    boundary = [(-1000.0, -1000.0), (41_000.0, -1000.0), (41_000.0, 31_000.0), (-1000.0, 31_000.0)]
    environment.store(boundary, [zone[::-1] for zone in zones], validate=False)
    environment.prepare()

    def answer(start, goal):
        path, _ = environment.find_shortest_path(tuple(start), tuple(goal), verify=False)
        return [tuple(map(float, p)) for p in path] or None

    return answer


def tcod_grid(zones, cell=25.0):
    """A* over square cells, eight directions; cells whose middle is nearer than half a diagonal are
    blocked."""
    import numpy as np
    import shapely
    import tcod.path

    columns, rows = int(40_000 / cell), int(30_000 / cell)
    cost = np.ones((columns, rows), dtype=np.int32)
    reach = cell * math.sqrt(0.5)
    for zone in zones:
        shape = shapely.Polygon(zone).buffer(reach)
        shapely.prepare(shape)
        left, bottom, right, top = shape.bounds
        i = np.arange(max(0, int(left / cell)), min(columns, int(right / cell) + 1))
        j = np.arange(max(0, int(bottom / cell)), min(rows, int(top / cell) + 1))
        x, y = np.meshgrid((i + 0.5) * cell, (j + 0.5) * cell, indexing="ij")
        blocked = shapely.contains_xy(shape, x.ravel(), y.ravel()).reshape(x.shape)
        cost[i[0] : i[-1] + 1, j[0] : j[-1] + 1][blocked] = 0
    search = tcod.path.AStar(cost, diagonal=math.sqrt(2.0))

    def answer(start, goal):
        a, b = [(int(x / cell), int(y / cell)) for x, y in (start, goal)]
        path = search.get_path(*a, *b)
        if not path and a != b:
            return None
        return [start, *[((i + 0.5) * cell, (j + 0.5) * cell) for i, j in path[:-1]], goal]

    return answer


PEERS = {"pyvisgraph": pyvisgraph, "extremitypathfinder": extremitypathfinder, "tcod_grid": tcod_grid}


def main():
    """Prepare, answer, print."""
    name, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        case = json.load(file)
    began, worked = time.perf_counter(), time.process_time()
    answer = PEERS[name](case["zones"])
    preparation_s = time.process_time() - worked
    times_ms, ways = [], []
    answer(*case["pairs"][0])  # whatever compiles on first use
    for start, goal in case["pairs"]:
        if time.perf_counter() - began > case["budget_s"]:
            break
        asked = time.process_time()
        way = answer(start, goal)
        times_ms.append((time.process_time() - asked) * 1e3)
        ways.append(way)
    print(json.dumps({"preparation_s": preparation_s, "times_ms": times_ms, "ways": ways}))


if __name__ == "__main__":
    main()
