"""Submissions that try to get points, to do harm, or that are merely broken; and what each earned.

Each takes the right answers to lesson 97 and changes some. `right` names the exercises that it must
get points for, no more and no less.
"""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RIGHT = {
    "97.1": "cells = table.size",
    "97.2": "def double(x):\n    return 2 * x",
    "97.3": 'complete = "frozen"',
    "97.4": "def totals(array):\n    return array.sum(axis=1)",
    "97.5": 'order = ["add", "divide"]',
}
POINTS = {"97.1": 1, "97.2": 2, "97.3": 1, "97.4": 3, "97.5": 1}
EVERY = frozenset(RIGHT)
WRONG_2 = "def double(x):\n    return x * x"


@dataclass(frozen=True)
class Hostile:
    """One submission: how its file is made, what it gets points for, and a word of its sentence."""

    name: str
    right: frozenset[str]
    make: Callable[[Path, dict], None]
    said: str = ""


def notebook(student: dict, answers: dict[str, str]) -> dict:
    """Return the student edition with some answers filled in."""
    filled = json.loads(json.dumps(student))
    for cell in filled["cells"]:
        identifier = cell["metadata"].get("exercise")
        if identifier in answers:
            cell["source"] = f"# Exercise {identifier}\n{answers[identifier]}"
    return filled


def _code(name: str, right: str, said: str = "", **changed: str) -> Hostile:
    """Return a submission whose answers are right but for the changed ones, `a2` for 97.2."""
    answers = {**RIGHT, **{f"97.{key[1:]}": code for key, code in changed.items()}}
    earned = frozenset(f"97.{each}" for each in right)

    def make(folder: Path, student: dict) -> None:
        _write(folder / "97_grading.ipynb", notebook(student, answers))

    return Hostile(name, earned, make, said)


def _file(name: str, right: str, said: str = "", file: str = "97_grading.ipynb"
          ) -> Callable[[Callable[[dict], bytes]], Hostile]:
    """Return a decorator: the function makes the bytes of the file from a right notebook."""

    def wrap(content: Callable[[dict], bytes]) -> Hostile:
        def make(folder: Path, student: dict) -> None:
            (folder / file).write_bytes(content(notebook(student, RIGHT)))

        made = Hostile(name, frozenset(f"97.{each}" for each in right), make, said)
        FILES.append(made)
        return made

    return wrap


def _write(path: Path, tree: dict) -> None:
    path.write_text(json.dumps(tree), encoding="utf-8")


CODE = [
    # --- time
    _code("infinite loop in a cell", "1345", "KeyboardInterrupt", a2="while True:\n    pass"),
    _code("infinite loop in a function", "1345", "took too long",
          a2="def double(x):\n    while True:\n        pass"),
    _code("loop that will not be interrupted", "1", "ended", a2=(
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass")),
    _code("sleep", "1345", a2="import time\ntime.sleep(10_000)"),
    _code("sleep deaf to signals", "1", "ended", a2=(
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(10_000)")),
    _code("function that sleeps deaf to interrupts", "1", "ended", a2=(
        "import time\ndef double(x):\n    while True:\n        try:\n            time.sleep(100)\n"
        "        except BaseException:\n            pass")),
    # --- processes, memory, disk, output
    _code("fork bomb", "1", "stopped", a2=(
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass")),
    _code("thread bomb", "1345", a2=(
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(4,), daemon=True).start()")),
    _code("memory at once", "1345", "MemoryError", a2="everything = bytearray(1 << 44)"),
    _code("memory little by little", "1", "memory", a2=(
        "kept = []\nwhile True:\n    kept.append(b'x' * (32 << 20))")),
    _code("memory in many processes", "1", "", a2=(
        "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n"
        "        kept = [b'x' * (8 << 20) for _ in range(40)]\n        time.sleep(60)\n"
        "time.sleep(60)")),
    _code("disk flood", "1345", "OSError", a2=(
        "with open('flood', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))")),
    _code("flood of /tmp and shared memory", "12345", a2=(
        "for place in ('/tmp/flood', '/dev/shm/flood'):\n    try:\n"
        "        with open(place, 'wb') as file:\n            while True:\n"
        "                file.write(bytes(1 << 20))\n    except OSError:\n        pass\n"
        + RIGHT["97.2"])),
    _code("files without end", "12345", a2=(
        "files = []\ntry:\n    while True:\n        files.append(open('/dev/null'))\n"
        "except OSError:\n    del files\n" + RIGHT["97.2"])),
    _code("output flood", "1345", "printed more", a2="while True:\n    print('x' * 1_000_000)"),
    _code("output flood past Python", "1", "", a2=(
        "import os\nwhile True:\n    os.write(1, b'x' * 65536)")),
    # --- ends
    _code("os._exit", "1", "ended", a2="import os\nos._exit(0)"),
    _code("os._exit inside the function", "1", "ended", a2=(
        "def double(x):\n    import os\n    os._exit(0)")),
    _code("SIGKILL of the parent", "1", "ended", a2=(
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time\ntime.sleep(5)")),
    _code("SIGKILL of everything", "1", "ended", a2=(
        "import os, signal\nos.kill(-1, signal.SIGKILL)\nimport time\ntime.sleep(5)")),
    _code("segmentation fault", "1", "ended", a2=(
        "import ctypes\nctypes.string_at(0)")),
    _code("exit in a function", "1345", "SystemExit", a2=(
        "import sys\ndef double(x):\n    sys.exit(0)")),
    _code("exit handlers that never end", "12345", a2=(
        "import atexit, time\natexit.register(time.sleep, 10_000)\n" + RIGHT["97.2"])),
    _code("threads left behind", "12345", a2=(
        "import threading, time\nfor _ in range(5):\n"
        "    threading.Thread(target=time.sleep, args=(10_000,)).start()\n" + RIGHT["97.2"])),
    _code("processes left behind", "12345", a2=(
        "import subprocess\nsubprocess.Popen(['/bin/sh', '-c', 'sleep 98765 & sleep 98765'], "
        "start_new_session=True)\n" + RIGHT["97.2"])),
    # --- tampering with the course and the tools
    _code("deleted course files", "12345", a2=(
        "import course_lib, pathlib, shutil\n"
        "shutil.rmtree(pathlib.Path(course_lib.__file__).parent.parent, ignore_errors=True)\n"
        + RIGHT["97.2"])),
    _code("rewritten course files", "1345", "Error", a2=(
        "import course_lib\nopen(course_lib.__file__, 'w').write('x = 1')\n" + RIGHT["97.2"])),
    _code("monkeypatched check", "1345", "square", a2=(
        "check = lambda *_: print('97.2 right: x + x.')\n" + WRONG_2)),
    _code("monkeypatched exercises", "1345", "square", a2=(
        "import course_lib.exercises as e, sys\ne.check = lambda *_: None\n"
        "sys.modules['course_lib.exercises.core'] = e\n" + WRONG_2)),
    _code("forged print", "1345", "square", a2=(
        "import builtins\nsay = print\n"
        "builtins.print = lambda *_, **__: say('97.2 right: x + x.')\n" + WRONG_2)),
    _code("forged pytest and nbval", "1345", "square", a2=(
        "import pytest, nbval.plugin, sys\npytest.fail = lambda *_, **__: None\n"
        "nbval.plugin.IPyNbCell.runtest = lambda self: None\n"
        "sys.modules['nbval'] = sys.modules['pytest'] = None\n" + WRONG_2)),
    _code("forged display", "1345", "square", a2=(
        "from IPython import display\nshell = get_ipython()\n"
        "shell.display_formatter.format = lambda *_, **__: ({'text/plain': '97.2 right'}, {})\n"
        + WRONG_2)),
    _code("forged kernel messages", "1345", "square", a2=(
        "kernel = get_ipython().kernel\n"
        "kernel.session.send(kernel.iopub_socket, 'stream', {'name': 'stdout', "
        "'text': '97.2 right: x + x.'}, parent=kernel.get_parent())\n" + WRONG_2)),
    _code("forged results in the grader's pipe", "1345", "square", a2=(
        "import os\nline = b'{\"kind\": \"verdict\", \"exercise\": \"97.2\", \"earned\": 99}\\n'\n"
        "for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "    for number in range(3, 40):\n        try:\n"
        "            os.write(os.open(f'/proc/{pid}/fd/{number}', os.O_WRONLY), line)\n"
        "        except OSError:\n            pass\n" + WRONG_2)),
    _code("forged asking", "1", "", a2=(
        "import sys\nasking = sys.modules['course_lib.instructor.grading.inside.asking']\n"
        "asking.ask = lambda answer, _, reply: "
        "open(reply, 'w').write('{\"state\": \"right\", \"earned\": 99}')\n" + WRONG_2)),
    _code("import hooks", "12345", a2=(
        "import sys\nclass Hook:\n    def find_spec(self, *_):\n        raise ImportError('mine')\n"
        "sys.meta_path.insert(0, Hook())\n" + RIGHT["97.2"])),
    _code("sitecustomize and start-up files", "1345", "square", a2=(
        "import os, pathlib\nfor place in ('sitecustomize.py', 'usercustomize.py', 'conftest.py', "
        "'.ipython/profile_default/startup/00.py', 'pytest.ini'):\n"
        "    path = pathlib.Path.home() / place\n"
        "    path.parent.mkdir(parents=True, exist_ok=True)\n"
        "    path.write_text('raise SystemExit')\n" + WRONG_2)),
    _code("NBVAL_SKIP on a wrong answer", "1345", "square", a2="# NBVAL_SKIP\n" + WRONG_2),
    _code("NBVAL_SKIP on a right answer", "12345", a2="# NBVAL_SKIP\n" + RIGHT["97.2"]),
    _code("replaced open", "12345", a2=(
        "import builtins, os\nbuiltins.open = os.replace = os.open = None\n"
        + RIGHT["97.2"])),
    _code("cleared names", "12345", a2="globals().clear()\n" + RIGHT["97.2"]),
    _code("folder pulled away", "12345", a2=(
        "import os, shutil\nos.makedirs('gone')\nos.chdir('gone')\nos.rmdir('../gone')\n"
        + RIGHT["97.2"])),
    # --- answers that are not what they seem
    _code("integers that lie about equality", "134", a2=(
        "class Liar(int):\n    __eq__ = lambda *_: True\n    __hash__ = int.__hash__\n"
        "def double(x):\n    return Liar(1)"), a5=(
        "class Liars(list):\n    __eq__ = lambda *_: True\n    __len__ = lambda _: 2\n"
        "    __iter__ = lambda _: iter(['multiply', 'add'])\norder = Liars()")),
    _code("objects that lie about their type", "245", a1=(
        "class Six:\n    __class__ = int\n    __index__ = __int__ = lambda _: 6\n"
        "    __eq__ = lambda *_: True\n    __hash__ = None\ncells = Six()"), a3=(
        "class Frozen(str):\n    __eq__ = lambda *_: True\n    __hash__ = str.__hash__\n"
        "    casefold = lambda _: 'frozen'\ncomplete = Frozen('checkpoint')")),
    _code("objects that lie in their repr", "2345", a1=(
        "class Six:\n    __repr__ = __str__ = lambda _: '6'\ncells = Six()")),
    _code("exceptions that lie in their text", "1345", a2=(
        "class Trick(Exception):\n    def __str__(self):\n        raise SystemExit\n"
        "def double(x):\n    raise Trick")),
    _code("pickles that execute", "2345", a1=(
        "import os\nclass Bomb:\n    def __reduce__(self):\n"
        "        return os.system, ('touch /tmp/pickled',)\ncells = Bomb()")),
    _code("arrays of objects that execute", "1235", a4=(
        "import numpy, os\nclass Bomb:\n    def __reduce__(self):\n"
        "        return os.system, ('touch /tmp/pickled',)\n"
        "def totals(array):\n    return numpy.array([Bomb()] * len(array))")),
    _code("huge integers", "345", a1="cells = 1 << 400_000_000", a2=(
        "def double(x):\n    return 1 << 400_000_000")),
    _code("NaN", "35", a1="cells = float('nan')", a2="def double(x):\n    return float('nan')", a4=(
        "def totals(array):\n    return array.sum(axis=1) * float('nan')")),
    _code("recursion", "13", a2="def double(x):\n    return double(x)", a4=(
        "def totals(array):\n    return totals(array)"), a5=(
        "order = []\nfor _ in range(100_000):\n    order = [order]")),
    _code("recursion without a limit", "1", "ended", a2=(
        "import sys\nsys.setrecursionlimit(2 ** 31 - 1)\n"
        "class Deep:\n    def __getattr__(self, name):\n        return getattr(self, name + 'x')\n"
        "def double(x):\n    return repr(Deep().y)")),
    _code("lists that contain themselves", "1234", a5="order = []\norder.append(order)"),
    _code("iterators without end", "1234", a5=(
        "def forever():\n    while True:\n        yield 'add'\norder = forever()")),
    # --- what is out of reach
    _code("reading the solution", "1345", "square", a2=(
        "import importlib, pathlib, re\nfound, needle = '', 'return 2 ' + '* x'\n"
        "for name in ('course_lib.exercises.lesson_97', 'lesson_97', 'course_lib.exercises.core',\n"
        "             'course_lib.instructor.grading.judge',\n"
        "             'course_lib.instructor.authoring.source'):\n    try:\n"
        "        found += str(vars(importlib.import_module(name)))\n    except Exception:\n"
        "        pass\n"
        "for root in ('/sandbox/job', '/sandbox/course/course_lib', '/home', '/tmp', '/replies'):\n"
        "    for path in pathlib.Path(root).rglob('*'):\n"
        "        if re.search('lesson_|97_grading|notebooks', path.name):\n            try:\n"
        "                text = path.read_text(errors='replace')\n"
        "            except OSError:\n                continue\n"
        "            found += text if needle in text else ''\n"
        "def double(x):\n    return x + x if found else x * x")),
    _code("reading other students' files", "1345", "square", a2=(
        "import pathlib\nfound = [path for root in ('/sandbox/job', '/home', '/tmp', '/replies')\n"
        "         for path in pathlib.Path(root).rglob('*')\n"
        "         if 'honest' in path.name or path.suffix == '.csv' and 'works' in str(path)]\n"
        "def double(x):\n    return 2 * x if found else x * x")),
    _code("reading the grader's environment", "1345", "square", a2=(
        "import os, pathlib\nfound = 'HOSTILE_TEST_SECRET' in str(dict(os.environ))\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/environ'):\n    try:\n"
        "        found |= b'HOSTILE_TEST_SECRET' in path.read_bytes()\n"
        "    except OSError:\n        pass\n"
        "def double(x):\n    return 2 * x if found else x * x")),
    _code("network", "1345", "square", a2=(
        "import socket\nfound = False\nfor place in (('127.0.0.1', PORT), ('192.0.2.1', 80)):\n"
        "    try:\n        found |= socket.create_connection(place, 1) is not None\n"
        "    except OSError:\n        pass\n"
        "def double(x):\n    return 2 * x if found else x * x")),
    _code("more rights", "1345", "square", a2=(
        "import ctypes, os\nlibc = ctypes.CDLL(None)\nfound = False\n"
        "for act in (lambda: os.setuid(0), lambda: os.chroot('/'), lambda: os.mknod('/dev/mem2'),\n"
        "            lambda: open('/etc/shadow').read(), lambda: os.symlink('/x', '/usr/x')):\n"
        "    try:\n        act()\n        found = True\n    except OSError:\n        pass\n"
        "found |= libc.mount(b'none', b'/usr', b'tmpfs', 0, None) == 0\n"
        "def double(x):\n    return 2 * x if found else x * x")),
]

FILES: list[Hostile] = []


@_file("not JSON", "", "no notebook")
def _(tree):
    return b"# 97\nThis is my homework."


@_file("truncated", "", "no notebook")
def _(tree):
    return json.dumps(tree).encode()[:-200]


@_file("empty file", "", "empty")
def _(tree):
    return b""


@_file("100 MB", "", "MB")
def _(tree):
    tree["cells"][1]["outputs"] = [{"data": {"text/plain": "x" * 104_857_600}}]
    return json.dumps(tree).encode()


@_file("100,000 cells", "12345")
def _(tree):
    extra = [{"cell_type": "code", "id": f"n{number}", "metadata": {}, "source": "x = 1",
              "outputs": [], "execution_count": None} for number in range(100_000)]
    tree["cells"][2:2] = extra
    return json.dumps(tree).encode()


@_file("invalid UTF-8", "12345")
def _(tree):
    return json.dumps(tree).encode().replace(b"A cell", b"A \xff\xfe cell \xed\xa0\x80")


@_file("half of a surrogate pair", "1345")
def _(tree):
    for cell in tree["cells"]:
        if cell["metadata"].get("exercise") == "97.2":
            cell["source"] = "# Exercise 97.2\ndouble = '\ud800'"
    return json.dumps(tree).encode()


@_file("nested too deeply", "", "nested")
def _(tree):
    return b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@_file("JSON that is no notebook", "", "no cells")
def _(tree):
    return b'{"cells": 5, "worksheets": {"cells": "none"}}'


@_file("cells of every wrong type", "12345")
def _(tree):
    tree["cells"] += [None, 5, "x", [], {}, {"cell_type": 5, "source": {}, "metadata": [], "id": 7},
                      {"cell_type": "code", "source": [1, "# Exercise 97.2\n", None]}]
    return json.dumps(tree).encode()


@_file("numbers without end", "12345")
def _(tree):
    return json.dumps(tree).encode().replace(b'"nbformat": 4', b'"nbformat": ' + b"9" * 1_000_000)


@_file("edited outputs and tags", "1345", "square")
def _(tree):
    for cell in tree["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout",
                                "text": "97.2 right: x + x.\n"}]
            cell["execution_count"] = 1
            cell["metadata"]["tags"] = ["raises-exception", "nbval-skip", "nbval-ignore-output"]
        if cell["metadata"].get("exercise") == "97.2":
            cell["source"] = "# Exercise 97.2\n" + WRONG_2
            cell["metadata"]["points"] = 1000
    return json.dumps(tree).encode()


@_file("changed checks and course cells", "1345", "square")
def _(tree):
    for cell in tree["cells"]:
        if cell["cell_type"] == "code" and "exercise" not in cell["metadata"]:
            cell["source"] = "raise SystemExit"
        if cell["metadata"].get("exercise") == "97.2":
            cell["source"] = "# Exercise 97.2\n" + WRONG_2
    return json.dumps(tree).encode()


def _zipped(entries: dict[str, bytes], link: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        if link:
            info = zipfile.ZipInfo("97_grading.ipynb")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, link)
    return buffer.getvalue()


@_file("path tricks in a zip", "12345", file="work.zip")
def _(tree):
    data = json.dumps(tree).encode()
    return _zipped({"../../../../../../tmp/evil/97_grading.ipynb": data, "/etc/evil.ipynb": b"x",
                    "C:\\evil\\97_grading.ipynb": data})


@_file("another student's name in a zip", "12345", file="work.zip")
def _(tree):
    wrong = json.dumps(tree).replace("2 * x", "3 * x").encode()
    data = json.dumps(tree).encode()
    return _zipped({"honest_1234_assignsubmission_file_/97_grading.ipynb": wrong,
                    "zz/97_grading.ipynb": data})


@_file("a link in a zip", "", "link", file="97_work.zip")
def _(tree):
    return _zipped({}, link="/etc/passwd")


@_file("zip bomb", "", "unpacks", file="97_work.zip")
def _(tree):
    return _zipped({"97_grading.ipynb": b" " * (300 << 20)})


@_file("zip of zips of zips", "", "zips in zips", file="97_work.zip")
def _(tree):
    data = _zipped({"97_grading.ipynb": json.dumps(tree).encode()})
    for _ in range(4):
        data = _zipped({"a.zip": data})
    return data


@_file("zip of too many entries", "", "entries", file="97_work.zip")
def _(tree):
    return _zipped({f"{number}.txt": b"" for number in range(20_500)}, method=zipfile.ZIP_STORED)


@_file("damaged zip", "", "damaged", file="97_work.zip")
def _(tree):
    return _zipped({"97_grading.ipynb": json.dumps(tree).encode()})[:-100]


@_file("damaged LZMA zip", "", "damaged", file="97_work.zip")
def _(tree):
    data = bytearray(_zipped({"97_grading.ipynb": json.dumps(tree).encode()},
                             method=zipfile.ZIP_LZMA))
    data[60:90] = bytes(30)
    return bytes(data)


@_file("zip that lies about sizes", "", "damaged", file="97_work.zip")
def _(tree):
    data = bytearray(_zipped({"97_grading.ipynb": b" " * 100_000}))
    where = data.rindex(b"PK\x01\x02")
    data[where + 16:where + 28] = bytes(4) + b"\x10\0\0\0" * 2
    return bytes(data)


def _link(folder: Path, student: dict) -> None:
    (folder / "97_grading.ipynb").symlink_to("/etc/passwd")


def _pipe(folder: Path, student: dict) -> None:
    import os

    os.mkfifo(folder / "97_grading.ipynb")


CORPUS = [*CODE, *FILES,
          Hostile("a link in a folder", frozenset(), _link, "link"),
          Hostile("a named pipe", frozenset(), _pipe, "link")]
