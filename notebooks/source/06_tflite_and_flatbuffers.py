# %% [markdown]
# # TensorFlow Lite and FlatBuffers
#
# **What is inside a TensorFlow Lite file?** You convert the spotter, put a name to every byte of its int8 file, and
# change one of them.
#
# {minutes} minutes. Afterwards you can
# - say what converting does when you set nothing, and what it merges;
# - follow a FlatBuffer from its first byte to a weight, with a pencil;
# - change a weight, or a single bit, and know what that does.

# %% setup

# %%
import numpy as np

from course_lib import session, spotter, tflite
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)
from course_lib.experiments import same_weights
from course_lib.graph import freezing
from course_lib.sound import dataset, features
from course_lib.tflite import xray
from course_lib.views import bytes as draw_bytes
from course_lib.views import sizes as draw
from course_lib.views.patch import BytePatch
from course_lib.views.xray import XrayView

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
# **Predict.** You often hear that TensorFlow Lite models are quantized, which is to say that small whole
# numbers stand for their weights. How many bytes does one weight of `plain` take?

# %% predict="6.1"
my_guess = ...

# %%
rays = xray.Xray(plain)
kernel = rays.layers[0].weights
compare("6.1", my_guess, len(kernel.span) // kernel.count)
print(kernel.count, "weights of the first layer, stored as", kernel.type)

# %% [markdown]
# Four bytes: nothing is quantized unless you ask for it, which lesson 07 does.
#
# ## What the converter merges
#
# It was not idle, though. Compare what there was to do with what is left.

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
# Two steps in one are **fused**: no intermediate result has to be stored. Batch normalisation went even further: was it
# folded into the convolution before it, as Grappler did in lesson 05? Fold every layer by hand, and lay the result beside
# the numbers in the file. (TensorFlow Lite puts the output channel first, so the layout differs.)

# %%
folded = same_weights.folded(model)
for (name, (by_hand, _)), layer in zip(folded.items(), rays.layers):
    stored = rays.values(layer.weights)
    print(name, "equal:", np.allclose(stored, by_hand, atol=1e-6))

# %% [markdown]
# ## The first bytes
#
# Now open the shipped int8 model: the same network with weights of one byte. A `.tflite` is a **FlatBuffer**: numbers
# lie in the file as in memory, and offsets lead to them. So `open`, and the schema, a list of what the numbers mean,
# are enough.

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
# **Predict.** The first four bytes are a number, its lowest byte first: how far to go to the **root table**, where
# everything begins. At which byte is it?

# %% predict="6.3"
my_guess = ...

# %%
root = int.from_bytes(shipped[:4], "little")
compare("6.3", my_guess, root)

# %% [markdown]
# ## From an offset to a field
#
# ### Exercise 6.4
# All such offsets count from their own place. Write `follow(data, position)`: read the unsigned
# 32-bit number at `position` and return the place it points to. `08 00 00 00` at 4 points to 12.

# %% exercise="6.4" points=2
# Exercise 6.4
def follow(data, position):
    ### BEGIN SOLUTION
    return position + int.from_bytes(data[position:position + 4], "little")
    ### END SOLUTION

# %% check="6.4"
check("6.4", follow)

# %%
rays = xray.Xray(shipped)
draw_bytes.hexdump(rays.map, 0, 48, mark=root)

# %% [markdown]
# A **table** begins with the way to its **vtable**, a list of where each field lies. A field that was not set, or has
# its default, has the entry 0, or the list ends before it: that is how old and new files stay readable.
#
# ### Exercise 6.5
# Write `field(data, table, slot)`. The vtable lies at `table` minus the *signed* 32-bit number there.
# It holds unsigned 16-bit numbers: its own size, the table's size, an entry for each slot (from 0):
# how far from `table` the field lies. Return the field's place, or `None`.

# %% exercise="6.5" points=2
# Exercise 6.5
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

# %% check="6.5"
check("6.5", field)

# %% [markdown]
# ## The way to a weight
#
# With these two functions you get from table to table. The third rule on this way is that of a **vector**, a row of
# entries: `follow` leads to its length, and the entries begin four bytes later. The root's slot 4 leads to the vector of
# **buffers**, the parts that hold weights. Its entries are offsets to tables, and slot 0 of such a table leads to the
# bytes themselves, again a vector.
#
# The last buffer belongs to the first layer. Walk to its first weight with your own functions, once they are right.

# %%
weights = rays.layers[0].weights
vector, place = rays.map.find("buffers")[1].value, weights.span.start
count = int.from_bytes(shipped[vector:vector + 4], "little")
slot_of = yours("6.5", field, None)
go_on = yours("6.4", follow, None)
if slot_of and go_on:
    vector = go_on(shipped, slot_of(shipped, root, 4))
    last = int(go_on(shipped, vector + 4 + 4 * (count - 1)))
    place = go_on(shipped, slot_of(shipped, last, 0)) + 4
print(count, "buffers; the first weight of the first layer is")
print(np.frombuffer(shipped, np.int8)[place], "at byte", place)

# %% [markdown]
# Here is every read on that way.
#
# holds: vector == rays.map.find("buffers")[1].value and place == weights.span.start
# holds: weights.span.path == f"buffers[{count - 1}].data"

# %%
route = rays.route(weights)
print(f"{len(route)} reads, {route.jumps} jumps,",
      f"{route.bytes_read} of {len(shipped)} bytes touched")
route

# %% [markdown]
# ## Every byte has a name
#
# Step through the parts of the file with the buttons, or with the arrow keys on the slider. Search
# for `listen`, for `scale`, or for the number of a byte. Hover over a byte to learn its name.

# %%
XrayView(shipped, title="spotter_int8.tflite").show()

# %%
rays.map

# %% [markdown]
# Every byte belongs to exactly one part, and the shares add up to the file. Look for the scales
# under "numbers", and for what a name costs: its letters, a length, an offset, padding. ("weights" are all constants, the
# axes of the mean among them.)
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
# Here is that one. Move its stored number, watch the accuracy and the **logits**, the sums that softmax, the last
# operation, turns into probabilities, and put it back. Then try another weight, or another tensor.

# %%
BytePatch(shipped, heard_features, heard.labels, dataset.LABELS,
          clip=int(np.flatnonzero(turned[most] != before)[0]),
          tensor=decide.name, index=most,
          number=-int(rays.values(decide).flat[most])).show()

# %% [markdown]
# ## Change one bit
#
# One weight out of thousands decides little alone. A bias can do more: it has 32 bits, so a single one of them may
# change it by far. Flip a single *bit*, the sixteenth from below, in each bias of the first layer, one after the
# other.
#
# **Predict.** What accuracy, in per cent, is left after the worst of these flips?

# %% predict="6.6"
my_guess = ...

# %%
biases = rays.layers[0].bias
flips = [rays.patched(biases, index, int(value) ^ (1 << 15))
         for index, value in enumerate(rays.values(biases))]
accuracies = [(answers(each) == heard.labels).mean() for each in flips]
compare("6.6", my_guess, round(100 * min(accuracies)))
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
# You changed numbers in place, because nothing had to move. Lesson 16 does it with a text, and measures what such a
# format saves.
#
# ## What you measured
#
# Every line is computed from what you ran above.

# %%
claims = {
    "the converter quantizes by itself": kernel.type != "FLOAT32",
    "the converter merges operations": len(merged) < len(frozen) / 5,
    "to reach one weight, most of the file is read":
        route.bytes_read > len(shipped) / 2,
    "every byte of the file has a name": rays.map.complete,
    "every weight decides some answer": min(changes) > 0,
    "one bit can make most answers wrong": min(accuracies) < 0.5,
}
for claim, holds in claims.items():
    print("confirmed:" if holds else "not so:   ", claim)
progress("06")

# %% [markdown]
# **Read on:**
# - [FlatBuffers' internals](https://flatbuffers.dev/internals/): tables, vtables and vectors, by those who made them.
# - [schema.fbs](https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/compiler/mlir/lite/schema/schema.fbs):
#   what each number of a .tflite means; find the root table at its end.
# - [Converting](https://ai.google.dev/edge/litert/models/convert_tf): everything that can be set, when you want to.
#
# What do eight bits cost?
