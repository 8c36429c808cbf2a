"""The opener against TensorFlow's own reader, byte by byte and tensor by tensor."""

from __future__ import annotations

import os
import shutil
import struct

import numpy as np
import pytest

from course_lib import session
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import bundle, sstable
from course_lib.formats.checkpoint.contents import group_of
from course_lib.formats.checkpoint.crc import crc32c, masked


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


@pytest.fixture(scope="module")
def model(tf):
    keras = tf.keras
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="hear"), keras.layers.BatchNormalization(),
         keras.layers.Dense(2, name="say")], name="tiny")  # fmt: skip


@pytest.fixture(scope="module")
def saved(tf, model, tmp_path_factory):
    """A TF2 checkpoint with Adam's slots; returns its prefix."""
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    step, note = tf.Variable(7, dtype="int64"), tf.Variable(["ab", "c" * 300])
    state = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step, note=note)
    return state.save(str(tmp_path_factory.mktemp("train") / "ckpt"))


def assert_agrees(found: checkpoint.Contents, tf, prefix: str) -> None:
    """Names, shapes, types and values are those of TensorFlow's reader; the bytes add up."""
    reader = tf.train.load_checkpoint(str(prefix))
    shapes = reader.get_variable_to_shape_map()
    assert {each.key for each in found if " slice " not in each.key} == set(shapes)
    for each in found:
        if " slice " in each.key:
            continue
        assert list(each.shape) == shapes[each.key]
        expected = reader.get_tensor(each.key)
        if each.slices or each.dtype == "bfloat16":
            continue
        kind = object if each.dtype == "string" else None
        assert np.asarray(expected, kind).tolist() == found[each.key].tolist()
    for name, size in found.files.items():
        path = os.path.join(os.path.dirname(prefix), name)
        assert size == os.path.getsize(path)
        found.bytemap(name).check()


def test_tf2_checkpoint_agrees_with_tensorflow(tf, saved):
    found = checkpoint.contents(saved)
    assert found.form == "TF2 checkpoint"
    assert_agrees(found, tf, saved)
    assert found.tensor_bytes == found.files["ckpt-1.data-00000-of-00001"]
    assert sum(found.groups.values()) == found.tensor_bytes


def test_names_and_groups_come_from_the_object_graph(saved, model):
    found = checkpoint.contents(saved)
    assert np.array_equal(found["hear/kernel"], model.get_layer("hear").kernel.numpy())
    trainable = 4 * sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert found.groups["optimizer: momentum"] == trainable
    assert found.groups["optimizer: velocity"] == trainable
    assert found.groups["weights"] == trainable + 4 * 6
    assert found.only("weights").tensor_bytes == found.groups["weights"]
    with pytest.raises(LookupError, match="hear/kernel"):
        found["heer/kernel"]


def test_object_graph_leads_to_every_tensor(saved):
    found = checkpoint.contents(saved)
    reached, to_visit = set(), [0]
    while to_visit:
        number = to_visit.pop()
        if number not in reached:
            reached.add(number)
            to_visit += [child for _, child in found.objects[number].children]
    keys = {key for number in reached for _, key in found.objects[number].tensors}
    assert keys == {each.key for each in found} - {bundle.OBJECT_GRAPH}
    assert ("model", 1) in found.objects[0].children


def test_every_path_that_names_a_checkpoint_opens_it(saved):
    expected = checkpoint.contents(saved).tensors
    folder = os.path.dirname(saved)
    for path in (saved + ".index", saved + ".data-00000-of-00001", folder):
        assert checkpoint.contents(path).tensors == expected


def test_tf1_saver_triple_agrees_with_tensorflow(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        weight = v1.get_variable("weight", initializer=np.arange(6, dtype="float32").reshape(2, 3))
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(weight**2))
        running.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(running, str(tmp_path / "model.ckpt"), global_step=12)
    found = checkpoint.contents(prefix)
    assert found.form == "TF1 Saver checkpoint"
    assert not found.objects
    assert "model.ckpt-12.meta" in found.files
    assert found.groups == {"optimizer: momentum": 24, "weights": 24}
    assert_agrees(found, tf, prefix)


def test_the_meta_file_is_named_to_the_last_byte(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        tf.multiply(v1.get_variable("weight", initializer=3.0), 2.0, name="double")
        running.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(running, str(tmp_path / "model"))
    named = checkpoint.contents(prefix).bytemap("model.meta")
    named.check()
    assert sum(named.shares.values()) == os.path.getsize(prefix + ".meta")
    assert any(span.value == "double" for span in named.find("graph_def.node"))
    with open(prefix + ".meta", "r+b") as file:
        file.truncate(100)
    with pytest.raises(ValueError, match="Byte "):
        checkpoint.contents(prefix).bytemap("model.meta")


def test_partitioned_variables_of_tf1_are_listed_with_their_slices(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        v1.get_variable("wide", [10, 2], partitioner=v1.fixed_size_partitioner(3),
                        use_resource=False)  # fmt: skip
        running.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(running, str(tmp_path / "parts"))
    found = checkpoint.contents(prefix)
    assert found.tensor("wide").slices == 3
    assert sum(each.bytes for each in found if each.key.startswith("wide slice")) == 80
    assert_agrees(found, tf, prefix)
    with pytest.raises(ValueError, match="3 slices"):
        found["wide"]


def test_sharded_checkpoint_agrees_with_tensorflow(tf, tmp_path):
    v1 = tf.compat.v1
    config = v1.ConfigProto(device_count={"CPU": 3})
    with tf.Graph().as_default(), v1.Session(config=config) as running:
        for number in range(3):
            with tf.device(f"/cpu:{number}"):
                v1.get_variable(f"part_{number}", [4, number + 1])
        running.run(v1.global_variables_initializer())
        prefix = v1.train.Saver(sharded=True).save(running, str(tmp_path / "sharded"))
    found = checkpoint.contents(prefix)
    assert len([name for name in found.files if ".data-" in name]) > 1
    assert_agrees(found, tf, prefix)


def test_saved_model_with_several_signatures(tf, tmp_path):
    class Two(tf.Module):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(3.0, name="scale")
            self.table = tf.Variable(np.arange(8, dtype="int8"), name="table")
            self.half = tf.Variable(tf.cast([1.5, -2.0], tf.bfloat16), name="half")

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def grow(self, x):
            return {"y": x * self.scale}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def shrink(self, x):
            return {"y": x / self.scale}

    made = Two()
    with session.quiet():
        tf.saved_model.save(made, str(tmp_path / "two"),
                            signatures={"grow": made.grow, "shrink": made.shrink})  # fmt: skip
    found = checkpoint.contents(tmp_path / "two")
    assert found.form == "variables of a SavedModel"
    assert found["half"].tolist() == [1.5, -2.0]
    assert_agrees(found, tf, str(tmp_path / "two" / "variables" / "variables"))


def test_large_index_of_many_blocks(tf, tmp_path):
    many = tf.train.Checkpoint(
        all=[tf.Variable(float(i), name="v" * 60 + str(i)) for i in range(900)]
    )
    prefix = many.write(str(tmp_path / "many"))
    assert len(sstable.read((tmp_path / "many.index").read_bytes()).entries) == 902
    assert_agrees(checkpoint.contents(prefix), tf, prefix)


@pytest.mark.parametrize("name", ["tiny.weights.h5", "tiny.keras"])
def test_keras_files_hold_the_same_weights(tf, model, tmp_path, name):
    path = tmp_path / name
    with session.quiet():
        (model.save_weights if name.endswith("h5") else model.save)(path)
    found = checkpoint.contents(path)
    assert found.tensor_bytes == 4 * model.count_params()
    assert np.array_equal(found["hear/0"], model.get_layer("hear").kernel.numpy())
    found.bytemap().check()
    with pytest.raises(ValueError):
        path.write_bytes(path.read_bytes()[:-3000])
        checkpoint.contents(path)


@pytest.fixture(scope="module")
def mobile(tf):
    """A small model of Keras' own applications, with weights by chance."""
    tf.keras.utils.set_random_seed(4)
    return tf.keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=5)


def test_a_checkpoint_of_a_keras_application(tf, mobile, tmp_path):
    prefix = tf.train.Checkpoint(net=mobile).write(str(tmp_path / "mobile"))
    found = checkpoint.contents(prefix)
    assert_agrees(found, tf, prefix)
    assert found.groups["weights"] == 4 * mobile.count_params()
    kernel = mobile.get_layer("Conv1").kernel
    assert np.array_equal(found[kernel.path], kernel.numpy())


@pytest.mark.parametrize("name", ["mobile.weights.h5", "mobile.keras", "mobile.h5"])
def test_files_of_a_keras_application(mobile, tmp_path, name):
    """The last is the form of older releases of Keras, which the opener was not written for."""
    path = tmp_path / name
    with session.quiet():
        (mobile.save_weights if "weights" in name else mobile.save)(path)
    found = checkpoint.contents(path)
    found.bytemap().check()
    assert sum(each.count for each in found if each.group == "weights") == mobile.count_params()
    stored = sorted(found[each.key].tobytes() for each in found if each.group == "weights")
    assert stored == sorted(each.numpy().tobytes() for each in mobile.weights)
    data = path.read_bytes()
    for each in found:
        assert data[each.offset : each.offset + each.bytes] == found[each.key].tobytes()


def test_a_training_of_tf1_with_a_moving_average(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        weight = v1.get_variable("hidden/kernel", [6, 5], use_resource=False)
        step = v1.train.get_or_create_global_step()
        average = v1.train.ExponentialMovingAverage(0.9, step)
        update = v1.train.RMSPropOptimizer(0.1).minimize(tf.reduce_sum(weight**2), step)
        with tf.control_dependencies([update]):
            both = average.apply([weight])
        running.run(weight.initializer)  # the average starts from its value
        running.run(v1.global_variables_initializer())
        running.run(both)
        prefix = v1.train.Saver().save(running, str(tmp_path / "ema"), step)
    found = checkpoint.contents(prefix)
    assert_agrees(found, tf, prefix)
    assert found["global_step"] == 1
    assert found.tensor("hidden/kernel/ExponentialMovingAverage").shape == (6, 5)


def test_two_processes_one_checkpoint(tf, tmp_path):
    """Shards of a distributed run, merged as TensorFlow merges them, and written once more."""
    from tensorflow.python.ops import gen_io_ops

    names = {"a": np.arange(6.0, dtype="float32"), "b": np.arange(4, dtype="int64")}
    parts = []
    for name, value in names.items():
        parts.append(str(tmp_path / f"part_{name}"))
        gen_io_ops.save_v2(parts[-1], [name], [""], [tf.constant(value)])
    prefix = str(tmp_path / "merged")
    gen_io_ops.merge_v2_checkpoints(parts, prefix, delete_old_dirs=False)
    found = checkpoint.contents(prefix)
    assert [name for name in found.files if "of-00002" in name] == sorted(
        name for name in found.files if ".data-" in name
    )
    assert_agrees(found, tf, prefix)


def test_checksum_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    data = np.random.default_rng(0).bytes(5000)
    assert crc32c(data) != crc32c(data[:-1] + bytes([data[-1] ^ 1]))
    assert masked(0) == 0xA282EAD8


@pytest.mark.parametrize("length", [0, 1, 1023, 1024, 1025, 2048, 2049, 9999])
def test_checksum_in_lanes_equals_the_one_bit_by_bit(length):
    data = np.random.default_rng(length).bytes(length)
    state = 0xFFFF_FFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFF_FFFF


@pytest.fixture
def copy(saved, tmp_path):
    """A copy of the checkpoint that may be spoilt; returns its prefix as a Path."""
    for name in os.listdir(os.path.dirname(saved)):
        shutil.copy(os.path.join(os.path.dirname(saved), name), tmp_path / name)
    return tmp_path / "ckpt-1"


def test_missing_files_are_named(copy):
    data = copy.with_name("ckpt-1.data-00000-of-00001")
    data.rename(data.with_suffix(".away"))
    with pytest.raises(FileNotFoundError, match="data-00000-of-00001 is missing"):
        checkpoint.contents(copy)
    copy.with_name("ckpt-1.index").unlink()
    with pytest.raises(FileNotFoundError, match="ckpt-1.index is missing"):
        checkpoint.contents(copy)
    copy.with_name("checkpoint").unlink()
    with pytest.raises(FileNotFoundError, match="checkpoint is missing"):
        checkpoint.contents(copy.parent)


def test_a_flipped_bit_of_a_value_is_noticed(copy):
    data = copy.with_name("ckpt-1.data-00000-of-00001")
    wanted = checkpoint.contents(copy).tensor("hear/kernel")
    spoilt = bytearray(data.read_bytes())
    spoilt[wanted.offset + 2] ^= 16
    data.write_bytes(spoilt)
    found = checkpoint.contents(copy)
    with pytest.raises(ValueError, match="hear/kernel' does not match its checksum"):
        found["hear/kernel"]
    assert found["say/kernel"].shape == (3, 2)


def test_damaged_and_short_indexes_are_refused(copy):
    index = copy.with_name("ckpt-1.index")
    whole = index.read_bytes()
    for spoilt, said in (
        (b"", "too few"),
        (whole[:-1], "last 8 bytes"),
        (whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], "checksum"),
        (whole[-48:], "outside"),
    ):
        index.write_bytes(spoilt)
        with pytest.raises(ValueError, match=said):
            checkpoint.contents(copy)


def test_short_data_is_refused(copy):
    data = copy.with_name("ckpt-1.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ValueError, match="cut short"):
        checkpoint.contents(copy)


def table_of(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Write a table with valid checksums, to try what no damage by chance would reach."""

    def block(pairs):
        body = b"".join(bytes([0, len(k), len(v)]) + k + v for k, v in pairs)
        body += struct.pack("<II", 0, 1)
        return body + b"\0" + struct.pack("<I", masked(crc32c(body + b"\0")))

    def handle(start, content):
        from course_lib.formats.protobuf import encode_varint

        return encode_varint(start) + encode_varint(len(content) - 5)

    data, meta = block(entries), block([])
    index = block([(b"~", handle(0, data))])
    footer = handle(len(data), meta) + handle(len(data) + len(meta), index)
    return data + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", sstable.MAGIC)


HEADER = (b"", b"\x08\x01")


@pytest.mark.parametrize("entry, said", [
    ((b"x", b"\x08\x63"), "type 99"),
    ((b"x", b"\x08\x01\x18\x05"), "cut short"),
    ((b"x", b"\x08\x01\x12\x04\x12\x02\x08\x05\x28\x04"), "cannot have 4 bytes"),
    ((b"x", b"\x08\x01\x12\x0d\x12\x0b\x08" + b"\xff" * 9 + b"\x01"), "below zero"),
    ((b"x", b"\x0b"), "no end"),
])  # fmt: skip
def test_well_formed_tables_with_absurd_entries_are_refused(tmp_path, entry, said):
    (tmp_path / "x.index").write_bytes(table_of([HEADER, entry]))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(8))
    with pytest.raises(ValueError, match=said):
        checkpoint.contents(tmp_path / "x")


@pytest.mark.parametrize("header, said", [
    (b"", "0 shards"), (b"\x08\x80\x80\x80\x80\x01", "shards"), (b"\x08\x01\x10\x01", "big-endian"),
])  # fmt: skip
def test_absurd_headers_are_refused(tmp_path, header, said):
    (tmp_path / "x.index").write_bytes(table_of([(b"", header)]))
    with pytest.raises(ValueError, match=said):
        checkpoint.contents(tmp_path / "x")


@pytest.mark.parametrize("key, name, dtype, group", [
    ("model/a/.ATTRIBUTES/VARIABLE_VALUE", "a/kernel", "float32", "weights"),
    ("optimizer/_variables/1/.ATTRIBUTES/VARIABLE_VALUE", "adam/a_kernel_velocity", "float32",
     "optimizer: velocity"),
    ("a/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", "x", "float32",
     "optimizer: momentum"),
    ("dense/kernel/Adam_1", "dense/kernel/Adam_1", "float32", "optimizer: velocity"),
    ("beta1_power", "beta1_power", "float32", "bookkeeping"),
    ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", "save_counter", "int64", "bookkeeping"),
    ("_CHECKPOINTABLE_OBJECT_GRAPH", "", "string", "object graph"),
    ("table", "table", "int8", "other"),
])  # fmt: skip
def test_groups(key, name, dtype, group):
    assert group_of(key, name, dtype) == group


def test_table_of_contents_is_escaped_and_short(saved):
    page = checkpoint.contents(saved)._repr_html_(most=3)
    assert "hear" in page or "and" in page
    assert page.count("<tr>") <= 8
    assert "reader" not in repr(checkpoint.contents(saved))
