"""A hub with played drones and the console in windows in front of it: for what needs no flight of a real simulator."""

from __future__ import annotations

import secrets
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub_api.commands.demo.client import HubClient
from hub_api.settings import DEMO_API_KEY
from tests.browser.operator import PATIENCE_MS

FINISHED = {"CLOSED", "CANCELLED", "FAILED", "DECLINED"}
PLACE = {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}
ROLE = {"zh": "操作员", "en": "Operator"}


class Desk:
    """Orders of the centre and windows of operators; everything of a test is cleared away at its end."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.centre = HubClient(url, DEMO_API_KEY)
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._orders: list[str] = []
        self._faults: list[str] = []

    def open(self, *, language: str = "zh", width: int = 1600, height: int = 900, role: str = "") -> Page:
        """A window with somebody logged in. Any fault that the page reports fails the test."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale={"zh": "zh-CN", "en": "en-GB"}[language]
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self._faults.append(str(error)))
        page.goto(f"{self.url}/console/")
        page.get_by_role("button", name=role or ROLE[language], exact=True).click()
        expect(page.locator(".ol-layers")).to_be_attached()
        return page

    def place(self, **fields: Any) -> dict[str, Any]:
        """An order of the centre that waits for somebody's approval."""
        body = {"position": PLACE, "severity": "I", "mode": "approve", **fields}
        answer = self.centre.place(body, f"desk-{secrets.token_hex(8)}")
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        self._orders.append(view["order_id"])
        return view

    def order(self, order_id: str) -> dict[str, Any]:
        view: dict[str, Any] = self.centre.get(f"/v1/orders/{order_id}")
        return view

    def put_zones(self, page: Page, feed_id: str, content: bytes) -> None:
        """A zone file in force, in the name of who is logged in at this window."""
        answer = page.request.put(
            f"{self.url}/v1/airspace/feeds/{feed_id}?format=geojson&reason=test",
            data=content,
            headers={**self.bearer(page), "Content-Type": "application/octet-stream"},
            timeout=60_000,
        )
        assert answer.ok, answer.text()

    def remove_zones(self, page: Page, feed_id: str) -> None:
        answer = page.request.delete(
            f"{self.url}/v1/airspace/feeds/{feed_id}?reason=test", headers=self.bearer(page), timeout=60_000
        )
        assert answer.ok, answer.text()

    def bearer(self, page: Page) -> dict[str, str]:
        token = page.evaluate("sessionStorage.getItem('drone-aed.session')")
        return {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """The windows, then the orders; a fault of a page is a fault of the test."""
        for context in self._contexts:
            for page in context.pages:
                # Answers that are still under way belong to nobody any more.
                page.unroute_all(behavior="ignoreErrors")
            context.close()
        for order_id in self._orders:
            order = self.order(order_id)
            if order["state"] not in FINISHED and order["aed_on_ground_at"] is None:
                self.centre.post(f"/v1/orders/{order_id}/cancel", {"reason": "test"})
        self.centre.close()
        assert not self._faults, self._faults
