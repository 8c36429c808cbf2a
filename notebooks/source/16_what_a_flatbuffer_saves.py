# %% [markdown]
# # What a FlatBuffer saves
#
# **What does a FlatBuffer save, and what does it cost?** You put the same weights into both formats, and measure.
#
# {minutes} minutes. Afterwards you can
# - say which claims about FlatBuffers hold, and for which files;
# - change a text in a file that nobody writes anew;
# - find out why a program cannot be converted.

# %% setup

# %%
import numpy as np

from course_lib import session, spotter, tflite
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)
from course_lib.experiments import readers, reading_costs, same_weights
from course_lib.graph import freezing
from course_lib.sound import dataset, features
from course_lib.tflite import runtimes, xray
from course_lib.views import sizes as draw

tf = session.import_tensorflow()
folder = session.workspace("16")

# %% [markdown]
# ## One weight of a large file
#
# The frozen graph of lesson 05 is a protobuf, the `.tflite` of lesson 06 a FlatBuffer. Put the same weights into both
# formats, in files of three sizes, and ask each for one weight.

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

# %% predict="16.1"
my_guess = ...

# %%
flat = [reading_costs.cost(lambda: reading_costs.weight_flatbuffer(each, 20))
        for each, _ in pairs]
proto = [reading_costs.cost(lambda: reading_costs.weight_protobuf(each, 19))
         for _, each in pairs]
compare("16.1", my_guess, "about as long"
        if flat[2].seconds < 3 * flat[0].seconds else "longer")
draw.first_weight([len(each) for each, _ in pairs], flat, proto)

# %% [markdown]
# The library turns a whole protobuf into objects before you can look anything up: memory for all of the message, and a
# copy. The FlatBuffer is used where it lies, and the way to one weight is just as long in a large file. In a small file there
# is little time to win: look where the two lines of the first picture begin.
#
# ## How much of it is loaded
#
# How much of the file is needed to find the first number of that weight? A system fetches files in **pages**, pieces
# of equal size.

# %%
big_flat, big_proto = pairs[-1]
way = xray.Xray(big_flat).route("buffers[20].data")
print(f"FlatBuffer: {way.pages()} of {-(-len(big_flat) // 4096)} pages",
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
# ## How much code it takes
#
# Now the spotter itself, in both formats. Three small C programs look up the same bias. Two read the protobuf: one
# walks over it and keeps nothing, the other makes objects, as generated code does. Beside them stand whole libraries;
# nanopb is a protobuf for microcontrollers. (An allocation is a request for memory.)

# %%
model = spotter.load()
graph = freezing.frozen(model).graph_def
plain = tflite.convert(freezing.concrete(model))
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
# One weight is what a FlatBuffer is quick at. Ask for all of them from Python, and nothing of that is left.
#
# An order of magnitude less code? Of readers as small as these, no. Of whole libraries, yes, where FlatBuffers trust
# the file. Where they check it first, they take a fourth of nanopb's code, which always checks as it reads.
#
# holds: libraries["FlatBuffers"] < libraries["nanopb"] / 10
# holds: 3.5 < libraries["nanopb"] / libraries["FlatBuffers, verified"] < 4.5

# %% [markdown]
# ## The price: nothing may move
#
# Numbers can be changed in place, as you did in lesson 06. Can texts?
#
# ### Exercise 16.2
# They can, if nothing moves. Write `relabel(data, start, room, label)`: the bytes `data` with the bytes `label` written at
# `start` and filled up with spaces to `room` bytes. Return `None` for a label that is too long.

# %% exercise="16.2" points=2
# Exercise 16.2
def relabel(data, start, room, label):
    ### BEGIN SOLUTION
    if len(label) > room:
        return None
    return data[:start] + label.ljust(room) + data[start + room:]
    ### END SOLUTION

# %% check="16.2"
check("16.2", relabel)

# %% [markdown]
# The converter writes a description into its files. Change that of the spotter.

# %%
clips = features.of(dataset.bundled("train"))
text = xray.Xray(plain).map.find("description")[-1]
place = plain.index(text.value.encode())
if write := yours("16.2", relabel, None):
    renamed = write(plain, place, len(text.value), b"yes or no")
else:  # exercise 16.2 is still open: ours
    old = text.value.encode()
    renamed = plain.replace(old, b"yes or no".ljust(len(old)), 1)
print(text.value, "→", xray.Xray(renamed).map.at(place).value.strip())
same = (tflite.run(renamed, clips[:9]) == tflite.run(plain, clips[:9])).all()
print("the answers are the same:", same)

# %% [markdown]
# A longer text would move what lies behind it, and every offset across that place would be wrong. Where sizes change,
# you write the file anew, or append the longer text and leave a hole. That is the price of needing no parser.

# %% [markdown]
# ## The same weights, seven times
#
# Write the trained model in seven forms, read each one back, and compare the weights, where none was folded or
# rounded, by a **hash**: equal digits, equal numbers.

# %%
kept = same_weights.write_all(model, folder, clips)
prints = [each.fingerprint for each in kept if each.holds == "exactly"]
print(len(prints), "forms, equal weights:", len(set(prints)) == 1)
draw.artefacts(kept)

# %% [markdown]
# The Keras file and the checkpoint hold the optimizer, too: almost twice the weights again. Besides, the Keras file adds a
# description of the model and the tables of HDF5, a format for arrays, the checkpoint a list of objects, the SavedModel a graph, and every weight once more where Keras lists it under two names. The frozen graph
# and the float .tflite are little more than weights; int8 is less.
#
# holds: all(kept[n].bytes > 3 * kept[0].bytes for n in (1, 2))
#
# Are FlatBuffers compressed, as one reads? Then zip would find nothing to do.

# %%
shipped = tflite.load("spotter_int8")
three = {"frozen graph": graph, "TFLite float32": plain,
         "shipped int8": shipped}
zipped = {name: (len(file), reading_costs.zipped(file))
          for name, file in three.items()}
left = zipped["shipped int8"][1] / len(shipped)
print("the int8 FlatBuffer is compressed already:", left > 0.95)
draw.fewer_bytes(zipped)

# %% [markdown]
# It is not, and must not be: what is used where it lies cannot be compressed as a whole. A microcontroller runs it
# straight from flash memory. (Single parts can be squeezed: lesson 27 puts two weights into a byte.)

# %% [markdown]
# ## TensorFlow beside TensorFlow Lite
#
# Both are imported into a fresh Python. What does each take?

# %%
big = runtimes.footprint(runtimes.TENSORFLOW)
lite = runtimes.footprint(runtimes.LITERT)
print("LiteRT starts at least five times as fast:",
      big.seconds > 5 * lite.seconds)
draw.runtimes([big, lite])

# %% [markdown]
# How many operations does each know, and are TensorFlow Lite's simply fewer? Look for six: a convolution, its gradient,
# an optimizer's step, a decoder of pictures, a dense layer, and a layer made for small chips.

# %%
many = len(runtimes.operations_of_tensorflow())
few = len(runtimes.operations_of_tflite())
print(f"TensorFlow has about {many / few:.0f} times as many operations")
for name in ("Conv2D", "Conv2DBackpropFilter", "ApplyAdam",
             "DecodeJpeg", "FullyConnected", "SVDF"):
    print(f"{name}: {runtimes.home(name)}")

# %% [markdown]
# Without gradients and optimizers, a converted model can only answer; to learn on a phone, a whole step of training has
# to be converted with it.

# %% [markdown]
# ## What cannot be converted
#
# Here are two programs that one would like to ship with the spotter: one makes a spectrogram, the other decodes a WAV
# file.
#
# **Predict.** Which of them cannot be converted, `"spectrogram"` or `"listen"`?

# %% predict="16.3"
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
compare("16.3", my_guess, *message)
long = len(str(message["listen"]).splitlines()) > 10
print("the message is more than ten lines long:", long)

# %% [markdown]
# ### Exercise 16.4
# Which operation cannot be converted? In a cell of your own, `print(message["listen"])`, look for the line with the
# words `neither a custom op nor a flex op`, and put the operation's name into `culprit`.

# %% exercise="16.4" points=1
# Exercise 16.4
### BEGIN SOLUTION
culprit = "DecodeWav"
### END SOLUTION

# %% check="16.4"
check("16.4", culprit)

# %% [markdown]
# Where LiteRT has no kernel, which is the code that computes an operation, that line says for which. A **custom**
# operation needs one that somebody brings, you or a library; a **flex** operation brings TensorFlow's own along.

# %% [markdown]
# ## An open batch dimension
#
# What converts may still cost more than it has to. The spotter averages over time and does not care how many clips come
# at once. A network that flattens does.

# %%
layers = tf.keras.layers
flattens = tf.keras.Sequential([layers.Input((49, 40, 1)),
                                layers.Flatten(), layers.Dense(4)])
for batch in (1, None):
    small = tflite.convert(freezing.concrete(flattens, batch=batch))
    print(batch, [each.kind for each in tflite.operations(small)])

# %% [markdown]
# Three extra operations, at every run, to find out that the batch is 1. (Our `freezing` adds the softmax, as for the spotter.) Fix it before you convert.
#
# ## What you measured
#
# Every line is computed from what you ran above.

# %%
claims = {
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
    "whatever TensorFlow computes can be converted": not message,
}
for claim, holds in claims.items():
    print("confirmed:" if holds else "not so:   ", claim)
progress("16")

# %% [markdown]
# **Read on:**
# - [FlatBuffers' white paper](https://flatbuffers.dev/white_paper/): why such a format was made, for games.
# - [Protobuf's encoding](https://protobuf.dev/programming-guides/encoding/): the other format, byte by byte.
# - [nanopb](https://jpa.kapsi.fi/nanopb/): the protobuf for microcontrollers that you compared.
# - [Operations of TensorFlow in a .tflite](https://ai.google.dev/edge/litert/models/ops_select): what flex costs, and
#   how to allow it.
