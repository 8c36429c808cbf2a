"""Read a CSV as spreadsheets and platforms write it, and write it again in the same way."""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from course_lib.instructor.grading.roster import CollectError

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass
class Sheet:
    """A table: `rows[0]` is the heading, and all rows have its length."""

    rows: list[list[str]]
    encoding: str
    separator: str
    line_end: str
    mark: str

    def to_bytes(self) -> bytes:
        """Return the file: encoding, byte order mark, separator and line ends as they were."""
        text = "".join(self._line(row) + self.line_end for row in self.rows)
        return (self.mark + text).encode(self.encoding, "replace")

    def _line(self, row: list[str]) -> str:
        buffer = io.StringIO()  # with both line ends as its own, csv quotes cells that hold either
        csv.writer(buffer, delimiter=self.separator, lineterminator="\r\n").writerow(row)
        return buffer.getvalue().removesuffix("\r\n")


def read_sheet(path: Path) -> Sheet:
    """Read a CSV in the encoding and with the separator that it has; empty lines are left out.

    Raises CollectError where it cannot be read or has a line that is longer than its heading.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CollectError(f"{path} cannot be read: {error.strerror}.") from error
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = "latin-1", data.decode("latin-1")  # keeps every byte
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, ""), delimiter=separator) if any(row)]
    except csv.Error as error:
        raise CollectError(f"{path} is no table: {error}.") from error
    width = len(rows[0]) if rows else 0
    if long := next((row for row in rows if len(row) > width), None):
        raise CollectError(f"{path}: the line of {long[0]} has more cells than the heading.")
    rows = [row + [""] * (width - len(row)) for row in rows]
    return Sheet(rows, encoding, separator, "\r\n" if heading.endswith("\r") else "\n", mark)
