"""Other planners, run by their own interpreter in ``.venv-peers`` so that their dependencies stay out of
ours."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.planner_cases import CityCase

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-peers"
LOCK = ROOT / "requirements" / "peers.txt"

Way = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What a peer did within its time: the first pairs of the case, one time and way each.

    ``preparation_s`` None: not even its preparation ended in time. A way is None where it found none.
    """

    preparation_s: float | None
    times_ms: tuple[float, ...]
    ways: tuple[Way | None, ...]
    error: str = ""


def ensure_environment() -> str:
    """Create ``.venv-peers`` from its lock unless it is there; an error message, or nothing."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / ".installed"
    if stamp.exists() and stamp.stat().st_mtime >= LOCK.stat().st_mtime:
        return ""
    commands = [
        [sys.executable, "-m", "venv", str(ENVIRONMENT)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
         "-r", str(LOCK)],
    ]  # fmt: skip
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{command[2]} failed: {done.stderr.strip().splitlines()[-1:]}"
    stamp.touch()
    return ""


def run_peer(name: str, case: CityCase, *, budget_s: float) -> PeerResult:
    """Let the peer answer as many pairs of the case as it can in ``budget_s`` seconds, preparation
    included."""
    content = {
        "zones": [zone.tolist() for zone in case.zones],
        "pairs": case.pairs.tolist(),
        "budget_s": budget_s,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        command = [
            str(ENVIRONMENT / "bin" / "python"),
            str(Path(__file__).parent / "answer.py"),
            name,
            str(path),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=budget_s + 5.0, cwd=folder
            )
        except subprocess.TimeoutExpired:
            return PeerResult(None, (), ())
    if done.returncode:
        return PeerResult(None, (), (), error=(done.stderr.strip().splitlines() or ["?"])[-1])
    result = json.loads(done.stdout.splitlines()[-1])
    ways = tuple(None if way is None else tuple((x, y) for x, y in way) for way in result["ways"])
    return PeerResult(result["preparation_s"], tuple(result["times_ms"]), ways)
