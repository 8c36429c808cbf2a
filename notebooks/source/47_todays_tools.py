# %% [markdown]
# # Today's tools beside ours
#
# **What do the tools of today make of recipes that you know?** You give them the spotter, compare every weight with ours,
# and find what spoils a file whose weights are all right. {minutes} minutes.
#
# Afterwards you can
# - tell LiteRT's own quantizer what lessons 07 and 27 told the converter, and check what it did;
# - paint a number of your own onto every node, in Model Explorer;
# - say what changes in a `.tflite` when the network comes from PyTorch.

# %% setup

# %%
import json
from collections import Counter

import numpy as np

from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import measure, quantize, session, spotter, tflite
from course_lib.experiments import folded, todays_tools
from course_lib.views import graph as draw_graph
from course_lib.views import quantization as draw
from course_lib.views import sizes
from course_lib.views.dashboard import Dashboard
from course_lib.views.netron import Netron
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

# %% [markdown]
# ## The same recipe, another cook
#
# LiteRT has a quantizer of its own. It never sees Keras: it takes a finished float `.tflite` and a recipe, rules that
# say which layers get how many bits.
#
# ```python
# maker = quantizer.Quantizer("spotter_float32.tflite")
# maker.add_dynamic_config(".*", TFLOperationName.ALL_SUPPORTED, 8)
# maker.quantize().export_model("dynamic.tflite")
# ```
#
# `".*"` means every layer, by its name. These are the recipes of this lesson, all for the shipped float model:
#
# given: 8)

# %%
for name, recipe in todays_tools.RECIPES.items():
    print(f"{name:11} {recipe.told}")
float32 = tflite.load("spotter_float32")
print("their files:", todays_tools.date_line())
sizes.by_kind({"float32": measure.bytes_by_kind(float32)} | {
    name: measure.bytes_by_kind(todays_tools.recorded(name))
    for name in ("dynamic", "int8")})

# %%
frozen = freezing.frozen(spotter.load())
train, unseen = dataset.bundled("train"), dataset.bundled("test")
clips = features.of(train)
ours = {name: tflite.convert(frozen, name, clips)
        for name in ("dynamic_range", "int8")}

# %% [markdown]
# With PyTorch these tools take gigabytes, so their files lie here, recorded. Where `litert-quantizer` is
# installed, the first one is made anew.
#
# **Predict.** Our `dynamic_range` is such a file, too. Of the weights that both files store as integers, how many
# percent differ by a step or more?

# %% predict="47.1"
my_guess = ...

# %%
dynamic, where = todays_tools.made("dynamic", clips)
pairs = todays_tools.weights_compared(ours["dynamic_range"], dynamic)
both = [pair for pair in pairs if pair.integers is not None]
off = sum(pair.integers for pair in both)
compare("47.1", my_guess, round(
    100 * off / sum(pair.count for pair in both), 1))
for pair in pairs:
    same = "float beside integer" if pair.integers is None else (
        f"{pair.integers / pair.count:.0%}, {pair.scales} scales differ")
    print(f"{pair.label:9}{pair.count:6,} weights: {same}")

# %% [markdown]
# Not one in a thousand: two programs agree on six digits of every scale. Both divide each filter's largest weight by 127.
# But two layers are floats in our file: our converter leaves tensors of fewer than 1,024 weights alone. The new tool's
# recipe `legacy` has that number written down:
#
# given: Not one in a thousand, six digits, 127, 1,024
# holds: off <= 2 and sum(pair.scales for pair in both) == 0
# holds: sum(pair.integers is None for pair in pairs) == 2
# holds: all((pair.integers is None) == (pair.count < 1024) for pair in pairs)

# %%
legacy = todays_tools.weights_compared(
    ours["dynamic_range"], todays_tools.recorded("legacy"))
print("as good as equal, layer by layer:",
      all(pair.scales == 0 and pair.integers < 2 for pair in legacy))
saved = len(todays_tools.recorded("legacy")) - len(dynamic)
print("and a kilobyte larger, or so:", 900 < saved < 1100)

# %% [markdown]
# ## The same weights, another ear
#
# Now `int8`, where what flows is rounded, too. Both tools calibrate with the same 400 clips, in the same
# order. The weights are equal again.
#
# given: 400 clips
# holds: all(pair.scales == 0 and pair.integers < 2 for pair in legacy) and 900 < saved < 1100

# %%
theirs = todays_tools.recorded("int8")
pairs = todays_tools.weights_compared(ours["int8"], theirs)
print("three integers or scales that differ, or more:",
      sum(pair.integers + pair.scales for pair in pairs) > 2)

# %% [markdown]
# **Predict.** How many points of accuracy lie between the two files, to the nearest five?

# %% predict="47.2"
my_guess = ...

# %%
reports = {name: measure.report(name, model, unseen)
           for name, model in (("ours", ours["int8"]), ("theirs", theirs))}
lost = 100 * (reports["ours"].accuracy - reports["theirs"].accuracy)
compare("47.2", my_guess, 5 * round(lost / 5))

# %% [markdown]
# A quarter of the clips is gone, with the same weights! Listen to some, and look what they are taken for. The third
# file is theirs again, with the same clips, only shuffled.
#
# given: A quarter, third
# holds: 22 < lost < 28

# %%
mixed = todays_tools.recorded("int8_mixed")
reports["theirs, shuffled"] = measure.report("shuffled", mixed, unseen)
models = {"ours": ours["int8"], "theirs": theirs, "theirs, shuffled": mixed}
Dashboard(models, unseen).show()

# %%
ranges = {name: quantize.activation_ranges(m) for name, m in models.items()}
draw.calibrations(
    ranges, {name: report.accuracy for name, report in reports.items()})

# %% [markdown]
# Every range of theirs is narrower (the softmax has a fixed one), and the order of the clips decides how much. Our
# converter keeps the smallest and the largest value of all clips: order cannot matter. Theirs keeps a moving average:
# after each clip, 0.95 of the range so far and 0.05 of this clip's. An outlier then hardly counts, nor what came long ago.
#
# given: 0.95, 0.05
# holds: all(np.ptp(ranges[n][l]) < np.ptp(ranges["ours"][l]) for n in ("theirs", "theirs, shuffled") for l in list(ranges["ours"])[:-1])

# %% [markdown]
# ### Exercise 47.3
# Write `running(values, keep)`: begin with the first value; each later one moves what you have, `keep` of the old and
# the rest of the new. Return what you have at the end.

# %% exercise="47.3" points=2
# Exercise 47.3
def running(values, keep):
    ### BEGIN SOLUTION
    state, *newcomers = values
    for newcomer in newcomers:
        state = keep * state + (1 - keep) * newcomer
    return state
    ### END SOLUTION

# %% check="47.3"
check("47.3", running)

# %% [markdown]
# Is that really all? Then you can compute the grid of their input from the clips alone.

# %%
rows = todays_tools.calibration(clips)
mine = yours("47.3", running, None)
if mine:
    low, high = (mine(ends.tolist(), 0.95)
                 for ends in (rows.min(axis=(1, 2)), rows.max(axis=(1, 2))))
    grid = quantize.affine(low, high)
    plan = quantize.read(theirs)
    known = plan.values[plan.inputs[0]].grid
    print("your scale is theirs:", np.isclose(grid.scale, known.scale))
    print("your zero point, too:", grid.zero_point == known.zero_point)

# %%
chosen = train.labels[
    np.linspace(0, len(train) - 1, 400).astype(int)]
at_end = (chosen[::-1] != dataset.SILENCE).argmax()
print(f"the last {at_end} clips are all silence")
print(f"what speech still counts after them: {0.95 ** at_end:.0%}")

# %% [markdown]
# So the tool calibrated for silence: our clips are sorted, and silence is last. No error, no warning, equal weights.
# Shuffle your clips before you calibrate, and measure what comes back.
#
# holds: reports["ours"].accuracy - reports["theirs, shuffled"].accuracy < 0.02
#
# ## Four bits, twice
#
# Lesson 27 put `merge` and `follow_3` into four bits, with 21 scales tried for each filter. For the tool that is one
# more rule, `"merge|follow_3"`. How far do the weights stand above their noise?
#
# given: 21 scales

# %%
exact = quantize.read(float32)
packed = {
    "ours": quantize.four_bits(ours["int8"], float32, ["merge", "follow_3"]),
    "theirs": todays_tools.recorded("four"),
    "theirs, OCTAV": todays_tools.recorded("four_octav")}
noise, stored = {}, {}
for name, model in packed.items():
    plan = quantize.read(model)
    for label in ("merge", "follow_3"):
        found = plan.weights(plan.named(label))
        back = found.grid.dequantize(found.stored)
        db = quantize.sqnr_db(exact.kernels[label], back)
        noise[name, label], stored[name, label] = db, found.stored
        print(f"{name:14}{label:9}{db:5.1f} dB,",
              f"lowest {found.stored.min()}")

# %% [markdown]
# Without being asked, the tool only divides by the largest weight: lesson 07's grid per channel, exactly. Told to seek, by
# a method called OCTAV, it comes within half a decibel of our 21 trials. And it stores −8, a level that we left out.
#
# given: half a, 21 trials
# holds: stored["theirs, OCTAV", "merge"].min() == -8 and stored["ours", "merge"].min() == -7
# holds: all(np.array_equal(quantize.per_channel(exact.kernels[l], bits=4).quantize(exact.kernels[l]), stored["theirs", l]) for l in ("merge", "follow_3"))
# holds: all(abs(noise["ours", l] - noise["theirs, OCTAV", l]) < 0.5 for l in ("merge", "follow_3"))
# holds: all(noise["ours", l] > noise["theirs", l] + 0.5 for l in ("merge", "follow_3"))

# %% [markdown]
# ## A number on every node
#
# Netron shows what a file holds. Model Explorer, a viewer from the makers of LiteRT, also shows what you know about it: a
# **node data** file, JSON with a value for each node, becomes a colour. It knows a node by the name of the
# tensor that comes out, and JSON knows no infinity.

# %% [markdown]
# ### Exercise 47.4
# Write `results(names, decibels)`. `names` maps labels of layers to names of tensors, `decibels` some of these labels
# to values. Return a dict: name of the tensor to `{"value": decibels}`, without layers whose value is infinite.

# %% exercise="47.4" points=1
# Exercise 47.4
def results(names, decibels):
    ### BEGIN SOLUTION
    return {names[layer]: {"value": heard_above}
            for layer, heard_above in decibels.items()
            if np.isfinite(heard_above)}
    ### END SOLUTION

# %% check="47.4"
check("47.4", results)

# %%
rows = features.of(unseen)[::10]
errors = {name: quantize.layer_errors(float32, models[name], rows)
          for name in ("ours", "theirs, shuffled")}
values = {error.label: error.sqnr_db
          for error in errors["theirs, shuffled"]}
plan = quantize.read(mixed)
names = {plan.label(step): plan.values[step.outputs[0]].name
         for step in plan.operations}
data = json.loads(todays_tools.node_data(mixed, values, "noise"))
mine = yours("47.4", results, lambda *_: data["results"])(names, values)
print("yours has the same nodes:", mine.keys() == data["results"].keys())

# %% [markdown]
# Now write both files. After `pip install ai-edge-model-explorer`, the command that is printed opens them.

# %%
folder = session.workspace("47")
session.write_atomically(folder / "theirs.tflite", mixed)
session.write_atomically(folder / "noise.json", json.dumps(data))
print(f"model-explorer {folder}/theirs.tflite"
      f" --node_data_paths={folder}/noise.json")
seen = todays_tools.load()["explorer"]
print(f"once tried, it found {seen['found']} of {seen['names']} nodes")
draw.layer_errors(errors)

# %% [markdown]
# Boxes are red where the solid line of "theirs, shuffled" is low, and yet
# that file hears as well as ours. Decibels say where a model suffers, not what it still knows.
#
# given: as well
# holds: errors["theirs, shuffled"][0].sqnr_db < errors["ours"][0].sqnr_db - 10

# %% [markdown]
# ## By way of PyTorch
#
# `tools/todays_tools.py` writes the spotter once more in PyTorch, takes the weights from our checkpoint and hands it to
# `litert-torch`. Both answer as our file does, to four decimals.
#
# given: four decimals, once
# holds: todays_tools.load()["torch"]["largest_difference"] < 1e-4
#
# **Predict.** Our float file has 12 operations. How many has the one from PyTorch?
#
# holds: len(todays_tools.operations(float32)) == 12

# %% predict="47.5"
my_guess = ...

# %%
torch_file = todays_tools.recorded("from_torch")
lists = {"Keras": todays_tools.operations(float32),
         "PyTorch": todays_tools.operations(torch_file)}
compare("47.5", my_guess, len(lists["PyTorch"]))

# %%
only_keras, only_torch = todays_tools.difference(*lists.values())
print("only from Keras:", dict(only_keras))
print("only from PyTorch:", dict(only_torch))
counts = {name: Counter(kinds) for name, kinds in lists.items()}
table = draw_graph.operation_table(counts)
Netron(torch_file, "from_torch.tflite", table).show()

# %% [markdown]
# Each of these has its reason:
# - RESHAPE and TRANSPOSE: PyTorch counts channels first, (n, c, h, w), LiteRT last, (n, h, w, c). With one channel only the
#   shape changes; before the average, numbers move;
# - DEPTHWISE_CONV_2D: a convolution of one channel is both kinds at once, and this converter calls it the other;
# - PAD: the zeros that Keras calls "same", written out. In the other layers they became part of the convolution. Why not
#   here?
#
# Look what goes when `litert-torch` is told that its input has the channels last:
#
# given: first, last, one channel, at once

# %%
last = todays_tools.load()["torch"]["channels_last"]
fewer, more = todays_tools.difference(lists["PyTorch"], last)
print("gone:", dict(fewer), "new:", dict(more))

# %% [markdown]
# The PAD goes with the RESHAPE, which stood between it and the convolution: the converter did not see that they
# belong together.
#
# holds: dict(fewer) == {"PAD": 1, "RESHAPE": 1} and not more

# %% [markdown]
# ### Exercise 47.6
# Constants are reordered, too, but only once, when the file is made. PyTorch's kernel has the shape (out, in, h, w),
# a `.tflite` wants (out, h, w, in). Write `for_litert(kernel)` for an array.

# %% exercise="47.6" points=1
# Exercise 47.6
def for_litert(kernel):
    ### BEGIN SOLUTION
    return np.moveaxis(kernel, 1, -1)
    ### END SOLUTION

# %% check="47.6"
check("47.6", for_litert)

# %%
keras_kernel = folded.without_norms(
    spotter.load()).get_layer("merge").kernel.numpy()
in_torch = keras_kernel.transpose(3, 2, 0, 1)
plan = quantize.read(torch_file)
in_file = next(value.stored for step in plan.operations
               if (value := plan.weights(step)) is not None
               and value.shape == (28, 1, 10, 16))
mine = yours("47.6", for_litert, None)
if mine:
    print("yours lies in the file:",
          np.allclose(mine(in_torch), in_file, atol=1e-5))
unequal = np.mean(exact.kernels["merge"] != in_file)
print("bits differ in more than a third of them:", unequal > 1 / 3)

# %% [markdown]
# The same weights and norms, and yet many floats differ in their last bits: each converter multiplies in its own order. Do
# eight bits notice?

# %%
kernels = exact.kernels["merge"], in_file
once, again = (quantize.per_channel(k).quantize(k) for k in kernels)
print("integers that differ: fewer than one in a thousand:",
      np.mean(once != again) < 1e-3)
longest = max((value.name for value in plan.values), key=len)
print("its longest name:", len(longest), "characters")

# %% [markdown]
# And the file is larger than ours, by kilobytes of names: each tensor carries the path through the program's
# classes.
#
# holds: len(torch_file) - len(float32) > 5000
#
# ## What you measured

# %%
print("weights that two quantizers store differently:", off)
print("points that the order of the clips cost:", 5 * round(lost / 5))
print("operations:", *map(len, lists.values()))
progress("47")

# %% [markdown]
# **Read on:**
# - [LiteRT Quantizer](https://github.com/google-ai-edge/LiteRT/tree/main/litert_quantizer): its recipes, until
#   lately called AI Edge Quantizer.
# - [Model Explorer](https://github.com/google-ai-edge/model-explorer): the viewer, and how to write node data.
# - [LiteRT Torch](https://github.com/google-ai-edge/litert-torch): from PyTorch to a `.tflite`.
# - [Sakr and others](https://arxiv.org/abs/2206.06501): OCTAV, which finds where to saturate without trying.
