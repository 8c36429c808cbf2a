# %% [markdown]
# # Freezing
#
# **What turns a training program into one file?** A checkpoint cannot answer without your code. For a phone, a
# browser or a microcontroller there is no such code: the graph and its numbers have to travel together.
#
# {minutes} minutes. Afterwards you can
# - say what freezing changes in a graph, and what it leaves alone;
# - choose the right kind of file for a job;
# - open a SavedModel's folder, and give a model entrances with names.

# %% setup

# %%
import shutil, subprocess, sys
from collections import Counter

import numpy as np
from course_lib import session, spotter
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)
from course_lib.experiments import alone, trials
from course_lib.formats.checkpoint import contents
from course_lib.graph import Graph, freezing, needed, trace
from course_lib.sound import dataset, features
from course_lib.views.graph import operation_table, side_by_side

tf = session.import_tensorflow()
folder = session.workspace("05")

# %% [markdown]
# ## Where are the weights?
#
# Here is the trained spotter as a program that TensorFlow has traced. Look for one of its kernels among the nodes.

# %%
model = spotter.load()
before = freezing.graph_before(model)
kernel = model.get_layer("listen").kernel.numpy()
print("the kernel's bytes are in it:", kernel.tobytes() in before)

# %% [markdown]
# They are not in the graph. A variable lives beside it, in the memory of the running program; the graph holds a
# **handle**, the place where its value is kept, and a node that reads the value from there.
#
# ## Variables become constants
#
# To **freeze** a graph is to put a constant that holds the values in place of each handle. TensorFlow has a function
# for it. It is not among the public names, but the tool of lesson 06 calls its twin:

# %%
from tensorflow.python.framework import convert_to_constants

program = freezing.program(model)
with session.quiet():
    constant = convert_to_constants.convert_variables_to_constants_v2(program)
print("variables before:", len(program.variables))
print("variables after:", len(constant.variables))

# %% [markdown]
# The helper package makes the same call and tidies up the names. See what became of the first layer.

# %%
frozen = freezing.frozen(model)

def first_layer(graph_def):
    nodes = trace.from_graph_def(graph_def).nodes
    return needed(Graph(nodes, ("listen/convolution",)))

both = {"before": first_layer(before),
        "frozen": first_layer(frozen.graph_def)}
changed = [node.name for node in both["frozen"].nodes
           if node.operation != both["before"][node.name].operation]
side_by_side(both, stand_out=changed,
             alt="the kernel is a variable before, and a constant after")

# %% [markdown]
# **Predict.** `len(program.variables)` counts the variables that it reads. How many nodes more, or fewer, does its whole graph have once it is frozen?

# %% predict="5.1"
my_guess = ...

# %%
nodes = {name: sum(freezing.operations(each).values())
         for name, each in (("before", before), ("after", frozen.graph_def))}
compare("5.1", my_guess, nodes["after"] - nodes["before"])

# %% [markdown]
# ## Four graphs of one model
#
# The step that trained the model is a graph as well, and the largest. Freezing takes the one that only answers. Afterwards
# Grappler can fold it: compute beforehand all that depends on constants alone.

# %%
graphs = freezing.stages(model)
operation_table({name: freezing.operations(each)
                 for name, each in graphs.items()},
                alt="nodes by operation in four graphs of one model")

# %% [markdown]
# Gradients, optimizer and dropout fall away when the program only answers. Freezing changes four rows and keeps the
# sum. Folding then takes the norms, in full *batch normalisation*, into the kernels; an addition for each is left.
#
# holds: nodes["before"] == nodes["after"]
# holds: len(freezing.operations(before) - freezing.operations(frozen.graph_def)) == 2
# holds: len(freezing.operations(frozen.graph_def) - freezing.operations(before)) == 2
#
# ### Exercise 5.2
# Each variable had a `Placeholder`, its handle, and a `ReadVariableOp`. Which operation stands in the place of the first
# now, and which in that of the second? Give a list of two names, as the table writes them.

# %% exercise="5.2" points=1
# Exercise 5.2
### BEGIN SOLUTION
became = ["Const", "Identity"]
### END SOLUTION

# %% check="5.2"
check("5.2", became)

# %% [markdown]
# ## Where batch normalisation went
#
# In training, batch normalisation measures each channel's `mean` and `variance`, and learns a factor `gamma` and a
# sum `beta`. Once these are constants, it multiplies each channel by one number and adds another. The convolution
# before it can do both.
#
# ### Exercise 5.3
# The old convolution gave `x`, and its normalisation made `gamma * (x - mean) / sqrt(variance + epsilon) + beta` of it.
# Write `fold(...)`: return the kernel and the bias of one convolution that gives the same at once. The last axis of the
# kernel is the channels.

# %% exercise="5.3" points=3
# Exercise 5.3
def fold(kernel, gamma, beta, mean, variance, epsilon):
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale
    ### END SOLUTION

# %% check="5.3"
check("5.3", fold)

# %% [markdown]
# Did Grappler do the same? It left the bias in a node of its own. Fold the first kernel, and look for it among the
# constants of the folded graph.
# (Until `fold` is right, Keras's own layer does it: what it makes of the kernel, less what it makes of zeros.)

# %%
norm = model.get_layer("listen_norm")
four = [each.numpy() for each in (
    norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)]
by_layer = norm(kernel) - norm(tf.zeros_like(kernel))
by_hand = yours("5.3", fold, lambda *_: (by_layer, None))
mine, _ = by_hand(kernel.copy(), *four, norm.epsilon)
parsed = freezing.load(graphs["folded"]).proto()
kernels = [tf.make_ndarray(node.attr["value"].tensor)
           for node in parsed.node if node.op == "Const"]
equal = [each.shape == np.shape(mine) and np.allclose(each, mine, atol=1e-6)
         for each in kernels]
print("folded kernels found:", sum(equal))

# %% [markdown]
# ## Does it run alone?
#
# Save the frozen graph, and write a program that knows nothing of this course. It will run in a process of its own.
#
# A file that ends in `.pb` is a **protobuf**: one **field** behind the other, each a value with a number that says which
# it is. What the numbers mean stands in a **schema**, a text that came with TensorFlow; that is why TensorFlow can read
# the file. Lesson 15 reads every byte of it.

# %%
clips = dataset.bundled("test")
sound, labels = features.of(clips)[::12], clips.labels[::12]
alone.write(model, folder, sound, labels)
program = """
import numpy as np, tensorflow as tf, sys
graph = tf.compat.v1.GraphDef.FromString(open('frozen.pb', 'rb').read())
load = lambda: tf.graph_util.import_graph_def(graph, name="")
wrapped = tf.compat.v1.wrap_function(load, [])
run = wrapped.prune("features:0", "probabilities:0")
clips = np.split(np.load("features.npy"), 24)
answers = np.concatenate([run(tf.constant(clip)) for clip in clips])
print(abs(answers - np.load("answers.npy")).max() < 1e-5,
      "course_lib" in sys.modules)
"""

# %%
done = subprocess.run([sys.executable, "-I", "-c", program], cwd=folder,
                      capture_output=True, text=True)
equal, ours = done.stdout.split()
print("equal to the model:", equal)
print("our code was imported:", ours)

# %% [markdown]
# ## Which file can do what?
#
# `alone.write` left the same model in five forms. **Predict.** How many of the five give the right answers in a process without
# our code: checkpoint, Keras file, SavedModel, frozen graph, TFLite?

# %% predict="5.4"
my_guess = ...

# %%
table = alone.measure(folder)
compare("5.4", my_guess, sum(each.complete for each in table))

# %% [markdown]
# Every entry of the table was tried just now, in fresh processes: by TensorFlow's Python, its C++ library, Netron,
# and **LiteRT**, the small program that runs `.tflite` files and was called TensorFlow Lite before; and by one
# training step. Answers count when they are within 0.00001.
#
# given: 0.00001

# %%
table

# %% tags=["nbval-ignore-output"]
print(table.viewed)

# %% [markdown]
# No row has every tick. The checkpoint goes on where your training stopped, and answers nobody without your code. LiteRT
# takes the `.tflite`, and no other. (TensorFlow still ships an old copy of it, `tf.lite.Interpreter`, which warns that it
# will be deleted and does not count here.)

# %% [markdown]
# ### Exercise 5.5
# Name the form for each job, in a list of four: `"checkpoint"`, `"SavedModel"`, `"frozen graph"` or `"TFLite"`.
#
# - A: a C++ program on a server, with TensorFlow's library, answers with a fixed model. One file, please.
# - B: your own training script should go on after a power cut.
# - C: a colleague without your code wants to train it further on her data, and to run it without Python.
# - D: a phone runs it in LiteRT.

# %% exercise="5.5" points=2
# Exercise 5.5
### BEGIN SOLUTION
take = ["frozen graph", "checkpoint", "SavedModel", "TFLite"]
### END SOLUTION

# %% check="5.5"
check("5.5", take)

# %% [markdown]
# ## The SavedModel folder
#
# The one that can learn and needs neither code nor Keras is a folder. Which of its files holds the weights?

# %%
saved = folder / "saved_model"
for path in sorted(saved.rglob("*")):
    if path.is_file():
        there = kernel.tobytes() in path.read_bytes()
        name = path.relative_to(saved).as_posix()
        print(name, "holds the kernel" if there else "")

# %% [markdown]
# `saved_model.pb` holds the graph and its entrances; the weights lie in `variables/`, a checkpoint like those of
# lesson 04. Take that away, and nothing loads. (A frozen graph can be saved so, too; lesson 25 does it.)

# %%
shutil.copytree(saved, folder / "bare", dirs_exist_ok=True)
shutil.rmtree(folder / "bare" / "variables")
whole, bare = (
    trials.attempt(name, lambda: tf.saved_model.load(f"{folder}/{name}"))
    for name in ("saved_model", "bare"))
print(whole, bare, sep="\n")

# %% tags=["nbval-ignore-output"]
def copies(saved_model):
    stored = Counter(each.name for each in contents(saved_model)
                     if each.group == "weights")
    return max(stored.values())

print("each weight is stored", copies(saved), "times")

# %% [markdown]
# More than once? `model.export` of some releases of Keras lists variables under two names, a fault that is being mended. A
# plain `tf.Module` keeps them once. This one has two functions, and the second answers in words.

# %%
class Answer(tf.Module):
    def __init__(self):
        self.weights = [each.value for each in model.weights]
        self.names = tf.constant(dataset.LABELS)

    @tf.function(input_signature=[tf.TensorSpec([None, 49, 40, 1])])
    def scores(self, clips):
        return {"shares": model(clips, training=False)}

    @tf.function(input_signature=[tf.TensorSpec([None, 49, 40, 1])])
    def words(self, clips):
        best = tf.argmax(self.scores(clips)["shares"], axis=1)
        return {"word": tf.gather(self.names, best)}

answer = Answer()
with session.quiet():
    tf.saved_model.save(answer, folder / "once", signatures={
        "scores": answer.scores, "words": answer.words})
print("weights are stored twice:", copies(folder / "once") == 2)

# %% [markdown]
# An entrance with a name is a **signature**. It says what goes in and what comes out, and a program in another language calls it
# by that name.

# %%
again = tf.saved_model.load(folder / "once").signatures
for name, function in sorted(again.items()):
    (given,) = function.structured_input_signature[1].values()
    (result,) = function.structured_outputs.values()
    print(name, "takes", given.shape, "and gives", result.dtype.name)
said = again["words"](clips=tf.constant(sound[::4, ..., None]))["word"]
print("heard:", *(word.decode() for word in said.numpy()))

# %% [markdown]
# ## What you measured
#
# Statements that are often made about such files, and what yours say.

# %%
forms = {each.name: each for each in table}
found = {
    "a frozen .pb is a complete model": forms["frozen graph"].complete,
    "so is a SavedModel's .pb": bare.works,
    "a SavedModel is always frozen": not forms["SavedModel"].learns,
    "a checkpoint is for going on": forms["checkpoint"].learns,
    "a checkpoint is enough to answer": forms["checkpoint"].complete,
    "freezing makes the graph smaller": nodes["after"] < nodes["before"],
}
for statement, holds in found.items():
    print("true " if holds else "false", statement)
progress("05")

# %% [markdown]
# **Read on:**
# - [Using the SavedModel format](https://www.tensorflow.org/guide/saved_model): the folder, its signatures, and how to
#   run one without Python.
# - [convert_to_constants.py](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/python/framework/convert_to_constants.py):
#   the source of the function that freezes.
# - [Batch normalization](https://arxiv.org/abs/1502.03167): the paper behind the layer that you folded away.
#
# A frozen graph still needs TensorFlow. A file for phones and chips does not.
