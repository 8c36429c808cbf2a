"""festival: two diphone voices and one statistical (HTS) voice."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import soundfile

from .base import Engine, EngineMissing, Request, need_program, run

__all__ = ["Festival"]

MALE_PITCH_HZ = 105
_PACKAGES = "festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"


class Festival(Engine):
    """Speak through the command festival, one short Scheme program a word."""

    name = "festival"
    voices = {
        "train": ("kal_diphone",),
        "validation": ("ked_diphone",),
        "test": ("cmu_us_slt_arctic_hts",),
    }

    def check(self) -> None:
        need_program("festival", f"festival {_PACKAGES}")
        known = run("festival", "-b", "(print (voice.list))").stdout.decode()
        for voice in (v for voices in self.voices.values() for v in voices):
            if voice not in known:
                raise EngineMissing(
                    f"festival has no voice {voice}: install `apt-get install {_PACKAGES}`."
                )

    def request(self, word: str, split: str, chance: random.Random) -> Request:
        settings = {
            "stretch": round(chance.uniform(0.85, 1.35), 3),
            "semitones": round(chance.uniform(-3, 4), 2),
        }
        return Request(self.name, chance.choice(self.voices[split]), word, settings)

    def speak(self, request: Request):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "word.wav")
            run(
                "festival",
                "-b",
                f"(voice_{request.voice})",
                *_manner(request),
                f'(utt.save.wave (utt.synth (Utterance Text "{request.word}")) "{path}" \'riff)',
            )
            return soundfile.read(path, dtype="float32")


def _manner(request: Request) -> list[str]:
    """Return the Scheme expressions that set how long and how high the voice speaks."""
    stretch, semitones = request.settings["stretch"], request.settings["semitones"]
    if request.voice.endswith("_hts"):  # it has its own engine, which only knows a speed
        speed = f'(list (list "-r" {1 / stretch:.3f}))'
        return [f"(set! hts_engine_params (append hts_engine_params {speed}))"]
    mean_hz = MALE_PITCH_HZ * 2 ** (semitones / 12)
    model = "(model_f0_mean 170) (model_f0_std 34)"
    return [
        f"(Parameter.set 'Duration_Stretch {stretch})",
        f"(set! int_lr_params '((target_f0_mean {mean_hz:.1f}) (target_f0_std 14) {model}))",
    ]
