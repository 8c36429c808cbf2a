"""The pictures and widgets of lesson 03: features, training, confusion."""

import signal

import ipywidgets
import numpy as np
import pytest

from course_lib import measure, spotter
from course_lib.sound import dataset, features
from course_lib.views import confusion as draw_confusion
from course_lib.views import features as draw_features
from course_lib.views import training as draw_training
from course_lib.views.style import Picture
from course_lib.widgets import confusion, threshold, training, voices
from course_lib.widgets import features as feature_widgets

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def clips():
    return dataset.bundled("test")


@pytest.fixture(scope="module")
def report(clips):
    """Answers that are right for two clips in three, and wrong in a way that repeats."""
    answers = np.full((len(clips), 4), 0.1, np.float32)
    heard = np.where(np.arange(len(clips)) % 3 == 0, (clips.labels + 1) % 4, clips.labels)
    answers[np.arange(len(clips)), heard] = 0.7
    return measure.report("toy", lambda features: answers, clips)


def is_picture(made, *words) -> bool:
    told = all(word in made.alt for word in words)
    return isinstance(made, Picture) and made.png.startswith(PNG) and told


def test_pictures_of_features(clips):
    wave = clips.waves[0]
    assert is_picture(draw_features.stages(wave, 0, "yes"), "frame 0 of yes", "0 ms")
    assert is_picture(draw_features.stages(np.zeros(16_000, np.float32), 48), "from 960 ms")
    assert is_picture(draw_features.waveform(wave, "yes"), "yes")
    assert is_picture(draw_features.maps(features.of(clips)[:5], clips.words[:5]), clips.words[4])
    with pytest.raises(ValueError, match="from 0 to 48"):
        draw_features.stages(wave, 49)


def test_stages_come_one_at_a_time(clips):
    told = ("its samples", "its spectrum", "its 40 bands", "its column")
    for last in range(2, 6):
        alt = draw_features.stages(clips.waves[0], 20, "yes", last).alt
        assert [part in alt for part in told] == [place < last - 1 for place in range(4)]
    for last in (1, 6):
        with pytest.raises(ValueError, match="no stage"):
            draw_features.stages(clips.waves[0], 20, last=last)
    with_two = feature_widgets.explorer(clips[:2], frame=20, last=2)
    assert "spectrum" not in with_two.html(0, 20)


def test_the_same_data_gives_the_same_picture(clips, report):
    for draw in (
        lambda: draw_features.stages(clips.waves[3], 20),
        lambda: draw_confusion.matrix(report.confusion, title="toy"),
    ):
        assert draw().png == draw().png


def test_pictures_of_confusion(clips, report):
    assert is_picture(draw_confusion.matrix(report.confusion), "rows said", "most on the diagonal")
    assert is_picture(draw_confusion.recalls([report, report]), "yes")
    engines = len(set(clips.engines))
    picture = draw_confusion.groups(report, clips.engines, "who?")
    assert is_picture(picture, "who? toy", f"{engines} groups, hardest on top")
    assert (
        draw_confusion.groups(report, clips.files, "which?").png != picture.png
    )  # hundreds of them
    levels = np.linspace(0, 1, 11)
    assert is_picture(draw_confusion.thresholds(levels, levels, 1 - levels, 0.4), "threshold")


def test_pictures_of_training():
    curve = draw_training.Curve([(0.1, 2.0), (1.0, 0.5)], [(1.0, 0.8)])
    assert is_picture(draw_training.curves(curve, "mine", 5), "mine")
    assert is_picture(draw_training.curves(draw_training.Curve()), "loss")
    assert is_picture(draw_training.of_snapshots(spotter.history()), "shipped")


def test_moving_the_slider_or_choosing_a_clip_changes_the_view(clips):
    box = feature_widgets.explorer(clips[:3], frame=20).widget()
    row, view = box.children
    clip, frame = row.children
    before = view.value
    frame.value = 30
    after = view.value
    clip.value = 2
    assert len({before, after, view.value}) == 3
    assert "<img" in view.value and "<audio" in view.value
    with pytest.raises(ValueError, match="no clip"):
        feature_widgets.explorer(clips[[]])


def test_a_cell_of_the_matrix_plays_the_clips_behind_it(clips, report):
    matrix = confusion.confusion(report, clips)
    for said in range(4):
        for heard in range(4):
            places = matrix.behind(said, heard)
            assert len(places) == report.confusion[said, heard]
            assert set(clips.labels[places]) <= {said}
    said, heard = matrix.worst()
    assert said != heard and report.confusion[said, heard] > 0
    html = matrix.html(said, heard)
    assert html.count("<audio") == min(confusion.MOST, report.confusion[said, heard])
    with pytest.raises(ValueError, match="other clips"):
        confusion.confusion(report, clips[:-1])


def test_pressing_a_number_changes_the_players(clips, report):
    grid, view = confusion.confusion(report, clips).widget().children
    buttons = [child for child in grid.children if isinstance(child, ipywidgets.Button)]
    assert [int(button.description) for button in buttons] == report.confusion.ravel().tolist()
    before = view.value
    next(each for each in buttons if each.tooltip.startswith("said yes, heard as yes")).click()
    assert view.value != before and "said yes, heard as yes" in view.value
    assert all(button.disabled == (button.description == "0") for button in buttons)


def test_a_voice_plays_what_it_was_mistaken_in(clips, report):
    shown = voices.voices(report, clips)
    assert sum(len(places) for places in shown.places.values()) == len(clips)
    shares = [shown.share(voice) for voice in shown.order]
    assert shares == sorted(shares) and set(shown.order) == set(clips.voices)
    hardest = shown.order[0]
    assert all(
        not report.right[place] and clips.voices[place] == hardest
        for place in shown.mistaken(hardest)
    )
    expected = min(voices.MOST, len(shown.mistaken(hardest)))
    assert shown.html(hardest).count("<audio") == expected
    picture, chosen, view = shown.widget().children
    before = view.value
    chosen.value = shown.order[-1]
    assert view.value != before and "<img" in picture.value
    with pytest.raises(ValueError, match="other clips"):
        voices.voices(report, clips[:-1])


def test_a_voice_that_was_always_understood_is_heard_too(clips):
    right = measure.report("right", lambda sound: np.eye(4)[clips.labels], clips)
    shown = voices.voices(right, clips)
    assert shown.html(shown.order[0]).count("understood") == 3


def test_a_threshold_counts_both_errors_and_plays_them(clips, report):
    shown = threshold.threshold(report, clips)
    keywords = clips.labels >= 2
    heard = report.probabilities[:, 2:].max(axis=1)
    for level in (0.0, 0.3, 0.69, 0.7, 1.0):
        assert len(shown.missed(level)) == (heard[keywords] <= level).sum()
        assert len(shown.alarms(level)) == (heard[~keywords] > level).sum()
    assert len(shown.missed(1.0)) == keywords.sum() and len(shown.alarms(1.0)) == 0
    slider, view = shown.widget(0.5).children
    before = view.value
    slider.value = 0.05
    assert view.value != before and "At 0.05: 0 of" in view.value
    assert view.value.count("false alarm: ") == threshold.MOST
    slider.value = 0.9
    assert view.value.count("missed: ") == threshold.MOST
    with pytest.raises(ValueError, match="other clips"):
        threshold.threshold(report, clips[:-1])


def toy(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    return rng.normal(0, 1, (count, 49, 40)).astype(np.float32) + labels[:, None, None], labels


def test_a_live_training_moves_its_bar_and_its_curves():
    live = training.live(toy(64), epochs=2).show()
    live.varying(1_000, 4_000)
    assert live._bar.value == 0.25 and "1,000 of 4,000" in live._status.value
    assert "s left" in live._status.value and "interrupt" not in live._status.value
    curve = live.train(spotter.build(), *toy(1_280))
    assert [epoch for epoch, _ in curve.accuracies] == [1, 2]
    assert len(curve.losses) == 4 and live._bar.value == 1.0
    assert "<img" in live._view.value and "done after" in live._status.value
    assert not live.stopped


class Scripted:
    """A training that goes as written: the accuracy of each epoch, then how it ends."""

    def __init__(self, accuracies, ending=None):
        self.accuracies, self.ending = accuracies, ending

    def __call__(self, model, features, labels, epochs, validation, callbacks):
        (callback,) = callbacks
        callback.set_model(model)
        for epoch, accuracy in enumerate(self.accuracies):
            model.set_weights([np.full_like(weight, epoch) for weight in model.get_weights()])
            callback.on_epoch_end(epoch, {"val_accuracy": accuracy})
        if self.ending:
            raise self.ending


@pytest.mark.parametrize(
    ("accuracies", "ending", "kept", "told"),
    [
        ((0.2, 0.9, 0.5), KeyboardInterrupt(), 1, "stopped after"),
        ((0.2, 0.9, 0.5), None, 1, "the weights of epoch 2 are kept, 90.0% right"),
        ((0.9, 0.2, 0.9), None, 2, "epoch 3"),
    ],
    ids=["interrupted", "ran to its end", "of equals the later"],
)
def test_the_best_epoch_is_kept(monkeypatch, accuracies, ending, kept, told):
    live = training.live(toy(64), epochs=5).show()
    model, sound, labels = spotter.build(), *toy(640)
    monkeypatch.setattr(spotter, "train", Scripted(accuracies, ending))
    curve = live.train(model, sound, labels)
    assert tuple(accuracy for _, accuracy in curve.accuracies) == accuracies
    assert all((weight == kept).all() for weight in model.get_weights())
    assert told in live._status.value


def test_an_interruption_before_the_first_epoch_is_told_as_what_it_is(monkeypatch):
    live = training.live(toy(64), epochs=5).show()
    model, sound, labels = spotter.build(), *toy(640)
    before = model.get_weights()
    monkeypatch.setattr(spotter, "train", Scripted((), KeyboardInterrupt()))
    live.train(model, sound, labels)
    assert "before the first epoch was over" in live._status.value
    assert all(map(np.array_equal, before, model.get_weights()))


def test_an_interrupted_training_ends_at_once_and_keeps_its_best():
    """The signal that a notebook sends, in the middle of the third epoch."""
    live = training.live(toy(64), epochs=50).show()
    draw_at_once = live._draw

    def interrupt(at_once=False):
        if not at_once and len(live.curve.losses) == 5:
            assert "To stop early, interrupt the cell" in live._status.value
            signal.raise_signal(signal.SIGINT)
        draw_at_once(at_once)

    live._draw = interrupt
    model = spotter.build()
    curve = live.train(model, *toy(1_280))
    assert [epoch for epoch, _ in curve.accuracies] == [1, 2] and len(curve.losses) == 5
    assert "stopped after" in live._status.value
    best = max(curve.accuracies, key=lambda pair: (pair[1], pair[0]))
    assert f"epoch {best[0]:.3g} are kept" in live._status.value
    sound, labels = live.held
    right = spotter.predict(model, sound).argmax(axis=1) == labels
    assert right.mean() == pytest.approx(best[1], abs=1e-6)
