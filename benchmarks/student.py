"""A student without a browser: a notebook on a Jupyter server, driven over its websocket.

Speaks what JupyterLab speaks: Jupyter's REST interface, and the kernel's messages in the form
`v1.kernel.websocket.jupyter.org`; a list is set by the `comm_msg` that ipywidgets would send.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

_PROTOCOL = "v1.kernel.websocket.jupyter.org"
_PATIENCE = {"connect_timeout": 1200.0, "request_timeout": 1200.0}  # twenty kernels on two cores
_MOST_BYTES = 2**28
_SHOWN = "HTMLModel"


@dataclass(frozen=True)
class Door:
    """Where a server, or a hub, answers, and the token that it asks for."""

    address: str
    token: str

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return what comes back, JSON as data. Raises HTTPClientError."""
        client = AsyncHTTPClient(force_instance=True, defaults=_PATIENCE)
        text = None if body is None else json.dumps(body)
        answer = await client.fetch(self._request(path, method=method, body=text))
        is_data = answer.headers.get("Content-Type", "").startswith("application/json")
        return json.loads(answer.body) if is_data and answer.body else answer.body

    async def connect(self, path: str) -> WebSocketClientConnection:
        """Open a kernel's websocket, in the form of messages that JupyterLab asks for."""
        request = self._request(path, **_PATIENCE)
        request.url = request.url.replace("http", "ws", 1)
        return await websocket_connect(
            request, subprotocols=[_PROTOCOL], max_message_size=_MOST_BYTES
        )

    def _request(self, path: str, **options: Any) -> HTTPRequest:
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.address}/{path}"
        return HTTPRequest(url, headers=headers, allow_nonstandard_methods=True, **options)


class Student:
    """One notebook on the server behind `door`, below the path `place`."""

    def __init__(self, door: Door, place: str = "") -> None:
        self.door, self.place = door, place
        self.session = uuid.uuid4().hex
        self.kernel = ""
        self.cells: list[str] = []
        self.widgets: dict[str, dict[str, Any]] = {}  # the state of each, by its comm's id
        self.moves = 0

    async def open(self, notebook: str) -> None:
        """Fetch the page and the notebook, start its kernel, and connect with it."""
        await self.door.ask("GET", f"{self.place}lab/tree/{notebook}")
        file = await self.door.ask("GET", f"{self.place}api/contents/{notebook}")
        cells = [cell for cell in file["content"]["cells"] if cell["cell_type"] == "code"]
        self.cells = [cell["source"] for cell in cells if cell["source"].strip()]
        wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        made = await self.door.ask("POST", f"{self.place}api/sessions", wanted)
        self.kernel = made["kernel"]["id"]
        path = f"{self.place}api/kernels/{self.kernel}/channels?session_id={self.session}"
        self.socket = await self.door.connect(path)

    async def run(self) -> None:
        """Run every cell and note the widgets that it makes. Raises RuntimeError on an error."""
        for source in self.cells:
            for _, message, content in await self._send("execute_request", {"code": source}):
                if message == "comm_open":
                    self.widgets[content["comm_id"]] = content["data"].get("state", {})

    async def pid(self) -> int:
        """Return the process of the kernel."""
        answers = await self._send(
            "execute_request", {"code": "import os; print(os.getpid())", "store_history": False}
        )
        (text,) = (content["text"] for _, message, content in answers if message == "stream")
        return int(text)

    async def move(self, *names: str) -> tuple[float, float]:
        """Set one of the lists of these names to its next value, another one each time.

        Returns the seconds until the first new HTML was here, and until all of the answer was.
        Raises RuntimeError where no HTML changed.
        """
        by_name = {state.get("description"): comm for comm, state in self.widgets.items()}
        chosen = by_name[names[self.moves % len(names)]]
        state = self.widgets[chosen]
        state["index"] = (state["index"] + 1) % len(state["_options_labels"])
        self.moves += 1
        data = {"method": "update", "state": {"index": state["index"]}, "buffer_paths": []}
        start = time.perf_counter()
        came = await self._send("comm_msg", {"comm_id": chosen, "data": data})
        shown = [when for when, message, content in came if self._shows(message, content)]
        if not shown:
            raise RuntimeError(f"The list {state['description']} moved, and nothing came.")
        return shown[0] - start, came[-1][0] - start

    def _shows(self, message: str, content: dict[str, Any]) -> bool:
        """Tell whether a message changes what stands in the page."""
        if message != "comm_msg" or content["data"].get("method") != "update":
            return False
        of = self.widgets.get(content["comm_id"], {})
        return of.get("_model_name") == _SHOWN and "value" in content["data"]["state"]

    async def _send(
        self, kind: str, content: dict[str, Any]
    ) -> list[tuple[float, str, dict[str, Any]]]:
        """Send a message; return when each message of the answer came, its type and its content.

        Raises RuntimeError where a cell fails, or the kernel is gone.
        """
        header = {"msg_id": uuid.uuid4().hex, "session": self.session, "username": ""}
        header |= {"msg_type": kind, "version": "5.3", "date": "2000-01-01T00:00:00Z"}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        await self.socket.write_message(serialize_msg_to_ws_v1(parts, "shell"), binary=True)
        came = []
        while True:
            raw = await self.socket.read_message()
            if raw is None:
                raise RuntimeError("The server closed the kernel's websocket.")
            channel, (head, parent, _, body, *_buffers) = deserialize_msg_from_ws_v1(raw)
            message, answer = json.loads(head)["msg_type"], json.loads(body)
            if message == "status" and answer["execution_state"] in ("dead", "restarting"):
                raise RuntimeError("The kernel died.")
            if channel != "iopub" or json.loads(parent).get("msg_id") != header["msg_id"]:
                continue
            came.append((time.perf_counter(), message, answer))
            if message == "error":
                raise RuntimeError(f"A cell fails: {answer['ename']}: {answer['evalue']}")
            if message == "status" and answer["execution_state"] == "idle":
                return came


async def at_once(do: Callable[[Any], Awaitable[Any]], each: Sequence[Any]) -> list[float]:
    """Do this with each of them, all begun at once; return the seconds that each took."""

    async def timed(one: Any) -> float:
        start = time.perf_counter()
        await do(one)
        return time.perf_counter() - start

    return await asyncio.gather(*map(timed, each))
