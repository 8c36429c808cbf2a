"""The same weights in every kind of file that a model is kept in: sizes, and a proof by hash."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.tflite import xray

_SAME = 1e-6


@dataclass(frozen=True)
class Artefact:
    """Hold one way to keep a model: its name, its size on disk, and how it holds the weights.

    `holds` is "exactly" when each weight is found in it bit for bit, "folded" when batch
    normalisation was worked into them (equal within 1e-6), "rounded" when they are integers that
    stand for them within half a scale, else "not". `fingerprint` is of the weights found.
    """

    name: str
    bytes: int
    holds: str
    fingerprint: str


def write_all(model: Any, folder: str | Path, representative: np.ndarray) -> tuple[Artefact, ...]:
    """Write a Keras model to `folder` in every form and read each one's weights back.

    `representative`, (n, 49, 40) float32, is for the integer variant. Takes about three seconds.
    """
    folder = Path(folder)
    tf = session.import_tensorflow()
    with session.quiet():
        model.save(folder / "spotter.keras")
        tf.train.Checkpoint(model=model).write(str(folder / "checkpoint"))
        _export(model, folder / "saved_model")
    freezing.frozen(model).save(folder / "spotter.pb")
    for variant in ("float32", "int8"):
        made = tflite.convert(model, variant, representative)
        session.write_atomically(folder / f"spotter_{variant}.tflite", made)
    wanted = [np.asarray(weight) for weight in model.get_weights()]
    read = {
        "Keras file": ("spotter.keras", _keras),
        "checkpoint": ("checkpoint.*", _checkpoint),
        "SavedModel": ("saved_model/**/*", _saved_model),
        "frozen graph": ("spotter.pb", _frozen),
    }
    found = [
        _artefact(name, folder, pattern, list(reader(folder)), wanted)
        for name, (pattern, reader) in read.items()
    ]
    return (
        Artefact(
            "weights alone", sum(weight.nbytes for weight in wanted), "exactly", fingerprint(wanted)
        ),
        *found,
        *_converted(model, folder),
    )


def fingerprint(arrays: Iterable[np.ndarray]) -> str:
    """Return eight hexadecimal digits that stand for the arrays' numbers, whatever their order."""
    digests = sorted(_digest(each) for each in arrays)
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:8]


def folded(model: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each convolution's kernel (out, height, width, in) and bias with its norm worked in.

    A layer `name` is followed by its batch normalisation `name_norm`. Since the norm of a
    trained model multiplies by a constant and adds another, the convolution can do both.
    """
    made = {}
    for layer in model.layers:
        if layer.__class__.__name__ != "Conv2D":
            continue
        gamma, beta, mean, variance = model.get_layer(f"{layer.name}_norm").get_weights()
        epsilon = np.float32(model.get_layer(f"{layer.name}_norm").epsilon)
        scale = gamma / np.sqrt(variance + epsilon)
        kernel = layer.get_weights()[0] * scale
        made[layer.name] = kernel.transpose(3, 0, 1, 2), beta - mean * scale
    return made


def _export(model: Any, folder: Path) -> None:
    """Write a SavedModel; exporting makes TensorFlow's log talkative, so hush it again."""
    log = logging.getLogger("absl")
    level = log.level
    model.export(folder, verbose=False)
    log.setLevel(level)


def _artefact(
    name: str, folder: Path, pattern: str, arrays: list[np.ndarray], wanted: list[np.ndarray]
) -> Artefact:
    """Return what one form weighs and whether every wanted weight is among its arrays."""
    known = {_digest(each) for each in arrays}
    there = [each for each in wanted if _digest(each) in known]
    size = sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
    return Artefact(
        name, size, "exactly" if len(there) == len(wanted) else "not", fingerprint(there)
    )


def _converted(model: Any, folder: Path) -> Iterator[Artefact]:
    """Yield what the converter made, compared with the folded weights."""
    for variant, word in (("float32", "folded"), ("int8", "rounded")):
        data = (folder / f"spotter_{variant}.tflite").read_bytes()
        rays = xray.Xray(data)
        arrays = [rays.values(stored) for stored in rays.tensors if len(stored.shape) == 4]
        kernels = [layer.weights for layer in rays.layers if layer.kind == "CONV_2D"]
        right = all(
            _close(rays, stored, kernel)
            for stored, (kernel, _) in zip(kernels, folded(model).values(), strict=True)
        )
        yield Artefact(
            f"TFLite {variant}", len(data), word if right else "not", fingerprint(arrays)
        )


def _close(rays: xray.Xray, stored: xray.Stored, kernel: np.ndarray) -> bool:
    """Tell whether a stored kernel is the folded one, up to float32 or to half a scale."""
    values = rays.values(stored).astype(np.float32)
    if not stored.scales:
        return bool(np.abs(values - kernel).max() <= _SAME)
    scales = np.array(stored.scales, np.float32).reshape(-1, 1, 1, 1)
    return bool((np.abs(values * scales - kernel) <= 0.501 * scales + _SAME).all())


def _digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes, whatever its shape."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _keras(folder: Path) -> Iterator[np.ndarray]:
    """Yield every array of a .keras file, which is a ZIP with an HDF5 file inside."""
    import h5py

    with zipfile.ZipFile(folder / "spotter.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    arrays: list[np.ndarray] = []
    with h5py.File(content) as file:
        file.visititems(
            lambda _, item: arrays.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    yield from arrays


def _checkpoint(folder: Path, prefix: str = "checkpoint") -> Iterator[np.ndarray]:
    """Yield every numeric array of a checkpoint."""
    tf = session.import_tensorflow()
    reader = tf.train.load_checkpoint(str(folder / prefix))
    for name in reader.get_variable_to_dtype_map():
        value = reader.get_tensor(name)
        if isinstance(value, np.ndarray) or np.isscalar(value) and not isinstance(value, bytes):
            yield np.asarray(value)


def _saved_model(folder: Path) -> Iterator[np.ndarray]:
    """Yield every numeric array among a SavedModel's variables."""
    return _checkpoint(folder, "saved_model/variables/variables")


def _frozen(folder: Path) -> Iterator[np.ndarray]:
    """Yield every constant of a frozen graph."""
    tf = session.import_tensorflow()
    for node in freezing.load(folder / "spotter.pb").proto().node:
        if node.op == "Const":
            yield tf.make_ndarray(node.attr["value"].tensor)
