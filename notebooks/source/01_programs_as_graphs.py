# %% [markdown]
# # Programs as graphs
#
# **What does TensorFlow see in my program?** {minutes} minutes.
#
# You will be able to
# - read a graph and say what it computes,
# - tell which operations wait for each other and which do not,
# - build a graph by hand, and predict the one that `tf.function` builds.

# %% setup

# %% [markdown]
# ## Seven lines of Python
#
# Here is a program. Python runs it from top to bottom, and when it is done, seven numbers are left under seven names.
# How `res` came about is forgotten.

# %%
var1 = 6
var2 = 2
temp1 = var1 + var2
temp2 = var1 - var2
var3 = 4
temp3 = temp2 + var3
res = temp1 / temp3
print(res)

# %% [markdown]
# ## The same lines as a graph
#
# The helper package reads the *text* of a program and runs none of it. Each number becomes a constant,
# each arithmetic sign an operation.

# %%
from course_lib.graph import evaluate, levels, trace
from course_lib.views.graph import picture, side_by_side
from course_lib.exercises import (
    check, compare, hint, material, progress, solution)

graph = trace.from_source(material.PROGRAM)
print(graph)
picture(graph)

# %% [markdown]
# A box is a **node**: a rectangle holds a constant, a rounded one computes. An arrow is an **edge**: it carries a result
# to whoever reads it. Nodes and edges make a **computational graph**. The order of your lines is gone.
#
# ## Run it, step by step
#
# Below, each constant gets a slider. **Predict.** One of the three, moved alone, never brings another result. Write down
# which: `"var1"`, `"var2"` or `"var3"`. Then step forward with the buttons (or reach them with Tab and press Enter), watch
# values travel along the edges, and at the end move one slider after the other.

# %% predict="1.1"
my_guess = ...

# %%
from course_lib.views.player import Player

Player(graph, var1=(-6, 12), var2=(-6, 12), var3=(-6, 12)).show()

# %%
def results(name):
    return {evaluate(graph, {name: value})["res"] for value in range(6)}

idle = [name for name in ("var1", "var2", "var3") if len(results(name)) == 1]
compare("1.1", my_guess, *idle)

# %% [markdown]
# With `var2 = 2` and `var3 = 4`, both sides of the division are `var1 + 2`. The picture shows it: two paths lead from
# `var1` to `res`, and they cancel out. At -2, both sides are 0, and there is no result at all.
#
# holds: results("var1") == {1.0} and len(results("var2")) > 1 and len(results("var3")) > 1
# holds: evaluate(graph, {"var1": -2 + 1e-9})["temp1"] < 1e-8 and evaluate(graph, {"var1": -2 + 1e-9})["temp3"] < 1e-8
#
# ### Exercise 1.2
# Read the graph below. A dashed box is a **placeholder**: a value that comes from outside, with every call. Where two arrows
# enter a box here, the left one brings the first number. Write `mystery(a, b)`, the Python function that it came from.

# %%
picture(material.MYSTERY)

# %% exercise="1.2" points=2
# Exercise 1.2 (stuck? `hint("1.2")` helps, more than once)
def mystery(a, b):
    ### BEGIN SOLUTION
    return (a - b) * (a + b)
    ### END SOLUTION

# %% check="1.2"
check("1.2", mystery)

# %% [markdown]
# ## Who waits for whom?
#
# A node can run as soon as its inputs have. Nodes that read nothing form **level** 0; every other node has a level
# that is one more than the largest of its inputs'.

# %%
for number, names in enumerate(levels(graph)):
    print("level", number, *names)

# %% [markdown]
# Seven lines, four levels. Many orders respect the arrows; yours above is one.
#
# holds: len(graph) == 7 and len(list(levels(graph))) == 4
#
# ### Exercise 1.3
# Give an order in which the six nodes below can be computed: a list of their names.

# %%
picture(material.ORCHARD)

# %% exercise="1.3" points=1
# Exercise 1.3
### BEGIN SOLUTION
order = ["kiwi", "plum", "fig", "lime", "pear", "date"]
### END SOLUTION

# %% check="1.3"
check("1.3", order)

# %% [markdown]
# ### Exercise 1.4
#
# Two operations are **independent** when no path of arrows leads from one to the other: two workers could run them at
# the same moment. In the seven-line program, which operations (constants are none) are independent of `temp1`? List
# their names.

# %% exercise="1.4" points=1
# Exercise 1.4
### BEGIN SOLUTION
beside = ["temp2", "temp3"]
### END SOLUTION

# %% check="1.4"
check("1.4", beside)

# %% [markdown]
# ## The smallest network, by hand
#
# ### Exercise 1.5
#
# A **neuron** weighs what it hears: it multiplies each input by a weight, adds all that and one more number, and passes the
# sum on if it is positive. That last step is a **relu**, which turns negative numbers into 0.
#
# Build the smallest one by hand, `relu(w * x + b)`. A row is a node: its name, its operation, and the names it reads, such
# as `("y", "Mul", "w", "x")`. You need `Placeholder`, `Mul`, `Add` and `Relu`.

# %% exercise="1.5" points=3
# Exercise 1.5
### BEGIN SOLUTION
rows = [
    ("w", "Placeholder"), ("x", "Placeholder"), ("b", "Placeholder"),
    ("product", "Mul", "w", "x"),
    ("sum", "Add", "product", "b"),
    ("out", "Relu", "sum"),
]
### END SOLUTION

# %% check="1.5"
check("1.5", rows)

# %% [markdown]
# ## What TensorFlow sees
#
# `tf.function` calls a Python function once for each kind of input, notes which operations it asks for, and keeps
# them as a graph: it **traces** the function.
#
# **Predict.** Our own tracer found seven nodes. How many will TensorFlow find in `program`, for the numbers 6, 2 and 4?

# %%
tf = session.import_tensorflow()

def program(var1, var2, var3):
    temp1 = var1 + var2
    temp2 = var1 - var2
    temp3 = temp2 + var3
    return temp1 / temp3

# %% predict="1.6"
my_guess = ...

# %%
from_numbers = trace.from_function(program, 6.0, 2.0, 4.0)
print(from_numbers)
compare("1.6", my_guess, len(from_numbers))

# %% [markdown]
# Python was faster: it did the arithmetic itself, and TensorFlow saw only the result. An operation is seen when one
# of its values at least is a **tensor**, TensorFlow's own box for one number or for many. These three are, and each
# arrives as a placeholder.

# %%
numbers = tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)
built = trace.from_function(program, *numbers)
side_by_side({"from the text": graph, "from tf.function": built})

# %% [markdown]
# The same graph in other words: `AddV2` and `RealDiv` are TensorFlow's names for + and ÷. An **Identity** passes a value on
# as it is; here it marks the result. But a placeholder stands where a constant stood. What else can a value become? Below
# are an argument, a constant, a bare number, and a **variable**: a value that the program may change, kept outside the
# graph.
#
# holds: [node.operation for node in built].count("Placeholder") == 3 == [node.operation for node in graph].count("Const")

# %%
weight = tf.Variable(2.0)

def four_values(argument):
    return (argument + tf.constant(1.0)) * weight + 5

mixed = trace.from_function(four_values, tf.constant(3.0))
picture(mixed)

# %% [markdown]
# The argument is a placeholder. `tf.constant` and the bare `5` are each a **Const**: their value is part
# of the graph. A `tf.Variable` is two nodes: the green one, a placeholder for its place, and a
# **ReadVariableOp** that fetches it from there.
#
# holds: [node.operation for node in mixed].count("Placeholder") == 2 == [node.operation for node in mixed].count("Const")
# holds: [node.operation for node in mixed].count("ReadVariableOp") == 1

# %% [markdown]
# ## With and without a graph
#
# A function runs **eagerly** unless you ask otherwise: Python asks for one operation after the other. Four operations in
# `program` are four requests.
#
# **Predict.** Under `tf.function`, once it was traced: how many requests does a call make?

# %% predict="1.7"
my_guess = ...

# %%
eager = trace.executed(program, *numbers)
print(eager.operations)

compiled = tf.function(program)
compiled(*numbers)
in_graph = trace.executed(compiled, *numbers)
compare("1.7", my_guess, len(in_graph))

# %% [markdown]
# One: *run this graph*. Python's line-by-line part is over after the first call; lesson 11 shows what that can cost you.
#
# ## The graph of a real model
#
# TensorFlow writes a graph down as a **GraphDef**: a list of nodes in any order. Here is that of the model that the next
# lessons train: it hears "yes" and "no". Of its more than a hundred nodes, those of a layer are drawn as one. Choose a
# layer to open it.

# %%
frozen = session.data_path("models", "spotter.pb").read_bytes()
spotter = trace.from_graph_def(frozen)

def layer_of(node):
    first = node.name.split("/")[0]
    return first.removesuffix("_norm").removesuffix("_relu")

from course_lib.views.layers import Layers

Layers(spotter, layer_of).show()

# %% [markdown]
# An edge carries a whole block of numbers here, not just one. 1×49×40×1 is its **shape**: how many numbers it has along
# each of its sides. `float32` is its **type**, the kind of number. This one holds 1 clip of 49 moments by 40 pitches, with
# 1 number each. Both stand once for all arrows that leave a box. What `Conv2D` and its neighbours do, lesson 03 tells.
#
# People who build models open such files in **Netron**, a viewer. Lesson 11 shows you this one in it.
#
# holds: [tuple(node.shape) for node in spotter if node.operation == "Placeholder"] == [(1, 49, 40, 1)]
# holds: len(spotter) > 100

# %% [markdown]
# ## What you measured
#
# Four things are often said about graphs. Your numbers have a verdict on each.

# %%
renamed = trace.from_source("a = 6\nb = a\nresult = b + b")
claims = {
    "TensorFlow runs a program as a graph": len(eager) == 1,
    "... once it is under tf.function": len(in_graph) == 1,
    "every Python name becomes a node": len(renamed) == 3,
    "the spotter has over a hundred nodes": len(spotter) > 100,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("01")

# %% [markdown]
# **Read on:**
# - [Introduction to graphs and tf.function](https://www.tensorflow.org/guide/intro_to_graphs): what you traced, in
#   TensorFlow's own words.
# - [TensorFlow: A system for large-scale machine learning](https://arxiv.org/abs/1605.08695): why its authors chose a graph.
# - [tf.Graph](https://www.tensorflow.org/api_docs/python/tf/Graph): what can be asked of a graph that TensorFlow built.
