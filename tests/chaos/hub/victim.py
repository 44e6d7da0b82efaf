"""A hub in a process of its own that kills itself with SIGKILL at a named step of an order's life.

``python -m tests.chaos.hub.victim FOLDER DATABASE_URL [STEP WHEN]``

A step is a commit: it is named by the events that it stores, or else by the tables that it changes, and by how
often that came before («phase_changed:CLIMBING#1»). WHEN is «before» the database commits, or «after» it did
and before anybody was told. The drones are played; what they remember is on disk before they speak, as agents'
journals are, and is taken up by the next life. Each such word is a step too («(journal aed_released)#1»), always
«after» it was written: a drone is ahead of what the database holds. Without a step it lives on, and writes the names
of its steps down.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session

from core.clock import LoopClock
from core.ids import IdSource
from flight import messages as m
from flight.bus import InProcessBus
from hub_api.agent_room import AgentTask
from hub_api.event_loop import run
from hub_api.hub import Hub, Parts
from hub_api.main import serve
from hub_api.settings import Settings
from hub_api.store import prepared
from hub_api.store.records import EventRecord
from hub_api.store.repositories import events
from hub_api.wiring import ground
from tests.unit.hub_api.played_drone import Memory, PlayedDrone, Script
from tests.unit.hub_api.played_planning import SITE_FILE, FirstReady, a_site, an_airspace
from tests.unit.hub_api.world import TEST_KEYS

PHASE_S = 0.03


class JournaledDrone(PlayedDrone):
    """Its memory is on disk before anybody hears of it."""

    folder: Path
    executioner: Executioner

    async def _say(self, told: m.Event) -> None:
        self.memory.said.append(told)
        path = self.folder / f"{self.drone_id}.memory"
        partial = path.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(self.memory))
        os.replace(partial, path)
        self.executioner.journalled(told)
        await self._publish(told)


class Executioner:
    """Watches every commit of an engine by name, and kills the process at the one that was asked for."""

    def __init__(self, folder: Path, step: str | None, when: str | None) -> None:
        self._names = folder / "steps.txt"
        self._step, self._when = step, when
        self._marks = threading.local()
        self._seen: Counter[str] = Counter()

    def watch(self, engine: Engine) -> None:
        """From now on."""
        told = events.note_appended

        def note_appended(session: Session, record: EventRecord) -> None:
            phase = record.data.get("phase")
            self._of_thread().append(f"{record.kind}:{phase}" if phase else record.kind)
            told(session, record)

        events.note_appended = note_appended  # type: ignore[attr-defined]
        event.listen(engine, "before_cursor_execute", self._executed)
        given = prepared._Form._given

        def given_to_prepared(form: Any, *rest: Any) -> Any:
            # Straight to the driver, now or later: SQLAlchemy tells nobody.
            self._note(form._sql)
            return given(form, *rest)

        prepared._Form._given = given_to_prepared  # type: ignore[method-assign]
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            name = self._name()
            if name is not None and name == self._step and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            commit(connection)
            if name is not None and name == self._step:
                os.kill(os.getpid(), signal.SIGKILL)

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _of_thread(self) -> list[str]:
        if not hasattr(self._marks, "found"):
            self._marks.found = []
        found: list[str] = self._marks.found
        return found

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self._note(statement)

    def _note(self, statement: str) -> None:
        words = statement.split(None, 3)
        if words[0] in ("INSERT", "DELETE") and len(words) > 2:
            self._of_thread().append(f"({words[0].lower()} {words[2]})")
        elif words[0] == "UPDATE":
            self._of_thread().append(f"(update {words[1]})")

    def journalled(self, told: m.Event) -> None:
        """A drone has it on disk and has told nobody."""
        phase = getattr(told, "phase", None)
        name = self._numbered(f"(journal {told.kind}:{phase})" if phase else f"(journal {told.kind})")
        if name == self._step:
            os.kill(os.getpid(), signal.SIGKILL)

    def _name(self) -> str | None:
        marks = self._of_thread()
        told = [mark for mark in marks if not mark.startswith("(")] or sorted(set(marks))
        marks.clear()
        if not told:
            return None
        return self._numbered("+".join(told))

    def _numbered(self, plain: str) -> str:
        """Written down; used from the loop and from the database's threads."""
        self._seen[plain] += 1
        name = f"{plain}#{self._seen[plain]}"
        with self._names.open("a", encoding="utf-8") as file:
            file.write(name + "\n")
        return name


async def main(folder: Path, database_url: str, step: str | None, when: str | None) -> None:
    """Until killed, by itself or by whoever started it."""
    executioner = Executioner(folder, step, when)
    clock = LoopClock()
    ids, site = IdSource(clock), a_site()
    made = ground.make_engine

    def watched(url: str) -> Engine:
        engine = made(url)
        executioner.watch(engine)
        return engine

    ground.make_engine = watched  # type: ignore[attr-defined]

    def agents(hub: Hub) -> list[AgentTask]:
        drones = []
        for drone in site.drones:
            kept = folder / f"{drone.drone_id}.memory"
            memory = Memory()
            with contextlib.suppress(FileNotFoundError):
                memory = pickle.loads(kept.read_bytes())
            played = JournaledDrone(drone.drone_id, hub, Script(phase_s=PHASE_S), memory)
            played.folder, played.executioner = folder, executioner
            drones.append(played.run())
        return drones

    settings = Settings(
        _env_file=None,
        **{
            "data_dir": folder / "data",
            "database_url": database_url,
            "demo": True,
            "port": 0,
            "site_file": SITE_FILE,
            "log_level": "ERROR",
            **TEST_KEYS,
        },
    )
    parts = Parts(
        clock=clock,
        bus=InProcessBus(clock),
        ids=ids,
        site=site,
        airspace=an_airspace(),
        planning=FirstReady(site, ids),
        agents=agents,
    )

    def ready(url: str) -> None:
        print(url, flush=True)

    await serve(settings, ready, parts)


if __name__ == "__main__":
    run(
        main(
            Path(sys.argv[1]),
            sys.argv[2],
            sys.argv[3] if len(sys.argv) > 3 else None,
            sys.argv[4] if len(sys.argv) > 4 else None,
        )
    )
