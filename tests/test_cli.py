"""The command line: what it measures, what it says about files that cannot be used, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course_lib import cli, session, tflite, train
from course_lib.graph import freezing
from course_lib.measure import evaluation, saved
from course_lib.session import commands
from course_lib.sound import audio

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Save one untrained model in every form; its answer depends on its features."""
    folder = tmp_path_factory.mktemp("models")
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(3)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((49, 40, 1)),
            tf.keras.layers.AveragePooling2D((7, 10), name="pool"),
            tf.keras.layers.Flatten(name="flat"),
            tf.keras.layers.Dense(4, name="answer"),
        ]
    )
    with session.quiet():
        model.save(folder / "toy.keras")
        model.export(folder / "toy_folder")
    frozen = freezing.frozen(model)
    frozen.save(folder / "toy.pb")
    (folder / "toy.tflite").write_bytes(tflite.convert(frozen, "float32"))
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Write 17 good clips in five folders, and one file of every bad kind."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(1)
    for word, count in (("yes", 4), ("no", 3), ("_unknown_", 3), ("_silence_", 2), ("go", 5)):
        for place in range(count):
            suffix = "wav" if place % 2 else "flac"
            wave = rng.normal(0, 0.1, 16_000).astype(np.float32)
            audio.write(folder / word / f"{place:02d}_nohash_0.{suffix}", wave)
    good = (folder / "yes" / "01_nohash_0.wav").read_bytes()
    (folder / "yes" / "empty.wav").write_bytes(b"")
    (folder / "yes" / "truncated.wav").write_bytes(good[:9000])
    flac = (folder / "yes" / "00_nohash_0.flac").read_bytes()
    (folder / "no" / "truncated.flac").write_bytes(flac[: len(flac) // 2])
    (folder / "no" / "rate.wav").write_bytes(audio.wav_bytes(np.zeros(8000, np.float32), 8000))
    (folder / "go" / "text.wav").write_text("this is no sound")
    (folder / "go" / "notes.txt").write_text("said by a friend")
    (folder / "go" / "gone.wav").symlink_to(folder / "nowhere.wav")
    (folder / "outside.wav").write_bytes(good)
    (folder / "go" / "deep").mkdir()
    (folder / "go" / "deep" / "down.wav").write_bytes(good)
    (folder / "README.md").write_text("what this is: no clip, and not meant to be one")
    (folder / "go" / ".hidden").write_text("left by a file manager")
    return folder


BAD = {
    "yes/empty.wav": "is empty",
    "yes/truncated.wav": "cut short",
    "no/rate.wav": "8000 Hz",
    "no/truncated.flac": "",
    "go/text.wav": "cannot be read as sound",
    "go/notes.txt": "is none of",
    "go/gone.wav": "There is no file",
    "outside.wav": "label's",
    "go/deep/down.wav": "label's",
}


def run(*arguments, capsys):
    """Run a command in this process; return its exit code, stdout and stderr."""
    code = cli.main([str(each) for each in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("name", ["toy.tflite", "toy.keras", "toy.pb", "toy_folder"])
def test_evaluate_every_form_alike(models, clips, name, capsys):
    code, out, err = run("evaluate", models / name, clips, "--json", capsys=capsys)
    assert code == commands.DONE
    result = json.loads(out)
    assert result["n"] == 17 and result["real4"]["n"] == 12 and result["other_words"]["n"] == 5
    files = [path for path in (models / name).rglob("*") if path.is_file()] or [models / name]
    assert result["bytes"] == sum(path.stat().st_size for path in files)
    counts = np.array(result["confusion"]["counts"])
    assert counts.sum() == 17 and list(counts.sum(axis=1)) == [2, 8, 4, 3]
    assert result["correct"] == np.trace(counts)
    assert result["accuracy"] == pytest.approx(np.trace(counts) / 17)
    low, high = result["interval"]
    assert 0 <= low < result["accuracy"] < high <= 1
    for label, row in zip(result["confusion"]["labels"], range(4), strict=True):
        assert result["recall"][label] == pytest.approx(counts[row, row] / counts[row].sum())
    unknown = result["other_words"]["words"]["go"]
    assert unknown["n"] == 5
    assert result["correct"] == result["real4"]["correct"] + round(5 * unknown["called_unknown"])
    toy = evaluation.evaluate(models / "toy.tflite", clips)
    assert counts.tolist() == toy.report.confusion.tolist()
    assert {each["file"] for each in result["skipped"]["files"]} == set(BAD)
    assert result["skipped"]["count"] == len(BAD)
    for file, reason in BAD.items():
        (said,) = [each["reason"] for each in result["skipped"]["files"] if each["file"] == file]
        assert reason in said and f"skipped {file}: " in err
    assert "reading" in err  # progress


def test_evaluate_prints_a_table(models, clips, capsys):
    code, out, _ = run("evaluate", models / "toy.tflite", clips, "--quiet", capsys=capsys)
    assert code == commands.DONE
    assert "of 17 clips" in out and "of 12 clips" in out and "go " in out
    assert out.splitlines()[-1] == f"skipped files  {len(BAD)}"


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda path: None, "There is no model"),
        (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
        (lambda path: path.write_bytes(b"no model at all"), "cannot be opened"),
    ],
)
@pytest.mark.parametrize("suffix", ["tflite", "keras", "pb"])
def test_a_model_that_cannot_be_used(tmp_path, clips, make, said, suffix, capsys):
    path = tmp_path / f"model.{suffix}"
    make(path)
    code, out, err = run("evaluate", path, clips, capsys=capsys)
    assert code == commands.UNUSABLE and not out
    assert len(err.splitlines()) == 1 and str(path) in err
    assert said in err or "no .keras file" in err


@pytest.mark.parametrize("name", ["toy.tflite", "toy.keras", "toy.pb"])
def test_a_truncated_model(models, clips, tmp_path, name, capsys):
    data = (models / name).read_bytes()
    for size in (len(data) // 2, 30):
        path = tmp_path / name
        path.write_bytes(data[:size])
        code, _, err = run("evaluate", path, clips, "--quiet", capsys=capsys)
        assert code == commands.UNUSABLE and err.startswith(f"course_lib: {path}")
        assert len(err.splitlines()) == 1


def test_other_things_that_cannot_be_used(models, clips, tmp_path, capsys):
    other = tmp_path / "model.onnx"
    other.write_bytes(b"1")
    for arguments, said in (
        (("evaluate", other, clips), "no form that can be opened"),
        (("evaluate", models / "toy.tflite", tmp_path / "none"), "There is no folder"),
        (("evaluate", models / "toy.tflite", tmp_path), "holds no clip"),
        (("convert", models / "toy.tflite"), "is converted already"),
        (("convert", models / "none.keras"), "There is no model"),
    ):
        code, _, err = run(*arguments, capsys=capsys)
        assert code == commands.UNUSABLE and said in err
    code, _, err = run(
        "convert",
        models / "toy.pb",
        "--variant",
        "float32",
        "--out",
        models / "toy.pb" / "below" / "a.tflite",
        capsys=capsys,
    )
    assert code == commands.UNWRITABLE and len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["toy.keras", "toy.pb", "toy_folder"])
def test_convert_makes_the_same_model_from_every_form(models, clips, tmp_path, name, capsys):
    out = tmp_path / "made.tflite"
    code, said, _ = run(
        "convert", models / name, "--variant", "float32", "--out", out, capsys=capsys
    )
    assert code == commands.DONE and f"{out.stat().st_size:,} bytes" in said
    features = np.random.default_rng(2).normal(size=(5, 49, 40)).astype(np.float32)
    expected = freezing.load(models / "toy.pb").run(features)
    np.testing.assert_allclose(tflite.run(out.read_bytes(), features), expected, atol=1e-5)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)


def test_convert_calibrates_on_a_folder_of_clips(models, clips, tmp_path, capsys):
    target = tmp_path / "toy.pb"
    target.write_bytes((models / "toy.pb").read_bytes())
    code, _, err = run("convert", target, "--clips", clips, "--strip", capsys=capsys)
    made = tmp_path / "toy_int8.tflite"
    assert code == commands.DONE and made.stat().st_size < target.stat().st_size
    assert tflite.Interpreter(made.read_bytes()).inputs[0].dtype == np.int8
    assert "skipped yes/empty.wav" in err


def test_convert_replaces_no_other_model_unless_it_is_named(models, tmp_path, capsys):
    source, beside = tmp_path / "toy.keras", tmp_path / "toy_float32.tflite"
    source.write_bytes((models / "toy.keras").read_bytes())
    command = "convert", source, "--variant", "float32"
    for _ in range(2):
        assert run(*command, capsys=capsys)[0] == commands.DONE
    beside.write_bytes(b"somebody's own")
    code, _, err = run(*command, capsys=capsys)
    assert code == commands.UNUSABLE and "name it with --out" in err
    assert beside.read_bytes() == b"somebody's own"
    assert run(*command, "--out", beside, capsys=capsys)[0] == commands.DONE
    assert beside.read_bytes() != b"somebody's own"


def test_variants_are_those_of_the_converter(capsys):
    assert cli.main(["convert", "--help"]) == 0
    assert f"[{'|'.join(tflite.VARIANTS)}]" in capsys.readouterr().out


def test_train_hands_its_options_on_and_shows_stages(monkeypatch, tmp_path, capsys):
    def make(folder, seed, progress, real):
        seen.update(folder=folder, seed=seed, real=real)
        for stage in ("varying clips", "training"):
            for done in range(3):
                progress(stage, done, 2)

    seen = {}
    monkeypatch.setattr(train, "make", make)
    code, out, err = run("train", "--out", tmp_path, "--seed", 5, capsys=capsys)
    assert code == commands.DONE and str(tmp_path) in out
    assert seen == {"folder": tmp_path, "seed": 5, "real": None}
    assert "varying clips: 100%" in err and "training: 100%" in err
    _, _, err = run("train", "--out", tmp_path, "--quiet", capsys=capsys)
    assert not err


def test_train_never_replaces_a_folder_of_other_things(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, err = run("train", "--out", tmp_path, capsys=capsys)
    assert code == commands.UNUSABLE and "holds other things" in err
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["evaluate", "--help"], ["convert", "--help"], ["train", "--help"]]
)
def test_help_names_the_exit_codes(arguments, capsys):
    assert cli.main(arguments) == 0
    assert "exit codes: 0 done" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["bake"], ["evaluate"], ["convert", "a", "--variant", "int4"]]
)
def test_wrong_usage(arguments, capsys):
    assert cli.main(arguments) == commands.USAGE
    assert "usage:" in capsys.readouterr().err.lower()


def test_an_interrupted_command(monkeypatch, models, clips, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "evaluate", interrupted)
    code, _, err = run("evaluate", models / "toy.tflite", clips, capsys=capsys)
    assert code == commands.INTERRUPTED and err == "course_lib: interrupted\n"


def test_as_a_program_of_its_own(models, clips):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "course_lib", "evaluate", str(models / "toy.tflite")]
    done = subprocess.run(
        [*command, str(clips), "--json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=models,
        timeout=120,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["n"] == 17
    assert "reading: 100%" in done.stderr
    done = subprocess.run(
        [*command, str(models)],
        capture_output=True,
        text=True,
        cwd=models,
        env=environment,
        timeout=120,
    )
    assert done.returncode == commands.UNUSABLE and "Traceback" not in done.stderr


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom course_lib import cli\n"
        "assert cli.main(['--help']) == 0\n"
        "heavy = {'numpy', 'tensorflow', 'matplotlib', 'tqdm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT, timeout=60
    )


def test_what_no_converter_knows_is_one_sentence(tmp_path, capsys):
    tf = session.import_tensorflow()

    class Listen(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1,), tf.string)])
        def __call__(self, files):
            return tf.transpose(tf.audio.decode_wav(files[0], 1).audio)

    with session.quiet():
        module = Listen()
        tf.saved_model.save(module, tmp_path / "m", module.__call__.get_concrete_function())
    code, _, err = run("convert", tmp_path / "m", "--variant", "float32", capsys=capsys)
    assert code == commands.UNUSABLE and len(err.splitlines()) == 1 and "DecodeWav" in err


def test_models_that_are_no_spotter(tmp_path):
    with pytest.raises(saved.ModelFileError, match="needed"):
        tf = session.import_tensorflow()
        layers = [tf.keras.Input((49, 40, 1)), tf.keras.layers.Flatten(), tf.keras.layers.Dense(3)]
        path = tmp_path / "three.tflite"
        path.write_bytes(tflite.convert(tf.keras.Sequential(layers)))
        saved.predictor(path)


def test_a_page_and_a_sketch_are_written_and_nothing_else_is_touched(tmp_path, capsys):
    model = session.data_path("models", "spotter_int8.tflite")
    assert cli.main(["page", str(model), "--out", str(tmp_path / "page.html")]) == commands.DONE
    assert "<!doctype html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert cli.main(["sketch", str(model), str(tmp_path / "spotter")]) == commands.DONE
    assert {"spotter.ino", "settings.h", "model.c"} <= {
        path.name for path in (tmp_path / "spotter").iterdir()
    }
    assert cli.main(["sketch", str(model), str(tmp_path / "spotter")]) == commands.DONE  # anew
    capsys.readouterr()
    for command in (["page", str(model), "--labels", "a,b"], ["sketch", str(model), str(tmp_path)]):
        assert cli.main(command) == commands.UNUSABLE
    said = capsys.readouterr().err
    assert "gives 4 answers, not 2" in said and "holds other things" in said


@pytest.mark.parametrize("found, said", [((), "none is plugged in"), (("A", "B"), "name one")])
def test_a_board_is_named_where_it_is_not_clear(monkeypatch, capsys, found, said):
    from course_lib.micro import board

    monkeypatch.setattr(board, "ports", lambda: found)
    assert cli.main(["ask-board"]) == commands.UNUSABLE
    assert said in capsys.readouterr().err
