"""The opener against TensorFlow's own reader, byte by byte and tensor by tensor."""

from __future__ import annotations

import os
import shutil
import struct

import numpy as np
import pytest
from fuzzing import CASES, Watch, damaged

from course_lib import session
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import bundle, index


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
        assert found.byte_map(name).complete


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
    named = checkpoint.contents(prefix).byte_map("model.meta")
    assert named.complete
    assert sum(named.shares.values()) == os.path.getsize(prefix + ".meta")
    assert any(span.value == "double" for span in named.find("graph_def.node"))
    with open(prefix + ".meta", "r+b") as file:
        file.truncate(100)
    with pytest.raises(ValueError, match="Byte "):
        checkpoint.contents(prefix).byte_map("model.meta")


def test_the_first_format_is_named_as_such(tf, tmp_path):
    old = tf.compat.v1
    with tf.Graph().as_default(), old.Session() as running, session.quiet():
        old.get_variable("weight", initializer=3.0)
        running.run(old.global_variables_initializer())
        saver = old.train.Saver(write_version=old.train.SaverDef.V1)
        saver.save(running, str(tmp_path / "model"), write_meta_graph=False)
    for path in (tmp_path / "model", tmp_path):
        with pytest.raises(ValueError, match="first format .V1, before 2017"):
            checkpoint.contents(path)


def test_what_only_tensorflow_reads_hides_no_other_tensor(tf, tmp_path):
    iterator = iter(tf.data.Dataset.range(9))
    next(iterator)
    tf.train.Checkpoint(step=tf.Variable(3), it=iterator).write(str(tmp_path / "it"))
    found = checkpoint.contents(tmp_path / "it")
    (step,) = (each for each in found if each.key.startswith("step/"))
    assert found[step.name] == 3
    (state,) = (each for each in found if each.dtype == "variant")
    with pytest.raises(ValueError, match="is of variant, which only TensorFlow can read"):
        found[state.name]


@pytest.mark.parametrize(
    "named",
    ["ckpt-1", "/home/ann/run/ckpt-1", "C:\\\\Users\\\\ann\\\\ckpt-1", "C:\\Users\\ann\\ckpt-1"],
    ids=["here", "moved", "Windows", "Windows by hand"],
)
def test_a_moved_checkpoint_is_found_by_its_last_name(tf, tmp_path, named):
    tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(str(tmp_path / "ckpt-1"))
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    assert checkpoint.latest(tmp_path) == tmp_path / "ckpt-1"
    (values,) = (each for each in checkpoint.contents(tmp_path) if each.dtype == "float32")
    assert values.shape == (2,)


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


def test_a_checkpoint_of_a_keras_application(tf, mobile, tmp_path):
    prefix = tf.train.Checkpoint(net=mobile).write(str(tmp_path / "mobile"))
    found = checkpoint.contents(prefix)
    assert_agrees(found, tf, prefix)
    assert found.groups["weights"] == 4 * mobile.count_params()
    kernel = mobile.get_layer("Conv1").kernel
    assert np.array_equal(found[kernel.path], kernel.numpy())


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
    names = {"a": np.arange(6.0, dtype="float32"), "b": np.arange(4, dtype="int64")}
    parts = []
    for name, value in names.items():
        parts.append(str(tmp_path / f"part_{name}"))
        tf.raw_ops.SaveV2(
            prefix=parts[-1],
            tensor_names=[name],
            shape_and_slices=[""],
            tensors=[tf.constant(value)],
        )
    prefix = str(tmp_path / "merged")
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=parts, destination_prefix=prefix, delete_old_dirs=False
    )
    found = checkpoint.contents(prefix)
    assert [name for name in found.files if "of-00002" in name] == sorted(
        name for name in found.files if ".data-" in name
    )
    assert_agrees(found, tf, prefix)


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
    table = copy.with_name("ckpt-1.index")
    whole = table.read_bytes()
    for spoilt, said in (
        (b"", "too few"),
        (whole[:-1], "last 8 bytes"),
        (whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], "checksum"),
        (whole[-48:], "outside"),
    ):
        table.write_bytes(spoilt)
        with pytest.raises(ValueError, match=said):
            checkpoint.contents(copy)


def test_short_data_is_refused(copy):
    data = copy.with_name("ckpt-1.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ValueError, match="cut short"):
        checkpoint.contents(copy)


def test_large_index_of_many_blocks(tf, tmp_path):
    many = tf.train.Checkpoint(
        all=[tf.Variable(float(i), name="v" * 60 + str(i)) for i in range(900)]
    )
    prefix = many.write(str(tmp_path / "many"))
    assert len(index.read((tmp_path / "many.index").read_bytes()).entries) == 902
    assert_agrees(checkpoint.contents(prefix), tf, prefix)


@pytest.fixture(scope="module")
def files(tf, tmp_path_factory):
    """The index and the data of a small checkpoint."""
    folder = tmp_path_factory.mktemp("whole")
    layers = tf.keras.layers
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2)])
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    note = tf.Variable(["ab", "cde"])
    tf.train.Checkpoint(model=model, optimizer=optimizer, note=note).write(str(folder / "c"))
    return {
        "index": (folder / "c.index").read_bytes(),
        "data": (folder / "c.data-00000-of-00001").read_bytes(),
    }


def opened(folder, table: bytes, data: bytes):
    """Open a checkpoint of these bytes; return its contents and the values that can be read."""
    (folder / "x.index").write_bytes(table)
    (folder / "x.data-00000-of-00001").write_bytes(data)
    found = checkpoint.contents(folder / "x")
    values = {}
    for each in found:
        try:
            values[each.key] = found[each.key]
        except (ValueError, LookupError) as error:
            assert str(error)
    for name in found.files:
        found.byte_map(name)
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
    for span in index.read(original).spans:
        if span.kind == "checksum":
            start = min(s.start for s in index.read(original).spans if s.path == span.path)
            content = bytes(spoilt[start : span.start])
            spoilt[span.start : span.end] = struct.pack("<I", index.masked(index.crc32c(content)))
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


@pytest.mark.parametrize("name", ["ends\\", "a.data-00000-of-00001", "a.index", 'quoted"', "ä b"])
def test_odd_names_of_checkpoints(tf, tmp_path, name):
    """By its prefix, each of its files and its folder: whatever TensorFlow lets it be called."""
    prefix = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(str(tmp_path / name))
    tf.compat.v1.train.update_checkpoint_state(str(tmp_path), prefix)
    files = [path for path in tmp_path.iterdir() if path.name != "checkpoint"]
    assert len(files) == 2
    for path in (prefix, *files, tmp_path):
        found = checkpoint.contents(path)
        assert found["v/.ATTRIBUTES/VARIABLE_VALUE"].tolist() == [1, 2], path
