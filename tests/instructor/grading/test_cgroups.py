"""A group is made where the system hands the controllers down, and only there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from course_lib.instructor.grading import cgroups


@pytest.fixture
def system(tmp_path):
    """Return a tree of files as that of cgroups v2, and what lists mounts in /proc."""
    root = tmp_path / "fs" / "cgroup"
    for name in ("", "user.slice", "user.slice/session.scope"):
        place = root / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "cgroup.subtree_control").write_text("")
        (place / "cgroup.procs").write_text("")
    process = tmp_path / "self"
    process.mkdir()
    mounts = process / "mountinfo"
    mounts.write_text(
        f"24 1 0:22 / /proc rw - proc proc rw\n29 23 0:26 / {root} rw,nosuid - cgroup2 cgroup2 rw\n"
    )
    (process / "cgroup").write_text("0::/user.slice/session.scope\n")
    return root, mounts


def hand_down(place: Path, names: str) -> None:
    (place / "cgroup.subtree_control").write_text(names)


def test_the_innermost_group_that_hands_both_down_is_taken(system):
    root, mounts = system
    hand_down(root, "cpu memory pids")
    hand_down(root / "user.slice", "memory pids")
    with cgroups.group(1 << 20, 77, str(mounts)) as place:
        assert place.parent == root / "user.slice"
        assert (place / "memory.max").read_text() == str(1 << 20)
        assert (place / "pids.max").read_text() == "77"
        assert (place / "memory.oom.group").read_text() == "1"


@pytest.mark.parametrize("names", ["", "cpu memory", "pids"])
def test_without_the_controllers_there_is_none(system, names):
    root, mounts = system
    hand_down(root, names)
    with cgroups.group(1 << 20, 77, str(mounts)) as place:
        assert place is None
    assert not list(root.glob("workbook-*"))


def test_a_system_without_version_2_has_none(tmp_path):
    (tmp_path / "mountinfo").write_text(
        "29 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n"
    )
    (tmp_path / "cgroup").write_text("4:memory:/x\n0::/\n")
    for mounts in (tmp_path / "mountinfo", tmp_path / "nothing"):
        with cgroups.group(1, 1, str(mounts)) as place:
            assert place is None


def test_kills_are_read_and_none_where_there_is_no_group(tmp_path):
    (tmp_path / "memory.events").write_text("low 0\nmax 7\noom 2\noom_kill 3\n")
    assert cgroups.kills(tmp_path) == 3
    assert cgroups.kills(None) == cgroups.kills(tmp_path / "gone") == 0


def test_the_command_enters_first_and_runs_even_where_it_may_not(tmp_path):
    for place in (tmp_path, tmp_path / "gone"):
        command = [*cgroups.entering(place), "echo", "a b"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == "a b\n"
    assert (tmp_path / "cgroup.procs").read_text().strip().isdigit()
    assert cgroups.entering(None) == []
