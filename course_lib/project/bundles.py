"""One zip to hand in: the report as HTML and JSON, the model, and the C++ program around it.

It is written, read and checked here: the report's form by the schema, its figures against each
other, the files by their hash. No figure is believed that another one contradicts; a model can be
measured again.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import measure, micro, session, tflite
from course_lib.experiments.ledger import Claim
from course_lib.micro import record
from course_lib.project.reports import MicroRun, page
from course_lib.project.words import Words, gather
from course_lib.sound import dataset, features
from course_lib.views.style import Picture

MODEL = "spotter.tflite"
_REPORT, _PAGE = "report.json", "report.html"
_NEW_LAYER_BYTES = 512  # more than a last layer with eight answers adds to what four take
_MOST_BYTES = 64 << 20  # of one file, unpacked
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same contents give the same zip
_EXACT = 1e-6
_MOST_SHOWN = 10
_ROUNDING = 0.02  # of the clips another machine's kernels may hear in another way


def arena_bytes(run: MicroRun | None) -> int:
    """Return the arena that a program gets: measured, or the shipped model's and some room.

    Where tflite-micro is missing, the recorded arena of the shipped model is a good guess: yours
    differs from it in the last layer alone.
    """
    if run is not None:
        return run.arena_bytes
    return int(record.load()["arena"]["smallest_bytes"]) + _NEW_LAYER_BYTES


def deliverables(int8_model: bytes, arena_bytes: int, words: Words) -> dict[str, bytes]:
    """Return the files to hand in beside the report: the model, and the C++ program's folder."""
    program = micro.cpp_program(int8_model, arena_bytes, words.labels)
    sources = {f"spotter/{name}": text.encode() for name, text in program.items()}
    return {MODEL: bytes(int8_model), **sources}


def bundle(
    path: str | Path,
    report: Mapping[str, Any],
    files: Mapping[str, bytes],
    pictures: Sequence[Picture] = (),
) -> Path:
    """Write the zip, and `report.html` and `report.json` beside it; return the zip's path.

    Raises ValueError, and writes nothing, where the report or its files are not right.
    """
    if wrong := problems(report, files):
        raise ValueError(f"This report is not right. {wrong[0]}")
    path = Path(path)
    texts = {
        _REPORT: json.dumps(report, indent=1, allow_nan=False).encode(),
        _PAGE: page(report, pictures).encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**texts, **files}.items():
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    for name, data in texts.items():
        session.write_atomically(path.with_name(name), data)
    return session.write_atomically(path, buffer.getvalue())


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a report and the files beside it: of the zip of lesson 09, or of a report.json alone.

    Raises ValueError where it is neither, and FileNotFoundError.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}: give a report.json or its zip.")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path.name} is over {_MOST_BYTES >> 20} MB: no report is so large.")
    files = _members(path) if zipfile.is_zipfile(path) else {_REPORT: path.read_bytes()}
    if _REPORT not in files:
        raise ValueError(f"There is no {_REPORT} in {path.name}: hand in the zip of lesson 09.")
    return _parsed(files.pop(_REPORT)), files


@cache
def _schema() -> dict[str, Any]:
    """Return the JSON Schema of a report, in which every field is explained."""
    return json.loads(Path(__file__).with_name("report.schema.json").read_text("utf-8"))


def problems(report: Any, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Return one sentence for each thing that is wrong with a report; none where it is right.

    With `files`, the bytes of each file that it names are compared as well.
    """
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(_schema()).iter_errors(report)
    if wrong := sorted(errors, key=lambda error: error.json_path):
        said = [f"{each.json_path.removeprefix('$.')}: {each.message[:120]}" for each in wrong]
    else:
        said = [*_labels(report), *_models(report), *_micro(report), *_claims(report)]
        said += [] if files is None else _files(report, files)
    return said[:_MOST_SHOWN]


def about(data: bytes) -> str:
    """Return in one line what a report.json, given as its bytes, says, or what is wrong with it."""
    try:
        report = _parsed(data)
    except ValueError as error:
        return f"no report: {error}"
    if wrong := problems(report):
        return f"not right: {wrong[0]}"
    model = next(each for each in report["models"] if each["name"] == report["chosen"])
    return (
        f"right: {', '.join(report['words'])}; {model['name']}, {model['bytes']:,} bytes, "
        f"{model['right']} of {model['n']} clips"
    )


def again(report: Mapping[str, Any], model: bytes) -> str:
    """Measure the chosen model again on the bundled test clips, and say whether it is as reported.

    The model runs in a process of its own. Own recordings are not at hand: where the report has
    some, that is said instead. Raises ValueError where the model does not do what the report says.
    """
    if report["clips"]["own"]:
        return f"not measured again: {report['clips']['own']} clips are the author's own recordings"
    test = gather(report["words"]).test
    answers = tflite.run_guarded(model, features.of(test))
    measured = measure.report("again", lambda _: answers, test)
    reported = next(each for each in report["models"] if each["name"] == report["chosen"])
    others = np.abs(measured.confusion - np.array(reported["confusion"])).sum() // 2
    if others > max(1, _ROUNDING * measured.n):
        raise ValueError(
            f"Measured again, the model is right about {measured.correct} of {measured.n} clips, "
            f"not {reported['right']}, and hears {others} in another way: is it of another run?"
        )
    return f"measured again: {measured.correct} of {measured.n} clips right, as reported"


def _members(path: Path) -> dict[str, bytes]:
    """Return the files of a zip by name, none of them larger than a report's may be."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if sum(sizes.values()) > _MOST_BYTES:
                raise ValueError(f"{path.name} unpacks to over {_MOST_BYTES >> 20} MB.")
            return {name: archive.read(name) for name in sizes if not name.endswith("/")}
    except (*_DAMAGED, OSError) as error:
        raise ValueError(f"{path.name} is a damaged zip: download it again.") from error


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"{_REPORT} is no JSON: run lesson 09 again.") from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _labels(report: Mapping[str, Any]) -> Iterator[str]:
    wanted = [*dataset.LABELS[:2], *report["words"]]
    if report["labels"] != wanted:
        yield f"labels: they have to be {', '.join(wanted)}."
    for split in dataset.SPLITS:
        if len(report["clips"][split]) != len(wanted):
            yield f"clips.{split}: a count for each of {len(wanted)} labels is needed."


def _models(report: Mapping[str, Any]) -> Iterator[str]:
    names = [each["name"] for each in report["models"]]
    if report["chosen"] not in names:
        yield f"chosen: no model is called {report['chosen']}."
    if len(set(names)) < len(names):
        yield "models: two of them have the same name."
    said = report["clips"]["test"]
    for each in report["models"]:
        name, table = each["name"], each["confusion"]
        if [sum(row) for row in table] != said or any(len(row) != len(said) for row in table):
            yield f"models: the matrix of {name} does not have the test's clips in its rows."
            continue
        right = sum(table[place][place] for place in range(len(said)))
        low, high = measure.wilson(right, sum(said))
        n = sum(said)
        wanted = {"n": n, "right": right, "share": right / n, "low": low, "high": high}
        for key, value in wanted.items():
            if abs(each[key] - value) > _EXACT:
                yield f"models: {key} of {name} is {each[key]}, and its matrix gives {value:.6g}."
        if each["weight_bytes"] > each["bytes"]:
            yield f"models: {name} has more bytes of weights than bytes."


def _micro(report: Mapping[str, Any]) -> Iterator[str]:
    run = report["micro"]
    if run is not None and run["same_words"] > run["n"]:
        yield f"micro: {run['same_words']} of {run['n']} clips cannot be the same."


def _claims(report: Mapping[str, Any]) -> Iterator[str]:
    said = [each["said"] for each in report["claims"]]
    if len(set(said)) < len(said):
        yield "claims: one of them is there twice."
    for each in report["claims"]:
        verdict = Claim.from_dict(each).verdict
        if each["verdict"] != verdict:
            yield f'claims: the tests of "{each["said"]}" say that it {verdict}.'


def _files(report: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    for name, about in report["files"].items():
        data = files.get(name)
        if data is None:
            yield f"files: {name} is missing."
        elif len(data) != about["bytes"] or hashlib.sha256(data).hexdigest() != about["sha256"]:
            yield f"files: {name} is not the file that the report is about."
    for name in sorted(set(files) - set(report["files"]) - {_PAGE}):
        yield f"files: the report does not know {name}."
    model = next((each for each in report["models"] if each["name"] == report["chosen"]), None)
    if model and MODEL in files and len(files[MODEL]) != model["bytes"]:
        size = len(files[MODEL])
        yield f"files: {MODEL} has {size:,} bytes, and the chosen model {model['bytes']:,}."
