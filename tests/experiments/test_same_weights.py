"""Every form of a model on disk: its size is the file system's, its weights are the model's."""

import numpy as np
import pytest

from course_lib import spotter
from course_lib.experiments import same_weights


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    model = spotter.build(seed=3)
    for layer in model.layers:
        if layer.__class__.__name__ == "BatchNormalization":  # as if it had been trained
            rng = np.random.default_rng(len(layer.name))
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    folder = tmp_path_factory.mktemp("artefacts")
    clips = np.random.default_rng(0).normal(size=(8, 49, 40)).astype(np.float32)
    return model, folder, same_weights.write_all(model, folder, clips)


def test_five_forms_hold_the_weights_bit_for_bit_and_two_in_another_way(kept):
    found = {each.name: each.holds for each in kept[2]}
    assert list(found.values()) == ["exactly"] * 5 + ["folded", "rounded"]
    exact = {each.fingerprint for each in kept[2] if each.holds == "exactly"}
    assert exact == {same_weights.fingerprint(kept[0].get_weights())}


def test_sizes_are_those_of_the_file_system(kept):
    sizes = {each.name: each.bytes for each in kept[2]}
    folder = kept[1]
    assert sizes["frozen graph"] == (folder / "frozen.pb").stat().st_size
    assert sizes["TFLite int8"] == (folder / "model_int8.tflite").stat().st_size
    assert sizes["SavedModel"] == sum(
        path.stat().st_size for path in (folder / "saved_model").rglob("*") if path.is_file()
    )
    assert sizes["weights alone"] == 4 * sum(w.size for w in kept[0].get_weights())


def test_a_changed_weight_changes_the_fingerprint(kept):
    weights = kept[0].get_weights()
    before = same_weights.fingerprint(weights)
    weights[0][0, 0, 0, 0] += 1e-3
    assert same_weights.fingerprint(weights) != before
