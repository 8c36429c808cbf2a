"""A file server on this machine that misbehaves on demand: each request takes the next fault."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Faulty", "served"]


@dataclass
class Faulty:
    """What is served, what goes wrong with the next requests, and what was asked.

    `faults` are taken one a request: "" (none), "cut", "stall", "trickle", "500", "503", "404",
    "ignores ranges", "wrong part", "short", "long", "no end", "hangs up".
    """

    files: dict[str, bytes]
    faults: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/data/{name}"


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[Faulty]:
    """Serve `files` below /data/ until the block ends."""
    faulty = Faulty(files)

    class Handler(_Handler):
        about = faulty

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    faulty.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield faulty
    finally:
        faulty.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    about: Faulty

    def do_GET(self) -> None:
        about, fault = self.about, ""
        if about.faults:
            fault = about.faults.pop(0)
        name = self.path.rpartition("/")[2]
        about.asked.append({"fault": fault, "name": name, **dict(self.headers)})
        self.close_connection = True
        if fault == "hangs up":
            return
        if fault.isdigit() or name not in about.files:
            self._head(int(fault or 404), {"Content-Length": "0"})
            return
        data = about.files[name]
        mark = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        data = {"short": data[: len(data) // 3], "long": data + b"more"}.get(fault, data)
        self._send(data, mark, fault)

    def _send(self, data: bytes, mark: str, fault: str) -> None:
        wanted = self.headers.get("Range", "")
        same = self.headers.get("If-Range", mark) == mark
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and same else 0
        start = 0 if fault == "ignores ranges" else start
        if start and start >= len(data):
            self._head(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
            return
        start += 7 if fault == "wrong part" else 0
        rest = data[start:]
        headers = {"ETag": mark, "Content-Length": str(len(rest))}
        if fault == "no end":  # no length is told, and more comes than there should be
            del headers["Content-Length"]
            rest += b"x" * len(data)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._head(206 if start else 200, headers)
        middle = len(rest) // 2
        if fault == "trickle":
            for place in range(0, len(rest), 4096):
                self.wfile.write(rest[place : place + 4096])
                self.wfile.flush()
                self.about.closing.wait(0.001)
        elif fault in ("cut", "stall"):
            self.wfile.write(rest[:middle])
            self.wfile.flush()
            if fault == "stall":
                self.about.closing.wait(20)
        else:
            self.wfile.write(rest)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
