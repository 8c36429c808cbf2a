# %% [markdown]
# # What graphs make possible
#
# **Why bother with a graph?** 40 minutes.
#
# You will be able to
# - say what a compiler removes from a graph, and what it must leave,
# - plan work for several workers, and average what they learn,
# - walk back through a graph by hand, and read the machine code that it becomes.

# %% setup

# %% [markdown]
# ## Less work: the graph is rewritten
#
# Whoever holds the whole program can see what is not needed. **Grappler** does so in TensorFlow, before anything runs.
#
# **Predict.** Below, the three numbers of the seven-line program are constants. How many nodes of the graph
# will be left?

# %%
from course_lib import compiler, distribute, trace
from course_lib.compiler.programs import seven_lines

tf = distribute.import_with_devices(2)

def with_constants():
    return seven_lines(tf.constant(6.0), tf.constant(2.0), tf.constant(4.0))

print(trace.from_function(with_constants))

# %% predict="2.1"
my_guess = ...

# %%
from course_lib.exercises import check, compare, lesson_02, progress

folded = compiler.grappler(with_constants)
compare("2.1", my_guess, len(folded))
print("its value:", folded.nodes[0].value)

# %% [markdown]
# The program is gone; its result is left. This is **constant folding**. Numbers that arrive only when the graph runs,
# as placeholders, cannot be folded: then all four operations stay.

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
remaining = ...
### BEGIN SOLUTION
remaining = 4
### END SOLUTION

# %% check="2.2"
check("2.2", remaining)

# %% [markdown]
# See for yourself. In the middle is Grappler's graph; on the right is what **XLA** makes of the same function, a second
# compiler that goes on from here down to machine code.

# %%
from course_lib.draw.graph import side_by_side

two = numbers[:2]
xla = compiler.hlo(wasteful, *two, stage="optimized_hlo")
side_by_side({"as written": trace.from_function(wasteful, *two),
              "Grappler": compiler.grappler(wasteful, *two),
              "XLA": compiler.from_hlo(xla)},
             alt="wasteful as written, after Grappler and after XLA")

# %% [markdown]
# ## At the same time: work and span
#
# **Work** is the number of operations. **Span** is the length of the longest path: nobody can be faster than that.
# Move the slider and watch who does what when.

# %%
from course_lib.draw.graph import picture

picture(lesson_02.SHARED)

# %%
from course_lib.widgets.schedule import plan as show_plan

show_plan(lesson_02.SHARED, most=3)

# %% [markdown]
# Seven operations, a span of four: two workers are enough to reach it, and a third one only waits.
#
# ### Exercise 2.3
# The sum of eight numbers has a span of seven when it is written `a + b + c + d + e + f + g + h`. Set brackets so that it is
# three. Give the formula as a text: it is traced, not run.

# %% exercise="2.3" points=2
# Exercise 2.3
formula = ...
### BEGIN SOLUTION
formula = "((a + b) + (c + d)) + ((e + f) + (g + h))"
### END SOLUTION

# %% check="2.3"
check("2.3", formula)

# %% [markdown]
# ### Exercise 2.4
# Now plan the picture above for two workers yourself: two lists of names, in the order of the work. Each begins its next
# operation as soon as it is free and the inputs are there. Aim for four steps.

# %% exercise="2.4" points=2
# Exercise 2.4
plan = ...
### BEGIN SOLUTION
plan = [["ant", "cat", "fox", "gnu"], ["bee", "dog", "elk"]]
### END SOLUTION

# %% check="2.4"
check("2.4", plan)

# %% [markdown]
# Does it pay? For single numbers, never: handing out the work costs more. For two chains of large matrix products,
# TensorFlow is timed here with one and with two threads, in processes of their own.

# %% tags=["nbval-ignore-output"]
from course_lib import threads

timing = threads.two_branches()
print(timing)

# %% [markdown]
# ## In several places: the all-reduce
#
# A **replica** is a copy of the model on another device, with its own share of every batch. It computes its own gradients;
# then the **all-reduce** gives every replica the mean of all. That is one line.

# %%
from course_lib import spotter

def on_each_replica(inputs, labels):
    mine = distribute.loss_gradients(model, inputs, labels)
    replicas = tf.distribute.get_replica_context()
    return mine, replicas.all_reduce("mean", mine)

with session.quiet():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = spotter.build()

# %% [markdown]
# Two replicas of the keyword model share 64 real clips. Below are the gradients of its last four weights: what each replica
# found, what both have after the all-reduce, and what one device finds with all 64 clips.

# %%
from course_lib.draw.gradients import bars

inputs, labels = distribute.batch(64)
step = tf.function(lambda *half: strategy.run(on_each_replica, args=half))
mine, reduced = step(*distribute.share(strategy, inputs, labels))

first, second = (each.numpy() for each in mine[-1].values)
mean = reduced[-1].values[0].numpy()
whole = distribute.loss_gradients(model, inputs, labels)[-1].numpy()
same = abs(mean - whole).max() < 1e-5
print("the mean of the halves is the gradient of the whole batch:", same)
bars({"replica 1": first, "replica 2": second,
      "mean": mean, "one device": whole},
     ["silence", "unknown", "yes", "no"],
     alt="the replicas differ; their mean equals the gradient of one device")

# %% [markdown]
# ### Exercise 2.5
# Two workers have the weights `[1, 1]`. One finds the gradients `[3, -1]`, the other `[1, 9]`. They all-reduce by mean and take
# one step at a rate of 0.1. Which weights do both have then?

# %% exercise="2.5" points=2
# Exercise 2.5
weights = ...
### BEGIN SOLUTION
weights = [0.8, 0.6]
### END SOLUTION

# %% check="2.5"
check("2.5", weights)

# %% [markdown]
# It is often said that the *weights* are averaged. **Predict.** Let each half train its own copy for one step, then average
# the copies. Does that give the same weights as averaging the gradients: with plain gradient descent (SGD), and with Adam?

# %% predict="2.6"
my_guess = ...

# %%
halves = [(inputs[0::2], labels[0::2]), (inputs[1::2], labels[1::2])]
copy = spotter.build()
trials = [distribute.averaging(copy, halves, "sgd", steps=1),
          distribute.averaging(copy, halves, "sgd", steps=3),
          distribute.averaging(copy, halves, "adam", steps=1)]
compare("2.6", my_guess, "; ".join(map(str, trials)))

# %% [markdown]
# Only for one step of SGD, where the step is proportional to the gradient. Adam divides by the gradient's own size, so two
# halves that pull in opposite directions no longer cancel out.
#
# Several machines work in the same way. Here are two real processes that know each other's address, and one that trains alone.

# %%
together = distribute.train_together(workers=2, steps=3)
alone = distribute.train_alone(steps=3)
print("both workers end with the same weights:", together.agree)
print("and so does one process:", together.difference(alone) < 1e-5)

# %% [markdown]
# ## Backwards: every derivative in one walk
#
# How does `res` move when a constant moves? Start at the result and walk against the arrows. Each operation passes on what
# came from above, times its own slope; where two paths meet, their contributions add up.

# %%
from course_lib.exercises.lesson_01 import PROGRAM
from course_lib.widgets.backward import play_back

graph = trace.from_source(PROGRAM)
play_back(graph, var1=(-6, 12), var2=(-6, 12), var3=(-6, 12))

# %% [markdown]
# Two contributions reach `var1`, and they cancel out: that is why it left `res` alone in lesson 01.
#
# ### Exercise 2.7
# Write the rule of a division. `divide_back(a, b, upstream)` gets the two inputs of `a / b` and the derivative that came
# from above. It returns what `a` gets and what `b` gets.

# %% exercise="2.7" points=3
# Exercise 2.7
def divide_back(a, b, upstream):
    ### BEGIN SOLUTION
    return upstream / b, -upstream * a / b**2
    ### END SOLUTION

# %% check="2.7"
check("2.7", divide_back)

# %% [markdown]
# Three ways to the same slopes: our walk, TensorFlow's `GradientTape`, and small steps. A small step needs no rule:
# move one constant a little, run again, and see how far `res` went.

# %%
from course_lib.graph import evaluate, gradients

ours = gradients(graph)
with tf.GradientTape() as tape:
    tape.watch(numbers)
    result = seven_lines(*numbers)
tapes = tape.gradient(result, numbers)

forward_runs = []
def run(moved):
    forward_runs.append(moved)
    return evaluate(graph, moved)["res"]

res = run({})
for name, slope in zip(("var1", "var2", "var3"), tapes):
    step = (run({name: graph[name].value + 1e-6}) - res) / 1e-6
    ways = ours[name], slope, step
    print(name, *(round(float(way), 3) + 0 for way in ways))
print(len(forward_runs), "forward runs for 3 slopes")

# %% [markdown]
# ### Exercise 2.8
# The walk back takes one run forward and one back, whatever the number of constants. Small steps do not. How many forward
# runs do they take for the slopes of 13,960 weights, as many as the keyword model has?

# %% exercise="2.8" points=1
# Exercise 2.8
runs = ...
### BEGIN SOLUTION
runs = 13_960 + 1
### END SOLUTION

# %% check="2.8"
check("2.8", runs)

# %% [markdown]
# ## Anywhere: down to machine code
#
# A graph does not care what runs it. XLA turns it into its own language (HLO), then into LLVM's, then into the instructions
# of this very processor.
#
# **Predict.** The seven lines have three constants and four operations. How many machine instructions calculate?

# %% predict="2.9"
my_guess = ...

# %%
code = compiler.compiled("seven_lines")
compare("2.9", my_guess, len(code.arithmetic()))

from course_lib.widgets.listing import read

read(code)

# %% [markdown]
# One instruction for each rounded box. Everything around them fetches numbers and stores the result.
# On an x86 processor, `vaddss` means: add two single floats.
#
# A layer of a network has no other words. This is `relu(features × kernel + bias)`, with 28 inputs and 4 outputs.

# %% tags=["nbval-ignore-output"]
layer = compiler.compiled("one_layer")
print(*dict.fromkeys(layer.arithmetic()))
read(layer)

# %% [markdown]
# `vfmadd213ss` multiplies and adds at once, in a loop over the inputs; `vmaxss` with zero is the relu.
#
# ## What you measured
#
# The statements about graphs that you will meet most often, each with the verdict of your own runs.

# %%
from course_lib.schedule import schedule

shared = lesson_02.SHARED
claims = {
    "work that is known or unread is removed": len(folded) == 1,
    "independent operations can run at the same moment":
        schedule(shared, 2).length < schedule(shared, 1).length,
    "replicas average their gradients in every step": same and together.agree,
    "averaging weights instead is the same": all(t.equal for t in trials),
    "... for one step of SGD it is": trials[0].equal,
    "without a graph, each slope costs a run": len(forward_runs) == 4,
    "a graph becomes machine code": len(code.arithmetic()) == 4,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("02")
