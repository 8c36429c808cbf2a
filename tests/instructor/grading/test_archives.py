"""Every file of a folder or a zip is found and named harmlessly; nothing is unpacked."""

from __future__ import annotations

import io
import os
import stat
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.instructor.grading import archives


def zipped(entries):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return data.getvalue()


def walked(path, export=True):
    return {each.origin: each for each in archives.walk(path, export)}


def test_every_file_of_a_folder_is_told(tmp_path):
    files = {
        "a/X.IPYNB": "notebook",
        "a/x.ipynb.txt": "notebook",
        "a/x.ipynb.json": "notebook",
        "a/report.json": "report",
        "submission_metadata.yml": "roll",
        "L_ann_attempt_2024-01-02-12-30-00.txt": "roll",
    }
    rest = {
        "a/x.tar.gz": "kind .tar.gz is not read",
        "a/x.7Z": "kind .7z is not read",
        "a/x.rar": "kind .rar",
        "a/x.py": "no notebook",
        "a/x.json": "no notebook",
        "a/.DS_Store": "hidden",
        "a/._x.ipynb": "hidden",
        "desktop.ini": "hidden",
        "__MACOSX": "hidden",
        ".git": "hidden",
        "a/.ipynb_checkpoints": "hidden",
        "a/link.ipynb": "link",
        "b": "link",
    }
    for name in [*files, *rest]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if name in ("__MACOSX", ".git", "a/.ipynb_checkpoints"):
            path.mkdir()
            (path / "x.ipynb").write_text("x")
        elif rest.get(name) == "link":
            path.symlink_to(tmp_path if name == "b" else tmp_path / "a/X.IPYNB")
        else:
            path.write_text("x")
    found = walked(tmp_path)
    assert set(found) == {*files, *rest}
    for name, kind in files.items():
        assert found[name].kind == kind and found[name].data == b"x"
    for name, said in rest.items():
        assert not found[name].data
        assert said in found[name].problem + found[name].why or name == "b"
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert "no plain file" in walked(tmp_path)["pipe.ipynb"].problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path):
    for name in ("a/x.ipynb", "b/x.ipynb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    (tmp_path / "a").chmod(0)
    (tmp_path / "b/x.ipynb").chmod(0)
    try:
        found = walked(tmp_path)
    finally:
        (tmp_path / "a").chmod(0o700)
    assert (
        "may not be read" in found["a"].problem and "cannot be read" in found["b/x.ipynb"].problem
    )


def test_a_zip_leads_nowhere_and_holds_no_link(tmp_path):
    link = zipfile.ZipInfo("a/link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "z.ZIP"
    inner = zipped({"Bob_1_assignsubmission_file_/x.ipynb": b"i", "z.zip": zipped({"y.ipynb": ""})})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../../b/x.ipynb", b"x")
        archive.writestr("C:\\d\\x.ipynb", b"x")
        archive.writestr("e/work.zip", inner)
        archive.writestr("f/empty.zip", zipped({}))
        archive.writestr("g/no.zip", b"no zip")
    found = walked(path)
    places = {each.removeprefix("z.ZIP/"): "/".join(found[each].place) for each in found}
    assert places == {
        "a/link.ipynb": "a/link.ipynb",
        "b/x.ipynb": "b/x.ipynb",
        "d/x.ipynb": "d/x.ipynb",
        "e/work.zip/Bob_1_assignsubmission_file_/x.ipynb": "e/work.zip",  # names inside say nothing
        "e/work.zip/z.zip/y.ipynb": "e/work.zip",
        "f/empty.zip": "f/empty.zip",
        "g/no.zip": "g/no.zip",
    }
    for name, said in (("a/link.ipynb", "link"), ("f/empty.zip", "empty"), ("g/no.zip", "damaged")):
        assert said in found[f"z.ZIP/{name}"].problem
    assert {"/".join(each.place) for each in archives.walk(path, False)} == {"z.ZIP"}


def test_zips_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "z.zip"
    path.write_bytes(zipped({f"{each}.ipynb": b"x" * 1000 for each in range(30)}))
    monkeypatch.setattr(archives, "_MOST_ENTRIES", 20)
    monkeypatch.setattr(archives._Budget, "__init__", lambda self: setattr(self, "entries", 20)
                        or setattr(self, "bytes", 10_500))  # fmt: skip
    found = list(archives.walk(path, True))
    assert len(found) == 21 and "more than 20 entries" in found[-1].problem
    assert sum(bool(each.data) for each in found) == 10 and "unpacks to more" in found[10].problem
    deep = zipped({"x.ipynb": b"x"})
    for _ in range(4):
        deep = zipped({"in.zip": deep})
    path.write_bytes(deep)
    (only,) = archives.walk(path, True)
    assert "zips in zips in zips" in only.problem


def test_names_without_the_bit_that_says_utf8(tmp_path):
    path = tmp_path / "z.zip"
    data = zipped({"müller/x.ipynb": b"x"})
    path.write_bytes(data.replace(b"\x00\x08", b"\x00\x00"))  # the flags of both headers
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() != ["müller/x.ipynb"]
    assert list(walked(path)) == ["z.zip/müller/x.ipynb"]


@given(st.text(), st.text())
def test_names_are_printable_and_stay_different(a, b):
    shown = [archives.printable(each) for each in (a, b)]
    assert all(each.isprintable() and each and len(each) <= 240 for each in shown)
    assert all(each.encode() for each in shown)

    alike = [unicodedata.normalize("NFC", each) for each in (a, b)]
    if "\\" not in a + b and not any(each.isspace() for each in a + b):
        assert (shown[0] == shown[1]) == (alike[0] == alike[1]) or "_" in shown
    names = sorted([a, b, "x-10", "x-9", "x", "7" * 5000, "10²"], key=archives.in_order)
    assert [each for each in names if each in ("x", "x-9", "x-10")][:3] == ["x", "x-9", "x-10"]
