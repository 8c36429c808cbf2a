"""Call a function within limits of its own: what was handed in may cost itself, nobody else.

The processes are the grader's own, with its rights, and run no student's code: they bound memory
and time, not trust. Time is the processor's, so that a busy machine ends no honest work.
"""

import atexit
import gc
import pickle
import queue
import resource
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil

import course_lib.exercises
from course_lib.session.processes import Died, Refused, Service

SECONDS = 8.0  # of a processor: an honest notebook of 48 MB takes one
READING_MB = 400  # beside what the libraries take: both together stay below 500
_WALL_SECONDS = 600.0  # a process that neither works nor ends
_LEFT_OVER = 64 << 20  # bytes that calls may leave behind before their process is replaced
_OF_THE_MACHINE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_idle: queue.LifoQueue[Service] = queue.LifoQueue()


class UnfinishedError(Exception):
    """Say why a call gave no value; its words go on from "It could not be done"."""


def call(
    function: Callable, *arguments: Any, seconds: float = SECONDS, megabytes: int = READING_MB
) -> Any:
    """Return `function(*arguments)`, called in another process that is kept for the next call.

    All of it has to be importable and to travel by pickle; bytes among the arguments are not
    copied. Raises the function's own ValueError, UnfinishedError where it takes more than `seconds`
    of a processor or `megabytes`, crashes or fails in any other way, and OSError where the machine
    ended the process twice.
    """
    places = list(course_lib.exercises.__path__)  # more exercises may lie elsewhere
    rest = [None if type(each) is bytes else (each,) for each in arguments]
    question = pickle.dumps((function, rest, places, seconds, megabytes))
    data = [each for each in arguments if type(each) is bytes]
    for _ in range(2):
        try:
            good, value = _asked(question, data)
        except Died as death:
            code = death.code if death.ready and not death.late else None
            if code == -signal.SIGPROF:
                raise UnfinishedError(_over(seconds, megabytes)) from None
            if code is not None and -code not in _OF_THE_MACHINE:
                raise UnfinishedError(f"without a crash (exit code {code})") from None
            continue
        if good:
            return value
        raise value if isinstance(value, ValueError) else UnfinishedError(value)
    raise OSError("A process to read and judge what was handed in was ended by the machine.")


def prepare() -> Callable[..., bytes]:
    """Return the function that answers in the process: its side of `call`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    gc.disable()  # a tree of a million lists would be gone through again and again
    return partial(_answered, _used())


def _asked(question: bytes, data: list[bytes]) -> tuple[int, Any]:
    """Return what a process answers; one that was interrupted or left much behind is ended."""
    try:
        service = _idle.get_nowait()
    except queue.Empty:
        service = Service("course_lib.instructor.grading.bounded:prepare", _WALL_SECONDS)
        atexit.register(service.end)
    try:
        answer = service.ask(question, *data)
        (good, worn), value = answer[:2], pickle.loads(memoryview(answer)[2:])
    except Refused as error:
        good, worn, value = False, True, f"without an error ({error})"
    except BaseException:
        if service.process:  # else it has ended already
            service.process.kill()
        service.end()
        _idle.put(service)  # the next question starts it anew
        raise
    if worn:
        service.end()
    _idle.put(service)
    return good, value


def _answered(at_first: int, question: bytes, *data: bytes) -> bytes:
    """Call what is asked for within its limits; return its value, or why there is none.

    `at_first` are the bytes that the process used before its first call.
    """
    function, rest, places, seconds, megabytes = pickle.loads(question)
    course_lib.exercises.__path__[:] = places
    given = iter(data)
    arguments = [next(given) if each is None else each[0] for each in rest]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = psutil.Process().memory_info().vms + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process, in C code as well
    try:
        good, content = True, pickle.dumps(function(*arguments))
    except MemoryError:
        good, content = False, pickle.dumps(_over(seconds, megabytes))
    except ValueError as error:
        good, content = False, pickle.dumps(error)
    except Exception as error:  # an error of ours that one student's work brings out
        words = f"without an error ({type(error).__name__}: {str(error)[:200]})"
        good, content = False, pickle.dumps(words)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    worn = _used() > at_first + _LEFT_OVER
    return bytes((good, worn)) + content


def _over(seconds: float, megabytes: int) -> str:
    return f"within {seconds:g} seconds of a processor and {megabytes:,} MB"


def _used() -> int:
    """Return the bytes of memory of its own; a library's file that is mapped is none of it."""
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared
