# %% [markdown]
# # Who runs a graph
#
# **Who can run a graph, and what must they tell each other?** {minutes} minutes.
#
# You will be able to
# - plan a graph for two workers, and say when one more is of no use,
# - say what copies of a model tell each other while they train, and why it is not their weights,
# - find your own operations again in the machine code that a processor gets.

# %% setup

# %% [markdown]
# ## Several threads: a plan
#
# Lesson 02 counted the work of a graph and its span. Here are workers for the seven lines. Move the slider and watch who
# does what when.

# %%
from course_lib.exercises import (
    check, compare, hint, material, progress, solution)
from course_lib.experiments import replicas, threads, workers
from course_lib.graph import compiler, trace
from course_lib.graph.scheduling import schedule
from course_lib.views.gantt import ScheduleView
from course_lib.views.graph import work_and_span

tf = replicas.import_with_devices(2)
ScheduleView(trace.from_source(material.PROGRAM), most=3).show()

# %% [markdown]
# Four operations, a span of three: two workers are enough to reach it, and a third one makes it no shorter. Is it the
# same for the larger graph of lesson 02?
#
# holds: [schedule(trace.from_source(material.PROGRAM), many).length for many in (1, 2, 3)] == [4, 3, 3]

# %%
work_and_span(material.SHARED)

# %% [markdown]
# ### Exercise 12.1
# Plan it for two workers yourself: two lists of names, in the order of the work. Each worker begins its next operation as
# soon as it is free and the inputs are there. Be as fast as anybody can.
#
# holds: [schedule(material.SHARED, many).length for many in (1, 2, 3)] == [7, 4, 4]

# %% exercise="12.1" points=2
# Exercise 12.1
### BEGIN SOLUTION
plan = [["ant", "cat", "fox", "gnu"], ["bee", "dog", "elk"]]
### END SOLUTION

# %% check="12.1"
check("12.1", plan)

# %% [markdown]
# Does it pay? For single numbers, never: handing out the work costs more. For two chains of large matrix products,
# TensorFlow is timed here with one and with two threads, in processes of their own.

# %% tags=["nbval-ignore-output"]
timing = threads.two_branches()
print(timing)

# %% [markdown]
# ## Several copies: the all-reduce
#
# To train on more clips at once, copy the model. A **replica** is a copy on another device, with its own share of every
# batch. It walks back from its own loss to its own gradients. Then the **all-reduce** gives every replica the mean of all.
# That is one line, the `return`. `MirroredStrategy` copies what is built in its `scope` onto both devices:

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
# Two replicas of the keyword model share 12 clips, six each. Below are the gradients of its last four numbers, which
# are biases: what each replica found, what both have after the all-reduce, and what one device finds with all 12
# clips.

# %%
from course_lib.views.backward import gradient_bars

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
# ### Exercise 12.2
# Two workers have the weights `[1, 1]`. One finds the gradients `[3, -1]`, the other `[1, 9]`. They all-reduce by mean and
# take one step at a rate of 0.1. Which weights do both have then?
#
# given: 0.1

# %% exercise="12.2" points=2
# Exercise 12.2
### BEGIN SOLUTION
weights = [0.8, 0.6]
### END SOLUTION

# %% check="12.2"
check("12.2", weights)

# %% [markdown]
# Your step is plain gradient descent, called **SGD**. Adam, you remember, also divides each gradient by its own usual size.
#
# (In training, where batch normalisation measures each half for itself, the mean of the halves is not the gradient of all.
# Here it used stored averages.)
#
# It is often said that the *weights* are averaged. **Predict.** Let each half train its own copy, then average
# the copies. Does that give the same weights as averaging the gradients? Guess one word each, "same" or "apart": for
# one step of SGD, for three, for one of Adam.

# %% predict="12.3"
my_guess = ...

# %%
halves = [(inputs[0::2], labels[0::2]), (inputs[1::2], labels[1::2])]
copy = spotter.build()
trials = [replicas.train_both_ways(copy, halves, "sgd", steps=1),
          replicas.train_both_ways(copy, halves, "sgd", steps=3),
          replicas.train_both_ways(copy, halves, "adam", steps=1)]
compare("12.3", my_guess, "; ".join(map(str, trials)))

# %% [markdown]
# "Apart" is the largest difference of a weight, measured by the longest way that a weight went. Of these, only one step of SGD
# gives the same: it is the rate times the gradient, so the mean of the steps is the step of the mean. In Adam's first step only the
# direction counts, not the size: where the halves disagree, one copy goes up, the other as far down, and their mean stays.
#
# Several machines work in the same way. Here are two real processes that know each other's address, and one that trains alone.

# %%
together = workers.train_together(workers=2, steps=3)
alone = workers.train_alone(steps=3)
print("both workers end with the same weights:", together.agree)
print("and so does one process:", together.difference(alone) < 1e-5)

# %% [markdown]
# **Predict.** Machines die. Below, worker 1 ends before its last step, without a word. A watcher ends a training that
# cannot go on. How many of the two will finish?

# %% predict="12.4"
my_guess = ...

# %%
finished = 2
try:
    workers.train_together(workers=2, steps=2, dies=(1, 1))
except workers.WorkerError as error:
    finished = error.finished
    print(error)
compare("12.4", my_guess, finished)

# %% [markdown]
# None: an all-reduce needs everybody, so the watcher stopped the other one as well. That is one reason to save a training while it goes on, as lesson 04 does. And
# somebody has to watch: a worker alone may wait for a long time.

# %% [markdown]
# ## Any processor: machine code
#
# A graph does not care what runs it. XLA turns it into its own language, HLO, rewrites it there, and goes on to IR, the language
# of **LLVM**, the tool kit that many compilers share, and to the instructions of this very processor. Below, the list
# shows all four: HLO as it comes, HLO rewritten, IR, and machine code.
#
# **Predict.** This time the three numbers of the seven lines come from outside, so that nothing is known beforehand. How many machine instructions calculate?

# %% predict="12.5"
my_guess = ...

# %%
code = compiler.compiled("seven_lines")
compare("12.5", my_guess, len(code.arithmetic()))

from course_lib.views.listing import Listing

Listing(code).show()

# %% [markdown]
# One instruction for each of the four operations. Nearly everything around them fetches numbers and stores the result.
# On an x86 processor, `vaddss` means: add two single floats.
#
# A layer of a network hardly needs more words. This one has 28 inputs and 4 outputs. For each output it multiplies every
# input by a weight, adds the products to one number more, and makes 0 of what is negative (`relu`).
#
# given: 28, 4

# %% tags=["nbval-ignore-output"]
layer = compiler.compiled("one_layer")
print(*dict.fromkeys(layer.arithmetic()))
Listing(layer).show()

# %% [markdown]
# `vmaxss`, the larger of two numbers, is the relu: the other number is zero. The products come further down:
# `vfmadd213ss` multiplies and adds at once. (Processors of another family have other names for both.)
#
# ### Exercise 12.6
# Only a few lines of the list multiply, but they stand in loops. How many products does one run of the layer take?

# %% exercise="12.6" points=1
# Exercise 12.6
### BEGIN SOLUTION
products = 28 * 4
### END SOLUTION

# %% check="12.6"
check("12.6", products)

# %% [markdown]
# ## What you measured

# %%
one, two = (schedule(material.SHARED, many) for many in (1, 2))
together_as_one = together.agree and together.difference(alone) < 1e-5
claims = {
    "two workers need half the time of one": two.length <= one.length / 2,
    "replicas average their gradients in every step": same,
    "so they end like one that trains alone": together_as_one,
    "averaging weights instead is the same": all(t.equal for t in trials),
    "... for one step of SGD it is": trials[0].equal,
    "where one dies, the others go on": finished > 0,
    "a graph becomes machine code": len(code.arithmetic()) == 4,
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("12")

# %% [markdown]
# **Read on:**
# - [Distributed training](https://www.tensorflow.org/guide/distributed_training): replicas on one machine and on many,
#   and when nobody waits for anybody.
# - [XLA architecture](https://openxla.org/xla/architecture): the way from a graph to machine code, for processors and
#   graphics cards.
# - [Adam: a method for stochastic optimization](https://arxiv.org/abs/1412.6980): why each weight gets a step of its own
#   size.
# - [Compiler Explorer](https://godbolt.org): write a few lines of C, and read what several compilers make of them.
