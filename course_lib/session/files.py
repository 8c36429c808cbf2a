"""Where files lie and how they are written: bundled data, a lesson's folder, the cache."""

import os
import shutil
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of course_lib itself. What lies beside it depends on how it was installed."""


def data_path(*parts: str) -> Path:
    """Return the absolute path of a bundled file or folder, such as `data_path("models")`.

    The data lies in `data/` of a clone and inside the package in an installed copy. What `parts`
    names need not exist; FileNotFoundError is raised where there is no bundled data at all.
    """
    for root in (PACKAGE / "_data", PACKAGE.parent / "data"):
        if root.is_dir():
            return root.joinpath(*parts)
    raise FileNotFoundError(
        f"No bundled data beside {PACKAGE}: clone the repository again, or reinstall the package."
    )


def workspace(lesson: str) -> Path:
    """Return a fresh, empty folder for the files that a lesson makes: `work/<lesson>`.

    It lies in the current folder, as a relative path that prints the same everywhere; where
    nothing can be written there, in a new temporary folder. What an earlier run left is removed.
    """
    folder = Path("work", lesson)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    except OSError:  # a read-only or a foreign folder: anywhere will do
        return Path(tempfile.mkdtemp(prefix=f"workbook-{lesson}-"))
    return folder


def write_atomically(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write `data` (text as UTF-8) to `path`: a reader sees the old file or the new, never half.

    Missing folders are made. Raises OSError where the disk is full or not writable; the old file
    then stays. Returns the path.
    """
    path = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def cache_folder() -> Path:
    """Return `$WORKBOOK_CACHE`, else a folder of ours in the user's cache folder.

    It holds what takes long to compute or to download, and need not exist. Raises RuntimeError
    where the user has no home folder.
    """
    if named := os.environ.get("WORKBOOK_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "tinyml-workbook"


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
