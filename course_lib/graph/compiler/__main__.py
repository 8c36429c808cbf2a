"""Write the copies of machine code that come with the course into data/compiler."""

from course_lib.graph.compiler.machine_code import ship

ship()
