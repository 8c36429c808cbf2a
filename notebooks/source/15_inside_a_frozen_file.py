# %% [markdown]
# # Inside a frozen file
#
# **What can be done with a frozen file, without the code that made it?** You read its bytes, find a weight among them,
# add what nobody knows, and let the graph learn again.
#
# {minutes} minutes. Afterwards you can
# - read a protobuf byte by byte, with a pencil;
# - say what becomes of a field that a program does not know;
# - tell what a frozen graph has forgotten.

# %% setup

# %%
import numpy as np

from course_lib import session, spotter
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)
from course_lib.formats import protobuf
from course_lib.graph import freezing
from course_lib.sound import dataset, features
from course_lib.views import bytes as draw_bytes
from course_lib.views.wire import WireCursor

tf = session.import_tensorflow()

# %% [markdown]
# ## Every byte has a name
#
# Here is the spotter again, frozen as in lesson 05: one field behind the other. The helper package puts a name to each
# byte. This is the whole file; the weights come first, the operations that use them last.

# %%
model = spotter.load()
frozen = freezing.frozen(model)
data = frozen.graph_def
named = protobuf.byte_map(data, "GraphDef")
print("every byte has exactly one name:", named.complete)
draw_bytes.overview(named, alt="the frozen file's bytes by kind")

# %% [markdown]
# Now a cursor over single nodes, with protobuf's text format beside the bytes. Move through the parts. A field begins with its
# **tag**: the field's number, and its **wire type**, which tells how to find the field's end. Then a length or a value follows.

# %%
WireCursor(data, ["features", "listen/convolution", "decide/bias"]).show()

# %% [markdown]
# Of a field only the number is in the file: the schema has the names. (`strides` stands there as a key, and keys are
# data.) The strides of the convolution are **packed**: four numbers behind one tag.
#
# ## Numbers and tags
#
# A length of 128 or more takes two bytes, or more. Such a number is a **varint**: seven bits a byte, the lowest first, and the
# highest bit says whether another byte follows.
#
# holds: [len(protobuf.encode_varint(n)) for n in (127, 128)] == [1, 2]
#
# ### Exercise 15.1
# Write `varint(data)`: the number at the start of `data`. More bytes may follow that are not part of it.

# %% exercise="15.1" points=2
# Exercise 15.1
def varint(data):
    ### BEGIN SOLUTION
    value = 0
    for place, byte in enumerate(data):
        value += (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value
    ### END SOLUTION

# %% check="15.1"
check("15.1", varint)

# %% [markdown]
# ### Exercise 15.2
# A tag is a varint, too: its lowest three bits are the wire type, the rest the field's number. Write `tag(byte)`: a pair
# `(field number, wire type)`, for tags of one byte.

# %% exercise="15.2" points=1
# Exercise 15.2
def tag(byte):
    ### BEGIN SOLUTION
    return byte >> 3, byte & 7
    ### END SOLUTION

# %% check="15.2"
check("15.2", tag)

# %% [markdown]
# ## A weight among the bytes
#
# ### Exercise 15.3
# Find weights without any parser. Write `find(data, weights)`: the place in `data`, counted from 0, at which a list
# of float32 numbers begins. Should it be there twice, the first place counts.
#
# given: twice

# %% exercise="15.3" points=2
# Exercise 15.3
def find(data, weights):
    ### BEGIN SOLUTION
    return data.find(np.asarray(weights, "float32").tobytes())
    ### END SOLUTION

# %% check="15.3"
check("15.3", find)

# %% [markdown]
# Where does the parser find the first kernel in the real file, and where does your function? (One that is not right yet is left out.)

# %%
parsed = protobuf.constant(protobuf.read(data, "GraphDef"), "listen/kernel")
by_parser = parsed.raw.value_start
by_search = None  # until exercise 15.3 is right
if search := yours("15.3", find, None):
    kernel = model.get_layer("listen").kernel.numpy()
    by_search = search(data, kernel.ravel().tolist())
    print("search and parser agree:", by_search == by_parser)

# %% [markdown]
# ## A field from the future
#
# Files live long, and programs change. Add a field that no schema has, number 1000 with the letters `hello`, as a later
# version might. **Predict.** What does TensorFlow do with that file: `"answers"` or `"refuses"`?
#
# given: 1000

# %% predict="15.4"
my_guess = ...

# %%
extra = protobuf.encode_varint(1000 << 3 | 2) + bytes([5]) + b"hello"
rows = features.of(dataset.bundled("test"))[::12]
newer = freezing.load(data + extra)
equal = np.allclose(newer.run(rows), frozen.run(rows))
compare("15.4", my_guess, "answers" if equal else "refuses")
kept = b"hello" in newer.proto().SerializeToString()
print("kept when written again:", kept)

# %% [markdown]
# The tag tells how to find the end of an unknown field, so a reader can step over it, and keep it. That is how old
# programs can read new files; whether they still mean the same is for their makers to say. (Never give a field's
# number to another field later: old files still hold it.)

# %% [markdown]
# ## And back again?
#
# Put variables where the constants are, and a frozen graph can learn again, without any code of the model. **Predict.** What
# is lost for good: `"weights"`, `"batch normalisation"` (the norms) or `"the optimizer's state"`?

# %% predict="15.5"
my_guess = ...

# %%
thawed = freezing.thawed(freezing.frozen(model, batch=None))
recovered = [np.array_equal(thawed.variables[each.path], each)
             for each in model.weights]
names = " ".join(thawed.variables)
lost = {"weights": not all(recovered),
        "batch normalisation": "moving_mean" not in names,
        "the optimizer's state": "momentum" not in names}
compare("15.5", my_guess, *[part for part, gone in lost.items() if gone])

# %% [markdown]
# Every number came back, the moving averages as well. Now a step down the gradient, on a few clips, with TensorFlow
# alone.

# %%
labels = dataset.bundled("test").labels[::12]

def loss():
    right = tf.gather(thawed(rows[..., None]), labels, batch_dims=1)
    return -tf.reduce_mean(tf.math.log(right))

weights = list(thawed.variables.values())
with tf.GradientTape() as tape:
    start = loss()
for weight, gradient in zip(weights, tape.gradient(start, weights)):
    weight.assign_sub(1e-4 * gradient)
learns = bool(loss() < start)
print("one step lowered the loss:", learns)

# %% [markdown]
# Is it the old training, then? Dropout left no node, what Adam remembered was never in the graph, and only names
# still tell which numbers were averages: the step above moved those, too. Keep checkpoints for training, and frozen files for use.
#
# ## What you measured

# %%
found = {
    "every byte of the file has a name": named.complete,
    "the names of the fields are in the file": b"tensor_content" in data,
    "only a parser finds a weight":
        by_search and by_search != by_parser,
    "a field of an unknown number spoils the file": not equal,
    "who writes the file again loses that field": not kept,
    "what is frozen can learn again": learns,
    "it comes back as it was in training": not any(lost.values()),
}
for statement, holds in found.items():
    if holds is not None:
        print("true " if holds else "false", statement)
progress("15")

# %% [markdown]
# **Read on:**
# - [Encoding](https://protobuf.dev/programming-guides/encoding/): the rules for every byte of a protobuf.
# - [Updating a message type](https://protobuf.dev/programming-guides/proto3/#updating): what a new version may change.
# - [graph.proto](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto): the schema
#   of the file that you took apart.
