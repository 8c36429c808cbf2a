"""The model in the page answers where no kernel is: in lesson 00, in an export, in a file."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from course_lib import quantize, tflite
from course_lib.sound import dataset, features
from course_lib.views import hearing
from tests.browser.lab import Server, browser
from tests.browser.test_lessons import server  # noqa: F401
from tools import lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
_ROW = [("stored", np.int8, 4), ("features", "<f4", (49, 40))]
_HEAR = """sent => {
    const clips = new Int16Array(Uint8Array.from(atob(sent), c => c.charCodeAt(0)).buffer);
    let told = '';
    for (let at = 0; at < clips.length; at += 16000) {
        const answer = window.hear(clips.subarray(at, at + 16000));
        const features = new Uint8Array(new Float32Array(answer.features()).buffer);
        for (const byte of [...answer.stored(), ...features])
            told += String.fromCharCode(byte & 255);
    }
    return btoa(told);
}"""
FRAME = "iframe[title^='A model that hears']"


@pytest.fixture(scope="module")
def clips() -> dataset.Clips:
    return dataset.bundled("test")


@pytest.fixture(scope="module")
def chromium(clips, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A headless Chromium whose microphone hears somebody say "yes", over and over."""
    said = tmp_path_factory.mktemp("said") / "yes.wav"
    wave = clips.waves[clips.words.index("yes")]
    soundfile.write(said, np.pad(wave, 8000), 16_000, subtype="PCM_16")
    options = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with browser(*options, f"--use-file-for-fake-audio-capture={said}") as running:
        yield running


@pytest.fixture
def page(chromium) -> Iterator:
    """A page that is offline: even this machine is out of its reach."""
    context = chromium.new_context(offline=True, viewport={"width": 1000, "height": 900})
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()


def _answers(place, clip: str) -> None:
    """Press a clip's button; wait for its word."""
    from playwright.sync_api import expect

    place.get_by_role("button", name=f"▶ {clip}").click()
    expect(place.locator("#word")).to_have_text(clip, timeout=120_000)


def test_a_file_hears_clips_and_a_microphone_with_the_network_off(page, clips, tmp_path) -> None:
    from playwright.sync_api import expect

    waves = {word: clips.waves[clips.words.index(word)] for word in ("no", "yes", "happy")}
    saved = hearing.page(tflite.load("spotter_int8"), waves).save(tmp_path / "a page.html")
    page.goto(saved.as_uri())
    _answers(page, "yes")
    _answers(page, "no")
    page.get_by_role("button", name="▶ happy").click()
    expect(page.locator("#word")).to_have_text("…", timeout=120_000)
    page.get_by_role("button", name="● listen").click()
    expect(page.locator("#word")).to_have_text("yes", timeout=120_000)
    page.get_by_role("button", name="■ stop").click()


def test_bytes_stand_beside_the_shares(page, clips, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    wave = clips.waves[clips.words.index("no")]
    model_bytes = tflite.load("spotter_int8")
    made = hearing.page(model_bytes, {"no": wave}, shows_bytes=True)
    page.goto(made.save(tmp_path / "page.html").as_uri())
    stored = quantize.run_integer(model_bytes, features.log_mel(wave[None])).output[0]
    cells = page.locator("#bars td:nth-child(4)")
    expect(cells).to_have_text([str(number) for number in stored.tolist()])


def test_a_thousand_clips_give_the_bytes_of_the_integer_layers(page, tmp_path: Path) -> None:
    clips = dataset.bundled("train")[:1000]
    sound = np.clip(np.rint(clips.waves * 32768), -32768, 32767).astype(np.int16)
    model_bytes = tflite.load("spotter_int8")
    page.goto(hearing.page(model_bytes, {}).save(tmp_path / "page.html").as_uri())
    page.wait_for_function("() => window.hear")
    rows = []
    for part in np.split(sound, 20):
        answers = page.evaluate(_HEAR, base64.b64encode(part.tobytes()).decode())
        rows.append(np.frombuffer(base64.b64decode(answers), _ROW))
    answers = np.concatenate(rows)
    theirs = quantize.run_integer(model_bytes, answers["features"])
    assert len(answers) == 1000 and np.array_equal(answers["stored"], theirs.output)


def test_lesson_00_answers_before_any_cell_has_run(chromium, server: Server) -> None:  # noqa: F811
    lab.trust(server.folder)
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(120_000)
    opened = context.new_page()
    opened.goto(server.address("notebooks/00_start_here.ipynb"), wait_until="domcontentloaded")
    opened.locator(FRAME).scroll_into_view_if_needed()
    _answers(opened.frame_locator(FRAME), "no")
    assert opened.locator(".jp-InputPrompt", has_text="[1]:").count() == 0
    context.close()


def test_an_exported_lesson_answers_too(page, tmp_path: Path) -> None:
    lesson = ROOT / "notebooks" / "reference" / "00_start_here.ipynb"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", tmp_path, lesson]
    subprocess.run(command, check=True, capture_output=True)
    page.goto((tmp_path / "00_start_here.html").as_uri(), wait_until="domcontentloaded")
    page.locator(FRAME).scroll_into_view_if_needed()
    _answers(page.frame_locator(FRAME), "yes")
