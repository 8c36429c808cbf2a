"""All that a sandbox sees of the instructor: its program, what asks an answer, values that travel.

`program` runs the notebook, `asking` works in the student's kernel, `values` carries what it says
to the judge. They may use `exercises.answers` only, and know no solution. Begin with `program`.
"""
