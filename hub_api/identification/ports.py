"""Who is told: an authority's HTTPS interface, or a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from core.clock import Clock
from hub_api.outgoing.gateway import Gateway, Refused

FIELDS = frozenset({"batches"})
"""What an ``identification_gateway_file`` may fill in: the list of signed batches."""


class IdentificationPort(Protocol):
    """Takes batches in their order. The same ``batch_id`` may come twice and counts once."""

    async def send(self, batches: Sequence[dict[str, str]]) -> str | None:
        """None when all were taken, else why not, in words that may be logged."""
        ...


class GatewayIdentification:
    """The authority's HTTPS interface, described by a file."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send(self, batches: Sequence[dict[str, str]]) -> str | None:
        """One request, whose id is that of its first batch and how many follow."""
        answer = await self._gateway.ask(
            f"{batches[0]['batch_id']}+{len(batches) - 1}", {"batches": list(batches)}
        )
        return answer.why if isinstance(answer, Refused) else None


class RecordedIdentification:
    """One file a day with one batch a line, for drills, for tests, and where no authority takes reports yet."""

    def __init__(self, folder: Path, clock: Clock, *, keep_s: float) -> None:
        self._folder, self._clock, self._keep = folder, clock, timedelta(seconds=keep_s)

    async def send(self, batches: Sequence[dict[str, str]]) -> str | None:
        """Append them; a full disk is an outage like any other."""
        lines = "".join(json.dumps(batch, ensure_ascii=False) + "\n" for batch in batches)
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._append, lines)
        except OSError as error:
            return f"the file cannot be written: {error.strerror}"
        return None

    def _append(self, lines: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        today = self._clock.now().date()
        path = self._folder / f"{today.isoformat()}.jsonl"
        if not path.exists():
            oldest = (self._clock.now() - self._keep).date().isoformat()
            for earlier in self._folder.glob("????-??-??.jsonl"):
                if earlier.stem < oldest:
                    earlier.unlink()
        with path.open("a", encoding="utf-8") as file:
            file.write(lines)
