"""Foreign receivers as processes: ``flight_listener.py mavutil|mavsdk PORT SECONDS``, prints JSON.

Imports nothing of the project.
"""

import json
import resource
import sys
import time


def cpu_s():
    """Processor time of this process with all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def with_mavutil(port, seconds):
    """The usual loop: ``recv_match`` until nothing comes."""
    from pymavlink import mavutil

    connection = mavutil.mavlink_connection(f"udpin:127.0.0.1:{port}", dialect="ardupilotmega")
    print(json.dumps({"listening": True}), flush=True)
    connection.recv_match(blocking=True)
    heard, began_s, last_s, used_s = 0, cpu_s(), 0.0, 0.0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        message = connection.recv_match(blocking=True, timeout=0.5)
        if message is None:
            continue
        if message.get_type() != "BAD_DATA":
            heard += 1
            last_s, used_s = time.perf_counter() - started, cpu_s() - began_s
    return {"heard": heard, "cpu_s": used_s, "took_s": last_s}


def with_mavsdk(port, seconds):
    """Every message as MAVSDK hands it over raw, decoded into JSON by it."""
    import asyncio

    from mavsdk.asyncio import ComponentType, Configuration, Mavsdk
    from mavsdk.asyncio.plugins.mavlink_direct import MavlinkDirectAsync

    async def listen():
        configuration = Configuration.create_with_component_type(ComponentType.GROUND_STATION)
        async with Mavsdk(configuration) as mavsdk:
            await mavsdk.add_any_connection(f"udpin://127.0.0.1:{port}")
            print(json.dumps({"listening": True}), flush=True)
            system = await mavsdk.first_autopilot(timeout_s=60.0)
            direct = MavlinkDirectAsync(system)
            heard, began_s, started = 0, cpu_s(), time.perf_counter()
            used_s = last_s = 0.0

            async def count():
                nonlocal heard, used_s, last_s
                async for _ in direct.subscribe_message(""):
                    heard += 1
                    last_s, used_s = time.perf_counter() - started, cpu_s() - began_s

            counting = asyncio.create_task(count())
            await asyncio.sleep(seconds)
            counting.cancel()
            return {"heard": heard, "cpu_s": used_s, "took_s": last_s}

    return asyncio.run(listen())


if __name__ == "__main__":
    name, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    listen = {"mavutil": with_mavutil, "mavsdk": with_mavsdk}[name]
    print(json.dumps(listen(port, seconds)), flush=True)
