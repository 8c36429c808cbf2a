"""Thousands of damaged files: a clear error or a right result, fast, in little memory.

A fixed seed. ``WORKBOOK_FUZZ_CASES=200000`` runs the long version.
"""

from __future__ import annotations

import os
import struct
import time

import numpy as np
import pytest

from course_lib import session
from course_lib.formats import checkpoint, protobuf
from course_lib.formats.checkpoint import sstable
from course_lib.formats.checkpoint.crc import crc32c, masked
from course_lib.graph import freezing

CASES = int(os.environ.get("WORKBOOK_FUZZ_CASES", "10000"))
SLOWEST_SECONDS = 5.0
MOST_MEMORY_KIB = 2**20  # 1 GiB more than before
EXTREMES = (b"\xff" * 9 + b"\x01", b"\xff" * 8, bytes(8), b"\x80" * 12, b"\xff\xff\xff\xff\x0f",
            b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", struct.pack("<Q", 2**62))  # fmt: skip


def damaged(rng: np.random.Generator, data: bytes, same_length: bool = False) -> bytes:
    """Return ``data`` with one to three things done to it."""
    kinds = 3 if same_length else 8
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(0, max(1, len(data))))
        width = int(rng.integers(1, 40))
        kind = int(rng.integers(kinds))
        if kind == 0:
            data = data[:place] + bytes([data[place] ^ 1 << rng.integers(8)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + rng.bytes(min(width, len(data) - place)) + data[place + width :]
        elif kind == 2:
            extreme = EXTREMES[rng.integers(len(EXTREMES))][: len(data) - place]
            data = data[:place] + extreme + data[place + len(extreme) :]
        elif kind == 3:
            data = data[:place]
        elif kind == 4:
            data = data[:place] + data[place + width :]
        elif kind == 5:
            data = data[:place] + data[place : place + width] + data[place:]
        elif kind == 6:
            data = data[:place] + rng.bytes(width) + data[place:]
        else:
            data = data[:place] + EXTREMES[rng.integers(len(EXTREMES))] + data[place:]
        if not data:
            break
    return data


class Watch:
    """Time every case and watch the memory of the process."""

    def __init__(self) -> None:
        self.slowest, self.errors, self.results = 0.0, 0, 0
        self.before = self.memory()

    @staticmethod
    def memory() -> int:
        resource = pytest.importorskip("resource")
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def run(self, action):
        """Return ``action()``, or None where it raises one of the errors that count as clear."""
        started = time.process_time()
        try:
            found = action()
            self.results += 1
            return found
        except (ValueError, OSError) as error:
            self.errors += 1
            assert str(error).strip() and "\n" not in str(error), repr(error)
            return None
        finally:
            self.slowest = max(self.slowest, time.process_time() - started)

    def check(self) -> None:
        assert self.slowest < SLOWEST_SECONDS
        assert self.memory() - self.before < MOST_MEMORY_KIB
        assert self.errors, "nothing was ever refused: is anything damaged at all?"


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


@pytest.fixture(scope="module")
def files(tf, tmp_path_factory):
    """A small checkpoint, a frozen graph and a SavedModel; returns their bytes by kind."""
    folder = tmp_path_factory.mktemp("whole")
    layers = tf.keras.layers
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2)])
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    note = tf.Variable(["ab", "cde"])
    state = tf.train.Checkpoint(model=model, optimizer=optimizer, note=note)
    prefix = state.write(str(folder / "c"))

    class Small(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([1.0, 2.0])

        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def __call__(self, x):
            return x * self.w

    with session.quiet():
        tf.saved_model.save(Small(), str(folder / "s"))
    return {
        "prefix": prefix,
        "index": (folder / "c.index").read_bytes(),
        "data": (folder / "c.data-00000-of-00001").read_bytes(),
        "pb": freezing.frozen(model, softmax=False).graph_def,
        "saved_model": (folder / "s" / "saved_model.pb").read_bytes(),
    }


def opened(folder, index: bytes, data: bytes):
    """Open a checkpoint of these bytes; return its contents and the values that can be read."""
    (folder / "x.index").write_bytes(index)
    (folder / "x.data-00000-of-00001").write_bytes(data)
    found = checkpoint.contents(folder / "x")
    values = {}
    for each in found:
        try:
            values[each.key] = found[each.key]
        except (ValueError, LookupError) as error:
            assert str(error)
    for name in found.files:
        found.bytemap(name)
    return found, values


def same(a, b) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()


def test_damaged_indexes(files, tmp_path):
    watch, rng = Watch(), np.random.default_rng(1)
    _, whole = opened(tmp_path, files["index"], files["data"])
    for _ in range(CASES * 2 // 10):
        spoilt = damaged(rng, files["index"])
        outcome = watch.run(lambda: opened(tmp_path, spoilt, files["data"]))  # noqa: B023
        if outcome is not None:
            _, values = outcome
            assert all(same(values[key], whole[key]) for key in values)
    watch.check()


def with_right_checksums(original: bytes, spoilt: bytes) -> bytes:
    """Recompute the checksums of the blocks of ``original`` in ``spoilt``, which is as long."""
    spoilt = bytearray(spoilt)
    for span in sstable.read(original).spans:
        if span.kind == "checksum":
            start = min(s.start for s in sstable.read(original).spans if s.path == span.path)
            content = bytes(spoilt[start : span.start])
            spoilt[span.start : span.end] = struct.pack("<I", masked(crc32c(content)))
    spoilt[-8:] = original[-8:]
    return bytes(spoilt)


def test_damaged_indexes_with_right_checksums(files, tmp_path):
    watch, rng = Watch(), np.random.default_rng(2)
    _, whole = opened(tmp_path, files["index"], files["data"])
    known = [value.tolist() for value in whole.values()]
    reached = 0
    for _ in range(CASES * 3 // 10):
        spoilt = with_right_checksums(files["index"], damaged(rng, files["index"], True))
        outcome = watch.run(lambda: opened(tmp_path, spoilt, files["data"]))  # noqa: B023
        if outcome is not None:
            reached += 1
            found, values = outcome
            for each in found:
                if each.key in values and each.dtype != "string":
                    assert values[each.key].nbytes == each.bytes or each.dtype == "bfloat16"
            assert any(value.tolist() in known for value in values.values()) or len(values) < 3
    watch.check()
    assert reached > CASES // 200


def test_damaged_data(files, tmp_path):
    watch, rng = Watch(), np.random.default_rng(3)
    _, whole = opened(tmp_path, files["index"], files["data"])
    for _ in range(CASES // 10):
        spoilt = damaged(rng, files["data"])
        outcome = watch.run(lambda: opened(tmp_path, files["index"], spoilt))  # noqa: B023
        if outcome is not None:
            for key, value in outcome[1].items():
                assert same(value, whole[key]), key
    watch.check()


def read_both(data: bytes, name: str):
    """Return what protobuf makes of the bytes (None where it refuses) and what our reader does."""
    from google.protobuf import message_factory
    from google.protobuf.message import DecodeError

    try:
        message = message_factory.GetMessageClass(protobuf.schema(name)).FromString(data)
    except DecodeError:
        message = None
    return message, protobuf.read(data, name), protobuf.bytemap(data, name)


@pytest.mark.parametrize("kind, name, tenths", [
    ("pb", "GraphDef", 3), ("saved_model", "SavedModel", 1),
])  # fmt: skip
def test_damaged_protobufs(tf, files, kind, name, tenths):
    from formats.test_protobuf import assert_same

    watch, rng = Watch(), np.random.default_rng(4)
    disagreements = []
    for number in range(CASES * tenths // 10):
        spoilt = damaged(rng, files[kind])
        outcome = watch.run(lambda: read_both(spoilt, name))  # noqa: B023
        accepted = accepted_by_protobuf(spoilt, name)
        if (outcome is not None) != accepted:
            disagreements.append(number)
        if outcome is not None and outcome[0] is not None:
            message, fields, named = outcome
            named.check()
            if number % 5 == 0:
                assert_same(fields, message)
        if kind == "pb" and number % 3 == 0:
            watch.run(lambda: freezing.load(spoilt))  # noqa: B023
    watch.check()
    assert not disagreements, disagreements[:10]


def accepted_by_protobuf(data: bytes, name: str) -> bool:
    from google.protobuf import message_factory
    from google.protobuf.message import DecodeError

    try:
        message_factory.GetMessageClass(protobuf.schema(name)).FromString(data)
    except DecodeError:
        return False
    return True
