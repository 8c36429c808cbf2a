"""What `make lab` opens, and where."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path

from tools import lab

ROOT = Path(__file__).resolve().parents[2]
Usage = namedtuple("Usage", "total used free")


def test_lab_opens_the_first_lesson_and_asks_nobody() -> None:
    command = lab.command(ROOT, 8888, "secret")
    assert "--ip=127.0.0.1" in command and "--IdentityProvider.token=secret" in command
    address = lab.address(lab.FIRST, 8888, "secret")
    assert address == "http://127.0.0.1:8888/lab/tree/notebooks/00_start_here.ipynb?token=secret"
    assert (ROOT / lab.FIRST).is_file()
    folder = Path(lab.settings({})["JUPYTER_CONFIG_PATH"])
    overrides = (folder / "labconfig" / "default_setting_overrides.json").read_text()
    assert '"fetchNews": "false"' in overrides
    assert json.loads(overrides)["jupyterlab-rise:plugin"]["scroll"]  # no slide is cut off
    (names,) = [each for each in command if each.startswith("--LabApp.extra_labextensions_path=")]
    assert (Path(names.partition("=")[2]) / "workbook-names" / "package.json").is_file()


def test_a_setting_of_the_caller_takes_the_place_of_ours() -> None:
    """As in a container, which has to listen to the outside."""
    own = lab.command(ROOT, 8888, "secret")
    full = lab._without_what_is_given(own, ["--ip=0.0.0.0", "--no-browser"])
    assert "--ip=127.0.0.1" not in full and full[-2:] == ["--ip=0.0.0.0", "--no-browser"]
    assert len(full) == len(own) + 1
    assert "--ip=127.0.0.1" not in lab._without_what_is_given(own, ["--ServerApp.ip=::"])


def test_the_lessons_of_the_workbook_are_trusted_and_no_others(tmp_path, monkeypatch) -> None:
    from nbformat import read
    from nbformat.sign import NotebookNotary

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    lab.trust(ROOT)
    lesson = read(ROOT / lab.FIRST, as_version=4)
    assert NotebookNotary().check_signature(lesson)
    opening = next(cell for cell in lesson.cells if cell.get("outputs"))
    opening.outputs[0].data["text/html"] = "<script>other()</script>"
    assert not NotebookNotary().check_signature(lesson)


def test_where_nothing_can_be_written_the_lab_opens_all_the_same(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file" / "below"))
    lab.trust(ROOT)


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert lab.free_port(port) > port


def test_a_display_is_told_from_none() -> None:
    assert not lab.has_display({}, "linux")
    assert lab.has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert lab.has_display({}, "darwin")
    assert not lab.has_display({"SSH_CONNECTION": "1"}, "darwin")
