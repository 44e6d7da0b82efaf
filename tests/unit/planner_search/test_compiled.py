"""Kernels: cached honestly across files, and the same answers without a compiler."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import planner
from planner.search.compiled import compiled

ROOT = Path(planner.__file__).parents[1]


def kernel_files() -> list[Path]:
    found = []
    for path in (ROOT / "planner").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        decorators = {
            name.id
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for name in node.decorator_list
            if isinstance(name, ast.Name)
        }
        if decorators & {"compiled", "inlined"}:
            found.append(path)
    return found


def test_kernels_take_names_only_from_files_that_the_cache_guard_watches() -> None:
    watched = {path.relative_to(ROOT).as_posix() for path in kernel_files()}
    assert {"planner/search/kernels.py", "planner/motion.py", "planner/sweep_kernels.py"} <= watched
    watched |= {"planner/search/compiled.py", "planner/search/problem.py"}
    for path in kernel_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] != "planner":
                continue
            module = (node.module or "").replace(".", "/")
            for alias in node.names:
                as_module = ROOT / module / f"{alias.name}.py"
                source = f"{module}/{alias.name}.py" if as_module.exists() else f"{module}.py"
                assert source in watched, f"{path.name} takes {alias.name} from {source}"


def test_a_changed_callee_recompiles_its_callers(tmp_path: Path) -> None:
    """Two files, one kernel calling the other's; the process is started anew after every change."""
    (tmp_path / "callee.py").write_text(
        "from planner.search.compiled import compiled\n\n@compiled\ndef inner(x):\n    return x + 1\n"
    )
    (tmp_path / "caller.py").write_text(
        "from callee import inner\nfrom planner.search.compiled import compiled\n\n"
        "@compiled\ndef outer(x):\n    return inner(x)\n"
    )
    code = "from caller import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"
    said = []
    for _ in range(2):
        said.append(run(code, cwd=tmp_path))
    text = (tmp_path / "callee.py").read_text()
    (tmp_path / "callee.py").write_text(text.replace("x + 1", "x + 100"))
    newer = (tmp_path / "caller.py").stat().st_mtime + 100.0
    os.utime(tmp_path / "callee.py", (newer, newer))
    said.append(run(code, cwd=tmp_path))
    assert said == ["2 0", "2 1", "101 0"]


def run(code: str, *, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=cwd, env={**os.environ, "PYTHONPATH": f"{ROOT}", **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


PLAN = """
from geofences.airspace import Airspace
from pydantic import TypeAdapter
from planner.flight_plan import FlightPlan
from tests.unit.planner.helpers import at_m, airspace, box_zone, landing_point, planned, refuge, station, wind
plan = planned(
    airspace(box_zone("wall", 500, -400, 600, 300)), station("s", 0, 0), landing_point("p", 1200, 0),
    refuges=(refuge("r", 500, 600), refuge("q", 900, 700)), blowing=wind(200, 6),
)
print(TypeAdapter(FlightPlan).dump_json(plan).decode())
"""
NO_NUMBA = "import sys; sys.modules['numba'] = None\n"


@pytest.mark.parametrize("without", ["numba", "jit"])
def test_a_plan_without_a_compiler_is_the_same_plan(without: str) -> None:
    expected = run(PLAN)
    assert '"route_objective":"FASTEST"' in expected
    got = run(NO_NUMBA + PLAN) if without == "numba" else run(PLAN, NUMBA_DISABLE_JIT="1")
    assert got == expected


def test_kernels_compile_where_no_cache_can_be_written() -> None:
    """A function without a source file has no place for a cache, like a file in a read-only folder."""
    scope: dict[str, Callable[[float], float]] = {}
    exec("def twice(x):\n    return 2 * x", scope)
    assert compiled(scope["twice"])(21.0) == 42.0
