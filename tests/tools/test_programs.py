"""The programs that only tests need."""

from __future__ import annotations

import subprocess
from collections import namedtuple

import pytest

from tools import programs

Usage = namedtuple("Usage", "total used free")


def test_missing_programs_are_installed_or_their_tests_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKBOOK_CHROMIUM", raising=False)
    here = {"chromium": "/usr/bin/chromium", "qemu-system-arm": "/usr/bin/qemu-system-arm"}
    monkeypatch.setattr(programs.shutil, "which", here.get)
    assert programs.missing() == ["bubblewrap", "gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]
    assert programs.main() == 0 and "microcontroller are skipped" in capsys.readouterr().out
    here["arm-none-eabi-gcc"] = "/usr/bin/arm-none-eabi-gcc"
    monkeypatch.setattr(programs, "_newlib", lambda: "/usr/lib/libm.a")
    assert programs.missing() == ["bubblewrap"]
    assert programs.main() == 0 and "grading in a sandbox are skipped" in capsys.readouterr().out
    ran: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        ran.append(command)
        return subprocess.CompletedProcess(command, len(ran) - 1, "", "E: no space\n")

    here["apt-get"] = "/usr/bin/apt-get"
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.subprocess, "run", run)
    assert programs.main() == 0 and ran[1][-1] == "bubblewrap"
    assert "skipped (E: no space)" in capsys.readouterr().out
    here["bwrap"] = "/usr/bin/bwrap"
    assert programs.missing() == [] and programs.main() == 0 and len(ran) == 2
