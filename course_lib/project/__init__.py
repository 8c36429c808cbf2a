"""Lesson 09's own keyword: choose or record words, train, and hand in what came of it.

`words` gathers the clips and `recorder` adds your own; `training` begins and comes back to an
epoch; `reports` puts the figures together, `bundles` writes, reads and checks the zip. They may use
every room below, pictures included; lesson 09, the command line and grading use them. Begin reading
with `words`.
"""

from course_lib.project.bundles import (
    MODEL,
    about,
    again,
    arena_bytes,
    bundle,
    deliverables,
    problems,
    read,
)
from course_lib.project.recorder import FOLDER
from course_lib.project.reports import on_micro, report
from course_lib.project.training import (
    best_epoch,
    every_epoch,
    from_checkpoint,
    from_nothing,
    head_start,
    restore,
)
from course_lib.project.words import gather
