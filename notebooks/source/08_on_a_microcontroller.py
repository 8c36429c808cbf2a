# %% [markdown]
# # On a microcontroller
#
# **Does it really run there?** You have a file that names words. The chip has no Python, no files, and
# often only a few hundred kilobytes of memory. You carry the model over, byte by byte, and check that it still says
# what it said here. {minutes} minutes.
#
# Afterwards you can
# - turn a model into C, and list exactly the operators that a program has to bring;
# - work out most of the memory that a model needs, before it ever runs;
# - compare two runtimes by their bytes and by their decisions.

# %% setup

# %%
import numpy as np

from course_lib.sound import features
from course_lib import micro, quantize, tflite
from course_lib.views import listing
from course_lib.views import micro as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

model = tflite.load("spotter_int8")
print(f"{len(model):,} bytes to carry over")

# %% [markdown]
# ## A file for a chip without files
#
# A program for a microcontroller is one block of bytes. You send it over a cable into the chip's flash memory, and there
# it stays, also without power. There is nothing to open, so the model becomes part of the program: an **array** in C.

# %%
source = micro.c_array(model, "spotter")
print(source[:298], "...")

# %% [markdown]
# The fifth to eighth byte spell TFL3: it is the file of lesson 06, as it stands.
#
# **Predict.** How many times as long as the file is this text, to the nearest whole number?
#
# holds: model[4:8] == b"TFL3"
# given: many times as

# %% predict="8.1"
my_guess = ...

# %%
compare("8.1", my_guess, round(len(source) / len(model)))
print(f"{len(source):,} characters; read back, they are the file:",
      micro.read_c_array(source, "spotter") == model)

# %% [markdown]
# You will push all this text into your repository, and not one byte of it is wasted on the chip: the compiler reads it
# back. But look at `aligned(16)`. The numbers in the file are read where they lie, and some chips stop at a number of
# four bytes that does not begin at a multiple of four. The file keeps its weights at multiples of 16 from its first byte:
# the array has to begin at one, too.

# %% [markdown]
# ### Exercise 8.2
# The bytes before `address` are taken. `aligned(address, to)` returns the place where the array can begin: the first
# multiple of `to` from there on. (`to` may be any whole number above zero.)

# %% exercise="8.2" points=1
# Exercise 8.2
def aligned(address, to):
    ### BEGIN SOLUTION
    return address + -address % to
    ### END SOLUTION

# %% check="8.2"
check("8.2", aligned)

# %% [markdown]
# ## One block of memory
#
# Weights stay in flash. Everything else that the model needs lies in one block of memory: the **arena**. It holds what
# flows between the layers, and the interpreter's own records. Nothing is asked for later (in C, with `malloc`): a device
# that runs for years must not run out of memory after a month.

# %% [markdown]
# **Predict.** How many bytes of arena does the spotter need? Its file has as many as
# `len(model)` says.

# %% predict="8.3"
my_guess = ...

# %%
arena = micro.arena_of(model)
compare("8.3", my_guess, arena.smallest_bytes)
print(f"it has grown by {arena.grown_bytes} bytes, {arena.runs} clips later")
draw.arena(arena)

# %% [markdown]
# That number was found by search: the real interpreter was started in smaller and smaller arenas until it refused, on
# this computer. On a chip its records have another size. Once it has started, it asks for nothing more.
#
# holds: arena.grown_bytes == 0

# %% [markdown]
# The largest share holds **tensors that come and go**: one layer writes such a tensor, and nobody needs it after the last
# one that reads it. Two that are never needed at once can lie on top of each other. So the graph alone tells how small
# that share can get.

# %%
plan = quantize.read(model)

def lifetimes(plan):
    born, last = {plan.inputs[0]: 0}, {}
    for step, operation in enumerate(plan.operations):
        for tensor in operation.inputs:
            last[tensor] = step
        for tensor in operation.outputs:
            born[tensor] = last[tensor] = step
    size = {t: int(np.prod(plan.values[t].shape)) for t in born}
    return [(size[t], born[t], last[t]) for t in born]

for size, first, last in lifetimes(plan)[:4]:
    print(f"{size:5,} bytes, from step {first} to step {last}")

# %% [markdown]
# ### Exercise 8.4
# `peak(tensors)` gets such a list of `(bytes, first, last)`; a tensor is needed in every step from
# first to last, both included. Return the bytes of the fullest step.

# %% exercise="8.4" points=3
# Exercise 8.4
def peak(tensors):
    ### BEGIN SOLUTION
    steps = range(1 + max(last for _, _, last in tensors))
    return max(sum(size for size, first, last in tensors
                   if first <= step <= last) for step in steps)
    ### END SOLUTION

# %% check="8.4"
check("8.4", peak)

# %%
def fullest(tensors):
    held = np.zeros(len(plan.operations), int)
    for size, first, last in tensors:
        held[first:last + 1] += size
    return int(held.max())

worked_out = yours("8.4", peak, fullest)(lifetimes(plan))
print(f"worked out {worked_out:,} bytes;",
      f"the interpreter took {arena.allocations.head_bytes:,}")

# %% [markdown]
# Not a byte more, here. Which step is it? The second convolution: it reads 6,000 numbers and writes 4,000.
# Make either of these tensors smaller and the arena shrinks; make any later one smaller and nothing
# happens.
#
# holds: worked_out == arena.allocations.head_bytes == 6_000 + 4_000
# holds: sorted(size for size, first, last in lifetimes(plan) if 1 in range(first, last + 1)) == [4_000, 6_000]

# %% [markdown]
# ## Only the operators that it uses
#
# TensorFlow Lite Micro knows about a hundred operators. Their code would fill the flash of a small chip. So a program
# lists the ones it wants, and the **linker**, which puts compiled pieces together into one program, leaves out the rest.
# That list is the **operator resolver**.

# %%
kinds = [operation.kind for operation in plan.operations]
print(len(kinds), "operations:", ", ".join(kinds))

# %% [markdown]
# ### Exercise 8.5
# Put the operators that the resolver must list into the list `needed`: each once, in the order of first use.

# %% exercise="8.5" points=1
# Exercise 8.5
### BEGIN SOLUTION
needed = list(dict.fromkeys(kinds))
### END SOLUTION

# %% check="8.5"
check("8.5", needed)

# %%
print(micro.resolver(micro.operators(model)))

# %% [markdown]
# One operator too few, and the chip says so at start-up; one too many costs flash for ever. Around these lines belongs a
# program that listens. This is all of its heart; the first marked line is the arena:

# %%
program = micro.cpp_program(model, arena.smallest_bytes)
text = program["spotter.cpp"]
text = text[text.index("// All the memory"):]
marked = [row for row, line in enumerate(text.splitlines())
          if "arena[" in line or "Invoke()" in line]
listing.picture(text, marked, "the C++ program around the model")

# %%
for name, text in program.items():
    print(f"{len(text.splitlines()):6,} lines  {name}")

# %% [markdown]
# With the library of TensorFlow Lite Micro, which you add from its own repository, these files are a program. For a chip
# it is `spotter.ino`, a sketch for the Arduino Nano 33 BLE Sense: the Nano 33 BLE has the same chip, but no microphone.
# For a desktop it is `main.cpp`. Both get sound and return a word.
#
# given: Nano 33

# %% [markdown]
# ## One file, four ways to run it
#
# The same bytes, over a thousand clips. LiteRT runs them in three ways: with a **delegate**, a library that takes
# operations over from it (here XNNPACK, hand-written for your processor), with its own fast code for each operation (its
# kernels, which are not those of a convolution), and with plain reference loops. The fourth way is TensorFlow Lite Micro.

# %% [markdown]
# **Predict.** Of 100 clips, how many get exactly the same four output bytes from the delegate and
# from micro?

# %% predict="8.6"
my_guess = ...

# %%
clips = micro.compared_clips()
compared = micro.compare_runtimes(model, features.of(clips))

# %% tags=["nbval-ignore-output"]
equal = compared.difference("LiteRT", "micro").equal_share
compare("8.6", my_guess, round(100 * equal))

# %%
draw.runtimes(compared)

# %% [markdown]
# None of them breaks the format, which says what the numbers mean, not how often to round on the way. Once or twice makes
# a difference of a step, and the layers behind it make more of that. A model's **decision** is the label that gets its
# largest number. So "it runs the same" may mean two things: the same bytes, or the same decision.
#
# holds: len(clips) > 1000
# given: twice

# %% [markdown]
# ### Exercise 8.7
# `agreement(a, b)` gets two arrays of answers, (clips, 4) int8. Return two shares of the clips:
# those with every byte equal, and those with the same decision.

# %% exercise="8.7" points=2
# Exercise 8.7
def agreement(a, b):
    ### BEGIN SOLUTION
    bytes_equal = (a == b).all(axis=1).mean()
    decision = (a.argmax(axis=1) == b.argmax(axis=1)).mean()
    return bytes_equal, decision
    ### END SOLUTION

# %% check="8.7"
check("8.7", agreement)

# %%
from itertools import combinations

pairs = [compared.difference(*two) for two in combinations(compared.names, 2)]
worst = max(pairs, key=lambda each: each.decisions)
print("same word for more than 99.5 % of the clips:",
      worst.decisions < 0.005 * worst.clips)

# %% [markdown]
# If a test must compare bytes, pin the runtime and its kernels. If it compares words, allow a few in a thousand.
#
# All four ran on this computer. Lesson 18 lets the model listen for ten minutes, takes the interpreter away, and counts
# every instruction on an imitated board.

# %% [markdown]
# ## What you measured

# %%
print(f"{len(model):,} bytes of model, {arena.smallest_bytes:,} of arena")
print("memory asked for after start-up:", arena.grown_bytes)
print("operators to bring:", len(set(kinds)))
print("clips whose word depends on the kernels: fewer than 5 in 1,000:",
      worst.decisions < 0.005 * worst.clips)
progress("08")

# %% [markdown]
# **Read on:**
# - [TensorFlow Lite Micro](https://arxiv.org/abs/2010.08678): its makers on arenas, resolvers and interpreters.
# - [micro_mutable_op_resolver.h](https://github.com/tensorflow/tflite-micro/blob/main/tensorflow/lite/micro/micro_mutable_op_resolver.h):
#   all operators that a resolver can have.
# - [Memory management](https://github.com/tensorflow/tflite-micro/blob/main/tensorflow/lite/micro/docs/memory_management.md)
#   in TensorFlow Lite Micro: what lies where in the arena.
