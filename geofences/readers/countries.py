"""Bounding boxes of countries, to notice a file whose axes are swapped.

(west, south, east, north) in whole degrees, rounded outwards, mainland and the islands that lie near
it; from general knowledge of the map, not for any other use. A country that is not listed is not
checked.
"""

from __future__ import annotations

COUNTRY_BOUNDS_DEG: dict[str, tuple[float, float, float, float]] = {
    "AUT": (9, 46, 18, 50), "BEL": (2, 49, 7, 52), "BGR": (22, 41, 29, 45), "CHE": (5, 45, 11, 48),
    "CHN": (73, 3, 136, 54), "CYP": (32, 34, 35, 36), "CZE": (12, 48, 19, 52), "DEU": (5, 47, 16, 56),
    "DNK": (7, 54, 16, 58), "ESP": (-19, 27, 5, 44), "EST": (21, 57, 29, 60), "FIN": (19, 59, 32, 71),
    "FRA": (-6, 41, 10, 52), "GBR": (-9, 49, 3, 62), "GRC": (19, 34, 30, 42), "HKG": (113, 22, 115, 23),
    "HRV": (13, 42, 20, 47), "HUN": (16, 45, 23, 49), "IRL": (-11, 51, -5, 56), "ISL": (-25, 63, -13, 67),
    "ITA": (6, 35, 19, 48), "JPN": (122, 24, 154, 46), "KOR": (124, 33, 132, 39), "LIE": (9, 47, 10, 48),
    "LTU": (20, 53, 27, 57), "LUX": (5, 49, 7, 51), "LVA": (20, 55, 29, 59), "MAC": (113, 22, 114, 23),
    "MLT": (14, 35, 15, 37), "NLD": (3, 50, 8, 54), "NOR": (4, 57, 32, 72), "POL": (14, 49, 25, 55),
    "PRT": (-32, 30, -6, 43), "ROU": (20, 43, 30, 49), "SGP": (103, 1, 105, 2), "SVK": (16, 47, 23, 50),
    "SVN": (13, 45, 17, 47), "SWE": (10, 55, 25, 70), "TWN": (118, 21, 123, 27), "GEO": (39, 41, 47, 44),
}  # fmt: skip
"""Known by ISO 3166-1 alpha-3."""


def fits(country: str, longitude_deg: float, latitude_deg: float) -> bool | None:
    """Whether a position lies in the country's box; None for a country that is not listed."""
    bounds = COUNTRY_BOUNDS_DEG.get(country)
    if bounds is None:
        return None
    west, south, east, north = bounds
    return west <= longitude_deg <= east and south <= latitude_deg <= north
