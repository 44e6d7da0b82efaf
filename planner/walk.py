"""From the landing point to the patient: the minutes that a drone can't save.

Speed and floors follow the dispatch page's published figures: 1.8 m/s in dense districts; 3–5 min
from a high-rise's door to the patient, 54 s for every extra stop of the lift.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planner.site import Walk

WALKING_SPEED_M_S = 1.8
"""Median of alerted responders in dense districts (2.3 m/s over all districts)."""

STAIRS_MAX_FLOORS = 2
"""Chosen: up to the third floor people take the stairs."""

STAIRS_S_PER_FLOOR = 15.0
"""Chosen: a hurried person, one storey of 3 m."""

LIFT_BASE_S = 150.0
"""Chosen so that the 10th to 40th floor take 3–5 min: entrance, waiting, corridor, one stop."""

LIFT_S_PER_FLOOR = 3.0
"""Chosen: a residential lift at about 1 m/s."""


def vertical_s(floor_of_building: int | None) -> float:
    """Seconds from the building's door to the patient's door.

    Floors count as in China: 1 is the ground floor, -1 the first basement. None is outdoors or
    not known; nothing is added then, and the choice says so.
    """
    if floor_of_building is None:
        return 0.0
    storeys = abs(floor_of_building - 1) if floor_of_building > 0 else abs(floor_of_building)
    if storeys <= STAIRS_MAX_FLOORS:
        return storeys * STAIRS_S_PER_FLOOR
    return LIFT_BASE_S + storeys * LIFT_S_PER_FLOOR


def carry_s(distance_m: float, walk: Walk, floor_of_building: int | None) -> float:
    """Seconds to carry the AED from the landing point to the patient.

    ``distance_m`` is the straight line; the landing point's own detour factor makes it a way.
    """
    return walk.exit_s + distance_m * walk.detour_factor / WALKING_SPEED_M_S + vertical_s(floor_of_building)


def carries_s(
    distances_m: npt.NDArray[np.float64],
    exits_s: npt.NDArray[np.float64],
    detour_factors: npt.NDArray[np.float64],
    floor_of_building: int | None,
) -> npt.NDArray[np.float64]:
    """:func:`carry_s` from many landing points."""
    return exits_s + distances_m * detour_factors / WALKING_SPEED_M_S + vertical_s(floor_of_building)
