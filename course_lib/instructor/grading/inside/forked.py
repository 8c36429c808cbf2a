"""A kernel that is forked from what has imported the same already, before it knows any more."""

import ctypes
import gc
import json
import os
import sys

_PR_SET_DUMPABLE = 4  # prctl(2)


class Forked:
    """A kernel's process, forked from this one; to jupyter_client it is a `Popen`."""

    stdin = stdout = stderr = returncode = None

    def __init__(self) -> None:
        """Fork; in the new process, which keeps no open file of ours, be a kernel for good."""
        orders, self._orders = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.dup2(orders, 3)
            os.closerange(4, os.sysconf("SC_OPEN_MAX"))
            _be_kernel(3)
        os.close(orders)
        os.setpgid(self.pid, self.pid)

    def launch(self, command: list[str], cwd: str, env: dict, **_: object) -> "Forked":
        """Let it begin, as `jupyter_client.launcher.launch_kernel` begins another process."""
        arguments = command[command.index("ipykernel_launcher") :]
        order = {"arguments": arguments, "folder": cwd, "environment": dict(env)}
        with open(self._orders, "w", encoding="utf-8") as file:
            json.dump(order, file)
        return self

    def poll(self) -> int | None:
        """Return its exit code, below 0 for a signal, or None while it runs."""
        return self.wait(os.WNOHANG)

    def wait(self, options: int = 0) -> int | None:
        """Return its exit code once it has ended."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _be_kernel(orders: int) -> None:
    """Be the kernel that `Forked.launch` orders, with the state of a new interpreter; never return.

    Until then only what kernels import is in memory.
    """
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    sys.modules["debugpy"] = None  # nobody debugs here; a student may still import it
    from ipykernel import debugger, kernelapp  # noqa: F401

    del sys.modules["debugpy"]
    gc.freeze()
    gc.enable()
    with open(orders, encoding="utf-8") as file:
        text = file.read()
    if not text:
        sys.exit()
    order = json.loads(text)
    if sys.platform == "linux":  # as exec would: else /proc/self belongs to root
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    if sys.path[0] == os.getcwd():
        del sys.path[0]
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.argv[:] = order["arguments"]
    kernelapp.launch_new_instance()
    sys.exit()
