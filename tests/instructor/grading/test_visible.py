"""Whatever copy of the course lies in sight of a sandbox is hidden there, solutions included."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from course_lib.instructor.grading import sandbox, visible

SOLUTION = "the solution"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a folder that a sandbox sees, with the course installed in several ways."""
    seen = tmp_path / "usr"
    for place in (
        "lib/python3.11/site-packages/course_lib",
        "local/lib/python3.12/dist-packages/course_lib",
        "src/clone/course_lib",
        "src/clone/notebooks/reference",
        "src/clone/.venv/bin",
        "elsewhere/course_lib",
        "env/course_lib",
        "env/notebooks/reference",
        "env/bin",
    ):
        (seen / place).mkdir(parents=True)
        (seen / place / "solution.py").write_text(SOLUTION)
    for clone in ("src/clone", "env"):  # the second is a virtual environment, too
        (seen / clone / "pyproject.toml").touch()
    library = seen / "lib/python3.11/site-packages"
    (library / "course_lib-1.egg").write_text(SOLUTION)
    (library / "numpy.py").write_text("not the course's")
    (library / "editable.pth").write_text("# a comment\nimport sys\n../../../elsewhere\n\n")
    (tmp_path / "home/course_lib").mkdir(parents=True)  # not in sight: nothing to hide
    view = tmp_path / "view"
    (view / "course_lib").mkdir(parents=True)
    paths = [str(seen / path) for path in ("", "src/clone/.venv", "env")]
    monkeypatch.setattr(visible, "seen", lambda: tuple(paths))
    visible._places.cache_clear()
    yield seen, view
    visible._places.cache_clear()


def places_of(seen: Path) -> list[str]:
    more = [seen / "src/clone", seen / "env", seen.parent / "home"]
    return [*visible._places(), *map(str, more)]


def test_every_copy_is_found(machine):
    seen, view = machine
    hidden = visible.hiding(view, places_of(seen))
    targets = [Path(each) for each in hidden if each.startswith(str(seen))]
    for place in ("lib/python3.11/site-packages/course_lib", "elsewhere/course_lib", "src/clone"):
        assert seen / place in targets, place
    assert seen / "local/lib/python3.12/dist-packages/course_lib" in targets
    assert seen / "lib/python3.11/site-packages/course_lib-1.egg" in targets
    assert not any("home" in each or "numpy" in each for each in hidden)


@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
def test_no_copy_can_be_read_and_this_python_can(machine):
    seen, view = machine
    system = [each for each in visible.SYSTEM if Path(each).exists()]
    system = [word for each in system for word in ("--ro-bind", each, each)]
    around = ["bwrap", *system, "--ro-bind", str(seen), str(seen)]
    search = ["grep", "-rl", SOLUTION, str(seen)]

    def found(hiding: list[str]) -> list[str]:
        done = subprocess.run(
            [*around, *hiding, *search], capture_output=True, text=True, check=False
        )
        return sorted(str(Path(line).relative_to(seen)) for line in done.stdout.splitlines())

    assert len(found([])) == 10
    left = ["env/bin/solution.py", "src/clone/.venv/bin/solution.py"]
    assert found(visible.hiding(view, places_of(seen))) == left


def test_where_it_was_installed_from_is_read():
    text = '{"dir_info": {"editable": true}, "url": "file:///usr/src/my%20clone"}'
    assert visible._source(text) == {"/usr/src/my clone"}
    assert visible._source("") == visible._source('{"url": "https://x.org/a"}') == set()


def test_folders_above_come_outermost_first():
    assert visible.parents(["/a/b/c", "/a/d"]) == ["/a", "/a/b"]
    assert visible.parents(["/a", "/a/b/c"]) == []
