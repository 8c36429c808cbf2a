# %% [markdown]
# # What graphs make possible
#
# **Why bother with a graph?** {minutes} minutes.
#
# You will be able to
# - say what a compiler removes from a graph, and what it must leave,
# - say how many steps a graph takes at least, and write one that takes fewer,
# - walk back through a graph by hand, and say what that saves whoever trains a model.

# %% setup

# %% [markdown]
# ## Less to do: the graph is rewritten
#
# Whole programs can be shortened. TensorFlow's **Grappler** drops what nobody reads, computes what is known beforehand, and
# does equal things once.
#
# **Predict.** The numbers of lesson 01's seven lines are constants. How many nodes are left?

# %%
from course_lib.graph import compiler, span, trace, work
from course_lib.graph.compiler import seven_lines

tf = session.import_tensorflow()

def with_constants():
    return seven_lines(tf.constant(6.0), tf.constant(2.0), tf.constant(4.0))

print(trace.from_function(with_constants))

# %% predict="2.1"
my_guess = ...

# %%
from course_lib.exercises import (
    check, compare, hint, material, progress, solution)

folded = compiler.grappler(with_constants)
compare("2.1", my_guess, len(folded))
print("its value:", folded.nodes[0].value)

# %% [markdown]
# The program is gone; its result is left. To compute beforehand what depends on constants alone is **constant folding**.
# **XLA**, a second compiler that goes on down to machine code, does the same: one constant, and a copy of it where the
# caller expects it.

# %%
from course_lib.views.graph import side_by_side

def three_graphs(function, *arguments):
    xla = compiler.hlo(function, *arguments, stage="optimized_hlo")
    graphs = {"as written": trace.from_function(function, *arguments),
              "Grappler": compiler.grappler(function, *arguments),
              "XLA": compiler.from_hlo(xla)}
    for title, graph in graphs.items():
        print(f"{title:10} {len(graph):2} nodes")
    return side_by_side(graphs, alt=f"{function.__name__} in three graphs")

three_graphs(with_constants)

# %% [markdown]
# ### Exercise 2.2
# Numbers that arrive only when the graph runs, as placeholders, cannot be folded. `wasteful` gets two of them, and asks for
# seven operations: three products, a difference, a sum, an `exp`, and the product for `scale`. How many will be left?

# %%
numbers = tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)

def wasteful(a, b):
    left = a * b
    right = a * b
    unused = tf.exp(a)
    scale = tf.constant(2.0) * 3.0
    return (left - b) * (right + scale)

# %% exercise="2.2" points=2
# Exercise 2.2
### BEGIN SOLUTION
remaining = 4
### END SOLUTION

# %% check="2.2"
check("2.2", remaining)

# %%
# Follow the two equal products of the first graph: what becomes of them?
three_graphs(wasteful, *numbers[:2])

# %% [markdown]
# ## At the same time: work and span
#
# **Work** is the number of operations. **Span** is the number of operations on the longest path: nobody can be faster than that.
# In the picture, thick lines mark a path that is as long as any.

# %%
from course_lib.views.graph import work_and_span

work_and_span(material.SHARED)

# %% [markdown]
# What lies on one level could run at the same moment, if there were enough workers.
# But no crowd of them gets below the span. Only another graph does.
#
# ### Exercise 2.3
# The sum of eight numbers has a span of seven when it is written `a + b + c + d + e + f + g + h`. Set brackets so that it is
# three. Give the formula as a text: it is traced, not run.

# %% exercise="2.3" points=2
# Exercise 2.3
### BEGIN SOLUTION
formula = "((a + b) + (c + d)) + ((e + f) + (g + h))"
### END SOLUTION

# %% check="2.3"
check("2.3", formula)

# %% [markdown]
# ## Backwards: every derivative in one walk
#
# How does `res` move when a constant moves? That is a **derivative**, or slope: how far the result goes for each small step of
# the constant. Start at the result and walk against the arrows. Each operation passes on what came from the result, times
# its own slope; where two paths meet, their contributions add up.

# %%
from course_lib.views.backward import WalkBack

graph = trace.from_source(material.PROGRAM)
WalkBack(graph).show()

# %% [markdown]
# Two contributions reach `var1`, and they cancel out: that is why it left `res` alone in lesson 01.
#
# ### Exercise 2.4
# Write the rule of a division. (The slope of 1/b is −1/b².) `divide_back(a, b, upstream)` gets the two inputs of `a / b` and `upstream`, the derivative
# that came from the result. It returns what `a` gets and what `b` gets.

# %% exercise="2.4" points=3
# Exercise 2.4
def divide_back(a, b, upstream):
    ### BEGIN SOLUTION
    return upstream / b, -upstream * a / b**2
    ### END SOLUTION

# %% check="2.4"
check("2.4", divide_back)

# %% [markdown]
# ### What the walk is good for
#
# A model learns step by step. Each step looks at some clips, a **batch**. The **loss** is one number that says how wrong the
# answers are. The **gradient** of a weight is the derivative of the loss by that weight: how fast the loss grows when the
# weight does. Then every weight moves against its gradient, times a number that says how far to go: the **rate**.
#
# Here is the smallest model: one weight, and one sound, to be answered by what is `wanted`. Walk to the end, then move
# `weight` until its gradient is 0. (Boxes hold slopes, no values.) What is the loss?

# %%
learner = trace.from_source("""
sound = 2
wanted = 2
weight = 3
answer = weight * sound
miss = answer - wanted
loss = miss * miss
""")
WalkBack(learner).show()

# %% [markdown]
# At a weight of 3, the gradient is 16. One step at a rate of 0.1 leads to a weight of 1.4, and from a loss of 16 down to
# 0.64. **Predict.** What is the loss after one step at a rate of 0.5?
#
# holds: round(3 - 0.1 * 16, 9) == 1.4 and (2 * 3 - 2) ** 2 == 16 and round((2 * 1.4 - 2) ** 2, 9) == 0.64

# %% predict="2.5"
my_guess = ...

# %%
from course_lib.graph import Tally, evaluate, gradients, numeric_gradients

losses = {}
for rate in (0.1, 0.25, 0.5):
    weight = 3 - rate * gradients(learner)["weight"]
    losses[rate] = evaluate(learner, {"weight": weight})["loss"]
    print(f"rate {rate}: weight {weight:.1f}, loss {losses[rate]:.2f}")
compare("2.5", my_guess, losses[0.5])

# %% [markdown]
# The gradient says in which direction, not how far: too long a step climbs up the other side. **Adam**, of which
# lesson 03 uses a variant, also divides each gradient by its own usual size, so that all weights move about equally fast.
#
# Can the walk be trusted? Three ways to the same slopes: our walk, TensorFlow's `GradientTape`, and small steps. A small
# step needs no rule: move one constant a little, run again, and see how far `res` went.

# %%
ours = gradients(graph)
with tf.GradientTape() as tape:
    tape.watch(numbers)
    result = seven_lines(*numbers)
tapes = tape.gradient(result, numbers)

steps = numeric_gradients(graph)
for name, slope in zip(("var1", "var2", "var3"), tapes):
    ways = ours[name], slope, steps[name]
    print(name, *(round(float(way), 3) + 0 for way in ways))

# %% [markdown]
# The same, three times. But what does each cost? A `Tally` counts runs forward, walks back, and every single operation, here
# for products of more and more numbers. A small step goes to one side only.

# %%
from course_lib import spotter

for count in (3, 30, 300):
    product = trace.from_source("y = " + " * ".join(["1.01"] * count))
    back, small_steps = Tally(), Tally()
    gradients(product, tally=back)
    numeric_gradients(product, central=False, tally=small_steps)
    print(f"{count:3} slopes:", back.runs, "run and", back.walks, "walk,",
          back.operations, "operations; or", small_steps.runs, "runs,",
          f"{small_steps.operations:,}", "operations")

# %% [markdown]
# ### Exercise 2.6
# Walking back takes one run and one walk, whatever the number of slopes. And small steps? Go on with the three lines:
# how many forward runs do they take for all weights that lesson 03 trains? `spotter.facts().trained` counts those.
#
# holds: (back.runs, back.walks, small_steps.runs) == (1, 1, 301)

# %% exercise="2.6" points=1
# Exercise 2.6
### BEGIN SOLUTION
from course_lib.spotter import facts

runs = facts().trained + 1
### END SOLUTION

# %% check="2.6"
check("2.6", runs)

# %% [markdown]
# ## What you measured

# %%
kept = compiler.grappler(wasteful, *numbers[:2])
written = trace.from_function(wasteful, *numbers[:2])
claims = {
    "work that is known, unread or done twice is left out":
        len(kept.operations) < len(written.operations),
    "some work can be shared": span(material.SHARED) < work(material.SHARED),
    "the longer a step down the slope, the better": losses[0.5] < losses[0.1],
    "one walk back gives every slope": back.walks == 1,
    "without it, each slope costs a run": small_steps.runs == 300 + 1,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("02")

# %% [markdown]
# **Read on:**
# - [Grappler](https://www.tensorflow.org/guide/graph_optimization): everything that it looks for in a graph.
# - [Automatic differentiation in machine learning: a survey](https://jmlr.org/papers/v18/17-468.html): the walk back, and its
#   twin that walks forward.
# - [Calculus on computational graphs](https://colah.github.io/posts/2015-08-Backprop/): the walk back in other pictures.
#
# A graph also runs where no Python is: lessons 05 to 08 live on that.
