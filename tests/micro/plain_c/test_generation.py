"""Models with any options as C: every byte LiteRT's, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_operation import Input, model
from seeds import seeds
from strange_models import KINDS, strange

from course_lib import tflite
from course_lib.formats.tflite_file import pack, schema, unpack
from course_lib.micro import plain_c

desktop = pytest.mark.skipif(bool(plain_c.missing("desktop")), reason="there is no C compiler (cc)")
SEEDS = seeds(4, 300)


def answers(made: bytes, folder: Path, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the C and what the reference kernels answer to stored rows."""
    program = plain_c.generate(made)
    built = plain_c.build(program, folder, "desktop", ("-O0",))
    runner = tflite.Interpreter(made, reference=True)
    shape = runner.inputs[0].shape
    theirs = np.array([runner.step(row.reshape(shape)) for row in rows])
    return plain_c.run(program, built, rows).stored, theirs.reshape(len(rows), -1)


@desktop
@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_is_the_kernels_or_the_model_is_refused(kind: str, tmp_path: Path) -> None:
    equal = 0
    for seed in SEEDS:
        made = strange(kind, seed)
        try:
            shape = plain_c.generate(made).plan.values[0].shape
        except plain_c.Unsupported as error:
            assert str(error).endswith(".") and "\n" not in str(error)
            continue
        rows = np.random.default_rng(seed).integers(-128, 128, (3, *shape)).astype(np.int8)
        mine, theirs = answers(made, tmp_path, rows.reshape(3, -1))
        assert np.array_equal(mine, theirs), (kind, seed)
        equal += 1
    assert equal or kind == "ADD"  # most have two inputs, which plain C refuses


@desktop
def test_a_scale_of_one_and_more_layers_than_the_table_has(tmp_path: Path) -> None:
    made = model("QUANTIZE", [Input((1, 9), 1.0)], Input((1, 9), 2.0), version=2)
    tree = unpack(made)
    graph = tree.subgraphs[0]
    for number in range(2, 90):
        tensor, operator = unpack(made).subgraphs[0].tensors[1], schema.OperatorT()
        tensor.quantization.scale = [1.0 + number % 3]
        operator.inputs, operator.outputs = [number - 1], [number]
        graph.tensors.append(tensor)
        graph.operators.append(operator)
    graph.outputs = [89]
    rows = np.arange(-9, 9, dtype=np.int8).reshape(2, 9)
    mine, theirs = answers(pack(tree), tmp_path, rows)
    assert np.array_equal(mine, theirs)


def test_what_does_not_fit_the_tables_is_refused() -> None:
    x, y = Input((1, 40_000), 0.1), Input((1, 2), 50.0)
    w = Input((2, 40_000), 0.1, 0, np.ones((2, 40_000), np.int8))
    made = model("FULLY_CONNECTED", [x, w], y, schema.FullyConnectedOptionsT(), version=4)
    with pytest.raises(plain_c.Unsupported, match="40000"):
        plain_c.generate(made)
