"""Find out again which forms of the shipped model Netron draws.

Run it with `python -m course_lib.experiments.alone`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from course_lib import spotter
from course_lib.experiments.alone.forms import VIEWED, write
from course_lib.experiments.alone.viewer import keep

with tempfile.TemporaryDirectory() as folder:
    write(spotter.load(), folder, np.zeros((1, 49, 40), np.float32), np.zeros(1, np.int64))
    keep(Path(folder), VIEWED)
