"""The wire reader against protobuf's own on files of many kinds, and on bytes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from fuzzing import CASES, Watch, damaged

from course_lib import session
from course_lib.formats import protobuf
from course_lib.graph import freezing


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


def assert_same(fields: tuple[protobuf.Field, ...], message) -> None:
    """Every field of the message was read, with its value; nothing was read that is not there."""
    by_name: dict[str, list[protobuf.Field]] = {}
    for each in fields:
        if each.kind != "unknown":
            by_name.setdefault(each.name, []).append(each)
    present = {descriptor.name: value for descriptor, value in message.ListFields()}
    descriptors = {descriptor.name: descriptor for descriptor, _ in message.ListFields()}
    for name, value in present.items():
        assert_field(by_name.pop(name), descriptors[name], value)
    for name, left in by_name.items():  # a field may be written although it holds its default
        descriptor = message.DESCRIPTOR.fields_by_name[name]
        kind = descriptor.message_type
        if kind is not None and kind.GetOptions().map_entry:
            continue  # protobuf sets an entry of a map aside where it holds unknown fields
        if descriptor.containing_oneof is None:  # of those, only the last one written counts
            assert kind is None
            assert all(not each.value or descriptor.enum_type for each in left[-1:])


def assert_field(read: list[protobuf.Field], descriptor, value) -> None:
    """The fields of one name hold ``value``, which may be repeated or a map."""
    if descriptor.type == descriptor.TYPE_MESSAGE:
        if descriptor.message_type.GetOptions().map_entry:
            for entry in {each.path: each for each in read}.values():  # the last one counts
                key = next((c.value for c in entry.children if c.name == "key"), "")
                inner = next((c for c in entry.children if c.name == "value"), None)
                if hasattr(value[key], "DESCRIPTOR") and inner is not None:
                    assert_same(inner.children, value[key])
            assert len({e.path for e in read}) == len(value)
            return
        if not protobuf._repeated(descriptor):  # written several times, such a message is merged
            return assert_same(tuple(c for each in read for c in each.children), value)
        values = list(value)
        assert len(values) == len(read)
        for each, inner in zip(read, values, strict=True):
            assert_same(each.children, inner)
        return
    found = []
    for each in read:
        found.extend(each.value if isinstance(each.value, tuple) else [each.value])
    values = list(value) if protobuf._repeated(descriptor) else [value]
    if not protobuf._repeated(descriptor):
        found = found[-1:]
    if descriptor.enum_type is not None:
        names = descriptor.enum_type.values_by_number
        values = [names[each].name if each in names else each for each in values]
    np.testing.assert_equal(found, values)


def assert_agrees(data: bytes, name: str) -> None:
    """The whole file: same content as protobuf's parser, and every byte has exactly one name."""
    descriptor = protobuf.schema(name)
    from google.protobuf import message_factory

    message = message_factory.GetMessageClass(descriptor).FromString(data)
    assert_same(protobuf.read(data, name), message)
    named = protobuf.byte_map(data, name)
    assert named.complete
    assert sum(named.shares.values()) == len(data)


def test_a_frozen_keras_model(tf):
    model = tf.keras.Sequential([tf.keras.Input((3, 3, 1)), tf.keras.layers.Conv2D(2, 2, name="c"),
                                 tf.keras.layers.Flatten()])  # fmt: skip
    data = freezing.frozen(model, softmax=False).graph_def
    assert_agrees(data, "GraphDef")
    kernel = model.get_layer("c").kernel
    found = protobuf.constant(protobuf.read(data, "GraphDef"), kernel.path)
    kernel = kernel.numpy()
    assert found.value == kernel.tobytes()
    assert data[found.raw.value_start : found.raw.end] == kernel.tobytes()
    assert protobuf.byte_map(data).at(found.raw.value_start).kind == "weights"


@pytest.mark.slow
def test_an_application_of_keras(tf):
    model = tf.keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=5)
    assert_agrees(freezing.frozen(model, softmax=False).graph_def, "GraphDef")


def test_the_meta_file_of_tensorflow_1(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        weight = v1.get_variable("weight", [4, 3])
        v1.train.AdamOptimizer().minimize(tf.reduce_sum(weight**2))
        running.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(running, str(tmp_path / "old"))
    with open(prefix + ".meta", "rb") as file:
        assert_agrees(file.read(), "MetaGraphDef")


def test_a_graph_of_tensorflow_1_with_control_flow(tf):
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        count = v1.placeholder(tf.int32, [], "count")
        tf.while_loop(lambda i, x: i < count, lambda i, x: (i + 1, x * 2), [0, -1.5])
        v1.constant([b"\xff\x00", b"text"], name="strings")
        v1.constant(np.array([[-5, 2**40]]), name="negative")
        v1.constant(np.array([1.5, -2], np.float16), name="halves")
    assert_agrees(graph.as_graph_def().SerializeToString(), "GraphDef")


def test_a_saved_model_with_several_signatures(tf, tmp_path):
    class Two(tf.Module):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(3.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def grow(self, x):
            return {"y": x * self.scale, "sign": x > 0}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def shrink(self, x):
            return {"y": x / self.scale}

    made = Two()
    with session.quiet():
        tf.saved_model.save(made, str(tmp_path),
                            signatures={"grow": made.grow, "shrink": made.shrink})  # fmt: skip
    assert_agrees((tmp_path / "saved_model.pb").read_bytes(), "SavedModel")


def test_an_object_graph(tf, tmp_path):
    from course_lib.formats import checkpoint
    from course_lib.formats.checkpoint.bundle import OBJECT_GRAPH

    prefix = tf.train.Checkpoint(a=tf.Variable(1.0), b=[tf.Variable(2)]).write(str(tmp_path / "c"))
    data = checkpoint.contents(prefix)[OBJECT_GRAPH].item()
    assert_agrees(data, "TrackableObjectGraph")


@pytest.mark.parametrize("value, coded", [
    (0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "ff" * 9 + "01"),
])  # fmt: skip
def test_varints_of_the_documentation(value, coded):
    data = bytes.fromhex(coded)
    assert protobuf.encode_varint(value) == data
    assert protobuf.varint(data + b"\x05", 0) == (value, len(data))


def test_varints_survive_the_way_there_and_back():
    for value in np.random.default_rng(0).integers(0, 2**63, 200, dtype=np.int64):
        coded = protobuf.encode_varint(int(value))
        assert protobuf.varint(coded, 0) == (int(value), len(coded))


@pytest.mark.parametrize("coded, said", [
    ("80", "cut off"), ("", "cut off"), ("ff" * 10 + "01", "more than ten"),
])  # fmt: skip
def test_broken_varints_are_refused(coded, said):
    with pytest.raises(ValueError, match=said):
        protobuf.varint(bytes.fromhex(coded), 0)


def test_negative_numbers_cannot_be_encoded():
    with pytest.raises(ValueError, match="negative"):
        protobuf.encode_varint(-1)


@pytest.mark.parametrize("coded, said", [
    ("00", "number 0"),
    ("0e", "no wire type 6"),
    ("0a05616263", "past the end"),
    ("0901020304", "past the end"),
    ("0c", "never began"),
    ("0b", "has no end"),
    ("0b14", "has no end"),
    ("0b" * 300, "deep"),
    ("0a", "cut off"),
])  # fmt: skip
def test_broken_messages_are_refused_with_the_place(coded, said):
    with pytest.raises(ValueError, match=said) as caught:
        protobuf.read(bytes.fromhex(coded))
    assert str(caught.value).startswith("Byte ")


def test_without_a_schema_fields_go_by_their_number():
    data = bytes.fromhex("0801 1203616263 1d0000803f 210000000000000000 2b08012c")
    names = [(each.name, each.value) for each in protobuf.read(data)]
    assert names == [("field 1", 1), ("field 2", b"abc"), ("field 3", b"\0\0\x80\x3f"),
                     ("field 4", bytes(8)), ("field 5", bytes.fromhex("08012c"))]  # fmt: skip
    assert protobuf.byte_map(data, None).complete


def test_unknown_fields_are_named_and_kept(tf):
    extra = protobuf.encode_varint(1000 << 3 | 2) + b"\x05hello"
    data = tf.compat.v1.GraphDef(node=[{"name": "a", "op": "NoOp"}]).SerializeToString() + extra
    assert_agrees(data, "GraphDef")
    last = protobuf.read(data, "GraphDef")[-1]
    assert (last.name, last.kind, last.value) == ("field 1000", "unknown", b"hello")


def test_a_known_number_with_another_wire_type_is_unknown(tf):
    data = bytes.fromhex("0a020801")  # a node whose name would be a varint
    assert protobuf.read(data, "GraphDef")[0].children[0].kind == "unknown"


def test_bytes_that_are_no_text_are_refused(tf):
    with pytest.raises(ValueError, match="no UTF-8"):
        protobuf.read(bytes.fromhex("0a030a01ff"), "GraphDef")


def test_paths_use_keys_and_places(tf):
    graph = tf.compat.v1.GraphDef(node=[{"name": "a", "op": "X"}, {"name": "b", "op": "Y"}])
    graph.node[1].attr["T"].type = 1
    graph.node[1].attr["T"].list.i.extend([1, -1])
    fields = protobuf.read(graph.SerializeToString(), "GraphDef")
    paths = {each.path: each.value for each in protobuf.node(fields, "b").walk()}
    assert paths["node[1].name"] == "b"
    assert paths["node[1].attr[T].value.list.i"] == (1, -1)
    with pytest.raises(LookupError, match="no node called 'c'"):
        protobuf.node(fields, "c")
    with pytest.raises(LookupError, match="holds no values"):
        protobuf.constant(fields, "a")


def test_unknown_schema_is_named():
    with pytest.raises(ValueError, match="GraphDef"):
        protobuf.schema("Grph")


def test_numbers_of_every_type_are_read_as_protobuf_reads_them():
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = ["double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string",
             "bytes", "uint32", "sfixed32", "sfixed64", "sint32", "sint64"]  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="all.proto", package="t", syntax="proto3")
    message = file.message_type.add(name="All")
    types = descriptor_pb2.FieldDescriptorProto
    for number, kind in enumerate(kinds, 1):
        for many in (False, True):
            message.field.add(
                name=f"{kind}_{'many' if many else 'one'}", number=number + 100 * many,
                type=getattr(types, f"TYPE_{kind.upper()}"),
                label=types.LABEL_REPEATED if many else types.LABEL_OPTIONAL)  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("t.All")
    made = message_factory.GetMessageClass(descriptor)()
    rng = np.random.default_rng(1)
    for kind in kinds:
        for name, count in ((f"{kind}_one", 1), (f"{kind}_many", 5)):
            values = [_any(kind, rng) for _ in range(count)]
            if count == 1:
                setattr(made, name, values[0])
            else:
                getattr(made, name).extend(values)
    data = made.SerializeToString()
    assert_same(protobuf.read(data, descriptor), made)
    assert protobuf.byte_map(data, descriptor).complete


def _any(kind: str, rng):
    """Return a random value of a protobuf type, often at its limits."""
    if kind in ("double", "float"):
        return float(np.float32(rng.normal()))
    if kind == "bool":
        return True
    if kind == "string":
        return "ü" * int(rng.integers(1, 200))
    if kind == "bytes":
        return rng.bytes(int(rng.integers(1, 300)))
    bits = 64 if "64" in kind else 32
    unsigned = kind.startswith(("u", "fixed"))
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return [high, 1, 77][rng.integers(3)] if unsigned else [low, high, -1, 5][rng.integers(4)]


@pytest.fixture(scope="module")
def files(tf, tmp_path_factory):
    """The bytes of a frozen graph and of a SavedModel, by kind."""
    folder = tmp_path_factory.mktemp("whole")
    layers = tf.keras.layers
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2)])

    class Small(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([1.0, 2.0])

        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def __call__(self, x):
            return x * self.w

    with session.quiet():
        tf.saved_model.save(Small(), str(folder))
    return {
        "pb": freezing.frozen(model, softmax=False).graph_def,
        "saved_model": (folder / "saved_model.pb").read_bytes(),
    }


def read_both(data: bytes, name: str):
    """Return what protobuf makes of the bytes (None where it refuses) and what our reader does."""
    from google.protobuf import message_factory
    from google.protobuf.message import DecodeError

    try:
        message = message_factory.GetMessageClass(protobuf.schema(name)).FromString(data)
    except DecodeError:
        message = None
    return message, protobuf.read(data, name), protobuf.byte_map(data, name)


@pytest.mark.parametrize("kind, name, tenths", [
    ("pb", "GraphDef", 3), ("saved_model", "SavedModel", 1),
])  # fmt: skip
def test_damaged_protobufs(tf, files, kind, name, tenths):
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
            assert named.complete
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
