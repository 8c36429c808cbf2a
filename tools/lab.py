"""Open JupyterLab on the first lesson; without a display, print its address and serve."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.commands import hand_over

__all__ = ["address", "command", "free_port", "has_display", "settings", "trust"]

ROOT = Path(__file__).resolve().parents[1]
FIRST = "notebooks/00_start_here.ipynb"


def main(arguments: Sequence[str]) -> int:
    """Replace this process by JupyterLab, or wait for it; `arguments` are handed on to it."""
    port, token = free_port(8888), secrets.token_urlsafe(16)
    display = has_display(os.environ, sys.platform)
    print(f"JupyterLab: {address(FIRST, port, token)}")
    print(
        "Stop it with Ctrl-C, twice."
        if display
        else "No display here: open that address. Ctrl-C, twice, stops it."
    )
    os.environ.update(settings(os.environ))
    trust(ROOT)
    full = [*command(ROOT, port, token), f"--LabApp.default_url=/lab/tree/{FIRST}"]
    full = _without_what_is_given(full, arguments)
    return hand_over(full if display else [*full, "--no-browser"])


def _without_what_is_given(own: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return our settings and the caller's, who wins: Jupyter takes each setting only once."""
    given = set(map(_setting, arguments))
    ours = [each for each in own if _setting(each) not in given]
    return [*ours, *arguments]


def _setting(argument: str) -> str:
    """Return which setting an argument is about: `ip` of `--ip=…` and of `--ServerApp.ip=…`."""
    return argument.partition("=")[0].rpartition(".")[2].lstrip("-")


def address(notebook: str, port: int, token: str) -> str:
    """Return where a notebook (a path below the server's folder) is served."""
    return f"http://127.0.0.1:{port}/lab/tree/{notebook}?token={token}"


def command(folder: Path, port: int, token: str) -> list[str]:
    """Return the command that serves `folder`, and nothing else, on this machine."""
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        sys.executable,
        *["-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", "--log-level=WARN"],
        *[f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"],
        *[f"--IdentityProvider.token={token}", *root],
        "--MappingKernelManager.transport_encryption=auto",  # else every kernel warns
        f"--LabApp.extra_labextensions_path={ROOT / 'tools' / 'jupyter' / 'labextensions'}",
    ]


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make Lab read tools/jupyter: no news from the network."""
    paths = [str(ROOT / "tools" / "jupyter"), environ.get("JUPYTER_CONFIG_PATH", "")]
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def trust(folder: Path) -> None:
    """Let JupyterLab show what the lessons in `folder` open with before any cell has run.

    It runs no script of a notebook that is not signed; these came with the workbook. Where nothing
    can be written, they are shown once their cells have run.
    """
    from nbformat import NO_CONVERT, read
    from nbformat.sign import NotebookNotary

    with contextlib.suppress(OSError):
        notary = NotebookNotary()
        for path in sorted((folder / "notebooks").glob("*.ipynb")):
            notary.sign(read(path, as_version=NO_CONVERT))


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody listens on here."""
    for port in range(first, first + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"No free port from {first} to {first + 199}: stop a server first.")


def has_display(environ: Mapping[str, str], platform: str) -> bool:
    """Tell whether a browser window can be opened here."""
    if platform.startswith("linux"):
        return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return "SSH_CONNECTION" not in environ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
