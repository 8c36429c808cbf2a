"""Each means that a system may lack, hidden in turn: what falls back, and what it says then."""

from __future__ import annotations

import ast
import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import course_lib
from course_lib.session import processes, system
from course_lib.sound import download
from course_lib.tflite import guard

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what Linux tells")
POSIX_ALONE = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "posix"}
CODE = Path(course_lib.__file__).parent
OF_LINUX = "instructor"  # grading says itself that it needs Linux


@pytest.fixture
def no(monkeypatch):
    """Hide a module, as on a system that has none."""
    return lambda name: monkeypatch.setitem(sys.modules, name, None)


def refuse(*_: object, **__: object) -> None:
    raise OSError("no such thing here")


@pytest.mark.posix
def test_a_locked_file_is_refused_to_another_process(tmp_path):
    code = (
        "import sys; from course_lib.session import system\n"
        "with open(sys.argv[1], 'rb') as file: system.lock(file)"
    )
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        system.lock(file)
        held = processes.run("-c", code, str(path), seconds=60)
    free = processes.run("-c", code, str(path), seconds=60)
    assert held.returncode == 1 and "BlockingIOError" in held.stderr
    assert free.returncode == 0


def test_windows_locks_by_its_own_means(tmp_path, monkeypatch, no):
    """`msvcrt` locks bytes from where the file stands: the first one, whoever asks."""
    no("fcntl")
    asked = []
    locking = SimpleNamespace(LK_NBLCK=2, locking=lambda *what: asked.append(what))
    monkeypatch.setitem(sys.modules, "msvcrt", locking)
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(7)
        system.lock(file)
        assert asked == [(file.fileno(), 2, 1)] and file.tell() == 0
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=refuse))
    with pytest.raises(download.DownloadError, match="downloading file already"):
        with download._alone(path):
            pass


@LINUX
def test_a_limit_of_memory_holds():
    code = (
        "from course_lib.session import system; system.limit_memory({})\n"
        "bytes(1 << 30); print('enough')"
    )
    limited = processes.run("-c", code.format(1 << 29), seconds=60)
    free = processes.run("-c", code.format(0), seconds=60)
    assert "MemoryError" in limited.stderr and free.stdout == "enough\n"


def test_without_limits_a_service_answers_all_the_same(monkeypatch, no):
    no("resource")
    system.limit_memory(1)
    assert bytes(1 << 20)
    hidden = "import sys; sys.modules['resource'] = None; sys.modules['fcntl'] = None\n"
    program = hidden + "from course_lib.session import processes; processes.serve(sys.argv)"
    started = processes.start

    def without(*arguments: str, **options: object) -> subprocess.Popen:
        return started("-c", program, *arguments[2:], **options)

    monkeypatch.setattr(processes, "start", without)
    with guard.Guard() as guarded, pytest.raises(guard.ModelError):
        guarded.run(b"no model", np.zeros((1, 2), np.float32))


def test_the_peak_of_memory_is_what_was_used():
    size = 200_000_000
    code = (
        "from course_lib.session import system; before = system.peak_memory()\n"
        "kept = b'x' * {}; print(system.peak_memory() - before)"
    )
    grown = int(processes.run("-c", code.format(size), seconds=60).stdout)
    assert 0.9 * size < grown < 1.2 * size


def test_the_peak_of_memory_without_a_page_of_its_own(monkeypatch, no):
    there = system.peak_memory()
    monkeypatch.setattr(system, "_own_page", refuse)
    assert system.peak_memory() >= 0.5 * there
    used = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda _: SimpleNamespace(ru_maxrss=5_000))
    monkeypatch.setitem(sys.modules, "resource", used)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert system.peak_memory() == 5_000
    no("resource")
    assert system.peak_memory() == 0


def test_what_only_linux_tells_is_none_elsewhere(monkeypatch):
    monkeypatch.setattr(system, "_own_page", refuse)
    assert system.resident_bytes(4096) is None


@pytest.mark.parametrize("library", [object(), None], ids=["another one", "Windows"])
def test_another_c_library_loses_a_figure_and_nothing_else(monkeypatch, library):
    def opened(name: str | None) -> object:
        if library is None:
            raise TypeError("'NoneType' has no attribute 'rfind'")  # as Windows says it
        return library

    monkeypatch.setattr(ctypes, "CDLL", opened)
    assert system.heap_in_use() is None
    system.keep_freed_memory.__wrapped__()


@LINUX
def test_the_heap_counts_what_is_asked_of_it():
    system_library = ctypes.CDLL(None)
    system_library.malloc.restype = ctypes.c_void_p
    system_library.free.argtypes = [ctypes.c_void_p]
    before = system.heap_in_use()
    block = system_library.malloc(ctypes.c_size_t(50_000_000))
    during = system.heap_in_use()
    system_library.free(block)
    assert 50_000_000 <= during - before < 51_000_000


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, None), (0, None), (1, None), (255, None),
        (-9, "SIGKILL"), (-11, "SIGSEGV"), (-200, "signal 200"),
        (0xC0000005, "0xC0000005"), (0xC00000FD, "0xC00000FD"), (0x7FFFFFFF, None),
    ],
)  # fmt: skip
def test_what_ended_a_process(code, said):
    assert system.crash(code) == said


@pytest.mark.posix
def test_a_process_that_was_killed_says_so():
    killed = processes.start("-c", "import os; os.kill(os.getpid(), 9)")
    assert system.crash(killed.wait(60)) == "SIGKILL"


def test_a_python_that_is_started_speaks_utf_8_whatever_the_locale_is(monkeypatch):
    """Where the locale knows no such letters, as code page 1252 of Windows has no arrow."""
    poor = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for name, value in poor.items():
        monkeypatch.setenv(name, value)
    say = ("-c", r"print('\u2192')")
    assert processes.run(*say, seconds=60).stdout == "→\n"
    assert processes.start(*say, piped=True).communicate(timeout=60)[0] == "→\n"
    without = subprocess.run([sys.executable, *say], capture_output=True, timeout=60)
    assert b"UnicodeEncodeError" in without.stderr


@pytest.mark.parametrize("folder", ["course_lib", "tools", "data/recipe", "benchmarks"])
def test_every_text_is_opened_in_a_named_encoding(folder):
    """Else Windows takes its own; `importlib.metadata` and the like have no choice."""
    found = []
    for path in sorted((CODE.parent / folder).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _opens_as_it_likes(call):
                found.append(f"{path.name}:{call.lineno}")
    assert [each for each in found if not each.startswith("visible.py")] == []


@pytest.mark.parametrize(
    ("call", "guilty"),
    [
        ("open(p)", True), ("p.open('w')", True), ("p.read_text()", True),
        ("p.write_text(t)", True), ("p.read_text(errors='replace')", True),
        ("open(p, 'rb')", False), ("p.open('wb')", False), ("p.read_text('utf-8')", False),
        ("p.write_text(t, 'utf-8')", False), ("open(p, encoding='utf-8')", False),
        ("zip.open('name')", False), ("os.open(p, os.O_RDONLY)", False),
    ],
)  # fmt: skip
def test_a_text_without_its_encoding_is_found(call, guilty):
    assert _opens_as_it_likes(ast.parse(call).body[0].value) == guilty


def _opens_as_it_likes(call: ast.Call) -> bool:
    """Tell whether a call opens, reads or writes a text and leaves its encoding to the system."""
    of_path = isinstance(call.func, ast.Attribute)
    name = call.func.attr if of_path else getattr(call.func, "id", "")
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    if name in ("read_text", "write_text"):
        return of_path and len(call.args) < 1 + (name == "write_text")
    if name != "open":
        return False
    modes = [each.value for each in call.args[: 2 - of_path] if isinstance(each, ast.Constant)]
    if of_path:  # a path's: the first argument is a mode, as an archive's is not
        return bool(modes) and set(modes[0]) <= set("rwax+t")
    return "b" not in "".join(map(str, modes))


def test_no_other_module_asks_the_system_itself():
    """What is POSIX's alone stands in one module; grading, which needs Linux, is left out."""
    found = []
    for path in sorted(CODE.rglob("*.py")):
        place = path.relative_to(CODE).as_posix()
        if place.startswith(OF_LINUX) or place == "session/system.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            found += [(place, name) for name in names if name in POSIX_ALONE]
            if isinstance(node, ast.Constant) and str(node.value).startswith(("/proc/", "/dev/")):
                found.append((place, node.value))
            if isinstance(node, ast.Attribute) and node.attr in ("fork", "SIGKILL", "geteuid"):
                found.append((place, node.attr))
    assert found == []


@pytest.mark.posix
def test_every_room_is_imported_where_nothing_of_posix_is(tmp_path):
    """All modules that lessons use, in a Python that has none of those modules."""
    modules = [
        "course_lib." + path.relative_to(CODE).with_suffix("").as_posix().replace("/", ".")
        for path in sorted(CODE.rglob("*.py"))
        if "_main_" not in path.name and not path.relative_to(CODE).as_posix().startswith(OF_LINUX)
    ]
    hidden = f"import sys; sys.modules.update(dict.fromkeys({sorted(POSIX_ALONE - {'posix'})}))\n"
    code = hidden + "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"
    run = processes.run("-c", code, *modules, seconds=120)
    assert run.returncode == 0, run.stderr
    assert len(modules) > 150 and os.name == "posix"
