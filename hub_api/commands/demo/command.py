"""The demo's course: simulated vehicles and hub as processes of their own, one order by HTTP, the flight, the record."""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from core.errors import DroneAedError, ErrorCode, InternalError
from hub_api.commands.demo import screen
from hub_api.commands.demo.client import HubClient
from hub_api.commands.demo.record import save_record
from hub_api.commands.demo.sensors import WIND_FROM_DEG, WIND_SPEED_M_S, StationSensors
from hub_api.commands.processes import ChildProcess, free_tcp_port, site_on_free_ports, stopping
from hub_api.settings import DEMO_API_KEY

_ROOT = Path(__file__).resolve().parents[3]
SITE_FILE = _ROOT / "examples" / "sites" / "baoan.json"
ORDER_FILE = _ROOT / "examples" / "orders" / "cardiac-arrest-gcj02.json"

READY_TIMEOUT_S = 60.0
"""Real seconds until all drones must be ready. A vehicle's estimator takes 40 s of its own time after boot."""


def demo(
    speedup: Annotated[
        float, typer.Option(min=0.1, max=40.0, help="Simulated seconds per real second.")
    ] = 10.0,
    order: Annotated[
        Path, typer.Option(help="Order to send (JSON).", dir_okay=False, exists=True, readable=True)
    ] = ORDER_FILE,
    records: Annotated[Path, typer.Option(help="Where flight records are kept.")] = Path("flight-records"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave hub and vehicles running at the end, until Ctrl-C.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated vehicles and weather.")] = 1,
) -> None:
    """Fly one order at Bao'an, from the emergency centre's request to the drone back on its pad."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 132)
    started_s = time.monotonic()
    body = _read_order(order)
    with tempfile.TemporaryDirectory(prefix="drone-aed-demo-") as scratch, stopping([]) as add:
        folder = Path(scratch)
        site_file = folder / "site.json"
        vehicles = site_on_free_ports(SITE_FILE, site_file)
        port = free_tcp_port()
        url = f"http://127.0.0.1:{port}"
        console.print(
            f"[bold]drone-aed[/] demo at {speedup:g}× · {vehicles} stations in Bao'an, Shenzhen 深圳宝安"
        )
        sitl = add(
            ChildProcess(
                "simulated vehicles",
                ["-m", "sitl", "fleet", "--site", str(site_file), "--speedup", f"{speedup:g}", "--seed", str(seed),
                 "--wind-from-deg", f"{WIND_FROM_DEG:g}", "--wind-speed-m-s", f"{WIND_SPEED_M_S:g}"],
                log_path=folder / "sitl.log",
                environment={},
            )
        )  # fmt: skip
        sitl.wait_ready_lines(vehicles, READY_TIMEOUT_S)
        hub = add(
            ChildProcess(
                "hub",
                ["-m", "hub_api.commands.main", "serve", "--demo", "--speedup", f"{speedup:g}", "--port", str(port),
                 "--site", str(site_file), "--data-dir", str(folder / "data")],
                log_path=folder / "hub.log",
                environment={},
            )
        )  # fmt: skip
        hub.wait_ready_lines(1, READY_TIMEOUT_S)
        if keep:
            console.print(f"operators' console 控制台: [bold]{url}/console/[/]")
        client = HubClient(url, DEMO_API_KEY)

        def check_alive() -> None:
            sitl.check_alive()
            hub.check_alive()

        weather = StationSensors(client, site_file)
        try:
            with console.status("Vehicles boot and find their position 飞行器启动定位中 …"):
                client.wait_until(
                    lambda: _not_ready(client, vehicles), timeout_s=READY_TIMEOUT_S, check=check_alive
                )
            exit_code = _fly_order(
                console, client, body, source=str(_shown(order)), records=records, folder=folder,
                site_file=site_file, started_s=started_s, check_alive=check_alive,
            )  # fmt: skip
            if keep:
                console.print(
                    f"\nStill running: console {url}/console/ (log in with one click) · API {url}/docs "
                    f"(key: {DEMO_API_KEY}). Ctrl-C ends it. 按 Ctrl-C 结束。"
                )
                _wait_for_interrupt(check_alive)
        finally:
            weather.stop()
            client.close()
    raise typer.Exit(exit_code)


def _shown(path: Path) -> Path:
    return path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path


def _read_order(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID, f"{path} is not a readable JSON file: {error}", field="order"
        ) from None
    if not isinstance(body, dict):
        raise InternalError(ErrorCode.SETTINGS_INVALID, f"{path} must hold one JSON object", field="order")
    return body


def _not_ready(client: HubClient, wanted: int) -> str | None:
    try:
        drones = client.get("/v1/drones")["drones"]
    except httpx.TransportError as error:
        return f"the hub does not answer: {error}"
    waiting = [drone for drone in drones if not drone["ready"]]
    if len(drones) == wanted and not waiting:
        stations = client.get("/v1/stations")["stations"]
        windless = [
            station["station_id"] for station in stations if not (station["wind"] or {}).get("usable")
        ]
        return f"no wind reading from {', '.join(windless)}" if windless else None
    return "not ready: " + "; ".join(
        f"{drone['drone_id']} ({', '.join(reason['code'] for reason in drone['not_ready_reasons'])})"
        for drone in waiting
    )


def _fly_order(
    console: Console,
    client: HubClient,
    body: dict[str, Any],
    *,
    source: str,
    records: Path,
    folder: Path,
    site_file: Path,
    started_s: float,
    check_alive: Any,
) -> int:
    names = _names(client, chinese=console.width >= 110)
    screen.show_order(console, body, source)
    sent_s = time.monotonic()
    response = client.place(body, idempotency_key=f"demo-{secrets.token_hex(8)}")
    answered_s = time.monotonic() - sent_s
    if response.status_code not in (200, 201):
        console.print(f"[bold red]refused 拒绝[/] {response.status_code}: {response.text}")
        return 2
    view = response.json()
    screen.show_decision(console, view, names, answered_s)
    if view["decision"]["outcome"] == "accepted":
        view = _watch(console, client, view, check_alive)
    record = save_record(
        records, order=body, view=view, data_dir=folder / "data", logs=folder, site_file=site_file,
    )  # fmt: skip
    screen.show_summary(console, view, str(record), time.monotonic() - started_s)
    return 0 if view["state"] == "CLOSED" or view["decision"]["outcome"] == "declined" else 1


def _names(client: HubClient, *, chinese: bool) -> dict[str, str]:
    places = [*client.get("/v1/stations")["stations"], *client.get("/v1/landing-points")["landing_points"]]
    return {
        place.get("station_id") or place["landing_point_id"]: place["name"]
        + (f" {place['name_zh']}" if chinese else "")
        for place in places
    }


def _watch(console: Console, client: HubClient, view: dict[str, Any], check_alive: Any) -> dict[str, Any]:
    """Follow the order's stream until the hub closes it; a second thread refreshes the panel."""
    eta = view["decision"]["eta"]
    order_id, drone_id = view["order_id"], view["decision"]["drone_id"]
    finished = threading.Event()

    with screen.FlightScreen(
        console, planned_delivery_s=eta["aed_on_ground_s"], planned_home_s=eta["drone_home_s"]
    ) as display:

        def refresh() -> None:
            while not finished.wait(0.25):
                try:
                    now = datetime.fromisoformat(client.get("/v1/health")["now"])
                    current = client.get(f"/v1/orders/{order_id}")
                    drone = client.get(f"/v1/drones/{drone_id}")
                except (httpx.TransportError, DroneAedError):
                    continue  # the stream below is the authority; the panel just waits
                display.progress(
                    (now - datetime.fromisoformat(view["received_at"])).total_seconds(), current, drone
                )

        painter = threading.Thread(target=refresh, name="demo-panel", daemon=True)
        painter.start()
        try:
            for event in client.follow(order_id):
                check_alive()
                display.event(screen.elapsed_s(view, event.data["at"]), event.data)
        finally:
            finished.set()
            painter.join()
    result: dict[str, Any] = client.get(f"/v1/orders/{order_id}")
    return result


def _wait_for_interrupt(check_alive: Any) -> None:
    try:
        while True:
            check_alive()
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
