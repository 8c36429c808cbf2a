"""Keras' own files: opened, and a .keras file of ours opens in every Keras that is supported."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from course_lib import session, spotter
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint.keras_files import make_portable


@pytest.mark.parametrize("name", ["tiny.weights.h5", "tiny.keras"])
def test_keras_files_hold_the_same_weights(tf, model, tmp_path, name):
    path = tmp_path / name
    with session.quiet():
        (model.save_weights if name.endswith("h5") else model.save)(path)
    found = checkpoint.contents(path)
    assert found.tensor_bytes == 4 * model.count_params()
    assert np.array_equal(found["hear/0"], model.get_layer("hear").kernel.numpy())
    assert found.byte_map().complete
    with pytest.raises(ValueError):
        path.write_bytes(path.read_bytes()[:-3000])
        checkpoint.contents(path)


@pytest.mark.parametrize("name", ["mobile.weights.h5", "mobile.keras", "mobile.h5"])
def test_files_of_a_keras_application(mobile, tmp_path, name):
    """The last is the form of older releases of Keras, which the opener was not written for."""
    path = tmp_path / name
    with session.quiet():
        (mobile.save_weights if "weights" in name else mobile.save)(path)
    found = checkpoint.contents(path)
    assert found.byte_map().complete
    assert sum(each.count for each in found if each.group == "weights") == mobile.count_params()
    stored = sorted(found[each.key].tobytes() for each in found if each.group == "weights")
    assert stored == sorted(each.numpy().tobytes() for each in mobile.weights)
    data = path.read_bytes()
    for each in found:
        assert data[each.offset : each.offset + each.bytes] == found[each.key].tobytes()


def test_settings_of_newer_keras_are_left_out_and_answers_stay(tmp_path: Path) -> None:
    tf = session.import_tensorflow()
    model = spotter.build()
    path = tmp_path / "model.keras"
    model.save(path)
    make_portable(path)
    config = json.loads(zipfile.ZipFile(path).read("config.json"))
    assert "renorm" not in json.dumps(config) and "input_axes" not in json.dumps(config)
    features = np.random.default_rng(1).normal(size=(3, 49, 40)).astype(np.float32)
    again = tf.keras.models.load_model(path)
    np.testing.assert_array_equal(
        spotter.predict(again, features), spotter.predict(model, features)
    )


def test_the_shipped_model_is_portable() -> None:
    with zipfile.ZipFile(session.data_path("models", "spotter.keras")) as archive:
        assert b"renorm" not in archive.read("config.json")


def test_a_setting_that_says_something_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"layers": [{"renorm": true, "renorm_momentum": 0.99}]}')
        archive.writestr("other", "kept")
    make_portable(path)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("config.json")) == {"layers": [{"renorm": True}]}
        assert archive.read("other") == b"kept"


KERAS2 = {
    "model_weights/dense/dense/kernel:0": "weights",
    "model_weights/bn/bn/moving_mean:0": "weights",
    "optimizer_weights/Adam/m/dense/kernel:0": "optimizer: momentum",
    "optimizer_weights/Adam/v/dense/kernel:0": "optimizer: velocity",
    "optimizer_weights/Adam/dense/kernel/v:0": "optimizer: velocity",
    "optimizer_weights/adam/dense_kernel_momentum": "optimizer: momentum",
    "optimizer_weights/RMSprop/dense/kernel/rms:0": "optimizer",
    "optimizer_weights/training/Adam/iter:0": "bookkeeping",
    "optimizer_weights/adam/learning_rate": "bookkeeping",
    "optimizer/vars/0": "optimizer",
    "v/kernel:0": "weights",  # a layer may be called so
}


def test_the_optimizers_slots_of_every_keras_are_told_from_weights(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for name in KERAS2:
            file[name] = np.zeros(10, "f4")
    found = checkpoint.contents(tmp_path / "m.h5")
    assert {each.key: each.group for each in found} == KERAS2
    assert found.groups["weights"] == 3 * 40


_DTYPES = ("f2", "f4", "f8", "i1", "u2", "i8", "?", "c8", ">f4")
_STORED = some.fixed_dictionaries(
    {
        "shape": some.lists(some.integers(0, 5), max_size=3).map(tuple),
        "dtype": some.sampled_from(_DTYPES),
        "how": some.sampled_from(
            (
                {},
                {"chunks": True},
                {"compression": "gzip"},
                {"compression": "lzf"},
                {"compression": "gzip", "shuffle": True, "fletcher32": True},
            )  # fmt: skip
        ),
    }
)


@settings(max_examples=40, deadline=None)
@given(stored=some.lists(_STORED, min_size=1, max_size=5), seed=some.integers(0, 99))
def test_whatever_h5py_writes_is_read_as_h5py_reads_it(tmp_path_factory, stored, seed) -> None:
    path = tmp_path_factory.mktemp("made") / "made.h5"
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for number, each in enumerate(stored):
            chunked = bool(each["shape"]) and 0 not in each["shape"]  # HDF5 asks for that
            values = rng.integers(0, 2, each["shape"]).astype(each["dtype"])
            how = each["how"] if chunked else {}
            file.create_dataset(f"layer{number}/kernel", data=values, **how)
    found = checkpoint.contents(path)
    data = path.read_bytes()
    byte_map = found.byte_map()
    assert len(found) == len(stored) and byte_map.complete and not byte_map.overlaps
    with h5py.File(path) as file:
        for each in found:
            wanted = file[each.key]
            assert np.array_equal(found[each.key], wanted[()])
            assert (each.shape, each.dtype) == (wanted.shape, str(wanted.dtype))
            assert each.bytes == wanted.id.get_storage_size()
            if each.places is None and each.bytes:
                raw = np.asarray(wanted[()], wanted.dtype).tobytes()
                assert data[each.offset : each.offset + each.bytes] == raw


def test_datasets_that_hold_something_else(tmp_path: Path) -> None:
    """Texts, a dataset without data, one that lies in the structure, one that was never written."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["names"] = np.array([b"yes", b"no"], dtype=h5py.string_dtype())
        file["empty"] = h5py.Empty("f4")
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        kind, space = h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3,))
        h5py.h5d.create(file.id, b"compact", kind, space, plist).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.arange(3, dtype="f4")
        )
        file.create_dataset("later", (4,), "f4", fillvalue=7)
        file["last"] = np.ones(2, "f4")
    found = checkpoint.contents(tmp_path / "m.h5")
    assert found["names"].tolist() == [b"yes", b"no"]
    assert found.tensor("names").dtype == "string"
    assert found["compact"].tolist() == [0, 1, 2] and found["later"].tolist() == [7] * 4
    assert found["last"].tolist() == [1, 1] and found.byte_map().complete
    with pytest.raises(ValueError, match="'empty' was saved without values"):
        found["empty"]


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file.create_dataset("kernel", (4,), "f4", external=[("other.bin", 0, 16)])
    with h5py.File(tmp_path / "v.h5", "w") as file:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "kernel", (4,))
        file.create_virtual_dataset("kernel", layout)
    for name in ("e.h5", "v.h5"):
        with pytest.raises(ValueError, match="kernel in .* lies in other files"):
            checkpoint.contents(tmp_path / name)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)  # what another program zips again
def test_a_keras_file_that_was_zipped_again_is_read(tf, model, tmp_path, method) -> None:
    with session.quiet():
        model.save(tmp_path / "stored.keras")
    with (
        zipfile.ZipFile(tmp_path / "stored.keras") as old,
        zipfile.ZipFile(tmp_path / "again.keras", "w", method) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    stored, again = (checkpoint.contents(tmp_path / f"{n}.keras") for n in ("stored", "again"))
    assert again.byte_map().complete
    assert "compressed" in again.byte_map().find("model.weights.h5")[0].value
    for each in stored:
        assert np.array_equal(again[each.key], stored[each.key])
    (tmp_path / "cut.keras").write_bytes((tmp_path / "again.keras").read_bytes()[:-40])
    with pytest.raises(ValueError, match="no whole zip file"):
        checkpoint.contents(tmp_path / "cut.keras")
