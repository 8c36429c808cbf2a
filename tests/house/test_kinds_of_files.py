"""docs/files.md says what each kind can be used for: every cell of it is tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import saved_forms

from course_lib import quantize, session, tflite
from course_lib.formats import checkpoint, flatbuffer, protobuf
from course_lib.measure import saved
from course_lib.micro import plain_c

tf = session.import_tensorflow()
ROOT = Path(__file__).resolve().parents[2]
X = np.random.default_rng(1).normal(size=(20, 49, 40)).astype("f4")


def rows() -> dict[str, list[bool]]:
    """Return the page's table: the kind of file to what its cells say, "yes" or nothing."""
    lines = (ROOT / "docs" / "files.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| kind of file"))
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        kind, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert set(cells) <= {"yes", ""}, line
        found[kind] = [cell == "yes" for cell in cells]
    return found


def network():
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [layers.Input((49, 40, 1)), layers.Conv2D(2, 3, activation="relu", strides=4),
         layers.Flatten(), layers.Dense(4)])  # fmt: skip


def graph_of_1(folder: Path, form: str) -> Path:
    """Save what a program of TensorFlow 1 would: a Saver's files, a SavedModel or a frozen .pb."""
    old = tf.compat.v1
    with old.Graph().as_default(), old.Session() as running, session.quiet():
        x = old.placeholder(tf.float32, [None, 49, 40], name="fingerprint")
        kernel = old.get_variable("kernel", [1960, 4])
        y = old.nn.softmax(tf.reshape(x, [-1, 1960]) @ kernel, name="labels_softmax")
        running.run(old.global_variables_initializer())
        if form == "pb":
            graph = old.get_default_graph().as_graph_def()
            found = old.graph_util.convert_variables_to_constants(running, graph, [y.op.name])
            (folder / "frozen.pb").write_bytes(found.SerializeToString())
            return folder / "frozen.pb"
        if form == "folder":
            old.saved_model.simple_save(running, str(folder / "saved"), {"x": x}, {"y": y})
            return folder / "saved"
        version = old.train.SaverDef.V1 if form == "first" else old.train.SaverDef.V2
        old.train.Saver(write_version=version).save(running, str(folder / "model.ckpt-9"))
        return folder / "model.ckpt-9"


def files(kind: str, folder: Path) -> list[Path]:
    """Return files of a kind, made anew."""
    model = network()

    def written(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    def kept(form: str) -> Path:
        return saved_forms.save(model, folder / f"m.{form}", form)

    def weights() -> Path:
        model.save_weights(folder / "m.weights.h5")
        return folder / "m.weights.h5"

    def trained() -> Path:
        return Path(tf.train.Checkpoint(model=model).save(str(folder / "ckpt")))

    def converted(variant: str) -> Path:
        return written(f"{variant}.tflite", tflite.convert(model, variant, X))

    made = {
        "`.tflite` of eight bits": lambda: [converted("int8")],
        "`.tflite` of other numbers": lambda: [converted("float32"), converted("float16")],
        "`.keras`": lambda: [kept("keras")],
        "`.h5` with a model": lambda: [kept("h5")],
        "`.weights.h5`": lambda: [weights()],
        "SavedModel folder": lambda: [kept("folder"), graph_of_1(folder, "folder")],
        "frozen `.pb`": lambda: [kept("pb"), graph_of_1(folder, "pb")],
        "checkpoint of TensorFlow 2": lambda: [trained(), graph_of_1(folder, "saver")],
        "checkpoint of TensorFlow's first format": lambda: [graph_of_1(folder, "first")],
    }
    with session.quiet():
        return next(make() for start, make in made.items() if kind.startswith(start))


def opened(path: Path) -> None:
    if path.suffix == ".tflite":
        byte_map = flatbuffer.byte_map(path.read_bytes())
    elif path.suffix == ".pb":
        byte_map = protobuf.byte_map(path.read_bytes(), "GraphDef")
    else:
        byte_map = checkpoint.contents(path).byte_map()
    assert byte_map.complete


def measured(path: Path) -> None:
    found = saved.predictor(path)
    answers = tflite.run(found, X) if isinstance(found, bytes) else found(X)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.02)


def converted(path: Path) -> None:
    assert tflite.run(tflite.convert(saved.trainable_or_frozen(path)), X).shape == (20, 4)


def run_in_integers(path: Path) -> None:
    assert quantize.run_integer(path.read_bytes(), X).output.dtype == np.int8


def generated(path: Path) -> None:
    assert plain_c.generate(path.read_bytes()).files


USES = (opened, measured, converted, run_in_integers, generated)


@pytest.mark.parametrize("kind", rows())
def test_every_cell_of_the_table(kind: str, tmp_path: Path) -> None:
    promised = rows()[kind]
    for path in files(kind, tmp_path):
        for use, expected in zip(USES, promised, strict=True):
            if expected:
                use(path)
                continue
            with pytest.raises((ValueError, OSError, AssertionError)):
                use(path)
