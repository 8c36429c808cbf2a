"""The sketch, compiled against stand-ins and run behind a pseudo terminal, answers as the C."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from course_lib import quantize, tflite
from course_lib.micro import board, plain_c
from course_lib.sound import dataset, features

compiled = pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler (g++)")
STUBS = Path(__file__).parent / "stubs"


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture(scope="module")
def folder(model: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("spotter")
    for name, text in board.sketch(plain_c.generate(model)).items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def _made(folder: Path, main: str, *flags: str) -> None:
    """Compile the sketch as Arduino does: the .ino is C++ between two lines that it adds."""
    (folder / "main.cpp").write_text(f'#include <PDM.h>\n#include "spotter.ino"\n{main}')
    sources = sorted(path.name for path in folder.glob("*.c"))
    for source in sources:
        command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-c", source]
        subprocess.run(command, cwd=folder, check=True)
    objects = [source.replace(".c", ".o") for source in sources]
    command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", *flags, f"-I{STUBS}", "main.cpp"]
    subprocess.run([*command, *objects, "-lm", "-o", "sketch"], cwd=folder, check=True)


@pytest.fixture
def port(folder: Path) -> Iterator[str]:
    """A pseudo terminal with the sketch at its other end."""
    tty = pytest.importorskip("tty", exc_type=ImportError)
    _made(folder, "int main() { setup(); for (;;) loop(); }\n")
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    running = subprocess.Popen([folder / "sketch"], stdin=ours, stdout=ours)
    yield os.ttyname(theirs)
    running.kill()
    running.wait()
    os.close(ours)
    os.close(theirs)


@compiled
def test_clips_get_the_bytes_of_the_integer_layers(port: str, model: bytes) -> None:
    clips = dataset.bundled("test")[::40]
    answers = board.ask(port, clips.waves)
    theirs = quantize.run_integer(model, features.log_mel(clips.waves)).output
    assert np.array_equal(answers.stored.argmax(1), theirs.argmax(1))
    assert (answers.stored == theirs).mean() > 0.95  # features differ in their last bits
    assert answers.milliseconds.tolist() == [1.234] * len(clips)


@compiled
def test_a_word_in_the_microphone_is_named_once(folder: Path) -> None:
    clips, pause = dataset.bundled("test"), np.zeros(16_000, np.float32)
    said = [clips.where(word=word).waves[0] for word in ("yes", "no", "stop", "yes")]
    sound = np.concatenate([pause, *(part for wave in said for part in (wave, pause))])
    (folder / "sound.raw").write_bytes((sound * 32_767).astype("<i2").tobytes())
    _made(folder, "int main() { setup(); while (PDM.deliver()) loop(); }\n")
    with subprocess.Popen([folder / "sketch"], cwd=folder, stdin=-1, stdout=-1, text=True) as run:
        heard = run.stdout.read().split("\n")
    assert heard == ["ready", "word yes", "word no", "word yes", ""]


@compiled
def test_what_a_board_says_is_compared(port: str, model: bytes) -> None:
    compared = board.compare(port, model, dataset.bundled("test").waves[::60])
    assert (compared.clips, compared.other_words) == (5, 0)
    assert compared.milliseconds == 1.234 and 0 < compared.expected[0] < compared.expected[1]
    assert str(compared).startswith(f"{port}: 5 clips, 0 with another word")


@compiled
def test_the_sketch_compiles_for_an_esp32_too(folder: Path) -> None:
    _made(folder, "int main() {}\n", "-DARDUINO_ARCH_ESP32")


@pytest.mark.posix
def test_what_does_not_answer_is_said(tmp_path: Path) -> None:
    silent = np.zeros((1, 16_000), np.float32)
    with pytest.raises(board.BoardError, match="cannot be opened; ports with a board"):
        board.ask(str(tmp_path / "no port"), silent)
    ours, theirs = os.openpty()
    with pytest.raises(board.BoardError, match="is the sketch on the board"):
        board.ask(os.ttyname(theirs), silent, seconds=0.2)
    os.close(ours)
    os.close(theirs)
    with pytest.raises(ValueError, match="are wanted"):
        board.ask("anywhere", silent[0])


@compiled
def test_every_port_gets_its_line(port: str, model: bytes, monkeypatch, tmp_path: Path) -> None:
    waves = dataset.bundled("test").waves[:1]
    monkeypatch.setattr(board, "ports", lambda: (port, str(tmp_path / "gone")))
    first, second = board.report(model, waves).splitlines()
    assert "1 clip, 0 with another word" in first and "cannot be opened" in second
    monkeypatch.setattr(board, "ports", lambda: ())
    assert board.report(model, waves) == "No board is plugged in here."


def test_without_pyserial_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(board.BoardError, match="pip install pyserial"):
        board.ask("anywhere", np.zeros((1, 16_000), np.float32))


@pytest.mark.parametrize(
    "labels, said", [(("a", "b"), "4 answers, not 2"), (("a",) * 5, "4 answers, not 5")]
)
def test_labels_have_to_fit(model: bytes, labels: tuple, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        board.sketch(plain_c.generate(model), labels)
