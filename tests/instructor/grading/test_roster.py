"""Students are known by any of their names."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import roster


def test_a_roster(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(
        "\ufeffFirst Name,Last Name,SID,Email Address,Section\n"
        "Ada,Lovelace,s01,ada@x.org,1\nGrace,Hopper,s02,ghopper@x.org,2\n,,,,\n",
        encoding="utf-8",
    )
    students = roster.read_roster(path)
    assert [each.name for each in students] == ["Ada Lovelace", "Grace Hopper"]
    for name, identifier in (
        ("Ada Lovelace", "s01"),
        ("lovelaceada", "s01"),
        ("s02", "s02"),
        ("tinyml-ghopper", "tinyml-ghopper"),  # perhaps a stranger's login
        ("ghopper", "s02"),
        ("Alan", "Alan"),
    ):
        assert roster.known(name, students) == identifier
    path.write_text("colour,size\nred,5\n")
    with pytest.raises(roster.CollectError, match="no column called name"):
        roster.read_roster(path)
    with pytest.raises(roster.CollectError, match="cannot be read"):
        roster.read_roster(tmp_path / "none.csv")
