"""The same weights in every kind of file that a model is kept in: sizes, and a proof by hash."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, tflite
from course_lib.experiments.folded import fold
from course_lib.experiments.outside import FILES
from course_lib.formats import checkpoint
from course_lib.graph import freezing
from course_lib.tflite import xray

_SAME = 1e-6  # folding is a product in float32: the last bits may differ


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


def write_forms(model: Any, folder: str | Path) -> freezing.Frozen:
    """Write a Keras model in every form of `outside.FILES` but TFLite; return the frozen one."""
    tf, folder = session.import_tensorflow(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("absl")
    level = log.level
    with session.quiet():
        tf.train.Checkpoint(model=model).write(str(folder / "checkpoint" / "model"))
        model.save(folder / FILES["Keras file"])
        model.export(folder / FILES["SavedModel"], verbose=False)
    log.setLevel(level)  # exporting makes TensorFlow's log talkative
    frozen = freezing.frozen(model)
    frozen.save(folder / FILES["frozen graph"])
    return frozen


def bytes_of(folder: Path) -> dict[str, int]:
    """Return the bytes that each form in a folder takes, with all of its files."""
    roots = {name: folder / Path(file).parts[0] for name, file in FILES.items()}
    return {
        name: sum(path.stat().st_size for path in (root, *root.rglob("*")) if path.is_file())
        for name, root in roots.items()
    }


def write_all(model: Any, folder: str | Path, representative: np.ndarray) -> tuple[Artefact, ...]:
    """Write a Keras model to `folder` in every form and read each one's weights back.

    `representative`, (n, 49, 40) float32, is for the integer variant. Takes about three seconds.
    """
    folder = Path(folder)
    write_forms(model, folder)
    sizes = bytes_of(folder)
    wanted = [np.asarray(weight) for weight in model.get_weights()]
    size = sum(weight.nbytes for weight in wanted)
    artefacts = [Artefact("weights alone", size, "exactly", fingerprint(wanted))]
    for name in ("Keras file", "checkpoint", "SavedModel", "frozen graph"):
        known = {_digest(each) for each in _arrays(folder / FILES[name])}
        there = [each for each in wanted if _digest(each) in known]
        holds = "exactly" if len(there) == len(wanted) else "not"
        artefacts.append(Artefact(name, sizes[name], holds, fingerprint(there)))
    for variant, word in (("float32", "folded"), ("int8", "rounded")):
        data = tflite.convert(model, variant, representative)
        session.write_atomically(folder / f"model_{variant}.tflite", data)
        artefacts.append(_converted(model, variant, word, data))
    return tuple(artefacts)


def fingerprint(arrays: Iterable[np.ndarray]) -> str:
    """Return eight hexadecimal digits that stand for the arrays' numbers, whatever their order."""
    digests = sorted(_digest(each) for each in arrays)
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:8]


def folded(model: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each convolution's kernel (out, height, width, in) and bias with its norm worked in.

    A layer `name` is followed by its batch normalisation `name_norm`. Since the norm of a
    trained model multiplies by a constant and adds another, the convolution can do both.
    """
    layers = {}
    for layer in model.layers:
        if layer.__class__.__name__ == "Conv2D":
            kernel, bias = fold(layer, model.get_layer(f"{layer.name}_norm"))
            layers[layer.name] = kernel.transpose(3, 0, 1, 2), bias
    return layers


def _converted(model: Any, variant: str, word: str, data: bytes) -> Artefact:
    """Return what the converter made; it holds the weights as `word` says if it holds them."""
    rays = xray.Xray(data)
    arrays = [rays.values(stored) for stored in rays.tensors if len(stored.shape) == 4]
    kernels = [layer.weights for layer in rays.layers if layer.kind == "CONV_2D"]
    right = all(
        _close(rays, stored, kernel)
        for stored, (kernel, _) in zip(kernels, folded(model).values(), strict=True)
    )
    return Artefact(f"TFLite {variant}", len(data), word if right else "not", fingerprint(arrays))


def _close(rays: xray.Xray, stored: xray.Stored, kernel: np.ndarray) -> bool:
    """Tell whether a stored kernel is the folded one, up to float32 or to half a scale."""
    values = rays.values(stored).astype(np.float32)
    if not stored.scales:
        return bool(np.abs(values - kernel).max() <= _SAME)
    scales = np.array(stored.scales, np.float32).reshape(-1, 1, 1, 1)
    return bool((np.abs(values * scales - kernel) <= 0.501 * scales + _SAME).all())


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _arrays(path: Path) -> Iterator[np.ndarray]:
    """Yield every numeric array of a Keras file, a checkpoint, a SavedModel or a frozen graph."""
    if path.suffix == ".pb":
        make_array = session.import_tensorflow().make_ndarray
        for node in freezing.load(path).proto().node:
            if node.op == "Const":
                yield make_array(node.attr["value"].tensor)
    else:
        opened = checkpoint.contents(path)
        yield from (opened[each.key] for each in opened if each.dtype != "string")
