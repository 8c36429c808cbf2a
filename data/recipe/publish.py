"""Write the chosen clips, their manifest and the README in one step."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import soundfile
from tqdm import tqdm

from . import choose, keep, report

__all__ = ["COLUMNS", "MOST_BYTES", "publish", "rows_of"]

MOST_BYTES = 25_000_000
COLUMNS = ("file", "word", "split", "engine", "voice", "samples", "sha256")


def rows_of(chosen, cache: Path) -> list[dict]:
    """Return a manifest row for each chosen candidate, sorted by file, with its bytes' source."""
    spoken: Counter = Counter()
    rows = []
    for candidate in chosen:
        request = candidate.request
        turn = spoken[request.engine, request.voice, request.word]
        spoken[request.engine, request.voice, request.word] += 1
        name = choose.safe_name(request.engine, request.voice, turn)
        source = keep.path(cache, request.key)
        rows.append(
            {
                "file": f"{request.word}/{name}",
                "word": request.word,
                "split": candidate.place.split,
                "engine": request.engine,
                "voice": name.partition("_nohash_")[0],
                "samples": soundfile.info(source).frames,
                "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
                "source": source,
            }
        )
    return sorted(rows, key=lambda row: row["file"])


def _manifest(rows: list[dict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def publish(out: Path, chosen, cache: Path, heard) -> int:
    """Replace `out` by the `chosen` clips, manifest.csv and README.md; return their number.

    `heard` is what `report.readme` tells of the recogniser. Everything is written beside `out`
    first: `out` is the old set or the whole new one.
    """
    rows = rows_of(chosen, cache)
    total_bytes = sum(row["source"].stat().st_size for row in rows)
    if total_bytes > MOST_BYTES:
        raise ValueError(
            f"The clips take {total_bytes / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: "
            "ask for fewer in data/recipe/words.py."
        )
    readme = report.readme(rows, total_bytes, heard)
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        fresh.chmod(0o755)
        for row in tqdm(rows, desc="writing", unit="clip"):
            target = fresh / row["file"]
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(row["source"], target)
        (fresh / "manifest.csv").write_text(_manifest(rows), encoding="utf-8")
        (fresh / "README.md").write_text(readme, encoding="utf-8")
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(rows)


def _swap(fresh: Path, out: Path) -> None:
    """Put `fresh` in the place of `out`, whose old content goes last."""
    old = fresh.with_name(f"{fresh.name}-old")
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)
