"""What compilers make of a graph: Grappler's, XLA's, and the machine code at the end."""

from course_lib.graph.compiler.grappler import grappler
from course_lib.graph.compiler.machine_code import Compiled, arithmetic, compiled
from course_lib.graph.compiler.xla import from_hlo, hlo

__all__ = ["Compiled", "arithmetic", "compiled", "from_hlo", "grappler", "hlo"]
