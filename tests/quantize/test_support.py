"""Models with any options: the integer layers equal LiteRT's kernels, or refuse in a sentence."""

import numpy as np
import pytest
from one_operation import Input, model
from one_sentence import one_sentence
from seeds import seeds
from strange_models import KINDS, strange

from course_lib import quantize, tflite
from course_lib.formats.tflite_file import pack, schema, unpack

SEEDS = seeds(120, 3000)


def stored(plan, rng, clips: int = 2) -> list[np.ndarray]:
    shapes = [plan.values[index].shape for index in plan.inputs]
    return [rng.integers(-128, 128, (clips, *shape)).astype(np.int8) for shape in shapes]


def real(plan, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The numbers that stored integers stand for; of other types any will do."""
    grids = [plan.values[index].grid for index in plan.inputs]
    pairs = zip(grids, arrays, strict=True)
    return [array if grid is None else grid.dequantize(array) for grid, array in pairs]


def kernels(model_bytes: bytes, arrays: list[np.ndarray]) -> np.ndarray:
    runner, answers = tflite.Interpreter(model_bytes, reference=True), []
    for row in zip(*arrays, strict=True):
        for about, values in zip(runner.inputs, row, strict=True):
            given = values.reshape(about.shape).astype(about.dtype)  # int8 numbers, as int16 too
            runner.raw.set_tensor(about.index, given)
        runner.raw.invoke()
        answers.append(runner.raw.get_tensor(runner.outputs[0].index))
    return np.array(answers)


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_is_the_kernels_or_the_model_is_refused(kind: str) -> None:
    equal = refused = 0
    for seed in SEEDS:
        made, rng = strange(kind, seed), np.random.default_rng(seed)
        plan = quantize.read(made)
        arrays = stored(plan, rng)
        numbers = real(plan, arrays)
        try:
            run = quantize.run_integer(made, numbers if len(numbers) > 1 else numbers[0])
        except quantize.Unsupported as error:
            assert kind in str(error) or "input is" in str(error)
            assert str(error).endswith(".") and "\n" not in str(error) and len(str(error)) < 300
            refused += 1
            continue
        theirs = kernels(made, arrays)
        assert np.array_equal(run.output.ravel(), theirs.ravel()), (kind, seed)
        equal += 1
    assert equal > len(SEEDS) / 4 and refused


SOFTMAX = schema.SoftmaxOptionsT()
SOFTMAX.beta = 1.0
X, Y = Input((1, 4), 0.1), Input((1, 4), 1 / 256, -128)


def changed(change) -> bytes:
    """A right softmax after a change to its tree."""
    tree = unpack(model("SOFTMAX", [X], Y, SOFTMAX, version=2))
    change(tree, tree.subgraphs[0])
    return pack(tree)


def set_type(kind: str):
    def change(tree, graph) -> None:
        graph.tensors[0].type = getattr(schema.TensorType, kind)

    return change


def two_outputs(tree, graph) -> None:
    graph.operators[0].outputs = [1, 0]


def state(tree, graph) -> None:
    graph.inputs = []


def endless(tree, graph) -> None:
    graph.tensors[0].quantization.scale = [np.inf]


def far(tree, graph) -> None:
    graph.tensors[0].quantization.zeroPoint = [300]


def unlike(tree, graph) -> None:
    graph.operators[0].builtinOptionsType = schema.BuiltinOptions.AddOptions
    graph.operators[0].builtinOptions = schema.AddOptionsT()


WRONG = {
    "INT16": set_type("INT16"),
    "UINT8": set_type("UINT8"),
    "STRING": set_type("STRING"),
    "RESOURCE": set_type("RESOURCE"),
    "2 outputs": two_outputs,
    "a state": state,
    "no number above 0": endless,
    "zero point 300": far,
    "option": unlike,
}


@pytest.mark.parametrize("word", WRONG)
def test_what_is_not_computed_is_named(word: str) -> None:
    with pytest.raises(quantize.Unsupported) as caught:
        quantize.run_integer(changed(WRONG[word]), np.zeros((1, 4)))
    assert word in one_sentence(caught)


def test_without_a_change_it_is_computed() -> None:
    made = changed(lambda tree, graph: None)
    values = np.array([[[-128, 5, 127, 0]]], np.int8)
    run = quantize.run_integer(made, real(quantize.read(made), [values])[0])
    assert np.array_equal(run.output, kernels(made, [values])[0])


def test_several_inputs_come_as_a_list() -> None:
    made = model("ADD", [Input((2, 3), 0.1), Input((2, 3), 0.2)], Input((2, 3), 0.3), None)
    ones = np.ones((4, 3), np.float32)
    assert quantize.run_integer(made, [ones, ones]).output.tolist() == [[7] * 3] * 4
    for wrong in (ones, [ones], [ones, ones[:2]], [ones[:3], ones[:3]]):
        with pytest.raises(ValueError) as caught:
            quantize.run_integer(made, wrong)
        one_sentence(caught)
