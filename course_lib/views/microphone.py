"""A microphone in the page: record a clip, and see what a model makes of it.

In JupyterLab it is an anywidget, in Colab a promise of the page. Where there is no microphone, it
is denied, or only silence comes, a bundled clip takes its place and the page says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session
from course_lib.sound import audio
from course_lib.views import shell

REASONS = {
    "NotAllowedError": "The browser or you did not allow the microphone.",
    "SecurityError": "This page may not use a microphone (VS Code never may).",
    "NotFoundError": "There is no microphone here, or the page is not served over https.",
    "NotReadableError": "Another program is using the microphone.",
    "TimeoutError": "The microphone gave no sound in time.",
    "silent": "The microphone gave nothing but silence: is it muted?",
    "none": "No microphone was used.",
}
_SILENT = 1e-4  # the largest sample of a muted microphone


@dataclass(frozen=True, eq=False)
class Take:
    """One second of sound, (16000,) float32; `problem` says why it is the bundled clip, else ""."""

    wave: np.ndarray
    problem: str = ""


def take(samples: bytes, problem: str, spare: np.ndarray) -> Take:
    """Return what was recorded, float32 bytes, or the `spare` clip with the reason."""
    wave = np.frombuffer(samples[: len(samples) // 4 * 4], "<f4").astype(np.float32)
    if not problem and not len(wave):
        problem = "none"
    if not problem and (not np.isfinite(wave).all() or abs(wave).max() < _SILENT):
        problem = "silent"
    if problem:
        return Take(spare, REASONS.get(problem, f"The microphone failed ({problem})."))
    return Take(audio.fit(wave))


def record_button(
    on_record: Callable[[bytes, str], None],
    seconds: float = 1.0,
    count_in: int = 0,
    label: str = "record one second",
) -> Any:
    """Return a button that records; `on_record(samples, problem)` gets float32 bytes at 16 kHz.

    It counts down from `count_in` first, and shows how loud it is. In Colab an ordinary button, as
    its pages ask for the microphone in their own way.
    """
    if session.in_colab():
        return shell.button(label, lambda: on_record(*_from_colab(seconds, count_in)))
    recorder = _widget_class()(seconds=seconds, count_in=count_in, label=label)
    recorder.observe(
        lambda _: on_record(bytes(recorder.samples), recorder.problem), names="count"
    )  # the page counts up when sound and problem are both there
    return recorder


def _from_colab(seconds: float = 1.0, count_in: int = 0) -> tuple[bytes, str]:
    """Record in a Colab page, after counting down; return (float32 bytes, problem)."""
    import base64

    from google.colab import output

    code = _source().replace("export default { render };", "")
    ask = """(async () => { try {
        const place = document.body.appendChild(document.createElement("div"));
        const samples = await listen(place, %f, %d);
        const bytes = new Uint8Array(samples.buffer); let text = "";
        for (const each of bytes) text += String.fromCharCode(each);
        return btoa(text);
    } catch (error) { return "!" + (error.name || "Error"); } })()"""
    said = output.eval_js(code + ask % (seconds, count_in))
    return (b"", said[1:]) if said.startswith("!") else (base64.b64decode(said), "")


def _source() -> str:
    """Return the page's side."""
    return Path(__file__).with_name("microphone.mjs").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _widget_class() -> type:
    """Return the widget's class, made when it is first needed: anywidget is slow to import."""
    import anywidget
    import traitlets

    def plain(value: Any, _: Any) -> bytes:
        return b"" if value is None else bytes(value)

    class Recorder(anywidget.AnyWidget):
        _esm = _source()
        label = traitlets.Unicode("record one second").tag(sync=True)
        seconds = traitlets.Float(1.0).tag(sync=True)
        count_in = traitlets.Int(0).tag(sync=True)
        samples = traitlets.Bytes(b"").tag(sync=True, from_json=plain)
        problem = traitlets.Unicode("").tag(sync=True)
        count = traitlets.Int(0).tag(sync=True)

    return Recorder
