# %% [markdown]
# # Smaller still
#
# **How small can a model get before it gets worse, and how would you know?** You spoil a file by five bad calibrations,
# test whether a drop is real, and squeeze the spotter until the factor of four comes true. {minutes} minutes.
#
# Afterwards you can
# - choose clips for the calibration, and see when they were the wrong ones;
# - tell a real drop of accuracy from noise, by a test of your own;
# - say where the bytes of a small model lie, and which of them you can do without.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import measure, quantize, spotter, tflite
from course_lib.experiments import peers
from course_lib.views import quantization as draw
from course_lib.views import sizes
from course_lib.views.dashboard import Dashboard
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

# %% [markdown]
# These clips set the grids in lesson 07. Which of them does a file need?

# %%
train, unseen = dataset.bundled("train"), dataset.bundled("test")
clips = features.of(train)
train

# %%
frozen = freezing.frozen(spotter.load())
variants = {name: tflite.convert(frozen, name, clips)
            for name in ("float32", "int8", "int8_per_channel")}
float32, int8 = variants["float32"], variants["int8"]
print("three files, as lesson 07 made them:", *variants)

# %% [markdown]
# ## What calibration can spoil
#
# The grids are only as good as the clips whose smallest and largest values made them. Here are five ways to choose those
# badly. (The outlier is one number, set to 60; all others are below 7.)
#
# given: 60
# holds: features.of(dataset.bundled("train")).max() < 7

# %%
few = clips[::8]
outlier = few.copy()
outlier[0, 20, 20] = 60
wrong = {"one clip": few[:1],
         "silence only": clips[train.labels == dataset.SILENCE],
         "played at 1 %": features.log_mel(train.waves[::8] / 100),
         "features / 10": few / 10, "one outlier": outlier}

# %% [markdown]
# **Predict.** Which of them costs the most accuracy? Write its name in quotes, as it
# stands in `wrong`.

# %% predict="27.1"
my_guess = ...

# %%
spoiled = {"training clips": int8}
spoiled |= {name: tflite.convert(frozen, "int8", rows)
            for name, rows in wrong.items()}
reports = {name: measure.report(name, model, unseen)
           for name, model in spoiled.items()}
worst = min(reports, key=lambda name: reports[name].accuracy)
compare("27.1", my_guess, worst)

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
# With its numbers cut off, the model takes every clip for the same thing.
#
# holds: np.bincount(reports[worst].predictions).max() == reports[worst].n
#
# How narrow is too narrow? Pick a layer and cut off its rarest outputs. At four bits the signal over noise *rises* for a
# while: finer steps for all are worth a few that saturate.

# %%
from course_lib.views.quantization import Calibration

run = quantize.run_integer(int8, features.of(unseen)[:40])
outputs = {run.plan.label(operation): run.real(operation.outputs[0])
           for operation in run.plan.operations}
Calibration(outputs, list(outputs)[1], bits=4).show()

# %% [markdown]
# ## Is the drop real?
#
# That drop leaves no doubt. But a clip or two? McNemar's test counts the clips that went from right to wrong, and
# those that went from wrong to right: if nothing real had changed, each would fall to either side like a coin.

# %%
full = measure.report("float32", float32, unseen)
for name in ("training clips", worst):
    change = measure.mcnemar(full, reports[name])
    print(f"{name} against float32: {change.verdict}")

# %% [markdown]
# ### Exercise 27.2
# Write `p_value(lost, gained)`: how often do `lost + gained` fair coins fall at least as unevenly, to
# either side? Chance alone makes such a change that often.
#
# `comb(n, k)` counts the ways in which k of n coins show heads. All those for 0 heads, 1, and so on up to the smaller of
# your counts make up one tail, the uneven end of all outcomes. Double it for the other tail, and stop at 1.
#
# given: 0 heads, 1

# %% exercise="27.2" points=2
# Exercise 27.2
from math import comb

def p_value(lost, gained):
    ### BEGIN SOLUTION
    flips = lost + gained
    tail = sum(comb(flips, k) for k in range(min(lost, gained) + 1))
    return min(1.0, 2 * tail / 2**flips)
    ### END SOLUTION

# %% check="27.2"
check("27.2", p_value)

# %% [markdown]
# ## Where the factor of four comes true
#
# "Quantizing makes a model four times smaller" is almost true of the weights. The file also holds names and structure,
# which do not shrink, and scales, which are new.
#
# given: four times smaller

# %%
kinds = {name: measure.bytes_by_kind(model)
         for name, model in variants.items()}
factor = len(float32) / len(int8)
of_weights = kinds["float32"]["weights"] / kinds["int8"]["weights"]
print("close to 4 for the weights:", 3.8 < of_weights < 4)
print("close to 4 for the file:", factor > 3.8)
sizes.by_kind(kinds)

# %% [markdown]
# Is that the fault of this model? Two others of the field: `tiny_conv` has two layers, one with very many weights;
# `ds_cnn` has many layers with few. (Only sizes count here, so random noise is enough to calibrate with.)
#
# **Predict.** Which of the three files comes nearest to a factor of four: spotter, tiny_conv, ds_cnn?

# %% predict="27.3"
my_guess = ...

# %%
noise = np.random.default_rng(7).normal(size=(20, 49, 40))
others = {"tiny_conv": (peers.tiny_conv(), noise),
          "ds_cnn": (peers.ds_cnn(), noise[:, :, :10])}
pairs = {"spotter": (kinds["float32"], kinds["int8"])}
for name, (model, rows) in others.items():
    pairs[name] = tuple(
        measure.bytes_by_kind(tflite.convert(freezing.frozen(model), v, rows))
        for v in ("float32", "int8"))
factors = {name: sum(before.values()) / sum(after.values())
           for name, (before, after) in pairs.items()}
compare("27.3", my_guess, max(factors, key=factors.get))
sizes.factors(pairs)

# %% [markdown]
# The more weights in a layer, the nearer the file comes to 4: every layer brings tables of its own,
# whatever its weights.
#
# holds: factors["tiny_conv"] > 3.5 and factors["ds_cnn"] > factor

# %% [markdown]
# ## As small as you can
#
# Where can a bit be spared? Store the weights of one layer at a time in only four, and for comparison keep that layer in
# floats. How near do the answers stay to those of the float model? Choose on training clips; the unseen ones are for
# judging.
#
# **Predict.** Each of the six convolutions gets four bits once. How many of the six files are smaller than `int8`?
#
# given: six
# given: four bits

# %% predict="27.4"
my_guess = ...

# %%
some = clips[::20]
truth = tflite.run(float32, some)

def quality(model):
    answers = tflite.run(model, some)
    return len(model), quantize.sqnr_db(truth, answers)

calibrated = quantize.calibrate(frozen, few)
layers = [run.plan.label(step) for step in run.plan.operations
          if step.kind == "CONV_2D"]
floats = {layer: quality(calibrated.quantized([layer])) for layer in layers}
fours = {layer: quality(quantize.four_bits(int8, float32, [layer]))
         for layer in layers}
shrunken = sum(size < len(int8) for size, _ in fours.values())
compare("27.4", my_guess, shrunken)
draw.bits_per_layer(quality(int8), floats, fours)

# %% [markdown]
# No single layer makes all the noise: whichever you keep in floats, the file grows, and a few decibels are the most
# that it gains, sometimes none worth the name. Four bits cost more than that, but `follow_3` would do with them. For
# `listen` they make the file even larger: the scales and zero points of its filters take more bytes than it saves,
# because it has so few weights.
#
# So first take away what you hardly miss: room for any number of clips at once, scales for every filter, names, and
# parts that the file holds twice. Then give layers four bits, in the order of decibels lost for each byte saved:
# `merge` loses many, but it is large. The loop below adds one layer after the other until the file is 3.8 times
# smaller. Mended biases, as in lesson 07, make up for the average error.
#
# holds: fours["listen"][0] > len(int8) and quality(int8)[1] - fours["follow_3"][1] < 2
# holds: min(size for size, _ in floats.values()) > len(int8) and min(db for _, db in floats.values()) < quality(int8)[1] + 1
# holds: quantize.cheapest_first(quality(int8), fours)[:2] == ("follow_3", "merge")
# holds: sorted(fours, key=lambda layer: fours[layer][1])[1] == "merge"
# given: 3.8 times smaller
# holds: max(db for _, db in floats.values()) - quality(int8)[1] < 7
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

# %% [markdown]
# Here is every step on the way, from the float file to the last one.

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
before, after = found["float32"], list(found.values())[-1]
reached = before.bytes / after.bytes >= 3.8
points = 100 * (before.accuracy - after.accuracy)
shrunk = measure.mcnemar(before, after)
p = yours("27.2", p_value, lambda *_: shrunk.p_value)(
    shrunk.lost, shrunk.gained)
print("3.8 times smaller or more:", reached)
print("within one point of float32:", points <= 1)
print("by chance alone such a change comes",
      "often" if p >= 0.05 else "rarely")
bare = len(tflite.compact(float32)) / after.bytes
print(f"beside a float file that was compacted, too: {bare:.1f} times")

# %% [markdown]
# "Often" means in more than one of twenty cases, the usual limit. It does not mean that nothing was lost, but that so
# few clips cannot show it. Were a point lost for good, one clip in a hundred, then more than a fifth of all tests of
# this size would still lose a single clip or none.
#
# An average can hide what went wrong. Look at the clips: here is every step beside every other.
#
# holds: p >= 0.05 and 0.99 ** before.n + before.n * 0.01 * 0.99 ** (before.n - 1) > 0.2

# %%
Dashboard(steps, unseen).show()

# %% [markdown]
# ### Exercise 27.5
# A chip has room for so many bytes and no more. `choose(variants, budget_bytes)` gets rows `(name, bytes, accuracy)`.
# Return the name of the most accurate one that fits the budget, or `None` if none does. No two are equally accurate.

# %% exercise="27.5" points=2
# Exercise 27.5
def choose(variants, budget_bytes):
    ### BEGIN SOLUTION
    fitting = [row for row in variants if row[1] <= budget_bytes]
    if not fitting:
        return None
    return max(fitting, key=lambda row: row[2])[0]
    ### END SOLUTION

# %% check="27.5"
check("27.5", choose)

# %% [markdown]
# ## What you measured

# %%
print("what spoils calibration most:", worst)
print(f"weights {of_weights:.1f} times, file {factor:.0f} times smaller")
print("the whole file 3.8 times smaller, in the end:", reached)
print("by chance alone such a change comes",
      "often" if p >= 0.05 else "rarely")
progress("27")

# %% [markdown]
# **Read on:**
# - [McNemar's test](https://www.statsmodels.org/stable/generated/statsmodels.stats.contingency_tables.mcnemar.html) in
#   a library of statistics, exact or approximate.
# - [Model optimization](https://developers.google.com/edge/litert/quantization/model_optimization): the makers' list of
#   ways to quantize, and what each is for.
# - [Krishnamoorthi](https://arxiv.org/abs/1806.08342): which bits and which grids cost how much accuracy, in larger
#   models than this.
