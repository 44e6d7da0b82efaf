"""``python -m bench [MODULE …]``: run all measurements or those named, print a table, write ``bench.json``.

Every module of this package with a function ``run(report)`` is one.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import bench
from bench.report import Report


def main() -> int:
    """Run the measurements; 1 if one of them failed (the others are reported all the same)."""
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    runnable = {name: module for name, module in modules.items() if hasattr(module, "run")}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(runnable))
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    arguments = parser.parse_args()
    unknown = set(arguments.modules) - set(runnable)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))} (there are: {', '.join(runnable)})")
    report = Report()
    failed = []
    for name in arguments.modules or runnable:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            runnable[name].run(report)
        except Exception as error:  # one broken measurement must not hide the others
            failed.append(name)
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
    report.print()
    report.write(arguments.output)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
