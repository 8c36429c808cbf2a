"""Exercises: what is asked, how an answer is judged, hints. A notebook needs these names.

    from course_lib.exercises import check, compare, hint, progress, solution, yours

A lesson's questions, judges and hints stand in `lesson_NN.py`, its worked solutions in
`worked.json`, which the build writes; begin with the example in `core.py`. `judges` decide,
`remarks` find words, `material` is what lessons show. Only `material` and `answers` reach the
grader's sandbox. Used by lessons and the instructor's room; uses `graph`, `sound` and `spotter`.
"""

from course_lib.exercises.notebook import (
    WrongAnswer,
    check,
    compare,
    hint,
    progress,
    require,
    solution,
    yours,
)
