"""TensorFlow Lite: convert a model to each variant, run the bytes, look inside, make them smaller.

A model is plain `bytes` everywhere: what lies in the file is what is passed around. The room may
use `session`, `formats`, `graph` and what lies below; whoever runs or measures a model uses it.
Begin reading with `conversion` and `interpreter`.
"""

from course_lib.formats.tflite_file import ModelError
from course_lib.tflite.conversion import VARIANTS, convert
from course_lib.tflite.guard import Guard, run_guarded, vouch
from course_lib.tflite.interpreter import Interpreter, load, operations, run
from course_lib.tflite.shrinking import compact, strip
