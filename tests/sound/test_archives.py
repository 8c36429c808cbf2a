"""Archives are unpacked whole or not at all; what leads out, links and damage are refused."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from course_lib.sound.archives import unpack
from course_lib.sound.download import DownloadError
from tests.one_sentence import one_sentence


def tar_of(path: Path, members: dict[str, bytes], *special: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
        for about in special:
            archive.addfile(about)
    return path


def zip_of(path: Path, members: dict[str, bytes], kind: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            about = zipfile.ZipInfo(name)
            about.external_attr = kind << 16
            archive.writestr(about, data)
    return path


GOOD = {"./yes/a.wav": b"a" * 1000, "./no/b.wav": b"b", "./README.md": b"words"}


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_archives_are_unpacked_whole(make, tmp_path):
    archive = make(tmp_path / "words.archive", {**GOOD, "__MACOSX/yes/._a.wav": b"x"})
    counted = []
    folder = unpack(archive, tmp_path / "out", 10_000, lambda done, total: counted.append(done))
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    assert found == {name.removeprefix("./"): data for name, data in GOOD.items()}
    assert counted[-1] == archive.stat().st_size
    archive.write_bytes(b"gone")
    assert unpack(archive, folder, 0) == folder  # it is there already


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type, about.linkname = kind, target
    return about


OUT = ["../evil", "/tmp/evil", "yes/../../evil", "..", "C:\\evil", "yes\\..\\..\\evil", "c:evil"]


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("name", OUT)
def test_a_path_that_leads_out_is_refused(make, name, tmp_path):
    refused(make(tmp_path / "words.archive", {**GOOD, name: b"evil"}), tmp_path, "leads out")


@pytest.mark.parametrize(
    ("kind", "target", "told"),
    [
        (tarfile.SYMTYPE, "/etc/passwd", "a link"),
        (tarfile.SYMTYPE, "a.wav", "a link"),
        (tarfile.LNKTYPE, "./yes/a.wav", "a link"),
        (tarfile.CHRTYPE, "", "a device"),
        (tarfile.BLKTYPE, "", "a device"),
        (tarfile.FIFOTYPE, "", "a device"),
    ],
)
def test_links_and_devices_are_refused(kind, target, told, tmp_path):
    archive = tar_of(tmp_path / "words.archive", GOOD, special("yes/c.wav", kind, target))
    refused(archive, tmp_path, told)


def test_a_folder_outside_and_a_link_in_a_zip_are_refused(tmp_path):
    refused(
        tar_of(tmp_path / "1", GOOD, special("../evil", tarfile.DIRTYPE)), tmp_path, "leads out"
    )
    refused(zip_of(tmp_path / "2", {"link": b"/etc"}, stat.S_IFLNK | 0o777), tmp_path, "a link")
    refused(zip_of(tmp_path / "3", {"pipe": b""}, stat.S_IFIFO | 0o777), tmp_path, "a device")


def test_too_much_twice_the_same_and_damage_are_refused(tmp_path):
    refused(tar_of(tmp_path / "1", GOOD), tmp_path, "would fill more", most=500)
    twice = tar_of(tmp_path / "2", {"yes/a": b"1", "./yes/a": b"2"})
    refused(twice, tmp_path, "damaged")
    refused(tar_of(tmp_path / "3", {"yes": b"1", "yes/a": b"2"}), tmp_path, "damaged")
    whole = tar_of(tmp_path / "4", {"yes/a": os.urandom(50_000)})
    whole.write_bytes(whole.read_bytes()[:30_000])
    refused(whole, tmp_path, "damaged", most=10**6)
    whole = zip_of(tmp_path / "5", {"yes/a": os.urandom(50_000)})
    content = bytearray(whole.read_bytes())
    content[20_000] ^= 1
    whole.write_bytes(content)
    refused(whole, tmp_path, "damaged", most=10**6)
    (tmp_path / "6").write_bytes(b"<html>Sign in to this network</html>")
    refused(tmp_path / "6", tmp_path, "no archive")


def refused(archive: Path, folder: Path, told: str, most: int = 10_000) -> None:
    """Refuse, in one sentence that names the archive, and leave nothing behind."""
    before = sorted(folder.iterdir())
    with pytest.raises(DownloadError, match=told) as error:
        unpack(archive, folder / "out", most)
    assert archive.name in one_sentence(error)
    assert sorted(folder.iterdir()) == before and not Path("/tmp/evil").exists()


def test_a_full_disk_leaves_nothing_unpacked(tmp_path, monkeypatch):
    archive = tar_of(tmp_path / "words.archive", GOOD)

    def full(source, file) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(DownloadError, match="is full") as error:
        unpack(archive, tmp_path / "out", 10_000)
    one_sentence(error)
    assert [path.name for path in tmp_path.iterdir()] == ["words.archive"]
