# %% [markdown]
# # Quantization
#
# **What do eight bits cost?** Every weight of the spotter is a float of four bytes. On a small chip you want to spend
# one. See first what that saves and what it loses; then build the grid that does it. {minutes} minutes.
#
# Afterwards you can
# - choose a variant of a model by its size and its accuracy;
# - put numbers on a grid of integers by hand, and take them back;
# - say what one more bit is worth, and a scale for each filter;
# - have the converter quantize a model, with clips that you chose.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import measure, quantize, session, spotter, tflite
from course_lib.views import quantization as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

kernels = quantize.read(tflite.load("spotter_float32")).kernels
largest = max(kernels, key=lambda name: kernels[name].size)
w = kernels[largest]
draw.histogram(w, quantize.symmetric(abs(w).max()), f"{largest}, 8 bits")

# %% [markdown]
# ## Before and after
#
# Above are the weights of the spotter's largest layer. Each is a float and may lie anywhere; the marks under them are all
# that this grid of eight bits has, and every weight will have to move to one of these.
#
# The converter of lesson 06 can store numbers in fewer bytes. An int8 is an integer of eight bits, −128 to 127.
# - `float32`: nothing changed; `float16`: weights in half the bytes;
# - `dynamic_range`: int8 weights where they are many, floats between the layers, which some operations turn into int8
#   as they come;
# - `int16x8`: int8 weights, 16 bits for what flows between the layers;
# - `int8`: eight bits for both; `int8_float_io`: the same, with floats at both ends;
# - `int8_per_channel`: the converter's own choice, of which more below.
#
# given: half the, 16

# %%
frozen = freezing.frozen(spotter.load())
train = dataset.bundled("train")
clips = features.of(train)
variants = {name: tflite.convert(frozen, name, clips)
            for name in tflite.VARIANTS}
int8, float32 = variants["int8"], variants["float32"]

# %% [markdown]
# One more variant you make yourself. Coarser weights shift the average of every channel a little. A bias has 32 bits, so it can shift
# that back, for not one byte more.
#
# given: 32

# %%
improved = quantize.correct_biases(int8, float32, clips[::20])
variants["int8_improved"] = improved
moved = sum(old != new for old, new in zip(int8, improved))
print(f"{moved / len(int8):.0%} of the bytes changed,",
      f"{len(improved) - len(int8)} were added")

# %% [markdown]
# **Predict.** In `int8` each weight takes one byte, no longer four. How many times smaller is the whole file, to the
# nearest whole number?
#
# given: many times smaller

# %% predict="7.1"
my_guess = ...

# %%
factor = len(float32) / len(int8)
compare("7.1", my_guess, round(factor))

# %% [markdown]
# And what do they still know? The clips are spoken by voices that the spotter never trained on. Choose any two variants,
# and play the clips whose name changed: would you have known?

# %% tags=["picture-dashboard"]
from course_lib.views.dashboard import Dashboard

unseen = dataset.bundled("test")
board = Dashboard(variants, unseen)
board.show()

# %% [markdown]
# Your own files open in the same way: `Dashboard({"a": "one.tflite", "b": "other.tflite"}, unseen)`, or with the button
# beside the two lists. What runs them all is an **interpreter**, a program that walks through the operations of a file
# and calls the code of each. Here it is LiteRT, as TensorFlow Lite is called today.
#
# A clip lost, another gained: is that a difference? **McNemar's test** looks only at the clips that changed sides. If
# nothing real had changed, each of them would fall to either side like a coin.

# %%
before = board.reports["float32"]
verdicts = {name: measure.mcnemar(before, after).verdict
            for name, after in board.reports.items() if after is not before}
for name, verdict in verdicts.items():
    print(f"{name} against float32: {verdict}")

# %% [markdown]
# So eight bits cost nothing that so few clips could show, and the same is true of all the other variants. (In lesson 27
# you write that test, and make files so small that it is needed.) The other surprise is the size: three times smaller,
# not four. Is it the weights?
#
# holds: set(verdicts.values()) == {"noise"} and round(factor) == 3

# %%
weights = sum(kernel.size for kernel in kernels.values())
biases = sum(len(kernel) for kernel in kernels.values())
print(f"{weights:,} weights and {biases} biases")

# %% [markdown]
# ### Exercise 7.2
# How many bytes do these take in the int8 file, if a weight takes one byte and a bias keeps four? Put the number into
# `int8_bytes`.

# %% exercise="7.2" points=1
# Exercise 7.2
### BEGIN SOLUTION
int8_bytes = weights * 1 + biases * 4
### END SOLUTION

# %% check="7.2"
check("7.2", int8_bytes)

# %% [markdown]
# It is not the weights: they do shrink almost four times. But the file also holds names and structure, which do not
# shrink, and the grids of all tensors, which are new. What is such a grid?
#
# holds: 3.5 < 4 * (weights + biases) / (weights + 4 * biases) < 4

# %% [markdown]
# ## A grid for numbers
#
# Start small: three bits, the integers −4 to 3, for the range −1 to 3. Eight levels have 7 gaps between them. Two numbers
# describe such a grid: the **scale** is the distance between two levels; the **zero point** is the integer that stands
# for 0.
#
# given: three, −4, 7

# %%
low, high = -1.0, 3.0
scale = (high - low) / 7
zero_point = round(-4 - low / scale)
print(f"scale {scale:.3f}, zero point {zero_point}")
grid = quantize.affine(low, high, bits=3)
draw.number_line(grid, [-1.3, -0.4, 0, 0.3, 1.1, 2.6])

# %% [markdown]
# Zero lies exactly on a level, and that is no accident: the zero point was rounded to a whole
# number, and with it the whole grid moved a little, to −1.14 and 2.86. ReLU writes zeros all day long, and a border of
# zeros is put around what goes into a layer: those must come back without error.
#
# holds: round(scale * (-4 - zero_point), 2) == -1.14 and round(scale * (3 - zero_point), 2) == 2.86
#
# **Predict.** A number that does not fit at all, 1,000, is stored in this grid. Which one comes back?
#
# given: 1,000

# %% predict="7.3"
my_guess = ...

# %%
compare("7.3", my_guess, round(float(grid.round_trip([1000])[0]), 2))

# %%
draw.staircase(grid, -2, 4)

# %% [markdown]
# Inside the range the error stays within half a step: that is **rounding**. Outside, the number **saturates**, and its
# error has no limit. A wider range saturates less and rounds more coarsely: every grid is a trade between the two.
#
# ### Exercise 7.4
# Write `quantize_one(value, scale, zero_point)`: the int8 that stands nearest to `value`, as the arrows
# above find it. What lies outside saturates at the lowest or the highest level.

# %% exercise="7.4" points=2
# Exercise 7.4
def quantize_one(value, scale, zero_point):
    ### BEGIN SOLUTION
    steps = round(value / scale) + zero_point
    return max(-128, min(127, steps))
    ### END SOLUTION

# %% check="7.4"
check("7.4", quantize_one)

# %% [markdown]
# ### Exercise 7.5
# Now the way back: `dequantize_one(q, scale, zero_point)` returns the number that q stands for.

# %% exercise="7.5" points=1
# Exercise 7.5
def dequantize_one(q, scale, zero_point):
    ### BEGIN SOLUTION
    return scale * (q - zero_point)
    ### END SOLUTION

# %% check="7.5"
check("7.5", dequantize_one)

# %% [markdown]
# ### Exercise 7.6
# And the grid itself: `grid_of(low, high)` returns the pair `(scale, zero_point)` of an int8 grid
# on which low is −128 and high is 127. Zero lies between them, or is one of them.

# %% exercise="7.6" points=2
# Exercise 7.6
def grid_of(low, high):
    ### BEGIN SOLUTION
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)
    ### END SOLUTION

# %% check="7.6"
check("7.6", grid_of)

# %% [markdown]
# ## A real tensor
#
# Back to the spotter's weights. How good is a grid for them? The **signal over the noise** is the energy of the weights
# (the sum of their squares) divided by that of their errors. **Decibels** count factors: 10 dB are a factor of ten, 20 dB
# one of a hundred.
#
# **Predict.** One more bit halves every step. How many decibels does that gain?

# %% predict="7.7"
my_guess = ...

# %%
grids = [quantize.symmetric(abs(w).max(), bits) for bits in range(4, 9)]
noise = [quantize.sqnr_db(w, grid.round_trip(w)) for grid in grids]
compare("7.7", my_guess, round(np.diff(noise).mean()))

# %% [markdown]
# holds: round(np.diff(noise).mean()) == 6
# given: Half the, a quarter
#
# Half the error is a quarter of its energy, so a bit is worth 6 dB. Choose a layer, move the bits, and watch how many
# weights collapse to 0.

# %%
draw.Histogram(kernels, largest, bits=4).show()

# %% [markdown]
# Weights use a **symmetric** grid: the zero point is 0 and −128 stays unused. There is a second way to gain some
# decibels: the filters of a layer differ in range, and the widest one sets the scale for all of them.

# %%
draw.channels(w, largest)

# %% [markdown]
# **Per channel**, each filter gets a scale of its own, which the file has to hold. How much is that
# worth?

# %%
def gain(w):
    one = quantize.symmetric(abs(w).max())
    each = quantize.per_channel(w)
    return (quantize.sqnr_db(w, each.round_trip(w))
            - quantize.sqnr_db(w, one.round_trip(w)))

gains = [gain(w) for w in kernels.values()]
print(f"a scale for each filter gains up to {max(gains):.0f} dB")

# %% [markdown]
# ## The converter
#
# Weights are known, but what flows between layers depends on the clip. So the converter runs the model on a
# **representative dataset**. This **calibration** notes the smallest and the largest value of each tensor between the
# layers, and makes its grid of them.

# %%
tf = session.import_tensorflow()
converter = tf.lite.TFLiteConverter.from_concrete_functions(
    [frozen.function])

def some_clips():
    for clip in clips[::10]:
        yield [clip.reshape(1, 49, 40, 1)]

converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = some_clips
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
with session.quiet():
    mine = converter.convert()
print(f"an int8 file of {round(len(mine), -3):,} bytes, or so,",
      f"{len(mine) / len(int8):.2f} times as large as `int8`")

# %% [markdown]
# Yours is `int8_per_channel`: the converter stores a scale for every filter, with a zero point beside it, always 0: no
# small thing in a small model. `int8` makes do with one scale a tensor, by a switch inside the converter that
# `tflite.convert` turns; on the chip it will be the smaller file.
#
# Give the converter clips as varied as what the device will hear: values beyond all that it saw will saturate.
# Lesson 27 shows what clips chosen badly can spoil, and lesson 17 what the chip computes on these grids.
#
# holds: len(variants) == len(tflite.VARIANTS) + 1 and len(variants["int8_per_channel"]) == len(mine)
# holds: 1.12 < len(mine) / len(int8) < 1.2

# %% [markdown]
# ## What you measured

# %%
lost = 100 * (before.accuracy - board.reports["int8"].accuracy)
print(f"eight bits: a file {factor:.0f} times smaller")
print("int8 within one point of float32:", lost <= 1)
print(f"one more bit: {np.diff(noise).mean():.0f} dB")
print(f"a scale for each filter: up to {max(gains):.0f} dB")
progress("07")

# %% [markdown]
# **Read on:**
# - [Jacob and others](https://arxiv.org/abs/1712.05877): the paper that this arithmetic comes from, zero points,
#   multipliers and all.
# - [LiteRT's specification](https://ai.google.dev/edge/litert/models/quantization_spec): which tensor of which
#   operation has which grid.
# - [Nagel and others](https://arxiv.org/abs/1906.04721): why quantizing shifts averages, and how biases make up for it.
#
# Does this file really run on a chip that has no files and no Python?
