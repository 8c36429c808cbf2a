"""From a lesson's source, `notebooks/source/NN_topic.py`, to its student and reference edition.

`source` reads it into cells, `prose` holds its sentences to what was measured (`plugin` does so in
the tests), `editions` makes two notebooks of them, `building` executes and writes these, with the
README's table of lessons, the words (`glossary`) and the pictures in `docs`. `slides` says where
slides begin. Begin with `building`.
On the command line: `python -m course_lib.instructor.authoring build`, or `check`.
"""

from course_lib.instructor.authoring.building import build, check, lessons
from course_lib.instructor.authoring.source import SourceError, read
