"""Silence: what libraries print, from Python and from C++, does not reach the page."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is printed inside, also by C++ code straight to file descriptors 1 and 2.

    Where an exception leaves the block, what was swallowed is added to it as a note.
    """
    with tempfile.TemporaryFile() as swallowed, contextlib.ExitStack() as stack:
        _flush()
        streams = [_Diverted(swallowed.fileno(), stream) for stream in (sys.stdout, sys.stderr)]
        for descriptor in (1, 2):
            stack.callback(_restore, descriptor, os.dup(descriptor))
            os.dup2(swallowed.fileno(), descriptor)
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.WARNING)  # handlers keep a stream of their own
        stack.enter_context(contextlib.redirect_stdout(streams[0]))
        stack.enter_context(contextlib.redirect_stderr(streams[1]))
        try:
            yield
        except Exception as error:
            swallowed.seek(0)
            text = swallowed.read().decode("utf-8", "replace").strip()
            if text:
                error.add_note(f"Printed before this error:\n{text[-4000:]}")
            raise
        finally:
            for stream in streams:
                stream.descriptor = None


class _Diverted(io.TextIOBase):
    """A text stream that writes to a file descriptor, and to the stream it stands for afterwards.

    Loggers made inside a quiet block keep a reference to it, so it has to outlive the block.
    """

    def __init__(self, descriptor: int, original: TextIO) -> None:
        self.descriptor: int | None = descriptor
        self.original = original

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.descriptor is None:
            return self.original.write(text)
        os.write(self.descriptor, text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        if self.descriptor is None:
            self.original.flush()


def _flush() -> None:
    """Hand over what the standard streams still hold, before their descriptors change."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _restore(descriptor: int, saved: int) -> None:
    """Point `descriptor` back at what it was, and let go of the copy."""
    os.dup2(saved, descriptor)
    os.close(saved)
