"""One model trained in several places at once: on devices of one process, and in several processes.

What the places exchange is always the same: an all-reduce of their gradients.
"""

from course_lib.experiments.distribute.averaging import Averaging, averaging
from course_lib.experiments.distribute.replicas import (
    batch,
    import_with_devices,
    loss_gradients,
    share,
)
from course_lib.experiments.distribute.workers import (
    WorkerError,
    Workers,
    train_alone,
    train_together,
)

__all__ = [
    "Averaging",
    "WorkerError",
    "Workers",
    "averaging",
    "batch",
    "import_with_devices",
    "loss_gradients",
    "share",
    "train_alone",
    "train_together",
]
