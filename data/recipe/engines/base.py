"""What every speech engine of the recipe has in common."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Engine", "EngineMissing", "Request", "run", "need_program"]


class EngineMissing(OSError):
    """An engine, or a part of it, is not installed; the message says what to do."""


@dataclass(frozen=True)
class Request:
    """One word to be spoken by one voice: all that an engine needs, nothing random left."""

    engine: str
    voice: str
    word: str
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name this request by its content, so that its sound can be kept and found again."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


class Engine:
    """A speech synthesiser. `voices` maps a split to the voices that speak in it, in no other."""

    name: str
    voices: Mapping[str, tuple[str, ...]]

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def check(self) -> None:
        """Raise `EngineMissing` unless the engine can speak here."""
        raise NotImplementedError

    def request(self, word: str, split: str, chance: random.Random) -> Request:
        """Choose a voice of `split` and its settings for `word`."""
        raise NotImplementedError

    def speak(self, request: Request):
        """Return (samples (n,) float32, sample rate in Hz)."""
        raise NotImplementedError


def need_program(program: str, package: str) -> None:
    """Raise `EngineMissing` unless `program` is on the path."""
    if shutil.which(program) is None:
        raise EngineMissing(f"{program} is missing: install it with `apt-get install {package}`.")


def run(*command: str) -> subprocess.CompletedProcess:
    """Run `command` with its output captured; a failure is an OSError with the last line said."""
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing was said"]
        raise OSError(f"{command[0]} stopped with code {done.returncode}: {said[-1]}")
    return done
