"""Find a Chromium for the browser tests; as root on Debian, install it where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, None where there is none."""
    if named := os.environ.get("WORKBOOK_CHROMIUM"):
        return named
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in found if path), None)


def main() -> int:
    """Install Chromium where that needs no question; its lack only makes tests skip."""
    if chromium() or not shutil.which("apt-get") or os.geteuid() != 0:
        return 0
    print("Installing Chromium for the browser tests.", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"],
    ):
        run = subprocess.run(command, env=environ, capture_output=True, text=True)
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["apt-get gave no reason"])[-1]
            print(f"No browser tests: Chromium could not be installed ({last}).")
            return 0
    print(f"Chromium is at {Path(chromium() or '?')}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
