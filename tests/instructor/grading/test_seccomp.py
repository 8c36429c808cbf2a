"""The filter refuses namespaces and memory that nobody counts, and nothing else."""

from __future__ import annotations

import errno
import platform
import struct
import subprocess

import pytest

from course_lib.instructor.grading import sandbox, seccomp

ALLOWED = 0
# From asm/unistd.h of each: unshare, setns, shmget; clone; memfd_create, clone3, memfd_secret; read
CALLS = {
    "x86_64": (0xC000003E, (272, 308, 29), 56, (319, 435, 447), 0),
    "aarch64": (0xC00000B7, (97, 268, 194), 220, (279, 435, 447), 63),
}
THREAD = 0x3D0F00  # what glibc asks of clone for a thread
FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)


def answer(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """Run a filter as the system would (an interpreter of classic BPF); return the error number."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, argument, *[0] * 5)
    steps = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    position = value = 0
    while True:
        code, when, unless, constant = steps[position]
        position += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif code == 0x15:
            position += when if value == constant else unless
        elif code == 0x45:
            position += when if value & constant else unless
        else:
            assert code == 0x06
            assert constant >> 16 in (0x7FFF, 0x0005)
            return constant & 0xFFFF


@pytest.mark.parametrize("machine", CALLS)
def test_exactly_these_calls_are_refused(machine):
    architecture, refused, clone, missing, read = CALLS[machine]
    program = seccomp.program(machine)
    expected = dict.fromkeys(refused, errno.EPERM) | dict.fromkeys(missing, errno.ENOSYS)
    for number in range(600):
        assert answer(program, architecture, number) == expected.get(number, ALLOWED), number
    assert answer(program, architecture, clone, THREAD) == ALLOWED
    for flag in FLAGS:
        assert answer(program, architecture, clone, flag | 17) == errno.EPERM
        assert answer(program, architecture, read, flag) == ALLOWED
    assert answer(program, 0x40000003, 0) == errno.EPERM  # calls of another machine, such as i386
    assert answer(program, architecture, 0x40000000 | read) == errno.EPERM  # x32


def test_an_unknown_machine_has_no_filter(monkeypatch):
    assert seccomp.program("riscv64") == b""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert seccomp.filter_file() is None


@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
def test_the_system_takes_it():
    for command, works in ((["true"], True), (["unshare", "--user", "true"], False)):
        with seccomp.filter_file() as file:
            around = ["bwrap", "--ro-bind", "/", "/", "--seccomp", str(file.fileno())]
            done = subprocess.run([*around, *command], pass_fds=[file.fileno()], check=False)
        assert (done.returncode == 0) == works
