"""Grade many submissions, here or on a Dask cluster, into reports; what is graded stays graded."""

import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue

import course_lib
from course_lib import session
from course_lib.instructor.grading import collection, reports, sandbox, trial, turns
from course_lib.instructor.grading.course import Course
from course_lib.instructor.grading.results import Result, Row, Work, joined, kept, place, rows
from course_lib.instructor.grading.roster import read_mapping, read_roster
from course_lib.instructor.grading.trial import Settings
from course_lib.instructor.grading.watch import Limits

_Progress = Callable[..., Iterable]
_Graded = tuple[Work, Result]
_JOIN_SECONDS = 3.0  # for what is ended by an interrupt
_LOOK_SECONDS = 0.5  # whether there was one


class WeakSandboxError(ValueError):
    """Bubblewrap does not work here, and the weaker sandbox was not accepted."""


def grade(
    submissions: list[Path],
    out: Path,
    *,
    roster: Path | None = None,
    mapping: Path | None = None,
    seed: str = "",
    reference: Path | None = None,
    exercises: Path | None = None,
    scheduler: str = "",
    workers: int = 0,
    everything: bool = False,
    accept_weak: bool = False,
    limits: Limits | None = None,
    progress: _Progress | None = None,
) -> tuple[list[Row], list[str], str]:
    """Grade `submissions` into the folder `out`; return rows, notes and the kind of sandbox used.

    Without `seed`, one is drawn and kept in `out`, so that running again gives the same points.
    Raises ValueError where nothing can be graded at all, and WeakSandboxError where only limits
    would stand between the submissions and this machine. An interrupt ends what runs, and is
    raised again once the partial report is written.
    """
    kind = sandbox.best_kind()
    if kind != "bubblewrap" and not accept_weak:
        raise WeakSandboxError(
            "Bubblewrap does not work here, so submissions could read, change and delete your "
            "files and use the network: install the package bubblewrap, or accept that with "
            "--accept-weak-sandbox."
        )
    course = Course(reference or default_reference(), exercises)
    students = read_roster(roster) if roster else ()
    whose = read_mapping(mapping) if mapping else {}
    works, filed, notes = collection.collect(submissions, course, students, whose)
    settings = Settings(course, seed or _kept_seed(out), limits or Limits(), kind, everything)
    earlier, partial = kept(out), ""
    try:
        results, failures = grade_all(works, settings, out, scheduler, workers, progress)
    except KeyboardInterrupt:
        results, failures = _so_far(works, settings, out)
        done = sum(not each.not_graded for each in results)
        partial = f"This is a partial report: grading was interrupted after {done} of {len(works)}"
        partial += " submissions. Run the same command again to go on."
    results, joints = joined(results, earlier)
    lines = rows(results, students)
    notes = [*notes, *joints, *(f"Not graded, run again: {failure}" for failure in failures)]
    if students:
        ids = {student.id for student in students}
        notes += [f"{row.student} is not on the roster." for row in lines if row.student not in ids]
    reports.write(lines, out, notes, filed, weak=kind != "bubblewrap", partial=partial)
    if partial:
        raise KeyboardInterrupt(partial)
    return lines, notes, kind


def grade_all(
    works: list[Work],
    settings: Settings,
    out: Path,
    scheduler: str = "",
    workers: int = 0,
    progress: _Progress | None = None,
) -> tuple[list[Result], list[str]]:
    """Grade every work that has no result in `out` yet; return all results and what failed.

    Each result is written once, atomically, as soon as it is there: an interrupted run goes on
    where it stopped. A failure is the machine's, never a student's: its result says `not_graded`
    and is not written, so that the next run grades it. With `scheduler`, an address such as
    "tcp://…", a Dask cluster does the work.
    """
    stamp = _stamp(settings)
    results = _known(out, works, stamp)
    to_do = [work for work in works if work.key not in results]
    failures = []
    done = _on_cluster(to_do, settings, scheduler) if scheduler else _here(to_do, settings, workers)
    with closing(done):  # now, and not whenever an interrupted generator is thrown away
        for work, result in progress(done, total=len(to_do)) if progress else done:
            if result.not_graded:
                failures.append(f"{work.origin}: {result.not_graded}")
                results.setdefault(work.key, result)
            elif work.key not in results:  # the same work may have come in twice
                results[work.key] = replace(result, stamp=stamp)
                session.write_atomically(
                    place(out, work.student, work.lesson), results[work.key].to_json()
                )
    return [results[work.key] for work in works if work.key in results], failures


def _so_far(works: list[Work], settings: Settings, out: Path) -> tuple[list[Result], list[str]]:
    """Return the kept results of an interrupted run; those that are missing are not graded."""
    known = _known(out, works, _stamp(settings))
    why = "Grading was interrupted before it came to this."
    return [known.get(work.key) or _not_graded(work, settings, why) for work in works], []


def _not_graded(work: Work, settings: Settings, why: str) -> Result:
    """Return what stands for a work that the machine did not let be graded: no points at all."""
    nothing = trial.result_of(work, settings.course.lessons[work.lesson], ())
    return replace(nothing, not_graded=why)


def default_reference() -> Path:
    """Return the reference notebooks of the clone that this package lies in."""
    return Path(course_lib.__file__).resolve().parent.parent / "notebooks" / "reference"


def _kept_seed(out: Path) -> str:
    """Return the seed of an earlier run into this folder, or draw one and keep it."""
    path = out / "seed.txt"
    if not path.is_file():
        session.write_atomically(path, secrets.token_hex(16) + "\n")
        path.chmod(0o600)  # who knows the seed knows what answers are asked
    return path.read_text(encoding="utf-8").strip()


def _stamp(settings: Settings) -> str:
    """Return a digest of everything but the work that decides points; it does not give the seed."""
    text = f"{settings.course.digest}/{settings.seed}/{settings.everything}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _known(out: Path, works: list[Work], stamp: str) -> dict[str, Result]:
    """Return, by their keys, the results that earlier runs left for exactly these works."""
    wanted = {work.key for work in works}
    left = (each for each in kept(out).values() if each.stamp == stamp)
    return {each.key: each for each in left if each.key in wanted}


def _here(works: list[Work], settings: Settings, workers: int) -> Iterator[_Graded]:
    """Yield results as they come, from as many sandboxes at a time as there are cores."""
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    waiting = {pool.submit(_attempt, work, settings): work for work in works}
    ended: SimpleQueue[Future] = SimpleQueue()
    for each in waiting:
        each.add_done_callback(ended.put)
    try:
        while waiting:
            future = _first(ended)
            yield waiting.pop(future), future.result()
    finally:  # interrupted: what has not begun never does, and what runs is ended
        if waiting:
            turns.STOP.set()
        pool.shutdown(wait=not waiting, cancel_futures=True)
        # Who has not seen yet that all is over sees it later: the last one out takes the sign away.
        late = wait(waiting, timeout=_JOIN_SECONDS).not_done
        for each in late:
            each.add_done_callback(lambda _: _clear_if_done(late))
        _clear_if_done(late)


def _first(ended: SimpleQueue[Future]) -> Future:
    """Return what ends next.

    A Ctrl-C that comes just before this thread begins to wait is heard when it wakes: so it wakes
    now and then. It is raised in here, since Python 3.11 leaves a `finally` out where it is raised
    as a loop begins again.
    """
    while True:
        try:
            return ended.get(timeout=_LOOK_SECONDS)
        except Empty:
            pass


def _clear_if_done(futures: Collection[Future]) -> None:
    if all(each.done() for each in futures):
        turns.STOP.clear()


def _attempt(work: Work, settings: Settings) -> Result:
    """Return a result: at the second attempt, alone, where the machine ended the first."""
    alone = replace(settings, limits=replace(settings.limits, alone=True))
    problem = ""
    for each in (settings, alone):
        try:
            return trial.grade(work, each)
        except (sandbox.SandboxError, OSError) as error:
            problem = str(error)
    return _not_graded(work, settings, problem)


def _on_cluster(works: list[Work], settings: Settings, scheduler: str) -> Iterator[_Graded]:
    """Yield results as they come from a Dask cluster; work of a lost worker is given to another.

    The workers need this package and the same folders; the works themselves are sent to them.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        problem = "A cluster needs the package distributed: pip install distributed."
        raise ValueError(problem) from error
    try:
        client = Client(scheduler, timeout=10)
    except OSError as error:
        raise ValueError(
            f"No Dask scheduler answers at {scheduler}: start one with "
            "`dask scheduler`, and workers with `dask worker`."
        ) from error
    # A course without its notebooks: each worker reads them where they lie.
    bare = replace(settings, course=replace(settings.course))
    with client:
        by_key = {work.key: work for work in works}
        waiting = [
            client.submit(_on_worker, work, bare, key=f"grade-{work.key}", retries=5, pure=False)
            for work in works
        ]
        for future in as_completed(waiting):
            work = by_key[future.key.removeprefix("grade-")]
            error = future.exception()
            gave_up = f"The cluster gave up: {error}"
            yield work, future.result() if error is None else _not_graded(work, settings, gave_up)
            future.release()  # or the cluster keeps every result to the end


def _on_worker(work: Work, settings: Settings) -> Result:
    """Grade one work on a Dask worker, with a course that is read once a process."""
    return _attempt(work, replace(settings, course=_read_once(settings.course)))


@lru_cache
def _read_once(course: Course) -> Course:
    return course  # the first of all that are equal, with its notebooks once they are read
