"""Models that others published for the same task."""

import pytest

from course_lib.experiments import peers


@pytest.mark.parametrize("make, weights", [(peers.tiny_conv, 16_652), (peers.ds_cnn, 24_908)])
def test_peers_have_the_published_number_of_weights(make, weights):
    assert make().count_params() == weights
