"""The model as a C program of its own: generated, compiled, weighed, run, and compared."""

from course_lib.micro.plain_c.build import PROGRAMS, Built, NoToolError, Part, build, missing
from course_lib.micro.plain_c.emit import Unsupported
from course_lib.micro.plain_c.generate import Layer, Program, generate
from course_lib.micro.plain_c.memory import Block, Layout, lay_out
from course_lib.micro.plain_c.run import LOOP_INSTRUCTIONS, Answers, run

__all__ = [
    "LOOP_INSTRUCTIONS",
    "PROGRAMS",
    "Answers",
    "Block",
    "Built",
    "Layer",
    "Layout",
    "NoToolError",
    "Part",
    "Program",
    "Unsupported",
    "build",
    "generate",
    "lay_out",
    "missing",
    "run",
]
