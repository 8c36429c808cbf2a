"""Size, accuracy with its interval, agreement and latency: what everything is compared by.

Nothing here prints, and nothing here imports TensorFlow. A model is either the bytes of a .tflite
file or any function from features (n, 49, 40) to class probabilities (n, classes).
"""

from course_lib.measure.arena import arena_bytes
from course_lib.measure.latency import latencies, latency_ratio
from course_lib.measure.report import Report, agreement, mcnemar, report, reports
from course_lib.measure.sizes import KINDS, bytes_by_kind
from course_lib.measure.statistics import Change, wilson

__all__ = [
    "KINDS",
    "Change",
    "Report",
    "agreement",
    "arena_bytes",
    "bytes_by_kind",
    "latencies",
    "latency_ratio",
    "mcnemar",
    "report",
    "reports",
    "wilson",
]
