"""Size, accuracy with its interval, agreement and latency: what everything is compared by.

`measurement` measures models into a `Report`, memory and time included, `saved` opens any saved
model, `evaluation` measures one on a folder, `model_card` writes the card of data/models. Nothing
here prints. It may use every room up to `micro`; lessons, `views`, `project`, `train` and
`cli` use it. Begin reading with `measurement`: a model is either the bytes of a .tflite file or
any function from features (n, 49, 40) to class probabilities (n, classes).
"""

from course_lib.formats.tflite_file import KINDS, bytes_by_kind
from course_lib.measure.measurement import (
    Change,
    Report,
    agreement,
    arena_bytes,
    mcnemar,
    report,
    reports,
    wilson,
)
