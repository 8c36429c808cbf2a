"""How every command speaks: options, exit codes, progress, and one line for an expected error.

Results go to stdout, progress and errors to stderr.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

DONE, FEWER, USAGE, UNUSABLE, UNWRITABLE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
CODES = (
    "exit codes: 0 done, 1 fewer points than --pass-at asks, 2 wrong usage, "
    "3 a file or folder that cannot be used, 4 nothing can be written there, "
    "5 some submissions could not be graded or some marks not placed, 130 interrupted"
)
PATH = click.Path(path_type=Path)


class Command(click.Command):
    """A command whose expected errors become one line on stderr and an exit code."""

    def invoke(self, context: click.Context) -> int:
        try:
            return super().invoke(context) or DONE
        except KeyboardInterrupt as error:
            say(str(error) or "interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            return DONE  # the reader of our output, such as `head`, has seen enough
        except ValueError as error:
            say(error)
            return UNUSABLE
        except OSError as error:
            say(error)
            return UNUSABLE if isinstance(error, FileNotFoundError) else UNWRITABLE


def command(name: str) -> Callable[[Callable], Command]:
    """Return the decorator that makes a command, with the option that all of them have."""

    def make(function: Callable) -> Command:
        quiet = click.option("--quiet", is_flag=True, help="No progress on stderr.")
        return click.command(name, cls=Command, epilog=CODES)(quiet(function))

    return make


def option(*names: str, help: str, **options: Any) -> Callable:
    """Return a click option whose help ends with its default, where it has one to show."""
    return click.option(*names, help=help, show_default=options.get("default") != "", **options)


def progress(quiet: bool, words: str) -> Callable[[Iterable], Iterable]:
    """Return a wrapper that shows progress on stderr."""
    return iter if quiet else partial(bar, desc=words)


def bar(*arguments: Any, **options: Any) -> Any:
    """Return a progress bar; in a log file it moves more rarely."""
    from tqdm import tqdm

    seconds = 0.1 if sys.stderr.isatty() else 5.0
    return tqdm(*arguments, file=sys.stderr, mininterval=seconds, **options)


def say(message: object) -> None:
    """Write one line to stderr; names of files may hold anything, so only what can be printed."""
    line = " ".join(str(message).split())
    line = "".join(each if each.isprintable() else "?" for each in line)
    print(f"course_lib: {line}", file=sys.stderr)
