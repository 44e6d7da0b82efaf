"""Where the browser for the tests is: ``python -m tests.browser.chromium`` finds it, or installs it on Debian as root.

Playwright drives whatever Chromium the system has: its own download is not needed and often not to be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = (
    "The browser tests need Chromium: `apt-get install chromium` (Debian), or set DRONE_AED_CHROMIUM to its path. "
    "Without it they are left out."
)


def find() -> str | None:
    """The path of a Chromium; None where there is none."""
    named = os.environ.get("DRONE_AED_CHROMIUM")
    if named:
        return named
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def wanted() -> bool:
    """Whether a missing browser is a failure and no reason to leave the tests out."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def install() -> bool:
    """Install Debian's, with a font that has Chinese; False where that is not for us to do."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    print("Installing Chromium and a Chinese font for the browser tests", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-cjk"],
    ):
        done = subprocess.run([apt, *command], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return False
    return True


def main() -> None:
    if find() is None and not (install() and find()):
        print(HOW, file=sys.stderr)
        raise SystemExit(1 if wanted() else 0)


if __name__ == "__main__":
    main()
