"""Grade many works, here or on a Dask cluster; what is graded stays graded."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from course_lib import session
from course_lib.instructor.grading import one
from course_lib.instructor.grading.course import Course
from course_lib.instructor.grading.one import Settings, Work
from course_lib.instructor.grading.sandbox import Limits, SandboxError

Progress = Callable[..., Iterable]
_ATTEMPTS = 2


def grade_all(
    works: list[Work],
    settings: Settings,
    out: Path,
    scheduler: str = "",
    workers: int = 0,
    progress: Progress | None = None,
) -> tuple[list[dict], list[str]]:
    """Grade every work that has no result in `out` yet; return all results and what failed.

    Each result is written once, atomically, as soon as it is there: an interrupted run goes on
    where it stopped. A failure is a sandbox that could not be started, never a student. With
    `scheduler`, an address such as "tcp://…", a Dask cluster does the work.
    """
    stamp = _stamp(settings)
    results: dict[str, dict] = {}
    to_do = []
    for work in works:
        known = _known(out, work, stamp)
        if known is None:
            to_do.append(work)
        else:
            results[work.key] = known
    failures = []
    done = _on_cluster(to_do, settings, scheduler) if scheduler else _here(to_do, settings, workers)
    wrapped = progress(done, total=len(to_do)) if progress else done
    for work, result in wrapped:
        if isinstance(result, str):
            failures.append(f"{work.origin}: {result}")
        elif work.key not in results:
            result["stamp"] = stamp
            session.write_atomically(_place(out, work), json.dumps(result, indent=1) + "\n")
            results[work.key] = result
    return [results[work.key] for work in works if work.key in results], failures


def slug(student: str) -> str:
    """Return a file name for a student: readable, harmless and different for different students."""
    words = re.sub(r"[^a-z0-9]+", "-", student.casefold()).strip("-")[:40]
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{words or 'student'}-{digest}"


def _place(out: Path, work: Work) -> Path:
    """Return where a work's result is kept."""
    return out / "works" / f"{slug(work.student)}_{work.lesson}.json"


def _stamp(settings: Settings) -> str:
    """Return a digest of everything but the work that decides points; it does not give the seed."""
    text = f"{settings.course.digest}/{settings.seed}/{settings.everything}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _known(out: Path, work: Work, stamp: str) -> dict | None:
    """Return the result that an earlier run left for exactly this work, or None."""
    try:
        result = json.loads(_place(out, work).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result if (result.get("key"), result.get("stamp")) == (work.key, stamp) else None


def _here(works: list[Work], settings: Settings, workers: int) -> Iterator[tuple[Work, dict | str]]:
    """Yield results as they come, from as many sandboxes at a time as there are cores."""
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        waiting = {pool.submit(_attempt, work, settings): work for work in works}
        try:
            for future in as_completed(waiting):
                yield waiting.pop(future), future.result()
        finally:  # interrupted: what has not begun never does
            for future in waiting:
                future.cancel()


def _attempt(work: Work, settings: Settings) -> dict | str:
    """Return a result, or a sentence where the sandbox could not be started, even again."""
    for attempt in range(_ATTEMPTS):
        try:
            return one.grade(work, settings)
        except (SandboxError, OSError) as error:
            if attempt == _ATTEMPTS - 1:
                return str(error)
    raise AssertionError("unreachable")


def _on_cluster(
    works: list[Work], settings: Settings, scheduler: str
) -> Iterator[tuple[Work, dict | str]]:
    """Yield results as they come from a Dask cluster; work of a lost worker is given to another.

    The workers need this package and the same folders; the works themselves are sent to them.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ValueError(
            "A cluster needs the package distributed: pip install distributed."
        ) from error
    plain = _settings_to_plain(settings)
    try:
        client = Client(scheduler, timeout=10)
    except OSError as error:
        raise ValueError(
            f"No Dask scheduler answers at {scheduler}: start one with "
            "`dask scheduler`, and workers with `dask worker`."
        ) from error
    with client:
        by_key = {work.key: work for work in works}
        waiting = [
            client.submit(
                on_worker, asdict(work), plain, key=f"grade-{work.key}", retries=5, pure=False
            )
            for work in works
        ]
        for future in as_completed(waiting):
            work = by_key[future.key.removeprefix("grade-")]
            error = future.exception()
            yield work, future.result() if error is None else f"the cluster gave up: {error}"
            future.release()


def on_worker(work: dict, settings: dict) -> dict | str:
    """Grade one work on a Dask worker; arguments and result are plain data."""
    return _attempt(Work(**{**work, "notes": tuple(work["notes"])}), _settings(settings))


def _settings_to_plain(settings: Settings) -> dict:
    """Return settings as plain data."""
    exercises = settings.course.exercises
    return {
        "references": str(settings.course.references),
        "seed": settings.seed,
        "exercises": str(exercises) if exercises else None,
        "limits": asdict(settings.limits),
        "kind": settings.kind,
        "everything": settings.everything,
    }


_settings_cache: dict[str, Settings] = {}


def _settings(plain: dict) -> Settings:
    """Return settings from plain data; a course is read once a process."""
    name = json.dumps(plain, sort_keys=True)
    if name not in _settings_cache:
        exercises = Path(plain["exercises"]) if plain["exercises"] else None
        _settings_cache[name] = Settings(
            Course(Path(plain["references"]), exercises),
            plain["seed"],
            Limits(**plain["limits"]),
            plain["kind"],
            plain["everything"],
        )
    return _settings_cache[name]
