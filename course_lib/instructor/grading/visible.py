"""What of this system a sandbox sees, and which copies of the course in it stay hidden."""

import os
import site
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlparse

import course_lib

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM += ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts")
_LIBRARIES = [f"{place}/python3*/*-packages" for place in ("lib", "lib64", "local/lib")]
_OF_A_CLONE = ("pyproject.toml", "notebooks")
_SOLVED = ("notebooks", "tests", "build")
_NAME = "course_lib"


@lru_cache(maxsize=1)
def seen() -> tuple[str, ...]:
    """Return what of the system a sandbox sees: programs, libraries and this Python."""
    wanted = [path for path in SYSTEM if os.path.lexists(path)]
    for prefix in dict.fromkeys((os.path.realpath(sys.base_prefix), sys.base_prefix, sys.prefix)):
        if not any(Path(prefix).is_relative_to(path) for path in wanted):
            wanted.append(prefix)
    return tuple(wanted)


def parents(paths: Sequence[str]) -> list[str]:
    """Return every folder above the paths, outermost first, that is in none of them."""
    above = {str(parent) for path in paths for parent in Path(path).parents} - {"/"}
    inside = tuple(f"{path}/" for path in paths)
    return sorted(each for each in above if not f"{each}/".startswith(inside))


def hiding(view: Path, places: Iterable[str] | None = None) -> list[str]:
    """Return bubblewrap's arguments that hide what is of the course among all that is seen.

    An installed package is covered by the `view`, a packed one by nothing; of a clone all is
    hidden, for its notebooks hold solutions, but for this Python where that lies in it.
    """
    arguments: list[str] = []
    inside = [Path(os.path.realpath(path)) for path in seen()]
    for place in sorted({os.path.realpath(each) for each in places or _places()}):
        for found in sorted(Path(place).glob(f"{_NAME}*")):
            if not any(found.resolve().is_relative_to(each) for each in inside):
                continue
            if found.name == _NAME and found.is_dir():
                clone = any((found.parent / name).exists() for name in _OF_A_CLONE)
                below = [each for each in seen() if Path(each).is_relative_to(place)]
                if clone and place not in map(os.path.realpath, below):
                    arguments += ["--tmpfs", place]
                    for path in below:
                        arguments += ["--ro-bind", path, path]
                else:
                    arguments += ["--ro-bind", str(view / _NAME), str(found.resolve())]
                    solved = [found.parent / name for name in _SOLVED if clone]
                    for folder in filter(Path.is_dir, solved):  # a clone that is this Python's
                        arguments += ["--tmpfs", str(folder)]
            elif found.suffix in (".egg", ".zip", ".pyz") and found.is_file():
                arguments += ["--ro-bind", os.devnull, str(found.resolve())]
    return arguments


@lru_cache(maxsize=1)
def _places() -> set[str]:
    """Return every folder from which a Python that is seen may import a package."""
    places = {str(Path(course_lib.__file__).resolve().parent.parent)}
    places |= {entry for entry in sys.path if entry and os.path.isdir(entry)}
    places |= {*site.getsitepackages(), site.getusersitepackages()}
    for root in seen():
        for pattern in _LIBRARIES:
            for library in Path(root).glob(pattern):
                places |= {str(library), *_added(library)}
    for each in metadata.distributions():
        if each.name and each.name.replace("-", "_").lower() == _NAME:
            places |= _source(each.read_text("direct_url.json") or "")
    return {place for place in places if os.path.isdir(place)}


def _added(library: Path) -> set[str]:
    """Return the folders that the .pth files of a library add to the path."""
    added = set()
    for file in library.glob("*.pth"):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.strip() and not line.startswith(("import ", "#")):
                added.add(os.path.join(library, line.strip()))
    return added


def _source(text: str) -> set[str]:
    """Return the folder from which a package was installed, so that it stays in use there."""
    start = text.find("file://")
    return {unquote(urlparse(text[start:].split('"')[0]).path)} if start >= 0 else set()
