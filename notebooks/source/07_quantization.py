# %% [markdown]
# # Quantization
#
# **What do eight bits cost?** Every weight of the spotter is a float of four bytes. A
# microcontroller has room for one. You put the numbers on a grid of 256 levels, and measure
# what that saves and what it loses. {minutes} minutes.
#
# given: 256
#
# Afterwards you can
# - put numbers on a grid of integers by hand, and take them back;
# - run an int8 file with LiteRT's own calls, and know which mistakes there nobody reports;
# - choose a variant of a model by its size and its accuracy, and tell a real drop from noise;
# - compute an int8 layer in integers, equal to LiteRT's in every byte.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import measure
from course_lib.experiments import peers
from course_lib import quantize, session, spotter, tflite
from course_lib.views import quantization as draw
from course_lib.views import sizes
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

# %% [markdown]
# ## A grid for numbers
#
# Start small: eight levels for the range −1 to 3. Two numbers describe such a grid. The **scale**
# is the distance between two levels; the **zero point** is the integer that stands for 0.

# %%
low, high = -1.0, 3.0
scale = (high - low) / 7
zero_point = round(-4 - low / scale)
print(f"scale {scale:.3f}, zero point {zero_point}")

# %%
grid = quantize.affine(low, high, bits=3)
draw.number_line(grid, [-1.3, -0.4, 0, 0.3, 1.1, 2.6])

# %% [markdown]
# Zero lies exactly on a level, and that is no accident: the zero point was rounded to a whole
# number, and with it the whole grid moved a little, to −1.14 and 2.86. Padding and ReLU write zeros
# all day long, and those must come back without error.
#
# holds: round(scale * (-4 - zero_point), 2) == -1.14 and round(scale * (3 - zero_point), 2) == 2.86
#
# **Predict.** 0.3 is stored as −1. Which number comes back?

# %% predict="7.8"
my_guess = ...

# %%
compare("7.8", my_guess, round(float(grid.dequantize(-1)), 2))

# %%
draw.staircase(grid, -2, 4)

# %% [markdown]
# Inside the range the error stays within half a step: that is **rounding**. Outside, the number
# **saturates**, and its error has no limit. A wider range saturates less and rounds more coarsely.
# The whole lesson is about this trade.
#
# ### Exercise 7.1
# Write `quantize_one(value, scale, zero_point)`: the int8 that stands nearest to `value`, as the arrows
# above find it. What lies outside saturates at the lowest or the highest level.

# %% exercise="7.1" points=2
# Exercise 7.1
def quantize_one(value, scale, zero_point):
    ### BEGIN SOLUTION
    steps = round(value / scale) + zero_point
    return max(-128, min(127, steps))
    ### END SOLUTION

# %% check="7.1"
check("7.1", quantize_one)

# %% [markdown]
# ### Exercise 7.2
# Now the way back: `dequantize_one(q, scale, zero_point)` returns the number that q stands for.

# %% exercise="7.2" points=1
# Exercise 7.2
def dequantize_one(q, scale, zero_point):
    ### BEGIN SOLUTION
    return scale * (q - zero_point)
    ### END SOLUTION

# %% check="7.2"
check("7.2", dequantize_one)

# %% [markdown]
# ### Exercise 7.3
# And the grid itself: `grid_of(low, high)` returns the pair `(scale, zero_point)` of an int8 grid
# on which low is −128 and high is 127. Zero lies between them, or is one of them.

# %% exercise="7.3" points=2
# Exercise 7.3
def grid_of(low, high):
    ### BEGIN SOLUTION
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)
    ### END SOLUTION

# %% check="7.3"
check("7.3", grid_of)

# %% [markdown]
# ## A real tensor
#
# Here are the weights of the trained spotter, taken from its float file. Choose a layer, move the
# bits, and watch two things: how many weights collapse to 0, and the **signal over the noise**, which is
# the energy of the weights beside that of their errors.

# %%
from course_lib.views.quantization import Histogram

kernels = quantize.read(tflite.load("spotter_float32")).kernels
largest = max(kernels, key=lambda name: kernels[name].size)
Histogram(kernels, largest, bits=4).show()

# %% [markdown]
# Weights use a **symmetric** grid: the zero point is 0 and −128 stays unused. **Decibels** count
# factors: 10 dB are a factor of ten, 20 dB one of a hundred.
#
# **Predict.** One more bit halves every step. How many decibels does that gain?

# %% predict="7.9"
my_guess = ...

# %%
w = kernels[largest]
grids = [quantize.symmetric(abs(w).max(), bits) for bits in range(4, 9)]
noise = [quantize.sqnr_db(w, grid.round_trip(w)) for grid in grids]
compare("7.9", my_guess, round(np.diff(noise).mean()))

# %% [markdown]
# holds: round(np.diff(noise).mean()) == 6
# given: Half the, a quarter
#
# Half the error is a quarter of its energy, so a bit is worth 6 dB. There is a second way to gain
# some: the filters of a layer differ in range, and the widest one sets the scale for all of them.

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
# Weights are known, but what flows between layers depends on the clip. So the converter runs a
# **representative dataset**. This **calibration** notes the smallest and the largest value of every tensor.

# %%
tf = session.import_tensorflow()
frozen = freezing.frozen(spotter.load())
train = dataset.bundled("train")
clips = features.of(train)
converter = tf.lite.TFLiteConverter.from_concrete_functions(
    [frozen.function])

# %%
def some_clips():
    for clip in clips[::10]:
        yield [clip.reshape(1, 49, 40, 1)]

converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = some_clips
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8

# %%
with session.quiet():
    mine = converter.convert()
print(f"an int8 file of {round(len(mine), -3):,} bytes, or so")

# %% [markdown]
# `tflite.convert` sets such options for you:
# - `float32`: nothing set, nothing quantized;
# - `dynamic_range`: int8 weights, floats between the layers, which some kernels put on a grid as
#   they come (a kernel is here the code of one operation); `float16`: weights in half the bytes;
# - `int16x8`: int8 weights, 16 bits for what flows;
# - `int8_per_channel`: the same settings as yours, the converter's own choice;
# - `int8`: one scale a tensor instead, by a switch inside the converter; `int8_float_io`: the same,
#   with floats at both ends.
#
# given: 16, half the

# %%
variants = {name: tflite.convert(frozen, name, clips)
            for name in tflite.VARIANTS}
int8, float32 = variants["int8"], variants["float32"]
print(f"yours is {len(mine) / len(int8):.2f} times as large as int8")

# %% [markdown]
# The scales and zero points of all filters are no small thing in a small model.
#
# An eighth one is your own. Rounding shifts the average of every channel a little. A bias has 32
# bits, so it can shift that back, for not one byte more.
#
# holds: len(variants) == 7 and len(variants["int8_per_channel"]) == len(mine)
# holds: 1.12 < len(mine) / len(int8) < 1.2
# given: 32

# %%
some = clips[::20]
improved = quantize.correct_biases(int8, float32, some)
variants["int8_improved"] = improved
moved = sum(old != new for old, new in zip(int8, improved))
print(f"{moved / len(int8):.0%} of the bytes changed,",
      f"{len(improved) - len(int8)} were added")

# %%
weights = sum(kernel.size for kernel in kernels.values())
biases = sum(len(kernel) for kernel in kernels.values())
print(f"{weights:,} weights and {biases} biases")

# %% [markdown]
# ### Exercise 7.4
# How many bytes do these weights and biases take in the int8 file, if a weight takes one byte and a
# bias keeps four? Put the number into `int8_bytes`.

# %% exercise="7.4" points=1
# Exercise 7.4
### BEGIN SOLUTION
int8_bytes = weights * 1 + biases * 4
### END SOLUTION

# %% check="7.4"
check("7.4", int8_bytes)

# %% [markdown]
# **Predict.** The weights become almost four times smaller. How many times smaller is the whole
# file, to the nearest whole number?
#
# holds: 3.5 < 4 * weights / int8_bytes < 4
# given: many times smaller

# %% predict="7.10"
my_guess = ...

# %%
factor = len(float32) / len(int8)
compare("7.10", my_guess, round(factor))

# %% [markdown]
# ## Before and after
#
# Choose any two variants. The clips are spoken by voices that the spotter never trained on. Play
# the ones whose name changed: would you have known?

# %% tags=["picture-dashboard"]
from course_lib.views.dashboard import Dashboard

unseen = dataset.bundled("test")
board = Dashboard(variants, unseen)
board.show()

# %% [markdown]
# Your own files open in the same way: `Dashboard({"a": "one.tflite", "b": "other.tflite"}, unseen)`,
# or with the button beside the two lists.
#
# ## Run one yourself
#
# Who ran all these files? An **interpreter**, a program that walks through the operations and calls the code of each.
# Here it is LiteRT, as TensorFlow Lite is called today, behind a function of ours. On a phone you have only its own
# calls: make room for the tensors, set the input, invoke, get the output. The input is int8, and nobody puts your
# numbers on its grid. The file tells you scale and zero point; the rest is yours.

# %%
from ai_edge_litert.interpreter import Interpreter, OpResolverType

plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # alike everywhere
with session.quiet():
    litert = Interpreter(model_content=tflite.load("spotter_int8"),
                         experimental_op_resolver_type=plain)
litert.allocate_tensors()
fed, = litert.get_input_details()
read, = litert.get_output_details()
step, zero = fed["quantization"]
print(f"{fed['dtype'].__name__}, scale {step:.4f}, zero point {zero}")

def heard(stored):
    indices = []
    for clip in stored.astype(np.int8):
        litert.set_tensor(fed["index"], clip.reshape(fed["shape"]))
        litert.invoke()
        indices.append(litert.get_tensor(read["index"]).argmax())
    return np.array(indices)

# %%
def to_int8(numbers):
    if one := yours("7.1", quantize_one, None):
        return np.vectorize(one)(numbers, step, zero)
    return quantize.Affine(step, zero).quantize(numbers)  # ours

rows = features.of(unseen)
ours = tflite.run(tflite.load("spotter_int8"), rows).argmax(axis=1)
print("every clip is heard as before:", np.all(heard(to_int8(rows)) == ours))

# %% [markdown]
# Now do it wrong in four ways. Listen to the clips as they are, and as a microphone gives them that is turned up too
# far: 16 times as loud, and cut off where a sound card ends. How many of the names change?
#
# given: 16 times as loud

# %%
loud = features.log_mel(np.clip(16 * unseen.waves, -1, 1))
ways = {
    "no scale": lambda x: x,
    "no zero point": lambda x: np.clip(np.round(x / step), -128, 127),
    "cut, not rounded":
        lambda x: np.clip(np.trunc(x / step) + zero, -128, 127),
    "no clipping": lambda x: (np.round(x / step) + zero).astype(int)}
rights = heard(to_int8(rows)), heard(to_int8(loud))
changed = {}
for way, store in ways.items():
    changed[way] = [int((heard(store(x)) != right).sum())
                    for x, right in zip((rows, loud), rights)]
    print("{}: {} of {}, turned up {}".format(
        way, changed[way][0], len(rows), changed[way][1]))

# %% [markdown]
# Not one of these gave an error: any int8 of the right shape will do. Without the scale every clip becomes silence,
# which you notice at once. The zero point costs a clip here and there. Cutting moves a number by up to a whole step and
# is forgiven nearly always. And clipping is not missed at all, until the microphone is turned up: a number just above
# 127 comes in as −128, the loudest as the most silent. Try the loudest input that you can get.
#
# The output is int8, too. For a name the largest integer is enough; for a probability go back as in exercise 7.2, with
# `read["quantization"]`.
#
# holds: np.all(heard(ways["no scale"](rows)) == dataset.SILENCE)
# holds: changed["cut, not rounded"][0] <= 2 and changed["no clipping"][0] <= 2
# holds: changed["no clipping"][1] >= 3 and 5 <= changed["no zero point"][0] < len(rows) / 8
# holds: np.array(128).astype(np.int8) == -128 and all(d["dtype"] == np.int8 for d in (fed, read))

# %% [markdown]
# ## Where the factor of four comes true
#
# "Quantizing makes a model four times smaller" is almost true of the weights. The file also holds
# names and structure, which do not shrink, and scales, which are new.
#
# given: four times smaller

# %%
kinds = {name: measure.bytes_by_kind(model)
         for name, model in variants.items()}
sizes.by_kind(kinds)

# %%
of_weights = kinds["float32"]["weights"] / kinds["int8"]["weights"]
print(f"weights: {of_weights:.1f} times, file: {factor:.0f} times smaller")
print("close to 4 for the weights:", 3.8 < of_weights < 4)
print("close to 4 for the file:", factor > 3.8)

# %% [markdown]
# Is that the fault of this model? Try two others of the field: one with two fat layers, one with
# many thin ones.

# %%
noise = np.random.default_rng(7).normal(size=(20, 49, 40))
others = {"tiny_conv": (peers.tiny_conv(), noise),
          "ds_cnn": (peers.ds_cnn(), noise[:, :, :10])}
pairs = {"spotter": (kinds["float32"], kinds["int8"])}
for name, (model, rows) in others.items():
    pairs[name] = tuple(
        measure.bytes_by_kind(tflite.convert(freezing.frozen(model), v, rows))
        for v in ("float32", "int8"))
sizes.factors(pairs)

# %% [markdown]
# The more weights in a layer, the nearer the file comes to 4: every layer brings tables of its own,
# whatever its weights.
#
# holds: sum(pairs["tiny_conv"][0].values()) / sum(pairs["tiny_conv"][1].values()) > 3.5
# holds: sum(pairs["ds_cnn"][0].values()) / sum(pairs["ds_cnn"][1].values()) > factor

# %% [markdown]
# ## What calibration can spoil
#
# The ranges are only as good as the clips that made them. Five ways to choose those badly:

# %%
few = clips[::8]
outlier = few.copy()
outlier[0, 20, 20] = 60
wrong = {"one clip": few[:1],
         "silence only": clips[train.labels == dataset.SILENCE],
         "played at 1 %": features.log_mel(train.waves[::8] / 100),
         "features / 10": few / 10, "one outlier": outlier}

# %% [markdown]
# **Predict.** Which of them costs the most accuracy? Write its name.

# %% predict="7.11"
my_guess = ...

# %%
spoiled = {"training clips": int8}
spoiled |= {name: tflite.convert(frozen, "int8", rows)
            for name, rows in wrong.items()}
reports = {name: measure.report(name, model, unseen)
           for name, model in spoiled.items()}
worst = min(reports, key=lambda name: reports[name].accuracy)
compare("7.11", my_guess, worst)

# %%
draw.calibrations(
    {name: quantize.activation_ranges(m) for name, m in spoiled.items()},
    {name: report.accuracy for name, report in reports.items()})

# %% [markdown]
# Ranges that are too narrow cut off what matters; too wide ones waste levels, which this model
# forgives. But where do the lost clips go? Open all six in the dashboard and look at the confusions.

# %%
order = ["training clips", *wrong]
order.append(order.pop(order.index(worst)))
Dashboard([reports[name] for name in order], unseen).show()

# %% [markdown]
# With its numbers cut off, the model takes nearly every clip for the same thing. Give the converter
# exactly what the device will hear, in all its variety.
#
# holds: np.bincount(reports[worst].predictions).max() > 0.8 * reports[worst].n
#
# How narrow is too narrow? Pick a layer and cut off its rarest outputs. At four bits the signal over
# noise *rises* for a while: finer steps for all are worth a few that saturate.

# %%
from course_lib.views.quantization import Calibration

run = quantize.run_integer(int8, features.of(unseen)[:40])
outputs = {run.plan.label(operation): run.real(operation.outputs[0])
           for operation in run.plan.operations}
Calibration(outputs, list(outputs)[1], bits=4).show()

# %% [markdown]
# ## The error, layer by layer
#
# Run the float and the int8 file side by side and compare every tensor. Noise gathers on the way,
# and an average cleans some of it up again.

# %%
rows = features.of(unseen)
errors = quantize.layer_errors(float32, int8, rows)
mended = quantize.layer_errors(float32, improved, rows)
draw.layer_errors({"int8": errors, "int8_improved": mended})

# %%
lifted = sum(new.sqnr_db > old.sqnr_db
             for old, new in zip(errors, mended))
lowest = [min(each.worst_db for each in found)
          for found in (errors, mended)]
print("mended biases lift most layers:", lifted > len(errors) / 2)
print("and the clip that suffers most:", lowest[1] > lowest[0])

# %%
noisiest = min(errors, key=lambda error: error.sqnr_db)
print(f"the noisiest layer is {noisiest.label}; its worst clip:")

# %% tags=["nbval-ignore-output"]
unseen.play(noisiest.worst_clip)

# %% [markdown]
# Which layer is to blame? Keep one at a time in floats, and for comparison store its weights in only
# four bits. Do the answers come closer to those of the float model? Choose on training clips; the
# unseen ones are for judging.

# %%
truth = tflite.run(float32, some)

def quality(model):
    answers = tflite.run(model, some)
    return len(model), quantize.sqnr_db(truth, answers)

# %%
calibrated = quantize.calibrate(frozen, few)
layers = [run.plan.label(step) for step in run.plan.operations
          if step.kind == "CONV_2D"]
floats = {layer: quality(calibrated.quantized([layer])) for layer in layers}
fours = {layer: quality(quantize.four_bits(int8, float32, [layer]))
         for layer in layers}
draw.bits_per_layer(quality(int8), floats, fours)

# %% [markdown]
# No single layer is to blame: whichever you keep in floats, it costs kilobytes, and some decibels
# are all it gains. Some layers would even do with fewer bits.
#
# holds: max(db for _, db in floats.values()) - quality(int8)[1] < 7

# %% [markdown]
# ## As small as you can
#
# So take first what costs little: an open batch, scales for every filter, names, and parts that the
# file holds twice. Then give layers four bits, the cheapest first, until the file is small enough.
# Their biases make up for the average error.
#
# given: twice

# %%
def smaller(layers):
    four = quantize.four_bits(int8, float32, layers)
    return quantize.correct_biases(four, float32, some)

small, chosen = tflite.compact(int8), []
for layer in quantize.cheapest_first(quality(int8), fours):
    if len(float32) / len(small) < 3.8:
        chosen.append(layer)
        four = smaller(chosen)
        small = tflite.compact(four)

# %%
left_open = freezing.concrete(spotter.load(), batch=None)
steps = {"float32": float32,
         "any batch": tflite.convert(left_open, "int8_per_channel", clips),
         "batch of 1": variants["int8_per_channel"],
         "one scale a tensor": int8, "no names": tflite.strip(int8),
         "nothing twice": tflite.compact(int8),
         f"{len(chosen)} layers in 4 bits": small}

# %%
found = {name: measure.report(name, model, unseen)
         for name, model in steps.items()}
sizes.steps({name: report.bytes for name, report in found.items()},
            {name: report.accuracy for name, report in found.items()}, 3.8)

# %%
before, after = list(found.values())[0], list(found.values())[-1]
reached = before.bytes / after.bytes >= 3.8
points = 100 * (before.accuracy - after.accuracy)
shrunk = measure.mcnemar(before, after)
print("3.8 times smaller or more:", reached)
print("within one point of float32:", points <= 1,
      "- the change:", shrunk.verdict)
bare = len(tflite.compact(float32)) / after.bytes
print(f"beside a float file that was compacted, too: {bare:.1f} times")

# %% [markdown]
# "Noise" does not mean that nothing was lost, but that so few clips cannot show it. Were a point lost for good, one clip
# in a hundred, then more than a fifth of all tests of this size would still lose a single clip or none. (You will do
# the test itself, below.)
#
# holds: 0.99 ** before.n + before.n * 0.01 * 0.99 ** (before.n - 1) > 0.2
#
# An average can hide what went wrong. Look at the clips: here is every step beside every other.

# %%
Dashboard(steps, unseen).show()

# %% [markdown]
# ## One layer by hand
#
# What does the chip compute? Take the first convolution. Each output is a sum of products of
# integers: the **accumulator**, 32 bits wide. Nothing is rounded yet.
#
# given: 32

# %%
first = run.plan.operations[0]
x, w, bias = (run.plan.values[index] for index in first.inputs)
y = run.plan.values[first.outputs[0]]
stride = first.options["strideH"], first.options["strideW"]
window = quantize.Window(stride, padding="SAME")
accumulator = quantize.accumulate(run.tensors[x.index], x.grid.zero_point,
                                  w.stored, bias.stored, window)
print("it needs more than 8 bits:", abs(accumulator).max() > 127)

# %% [markdown]
# One accumulator step is worth `x.scale * w.scale`, one output step `y.scale`. Their ratio is a
# fraction, and the chip may have no floats. So it becomes an integer **mantissa** and a shift.

# %%
ratio = float(x.grid.scale) * float(w.grid.scale) / float(y.grid.scale)
by = quantize.multiplier(ratio)
print("a 31-bit mantissa:", 2**30 <= by.mantissa < 2**31)
print("as exact as a float:", abs(by.real / ratio - 1) < 1e-9)

# %% [markdown]
# ### Exercise 7.5
# Write `requantize(accumulator, mantissa, shift)`: accumulator × mantissa / 2**shift, rounded to the
# nearest integer, with nothing but `+`, `*`, `-`, `<<` and `>>`. A half may go up.
#
# given: A half

# %% exercise="7.5" points=3
# Exercise 7.5
def requantize(accumulator, mantissa, shift):
    ### BEGIN SOLUTION
    half = 1 << (shift - 1)
    return (accumulator * mantissa + half) >> shift
    ### END SOLUTION

# %% check="7.5"
check("7.5", requantize)

# %% [markdown]
# The kernel rounds twice, in the product and in the shift; `quantize.requantize` does as it does.
# Then the zero point is added and both ends are cut. The lower cut is at once the ReLU.
#
# given: twice

# %%
scaled = quantize.requantize(accumulator, by) + y.grid.zero_point
by_hand = np.clip(scaled, max(-128, y.grid.zero_point), 127)
runner = tflite.Interpreter(int8, keep_all=True, reference=True)
runner.step(run.tensors[x.index][:1])
kernel = runner.raw.get_tensor(y.index)
print("every byte equal:", np.array_equal(by_hand[:1], kernel))

# %% [markdown]
# One layer might be luck. The library has the other layers too, the softmax included, and
# compares every byte of every tensor, with eight bits and with some layers in four.

# %%
compared = different = 0
for model in (int8, four):
    counts = quantize.against_kernels(model, clips[:100])
    compared += sum(count for count, _ in counts.values())
    different += sum(count for _, count in counts.values())
print(f"{compared:,} bytes, {different} different")

# %% [markdown]
# That is LiteRT's reference interpreter: plain loops, not tuned for speed. Not every correct one
# rounds twice. Where it rounds once, as your `requantize` does, an output may differ by a step, and by
# more when the layers after it have worked on that. Lesson 08 compares four.
#
# given: twice

# %%
sums = np.arange(-20_000, 20_000)
twice = quantize.requantize(sums, by)
once = quantize.requantize_once(sums, by)
if yourself := yours("7.5", requantize, None):
    once = yourself(sums, by.mantissa, 31 - by.shift)
print("some outputs differ:", np.any(once != twice))
print("by more than a step:", np.any(abs(once - twice) > 1))

# %% [markdown]
# ## Is the drop real?
#
# If the int8 file gets a few clips fewer right, is it worse? **McNemar's test** looks only at clips that
# went from right to wrong, or back: if nothing real had changed, each would fall to either side like a coin.

# %%
before, after = board.reports["float32"], board.reports["int8"]
print("int8 against float32:", measure.mcnemar(before, after).verdict)
change = measure.mcnemar(reports["training clips"], reports[worst])
print(f"{worst} against training clips:", change.verdict)

# %% [markdown]
# ### Exercise 7.6
# Write `p_value(lost, gained)`: how often do `lost + gained` fair coins fall at least as unevenly, to
# either side? Sum the smaller tail, double it, and stop at 1.

# %% exercise="7.6" points=2
# Exercise 7.6
from math import comb

def p_value(lost, gained):
    ### BEGIN SOLUTION
    flips = lost + gained
    tail = sum(comb(flips, k) for k in range(min(lost, gained) + 1))
    return min(1.0, 2 * tail / 2**flips)
    ### END SOLUTION

# %% check="7.6"
check("7.6", p_value)

# %% [markdown]
# Did the smallest file of all lose more than chance would take? Now by your own test, with the usual
# limit of one in twenty.

# %%
p = yours("7.6", p_value, lambda *_: shrunk.p_value)(
    shrunk.lost, shrunk.gained)
print("by chance alone such a change comes",
      "often" if p >= 0.05 else "rarely")

# %% [markdown]
# ### Exercise 7.7
# `choose(variants, budget_bytes)` gets rows `(name, bytes, accuracy)`. Return the name of the most
# accurate one that fits the budget, or `None` if none does.

# %% exercise="7.7" points=2
# Exercise 7.7
def choose(variants, budget_bytes):
    ### BEGIN SOLUTION
    fitting = [row for row in variants if row[1] <= budget_bytes]
    if not fitting:
        return None
    return max(fitting, key=lambda row: row[2])[0]
    ### END SOLUTION

# %% check="7.7"
check("7.7", choose)

# %% [markdown]
# ## What you measured

# %%
lost = 100 * (before.accuracy - after.accuracy)
print(f"weights {of_weights:.1f} times, file {factor:.0f} times smaller")
print("the whole file 3.8 times smaller, in the end:", reached)
print("int8 within one point of float32:", lost <= 1)
print("what spoils calibration most:", worst)
print("bytes that differ from the kernels:", different)
progress("07")

# %% [markdown]
# **Read on:**
# - [Jacob and others](https://arxiv.org/abs/1712.05877): the paper that this arithmetic comes from, zero points,
#   multipliers and all.
# - [LiteRT's specification](https://ai.google.dev/edge/litert/models/quantization_spec): which tensor of which
#   operation has which grid.
# - [Nagel and others](https://arxiv.org/abs/1906.04721): why quantizing shifts averages, and how biases make up for it.
# - [A benchmark gone wrong](https://github.com/mlcommons/tiny/issues/140): an int8 model fed and read by hand, with
#   figures hardly better than chance. Which lines would you change?
# - [McNemar's test](https://www.statsmodels.org/stable/generated/statsmodels.stats.contingency_tables.mcnemar.html) in
#   a library of statistics, exact as yours or approximate.
#
# Next: does this file really run on a chip that has no files and no Python?
