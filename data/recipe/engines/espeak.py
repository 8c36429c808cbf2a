"""espeak-ng: a formant synthesiser with many variants of a voice and several accents."""

from __future__ import annotations

import io
import random

import soundfile

from .base import Engine, Request, need_program, run

__all__ = ["Espeak"]

_TRAIN = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario "
    "Michael Mike Nguyen Storm adam announcer antonio aunty boris caleb david edward edward2 f1 "
    "f2 f4 f5 grandma grandpa gustave iven iven2 iven3 iven4 kaukovalta klatt klatt3 klatt4 "
    "klatt5 klatt6 m1 m2 m3 m4 m6 m7 m8 marcelo max michel miguel norbert pablo paul pedro "
    "quincy rob robert sandro shelby steph steph3 travis zac"
)


class Espeak(Engine):
    """Speak through the command espeak-ng; a voice is one of its variants."""

    name = "espeak"
    voices = {
        "train": tuple(_TRAIN.split()),
        "validation": ("f3", "m5", "linda", "victor", "john"),
        "test": ("steph2", "klatt2", "anika", "benjamin", "ed"),
    }
    accents = (
        *("en-us",) * 6,
        *("en-gb",) * 3,
        "en-gb-x-rp",
        "en-gb-scotland",
        "en-gb-x-gbclan",
        "en-gb-x-gbcwmd",
        "en-029",
        "en-us-nyc",
    )

    def check(self) -> None:
        need_program("espeak-ng", "espeak-ng")

    def request(self, word: str, split: str, chance: random.Random) -> Request:
        settings = {
            "accent": chance.choice(self.accents),
            "words_per_minute": chance.randint(95, 210),
            "pitch": chance.randint(10, 95),
            "ending": chance.choice(("", ".", "?", "!")),
        }
        return Request(self.name, chance.choice(self.voices[split]), word, settings)

    def speak(self, request: Request):
        settings = request.settings
        done = run(
            "espeak-ng",
            "-v",
            f"{settings['accent']}+{request.voice}",
            "-s",
            str(settings["words_per_minute"]),
            "-p",
            str(settings["pitch"]),
            "--stdout",
            request.word + settings["ending"],
        )
        return soundfile.read(io.BytesIO(done.stdout), dtype="float32")
