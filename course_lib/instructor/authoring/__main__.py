"""The command line of authoring: `build` and `check`."""

import argparse
import sys
from collections.abc import Sequence

from course_lib.instructor.authoring.building import build, check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 where something is not as it should be."""
    name = "python -m course_lib.instructor.authoring"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="write the notebooks from their sources")
    building.add_argument("numbers", nargs="*", metavar="NN", help="lessons; all where left out")
    building.add_argument("--no-run", action="store_true", help="execute nothing, keep outputs")
    building.add_argument("--jobs", type=int, default=2, help="notebooks executed at a time")
    commands.add_parser("check", help="tell whether the notebooks are what the sources give")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "build":
            build(chosen.numbers, execute=not chosen.no_run, jobs=chosen.jobs, report=print)
        complaints = check() if chosen.command == "check" else []
    except ValueError as error:  # a broken source, an unknown number
        complaints = [str(error)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
