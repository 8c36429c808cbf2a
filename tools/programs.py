"""Find the programs that only the tests need; as root on Debian, install those that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

__all__ = ["NEEDED", "chromium", "install", "main", "may_install", "missing"]

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MICROCONTROLLER = "the runs on a microcontroller"
NEEDED = {
    "chromium": "the browser tests",
    "bubblewrap": "the tests of grading in a sandbox",
    "gcc-arm-none-eabi": _MICROCONTROLLER,
    "libnewlib-arm-none-eabi": _MICROCONTROLLER,
    "qemu-system-arm": _MICROCONTROLLER,
}
"""Debian's packages, and the tests that skip without them."""


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, None where there is none."""
    if named := os.environ.get("WORKBOOK_CHROMIUM"):
        return named
    found = (shutil.which(name) for name in _CHROMIUM)
    return next((path for path in found if path), None)


def missing() -> list[str]:
    """Return the packages of NEEDED whose programs are not on the PATH."""
    there = {
        "chromium": chromium(),
        "bubblewrap": shutil.which("bwrap"),
        "gcc-arm-none-eabi": shutil.which("arm-none-eabi-gcc"),
        "libnewlib-arm-none-eabi": _newlib(),
        "qemu-system-arm": shutil.which("qemu-system-arm"),
    }
    return [package for package in NEEDED if not there[package]]


def _newlib() -> str | None:
    """Return the path of a microcontroller's C library, None where the compiler has none."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        return None
    command = [compiler, "-print-file-name=libm.a"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return found if os.path.isabs(found) else None  # the bare name comes back where there is none


def main() -> int:
    """Install what is missing where that needs no question; its lack only makes tests skip."""
    wanted = missing()
    if not wanted:
        return 0
    lost = " and ".join(dict.fromkeys(NEEDED[package] for package in wanted))
    if not may_install():
        print(f"Without {' and '.join(wanted)}, {lost} are skipped: install what is missing.")
        return 0
    print(f"Installing {' and '.join(wanted)} for {lost}.", flush=True)
    if reason := install(wanted):
        print(f"Installing failed, and {lost} are skipped ({reason}).")
    return 0


def may_install() -> bool:
    """Tell whether Debian's packages can be installed without asking anybody."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install(packages: list[str]) -> str:
    """Install Debian's packages; return why that failed, "" where it did not."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages],
    ):
        run = subprocess.run(command, env=environ, capture_output=True, text=True)
        if run.returncode:
            return (run.stderr.strip().splitlines() or ["apt-get gave no reason"])[-1]
    return ""


if __name__ == "__main__":
    sys.exit(main())
