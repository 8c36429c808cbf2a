# %% [markdown]
# # On a microcontroller
#
# **Does it really run there?** You have a file that names words. The chip has no Python, no files,
# no operating system, and a few hundred kilobytes of memory at best. You carry the model over, byte
# by byte, and check that it still says what it said here. {minutes} minutes.
#
# Afterwards you can
# - turn a model into C, and list exactly the operators that a program has to bring;
# - tell how much memory a model needs before it ever runs;
# - compare two runtimes by their bytes and by their decisions;
# - set a threshold for a device that listens all day.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib import measure, micro, quantize, tflite
from course_lib.views import listening, listing
from course_lib.views import micro as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

model = tflite.load("spotter_int8")
print(f"{len(model):,} bytes to carry over")

# %% [markdown]
# ## A file for a chip without files
#
# A program for a microcontroller is one block of bytes in flash memory. There is nothing to open,
# so the model becomes part of the program: an **array** in C.

# %%
source = micro.c_array(model, "spotter")
print(source[:298], "...")

# %% [markdown]
# The fifth to eighth byte spell TFL3: it is the file of lesson 06, as it stands. It begins at a
# multiple of 16, because its numbers are read in place, and some chips stop at a number of four bytes
# that does not begin at a multiple of four.
#
# **Predict.** How many times as long as the file is this text, to the nearest whole number?
#
# holds: model[4:8] == b"TFL3"
# given: many times as

# %% predict="8.8"
my_guess = ...

# %%
compare("8.8", my_guess, round(len(source) / len(model)))

# %% [markdown]
# You will push a text of over a hundred kilobytes into your repository, and not one byte of it is
# wasted on the chip: the compiler reads it back.
#
# holds: len(source) > 100_000

# %% [markdown]
# ### Exercise 8.1
# Be the compiler: `to_bytes(text)` gets what stands between the braces, such as
# `"0x1c, 0x00, 0xff,"`, and returns the bytes.

# %% exercise="8.1" points=2
# Exercise 8.1
def to_bytes(text):
    ### BEGIN SOLUTION
    parts = text.replace(",", " ").split()
    return bytes(int(part, 16) for part in parts)
    ### END SOLUTION

# %% check="8.1"
check("8.1", to_bytes)

# %%
print("the array is the file:",
      micro.read_c_array(source, "spotter") == model)

# %% [markdown]
# ## Only the operators that it uses
#
# TensorFlow Lite Micro knows about a hundred operators. Their code would fill the flash of a small
# chip, so a program lists the ones it wants, and the linker leaves out the rest. That list is the
# **operator resolver**.

# %%
plan = quantize.read(model)
kinds = [operation.kind for operation in plan.operations]
print(len(kinds), "operations:", ", ".join(kinds))

# %% [markdown]
# ### Exercise 8.2
# Put the operators that the resolver must list into `needed`: each once, in the order of first use.

# %% exercise="8.2" points=1
# Exercise 8.2
### BEGIN SOLUTION
needed = list(dict.fromkeys(kinds))
### END SOLUTION

# %% check="8.2"
check("8.2", needed)

# %%
print(micro.resolver(micro.operators(model)))

# %% [markdown]
# One operator too few, and the chip says so at start-up; one too many costs flash for ever. Around
# these lines belongs a program that listens. This is all of its heart:

# %%
arena = micro.arena_of(model)
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
# With the library of TensorFlow Lite Micro, which you add from its own repository, these files are a
# program: `spotter.ino` is the sketch for an Arduino Nano 33 BLE Sense (the one with a microphone),
# `main.cpp` the same for a desktop. Both get sound and return a word.

# %% [markdown]
# ## One block of memory
#
# The first marked line is all the memory that the model gets: the **arena**. No `malloc`, because a device that
# runs for years must not run out after a month. Weights stay in flash, which keeps its bytes without
# power. What the arena holds is what
# flows between the layers, and the interpreter's own records.
#
# **Predict.** How many bytes of arena does the spotter need? Its file has as many as
# `len(model)` says.

# %% predict="8.9"
my_guess = ...

# %%
compare("8.9", my_guess, arena.smallest_bytes)

# %%
draw.arena(arena)

# %% [markdown]
# That number was found by search: the real interpreter was started in smaller and smaller arenas
# until it refused, on this computer. On a chip its records have another size. What does it do with the memory while it runs?

# %%
print(f"{arena.runs} clips later it has grown by {arena.grown_bytes} bytes")

# %% [markdown]
# The largest share is **tensors that come and go**. They can lie on top of each other when they are
# not needed at the same time. So you can work out from the graph alone how small that share can get.

# %%
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
# ### Exercise 8.3
# `peak(tensors)` gets such a list of `(bytes, first, last)`; a tensor is needed in every step from
# first to last, both included. Return the bytes of the fullest step.

# %% exercise="8.3" points=3
# Exercise 8.3
def peak(tensors):
    ### BEGIN SOLUTION
    steps = range(1 + max(last for _, _, last in tensors))
    return max(sum(size for size, first, last in tensors
                   if first <= step <= last) for step in steps)
    ### END SOLUTION

# %% check="8.3"
check("8.3", peak)

# %%
def fullest(tensors):
    held = np.zeros(len(kinds), int)
    for size, first, last in tensors:
        held[first:last + 1] += size
    return int(held.max())

worked_out = yours("8.3", peak, fullest)(lifetimes(plan))
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
# ## One file, four ways to run it
#
# The same bytes, over a thousand clips. LiteRT runs them in three ways: with its delegate (XNNPACK,
# hand-written for your processor), with its own fast kernels, and with plain reference loops. The
# fourth way is TensorFlow Lite Micro.
#
# **Predict.** Of 100 clips, how many get exactly the same four output bytes from the delegate and
# from micro?

# %% predict="8.10"
my_guess = ...

# %%
clips = micro.compared_clips()
compared = micro.compare_runtimes(model, features.of(clips))

# %% tags=["nbval-ignore-output"]
equal = compared.difference("LiteRT", "micro").equal_share
compare("8.10", my_guess, round(100 * equal))

# %%
draw.runtimes(compared)

# %% [markdown]
# None of them breaks the format, which says what the numbers mean, not how often to round on the way:
# once or twice makes a step, and the layers behind make more of it. So "it runs the same" needs a second question: the same bytes, or the same **decision**?
#
# holds: len(clips) > 1000
# given: twice

# %% [markdown]
# ### Exercise 8.4
# `agreement(a, b)` gets two arrays of answers, (clips, 4) int8. Return two shares of the clips:
# those with every byte equal, and those with the same decision (the largest of the four).

# %% exercise="8.4" points=2
# Exercise 8.4
def agreement(a, b):
    ### BEGIN SOLUTION
    bytes_equal = (a == b).all(axis=1).mean()
    decision = (a.argmax(axis=1) == b.argmax(axis=1)).mean()
    return bytes_equal, decision
    ### END SOLUTION

# %% check="8.4"
check("8.4", agreement)

# %%
worst = compared.difference("LiteRT", "LiteRT, reference")
print("same word for more than 99.5 % of the clips:",
      worst.decisions < 0.005 * worst.clips)

# %% [markdown]
# If a test must compare bytes, pin the runtime and its kernels. If it compares words, allow a few in
# a thousand.

# %% [markdown]
# ## Without any runtime
#
# Does it take an interpreter at all? Lesson 07 computed every layer in integers. Here is the same as
# plain C, generated from the file: it reads the weights out of the array and calls one function a
# layer.

# %%
c_program = micro.plain_c.generate(model)
text = c_program.files["model.c"]
start = text.index("void model_run")
listing.picture(text[start:], [], "the generated C that runs the layers")

# %% [markdown]
# It was built for a **Cortex-M4**, the core inside an Arduino Nano 33 BLE, and run on an imitated
# board (QEMU), which executes the very instructions and counts them. Sound goes in, a word comes
# out. In Colab, `!apt-get install -y gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm` lets
# you do it yourself; without these tools you see the run that was recorded for you.

# %%
device = micro.on_cortex_m4(model, micro.device_clips().waves)
print(f"{device.compared_bytes} output bytes from {device.clips} clips,",
      f"{device.different_bytes} differ from the reference kernels")
print("features computed in C change", device.other_words, "words")

# %% [markdown]
# **Predict.** Before the network can listen, the sound has to become features: windows, a Fourier
# transform, logarithms. Which takes more instructions, `"features"` or `"network"`?

# %% predict="8.11"
my_guess = ...

# %%
network = device.model_instructions > device.feature_instructions
compare("8.11", my_guess, "network" if network else "features")

# %%
draw.layers(device)

# %% [markdown]
# Preparing the sound costs more than most layers, and no table of a model's multiplications would
# have told you. Such tables count **multiply-accumulates**, MACs: one for
# every weight at every place of the output.
#
# holds: sum(count > device.feature_instructions for count in device.instructions) <= 2

# %% [markdown]
# ### Exercise 8.5
# `macs(output, kernel)` gets the shapes of a convolution's output, `(height, width, channels)`, and
# of its kernel, `(height, width, inputs)`. Return the multiply-accumulates.

# %% exercise="8.5" points=2
# Exercise 8.5
def macs(output, kernel):
    ### BEGIN SOLUTION
    height, width, channels = output
    return height * width * channels * kernel[0] * kernel[1] * kernel[2]
    ### END SOLUTION

# %% check="8.5"
check("8.5", macs)

# %%
print(f"{device.macs:,} multiply-accumulates for one clip")
each = [count / layer.macs for count, layer
        in zip(device.instructions, device.layers) if layer.macs]
print("one costs half as much again as another:",
      max(each) > 1.5 * min(each))

# %% [markdown]
# The same multiplication is dear in the first layer, which has a single input channel: the loops
# around it cost more than it does. And how much of the chip does all this take?

# %%
draw.parts(device)

# %% [markdown]
# Of the memory, most is one second of sound and its features: the network itself is content with
# the 10,000 bytes that you worked out.
#
# holds: worked_out == 10_000

# %% [markdown]
# ## Listening all day
#
# So far every clip was cut for you. A device hears one long sound. It looks at the last second, four
# times a second, and must not answer to everything else. Here are ten minutes with 40 words to
# find, 60 others, and noise that comes and goes.
#
# given: 60

# %%
recording = micro.long_recording(dataset.bundled("test"))
scores = micro.slide(model, recording.wave)
print(f"{len(scores.ends):,} answers for {recording.seconds:.0f} seconds")

# %% [markdown]
# **Predict.** On single clips of these voices the model is wrong about four times in a hundred. How
# many false alarms *an hour* (those of ten minutes, times six) does it raise here, with a threshold of
# 0.7 and nothing else?
#
# holds: sum(word.label in dataset.LABELS[2:] for word in recording.words) == 40
# holds: (len(recording.words), round(recording.seconds / 60)) == (40 + 60, 10)
# holds: 0.035 < 1 - measure.report("int8", model, dataset.bundled("test")).accuracy < 0.05

# %% predict="8.12"
my_guess = ...

# %%
plain = listening.outcome(recording, scores, windows=1, threshold=0.7)
compare("8.12", my_guess, round(plain.false_alarms_per_hour))

# %% [markdown]
# Nobody keeps such a device. But an error seldom lasts, and a word does: it fills several windows in
# a row. So take the *mean* of the last few answers.

# %%
from course_lib.views.listening import Detector

Detector(recording, scores).show()

# %% [markdown]
# ### Exercise 8.6
# `smooth(scores, n)` gets a list of numbers. Return a list of the same length: for each number the
# mean of it and the n − 1 before it. At the start there are fewer; take the mean of those. A device
# cannot look ahead.

# %% exercise="8.6" points=2
# Exercise 8.6
def smooth(scores, n):
    ### BEGIN SOLUTION
    means = []
    for end in range(1, len(scores) + 1):
        last = scores[max(0, end - n):end]
        means.append(sum(last) / len(last))
    return means
    ### END SOLUTION

# %% check="8.6"
check("8.6", smooth)

# %%
listening.trade(recording, scores)

# %% [markdown]
# Up is more words found, left is fewer false alarms; along a line the threshold rises from right to
# left. If you allow some alarms, a mean raises far fewer and loses hardly a word here. If you allow
# none, the threshold has to be so high that a long mean loses words.
# Which of them is right? A toy and an alarm system will not agree.

# %%
two = listening.outcome(recording, scores, windows=2, threshold=0.7)
print("without a mean:", listening.sentence(plain))
print("a mean of two: ", listening.sentence(two))

# %% [markdown]
# Now you. Say "yes", "no", and something else.
#
# holds: len(two.missed) <= 2 and len(two.false_alarms) < len(plain.false_alarms) / 2

# %%
from course_lib.views.answer import Speak

spare = dataset.bundled("test").where(label="yes").waves[0]

def hear(rows):
    return tflite.run(model, rows)

Speak(hear, spare, "yes").show()

# %% [markdown]
# ## What it would cost
#
# Nothing here was measured on a chip: the instructions were counted on an imitated one. With the
# clock and the current that the makers publish, they become an **estimate**. Assume that an
# instruction takes one to two ticks of the clock.

# %%
total = device.model_instructions + device.feature_instructions
estimates = [micro.estimate(chip, total, device.flash_bytes,
                            device.ram_bytes) for chip in micro.CHIPS]
draw.chips(estimates)

# %% [markdown]
# ### Exercise 8.7
# `milliseconds(instructions, cycles_each, megahertz)`: how long does that take, in milliseconds?

# %% exercise="8.7" points=1
# Exercise 8.7
def milliseconds(instructions, cycles_each, megahertz):
    ### BEGIN SOLUTION
    seconds = instructions * cycles_each / (megahertz * 1e6)
    return 1000 * seconds
    ### END SOLUTION

# %% check="8.7"
check("8.7", milliseconds)

# %%
for each in estimates:
    low, high = (1000 * seconds for seconds in each.seconds)
    print(f"{each.chip.name}: fits {each.fits}, {low:.0f} to {high:.0f} ms")

# %% [markdown]
# Fitting is easy. But four windows a second leave 250 ms for each: who needs more falls behind, and
# where 250 lies between the two ends, only the board itself can tell. Two ways out: let the window
# move by twelve frames, 240 ms, and 37 of its 49 are those of the window before; and take kernels
# written for this core (CMSIS-NN), which do two multiplications in one instruction.
#
# holds: 1000 * 12 * features.HOP == 240 * 16_000 and features.FRAMES == 49 == 12 + 37
#
# holds: all(each.fits for each in estimates) and 1000 / 4 == 250
# holds: any(each.seconds[0] < 0.25 < each.seconds[1] for each in estimates)

# %% [markdown]
# ## What you measured

# %%
print(f"{len(model):,} bytes of model, {arena.smallest_bytes:,} of arena")
print("memory asked for after start-up:", arena.grown_bytes)
print("bytes of the C program that differ:", device.different_bytes)
print("false alarms an hour, without and with a mean of two:",
      f"{plain.false_alarms_per_hour:.0f}, {two.false_alarms_per_hour:.0f}")

# %%
progress("08")

# %% [markdown]
# **Read on:**
# - [TensorFlow Lite Micro](https://arxiv.org/abs/2010.08678): its makers on arenas, resolvers and interpreters.
# - [CMSIS-NN](https://arxiv.org/abs/1801.06601): kernels written for this core.
# - [MLPerf Tiny](https://arxiv.org/abs/2106.07597): how such models and chips are compared.
# - [micro_mutable_op_resolver.h](https://github.com/tensorflow/tflite-micro/blob/main/tensorflow/lite/micro/micro_mutable_op_resolver.h):
#   all operators that a resolver can have.
#
# Next: the same with words of your own.
