"""Makes ``incidents.csv``: 150 INVENTED incidents around Bao'an, from a fixed seed. No real call is among them.

Run from the repository's root: ``python examples/siting/make_incidents.py``. Four quarters draw most of them, the rest lie
anywhere; weights are invented yearly counts, ambulance times are 7 to 15 min, invented too.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

SEED, COUNT = 20261122, 150
QUARTERS = ((22.558, 113.884), (22.572, 113.866), (22.588, 113.902), (22.577, 113.888))
SPREAD_DEG, ANYWHERE = 0.006, 0.25


def main() -> None:
    """Write the file beside this one."""
    draw = random.Random(SEED)
    path = Path(__file__).with_name("incidents.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            ("incident_id", "latitude_deg", "longitude_deg", "reference_system", "weight", "ambulance_s")
        )
        for number in range(1, COUNT + 1):
            if draw.random() < ANYWHERE:
                latitude_deg, longitude_deg = draw.uniform(22.545, 22.605), draw.uniform(113.855, 113.92)
            else:
                middle = draw.choice(QUARTERS)
                latitude_deg, longitude_deg = (draw.gauss(degrees, SPREAD_DEG) for degrees in middle)
            rows.writerow(
                (
                    f"invented-{number:03}",
                    f"{latitude_deg:.5f}",
                    f"{longitude_deg:.5f}",
                    "WGS-84",
                    draw.choice((1, 1, 1, 2, 3)),
                    round(draw.uniform(420, 900)),
                )
            )


if __name__ == "__main__":
    main()
