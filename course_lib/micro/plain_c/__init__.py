"""The model as a C program of its own: generated, compiled, weighed, run, and compared.

Begin reading with `generation`; `layers` writes the C of each operation and finds a
place for each tensor, `toolchain` compiles and runs. In `c` lies the C that is the same for every
model.
"""

from course_lib.micro.plain_c.generation import Layer, Program, generate
from course_lib.micro.plain_c.layers import Unsupported
from course_lib.micro.plain_c.toolchain import Built, NoToolError, Part, build, missing, run
