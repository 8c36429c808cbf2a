# %% [markdown]
# # An int8 file by hand
#
# **Which mistakes can nothing report once your numbers are int8?** You feed a file with LiteRT's own calls, spoil that in
# four ways, and then compute a layer as a chip does, in integers alone. {minutes} minutes.
#
# Afterwards you can
# - run an int8 file on a phone or a chip, where nobody puts your numbers on its grid;
# - compute an int8 layer in integers, equal to LiteRT's in every byte;
# - find the layer at which noise gathers.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib import quantize, session, tflite
from course_lib.views import quantization as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

float32, int8 = tflite.load("spotter_float32"), tflite.load("spotter_int8")
unseen = dataset.bundled("test")
rows = features.of(unseen)

# %% [markdown]
# ## Run one yourself
#
# In lesson 07 a function of ours ran the files. On a phone you have only the interpreter's own calls: make room for the
# tensors, set the input, invoke, get the output. The input is int8. The file tells you scale and zero point; the rest
# is yours.

# %%
from ai_edge_litert.interpreter import Interpreter, OpResolverType

plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # alike everywhere
with session.quiet():
    litert = Interpreter(model_content=int8,
                         experimental_op_resolver_type=plain)
litert.allocate_tensors()
fed, = litert.get_input_details()
read, = litert.get_output_details()
step, zero = fed["quantization"]
print(f"{fed['dtype'].__name__}, scale {step:.4f}, zero point {zero}")

# %%
def heard(stored):
    indices = []
    for clip in stored.astype(np.int8):
        litert.set_tensor(fed["index"], clip.reshape(fed["shape"]))
        litert.invoke()
        indices.append(litert.get_tensor(read["index"]).argmax())
    return np.array(indices)

on_grid = quantize.Affine(step, zero).quantize(rows)
ours = tflite.run(int8, rows).argmax(axis=1)
print("every clip is heard as before:", np.all(heard(on_grid) == ours))

# %% [markdown]
# Now do it wrong in four ways. Feed it the clips as they are, and as a microphone gives them that is turned up too
# far: 16 times as loud, and cut off where a sound card ends.
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

# %% [markdown]
# Does LiteRT take such numbers as they are?

# %%
def is_taken(numbers):
    try:
        litert.set_tensor(fed["index"], numbers.reshape(fed["shape"]))
    except ValueError:
        return False
    return True

taken = sum(is_taken(store(rows[:1])) for store in ways.values())
print(f"{taken} of {len(ways)} are taken as they are")

# %% [markdown]
# All four are refused, and by their type alone: they are floats, or integers of more than eight bits. So you cast them to
# int8. In `heard`, that is `astype(np.int8)`.
#
# **Predict.** How many of the four end in an error once they are cast?
#
# holds: taken == 0

# %% predict="17.1"
my_guess = ...

# %%
loud_grid = quantize.Affine(step, zero).quantize(loud)
rights = heard(on_grid), heard(loud_grid)
changed, failed = {}, 0
for way, store in ways.items():
    try:
        changed[way] = [int((heard(store(x)) != right).sum())
                        for x, right in zip((rows, loud), rights)]
    except (ValueError, RuntimeError):
        failed += 1
compare("17.1", my_guess, failed)
for way, (usual, turned_up) in changed.items():
    print(f"{way}: {usual} of {len(rows)} change, turned up {turned_up}")

# %% [markdown]
# The cast makes an int8 of anything, and nothing behind it can tell how that came about. Without the scale every clip
# becomes silence, which you notice at once. Without the
# zero point most names stay as they were, so that you may never notice. Cutting moves a number by up to a whole step and
# is forgiven nearly always. And clipping is not missed at all, until the microphone is turned up: a number just below
# −128 comes in as 127, the most silent as the loudest. (Above 127 it is the other way round, but there are far fewer of
# those.) Try the loudest input that you can get.
#
# The output is int8, too. For a name the largest integer is enough; for a probability go back, as `dequantize_one` of
# lesson 07 does, with `read["quantization"]`.
#
# holds: np.all(heard(ways["no scale"](rows)) == dataset.SILENCE) and failed == 0
# holds: changed["cut, not rounded"][0] <= 2 and changed["no clipping"][0] <= 2
# holds: changed["no clipping"][1] >= 3 and 5 <= changed["no zero point"][0] < len(rows) / 8
# holds: np.array(-129).astype(np.int8) == 127 and np.array(128).astype(np.int8) == -128
# holds: (ways["no clipping"](loud) < -128).sum() > 100 * (ways["no clipping"](loud) > 127).sum() > 0
# holds: all(d["dtype"] == np.int8 for d in (fed, read))

# %% [markdown]
# ## One layer by hand
#
# What does the chip compute on these integers? Take the first convolution: `x` goes in, `w` and `bias` are its own, `y`
# comes out. `run_integer` is the library's own interpreter, in Python: `run.plan` holds the operations of the file in
# their order, and its values by their index, each with its grid; `run.tensors` holds the integers that flowed. Here is one
# of the filters, and the patch of one clip that lies under it for the output in row 5, column 5.
#
# given: 5

# %%
run = quantize.run_integer(int8, rows[:40])
first = run.plan.operations[0]
x, w, bias = (run.plan.values[index] for index in first.inputs)
y = run.plan.values[first.outputs[0]]
patch = run.tensors[x.index][0, 8:13, 9:14, 0]
filter_0, bias_0 = w.stored[0, :, :, 0], int(bias.stored[0])
print(patch)
print(filter_0)

# %% [markdown]
# Why rows 8 to 12? The filter moves on by 2, and padding `SAME` has put 2 rows of the zero point above the clip: 5 ×
# 2 − 2 is 8. To the left there is 1 column of them: 5 × 2 − 1 is 9.
#
# given: 8 to 12, 2, 5 × 2 − 2, 1 column, 9
# holds: x.shape[1:3] == (49, 40) and y.shape[1:3] == (25, 20) and first.options["strideH"] == 2
# holds: ((24 * 2 + 5 - 49) // 2, (19 * 2 + 5 - 40) // 2) == (2, 1) and first.options["padding"] == 0
#
# The output is a sum of products of integers, the **accumulator**, 32 bits wide: each q of the patch less its zero
# point, times its weight, and the bias. (The weights' zero point is 0.)
#
# ### Exercise 17.2
# Write `one_sum(q, zero_point, weights, bias)` for two int8 arrays of the same shape. Mind what eight bits can hold.
#
# given: 32

# %% exercise="17.2" points=2
# Exercise 17.2
def one_sum(q, zero_point, weights, bias):
    ### BEGIN SOLUTION
    steps = q.astype(int) - zero_point
    return int((steps * weights).sum()) + bias
    ### END SOLUTION

# %% check="17.2"
check("17.2", one_sum)

# %% [markdown]
# And now all outputs of the layer. A `Window` says how far the filter moves on and what happens at the border.

# %%
stride = first.options["strideH"], first.options["strideW"]
window = quantize.Window(stride, padding="SAME")
accumulator = quantize.accumulate(run.tensors[x.index], x.grid.zero_point,
                                  w.stored, bias.stored, window)
here = accumulator[0, 5, 5, 0]
if yourself := yours("17.2", one_sum, None):
    here = yourself(patch, x.grid.zero_point, filter_0, bias_0)
print("the library's sum is the same:", here == accumulator[0, 5, 5, 0])
print("it needs more than 8 bits:", abs(accumulator).max() > 127)

# %% [markdown]
# One accumulator step is worth `x.scale * w.scale`, one output step `y.scale`. Their ratio, one for this layer, is a
# fraction, and the chip may have no floats. So it becomes an integer **mantissa** and a shift.

# %%
ratio = float(x.grid.scale) * float(w.grid.scale) / float(y.grid.scale)
by = quantize.multiplier(ratio)
print("a 31-bit mantissa:", 2**30 <= by.mantissa < 2**31)
print("as exact as a float:", abs(by.real / ratio - 1) < 1e-9)

# %% [markdown]
# ### Exercise 17.3
# Write `requantize(accumulator, mantissa, shift)`: `accumulator * mantissa / 2**shift`, rounded to the
# nearest integer. No float may help; `+`, `*`, `-`, `<<` and `>>` are all you need. A half may go up.
#
# given: A half

# %% exercise="17.3" points=3
# Exercise 17.3
def requantize(accumulator, mantissa, shift):
    ### BEGIN SOLUTION
    half = 1 << (shift - 1)
    return (accumulator * mantissa + half) >> shift
    ### END SOLUTION

# %% check="17.3"
check("17.3", requantize)

# %% [markdown]
# The kernel of LiteRT's convolutions (here: the code of an operation) rounds twice, in the product and in the shift;
# `quantize.requantize` does as it does. Then the zero point is added and both ends are cut. The lower cut is at once
# the ReLU.
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
# One layer might be luck. The library has the other layers too, the softmax included, and compares every byte of every
# tensor, with eight bits, and with the weights of two layers in four bits.

# %%
four = quantize.four_bits(int8, float32, ["combine", "merge"])
compared = different = 0
for model in (int8, four):
    counts = quantize.against_kernels(model, rows[:100])
    compared += sum(count for count, _ in counts.values())
    different += sum(count for _, count in counts.values())
print(f"{compared:,} bytes, {different} different")

# %% [markdown]
# That is LiteRT's reference interpreter: plain loops, not tuned for speed. Its convolutions round twice, its last
# layer once, as your `requantize` does. Where another correct one rounds otherwise, an output may differ by a step,
# and by more when the layers after it have worked on that. Lesson 08 compares four ways. (The library multiplies by
# `mantissa * 2**shift / 2**31`, as LiteRT does: what you call the shift is `31 - by.shift`.)
#
# given: twice, 2**shift / 2**31

# %%
sums = np.arange(-20_000, 20_000)
twice = quantize.requantize(sums, by)
once = quantize.requantize_once(sums, by)
if yourself := yours("17.3", requantize, None):
    once = np.array([yourself(each, by.mantissa, 31 - by.shift)
                     for each in sums.tolist()])
print("some outputs differ:", np.any(once != twice))
print("by more than a step:", np.any(abs(once - twice) > 1))

# %% [markdown]
# ## The error, layer by layer
#
# The sums are exact. But the weights in them are rounded, and every layer rounds what it hands on. Run the float and the
# int8 file side by side and compare every tensor. Beside `int8` stands the file whose biases are mended, as in lesson 07.
#
# **Predict.** Every layer adds noise. Is the last one the noisiest? Write "yes" or "no".

# %% predict="17.4"
my_guess = ...

# %%
some = features.of(dataset.bundled("train"))[::20]
improved = quantize.correct_biases(int8, float32, some)
errors = quantize.layer_errors(float32, int8, rows)
mended = quantize.layer_errors(float32, improved, rows)
noisiest = min(errors, key=lambda error: error.sqnr_db)
compare("17.4", my_guess, "yes" if noisiest is errors[-1] else "no")
draw.layer_errors({"int8": errors, "int8_improved": mended})

# %%
lifted = sum(new.sqnr_db > old.sqnr_db
             for old, new in zip(errors, mended))
lowest = [min(each.worst_db for each in found)
          for found in (errors, mended)]
print("mended biases lift most layers:", lifted > len(errors) / 2)
print("and the clip that suffers most:", lowest[1] > lowest[0])
print(f"the noisiest layer is {noisiest.label}; its worst clip:")

# %% tags=["nbval-ignore-output"]
unseen.play(noisiest.worst_clip)

# %% [markdown]
# Noise gathers on the way to the last convolution. The addition and the average behind it clean some of it up again.
#
# holds: (db := {e.label: e.sqnr_db for e in errors})[last := [e.label for e in errors if e.label.startswith("follow")][-1]] == noisiest.sqnr_db
# holds: noisiest.sqnr_db < db[last.replace("follow", "add")] < db["average"]
#
# ## What you measured

# %%
print("mistakes that int8 numbers give away:", failed)
print("a whole layer by hand, every byte equal:",
      np.array_equal(by_hand[:1], kernel))
print("bytes that differ from the kernels:", different)
print("the noisiest layer:", noisiest.label)
progress("17")

# %% [markdown]
# **Read on:**
# - [A benchmark gone wrong](https://github.com/mlcommons/tiny/issues/140): an int8 model fed and read by hand, with
#   figures hardly better than chance. Which lines would you change?
# - [gemmlowp's guide](https://github.com/google/gemmlowp/blob/master/doc/quantization.md): scales and zero points, and
#   why a sum of products needs no floats.
# - [tf.lite.Interpreter](https://www.tensorflow.org/api_docs/python/tf/lite/Interpreter): the same calls in TensorFlow, each
#   explained.
