"""FlatBuffer against protobuf: time, memory, bytes, and the machine code that reading takes.

    python -m benchmarks.flatbuffer                      # all but the libraries' code
    python -m benchmarks.flatbuffer --libraries ROOT     # that too
    python -m benchmarks.flatbuffer --libraries ROOT --record    # and keep it in data/readers

ROOT is a folder with usr/include, usr/lib and usr/bin of the libraries, such as the Debian
packages libprotobuf-dev protobuf-compiler libprotoc32 libprotobuf32 libflatbuffers-dev
flatbuffers-compiler libnanopb-dev unpacked into it by `dpkg -x`, or / where they are installed;
`pip install nanopb` gives the generator.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.results import Measured, Options
from course_lib import session, spotter, tflite
from course_lib.experiments import readers, reading_costs
from course_lib.tflite import xray

TITLE = "FlatBuffer beside protobuf"
SOURCES = Path(__file__).parent / "first_weight"
PROGRAMS = {
    "nothing": ["nothing.c"],
    "FlatBuffers": ["flatbuffers.cc"],
    "FlatBuffers, verified": ["-DVERIFY", "flatbuffers.cc"],
    "nanopb": ["nanopb.c", "small.pb.c", "-lprotobuf-nanopb"],
    "protobuf-lite": ["protobuf.cc", "graph.pb.cc", "-lprotobuf-lite", "-lpthread"],
}
OPTIONS = [
    "-Os",
    "-static",
    "-s",
    "-w",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-asynchronous-unwind-tables",
    "-Wl,--gc-sections",
    "-I.",
]


def run(options: Options) -> Measured:
    """Measure everything but the libraries' code, which needs their packages."""
    flat = tflite.load("spotter_float32")
    proto = session.data_path("models", "spotter.pb").read_bytes()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        shipped_model(flat, proto, 2 if options.quick else 50)
        if not options.quick:
            series()
            small_readers(flat, proto)
    return Measured(
        "The same weights in both: bytes, and what it costs to read one or all of them, median of "
        "50 calls.",
        remarks=[f"```text\n{said.getvalue().rstrip()}\n```"],
    )


def main() -> int:
    """Print every comparison."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--libraries", type=Path, metavar="ROOT")
    options.add_argument("--record", action="store_true", help="write data/readers/code.json")
    chosen = options.parse_args()
    if chosen.record and not chosen.libraries:
        options.error("--record keeps the libraries' code as well: give --libraries ROOT.")
    flat = tflite.load("spotter_float32")
    proto = session.data_path("models", "spotter.pb").read_bytes()
    shipped_model(flat, proto)
    series()
    small_readers(flat, proto)
    if chosen.libraries:
        sizes = libraries(chosen.libraries.resolve())
        if chosen.record:
            record(sizes)
    return 0


def shipped_model(flat: bytes, proto: bytes, calls_each: int = 50) -> None:
    """Print bytes, and the cost of the first and of every weight, of the shipped model."""
    print("the shipped spotter, float32")
    route = xray.Xray(flat).route("buffers[1].data")
    print(
        f"  bytes: FlatBuffer {len(flat):,} (zipped {reading_costs.zipped(flat):,}), "
        f"protobuf {len(proto):,} (zipped {reading_costs.zipped(proto):,})"
    )
    print(f"  first weight: {route.bytes_read} bytes read, {route.pages()} pages of 4 kB")
    calls = {
        "first weight": (
            lambda: reading_costs.weight_flatbuffer(flat, 1),
            lambda: reading_costs.weight_protobuf(proto, 1),
        ),
        "every weight": (
            lambda: reading_costs.every_weight_flatbuffer(flat),
            lambda: reading_costs.every_weight_protobuf(proto),
        ),
    }
    for name, pair in calls.items():
        line(name, *[reading_costs.cost(call, calls_each) for call in pair])


def series() -> None:
    """Print the cost of one weight in files of growing size."""
    for megabytes in (0.1, 1, 10, 100):
        numbers = np.random.default_rng(0).normal(size=(20, int(megabytes * 1e6 / 80)))
        flat, proto = reading_costs.pair(
            {f"layer_{n}": row.astype(np.float32) for n, row in enumerate(numbers)}
        )
        line(
            f"{megabytes} MB",
            reading_costs.cost(lambda file=flat: reading_costs.weight_flatbuffer(file, 20)),
            reading_costs.cost(lambda file=proto: reading_costs.weight_protobuf(file, 19)),
        )


def line(name: str, flat: reading_costs.Cost, proto: reading_costs.Cost) -> None:
    """Print one comparison."""
    heaps = [f"{(cost.heap_bytes or 0) + cost.python_bytes:,} B" for cost in (flat, proto)]
    print(
        f"  {name:13} FlatBuffer {1e6 * flat.seconds:9.1f} µs, {heaps[0]:>8}"
        f"   protobuf {1e6 * proto.seconds:9.1f} µs, {heaps[1]:>13}"
        f"   {proto.seconds / flat.seconds:7.1f} times"
    )


def small_readers(flat: bytes, proto: bytes) -> None:
    """Print what the lesson's three C readers take."""
    print("small readers, compiled here")
    for name in readers.READERS:
        wanted = f"{spotter.LAST_LAYER}/{'BiasAdd' if name == 'flatbuffer' else 'bias'}"
        reader = readers.compiled(name)
        cost = reader.find(flat if name == "flatbuffer" else proto, wanted)
        print(
            f"  {name:16} {reader.code_bytes:6,} B of code {1e6 * cost.seconds:7.2f} µs "
            f"{cost.allocations:6,} allocations, {cost.allocated_bytes:,} B"
        )


def libraries(root: Path) -> dict[str, int]:
    """Print and return the bytes of code that each library adds to a program that only reads."""
    lib = next((root / "usr/lib").glob("*-linux-gnu"))
    environ = {
        **os.environ,
        "LD_LIBRARY_PATH": str(lib),
        "PATH": f"{root / 'usr/bin'}{os.pathsep}{os.environ['PATH']}",
    }
    with tempfile.TemporaryDirectory() as folder:
        for file in SOURCES.iterdir():
            Path(folder, file.name).write_bytes(file.read_bytes())

        def call(*command: str) -> str:
            return subprocess.run(
                command, cwd=folder, env=environ, check=True, text=True, capture_output=True
            ).stdout

        call("protoc", "--cpp_out=.", "graph.proto")
        call("flatc", "--cpp", "model.fbs")
        call(sys.executable, "-m", "nanopb.generator.nanopb_generator", "small.proto")
        sizes = {}
        for name, parts in PROGRAMS.items():
            compiler = "g++" if any(part.endswith(".cc") for part in parts) else "gcc"
            call(compiler, *OPTIONS, f"-I{root / 'usr/include'}", *parts, f"-L{lib}", "-o", "made")
            sizes[name] = int(call("size", "made").splitlines()[1].split()[0])
        print("libraries, statically linked, less a program that only reads the file")
        nothing = sizes.pop("nothing")
        added = {name: size - nothing for name, size in sizes.items()}
        for name, size in added.items():
            print(f"  {name:22} {size:9,} B of code")
        return added


def record(libraries: dict[str, int]) -> None:
    """Keep the bytes of machine code in data/readers, for machines without a compiler."""
    call = ["gcc", "-dumpfullversion"]
    version = subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
    machine = platform.machine().replace("_", "-")
    kept = {
        "compiled_with": f"gcc {version} -Os, {machine}, {datetime.date.today()}",
        "readers": {name: readers.compiled(name).code_bytes for name in readers.READERS},
        "libraries": libraries,
    }
    session.write_atomically(session.data_path(*readers.RECORD), f"{json.dumps(kept, indent=1)}\n")


if __name__ == "__main__":
    sys.exit(main())
