"""Downloads against a server with faults: nothing half written, nothing lost, one sentence."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.sound.download import DownloadError, Remote, _alone, fetch
from tests.faulty_server import Faulty, served
from tests.one_sentence import one_sentence

DATA = bytes(range(256)) * 4096  # 1 MiB that is the same everywhere


@pytest.fixture
def server():
    with served({"words.tar.gz": DATA}) as running:
        yield running


def remote(server: Faulty, data: bytes = DATA) -> Remote:
    return Remote(server.url("words.tar.gz"), len(data), hashlib.sha256(data).hexdigest())


def get(server: Faulty, folder: Path, data: bytes = DATA, **options) -> Path:
    """Fetch without waiting between tries, and with little patience for a silent server."""
    waited: list[float] = []
    options = {"patience_seconds": 0.4, "tries": 3, "pause": waited.append, **options}
    return fetch(remote(server, data), folder, **options)


def left(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_a_file_arrives_whole_and_is_fetched_once(server, tmp_path):
    counted = []
    path = get(server, tmp_path / "new", progress=lambda done, total: counted.append((done, total)))
    assert path.read_bytes() == DATA and left(path.parent) == {"words.tar.gz": len(DATA)}
    assert counted[-1] == (len(DATA), len(DATA)) and counted == sorted(counted)
    assert get(server, tmp_path / "new") == path and len(server.asked) == 1


@pytest.mark.parametrize("fault", ["cut", "stall", "hangs up", "500", "503", "wrong part"])
def test_a_passing_trouble_is_taken_up_again(server, tmp_path, fault):
    server.faults = ["cut", fault]
    assert get(server, tmp_path).read_bytes() == DATA
    assert left(tmp_path) == {"words.tar.gz": len(DATA)}
    had = [int(asked.get("Range", "bytes=0-")[6:-1]) for asked in server.asked]
    assert had[0] == 0 and had[1] == len(DATA) // 2 and len(had) == 3
    assert had[2] == (3 * len(DATA) // 4 if fault in ("cut", "stall") else had[1])


def test_a_slow_server_is_waited_for(server, tmp_path):
    server.faults = ["trickle"]
    assert get(server, tmp_path).read_bytes() == DATA and len(server.asked) == 1


@pytest.mark.parametrize("fault", ["hangs up", "stall", "500"])
def test_after_some_tries_it_gives_up_and_the_next_call_goes_on(server, tmp_path, fault):
    server.faults = ["cut", *3 * ["500" if fault == "500" else "hangs up"]]
    with pytest.raises(DownloadError, match="goes on from there") as error:
        get(server, tmp_path)
    assert "0.5 MB of 1.0 MB" in one_sentence(error)
    assert left(tmp_path)["words.tar.gz.part"] == len(DATA) // 2
    assert not (tmp_path / "words.tar.gz").exists()
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.asked[-1]["Range"] == f"bytes={len(DATA) // 2}-"


def test_waits_grow_between_tries_without_a_new_byte(server, tmp_path):
    server.faults, waited = 4 * ["500"], []
    with pytest.raises(DownloadError, match="HTTP 500"):
        get(server, tmp_path, tries=4, pause=waited.append)
    assert waited == [1, 2, 4]


@pytest.mark.parametrize("status", ["404", "403", "410"])
def test_a_file_that_is_not_there_is_told_at_once(server, tmp_path, status):
    server.faults = [status]
    with pytest.raises(DownloadError, match=f"HTTP {status}") as error:
        get(server, tmp_path)
    assert "bundled" in one_sentence(error) and len(server.asked) == 1
    assert not (tmp_path / "words.tar.gz").exists()


@pytest.mark.parametrize("fault", ["short", "long", "no end"])
def test_a_wrong_length_is_refused(server, tmp_path, fault):
    server.faults = [fault]
    with pytest.raises(DownloadError, match="another words.tar.gz") as error:
        get(server, tmp_path)
    assert "bytes" in one_sentence(error) and not (tmp_path / "words.tar.gz").exists()
    assert get(server, tmp_path).read_bytes() == DATA


def test_a_file_that_became_shorter_than_what_is_here_is_refused(server, tmp_path):
    server.faults = ["cut", "short"]
    with pytest.raises(DownloadError, match="fewer bytes") as error:
        get(server, tmp_path)
    one_sentence(error)


def test_other_content_of_the_same_length_is_thrown_away(server, tmp_path):
    server.files["words.tar.gz"] = DATA[::-1]
    with pytest.raises(DownloadError, match="not kept") as error:
        get(server, tmp_path)
    one_sentence(error)
    assert left(tmp_path) == {"words.tar.gz.part": 0}
    server.files["words.tar.gz"] = DATA
    assert get(server, tmp_path).read_bytes() == DATA


def test_two_versions_are_never_joined(server, tmp_path):
    """The server's file changes between the two halves; the second request says which it began."""
    server.files["words.tar.gz"], server.faults = DATA[::-1], ["cut", "500", "500", "500"]
    with pytest.raises(DownloadError):
        get(server, tmp_path)
    server.files["words.tar.gz"] = DATA
    assert get(server, tmp_path).read_bytes() == DATA
    assert "If-Range" in server.asked[-1]


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    server.faults = ["cut", "ignores ranges"]
    assert get(server, tmp_path).read_bytes() == DATA


def test_an_interrupted_download_is_resumed(server, tmp_path):
    def interrupt(done: int, total: int) -> None:
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, tmp_path, progress=interrupt)
    kept = left(tmp_path)["words.tar.gz.part"]
    assert 0 < kept < len(DATA)
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.asked[-1]["Range"] == f"bytes={kept}-"


def test_a_killed_download_is_resumed_by_another_process(server, tmp_path):
    """The process is gone in the middle, with no chance to clean up; its lock is gone with it."""
    server.faults = ["stall"]
    code = (
        "import sys, os; from pathlib import Path\n"
        "from course_lib.sound.download import Remote, fetch\n"
        "url, size, digest, folder = sys.argv[1:]\n"
        "def progress(done, total):\n    if done > 200_000: os._exit(9)\n"
        "fetch(Remote(url, int(size), digest), Path(folder), progress)"
    )
    about = remote(server)
    given = [about.url, str(about.bytes), about.sha256, str(tmp_path)]
    run = subprocess.run([sys.executable, "-c", code, *given], timeout=60)
    assert run.returncode == 9 and (tmp_path / "words.tar.gz.part").exists()
    assert get(server, tmp_path).read_bytes() == DATA
    assert left(tmp_path) == {"words.tar.gz": len(DATA)}


def test_two_at_once_do_not_mix(server, tmp_path):
    with _alone(tmp_path / "words.tar.gz.part"), pytest.raises(DownloadError) as error:
        get(server, tmp_path)
    assert "Another notebook" in one_sentence(error) and server.asked == []
    assert get(server, tmp_path).read_bytes() == DATA


def test_no_network_is_one_sentence(tmp_path):
    with served({}) as gone:
        nobody = Remote(gone.url("words.tar.gz"), 5, "0" * 64)
    with pytest.raises(DownloadError, match="no connection to 127.0.0.1") as error:
        fetch(nobody, tmp_path, tries=2, pause=lambda seconds: None)
    one_sentence(error)


def test_a_full_disk_is_told_before_and_during(server, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="make room") as error:
        get(server, tmp_path)
    assert "WORKBOOK_CACHE" in one_sentence(error) and server.asked == []
    monkeypatch.undo()

    def full(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DownloadError, match="disk with .* is full") as error:
        get(server, tmp_path, progress=full)
    one_sentence(error)
    assert get(server, tmp_path).read_bytes() == DATA


def test_a_folder_that_cannot_be_made_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="Nothing can be written") as error:
        get(server, tmp_path / "file" / "folder")
    one_sentence(error)
