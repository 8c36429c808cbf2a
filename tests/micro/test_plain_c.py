"""The generated C against the reference kernels, on the desktop and on a Cortex-M4 under QEMU."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import one_layer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_operation import Input, model

from course_lib import micro, quantize, tflite
from course_lib.experiments import peers
from course_lib.micro import plain_c
from course_lib.micro.plain_c.layers import Block, lay_out
from course_lib.micro.plain_c.toolchain import LOOP_INSTRUCTIONS, PROGRAMS
from course_lib.sound import dataset, features

desktop = pytest.mark.skipif(
    bool(plain_c.missing("desktop")), reason="there is no C compiler here (cc)"
)
cortex_m4 = pytest.mark.skipif(
    bool(plain_c.missing("cortex-m4")),
    reason=f"{', '.join(plain_c.missing('cortex-m4'))} missing: see tools/programs.py",
)
TARGETS = [pytest.param("desktop", marks=desktop), pytest.param("cortex-m4", marks=cortex_m4)]
FEATURE_TOLERANCE = 1e-3  # of features that go from about -5 to 3; a step of int8 is 0.04


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture(scope="module")
def program(shipped: bytes) -> plain_c.Program:
    return plain_c.generate(shipped)


@pytest.fixture(scope="module")
def clips() -> dataset.Clips:
    """Clips of every kind, more than a hundred."""
    unseen = dataset.bundled("test")
    return unseen[:: max(1, len(unseen) // 120)]


@pytest.fixture(scope="module")
def sound(clips: dataset.Clips) -> np.ndarray:
    return np.clip(np.rint(clips.waves * 32768), -32768, 32767).astype(np.int16)


def kernels(model_bytes: bytes, stored: np.ndarray) -> np.ndarray:
    """What LiteRT's reference kernels answer to stored integers, one after the other."""
    runner = tflite.Interpreter(model_bytes, reference=True)
    shape = runner.inputs[0].shape
    return np.concatenate([runner.step(row.reshape(shape)) for row in stored])


def stored(program: plain_c.Program, rows: np.ndarray) -> np.ndarray:
    return program.plan.values[program.plan.inputs[0]].grid.quantize(rows)


# The shipped model


@pytest.mark.parametrize("target", TARGETS)
def test_every_byte_equals_the_kernels(target, program, shipped, clips, tmp_path: Path) -> None:
    assert len(clips) >= 100
    built = plain_c.build(program, tmp_path, target)
    rows = stored(program, features.log_mel(clips.waves))
    answers = plain_c.run(program, built, rows)
    assert np.array_equal(answers.stored, kernels(shipped, rows))
    assert answers.features is None


@pytest.mark.parametrize("target", TARGETS)
def test_sound_goes_in_and_the_same_word_comes_out(
    target, program, shipped, clips, sound, tmp_path: Path
) -> None:
    built = plain_c.build(program, tmp_path, target)
    answers = plain_c.run(program, built, sound)
    expected = features.log_mel(sound / np.float32(32768))
    assert abs(answers.features - expected).max() < FEATURE_TOLERANCE
    theirs = kernels(shipped, stored(program, expected))
    assert np.array_equal(answers.stored.argmax(1), theirs.argmax(1))
    same_features = kernels(shipped, stored(program, answers.features))
    assert np.array_equal(answers.stored, same_features)  # only the features may differ


@desktop
def test_it_can_round_as_tensorflow_lite_micro_does(shipped, clips, tmp_path: Path) -> None:
    program = plain_c.generate(shipped, "micro")
    rows = stored(program, features.log_mel(clips.waves))
    answers = plain_c.run(program, plain_c.build(program, tmp_path, "desktop"), rows)
    run = quantize.run_integer(shipped, features.log_mel(clips.waves), "micro")
    assert np.array_equal(answers.stored, run.output)
    if micro.available():
        theirs = micro.Interpreter(shipped).run_stored(features.log_mel(clips.waves))
        assert np.array_equal(answers.stored, theirs)


@desktop
def test_nothing_is_read_or_written_where_it_should_not_be(program, sound, tmp_path: Path) -> None:
    """The compiler's sanitizers end a program that overflows or strays."""
    options = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    try:
        built = plain_c.build(program, tmp_path, "desktop", options)
    except plain_c.NoToolError:
        pytest.skip("this compiler has no sanitizers")
    assert len(plain_c.run(program, built, sound[:5]).stored) == 5


@cortex_m4
def test_instructions_are_counted(program, sound, tmp_path: Path) -> None:
    built = plain_c.build(program, tmp_path)
    first, again = (plain_c.run(program, built, sound[:2]) for _ in range(2))
    assert np.array_equal(first.instructions, again.instructions)
    assert 0 <= first.loop - LOOP_INSTRUCTIONS < 40
    by_layer = first.instructions[0, 1:]
    for layer, count in zip(program.layers, by_layer, strict=True):
        assert 2 * layer.macs <= count  # a load or more, and a multiplication
        assert count < 25 * layer.macs + 300 * layer.memory_bytes
    quick = plain_c.build(program, tmp_path / "small", options=("-O0",))
    slow = plain_c.run(program, quick, sound[:1])
    assert slow.instructions.sum() > 1.5 * first.instructions[0].sum()


@cortex_m4
def test_sizes_are_those_of_the_file_and_nothing_allocates(program, shipped, tmp_path) -> None:
    built = plain_c.build(program, tmp_path)
    parts = {part.name: part for part in built.parts}
    tables = sum(layer.flash_bytes for layer in program.layers)
    assert len(shipped) < parts["model"].flash_bytes < len(shipped) + tables
    assert parts["model"].zeroed_bytes == program.memory_bytes
    assert built.whole.flash_bytes >= sum(part.flash_bytes for part in built.parts) * 0.9
    image = subprocess.run(
        ["arm-none-eabi-objcopy", "-O", "binary", built.file.name, "/dev/stdout"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    assert image.count(shipped) == 1  # the file lies there as it is, its weights once
    names = subprocess.run(
        ["arm-none-eabi-nm", built.file.name], cwd=tmp_path, capture_output=True, text=True
    ).stdout
    assert "conv2d" in names and "malloc" not in names and "sbrk" not in names


# Other models


@desktop
@pytest.mark.parametrize("name", one_layer.OPERATIONS)
def test_each_operation_equals_its_kernel(name: str, tmp_path: Path) -> None:
    made, rows, theirs = one_layer.case(name)
    program = plain_c.generate(made)
    answers = plain_c.run(program, plain_c.build(program, tmp_path, "desktop", ("-O1",)), rows)
    assert np.array_equal(answers.stored, theirs)
    assert len(np.unique(theirs)) > 5


@desktop
@pytest.mark.slow
@pytest.mark.parametrize("make, columns", [(peers.tiny_conv, 40), (peers.ds_cnn, 10)])
def test_models_of_the_field_are_equal_too(make, columns, tmp_path: Path) -> None:
    from course_lib.graph import freezing

    rows = np.random.default_rng(3).normal(size=(40, 49, columns)).astype(np.float32)
    made = tflite.convert(freezing.frozen(make()), "int8", rows)
    program = plain_c.generate(made)
    assert program.takes_sound == (columns == 40)
    inputs = stored(program, rows)
    answers = plain_c.run(program, plain_c.build(program, tmp_path, "desktop"), inputs)
    assert np.array_equal(answers.stored, kernels(made, inputs))


# Memory


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5)), min_size=1, max_size=12))
def test_no_two_tensors_that_are_needed_together_overlap(steps) -> None:
    """A chain of operations of random sizes, each with a random earlier tensor as second input."""
    values = [quantize.Value(0, "", (1, 40), np.dtype(np.int8), None, None)]
    operations = []
    for number, (size, other) in enumerate(steps, 1):
        values.append(quantize.Value(number, "", (1, 16 * size), np.dtype(np.int8), None, None))
        inputs = (number - 1, min(other, number - 1))
        operations.append(quantize.Operation(number - 1, "ADD", inputs, (number,), {}))
    plan = quantize.Plan(tuple(values), tuple(operations), (0,), (len(steps),))
    layout = lay_out(plan)
    blocks = list(layout.blocks.values())
    for one in blocks:
        assert one.start % 16 == 0 and one.start + one.size <= layout.bytes
        for two in blocks:
            apart = one.start + one.size <= two.start or two.start + two.size <= one.start
            assert one is two or apart or not one.meets(two)
    alive = [
        sum(block.size for block in blocks if block.first <= step <= block.last)
        for step in range(len(steps))
    ]
    assert max(alive) <= layout.bytes <= sum(block.size for block in blocks)


def test_a_reshape_moves_nothing() -> None:
    values = [
        quantize.Value(index, "", shape, np.dtype(np.int8), None, None)
        for index, shape in enumerate([(1, 4, 4), (1, 16), (1, 2)])
    ]
    operations = (
        quantize.Operation(0, "RESHAPE", (0,), (1,), {}),
        quantize.Operation(1, "FULLY_CONNECTED", (1,), (2,), {}),
    )
    layout = lay_out(quantize.Plan(tuple(values), operations, (0,), (2,)))
    assert layout.blocks[0] == layout.blocks[1] == Block(0, 16, -1, 1)
    assert layout.bytes == 32


def test_the_shipped_model_shares_memory(program: plain_c.Program) -> None:
    plan = program.plan
    computed = [value for value in plan.values if value.stored is None]
    assert program.memory_bytes < sum(int(np.prod(value.shape)) for value in computed)
    widest = max(layer.memory_bytes for layer in program.layers)
    assert program.memory_bytes >= widest


# What cannot be


def test_models_without_plain_c_are_refused(shipped: bytes) -> None:
    with pytest.raises(plain_c.Unsupported, match="int8"):
        plain_c.generate(tflite.load("spotter_float32"))
    label = next(iter(quantize.read(tflite.load("spotter_float32")).kernels))
    four = quantize.four_bits(shipped, tflite.load("spotter_float32"), [label])
    with pytest.raises(plain_c.Unsupported, match="one byte each"):
        plain_c.generate(four)
    x = Input((1, 4), 0.1, 0)
    made = model("LOGISTIC", [x], Input((1, 4), 1 / 256, -128))
    with pytest.raises(plain_c.Unsupported, match="no plain C for LOGISTIC"):
        plain_c.generate(made)


@desktop
def test_wrong_clips_are_refused(program: plain_c.Program, tmp_path: Path) -> None:
    built = plain_c.Built("desktop", tmp_path / "nothing")
    for clips in (np.zeros((2, 49, 40)), np.zeros((2, 100), np.int8), np.zeros((2, 8), np.int16)):
        with pytest.raises(ValueError, match="takes int8 features"):
            plain_c.run(program, built, clips)
    with pytest.raises(plain_c.NoToolError, match="could not be run"):
        plain_c.run(program, built, np.zeros((1, 49, 40), np.int8))


@desktop
def test_a_broken_compilation_and_an_early_end_are_told(program, tmp_path: Path) -> None:
    from dataclasses import replace

    broken = replace(program, files={**program.files, "main.c": "int main(void) { return x; }"})
    with pytest.raises(plain_c.NoToolError, match="cc failed: .*error"):
        plain_c.build(broken, tmp_path / "broken", "desktop")
    silent = replace(program, files={**program.files, "main.c": "int main(void) { return 0; }"})
    built = plain_c.build(silent, tmp_path / "silent", "desktop")
    with pytest.raises(plain_c.NoToolError, match="answered 0 bytes"):
        plain_c.run(program, built, np.zeros((1, 49, 40), np.int8))
    wrong = replace(program, files={**program.files, "main.c": "int main(void) { return 9; }"})
    built = plain_c.build(wrong, tmp_path / "wrong", "desktop")
    with pytest.raises(plain_c.NoToolError, match="code 9"):
        plain_c.run(program, built, np.zeros((1, 49, 40), np.int8))


def test_missing_tools_are_named(program, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(plain_c.build.__globals__["shutil"], "which", lambda name: None)
    assert plain_c.missing() == PROGRAMS["cortex-m4"]
    with pytest.raises(plain_c.NoToolError, match="arm-none-eabi-gcc and .* cannot be found"):
        plain_c.build(program, tmp_path)
