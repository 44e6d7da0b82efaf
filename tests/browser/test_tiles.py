"""Tiles of a map service under the console's map: whatever reference system they are cut in, zones lie where they lie.

A small tile server paints the ground of one zone blue, in WGS-84 or in GCJ-02. The console draws the zone's edge from
WGS-84. In a picture of the page the edge has to run around the blue: taken for the other system it lies 500 m beside.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from core.gcj02 import wgs84_to_gcj02
from core.geodesy import Wgs84Point
from tests.browser.operator import PATIENCE_MS
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.server import running_hub

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

SOUTH, WEST, NORTH, EAST = 22.6200, 113.9300, 22.6228, 113.9330
RING = [(WEST, SOUTH), (EAST, SOUTH), (EAST, NORTH), (WEST, NORTH)]
TILE_PX = 256
WITHIN_PX = 4
"""Half the edge's own width, and a pixel of the picture for either side; a wrong system is hundreds."""


def pixel_of(longitude_deg: float, latitude_deg: float, zoom: int) -> tuple[float, float]:
    """Where a place lies in the pyramid of tiles."""
    whole_px = TILE_PX * 2**zoom
    latitude = math.radians(latitude_deg)
    y = (1.0 - math.asinh(math.tan(latitude)) / math.pi) / 2.0
    return (longitude_deg + 180.0) / 360.0 * whole_px, y * whole_px


def tile(zoom: int, x: int, y: int, system: str) -> bytes:
    """The zone's ground in blue, as a service of this reference system would paint it."""
    picture = Image.new("RGB", (TILE_PX, TILE_PX), (0, 0, 0))
    corners = []
    for longitude_deg, latitude_deg in RING:
        if system == "GCJ-02":
            shifted = wgs84_to_gcj02(Wgs84Point(latitude_deg, longitude_deg))
            longitude_deg, latitude_deg = shifted.longitude_deg, shifted.latitude_deg
        px, py = pixel_of(longitude_deg, latitude_deg, zoom)
        corners.append((px - x * TILE_PX, py - y * TILE_PX))
    ImageDraw.Draw(picture).polygon(corners, fill=(0, 0, 255))
    content = BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


class _Tiles(BaseHTTPRequestHandler):
    def __init__(self, system: str, asked: list[str], *rest: object) -> None:
        self._system, self._asked = system, asked
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._asked.append(self.path)
        zoom, x, y = (int(part) for part in self.path.removesuffix(".png").strip("/").split("/"))
        content = tile(zoom, x, y, self._system)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in the list."""


@contextmanager
def tile_server(system: str) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Tiles, system, asked))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def box_of(mask: np.ndarray) -> list[int]:
    """Left, top, right and bottom of what is set."""
    rows, columns = np.nonzero(mask)
    assert len(rows) > 50, "nothing of it is in the picture"
    return [int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())]


@pytest.mark.parametrize("system", ["WGS-84", "GCJ-02"])
def test_zones_lie_on_the_tiles_without_offset(browser: Browser, tmp_path: Path, system: str):
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*RING, RING[0]]]},
        "properties": {"identifier": "TILE-1", "restriction": "CONDITIONAL", "conditions": "ask"},
    }
    zones = {"type": "FeatureCollection", "features": [feature]}
    with (
        tile_server(system) as (tiles, asked),
        running_hub(
            tmp_path,
            console_tiles_url=f"{tiles}/{{z}}/{{x}}/{{y}}.png",
            console_tiles_reference_system=system,
            console_tiles_attribution="Test tiles",
        ) as (url, _),
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900}, locale="en-GB")
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{url}/console/")
        page.get_by_role("button", name="Operator", exact=True).click()
        expect(page.locator(".ol-layers")).to_be_attached()
        token = page.evaluate("sessionStorage.getItem('drone-aed.session')")
        put = page.request.put(
            f"{url}/v1/airspace/feeds/tiles?format=geojson&reason=test",
            data=zones,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
        )
        assert put.ok, put.text()
        page.reload()
        expect(page.get_by_role("button", name="Zoom in")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type(f"{(SOUTH + NORTH) / 2:.5f}, {(WEST + EAST) / 2:.5f}")
        page.keyboard.press("Enter")
        page.wait_for_timeout(700)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)
        assert asked, "no tile was asked for"
        expect(page.get_by_text("Test tiles")).to_be_visible()
        clip = page.locator(".target").bounding_box()
        assert clip is not None
        picture = Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
        page.close()
    # Without the tools at the top and the scale at the bottom.
    pixels = np.asarray(picture).astype(int)[60:-60]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    ground = box_of((blue > 60) & (blue > red + 40) & (blue > green + 40) & (green < 40))
    # The edge of a zone with conditions: #c8a2e8.
    edge = box_of((abs(red - 200) < 30) & (abs(green - 162) < 30) & (abs(blue - 232) < 24))
    assert ground[2] - ground[0] > 80, "near enough to see half a kilometre"
    assert max(abs(a - b) for a, b in zip(ground, edge, strict=True)) <= WITHIN_PX, (ground, edge)


def test_the_offset_that_this_prevents_is_seen_by_this_test() -> None:
    """Half a kilometre at the map's scale: what a console that takes one system for the other would show."""
    assert a_site().stations, "the site of the test lies where GCJ-02 applies"
    shifted = wgs84_to_gcj02(Wgs84Point(SOUTH, WEST))
    here, there = pixel_of(WEST, SOUTH, 16), pixel_of(shifted.longitude_deg, shifted.latitude_deg, 16)
    assert math.dist(here, there) > 20 * WITHIN_PX
