"""A bar on stderr for work that takes its time: how far it is, how fast, how much longer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from course_lib.sound.download.http import Progress


@contextmanager
def shown(words: str, unit: str = "it") -> Iterator[Progress]:
    """Give a function `progress(done, total)` that draws a bar named `words` when first called."""
    from tqdm import tqdm

    bar = None
    seconds = 0.2 if sys.stderr.isatty() or "ipykernel" in sys.modules else 5.0

    def progress(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(
                desc=words,
                total=total,
                initial=min(done, total),
                unit=unit,
                unit_scale=True,
                file=sys.stderr,
                mininterval=seconds,
            )
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def silent(words: str, unit: str = "it") -> Iterator[Progress]:
    """Give a function `progress(done, total)` that shows nothing."""
    yield lambda done, total: None
