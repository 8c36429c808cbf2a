"""Kokoro-82M: a neural synthesiser; the engine whose words sound most like people's."""

from __future__ import annotations

import gzip
import json
import random
from functools import cached_property
from pathlib import Path

import numpy as np

from .base import Engine, EngineMissing, Request
from .fetch import fetch
from .kokoro_graph import EXTRA_FRAMES, FRAMES

__all__ = ["Kokoro"]

RATE_HZ = 24_000
FRAME_SAMPLES = 600
STYLE_ROWS, STYLE_WIDTH = 510, 256
VOWELS = frozenset("AIOQWYaiuæɑɒɔəɛɜʌɪʊeo")
ENDINGS = "..!?,"

#: What is said before the word and cut off again. Kokoro is at its best inside a sentence: a word
#: alone often gets a slurred end ("up" heard as "open").
LEADS = ("", "", "wˈɛl… ", "sˈA… ")

#: Words that the lexicons lack or give only in their weak form: American, British.
SPOKEN = {
    "marvin": ("mˈɑɹvɪn", "mˈɑːvɪn"),
    "sheila": ("ʃˈilə", "ʃˈiːlə"),
    "nah": ("nˈɑ", "nˈɑː"),
    "yeah": ("jˈæ", "jˈɛː"),
    "this": ("ðˈɪs", "ðˈɪs"),
    "the": ("ðˈi", "ðˈə"),
}

_TRAIN = (
    "af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_river af_sky am_adam "
    "am_echo am_fenrir am_michael am_onyx am_puck am_santa bf_alice bf_emma bf_isabella bm_fable "
    "bm_george bm_lewis ef_dora em_santa ff_siwis hf_alpha hf_beta hm_omega if_sara im_nicola "
    "jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo pf_dora pm_santa zf_xiaobei zf_xiaoni "
    "zf_xiaoxiao zm_yunjian zm_yunxi zm_yunxia zm_yunyang"
)


class Kokoro(Engine):
    """Speak through Kokoro's int8 ONNX model; the first letter of a voice tells its language."""

    name = "kokoro"
    voices = {
        "train": tuple(_TRAIN.split()),
        "validation": ("af_nova", "am_liam", "bf_lily", "em_alex", "hm_psi"),
        "test": ("af_sarah", "am_eric", "bm_daniel", "pm_alex", "zf_xiaoyi"),
    }

    @cached_property
    def folder(self) -> Path:
        """The folder with the model, fetched where it is not there yet."""
        return fetch(self.cache / "kokoro")

    @cached_property
    def _lexicons(self) -> dict[str, dict]:
        paths = {accent: self.folder / f"lexicon_{accent}.json.gz" for accent in ("us", "gb")}
        return {a: json.loads(gzip.decompress(path.read_bytes())) for a, path in paths.items()}

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return json.loads((self.folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]

    @cached_property
    def _session(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(
            str(self.folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def check(self) -> None:
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
        except ImportError as missing:
            raise EngineMissing(
                f"{missing.name} is missing: `pip install -r data/recipe/requirements.txt`."
            ) from missing
        absent = [
            voice
            for voices in self.voices.values()
            for voice in voices
            if not (self.folder / "voices" / f"{voice}.bin").exists()
        ]
        if absent:
            raise EngineMissing(f"Kokoro lacks {absent[0]}: delete {self.folder} and try again.")

    def phonemes(self, word: str, accent: str) -> str:
        """Return the phonemes of `word` with a main stress; ValueError where none are known."""
        if word in SPOKEN:
            return SPOKEN[word][accent == "gb"]
        found = self._lexicons[accent].get(word)
        if isinstance(found, dict):
            found = found["DEFAULT"]
        if not found:
            raise ValueError(f"No lexicon has {word!r}: add it to SPOKEN in engines/kokoro.py.")
        return found if "ˈ" in found else found.replace("ˌ", "ˈ", 1)

    def request(self, word: str, split: str, chance: random.Random) -> Request:
        voice, other, weight = self._cast(split, chance)
        gb_share = {"a": 0.0, "b": 1.0}.get(voice[0], 0.3)
        accent = "gb" if chance.random() < gb_share else "us"
        text = self.phonemes(word, accent)
        if voice[0] not in "ab" and chance.random() < 0.25:
            text = text.replace("O", "oː").replace("Q", "oː")  # as many second languages say it
        text += chance.choice(ENDINGS)
        lead = chance.choice(LEADS)
        settings = {
            "lead": lead,
            "phonemes": text,
            "voice": voice,
            "other": other,
            "weight": weight,
            "row": len(lead + text) + chance.choice((0, 5, 10, 20, 30, 40)),
            "speed": round(chance.uniform(0.75, 1.3), 3),
            EXTRA_FRAMES: _extra_frames(lead, text, chance),
        }
        label = f"{voice}-{other}-{round(100 * weight)}" if other else voice
        return Request(self.name, label, word, settings)

    def _cast(self, split: str, chance: random.Random) -> tuple[str, str, float]:
        """Return a voice, a second one to blend in (or "") and its weight: blends only train."""
        voices = self.voices[split]
        if split != "train":
            return chance.choice(voices), "", 0.0
        english = [voice for voice in voices if voice[0] in "ab"]
        foreign = [voice for voice in voices if voice[0] not in "ab"]
        voice = chance.choice(english if chance.random() < 0.65 else foreign)
        if chance.random() < 0.4:
            return voice, "", 0.0
        other = chance.choice([name for name in voices if name != voice])
        return voice, other, chance.choice((0.2, 0.3, 0.4, 0.5))

    def _style(self, voice: str, row: int) -> np.ndarray:
        table = np.fromfile(self.folder / "voices" / f"{voice}.bin", np.float32)
        return table.reshape(STYLE_ROWS, STYLE_WIDTH)[min(row, STYLE_ROWS - 1)]

    def speak(self, request: Request):
        settings = request.settings
        style = self._style(settings["voice"], settings["row"])
        if settings["other"]:
            second = self._style(settings["other"], settings["row"])
            style = (1 - settings["weight"]) * style + settings["weight"] * second
        text = settings["lead"] + settings["phonemes"]
        tokens = [0, *(self._vocabulary[symbol] for symbol in text), 0]
        audio, frames = self._session.run(
            ["audio", FRAMES],
            {
                "tokens": np.array([tokens], np.int64),
                "style": style[None].astype(np.float32),
                "speed": np.array([settings["speed"]], np.float32),
                EXTRA_FRAMES: np.array([settings[EXTRA_FRAMES]], np.float32),
            },
        )
        return _after(audio.ravel(), frames.ravel(), len(settings["lead"])), RATE_HZ


def _after(audio: np.ndarray, frames: np.ndarray, lead: int) -> np.ndarray:
    """Return `audio` (n,) from the pause after the `lead` first phonemes, softly faded in."""
    if not lead:
        return audio
    start = int((frames[: 1 + lead].sum() - 1) * FRAME_SAMPLES)
    word = audio[max(0, start) :].copy()
    fade = min(len(word), FRAME_SAMPLES // 2)
    word[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    return word


def _extra_frames(lead: str, phonemes: str, chance: random.Random) -> list[int]:
    """Return 25 ms frames to add for the start, each phoneme and the end.

    Vowels are stretched in half of the words, all of a word by the same amount; consonants by one
    frame at times. Pauses at the very ends are cut to save time, but little before a first word:
    its onset would suffer.
    """
    stretch = chance.choice((0, 0, 0, 0, 0, 1, 1, 2, 3, 4))
    frames = [-16 if lead else -4, *(0 for _ in lead)]
    for symbol in phonemes:
        if symbol in ENDINGS:
            frames.append(-4)
        elif symbol in VOWELS:
            frames.append(stretch)
        else:
            frames.append(chance.choice((0, 0, 0, 1)))
    return [*frames, -6]
