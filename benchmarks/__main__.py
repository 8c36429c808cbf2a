"""Measure all of it, or the sections that are named, and rewrite benchmarks/RESULTS.md.

    make bench [ARGS="pipeline widgets --clips FOLDER"]
    python -m benchmarks [SECTION …] [--quick] [--share 0.1] [--clips FOLDER] [--out FILE]

A section is a module with a TITLE and `run(options)`, which returns what it `Measured`.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from importlib import import_module
from pathlib import Path

from benchmarks import guide, results

SECTIONS = (
    "pipeline",
    "lessons",
    "widgets",
    "growth",
    "setup",
    "suite",
    "grading",
    "recipes",
    "spotter",
    "flatbuffer",
    "hub",
)


def titles() -> dict[str, str]:
    """Return the title of each section, in the order of the page."""
    return {name: import_module(f"benchmarks.{name}").TITLE for name in SECTIONS}


def main() -> int:
    """Run the sections; return 1 where one of them could not be measured, and go on with others."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="all by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--clips", type=Path, help="real speech, as Speech Commands lays it out")
    parser.add_argument("--share", type=float, default=1.0, help="of the peers' and our training")
    parser.add_argument("--out", type=Path, default=results.PAGE, help="RESULTS.md by default")
    chosen = parser.parse_args()
    options = results.Options(chosen.quick, chosen.clips, chosen.share)
    failed = 0
    for name in chosen.sections or SECTIONS:
        print(f"{name} …", file=sys.stderr, flush=True)
        module = import_module(f"benchmarks.{name}")
        try:
            text = results.section(module.TITLE, lambda module=module: module.run(options))
        except Exception:
            traceback.print_exc()  # the others are measured all the same
            failed += 1
            continue
        print(text, flush=True)
        results.write(titles(), name, text, chosen.out)
        if chosen.out == results.PAGE:
            guide.write()  # docs/hub.md tells what the page says
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
