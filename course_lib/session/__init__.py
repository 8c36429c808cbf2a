"""The ground floor: a quiet start, files, processes, and TensorFlow's inner parts.

Here live `beginning` (a session's seed, its TensorFlow, silence), `files` (bundled data, atomic
writing, the cache), `processes` (every child), `system` (what operating systems do differently),
`commands` (how a command line speaks) and `internals` (what TensorFlow does not promise). They may
use nothing else of the workbook; every other room uses them. Begin reading with `beginning`.
"""

from course_lib.session.beginning import SEED, import_tensorflow, in_colab, quiet, start
from course_lib.session.files import cache_folder, data_path, workspace, write_atomically
from course_lib.session.system import keep_freed_memory
