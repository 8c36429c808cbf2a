"""The start of every lesson: quiet, repeatable, and the same wherever it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from course_lib import session
from course_lib.session import files

ROOT = Path(__file__).resolve().parents[2]


def _python(code: str, **options) -> subprocess.CompletedProcess:
    """Run code in a fresh Python that finds course_lib."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, **options
    )


def test_start_prints_one_line_and_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    session.start("01")
    first = numpy.random.random()
    session.start("01")
    assert numpy.random.random() == first
    assert capsys.readouterr().out == "Lesson 01 is ready.\n" * 2


def test_quiet_swallows_python_children_and_descriptors(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with session.quiet():
        print("python")
        print("error", file=sys.stderr)
        os.write(1, b"descriptor")
        os.system("echo child >&2")
        with session.quiet():
            print("nested")
    print("after")
    assert capfd.readouterr() == ("after\n", "")


def test_quiet_adds_what_it_swallowed_to_an_exception() -> None:
    with pytest.raises(ZeroDivisionError) as caught, session.quiet():
        os.write(2, b"the reason\n")
        _ = 1 / 0
    assert "the reason" in caught.value.__notes__[0]


def test_a_stream_kept_from_a_quiet_block_works_afterwards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Loggers keep sys.stderr as it was when they were made, also inside a quiet import."""
    with session.quiet():
        kept = sys.stderr
    kept.write("later")
    assert capsys.readouterr().err == "later"


def test_importing_tensorflow_prints_nothing() -> None:
    code = (
        "from course_lib import session; tf = session.import_tensorflow();"
        "assert not tf.config.get_visible_devices('GPU'); tf.constant(1) + 1"
    )
    run = _python(code)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_importing_course_lib_is_quick_and_loads_no_tensorflow() -> None:
    code = (
        "import sys, time; began = time.perf_counter(); import course_lib;"
        "print(time.perf_counter() - began);"
        "print(*{'tensorflow', 'matplotlib', 'keras'} & set(sys.modules))"
    )
    seconds, loaded = min(_python(code).stdout.splitlines() for _ in range(3))
    assert float(seconds) < 0.15
    assert loaded == ""


def test_data_path_finds_the_clone() -> None:
    assert session.data_path("models", "spotter_int8.tflite") == (
        ROOT / "data" / "models" / "spotter_int8.tflite"
    )


def test_data_path_says_what_to_do_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "PACKAGE", tmp_path / "course_lib")
    with pytest.raises(FileNotFoundError, match="reinstall"):
        session.data_path("models")


def test_workspace_is_fresh_relative_and_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = session.workspace("04")
    (folder / "left over").write_text("x")
    again = session.workspace("04")
    assert str(again) == str(Path("work/04")) and not list(again.iterdir())


def test_workspace_falls_back_to_a_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "work").write_text("a file where a folder should be")
    monkeypatch.chdir(tmp_path)
    folder = session.workspace("04")
    assert folder.is_dir() and tmp_path not in folder.parents


@pytest.mark.posix
def test_write_atomically_replaces_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    assert session.write_atomically(path, "ü") == path
    session.write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~files._umask()


def test_write_atomically_keeps_the_old_file_where_writing_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = session.write_atomically(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        session.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_in_colab_is_told_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    assert not session.in_colab()
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert session.in_colab()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's alone")
@pytest.mark.parametrize(
    "begin", ["session.start('01')", "session.import_tensorflow()", "session.keep_freed_memory()"]
)
def test_freed_memory_is_used_again(begin: str) -> None:
    """Blocks of 40 MB, freed and asked for again in a thread, as a step of training does.

    Without a beginning, glibc gets each of them anew from the system, page by page.
    """
    code = (
        "import threading, resource; from course_lib import session\n{}\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def step(): return [len(b'x' * 40_000_000) for _ in range(10)]\n"
        "def run(): step(); before = faults(); step(); print(faults() - before)\n"
        "thread = threading.Thread(target=run); thread.start(); thread.join()\n"
        "run()"
    )
    without, kept = (
        [int(word) for word in _python(code.format(beginning)).stdout.split()[-2:]]
        for beginning in ("", begin)
    )
    assert min(without) > 1_000 and max(kept) < 200
