"""A class at once on one JupyterHub: every student opens a lesson and moves its dashboard.

    pip install ".[hub]" && npm install -g configurable-http-proxy
    make bench ARGS=hub

Starts a hub of its own on 127.0.0.1, with a server and a kernel for each student. A student asks
for what JupyterLab asks for, through the hub's proxy, runs all cells of lesson 07 over the kernel's
websocket, and then sets the lists of its dashboard as a browser does. Takes about 1 GB a student.
Raises an error where a student does not come to the end.
"""

from __future__ import annotations

import asyncio
import contextlib
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

from benchmarks.results import Measured, Options, Ratio, quantile
from benchmarks.student import Door, Student, at_once
from tools import clean_copy
from tools.environment import THREADS
from tools.lab import free_port

TITLE = "A class at once on one JupyterHub"
STUDENTS, MOVES = 20, 20
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
class Class:
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


async def measure(count: int, moves: int, proxy: str, folder: Path) -> Class:
    """Bring a class of so many to the lesson, and let each move its dashboard so many times."""
    names = [f"student{number:02}" for number in range(1, count + 1)]
    for name in names:
        clean_copy.notebooks(folder / name)
    got = Class()
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


def run(options: Options) -> Measured:
    """Bring a class to the hub. Raises RuntimeError where there is no proxy for one."""
    students, moves = (2, 2) if options.quick else (STUDENTS, MOVES)
    proxy = shutil.which("configurable-http-proxy")
    if proxy is None:
        raise RuntimeError("There is no configurable-http-proxy on the PATH: npm installs it.")
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        try:
            got = asyncio.run(measure(students, moves, proxy, Path(folder)))
        except Exception:
            print(Path(folder, "hub.log").read_text("utf-8", "replace")[-4000:], file=sys.stderr)
            raise
    return _report(got, students, moves)


def _report(got: Class, count: int, moves: int) -> Measured:
    steps = [("seconds until", "median student", "last student")]
    for what, times in got.steps.items():
        steps.append((what, f"{statistics.median(times):.1f}", f"{max(times):.1f}"))
    answers = [("a move's answer, in seconds", "answers", "median", "95 % within", "the longest")]
    for how, pairs in got.answers.items():
        for part, times in zip(
            ("its new figures", "all of it"), zip(*pairs, strict=True), strict=True
        ):
            told = (statistics.median(times), quantile(times, 0.95), max(times))
            answers.append((f"{how}: {part}", str(len(times)), *(f"{each:.2f}" for each in told)))
    memory = [("memory (PSS), MB", "mean", "most")]
    for what, sizes in got.memory.items():
        memory.append((what, f"{statistics.mean(sizes):,.0f}", f"{max(sizes):,.0f}"))
    slowest = [quantile([w for _, w in pairs], 0.95) for pairs in got.answers.values()]
    return Measured(
        f"JupyterHub {version('jupyterhub')}. {count} students, each with a server and a kernel of "
        "one thread, opened lesson 07 through the hub's proxy in the same instant, ran all its "
        f"cells, and moved its dashboard {moves} times in each of two ways. All came to the end. "
        "Hub, servers, kernels and students shared the cores. Each step begins when all have done "
        "the one before it. Last in an answer come the players of the clips that two models hear "
        "differently.",
        [Ratio("95th percentile of an answer, s", slowest, LIMIT_SECONDS)],
        {"Steps": steps, "Answers": answers, "Memory": memory},
        [
            "What students share, such as the code of TensorFlow, counts in equal parts for each. "
            f"On disk a student's home, without a clone, came to {got.disk:,.0f} MB."
        ],
    )
