"""A class at once on one JupyterHub: every student opens a lesson and moves its dashboard.

    pip install ".[hub]" && npm install -g configurable-http-proxy
    python -m benchmarks.hub [--students 20] [--moves 20] [--out benchmarks/hub.md]

Starts a hub of its own on 127.0.0.1, with a server and a kernel for each student. A student asks
for what JupyterLab asks for, through the hub's proxy, runs all cells of lesson 07 over the kernel's
websocket, and then sets the lists of its dashboard as a browser does. Takes about 1 GB a student.
Exits with 1 where a student does not come to the end, or 95 % of the answers take too long.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
from tornado.httpclient import HTTPClientError

from benchmarks.memory import measured_on
from benchmarks.student import Door, Student, at_once
from tools import clean_copy
from tools.environment import THREADS
from tools.lab import free_port

LESSON = "notebooks/07_quantization.ipynb"
LISTS = ("Before", "After")
LIMIT_SECONDS = 1.0
_PAUSE_SECONDS = 2.0  # between two moves of a student who looks at what came
_START_SECONDS = 120
_CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {arguments!r}
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = 600
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{{"name": "class", "api_token": {token!r}}}]
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "class", "scopes": scopes, "services": ["class"]}}]
"""


@dataclass
class Measured:
    """Seconds of each step and of each answer, MB of memory, of each student; MB of disk."""

    steps: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)
    disk: float = 0.0

    def slow(self) -> list[str]:
        """Return the kinds of answers of which not 95 % came within the limit."""
        return [
            name
            for name, times in self.answers.items()
            if quantile([whole for _, whole in times], 0.95) > LIMIT_SECONDS
        ]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def pss(process: psutil.Process) -> float:
    """Return a process's MB, its share of what it has in common with others included."""
    return process.memory_full_info().pss / 1e6


@contextlib.contextmanager
def running(folder: Path, proxy: str) -> Iterator[tuple[Door, psutil.Process]]:
    """Run a hub whose students live in `folder`; at the end, end all that it has started."""
    first = free_port(8000)
    second = free_port(first + 1)
    ports = [first, second, free_port(second + 1)]
    door = Door(f"http://127.0.0.1:{first}", secrets.token_hex(16))
    arguments = ["--allow-root"] if os.geteuid() == 0 else []
    settings = {"folder": folder, "python": sys.executable, "token": door.token}
    settings["environment"] = {**THREADS, "PYTHONPATH": str(clean_copy.ROOT)}
    text = _CONFIG.format(ports=ports, proxy=proxy, arguments=arguments, **settings)
    (folder / "jupyterhub_config.py").write_text(text, encoding="utf-8")
    with (folder / "hub.log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterhub"]
        hub = psutil.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield door, hub
        finally:
            started = [hub, *hub.children(recursive=True)]
            for process in started:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(started, timeout=60)[1]:
                process.kill()


async def measure(count: int, moves: int, proxy: str, folder: Path) -> Measured:
    """Bring a class of so many to the lesson, and let each move its dashboard so many times."""
    names = [f"student{number:02}" for number in range(1, count + 1)]
    for name in names:
        clean_copy.notebooks(folder / name)
    got = Measured()
    with running(folder, proxy) as (door, hub):
        await _until(door, "hub/api/")
        students = [Student(door, f"user/{name}/") for name in names]
        for what, do in (
            ("its server is there", _enter),
            ("its lesson is open, its kernel there", lambda one: one.open(LESSON)),
            ("all its cells have run", Student.run),
        ):
            got.steps[what] = await at_once(do, students)
            print(f"{what}: {max(got.steps[what]):.0f} s", file=sys.stderr, flush=True)
        kernels = [psutil.Process(await one.pid()) for one in students]
        got.answers["all in the same instant"] = [
            answer
            for _ in range(moves)
            for answer in await asyncio.gather(*(one.move(*LISTS) for one in students))
        ]
        alone = await asyncio.gather(*(_at_leisure(one, moves) for one in students))
        got.answers[f"each for itself, about every {_PAUSE_SECONDS:.0f} s"] = sum(alone, [])
        got.memory["kernel"] = list(map(pss, kernels))
        got.memory["server"] = [pss(kernel.parent()) for kernel in kernels]
        got.memory["hub and proxy, once"] = [sum(map(pss, _hub_itself(hub, kernels)))]
        got.disk = max(_filled(folder / name) for name in names)
    return got


def _hub_itself(hub: psutil.Process, kernels: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the hub and its children without the students' servers."""
    servers = {kernel.parent().pid for kernel in kernels}
    return [hub, *(each for each in hub.children() if each.pid not in servers)]


def _filled(home: Path) -> float:
    """Return the MB of the files in a student's home."""
    return sum(path.lstat().st_size for path in home.rglob("*")) / 1e6


async def _enter(one: Student) -> None:
    """Log a student in, and wait for the server that the hub starts."""
    name = one.place.split("/")[1]
    await one.door.ask("POST", f"hub/api/users/{name}")
    await one.door.ask("POST", f"hub/api/users/{name}/server")
    await _until(one.door, f"{one.place}api/status")


async def _until(door: Door, path: str) -> None:
    """Wait until something answers there. Raises TimeoutError where nothing does."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError, HTTPClientError):
            await door.ask("GET", path)
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{path} does not answer: see hub.log.")


async def _at_leisure(one: Student, moves: int) -> list[tuple[float, float]]:
    """Move as a student does who looks at each answer, at moments that nobody shares."""
    answers = []
    for _ in range(moves):
        await asyncio.sleep(random.uniform(0, 2 * _PAUSE_SECONDS))
        answers.append(await one.move(*LISTS))
    return answers


def _report(got: Measured, count: int, moves: int) -> str:
    lines = [
        "# A class at once on one JupyterHub",
        "",
        "Written by `python -m benchmarks.hub --out FILE`; nothing here is typed by hand.",
        "",
        f"{measured_on()}, JupyterHub {version('jupyterhub')}. {count} students, each with a "
        "server and a kernel of one thread, opened lesson 07 through the hub's proxy in the same "
        f"instant, ran all its cells, and moved its dashboard {moves} times in each of two ways. "
        "All came to the end. Hub, servers, kernels and students shared the cores.",
        "",
        "| seconds until | median student | last student |",
        "|---|---|---|",
        *(
            f"| {what} | {statistics.median(times):.1f} | {max(times):.1f} |"
            for what, times in got.steps.items()
        ),
        "",
        "Each step begins when all have done the one before it.",
        "",
        "| a move's answer, in seconds | answers | median | 95 % within | the longest |",
        "|---|---|---|---|---|",
    ]
    for how, answers in got.answers.items():
        for part, times in zip(
            ("its new figures", "all of it"), zip(*answers, strict=True), strict=True
        ):
            told = (statistics.median(times), quantile(times, 0.95), max(times))
            shown = " | ".join(f"{each:.2f}" for each in told)
            lines.append(f"| {how}: {part} | {len(times)} | {shown} |")
    lines += [
        "",
        "Last in an answer come the players of the clips that two models hear differently.",
        "",
        "| memory (PSS), MB | mean | most |",
        "|---|---|---|",
        *(
            f"| {what} | {statistics.mean(sizes):,.0f} | {max(sizes):,.0f} |"
            for what, sizes in got.memory.items()
        ),
        "",
        "What students share, such as the code of TensorFlow, counts in equal parts for each. On "
        f"disk a student's home, without a clone, came to {got.disk:,.0f} MB.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and tell by the exit code whether the class was served."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--proxy", default=shutil.which("configurable-http-proxy"))
    parser.add_argument("--out", type=Path, help="a Markdown file to write the tables to")
    options = parser.parse_args()
    if options.proxy is None:
        parser.error("no configurable-http-proxy on the PATH: npm installs it")
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        try:
            got = asyncio.run(measure(options.students, options.moves, options.proxy, Path(folder)))
        except Exception:
            print(Path(folder, "hub.log").read_text("utf-8", "replace")[-4000:], file=sys.stderr)
            raise
    text = _report(got, options.students, options.moves)
    print(text)
    if options.out:
        options.out.write_text(f"{text}\n", encoding="utf-8")
    return int(bool(got.slow()))


if __name__ == "__main__":
    sys.exit(main())
