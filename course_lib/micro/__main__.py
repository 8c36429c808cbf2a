"""Record what other machines lack: `python -m course_lib.micro record`, and `operators`."""

import argparse
import datetime
import json
import subprocess
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from course_lib import session, tflite
from course_lib.micro import plain_c, program, record
from course_lib.micro.device import device_clips, on_cortex_m4
from course_lib.micro.interpreter import arena_of, available
from course_lib.micro.runtimes import MICRO, RUNTIMES, compare_runtimes, compared_clips
from course_lib.sound import features


def main(arguments: list[str] | None = None) -> int:
    """Record a run; print where it was written, or why it could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.micro",
        description="Run the shipped model on tflite-micro and on an emulated Cortex-M4, and "
        "write down what was found, with its date.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="record|operators")
    command = commands.add_parser("record", help="write data/micro/run.json")
    command.add_argument("--folder", type=Path, help="another folder than data/micro")
    command = commands.add_parser("operators", help="write data/micro/operators.json")
    command.add_argument("header", type=Path, help="a micro_mutable_op_resolver.h")
    command.add_argument("--version", required=True, help="which version it is of")
    command.add_argument("--folder", type=Path, help="another folder than data/micro")
    options = parser.parse_args(arguments)
    try:
        if options.command == "operators":
            path = program.write_methods(options.header, options.version, options.folder)
        else:
            path = record_run(options.folder)
        print(f"Recorded in {path}.")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 4
    return 0


def record_run(folder: Path | None = None) -> Path:
    """Run everything on the shipped model and write it, dated, into `folder` (data/micro).

    Takes about half a minute. Raises OSError where a tool is missing.
    """
    if not available():
        raise OSError("tflite-micro is not installed: the run is recorded on Linux, x86-64.")
    if lacking := plain_c.missing():
        raise plain_c.NoToolError(f"{' and '.join(lacking)} cannot be found: install them first.")
    folder = session.data_path("micro") if folder is None else folder
    model_bytes = tflite.load("spotter_int8")
    runtimes = compare_runtimes(model_bytes, features.of(compared_clips()))
    run = {
        "date": datetime.date.today().isoformat(),
        "tools": _tools(),
        "model": record.digest(model_bytes),
        "arena": asdict(arena_of(model_bytes)),
        "runtimes": {name: asdict(runtimes.difference(name, MICRO)) for name in RUNTIMES},
        "device": asdict(on_cortex_m4(model_bytes, device_clips().waves)),
    }
    for part in ("arena", "device"):
        del run[part]["where"]  # it is the date, then
    text = json.dumps(run, indent=1, ensure_ascii=False) + "\n"
    session.write_atomically(folder / "run.json", text)
    record.load.cache_clear()
    return folder


def _tools() -> list[str]:
    """Return the names and versions of the tools."""
    gcc, qemu = (
        subprocess.check_output(command, text=True)
        for command in (["arm-none-eabi-gcc", "-dumpversion"], ["qemu-system-arm", "--version"])
    )
    qemu = qemu.split("version ")[1].split()[0]
    micro = metadata.version("tflite-micro")
    return [f"tflite-micro {micro}", f"gcc {gcc.strip()} for Arm", f"QEMU {qemu}"]


if __name__ == "__main__":
    sys.exit(main())
