"""A folder that keeps spoken candidates, so that an interrupted run goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile

from .sound import flac_bytes

__all__ = ["known", "load", "path", "refuse", "store", "write"]


def write(target: Path, data: bytes) -> None:
    """Write `data` to `target` in one step: the file is whole or absent."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def path(cache: Path, key: str) -> Path:
    """Return where the sound of the request `key` is kept."""
    return cache / "candidates" / key[:2] / f"{key}.flac"


def known(cache: Path, key: str) -> bool:
    """Say whether `key` was spoken already, well or not."""
    kept = path(cache, key)
    return kept.exists() or kept.with_suffix(".refused").exists()


def store(cache: Path, key: str, samples: np.ndarray) -> None:
    """Keep `samples` (n,) int16 for `key`."""
    write(path(cache, key), flac_bytes(samples))


def refuse(cache: Path, key: str, reason: str) -> None:
    """Keep the `reason` why `key` has no usable sound."""
    write(path(cache, key).with_suffix(".refused"), reason.encode())


def load(cache: Path, key: str) -> np.ndarray | None:
    """Return the samples (n,) int16 of `key`, or None where they are unusable."""
    kept = path(cache, key)
    if not kept.exists():
        return None
    return soundfile.read(kept, dtype="int16")[0]
