# %% [markdown]
# # Seconds, and two devices
#
# **What does a graph gain in seconds, and where should it be cut in two?** {minutes} minutes.
#
# You will be able to
# - say what happens when a function is traced, and what happens in every call,
# - time one model in many ways, and say what the differences come from,
# - find the best place to cut a graph between a small device and a large one.

# %% setup

# %% [markdown]
# ## Two ways to print
#
# `print` belongs to Python, `tf.print` to the graph.
#
# **Predict.** Five calls of a traced function, all with a number of the same kind. How many lines does Python's `print` write?

# %%
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

tf = session.import_tensorflow()
lines = []
log = session.workspace("28").absolute() / "graph.txt"

@tf.function
def greet(x):
    lines.append("Python was here")
    tf.print("the graph was here", output_stream=f"file://{log}")
    return x + 1

# %% predict="28.1"
my_guess = ...

# %%
log.unlink(missing_ok=True)
for number in range(5):
    greet(tf.constant(number))
compare("28.1", my_guess, len(lines))
print("lines of the graph:", len(log.read_text().splitlines()))

# %% [markdown]
# One line in five calls: a traced function runs its Python once, to build the graph. (A list stands in for the screen.) So
# a counter, a list or a file that Python writes to is left out of every call that does not trace.
#
# ### A loop whose length nobody knows
#
# AutoGraph rewrites `if` and `while` into operations, where they ask a tensor. Nobody has proved that this loop ends from every start.

# %%
@tf.function(input_signature=[tf.TensorSpec((), tf.int32)])
def steps(n):
    count = 0
    while n > 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        count += 1
    return count

for n in (6, 27, 97):
    print(f"from {n}: {int(steps(tf.constant(n)))} steps")
print("traced:", steps.experimental_get_tracing_count())

# %%
graph_def = steps.get_concrete_function().graph.as_graph_def()
inner = [node.op for each in graph_def.library.function
         for node in each.node_def]
kinds = {node.op for node in graph_def.node} | set(inner)
for word in ("While", "If"):
    print(word, "is an operation:", any(word in kind for kind in kinds))

# %% [markdown]
# One graph serves loops of any length: no turn was copied. In lesson 11 each was, because `range` asked no tensor.
#
# ### Exercise 28.2
# `halve` gets `calls` below, one after the other: once as a plain `tf.function`, once with an `input_signature`. How many
# traces does each cause? Give both numbers in a list.

# %%
calls = [1.0, 2.0, tf.constant(3.0), tf.constant(4.0), 1.0]
signature = [tf.TensorSpec((), tf.float32)]

def halve(x):
    return x / 2

# %% exercise="28.2" points=1
# Exercise 28.2
### BEGIN SOLUTION
traces = [3, 1]
### END SOLUTION

# %% check="28.2"
check("28.2", traces)

# %%
plain = tf.function(halve)
signed = tf.function(halve, input_signature=signature)
for x in calls:
    plain(x), signed(x)
counted = [each.experimental_get_tracing_count() for each in (plain, signed)]
print("without and with a signature:", counted)

# %% [markdown]
# ## One model, many ways to run it
#
# Now seconds. The spotter answers one clip: called by Keras eagerly, as a graph, compiled by XLA, and from three
# `.tflite` files. LiteRT may hand operations to a delegate; its usual one is XNNPACK, fast code for processors.

# %%
import numpy as np

from course_lib import micro, quantize, spotter, tflite
from course_lib.micro import wasm
from course_lib.session import processes
from course_lib.sound import dataset, features

model = spotter.load()
clip = features.of(dataset.bundled("validation"))[:1]
x = tf.constant(clip[..., None])

def answer():
    return model(x, training=False)

int8 = tflite.load("spotter_int8")
files = {"float32": tflite.load("spotter_float32"),
         "int8 weights": tflite.convert(model, "dynamic_range"),
         "int8": int8}

# %%
ways = {"Keras, eager": answer, "graph": tf.function(answer),
        "XLA": tf.function(answer, jit_compile=True)}
for name, data in files.items():
    for delegate in (False, True):
        run = tflite.Interpreter(data, delegate=delegate).run
        title = f"{name}, XNNPACK" if delegate else name
        ways[title] = lambda run=run: run(clip)
ways["NumPy, int8"] = lambda: quantize.run_integer(int8, clip)

# %% [markdown]
# The ways take turns, so that what else this machine does disturbs all alike. The middle time counts, without the first two.

# %% [markdown]
# **Predict.** Of the six runs of `.tflite` files, how many are more than five times as fast as the eager call?
#
# given: five

# %% predict="28.3"
my_guess = ...

# %%
from statistics import median
from time import perf_counter

taken = {name: [] for name in ways}
for turn in range(20):
    for name, run in ways.items():
        start = perf_counter()
        run()
        taken[name].append(perf_counter() - start)
seconds = {name: median(times[2:]) for name, times in taken.items()}

eager = seconds["Keras, eager"]
quick = [name for name in list(ways)[3:9] if 5 * seconds[name] < eager]
compare("28.3", my_guess, len(quick))

# %% [markdown]
# All six. And three ways without Python: plain C, where there is a compiler; the same C in a browser's engine, where there is
# Node; and an imitated chip's instructions, as an estimate. Lesson 18 explains them.

# %%
from timeit import repeat

program = micro.plain_c.generate(int8)
outside = {}
if not micro.plain_c.missing("desktop"):
    built = micro.plain_c.build(program, log.parent / "c", "desktop")
    outside["plain C, int8"] = lambda x: micro.plain_c.run(program, built, x)
if node := processes.node():
    outside["browser, int8"] = lambda x: wasm.run(program, x, node)
many = np.zeros((201, *clip.shape[1:]), np.int8)
for name, run in outside.items():  # without the seconds of a start
    few, more = (min(repeat(lambda: run(rows), number=1, repeat=3))
                 for rows in (many[:1], many))
    seconds[name] = (more - few) / 200

# %%
device = micro.on_cortex_m4(int8, micro.device_clips().waves[:4])
chip = micro.estimate(micro.CHIPS[0], device.model_instructions,
                      device.flash_bytes, device.ram_bytes)
seconds["Cortex-M4, estimate"] = sum(chip.seconds) / 2

from course_lib.views import partition as draw

draw.ratios(seconds, "Keras, eager")

# %% [markdown]
# The scale is logarithmic. The eager call multiplies as often as the files; nearly all of its time goes to Python, which starts
# one small operation after the other. In so small a model, *who starts the operations* matters more than their bits.

# %% [markdown]
# In your picture, is int8 faster? Eight bits always save bytes. Whether they save seconds, too, depends on the processor
# and on the code that runs them.

# %% [markdown]
# ## One graph over two devices
#
# A chip hears, a phone is fast, a radio lies between. Which operations should stand on which? TensorFlow's answer:
# where an edge leaves device A, a `Send` is put, and on B a `Recv`. Here are the frozen spotter's nodes, one a layer.

# %%
from course_lib.graph import collapse, partition, trace

frozen = session.data_path("models", "spotter.pb").read_bytes()
whole = trace.from_graph_def(frozen)

def layer_of(node):
    first = node.name.split("/")[0]
    first = first.removesuffix("_norm").removesuffix("_relu")
    ends = ("Softmax", "probabilities")
    return "decide" if first in ends else first

layers = collapse(whole, layer_of)
products = partition.multiplications(whole, layer_of)
print(f"{len(layers)} nodes, {sum(products.values()):,} multiplications")

# %% [markdown]
# **Predict.** The features of a clip have 7,840 bytes. The first layer, `listen`, does a sixth of all the work. How many bytes leave it?
#
# holds: partition.tensor_bytes(layers["features"]) == 7840
# holds: 0.16 < products["listen"] / sum(products.values()) < 0.18

# %% predict="28.4"
my_guess = ...

# %%
size = partition.tensor_bytes(layers["listen"])
compare("28.4", my_guess, size)

# %% [markdown]
# Three times as many as came in: about a quarter of the places, with a number of each filter. A network swells before it shrinks.
#
# holds: 3 <= size / 7840 < 3.1 and layers["listen"].shape[-1] > 4

# %% [markdown]
# Move the cut, and choose the link. The chip does 4 million multiplications a second, the phone 1,000 million; each
# tensor waits 5 ms, and then takes its bytes divided by the link's bytes a second. Nothing happens at the same time.
#
# given: 4, 1,000, 5 ms

# %%
links = {
    "slow radio, 20,000 bytes a second":
        partition.Devices(4e6, 1e9, 20e3, 0.005),
    "fast radio, 1,000,000 bytes a second":
        partition.Devices(4e6, 1e9, 1e6, 0.005),
}
draw.CutView(layers, products, links, cut=5).show()

# %% [markdown]
# Look at five nodes on A: two tensors cross, for `add_1` reads `merge` as well. And with four on A, `merge` is read
# twice on B.
#
# ### Exercise 28.5
# `bytes_sent(rows, cut)` gets the nodes as rows `(name, bytes, names of inputs)`. The first `cut` rows stand on A, the others
# on B. Return how many bytes are sent. A tensor goes once, however many read it.
#
# holds: len(partition.sent(layers, 5)) == 2
# holds: len(partition.crossing(layers, 4)) == 2 and len(partition.sent(layers, 4)) == 1

# %% exercise="28.5" points=2
# Exercise 28.5
def bytes_sent(rows, cut):
    ### BEGIN SOLUTION
    read = {name for row in rows[cut:] for name in row[2]}
    return sum(row[1] for row in rows[:cut] if row[0] in read)
    ### END SOLUTION

# %% check="28.5"
check("28.5", bytes_sent)

# %%
def ours(rows, cut):
    return sum(partition.sent(layers, cut).values())

mine = yours("28.5", bytes_sent, ours)
rows = [(node.name, partition.tensor_bytes(node), list(node.inputs))
        for node in layers]
sent = [mine([*rows], cut) for cut in range(1, len(rows))]
print(*sent)

# %% [markdown]
# Does TensorFlow agree? It gets the frozen graph with a device at each node, cuts it itself, and says which tensors it sent.

# %%
whose = {node.name: layer_of(node) for node in whole}
place = {node.name: row for row, node in enumerate(layers)}
same_count, same_answer = [], []
for cut in range(1, len(layers) + 1):
    result, names = partition.run_divided(
        frozen, lambda name: place[whose[name]] < cut,
        {"features": x.numpy()}, "probabilities")
    same_count.append(len(names) == len(partition.sent(layers, cut)))
    first = result if cut == 1 else first
    same_answer.append(bool(np.allclose(result, first, atol=1e-5)))
print("as many Sends as we say:", all(same_count))
print("the same answer, wherever it is cut:", all(same_answer))

# %% [markdown]
# **Predict.** The link is the fast radio. How many of the nodes should stand on A? (`features`, the first, always
# does.)

# %% predict="28.6"
my_guess = ...

# %%
fast = list(links.values())[1]
total = {cut: partition.seconds(layers, cut, products, fast).total
         for cut in range(1, len(layers) + 1)}
compare("28.6", my_guess, min(total, key=total.get))

draw.times(layers, products, links)

# %% [markdown]
# Not in the middle: the fast radio sends the features at once, and the slow one sends nothing. Features are a narrow place:
# a second of sound is 32,000 bytes, and what they make of it a quarter.
#
# holds: min(total, key=total.get) <= 2
# holds: (lambda t: min(t, key=t.get) >= len(layers) - 1)({c: partition.seconds(layers, c, products, list(links.values())[0]).total for c in total})
# holds: 16000 * 2 == 32000 and 7840 / 32000 < 0.25
#
# ### Exercise 28.7
# `on_a[k]` and `on_b[k]` are the seconds of operation k on A and on B. `sent[cut]` are the bytes where the first `cut`
# operations stand on A, and `link` the bytes a second. Return the cut of the least time.

# %% exercise="28.7" points=2
# Exercise 28.7
def best_cut(on_a, on_b, sent, link):
    ### BEGIN SOLUTION
    def total_of(cut):
        return sum(on_a[:cut]) + sent[cut] / link + sum(on_b[cut:])

    return min(range(len(sent)), key=total_of)
    ### END SOLUTION

# %% check="28.7"
check("28.7", best_cut)

# %% [markdown]
# ## What you measured

# %%
claims = {
    "Python's print runs in every call": len(lines) == 5,
    "a signature keeps one graph for all calls": counted[1] == 1,
    "every .tflite is five times as fast as eager": len(quick) == 6,
    "the chip is as quick as this machine":
        seconds["Cortex-M4, estimate"] < 3 * seconds["int8, XNNPACK"],
    "a layer sends less than it gets": size < 7840,
    "a cut graph gives the same answer": all(same_answer),
}
for claim, holds in claims.items():
    print("holds:" if holds else "fails:", claim)
progress("28")

# %% [markdown]
# **Read on:**
# - [Better performance with tf.function](https://www.tensorflow.org/guide/function): tracing, signatures, and every
#   surprise with Python's side effects.
# - [TensorFlow: large-scale machine learning on heterogeneous distributed systems](https://arxiv.org/abs/1603.04467): how
#   nodes are placed on devices, and why Send and Recv are operations themselves.
# - [Neurosurgeon](https://doi.org/10.1145/3037697.3037698): a program that finds the best cut between a phone and a
#   data centre, for time or battery.
# - [XNNPACK](https://github.com/google/XNNPACK): its operations, and for which processors.
