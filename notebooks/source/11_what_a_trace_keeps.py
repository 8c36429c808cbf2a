# %% [markdown]
# # What a trace keeps
#
# **Which lines of my program run again, and which never do?** {minutes} minutes.
#
# You will be able to
# - tell what a traced function does in every call, and what it did only once,
# - predict when TensorFlow traces a function again,
# - read a graph in the words in which TensorFlow writes it down, and in a viewer.

# %% setup

# %% [markdown]
# ## A die in a graph
#
# In lesson 01, `tf.function` called a Python function once and kept the operations that it asked for. Here is a function
# with something in it that is no operation: Python throws a die.

# %%
import random

import numpy as np
from course_lib.exercises import (
    check, compare, hint, material, progress, solution, yours)
from course_lib.graph import evaluate, trace
from course_lib.views.graph import picture, side_by_side

tf = session.import_tensorflow()

def thrown(x):
    return x + random.randint(1, 6)

play = tf.function(thrown)

# %% [markdown]
# **Predict.** `play` is called a hundred times with the same tensor. How many different results come out?

# %% predict="11.1"
my_guess = ...

# %%
nothing = tf.constant(0)
results = {int(play(nothing)) for call in range(100)}
compare("11.1", my_guess, len(results))

# %% [markdown]
# The die was thrown while the function was traced. What it showed became a constant, and every call adds that one. The
# same function without `tf.function`, and one that asks TensorFlow for the die, throw anew:
#
# holds: len(results) == 1

# %%
def thrown_in_graph(x):
    return x + tf.random.uniform((), 1, 7, tf.int32)

ways = {"Python's, no graph": thrown, "Python's, traced": play,
        "TensorFlow's, traced": tf.function(thrown_in_graph)}
anew = {way: len({int(throw(nothing)) for call in range(100)}) > 1
        for way, throw in ways.items()}
for way, varies in anew.items():
    print(f"{way:21}", "thrown anew" if varies else "always the same")

# %%
random.seed(3)
side_by_side({"Python's die": trace.from_function(thrown, nothing),
              "TensorFlow's": trace.from_function(thrown_in_graph, nothing)})

# %% [markdown]
# On the left, the die is a number. On the right it is a node, and a node runs in every call. The same is true of all that
# Python does: a `print`, a line in a log, a counter, the time of day. A training that varies its clips by Python's dice
# under `tf.function` varies them once.
#
# Loops over Python's own numbers are gone as well: what they ask for stands there once for each round. (A loop over the rows of a tensor
# becomes one node.)

# %%
def three_rounds(x):
    for _ in range(3):
        x = x + 1.0
    return x

picture(trace.from_function(three_rounds, tf.constant(1.0)))

# %% [markdown]
# ## Traced again
#
# Unless you say otherwise, a graph fits one kind of argument only. For another kind, the function is traced again.
# **Predict.** Six calls: the tensors 1.0, 2.0, a row of 1.0 and 2.0, and the whole number 5; then Python's own 3.0
# and 4.0. How many graphs are made?

# %% predict="11.2"
my_guess = ...

# %%
double = tf.function(lambda x: x + x)
for x in (tf.constant(1.0), tf.constant(2.0), tf.constant([1.0, 2.0]),
          tf.constant(5), 3.0, 4.0):
    double(x)
    print("traced", double.experimental_get_tracing_count(), "times")
compare("11.2", my_guess, double.experimental_get_tracing_count())

# %% [markdown]
# Another *value* of a tensor needs no new graph; another shape or type does. So does every new *Python* number: it becomes
# a constant, like the die. A number that changes in every call, such as a counter, costs a graph in every call.
#
# New means: equal to none before. And Python says that 1.0 equals 1.

# %%
twice = tf.function(lambda x: x + x)
twice(1)
print("twice(1.0) is", twice(1.0).numpy(), "of type", twice(1.0).dtype.name)
print("graphs:", twice.experimental_get_tracing_count())

# %% [markdown]
# You gave a `float`, and get a whole number: the graph of 1 was there already. `tf.constant(1.0)` says what you mean.
#
# holds: twice(1.0).dtype == tf.int32
#
# ### Exercise 11.3
# TensorFlow takes a NumPy array for a tensor. Write `graphs(calls)`: a function is called with these arguments, one after
# the other, each a NumPy array or a Python `float`. How many graphs does `tf.function` make?

# %% exercise="11.3" points=2
# Exercise 11.3
def graphs(calls):
    ### BEGIN SOLUTION
    kinds = set()
    for x in calls:
        is_tensor = isinstance(x, np.ndarray)
        kinds.add((x.shape, x.dtype) if is_tensor else x)
    return len(kinds)
    ### END SOLUTION

# %% check="11.3"
check("11.3", graphs)

# %% [markdown]
# Is it so? Ask TensorFlow itself, with seven calls.

# %%
calls = [np.zeros(2, "float32"), np.ones(2, "float32"), 0.5, 0.5, 1.5,
         np.zeros(3, "float32"), np.zeros(2, "int32")]
asked = tf.function(lambda x: x + x)
for argument in calls:
    asked(argument)
print("calls:", len(calls))
print("graphs:", asked.experimental_get_tracing_count())
if count := yours("11.3", graphs, None):
    print("yours: ", count(calls))

# %% [markdown]
# ## A program of your own
#
# Our own tracer reads text. Write lines of arithmetic, with `sqrt`, `exp`, `max`, `min` and a few more; the picture
# follows while you write.

# %%
from course_lib.views.expression import Expression

Expression("a = 3\nb = 4\nc = sqrt(a**2 + b**2)").show()

# %% [markdown]
# Not every program is such a graph. It cannot go back to a line that is done, and a name has to stand for a number.
# Here are five programs that fail, each with the sentence that you would read above.

# %%
odd_ones = ["x = 1\nfor i in x: x = x + i", "import math", "a = 2\nb = a + c",
            "a = 4\nb = a - 4\nc = a / b", "x = 1\n" * 10_000]
for text in odd_ones:
    try:
        evaluate(trace.from_source(text))
    except ValueError as error:
        print(error)

# %% [markdown]
# Four were refused before anything was computed, and the `import` imported nothing. Only the division had to be tried:
# its zero appears when the graph runs.
#
# ## A graph as text
#
# ### Exercise 11.4
#
# Here is a GraphDef as TensorFlow writes it for people to read; its nodes come in any order. What is its result?

# %%
print(material.GRAPH_DEF)

# %% exercise="11.4" points=2
# Exercise 11.4
### BEGIN SOLUTION
result = 16
### END SOLUTION

# %% check="11.4"
check("11.4", result)

# %% [markdown]
# A GraphDef is a graph like any other. Here it is beside three lines of Python that say the same.

# %%
from google.protobuf import text_format

graph_def = tf.compat.v1.GraphDef()
text_format.Parse(material.GRAPH_DEF, graph_def)
lines = "nine = 9\ntwo = 2\nout = nine * two - two"
side_by_side({"from the GraphDef": trace.from_graph_def(graph_def),
              "from the text": trace.from_source(lines)})

# %% [markdown]
# ## The real model in a viewer
#
# `spotter.pb` is a GraphDef too, of the model that hears "yes" and "no". Here it is in Netron. Click on a box to see the
# shapes that go in and come out; lesson 03 tells what the layers do. Netron runs on your machine and asks nothing of the
# internet.

# %%
from course_lib.graph.structure import collapse
from course_lib.views.netron import Netron

frozen = session.data_path("models", "spotter.pb").read_bytes()
spotter = trace.from_graph_def(frozen)

def layer_of(node):
    first = node.name.split("/")[0]
    return first.removesuffix("_norm").removesuffix("_relu")

layers = picture(collapse(spotter, layer_of))
Netron(frozen, "spotter.pb", layers).show()

# %% [markdown]
# Weights are constants in this file, and so are a few other numbers. How many are there? Multiply out the shapes.

# %%
from math import prod

constants = [node for node in spotter if node.operation == "Const"]
weights = sum(prod(node.shape) for node in constants)
print(f"about {round(weights, -3):,} numbers in {len(constants)} constants")

# %% [markdown]
# ## What you measured
#
# Four things are often said. Your numbers have a verdict on each.

# %%
claims = {
    "a traced function runs as it was written": len(results) > 1,
    "a die of TensorFlow's is thrown anew": anew["TensorFlow's, traced"],
    "every call is traced": double.experimental_get_tracing_count() == 6,
    "even a small model has thousands of weights": weights > 2000,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("11")

# %% [markdown]
# **Read on:**
# - [Better performance with tf.function](https://www.tensorflow.org/guide/function): the rules of tracing, and what to do
#   about loops, lists and variables.
# - [graph.proto](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto): the
#   definition of a GraphDef, a page long.
# - [Netron](https://github.com/lutzroeder/netron): the viewer, and the list of formats that it opens.
