"""Your own keyword: choose or record words, begin from a checkpoint, and report what came of it."""

from course_lib.project.begin import HeadStart, from_checkpoint, from_nothing, head_start
from course_lib.project.bundle import arena_bytes, bundle, deliverables
from course_lib.project.keep import best_epoch, every_epoch, restore
from course_lib.project.page import page
from course_lib.project.report import MicroRun, on_micro, report
from course_lib.project.takes import FOLDER
from course_lib.project.verify import MODEL, again, problems, read, schema
from course_lib.project.words import FEWEST, MOST_WORDS, Words, gather

__all__ = [
    "FEWEST",
    "FOLDER",
    "HeadStart",
    "MODEL",
    "MOST_WORDS",
    "MicroRun",
    "Words",
    "again",
    "arena_bytes",
    "best_epoch",
    "bundle",
    "deliverables",
    "every_epoch",
    "from_checkpoint",
    "from_nothing",
    "gather",
    "head_start",
    "on_micro",
    "page",
    "problems",
    "read",
    "report",
    "restore",
    "schema",
]
