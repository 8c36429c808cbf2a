"""What lessons show and exercises ask about: programs, graphs and texts, without any solution.

Lessons import this module, and the grader's sandbox keeps it while it hides solutions and judges.
So nothing here may import those, and nothing here may be an answer.
"""

from course_lib.graph import Graph
from course_lib.graph.trace import from_source

# Lesson 01, lesson 02's walk back, lesson 12's workers.
PROGRAM = """\
var1 = 6
var2 = 2
temp1 = var1 + var2
temp2 = var1 - var2
var3 = 4
temp3 = temp2 + var3
res = temp1 / temp3
"""
MYSTERY: Graph = from_source("def mystery(a, b):\n    return (a - b) * (a + b)")
ORCHARD: Graph = from_source(
    "kiwi = 3\nplum = 2\nfig = kiwi * plum\nlime = kiwi - plum\npear = fig + lime\n"
    "date = pear / lime"
)
GRAPH_DEF = """\
node {
  name: "out"
  op: "Sub"
  input: "scaled"
  input: "two"
  attr { key: "T" value { type: DT_FLOAT } }
}
node {
  name: "two"
  op: "Const"
  attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 2 } } }
}
node {
  name: "scaled"
  op: "Mul"
  input: "nine"
  input: "two"
  attr { key: "T" value { type: DT_FLOAT } }
}
node {
  name: "nine"
  op: "Const"
  attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 9 } } }
}
"""

# Lessons 02 and 12: work that two workers can share.
SHARED: Graph = from_source(
    "def shared(a, b, c):\n"
    "    ant = a * b\n"
    "    bee = b + c\n"
    "    cat = ant + a\n"
    "    dog = ant * c\n"
    "    elk = bee * bee\n"
    "    fox = cat + dog\n"
    "    gnu = fox / elk\n"
    "    return gnu"
)
