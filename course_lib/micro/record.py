"""Record what the tools of this machine say, for machines that lack them: `data/micro`."""

from __future__ import annotations

import datetime
import json
import subprocess
from importlib import metadata
from pathlib import Path

from course_lib import session, tflite
from course_lib.micro import interpreter, plain_c, recorded
from course_lib.micro.arena_run import arena_of
from course_lib.micro.device import on_cortex_m4
from course_lib.micro.runtimes import compare_runtimes
from course_lib.sound import dataset, features


def compared_clips() -> dataset.Clips:
    """Return the clips that runtimes are compared on: more than a thousand, of every split."""
    held = dataset.joined(dataset.bundled("test"), dataset.bundled("validation"))
    train = dataset.bundled("train")
    return dataset.joined(held, train[:: max(1, len(train) // 500)])


def device_clips() -> dataset.Clips:
    """Return the clips that the emulated chip hears: more than a hundred, of every label."""
    unseen = dataset.bundled("test")
    return unseen[:: max(1, len(unseen) // 120)]


def record_run(folder: Path | None = None) -> Path:
    """Run everything on the shipped model and write it, dated, into `folder` (data/micro).

    Takes about half a minute. Raises OSError where a tool is missing.
    """
    if not interpreter.available():
        raise OSError("tflite-micro is not installed: the run is recorded on Linux, x86-64.")
    if lacking := plain_c.missing():
        raise plain_c.NoToolError(f"{' and '.join(lacking)} cannot be found: install them first.")
    folder = session.data_path("micro") if folder is None else folder
    model_bytes = tflite.load("spotter_int8")
    kept = {
        "date": datetime.date.today().isoformat(),
        "tools": _tools(),
        "model": recorded.digest(model_bytes),
        "arena": arena_of(model_bytes).as_dict(),
        "runtimes": compare_runtimes(model_bytes, features.of(compared_clips())).as_dict(),
        "device": on_cortex_m4(model_bytes, device_clips().waves).as_dict(),
    }
    for part in ("arena", "device"):
        del kept[part]["where"]  # it is the date, then
    text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    session.write_atomically(folder / "run.json", text)
    recorded.record.cache_clear()
    return folder


def _tools() -> list[str]:
    """Return the names and versions of the tools."""
    gcc = _first_line("arm-none-eabi-gcc", "-dumpversion")
    qemu = _first_line("qemu-system-arm", "--version").split("version ")[-1].split()[0]
    micro = metadata.version("tflite-micro")
    return [f"tflite-micro {micro}", f"gcc {gcc} for Arm", f"QEMU {qemu}"]


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
