"""Damage .tflite files at random and see that nothing but a clear error or a right map comes out.

    python -m benchmarks.fuzz_tflite [--count 10000] [--seed 0] [MODEL …]

Each file is mapped here and run in a guarded process (1 GiB, 20 s). Prints what came of them, and
the damage of every file that crashed LiteRT or made it hang; returns 1 where the map failed.
"""

from __future__ import annotations

import argparse
import random
import resource
import struct
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from course_lib import tflite
from course_lib.formats import flatbuffer

SHIPPED = ("spotter_int8", "spotter_float32")


def main() -> int:
    """Run the fuzzer and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("models", nargs="*", help="files to damage; the shipped ones by default")
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    models = [Path(name).read_bytes() for name in chosen.models] or list(map(tflite.load, SHIPPED))
    chance, outcomes, failures, slowest = random.Random(chosen.seed), Counter(), 0, 0.0
    with tflite.Guard(seconds=20) as guard:
        for number in range(chosen.count):
            damage, data = damaged(chance.choice(models), chance)
            start = time.perf_counter()
            mapped = try_map(data)
            slowest = max(slowest, time.perf_counter() - start)
            ran = try_run(guard, data)
            failures += mapped.startswith("FAILED")
            outcomes[mapped, ran] += 1
            if mapped.startswith("FAILED") or "crash" in ran or "finish" in ran:
                print(f"{number}: {damage}: {mapped}; {ran}", flush=True)
    for (mapped, ran), count in outcomes.most_common():
        print(f"{count:7,}  map: {mapped:22} LiteRT: {ran}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{failures} failures of the map; slowest map {slowest:.3f} s; {memory:.0f} MiB here")
    return 1 if failures else 0


def damaged(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return what was done to a file, and the file: cut, doubled, bits or bytes changed."""
    changed, kind = bytearray(data), chance.randrange(6)
    if kind == 0:
        place = chance.randrange(len(changed))
        return f"cut to {place}", bytes(changed[:place])
    if kind == 1:
        place, length = chance.randrange(len(changed)), chance.randrange(1, 64)
        changed[place:place] = changed[place : place + length]
        return f"{length} bytes doubled at {place}", bytes(changed)
    if kind == 2:
        place = 4 * chance.randrange(len(changed) // 4)
        number = chance.choice([0, 1, 4, 2**32 - 1, 2**31 - 1, chance.randrange(len(changed))])
        changed[place : place + 4] = struct.pack("<I", number)
        return f"{number} at {place}", bytes(changed)
    # weights fill most of a file: damage what lies between them as often as not
    low = 0 if chance.random() < 0.5 else 3 * len(changed) // 4
    places = [chance.randrange(low, len(changed)) for _ in range(chance.randrange(1, 9))]
    for place in places:
        changed[place] = (
            changed[place] ^ (1 << chance.randrange(8)) if kind == 3 else chance.randrange(256)
        )
    return f"bytes {places} changed", bytes(changed)


def try_map(data: bytes) -> str:
    """Return what came of mapping a file; a right map is complete."""
    try:
        found = flatbuffer.byte_map(data)
    except flatbuffer.ModelError as error:
        return "a clear error" if "\n" not in str(error) else "FAILED: an unclear error"
    except Exception as error:  # whatever else it raises is what this program looks for
        return f"FAILED: {type(error).__name__}"
    whole = found.complete and sum(found.shares.values()) == len(data)
    return "right" if whole else "FAILED: incomplete"


def try_run(guard: tflite.Guard, data: bytes) -> str:
    """Return what came of running a file on two inputs, out of harm's way."""
    try:
        guard.run(data, np.zeros((2, 49, 40), np.float32))
    except tflite.ModelError as error:
        return str(error).split(":")[0]
    except ValueError as error:
        return type(error).__name__
    return "ran"


if __name__ == "__main__":
    sys.exit(main())
