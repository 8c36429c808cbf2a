"""What a sandbox may not ask of the system at all: namespaces, and memory that nobody counts."""

import errno
import os
import platform
import struct
import tempfile
from typing import IO

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # seccomp(2): SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # of classic BPF
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data
_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag of clone(2) but time's, which it has not
_X32 = 0x40000000

# By machine: its AUDIT_ARCH, clone, and what is refused: unshare, setns and shmget with EPERM.
_NUMBERS = {
    "x86_64": (0xC000003E, 56, (272, 308, 29)),
    "aarch64": (0xC00000B7, 220, (97, 268, 194)),
}
# With ENOSYS, so that libraries do without: clone3, memfd_secret, and by machine memfd_create.
_MISSING = {"x86_64": (435, 447, 319), "aarch64": (435, 447, 279)}


def program(machine: str) -> bytes:
    """Return the filter as the system takes it, empty for a machine that it is not known for."""
    if machine not in _NUMBERS:
        return b""
    architecture, clone, forbidden = _NUMBERS[machine]
    refused, missing = _REFUSE | errno.EPERM, _REFUSE | errno.ENOSYS
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture)]
    steps += [(_RETURN, 0, 0, refused), (_LOAD, 0, 0, _NUMBER_AT)]
    steps += [(_ANY_BIT, 0, 1, _X32), (_RETURN, 0, 0, refused)]
    for numbers, answer in ((forbidden, refused), (_MISSING[machine], missing)):
        for number in numbers:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]
    steps += [(_EQUAL, 0, 3, clone), (_LOAD, 0, 0, _FIRST_ARGUMENT_AT)]
    steps += [(_ANY_BIT, 0, 1, _NAMESPACES), (_RETURN, 0, 0, refused), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def filter_file() -> IO[bytes] | None:
    """Return an open file from which bubblewrap reads the filter, or None where there is none."""
    content = program(platform.machine())
    if not content:
        return None
    file = tempfile.TemporaryFile()
    file.write(content)
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return file
