# %% [markdown]
# # What graphs make possible
#
# **Why bother with a graph?** {minutes} minutes.
#
# You will be able to
# - say what a compiler removes from a graph, and what it must leave,
# - plan what several workers do, and average what they learn,
# - walk back through a graph by hand, and read the machine code that it becomes.

# %% setup

# %% [markdown]
# ## Less to do: the graph is rewritten
#
# Whoever holds the whole program can see what is not needed. **Grappler** is the part of TensorFlow that looks for it, before
# anything runs.
#
# **Predict.** Below, the three numbers of the seven-line program are constants. How many nodes of the graph
# will be left?

# %%
from course_lib.graph import compiler, trace
from course_lib.experiments import replicas, workers
from course_lib.graph.compiler import seven_lines

tf = replicas.import_with_devices(2)

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
# The program is gone; its result is left. To compute beforehand what depends on constants alone is called **constant folding**.
# **XLA**, a second compiler that goes on from here down to machine code, does the same: one constant, and a copy of it to
# where the caller expects the result.

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
# Numbers that arrive only when the graph runs, as placeholders, cannot be folded: then all four operations stay. The fifth
# that is listed, `Identity`, computes nothing and marks the result.

# %%
numbers = tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)
kept = compiler.grappler(seven_lines, *numbers)
arithmetic = [node.operation for node in kept.operations]
print(arithmetic)

# %% [markdown]
# ### Exercise 2.2
# `wasteful` asks for seven operations: three products, a difference, a sum, an `exp`, and the product for `scale`.
# How many will be left?

# %%
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

# %% [markdown]
# See for yourself: follow the two equal products in the first graph, and find the one that remains of them in the others.

# %%
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
# What lies on one level could run at the same moment, if there were enough workers. Here are some for the seven lines of
# lesson 01. Move the slider and watch who does what when.

# %%
from course_lib.graph import span, work
from course_lib.graph.scheduling import schedule
from course_lib.views.gantt import ScheduleView

graph = trace.from_source(material.PROGRAM)
ScheduleView(graph, most=3).show()

# %% [markdown]
# Four operations, a span of three: two workers are enough to reach it, and a third one makes it no shorter.
#
# holds: (work(graph), span(graph)) == (4, 3)
# holds: [schedule(graph, many).length for many in (1, 2, 3)] == [4, 3, 3]

# %% [markdown]
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
# ### Exercise 2.4
# Now plan the picture from `ant` to `gnu` for two workers yourself: two lists of names, in the order of the work. Each
# worker begins its next operation as soon as it is free and the inputs are there. Be as fast as anybody can.
#
# holds: (work(material.SHARED), span(material.SHARED)) == (7, 4)
# holds: [schedule(material.SHARED, many).length for many in (1, 2, 3)] == [7, 4, 4]

# %% exercise="2.4" points=2
# Exercise 2.4
### BEGIN SOLUTION
plan = [["ant", "cat", "fox", "gnu"], ["bee", "dog", "elk"]]
### END SOLUTION

# %% check="2.4"
check("2.4", plan)

# %% [markdown]
# Does it pay? For single numbers, never: handing out the work costs more. For two chains of large matrix products,
# TensorFlow is timed here with one and with two threads, in processes of their own.

# %% tags=["nbval-ignore-output"]
from course_lib.experiments import threads

timing = threads.two_branches()
print(timing)

# %% [markdown]
# ## In several places: the all-reduce
#
# A model learns step by step. Each step looks at some clips, a **batch**. The **loss** is one number that says how wrong the
# answers are. The **gradient** of a weight is how fast the loss grows when that weight does; the next section computes it.
# Then every weight goes a little way against its gradient.
#
# A **replica** is a copy of the model on another device, with its own share of every batch. It computes its own gradients;
# then the **all-reduce** gives every replica the mean of all. That is one line.

# %%
from course_lib import spotter

def on_each_replica(inputs, labels):
    mine = replicas.loss_gradients(model, inputs, labels)
    context = tf.distribute.get_replica_context()
    return mine, context.all_reduce("mean", mine)

with session.quiet():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = spotter.build()

# %% [markdown]
# Two replicas of the keyword model share 12 clips, six each. Below are the gradients of its last four weights: what each
# replica found, what both have after the all-reduce, and what one device finds with all 12 clips.

# %%
from course_lib.views.backward import WalkBack, gradient_bars

inputs, labels = replicas.batch(12)
step = tf.function(lambda *half: strategy.run(on_each_replica, args=half))
mine, reduced = step(*replicas.share(strategy, inputs, labels))

first, second = (each.numpy() for each in mine[-1].values)
mean = reduced[-1].values[0].numpy()
whole = replicas.loss_gradients(model, inputs, labels)[-1].numpy()
same = abs(mean - whole).max() < 1e-5
print("the mean of the halves is the gradient of the whole batch:", same)
gradient_bars(
    {"replica 1": first, "replica 2": second,
     "mean": mean, "one device": whole},
    ["silence", "unknown", "yes", "no"],
    alt="the replicas differ; their mean equals the gradient of one device")

# %% [markdown]
# ### Exercise 2.5
#
# A step subtracts the gradient, times a number that says how far to go: the **rate**. Two workers have the weights `[1, 1]`.
# One finds the gradients `[3, -1]`, the other `[1, 9]`. They all-reduce by mean and take one step at a rate of 0.1. Which
# weights do both have then?
#
# given: 0.1

# %% exercise="2.5" points=2
# Exercise 2.5
### BEGIN SOLUTION
weights = [0.8, 0.6]
### END SOLUTION

# %% check="2.5"
check("2.5", weights)

# %% [markdown]
# Your step is plain gradient descent, **SGD**. **Adam** also divides each gradient by its own usual size, so that all weights
# move about equally fast; lesson 03 trains with a variant of it.

# %% [markdown]
# It is often said that the *weights* are averaged. **Predict.** Let each half train its own copy for one step, then average
# the copies. Does that give the same weights as averaging the gradients: with SGD, and with Adam?

# %% predict="2.6"
my_guess = ...

# %%
halves = [(inputs[0::2], labels[0::2]), (inputs[1::2], labels[1::2])]
copy = spotter.build()
trials = [replicas.train_both_ways(copy, halves, "sgd", steps=1),
          replicas.train_both_ways(copy, halves, "sgd", steps=3),
          replicas.train_both_ways(copy, halves, "adam", steps=1)]
compare("2.6", my_guess, "; ".join(map(str, trials)))

# %% [markdown]
# "Apart" is the largest difference of a weight, measured by the longest way that a weight went. Only one step of SGD gives
# the same, because there the step is proportional to the gradient. In Adam's first step only the
# direction counts, not the size: where the halves disagree, one copy goes up, the other as far down, and their mean stays.

# %% [markdown]
# Several machines work in the same way. Here are two real processes that know each other's address, and one that trains alone.

# %%
together = workers.train_together(workers=2, steps=3)
alone = workers.train_alone(steps=3)
print("both workers end with the same weights:", together.agree)
print("and so does one process:", together.difference(alone) < 1e-5)

# %% [markdown]
# **Predict.** Machines die. Below, worker 1 ends before its last step, without a word. How many of the two will finish?

# %% predict="2.7"
my_guess = ...

# %%
try:
    workers.train_together(workers=2, steps=2, dies=(1, 1))
except workers.WorkerError as error:
    compare("2.7", my_guess, error.finished)
    print(error)

# %% [markdown]
# None: an all-reduce needs everybody. That is one reason to save a training while it goes on, as lesson 04 does. And
# somebody has to watch: a worker alone may wait for a long time.

# %% [markdown]
# ## Backwards: every derivative in one walk
#
# How does `res` move when a constant moves? That is a **derivative**, or slope: how far the result goes for each small step of
# the constant. Start at the result and walk against the arrows. Each operation passes on what came from the result, times
# its own slope; where two paths meet, their contributions add up.

# %%
WalkBack(graph).show()

# %% [markdown]
# Two contributions reach `var1`, and they cancel out: that is why it left `res` alone in lesson 01. With a loss for the result
# and weights for the constants, the same walk gives the gradients that the replicas averaged. Now walk back through
# a program of your own: change the text. (`tanh` squeezes any number into the range from −1 to 1.)

# %%
other = trace.from_source("""
a = 0.5
b = 3
c = tanh(a * b)
d = c * c - a
""")
WalkBack(other).show()

# %% [markdown]
# ### Exercise 2.8
# Write the rule of a division. `divide_back(a, b, upstream)` gets the two inputs of `a / b` and `upstream`, the derivative
# that came from the result. It returns what `a` gets and what `b` gets.

# %% exercise="2.8" points=3
# Exercise 2.8
def divide_back(a, b, upstream):
    ### BEGIN SOLUTION
    return upstream / b, -upstream * a / b**2
    ### END SOLUTION

# %% check="2.8"
check("2.8", divide_back)

# %% [markdown]
# Three ways to the same slopes: our walk, TensorFlow's `GradientTape`, and small steps. A small step needs no rule:
# move one constant a little, run again, and see how far `res` went.

# %%
from course_lib.graph import Tally, gradients, numeric_gradients

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
for count in (3, 30, 300):
    names = [f"w{number}" for number in range(count)]
    text = "\n".join(f"{name} = 1.01" for name in names)
    product = trace.from_source(text + "\ny = " + " * ".join(names))
    back, small_steps = Tally(), Tally()
    gradients(product, tally=back)
    numeric_gradients(product, central=False, tally=small_steps)
    print(f"{count:3} slopes:", back.runs, "run and", back.walks, "walk,",
          back.operations, "operations; or", small_steps.runs, "runs,",
          f"{small_steps.operations:,}", "operations")

# %% [markdown]
# ### Exercise 2.9
# Walking back takes one run and one walk, whatever the number of slopes. And small steps? Look at the three lines, and go on:
# how many forward runs do they take for the slopes of all weights that the keyword model trains? `spotter.facts().trained`
# counts those.
#
# holds: (back.runs, back.walks, small_steps.runs) == (1, 1, 301)

# %% exercise="2.9" points=1
# Exercise 2.9
### BEGIN SOLUTION
from course_lib.spotter import facts

runs = facts().trained + 1
### END SOLUTION

# %% check="2.9"
check("2.9", runs)

# %% [markdown]
# ## Anywhere: down to machine code
#
# A graph does not care what runs it. XLA turns it into its own language (HLO), rewrites it there, and goes on to the language
# (IR) of **LLVM**, the tool kit that many compilers share, and to the instructions of this very processor. Below, the list
# shows all four: HLO as it comes, HLO rewritten, IR, and machine code.

# %% [markdown]
# **Predict.** The seven lines have three constants and four operations. How many machine instructions calculate?

# %% predict="2.10"
my_guess = ...

# %%
code = compiler.compiled("seven_lines")
compare("2.10", my_guess, len(code.arithmetic()))

from course_lib.views.listing import Listing

Listing(code).show()

# %% [markdown]
# One instruction for each rounded box. Everything around them fetches numbers and stores the result.
# On an x86 processor, `vaddss` means: add two single floats.
#
# A layer of a network has no other words. This is `relu(features × kernel + bias)`, with 28 inputs and 4 outputs.
#
# given: 28, 4

# %% tags=["nbval-ignore-output"]
layer = compiler.compiled("one_layer")
print(*dict.fromkeys(layer.arithmetic()))
Listing(layer).show()

# %% [markdown]
# `vmaxss` with zero is the relu. Scroll down for the products: `vfmadd213ss` multiplies and adds at once, in a loop over the
# inputs. (Processors of another family have other names for both.)
#
# ## What you measured
#
# The statements about graphs that you will meet most often, each with the verdict of your own runs.

# %%
shared = material.SHARED
claims = {
    "work that is known or unread is removed": len(folded) == 1,
    "independent operations can run at the same moment":
        schedule(shared, 2).length < schedule(shared, 1).length,
    "replicas average their gradients in every step": same and together.agree,
    "averaging weights instead is the same": all(t.equal for t in trials),
    "... for one step of SGD it is": trials[0].equal,
    "one walk back gives every slope": back.walks == 1,
    "without it, each slope costs a run": small_steps.runs == 300 + 1,
    "a graph becomes machine code": len(code.arithmetic()) == 4,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("02")

# %% [markdown]
# **Read on:**
# - [Grappler](https://www.tensorflow.org/guide/graph_optimization): everything that it looks for in a graph, and how to
#   turn each part off.
# - [XLA architecture](https://openxla.org/xla/architecture): the way from a graph to machine code, for processors and
#   graphics cards.
# - [Distributed training](https://www.tensorflow.org/guide/distributed_training): replicas on one machine and on many,
#   and when nobody waits for anybody.
# - [Automatic differentiation in machine learning: a survey](https://jmlr.org/papers/v18/17-468.html): the walk back, its
#   twin that walks forward, and where both come from.
#
# Next: a model that learns two words.
