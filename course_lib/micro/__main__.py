"""Record a run for machines without the tools: `python -m course_lib.micro record`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_lib.micro.record import record_run


def main(arguments: list[str] | None = None) -> int:
    """Record a run; print where it was written, or why it could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.micro",
        description="Run the shipped model on tflite-micro and on an emulated Cortex-M4, and "
        "write down what was found, with its date.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="record")
    record = commands.add_parser("record", help="write data/micro/run.json")
    record.add_argument("--folder", type=Path, help="another folder than data/micro")
    options = parser.parse_args(arguments)
    try:
        print(f"Recorded in {record_run(options.folder)}.")
    except OSError as error:
        print(error, file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
