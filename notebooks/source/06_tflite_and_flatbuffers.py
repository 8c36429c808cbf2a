# %% [markdown]
# # TensorFlow Lite and FlatBuffers
#
# **What is inside a TensorFlow Lite file?** You convert the spotter, put a name to every byte of the
# result, and change one of them.
#
# {minutes} minutes. Afterwards you can
# - say what converting does when you set nothing, and what it merges;
# - follow a FlatBuffer from its first byte to a weight, with a pencil;
# - tell by measurement what a FlatBuffer saves, and what it does not.

# %% setup

# %%
import numpy as np

from course_lib.experiments import same_weights, reading_costs
from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import session, spotter, tflite
from course_lib.tflite import xray
from course_lib.views import bytes as draw_bytes
from course_lib.views import sizes as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

# %% [markdown]
# ## Convert, with nothing set
#
# The trained model becomes a function without variables, and the **converter** turns that into
# bytes. No option is set: this is what everybody gets who follows the first tutorial.

# %%
tf = session.import_tensorflow()
model = spotter.load()
function = freezing.concrete(model)
converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
with session.quiet():
    plain = converter.convert()

# %% [markdown]
# **Predict.** You often hear that TensorFlow Lite models are quantized. How many bytes does one
# weight of `plain` take?

# %% predict="6.7"
my_guess = ...

# %%
rays = xray.Xray(plain)
kernel = rays.layers[0].weights
compare("6.7", my_guess, len(kernel.span) // kernel.count)
print(kernel.count, "weights of the first layer, stored as", kernel.type)

# %% [markdown]
# Four bytes: nothing is quantized unless you ask for it, which lesson 07 does. But the converter
# was not idle. Compare what there was to do with what is left.

# %%
frozen = [node.op for node in function.graph.as_graph_def().node]
merged = [operation.kind for operation in tflite.operations(plain)]
draw.operations(frozen, merged)

# %% [markdown]
# Constants are no operations here: they lie in the file as data. The ReLUs are gone as well. Or
# are they? Every operation carries a small table of options.

# %%
options = rays.map.find("fused_activation_function")
relus = [span for span in options
         if span.kind == "scalar" and span.value == 1]
print(len(relus), "operations apply a ReLU to what they computed")

# %% [markdown]
# Two steps in one are **fused**: no intermediate result has to be stored. Batch normalisation went
# even further. After training it multiplies by a constant and adds another, and the convolution
# before it can do both.
#
# ### Exercise 6.1
# A norm computes `gamma · (x − mean) / √(variance + 0.001) + beta` for each filter. Write `fold`: it
# returns a kernel and a bias with which a convolution alone gives the same.

# %% exercise="6.1" points=2
# Exercise 6.1
def fold(kernel, gamma, beta, mean, variance):
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(variance + 1e-3)
    return kernel * scale, beta - mean * scale
    ### END SOLUTION

# %% check="6.1"
check("6.1", fold)

# %% [markdown]
# Is that what the converter did? Fold every layer by hand, with your function once it is right, and lay the result
# beside the numbers in the file. The layout differs: TensorFlow Lite puts the output channel first.

# %%
folded = same_weights.folded(model)
for (name, (by_hand, _)), layer in zip(folded.items(), rays.layers):
    norm = model.get_layer(f"{name}_norm").get_weights()
    kernel_now = model.get_layer(name).get_weights()[0]
    if folding := yours("6.1", fold, None):
        by_hand = folding(kernel_now, *norm)[0].transpose(3, 0, 1, 2)
    stored = rays.values(layer.weights)
    print(name, "equal:", np.allclose(stored, by_hand, atol=1e-6))

# %% [markdown]
# One more thing costs operations: an open batch dimension. The spotter averages over time and
# does not care. A network that flattens does.

# %%
layers = tf.keras.layers
flat = tf.keras.Sequential([layers.Input((49, 40, 1)),
                            layers.Flatten(), layers.Dense(4)])
for batch in (1, None):
    small = tflite.convert(freezing.concrete(flat, batch=batch))
    print(batch, [each.kind for each in tflite.operations(small)])

# %% [markdown]
# Three extra operations, at every run, to find out that the batch is 1. Fix it before you convert.
#
# ## The same weights, seven times
#
# Write the trained model in every form that you have met, read each one back, and compare the
# weights by a **hash**: equal digits, equal numbers.

# %%
folder = session.workspace("06")
clips = features.of(dataset.bundled("train"))
kept = same_weights.write_all(model, folder, clips)
prints = [each.fingerprint for each in kept if each.holds == "exactly"]
print(len(prints), "forms, equal weights:", len(set(prints)) == 1)
draw.artefacts(kept)

# %% [markdown]
# No optimizer is in any of them. The Keras file adds a description of the model and HDF5's tables, the checkpoint a list
# of objects, the SavedModel a graph, and every weight once more where Keras lists it under two names. The frozen graph
# and the float .tflite are little more than weights; int8 is less.
#
# ## Every byte has a name
#
# Now open the shipped int8 model, a little smaller than the one above, because what nothing reads was cut
# away. Nothing is installed for it: `open` and a list of what the numbers mean, the schema, are enough.

# %%
shipped = tflite.load("spotter_int8")
print(len(shipped), "bytes:", shipped[:16].hex(" "), "...")

# %% [markdown]
# ### Exercise 6.2
# Bytes 4 to 7 are the letters `TFL3`, the **identifier**. Write `is_tflite(data)`: does a file say
# that it is a .tflite? It may be any file, even an empty one.

# %% exercise="6.2" points=1
# Exercise 6.2
def is_tflite(data):
    ### BEGIN SOLUTION
    return data[4:8] == b"TFL3"
    ### END SOLUTION

# %% check="6.2"
check("6.2", is_tflite)

# %% [markdown]
# **Predict.** The first four bytes are a little-endian number: how far to go to the **root table**,
# where everything begins. At which byte is it?

# %% predict="6.8"
my_guess = ...

# %%
root = int.from_bytes(shipped[:4], "little")
compare("6.8", my_guess, root)

# %% [markdown]
# ### Exercise 6.3
# All such offsets count from their own place. Write `follow(data, position)`: read the unsigned
# 32-bit number at `position` and return the place it points to. `08 00 00 00` at 4 points to 12.

# %% exercise="6.3" points=2
# Exercise 6.3
def follow(data, position):
    ### BEGIN SOLUTION
    return position + int.from_bytes(data[position:position + 4], "little")
    ### END SOLUTION

# %% check="6.3"
check("6.3", follow)

# %%
rays = xray.Xray(shipped)
draw_bytes.hexdump(rays.map, 0, 48, mark=root)

# %% [markdown]
# A **table** begins with the way to its **vtable**, a list of where each field lies. A field that
# was never set has the entry 0, or the list ends before it: that is how old and new files stay
# readable.
#
# ### Exercise 6.4
# Write `field(data, table, slot)`. The vtable lies at `table` minus the *signed* 32-bit number there.
# It holds 16-bit numbers: its own size, the table's size, an entry for each slot. Return the
# field's place, or `None`.

# %% exercise="6.4" points=2
# Exercise 6.4
def field(data, table, slot):
    ### BEGIN SOLUTION
    jump = int.from_bytes(data[table:table + 4], "little", signed=True)
    vtable = table - jump
    size = int.from_bytes(data[vtable:vtable + 2], "little")
    if 4 + 2 * slot >= size:
        return None
    entry = vtable + 4 + 2 * slot
    offset = int.from_bytes(data[entry:entry + 2], "little")
    return table + offset if offset else None
    ### END SOLUTION

# %% check="6.4"
check("6.4", field)

# %% [markdown]
# With these two functions you get from table to table. The third and last rule is that of a **vector**, a row of
# entries: `follow` leads to its length, and the entries begin four bytes later. The root's slot 4 leads to the vector of
# **buffers**, the parts that hold weights. How many are there?

# %%
vector = rays.map.find("buffers")[1].value
slot_of = yours("6.4", field, None)
go_on = yours("6.3", follow, None)
if slot_of and go_on:  # with your functions, once they are right
    vector = go_on(shipped, slot_of(shipped, root, 4))
print(int.from_bytes(shipped[vector:vector + 4], "little"), "buffers")

# %% [markdown]
# Here are all the reads on the way to the first weight of the first layer.
#
# holds: vector == rays.map.find("buffers")[1].value

# %%
route = rays.route(rays.layers[0].weights)
print(f"{len(route)} reads, {route.jumps} jumps,",
      f"{route.bytes_read} of {len(shipped)} bytes touched")
route

# %% [markdown]
# Step through the parts of the file with the buttons, or with the arrow keys on the slider. Search
# for `listen`, for `scale`, or for the number of a byte. Hover over a byte to learn its name.

# %%
from course_lib.views.patch import BytePatch
from course_lib.views.xray import XrayView

XrayView(shipped, title="spotter_int8.tflite").show()

# %%
rays.map

# %% [markdown]
# Every byte belongs to exactly one part, and the shares add up to the file. Look for the scales
# under "numbers", and for what a name costs: its letters, a length, an offset, padding.
#
# ## Change one weight in place
#
# The weights lie in the file as they are used, so they can be overwritten one by one. Which weight
# of the last layer matters most? Turn the sign of each around, and count the answers that change.

# %%
heard = dataset.bundled("test")
heard_features = features.of(heard)

def answers(model_bytes):
    return tflite.run(model_bytes, heard_features).argmax(axis=1)

before = answers(shipped)
decide = rays.layers[-1].weights
turned = [answers(rays.patched(decide, index, -int(value)))
          for index, value in enumerate(rays.values(decide).flat)]

# %%
changes = [int((each != before).sum()) for each in turned]
most = int(np.argmax(changes))
print(f"{sum(n == 0 for n in changes)} of {decide.count} weights",
      f"change no answer, the worst changes {max(changes)}",
      f"of {len(before)}")

# %% [markdown]
# Here is that one. Move its stored number, watch the accuracy and the **logits**, the sums that the softmax turns into
# probabilities, and put it back. Then try another weight, or another tensor.

# %%
BytePatch(shipped, heard_features, heard.labels, dataset.LABELS,
          clip=int(np.flatnonzero(turned[most] != before)[0]),
          tensor=decide.name, index=most,
          number=-int(rays.values(decide).flat[most])).show()

# %% [markdown]
# One weight out of thousands rarely decides anything alone. A bias does more: it is added at every
# place and at every time. Flip a single *bit* in each bias of the first layer, one after the other.
#
# **Predict.** What accuracy, in per cent, is left after the worst of these flips?

# %% predict="6.9"
my_guess = ...

# %%
biases = rays.layers[0].bias
flips = [rays.patched(biases, index, int(value) ^ (1 << 15))
         for index, value in enumerate(rays.values(biases))]
accuracies = [(answers(each) == heard.labels).mean() for each in flips]

# %%
compare("6.9", my_guess, round(100 * min(accuracies)))
print(f"as shipped {(before == heard.labels).mean():.0%},",
      f"after the mildest flip {max(accuracies):.0%}")

# %% [markdown]
# Hear what that means. This clip was understood, and with one bit changed it no longer is.

# %%
after = answers(flips[int(np.argmin(accuracies))])
lost = int(np.flatnonzero((before == heard.labels) & (before != after)
                          & (before > 1))[0])
print("heard before:", dataset.LABELS[before[lost]],
      " now:", dataset.LABELS[after[lost]])
heard.play(lost)

# %% [markdown]
# ### Exercise 6.5
# Texts can be changed in place too, if nothing moves. Write `relabel(data, start, room, label)`: the
# file with `label` written at `start` and filled up with spaces to `room` bytes. Return `None` for a
# label that is too long.

# %% exercise="6.5" points=2
# Exercise 6.5
def relabel(data, start, room, label):
    ### BEGIN SOLUTION
    if len(label) > room:
        return None
    return data[:start] + label.ljust(room) + data[start + room:]
    ### END SOLUTION

# %% check="6.5"
check("6.5", relabel)

# %%
text = xray.Xray(plain).map.find("description")[-1]
place = plain.index(text.value.encode())
if write := yours("6.5", relabel, None):
    renamed = write(plain, place, len(text.value), b"yes or no")
else:  # exercise 6.5 is still open: ours
    old = text.value.encode()
    renamed = plain.replace(old, b"yes or no".ljust(len(old)), 1)
print(text.value, "→", xray.Xray(renamed).map.at(place).value.strip())
same = (tflite.run(renamed, clips[:9]) == tflite.run(plain, clips[:9])).all()
print("the answers are the same:", same)

# %% [markdown]
# A longer text would move what lies behind it, and every offset across that place would be wrong.
# Changing sizes means writing the file anew. That is the price of needing no parser.
#
# ## FlatBuffer against protobuf
#
# The frozen graph of lesson 05 is a protobuf. Put the same weights into both formats, in files
# of three sizes, and ask each for one weight.

# %%
def files(megabytes):
    numbers = np.random.default_rng(0).normal(
        size=(20, int(megabytes * 1e6 / 80))).astype(np.float32)
    return reading_costs.pair({f"layer_{n}": row
                         for n, row in enumerate(numbers)})

pairs = [files(megabytes) for megabytes in (0.1, 1, 10)]

# %% [markdown]
# **Predict.** The largest file has a hundred times the bytes of the smallest. Does its FlatBuffer take `"longer"` to
# hand out one weight, or `"about as long"`?
#
# given: a hundred times

# %% predict="6.10"
my_guess = ...

# %%
flat = [reading_costs.cost(lambda: reading_costs.weight_flatbuffer(each, 20))
        for each, _ in pairs]
proto = [reading_costs.cost(lambda: reading_costs.weight_protobuf(each, 19))
         for _, each in pairs]
compare("6.10", my_guess, "about as long"
        if flat[2].seconds < 3 * flat[0].seconds else "longer")

# %%
draw.first_weight([len(each) for each, _ in pairs], flat, proto)

# %% [markdown]
# The library turns a whole protobuf into objects before you can look anything up: memory for all of the message, and a
# copy. The FlatBuffer is used where it lies, and the way to one weight is as long in a large file. In a small file there
# is little to win: look where the two lines begin.
#
# And how much of the file is needed? A system fetches it in **pages**, pieces of equal size.

# %%
big_flat, big_proto = pairs[-1]
way = xray.Xray(big_flat).route("buffers[20].data")
print(f"FlatBuffer: {way.pages()} of {len(big_flat) // 4096} pages",
      "of 4 kB would have to be loaded")
print("protobuf allocated more than its file:",
      proto[-1].bytes > len(big_proto))

# %% [markdown]
# Would have to be: does the system know? Map the file into memory, which reads nothing yet, take one
# weight, and ask. It fetches the pages around it too, in case you want those next: here a good part of the file.

# %% tags=["nbval-ignore-output"]
path = folder / "big.tflite"
path.write_bytes(big_flat)
mapped = reading_costs.Mapped(path)
print("mapped:", mapped.loaded_bytes, "bytes in memory")
first = reading_costs.weight_flatbuffer(mapped.view, 20)[0][0]
print("one weight read:", mapped.loaded_bytes, "of", len(mapped))

# %% [markdown]
# For the spotter itself, three small C programs look up the same bias. Two read the protobuf: one
# walks over it and keeps nothing, the other makes objects, as generated code does. Beside them stand whole libraries;
# nanopb is a protobuf for microcontrollers.

# %%
from course_lib.experiments import readers

graph = freezing.frozen(model).graph_def
code, where = readers.code_sizes()
recorded = readers.recorded()
libraries = recorded["libraries"]
draw.code(code, where, libraries, recorded["compiled_with"])

# %% tags=["nbval-ignore-output"]
bias = xray.Xray(plain).layers[-1].bias
try:
    for name, file, tensor in (
            ("flatbuffer", plain, bias.name),
            ("protobuf_scan", graph, "decide/bias"),
            ("protobuf_decode", graph, "decide/bias")):
        found = readers.compiled(name).find(file, tensor)
        print(f"{name}: {1e6 * found.seconds:.1f} µs,",
              f"{found.allocations} allocations")
except readers.NoCompilerError as error:
    print(error)
for name, call in (
        ("FlatBuffer", lambda: reading_costs.every_weight_flatbuffer(plain)),
        ("protobuf", lambda: reading_costs.every_weight_protobuf(graph))):
    print(f"every weight, in Python, {name}:",
          f"{1e6 * reading_costs.cost(call).seconds:.0f} µs")

# %% [markdown]
# One weight is what a FlatBuffer is quick at. Ask for all of them from Python, and it is the slower one.
#
# An order of magnitude less code? Of readers as small as these, no. Of whole libraries, more than that, if the file is
# trusted; where FlatBuffers check it first, as nanopb always does, they still take a fourth of its code. And are
# FlatBuffers compressed, as one reads? Then zip would find nothing to do.
#
# holds: libraries["FlatBuffers"] < libraries["nanopb"] / 10
# holds: 3.5 < libraries["nanopb"] / libraries["FlatBuffers, verified"] < 4.5

# %%
three = {"frozen graph": graph, "TFLite float32": plain,
         "TFLite int8": shipped}
zipped = {name: (len(file), reading_costs.zipped(file))
          for name, file in three.items()}
left = zipped["TFLite int8"][1] / len(shipped)
print("the int8 FlatBuffer is compressed already:", left > 0.95)
draw.fewer_bytes(zipped)

# %% [markdown]
# It is not, and must not be: what is used where it lies cannot be packed as a whole. A microcontroller runs it straight
# from flash memory. (Single parts can be packed: lesson 07 puts two weights into a byte.)
#
# ## TensorFlow beside TensorFlow Lite
#
# Both are imported into a fresh Python. What does each take?

# %%
from course_lib.tflite import runtimes

big = runtimes.footprint(runtimes.TENSORFLOW)
lite = runtimes.footprint(runtimes.LITERT)
print("LiteRT starts at least five times as fast:",
      big.seconds > 5 * lite.seconds)
draw.runtimes([big, lite])

# %%
many = len(runtimes.operations_of_tensorflow())
few = len(runtimes.operations_of_tflite())
print(f"TensorFlow has about {many / few:.0f} times as many operations")

# %% [markdown]
# Not simply fewer ones. Here are six: a convolution, its gradient, an optimizer's step, a decoder of pictures, a
# dense layer, and a layer made for small chips. Who has an operation of that name?

# %%
for name in ("Conv2D", "Conv2DBackpropFilter", "ApplyAdam",
             "DecodeJpeg", "FullyConnected", "SVDF"):
    print(f"{name}: {runtimes.home(name)}")

# %% [markdown]
# Without gradients and optimizers, a converted model can only answer; to learn on a phone, a whole step of training has
# to be converted with it. And not everything converts. Here are two programs that one would like to ship with the
# spotter: one makes a spectrogram, the other decodes a WAV file.
#
# **Predict.** Which of them cannot be converted, `"spectrogram"` or `"listen"`?

# %% predict="6.11"
my_guess = ...

# %%
@tf.function(input_signature=[tf.TensorSpec((1, 16000), tf.float32)])
def spectrogram(wave):
    return abs(tf.signal.stft(wave, 480, 320))

@tf.function(input_signature=[tf.TensorSpec((), tf.string)])
def listen(file):
    return tf.audio.decode_wav(file, 1).audio

# %%
message = {}
for program in (spectrogram, listen):
    name = program.python_function.__name__
    try:
        with session.quiet():
            tflite.convert(program.get_concrete_function())
    except Exception as error:
        message[name] = error
compare("6.11", my_guess, *message)
long = len(str(message["listen"]).splitlines()) > 10
print("the message is more than ten lines long:", long)

# %% [markdown]
# ### Exercise 6.6
# Which operation cannot be converted? In a cell of your own, `print(message["listen"])`, look for the line with the
# words `neither a custom op nor a flex op`, and put the operation's name into `culprit`.

# %% exercise="6.6" points=1
# Exercise 6.6
### BEGIN SOLUTION
culprit = "DecodeWav"
### END SOLUTION

# %% check="6.6"
check("6.6", culprit)

# %% [markdown]
# Whatever you convert, that line is the one to look for. A **custom** operation needs a kernel, the code that
# computes it, which somebody brings, you or a library; a **flex** operation brings TensorFlow's own along.

# %% [markdown]
# ## What you measured
#
# Every line is computed from what you ran above.

# %%
claims = {
    "the converter quantizes by itself": kernel.type != "FLOAT32",
    "the converter merges operations": len(merged) < len(frozen) / 5,
    "protobuf's library makes objects first": proto[-1].bytes > 1e6,
    "a FlatBuffer is used where it lies": flat[-1].bytes < 1e5,
    "a FlatBuffer is compressed": left > 0.95,
    "a tenth of the code is enough to follow a FlatBuffer by hand":
        code["flatbuffer"] < code["protobuf_decode"] / 10,
    "a tenth of the code is enough with a library":
        libraries["FlatBuffers"] < libraries["nanopb"] / 10,
    "... also with one that checks the file":
        libraries["FlatBuffers, verified"] < libraries["nanopb"] / 10,
    "a text can be changed in place": bool(same),
}
for claim, holds in claims.items():
    print("confirmed:" if holds else "not so:   ", claim)

# %%
progress("06")

# %% [markdown]
# **Read on:**
# - [FlatBuffers' internals](https://flatbuffers.dev/internals/): tables, vtables and vectors, by those who made them.
# - [schema.fbs](https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/compiler/mlir/lite/schema/schema.fbs):
#   what each number of a .tflite means; find the root table at its end.
# - [Protobuf's encoding](https://protobuf.dev/programming-guides/encoding/): the other format, byte by byte.
# - [Operations of TensorFlow in a .tflite](https://ai.google.dev/edge/litert/models/ops_select): what flex costs, and
#   how to allow it.
#
# Next: what do eight bits cost?
