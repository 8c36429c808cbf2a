"""Make the bundled speech again: `python data/recipe/make_speech.py --out data/speech`."""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import sys
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipe import choose, keep, listen, publish, sound, words  # noqa: E402
from recipe.engines import ENGINES  # noqa: E402

__all__ = ["main", "make"]

_CHOICE = listen.mark(words.WORDS, words.ENDINGS_ADDED)
_at_work: dict[str, object] = {}


def _speak(task) -> None:
    """Speak one request into the cache, in a worker process; an engine is started only once."""
    request, cache = task
    if request.engine not in _at_work:
        _at_work[request.engine] = ENGINES[request.engine](cache)
    try:
        samples, rate_hz = _at_work[request.engine].speak(request)
        keep.store(cache, request.key, sound.clip(samples, rate_hz))
    except sound.Unusable as reason:
        keep.refuse(cache, request.key, str(reason))


def _listen(task) -> None:
    """Listen to the sound of one request, in a worker process; keep what was heard."""
    request, cache = task
    if "listener" not in _at_work:
        _at_work["listener"] = listen.Listener(words.WORDS, words.ENDINGS_ADDED)
    heard = _at_work["listener"].hear(keep.load(cache, request.key), request.word)
    listen.remember(cache, request.key, _CHOICE, heard)


def _in_parallel(work, tasks: list, description: str, workers: int) -> None:
    """Do `work` on all `tasks` in worker processes, with a progress bar."""
    if not tasks:
        return
    with multiprocessing.get_context("spawn").Pool(min(workers, len(tasks))) as pool:
        done = pool.imap_unordered(work, tasks, chunksize=4)
        for _ in tqdm(done, total=len(tasks), desc=description, unit="clip"):
            pass


def _different(requests: dict, cache: Path) -> dict:
    """Return the requests that have a sound, without those whose sound an earlier one has too.

    Some engines round their settings, so that two requests give the same bytes.
    """
    first = {}
    for key in requests:
        if keep.path(cache, key).exists():
            first.setdefault(hashlib.sha256(keep.path(cache, key).read_bytes()).digest(), key)
    return {key: requests[key] for key in first.values()}


def make(out: Path, cache: Path, engines: list[str], scale: float, workers: int) -> int:
    """Fill `out` with clips, their manifest and their README; return how many clips there are."""
    made = {name: ENGINES[name](cache) for name in engines}
    for engine in made.values():
        engine.check()
    listen.check()
    rivals = {
        place: choose.candidates(place, made[place.engine])
        for place in choose.places(engines, scale)
    }
    requests = {c.request.key: c.request for found in rivals.values() for c in found}
    unspoken = [r for key, r in requests.items() if not keep.known(cache, key)]
    _in_parallel(_speak, [(r, cache) for r in unspoken], "speaking", workers)
    spoken = _different(requests, cache)
    unheard = [r for key, r in spoken.items() if listen.heard_before(cache, key, _CHOICE) is None]
    _in_parallel(_listen, [(r, cache) for r in unheard], "listening", workers)
    heard = {key: listen.heard_before(cache, key, _CHOICE) for key in spoken}
    leads = {key: said.lead for key, said in heard.items()}
    chosen = [c for place, found in rivals.items() for c in choose.best(found, leads, place)]
    groups = {"candidates": spoken.values(), "kept": [c.request for c in chosen]}
    told = {
        group: {
            name: [(r.word, heard[r.key]) for r in members if r.engine == name] for name in engines
        }
        for group, members in groups.items()
    }
    return publish.publish(out, chosen, cache, told)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, make the speech, and return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to fill or replace")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/course-speech")
    parser.add_argument("--engines", nargs="+", choices=sorted(ENGINES), default=list(ENGINES))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the wanted counts")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        count = make(options.out, options.cache, options.engines, options.scale, options.workers)
    except (OSError, ValueError) as problem:
        print(f"make_speech: {problem}", file=sys.stderr)
        return 1
    print(f"{count} clips are in {options.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
