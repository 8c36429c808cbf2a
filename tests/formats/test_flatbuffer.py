"""The byte map of a .tflite file, against the schema's own reader, and against damage."""

import math
import random
import re
import struct

import numpy as np
import pytest
import random_tflite
from foreign_models import MODELS, made
from seeds import seeds

from course_lib import quantize, session, tflite
from course_lib.experiments import reading_costs
from course_lib.formats import flatbuffer
from course_lib.formats.flatbuffer import schema as schemas
from course_lib.formats.tflite_file import schema as generated

FEATURES = np.random.default_rng(6).normal(size=(8, 12, 10)).astype(np.float32)
MUTATIONS = 10_000
KINDS = {"root offset", "identifier", "vtable", "table", "scalar", "offset", "length", "numbers",
         "string", "weights", "data", "padding", "unused"}  # fmt: skip
SMALL = ("control_flow", "signatures", "sparse", "four_bits", "custom_operation", "strings")


@pytest.fixture(scope="module")
def models():
    """Convert a very small network to four variants."""
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Input((12, 10, 1)),
            layers.Conv2D(3, 3, strides=2, bias_initializer="ones"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, bias_initializer="ones"),
        ]
    )
    variants = {
        name: tflite.convert(model, name, FEATURES)
        for name in ("float32", "float16", "int16x8", "int8_per_channel")
    }
    return variants | {"stripped": tflite.strip(variants["int8_per_channel"])}


NAMES = ("float32", "float16", "int16x8", "int8_per_channel", "stripped")


def unpacked(data):
    """Yield (path, value, default) of every scalar and string, as flatc's own reader sees them."""
    to_do = [("", generated.ModelT.InitFromPackedBuf(data, 0))]
    while to_do:
        path, table = to_do.pop()
        defaults = vars(type(table)())
        for attribute, value in vars(table).items():
            inside = f"{path}.{schemas._snake(attribute)}".lstrip(".")
            if hasattr(value, "InitFromObj"):
                to_do.append((inside, value))
            elif isinstance(value, list) and value and hasattr(value[0], "InitFromObj"):
                to_do += [(f"{inside}[{index}]", each) for index, each in enumerate(value)]
            elif isinstance(value, (bool, int, float, bytes, str)):
                yield inside, value, defaults[attribute]
            elif isinstance(value, (list, np.ndarray)):
                yield inside, np.asarray(value), None


class Values(dict):
    """The map's values by path and kind. What several paths share is looked up on its own way."""

    def __init__(self, data, found):
        super().__init__({(span.path, span.kind): span.value for span in found})
        self.data, self.found = data, found

    def __missing__(self, key):
        path, kind = key
        position = flatbuffer.route(self.data, path).position  # raises LookupError if not stored
        span = self.found.at(position - 4 if kind == "length" else position)
        assert span.kind == kind and span.path != path
        return span.value


def agree(data):
    """Assert that the map covers the file and says what flatc's own reader says."""
    found = flatbuffer.byte_map(data)
    assert found.complete and sum(found.shares.values()) == len(data)
    spans = Values(data, found)
    scalars = {path for path, kind in spans if kind == "scalar"}
    seen = set()
    for path, value, default in unpacked(data):
        if isinstance(value, (bytes, str)):
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            assert spans[path, "string"] == text
        elif isinstance(value, np.ndarray):
            check_vector(spans, path, value)
        else:
            try:
                ours = spans[path, "scalar"]
            except LookupError:
                assert value == default
            else:
                seen.add(path)
                assert ours == value or (math.isnan(ours) and math.isnan(value))
    assert scalars <= seen
    return found


def check_vector(spans, path, value):
    """Assert that a vector of numbers or of strings is the one that flatc's reader sees."""
    if value.dtype.kind in "SU":
        for index, text in enumerate(value.tolist()):
            text = text.decode() if isinstance(text, bytes) else text
            assert spans[f"{path}[{index}]", "string"] == text
    elif path.startswith("buffers") or not value.size:
        assert spans[path, "length"] == value.size
    else:
        ours = spans[path, "numbers"]
        ours = np.frombuffer(ours, np.uint8) if isinstance(ours, bytes) else np.asarray(ours)
        np.testing.assert_array_equal(ours, value)


def of_kind(found, kind):
    """Return the spans of one kind."""
    return [span for span in found if span.kind == kind]


@pytest.mark.parametrize("name", NAMES)
def test_map_covers_every_byte_once_and_agrees_with_the_schema(models, name):
    agree(models[name])


def test_shares_are_ours_to_explain(models):
    shares = flatbuffer.byte_map(models["float32"]).shares
    assert set(shares) <= KINDS
    weights = 4 * (3 * 3 * 3 + 3 + 3 * 4 + 4)
    assert weights <= shares["weights"] < weights + 64  # and an axis for the mean


def test_weights_carry_the_names_of_their_tensors(models):
    spans = of_kind(flatbuffer.byte_map(models["float32"]), "weights")
    names = {tensor.name for tensor in tflite.Interpreter(models["float32"]).tensors}
    assert spans and all(span.name.split(", ")[0] in names for span in spans)


@pytest.mark.parametrize("name", NAMES)
def test_a_route_ends_where_the_map_says(models, name):
    data = models[name]
    found = flatbuffer.byte_map(data)
    for span in found:
        if span.kind in ("scalar", "string", "numbers", "weights", "data") and span.path:
            route = flatbuffer.route(data, span.path)
            assert route.position == span.start
            assert all(found.at(read.position).start <= read.position for read in route.reads)


def test_a_route_touches_few_bytes(models):
    data = models["float32"]
    weights = of_kind(flatbuffer.byte_map(data), "weights")[0]
    route = flatbuffer.route(data, weights.path)
    assert len(route) == 12 and route.jumps == 6 and route.bytes_read == 40
    assert route.count == len(weights)
    assert route.reads[0].position == 0 and route.reads[0].to == int.from_bytes(data[:4], "little")


@pytest.mark.parametrize(
    "path, words",
    [
        ("no_such", "no field"),
        ("subgraphs[7]", "no \\[7\\]"),
        ("description[2]", "no element"),
        ("version.more", "nothing lies inside"),
        ("external_buffers", "leaves external_buffers out"),
        ("", "empty path"),
    ],
)
def test_a_route_to_nowhere_says_so(models, path, words):
    with pytest.raises(LookupError, match=words):
        flatbuffer.route(models["float32"], path)


def test_schema_knows_types_defaults_unions_and_enumerations():
    schema = flatbuffer.load()
    assert len(schema.tables) > 120
    convolution = {field.name: field for field in schema.tables["Conv2DOptions"].values()}
    assert convolution["dilation_w_factor"].default == "1"
    assert convolution["stride_w"].of == "Int32"
    assert (
        schema.member("BuiltinOptions", generated.BuiltinOptions.Conv2DOptions) == "Conv2DOptions"
    )
    assert schema.enums["TensorType"][generated.TensorType.INT8] == "INT8"


def test_tables_that_the_schema_does_not_know_are_named_all_the_same(models):
    known = flatbuffer.load()
    poorer = schemas.Schema(
        {name: fields for name, fields in known.tables.items() if name != "Conv2DOptions"},
        known.enums,
    )
    found = flatbuffer.byte_map(models["float32"], poorer)
    assert found.complete
    assert any(re.search(r"builtin_options\.field \d+$", span.path) for span in found)


def test_trailing_bytes_are_named_as_unused(models):
    found = flatbuffer.byte_map(models["float32"] + b"left over")
    assert found.complete and of_kind(found, "unused")[-1].end == len(found)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: b"", "not a .tflite"),
        (lambda data: data[:4] + b"TFL2" + data[8:], "TFL3"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: struct.pack("<I", len(data)) + data[4:], "cut short"),
        (lambda data: struct.pack("<I", 4) + data[4:], "damaged"),
    ],
)
def test_damage_is_named_in_one_sentence(models, damage, words):
    with pytest.raises(flatbuffer.ModelError, match=words) as caught:
        flatbuffer.byte_map(damage(models["int8_per_channel"]))
    assert "\n" not in str(caught.value)


def mutated(data, chance):
    """Return the bytes with some of them changed, cut off, doubled or moved."""
    data = bytearray(data)
    kind = chance.randrange(5)
    if kind == 0:
        del data[chance.randrange(len(data)) :]
    elif kind == 1:
        start = chance.randrange(len(data))
        data[start:start] = data[start : start + chance.randrange(64)]
    elif kind == 2:
        place = 4 * chance.randrange(len(data) // 4)
        data[place : place + 4] = struct.pack(
            "<I", chance.choice([0, 1, 4, 0xFFFFFFFF, 0x7FFFFFFF, chance.randrange(len(data))])
        )
    else:
        for _ in range(chance.randrange(1, 9)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_mutations_give_a_right_map_or_a_clear_error(models, name):
    chance = random.Random(name)
    for _ in range(MUTATIONS // len(NAMES)):
        data = mutated(models[name], chance)
        try:
            found = flatbuffer.byte_map(data)
        except flatbuffer.ModelError as error:
            assert "\n" not in str(error)
        else:
            assert found.complete and sum(found.shares.values()) == len(data)


@pytest.mark.parametrize("name", MODELS)
def test_map_of_a_foreign_model_is_complete_and_right(name):
    data = made(name)
    found = agree(data)
    assert not of_kind(found, "unused")
    assert flatbuffer.byte_map(tflite.strip(data)).complete
    if name == "mobilenet_large":
        assert len(data) > 5_000_000


@pytest.mark.parametrize("name", SMALL)
def test_mutations_of_a_foreign_model_give_a_right_map_or_a_clear_error(name):
    data, chance, whole = made(name), random.Random(name), 0
    for _ in range(400):
        damaged = mutated(data, chance)
        try:
            found = flatbuffer.byte_map(damaged)
        except flatbuffer.ModelError as error:
            assert "\n" not in str(error)
        else:
            whole += 1
            assert found.complete and sum(found.shares.values()) == len(damaged)
    assert 0 < whole < 400


@pytest.fixture(scope="module")
def ours():
    """Every kind of .tflite file that lessons 06 and 07 make of the shipped models."""
    int8, float32 = tflite.load("spotter_int8"), tflite.load("spotter_float32")
    packed = quantize.four_bits(int8, float32, list(quantize.read(int8).kernels)[:1])
    rows = np.zeros((2, 49, 40), np.float32)
    return {
        "int8": int8,
        "float32": float32,
        "no names": tflite.strip(int8),
        "nothing twice": tflite.compact(int8),
        "four bits": packed,
        "four bits, nothing twice": tflite.compact(packed),
        "mended biases": quantize.correct_biases(int8, float32, rows),
        "no operations": reading_costs.pair({"a": np.ones((3, 2)), "b": np.zeros(5)})[0],
    }


@pytest.mark.parametrize(
    "name",
    [
        "int8",
        "float32",
        "no names",
        "nothing twice",
        "four bits",
        "four bits, nothing twice",
        "mended biases",
        "no operations",
    ],
)
def test_map_of_our_own_files_is_complete_and_right(ours, name):
    assert not of_kind(agree(ours[name]), "unused")


def test_what_others_made_still_runs_when_nothing_is_stored_twice():
    rows = np.random.default_rng(1).normal(size=(3, 10, 10, 1)).astype(np.float32)
    data = made("uint8_ends")
    small = tflite.compact(data)
    assert flatbuffer.byte_map(small).complete and len(small) < len(data)
    np.testing.assert_array_equal(tflite.run(small, rows), tflite.run(data, rows))


CASES = seeds(12, 1500)


def test_map_of_random_models_is_complete_and_right_with_nothing_stored_twice_too():
    for seed in CASES:
        data = random_tflite.model(np.random.default_rng(seed))
        for each in (data, tflite.compact(data)):
            assert not of_kind(agree(each), "unused"), seed


def sharing(first, second):
    """Return a file whose two operators, of different kinds, have one table of options."""
    made = random_tflite._Made(np.random.default_rng(0))
    made.tree.buffers = [generated.BufferT()]
    x, y, z = made.like(), made.like(), made.like()
    made.graph.inputs, made.graph.outputs = [x], [z]
    made.operator(first[0], [x, x], [y], random_tflite.options(first[1], **first[2]))
    made.operator(second[0], [x, y], [z], random_tflite.options(second[1], **second[2]))
    return tflite.compact(random_tflite.finished(made.tree))


def test_two_sorts_of_tables_may_share_their_bytes():
    """DIV and MUL with the same activation: one table, which both kinds of options are."""
    data = sharing(
        ("DIV", "DivOptions", {"fusedActivationFunction": 1}),
        ("MUL", "MulOptions", {"fusedActivationFunction": 1}),
    )
    path = "subgraphs[0].operators[{}].builtin_options.fused_activation_function"
    places = {flatbuffer.route(data, path.format(index)).position for index in range(2)}
    assert len(places) == 1 and flatbuffer.byte_map(data).complete


def test_another_overlap_of_two_sorts_is_damage(models):
    """A table read as one whose fields are wider says so."""
    known = flatbuffer.load()
    wider = {0: schemas.Field("wide", 0, "scalar", "Int64")}
    tables = {**known.tables, "Conv2DOptions": wider}
    with pytest.raises(flatbuffer.ModelError, match="does not fit into its table"):
        flatbuffer.byte_map(models["float32"], schemas.Schema(tables, known.enums))


def test_what_only_a_newer_schema_points_to_is_said_so():
    tree = random_tflite.tree(np.random.default_rng(0))
    data = random_tflite.finished(tree, random_tflite.NewerBuilder())
    found = flatbuffer.byte_map(data)
    assert found.complete and any(map(flatbuffer.unknown, found))
    assert all("only unknown fields may lead" in span.name for span in of_kind(found, "unused"))
    assert b"from later" in found.bytes_of(of_kind(found, "unused")[-1])
