"""Write the exact versions of all that the lessons need here to requirements.lock.

It is a list of constraints for pip: `PIP_CONSTRAINT=requirements.lock make lab` sets up just these.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import environment

__all__ = ["OUT", "closure", "main", "pins"]

OUT = environment.ROOT / "requirements.lock"
_HEAD = """\
# The versions that the whole suite passed with, on Python {python} and {system}.
# For a lab that must not change in mid-term: PIP_CONSTRAINT=requirements.lock make lab
# Written by `python workbook.py lock`; requirements.txt has the ranges, and is the list of needs.
"""


def closure(needed: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each package that the requirements lead to, by its name.

    What belongs to another system is left out. Raises PackageNotFoundError where one is missing.
    """
    found: dict[str, str] = {}
    waiting = [Requirement(line) for line in needed]
    done: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in ("", *wanted.extras):
            if (name, extra) in done or (wanted.marker and not wanted.marker.evaluate()):
                continue
            done.add((name, extra))
            package = metadata.distribution(name)
            found[name] = package.version
            further = [Requirement(line) for line in package.requires or ()]
            waiting += [
                Requirement(re.sub(r";.*", "", str(each)))  # its condition holds, with this extra
                for each in further
                if not each.marker or each.marker.evaluate({"extra": extra})
            ]
    return dict(sorted(found.items()))


def pins(path: Path = OUT) -> dict[str, str]:
    """Return the versions that a lock names, by the package's name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def main() -> int:
    """Write the lock; print what it holds."""
    versions = closure(environment.environment("lab").requirements)
    head = _HEAD.format(python=platform.python_version(), system=platform.system())
    lines = [f"{name}=={version}" for name, version in versions.items()]
    OUT.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(lines)} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
