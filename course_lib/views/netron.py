"""Netron, the model viewer, embedded in a notebook and cut off from the outside.

The stock page of the package asks the network where it is, shows a dialog, sends statistics and
stops working half a year after its release. A small server of our own hands out the same static
files with those parts taken out, and tells the browser (by a content security policy) to ask
nobody else.
"""

import http.server
import importlib.util
import os
import re
import threading
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from course_lib.session import in_colab
from course_lib.views import shell
from course_lib.views.style import Picture

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_POLICY = "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'"
_ASKS = rb"await (age|consent|telemetry)\(\);"  # where it is, and for consent
_FOCUS = rb"(element|container)\.focus\(\);"  # as soon as it has drawn, whoever writes in a cell
_HEIGHT = 520  # CSS pixels of the frame


class Netron(shell.View):
    """A model in Netron, in the page; the viewer that was shown before is closed.

    `model` is the file's content or path; `name` ends as its format does, like "model.tflite".
    `static`, the same graph as a picture, stands with a reason where Netron cannot be shown.
    """

    def __init__(self, model: bytes | str | Path, name: str, static: Picture) -> None:
        self.model, self.name, self.static = model, name, static

    def controls(self) -> Any:
        try:
            viewer = serve(self.model, self.name)
        except OSError as error:
            return shell.column(shell.html(shell.note(str(error))))
        if in_colab():
            from google.colab import output

            output.serve_kernel_port_as_iframe(viewer.port, height=str(_HEIGHT))
            return shell.html(_instead(self.static))
        return shell.html(_frame(viewer, self.static))

    def still(self) -> Picture:
        return self.static


@dataclass(frozen=True)
class Viewer:
    """A running viewer of one model: its address on this machine, and the model's file name."""

    port: int
    name: str

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the viewer."""
        return f"http://127.0.0.1:{self.port}/"


_running: http.server.ThreadingHTTPServer | None = None


def serve(model: bytes | str | Path, name: str) -> Viewer:
    """Serve Netron with this model on a free port of this machine only, in place of the one before.

    Raises OSError, in a sentence, where the package netron or the file is missing.
    """
    global _running
    folder = _static_folder()
    data = bytes(model) if isinstance(model, (bytes, bytearray)) else Path(model).read_bytes()
    stop()
    handler = type("Handler", (_Handler,), {"folder": folder, "data": data, "name": name})
    _running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=_running.serve_forever, args=(0.1,), daemon=True).start()
    return Viewer(_running.server_address[1], name)


def stop() -> None:
    """Close the viewer and free its port and its model; nothing happens where none is running."""
    global _running
    if _running is not None:
        _running.shutdown()
        _running.server_close()
        _running = None


def _static_folder() -> Path:
    package = importlib.util.find_spec("netron")
    if package is None or not package.submodule_search_locations:
        raise OSError("Netron is not installed: run `pip install netron` to see it here.")
    folder = Path(next(iter(package.submodule_search_locations)))
    if not (folder / "index.html").is_file():
        raise OSError("This version of netron has no page to show: install netron 9.")
    return folder


def _frame(viewer: Viewer, static: Picture) -> str:
    """Return the frame with Netron in it, and what to do where it stays empty."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    address = f"{prefix}proxy/{viewer.port}/" if prefix else viewer.url
    return (
        f'<iframe src="{escape(address)}" title="Netron shows {escape(viewer.name)}" '
        f'style="width:100%;height:{_HEIGHT}px;border:1px solid #888;background:#fff"></iframe>'
        f"{_instead(static)}"
    )


def _instead(static: Picture) -> str:
    return (
        "<details><summary>The frame stays empty? Here is the same graph as a picture.</summary>"
        f"{static.html()}</details>"
    )


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with Netron's own files, its page without strings to the outside, or the model."""

    folder: Path
    data: bytes
    name: str

    def do_GET(self) -> None:  # noqa: N802 (the name that http.server calls)
        path = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
        if path == f"data/{self.name}":
            self._answer(self.data, "application/octet-stream")
            return
        file = self.folder / path
        kind = _TYPES.get(file.suffix)
        # one part only: no way out of the folder
        if len(PurePosixPath(path).parts) != 1 or kind is None or not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        if path == "index.html":
            content = _page(content.decode(), self.name).encode()
        elif file.suffix == ".js":
            content = re.sub(_ASKS, b"", content)
            content = re.sub(_FOCUS, rb"document.hasFocus() && \g<0>", content)
        self._answer(content, kind)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Say nothing: a notebook is no log."""

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("Cache-Control", "no-store")
        # without it, the page asks for consent before it shows anything
        self.send_header("Set-Cookie", "consent=1; Path=/; SameSite=Lax")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _page(page: str, name: str) -> str:
    """Return Netron's page with our model in it, without its date: so it never expires."""
    page = re.sub(r'<meta name="date"[^>]*>', "", page)
    values = {"type": "Python", "version": "0.0.0", "file": f"/data/{quote(name)}"}
    values |= {"name": name, "identifier": name}
    meta = "".join(f'<meta name="{key}" content="{escape(v)}">' for key, v in values.items())
    return re.sub(r'<meta name="version"[^>]*>', lambda _: meta, page)
