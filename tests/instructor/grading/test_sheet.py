"""Tables as spreadsheets and platforms write them, and back byte for byte where nothing changed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.instructor.grading import sheet
from course_lib.instructor.grading.roster import CollectError

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\x00"), max_size=8)


def table(text: str, encoding: str, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return sheet.read_sheet(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_is_written_as_it_was_read(encoding, separator, end, tmp_path):
    lines = [["Name", "Note"], ["Zoë", ""], ["Lee, Ann; \t", 'said "no"']]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=end).writerows(lines)
    read = table(buffer.getvalue(), encoding, tmp_path)
    assert read.rows == lines
    assert read.to_bytes() == (tmp_path / "table.csv").read_bytes()


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_no_cell_is_lost(rows):
    before = sheet.Sheet([["a", "b"], *rows], "utf-8", ",", "\n", "")
    path_like = type("Path", (), {"read_bytes": lambda self: before.to_bytes()})()
    after = sheet.read_sheet(path_like)
    assert after.rows == [row for row in before.rows if any(row)]


def test_short_lines_are_filled_and_long_ones_refused(tmp_path):
    assert table("a,b,c\n1\n\n2,3\n", "utf-8", tmp_path).rows[1:] == [["1", "", ""], ["2", "3", ""]]
    with pytest.raises(CollectError, match="line of x has more cells"):
        table("a,b\nx,1,2\n", "utf-8", tmp_path)
    with pytest.raises(CollectError, match="cannot be read"):
        sheet.read_sheet(tmp_path / "none.csv")
    with pytest.raises(CollectError, match="is no table"):
        table("a,b\n" + "x" * 200_000 + ",1\n", "utf-8", tmp_path)
    assert table("", "utf-8", tmp_path).rows == []
