"""flite: a small diphone and statistical synthesiser with a handful of voices."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import soundfile

from .base import Engine, Request, need_program, run

__all__ = ["Flite"]


class Flite(Engine):
    """Speak through the command flite."""

    name = "flite"
    #: slt is a person whom festival has too: she is in the same split there.
    voices = {"train": ("kal16", "rms"), "validation": ("awb",), "test": ("slt",)}
    mean_pitch_hz = {"kal16": 105, "rms": 105, "awb": 120, "slt": 180}

    def check(self) -> None:
        need_program("flite", "flite")

    def request(self, word: str, split: str, chance: random.Random) -> Request:
        voice = chance.choice(self.voices[split])
        settings = {
            "stretch": round(chance.uniform(0.85, 1.35), 3),
            "pitch_hz": round(self.mean_pitch_hz[voice] * chance.uniform(0.85, 1.35), 1),
        }
        return Request(self.name, voice, word, settings)

    def speak(self, request: Request):
        settings = request.settings
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "word.wav")
            run(
                "flite",
                "-voice",
                request.voice,
                "--setf",
                f"duration_stretch={settings['stretch']}",
                "--setf",
                f"int_f0_target_mean={settings['pitch_hz']}",
                "-t",
                request.word,
                "-o",
                str(path),
            )
            return soundfile.read(path, dtype="float32")
