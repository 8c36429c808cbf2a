"""The pipeline beside the bare calls of TensorFlow, LiteRT and NumPy that it is made of."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.results import Measured, Options, Ratio, quotients, spread, taking_turns
from course_lib import session, spotter, tflite
from course_lib.measure import evaluation
from course_lib.sound import audio, dataset, features

TITLE = "The pipeline over the bare calls"
_FFT_BINS = features.FFT // 2 + 1


def run(options: Options) -> Measured:
    """Measure each step of the pipeline in turns with the bare calls."""
    clips, rounds = _clips(64 if options.quick else 2000), 2 if options.quick else 7
    heard, data, model = features.log_mel(clips.waves), tflite.load("spotter_int8"), spotter.load()
    tf = session.import_tensorflow()
    in_tensorflow = _tensorflow_features()
    waves = tf.constant(clips.waves)
    got = {
        "load an int8 model, run it on every clip": (
            lambda: tflite.run(data, heard),
            lambda: _bare_answers(data, heard),
            1.1,
        ),
        "convert the spotter to int8": (
            lambda: tflite.convert(model, "int8", heard[:400]),
            lambda: _bare_conversion(model, heard[:400]),
            1.1,
        ),
        "features, over plain NumPy and SciPy": (
            lambda: features.log_mel(clips.waves),
            lambda: _bare_features(clips.waves),
            1.2,
        ),
        "features, over tf.signal in one tf.function": (
            lambda: features.log_mel(clips.waves),
            lambda: in_tensorflow(waves).numpy(),
            1.2,
        ),
    }
    ratios, rows = [], [("step", "ours", "bare")]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, model_file = Path(name, "clips"), Path(name, "spotter.tflite")
        model_file.write_bytes(data)
        _write(clips, folder)
        got["evaluate: from WAV files to accuracy and confusion"] = (
            lambda: _evaluated(model_file, folder),
            lambda: _bare_evaluation(model_file, folder, in_tensorflow),
            1.0,
        )
        for what, (ours, bare, target) in got.items():
            _agree(ours(), bare())
            seconds = taking_turns({"ours": ours, "bare": bare}, rounds)
            ratios.append(Ratio(what, quotients(seconds, "ours", "bare"), target))
            rows.append((what, spread(seconds["ours"]), spread(seconds["bare"])))
    return Measured(
        f"{len(clips):,} bundled clips, {rounds} rounds in turns after one to warm up; both sides "
        "give the same answers, which is looked at before anything is timed. Bare is the shortest "
        "program of TensorFlow's and LiteRT's own calls with the same settings: the same kernels, "
        "the same calibration, the same formula. The bare evaluation reads with tf.audio, computes "
        "features with tf.signal and runs the same kernels, in this process; ours looks into every "
        "file, runs the model in a process of its own, where it may crash, and computes intervals.",
        ratios,
        {"Seconds": rows},
    )


def _clips(count: int) -> dataset.Clips:
    clips = dataset.bundled("train")
    return clips[np.linspace(0, len(clips) - 1, count).astype(int)]


def _agree(ours: Any, bare: Any) -> None:
    """Raise ValueError where the two sides do not do the same."""
    if isinstance(ours, bytes):
        same = len(ours) == len(bare) or abs(len(ours) - len(bare)) < 0.1 * len(bare)
    else:
        same = np.allclose(ours, bare, atol=0.02)
    if not same:
        raise ValueError("The bare calls give another answer: they are no measure.")


def _litert(data: bytes, reference: bool = False) -> Any:
    from ai_edge_litert import interpreter as litert

    kernels = litert.OpResolverType
    kind = kernels.BUILTIN_REF if reference else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = litert.Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=kind)
    made.allocate_tensors()
    return made


def _bare_answers(data: bytes, heard: np.ndarray, reference: bool = False) -> np.ndarray:
    """Return the probabilities of features: as LiteRT's guide to integers has it."""
    made = _litert(data, reference)
    (into,), (out_of,) = made.get_input_details(), made.get_output_details()
    scale, zero = into["quantization"]
    whole = np.clip(np.round(heard / scale) + zero, -128, 127).astype(np.int8)[..., np.newaxis]
    answers = np.empty((len(heard), out_of["shape"][-1]), np.int8)
    for number in range(len(heard)):
        made.set_tensor(into["index"], whole[number : number + 1])
        made.invoke()
        answers[number] = made.get_tensor(out_of["index"])
    scale, zero = out_of["quantization"]
    return ((answers.astype(np.float32) - zero) * scale).astype(np.float32)


def _bare_conversion(model: Any, examples: np.ndarray) -> bytes:
    """Return the int8 file that the documented calls of the converter make."""
    tf = session.import_tensorflow()
    with session.quiet():
        whole = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
        maker = tf.lite.TFLiteConverter.from_keras_model(whole)
        maker.optimizations = [tf.lite.Optimize.DEFAULT]
        maker.representative_dataset = lambda: ([row[np.newaxis, ..., None]] for row in examples)
        maker.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        maker.inference_input_type = maker.inference_output_type = tf.int8
        maker._experimental_disable_per_channel = True
        return maker.convert()


def _bare_features(waves: np.ndarray) -> np.ndarray:
    """Return the formula of `features`, written down in one go."""
    centred = waves - waves.mean(axis=-1, keepdims=True)
    cut = np.lib.stride_tricks.sliding_window_view(centred, features.WINDOW, axis=-1)
    spectra = np.fft.rfft(cut[..., :: features.HOP, :] * features.window(), features.FFT)
    energies = (np.abs(spectra) ** 2).astype(np.float32) @ features.filters()
    logs = np.log(energies + np.float32(features.FLOOR))
    return (logs - logs.mean(axis=(-2, -1), keepdims=True)) / np.float32(features.SCALE)


def _tensorflow_features() -> Callable[[Any], Any]:
    """Return the same formula in tf.signal, compiled into one graph."""
    tf = session.import_tensorflow()

    @tf.function(input_signature=[tf.TensorSpec((None, audio.CLIP_SAMPLES), tf.float32)])
    def compute(waves: Any) -> Any:
        centred = waves - tf.reduce_mean(waves, axis=-1, keepdims=True)
        framed = tf.signal.frame(centred, features.WINDOW, features.HOP)
        spectra = tf.signal.rfft(framed * features.window(), [features.FFT])
        flat = tf.reshape(tf.square(tf.abs(spectra)), (-1, _FFT_BINS))
        energies = tf.reshape(flat @ features.filters(), (-1, features.FRAMES, features.BANDS))
        logs = tf.math.log(energies + features.FLOOR)
        return (logs - tf.reduce_mean(logs, axis=(-2, -1), keepdims=True)) / features.SCALE

    return compute


def _write(clips: dataset.Clips, folder: Path) -> None:
    for place, (wave, word) in enumerate(zip(clips.waves, clips.words, strict=True)):
        (folder / word).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / word / f"{place:05}.wav", wave, audio.SAMPLE_RATE_HZ)


def _evaluated(model: Path, folder: Path) -> np.ndarray:
    """Return our confusion matrix; nothing is taken from an earlier round."""
    features._memory.clear()
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as cache:
        os.environ["WORKBOOK_CACHE"] = cache
        try:
            return evaluation.evaluate(model, folder).report.confusion
        finally:
            del os.environ["WORKBOOK_CACHE"]


def _bare_evaluation(model: Path, folder: Path, compute: Callable[[Any], Any]) -> np.ndarray:
    """Return the confusion matrix as a program of bare calls finds it."""
    tf = session.import_tensorflow()
    files = sorted(folder.glob("*/*.wav"))
    labels = [dataset.label_of(path.parent.name) for path in files]
    read = functools.partial(tf.audio.decode_wav, desired_channels=1)
    waves = [read(tf.io.read_file(str(path))).audio[:, 0] for path in files]
    heard = np.concatenate(
        [compute(tf.stack(waves[n : n + 128])) for n in range(0, len(waves), 128)]
    )
    answers = _bare_answers(model.read_bytes(), heard, reference=True)
    return tf.math.confusion_matrix(labels, answers.argmax(axis=1), len(dataset.LABELS)).numpy()
