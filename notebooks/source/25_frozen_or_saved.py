# %% [markdown]
# # Frozen, saved, or both
#
# **When does a model answer without its variables?** You freeze the spotter into a SavedModel, take folders apart, ask
# TensorFlow's own command line, and freeze a training folder of TensorFlow 1 in two ways.
#
# {minutes} minutes. Afterwards you can
# - tell a frozen SavedModel from one that is not, by its checkpoint;
# - name a signature's tensors, and ask it from a command line;
# - make a frozen graph of an old training folder, without the code that trained it.

# %% setup

# %%
import shutil

import numpy as np

from course_lib import session, spotter
from course_lib.exercises import check, compare, hint, progress, solution
from course_lib.experiments import trials
from course_lib.graph import freezing
from course_lib.session import internals, processes
from course_lib.sound import dataset, features
from course_lib.views.wire import WireCursor

tf = session.import_tensorflow()
folder = session.workspace("25")
rows = features.of(dataset.bundled("test"))[::24]

# %% [markdown]
# ## The same model, saved twice
#
# A SavedModel is a folder: a graph with its entrances, and a checkpoint of its variables in `variables/`. "Frozen" says
# something else: that the variables have become constants of the graph. So a SavedModel may be frozen or not. Make both.
#
# given: twice

# %%
model = spotter.load()
frozen = freezing.frozen(model, batch=None)

class Frozen(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 49, 40, 1])])
    def serve(self, features):
        return {"probabilities": frozen.function(features)[0]}

with session.quiet():
    model.export(folder / "live", verbose=False)
    tf.saved_model.save(module := Frozen(), folder / "cold", {
        "serving_default": module.serve})

# %% [markdown]
# Which files are there, and how large are they? (`fingerprint.pb`, a checksum, is left out.)

# %%
def sizes(name):
    return {path.relative_to(folder / name).as_posix(): path.stat().st_size
            for path in sorted((folder / name).rglob("*"))
            if path.is_file() and path.name != "fingerprint.pb"}

for name in ("live", "cold"):
    print(name)
    for path, size in sizes(name).items():
        large = "over 50 kB" if size > 50_000 else "below 5 kB"
        print(f"  {large}  {path}")

# %% [markdown]
# The same files, so a list of names tells nothing. The sizes say more: in `cold`, `variables/` holds next to nothing.
#
# holds: list(sizes("live")) == list(sizes("cold"))
# holds: sum(sizes("cold").values()) < sum(sizes("live").values())
#
# **Predict.** Delete `variables/` from both. How many of the two folders does `tf.saved_model.load` still open?

# %% predict="25.1"
my_guess = ...

# %%
def without_variables(name):
    bare = folder / f"{name} without variables"
    shutil.copytree(folder / name, bare, dirs_exist_ok=True)
    shutil.rmtree(bare / "variables")
    return bare

tried = {}
for name in ("live", "cold"):
    bare = str(without_variables(name))
    tried[name] = trials.attempt(f"{name}, without variables/",
                                 lambda: tf.saved_model.load(bare))
    print(tried[name])
print(tried["cold"].message.split(":")[0])
compare("25.1", my_guess, sum(trial.works for trial in tried.values()))

# %% [markdown]
# Not even the frozen one! It has no variable, and its loader asks for a checkpoint all the same: the one in `cold` holds a
# single entry. What is it?

# %%
entries = {name: sorted(tf.train.load_checkpoint(
    f"{folder / name}/variables/variables").get_variable_to_shape_map())
    for name in ("live", "cold")}
print("live:", len(entries["live"]), "entries, such as", entries["live"][1])
print("cold:", *entries["cold"])

# %% [markdown]
# That entry is a table of the Python objects, here of one without any weights. So sizes may mislead (a large table, a
# small model); the names of the entries do not.
#
# holds: len(entries["cold"]) == 1 and len(entries["live"]) > 30
#
# ### Exercise 25.2
# Write `is_frozen(entries)`: whether a whole SavedModel (nobody deleted anything) whose checkpoint has these names of entries
# is frozen. The table is no variable. Some writers leave no checkpoint for a model without variables: an empty list.

# %% exercise="25.2" points=1
# Exercise 25.2
def is_frozen(entries):
    ### BEGIN SOLUTION
    return all(name == "_CHECKPOINTABLE_OBJECT_GRAPH" for name in entries)
    ### END SOLUTION

# %% check="25.2"
check("25.2", is_frozen)

# %% [markdown]
# ## An old writer leaves the folder empty
#
# TensorFlow 1 had a writer, too. It saves what a session has (that is what runs a graph), keeps no table of objects, and
# is still there in `tf.compat.v1`. Give it the frozen graph.

# %%
old = tf.compat.v1
shutil.rmtree(folder / "older", ignore_errors=True)
with session.quiet(), tf.Graph().as_default() as graph:
    tf.import_graph_def(frozen.proto(), name="")
    ends = {name: {name: graph.get_tensor_by_name(f"{name}:0")}
            for name in ("features", "probabilities")}
    with old.Session() as running:
        old.saved_model.simple_save(running, str(folder / "older"),
                                    *ends.values())
print(*sizes("older"))

# %% [markdown]
# One file, and an empty folder beside it. **Predict.** How many of these four open it once even the empty folder is gone:
# `tf.saved_model.load`, Keras's `TFSMLayer` (such a folder as a layer), a session of TensorFlow 1, what makes TensorFlow
# Lite files?
#
# given: four
# given: 1

# %% predict="25.3"
my_guess = ...

# %%
bare = str(without_variables("older"))

def in_a_session():
    with tf.Graph().as_default(), old.Session() as running:
        old.saved_model.load(running, ["serve"], bare)

loaders = {
    "tf.saved_model.load": lambda: tf.saved_model.load(bare),
    "TFSMLayer": lambda: tf.keras.layers.TFSMLayer(
        bare, call_endpoint="serving_default"),
    "session": in_a_session,
    "converter": lambda: tf.lite.TFLiteConverter.from_saved_model(bare)}
opened = {name: trials.attempt(name, action).works
          for name, action in loaders.items()}
print(*(name for name, works in opened.items() if works), sep=", ")
compare("25.3", my_guess, sum(opened.values()))

# %% [markdown]
# Is it the same model? Ask all three folders.

# %%
expected = frozen.run(rows)
equal = {}
for name in ("live", "cold", "older"):
    loaded = tf.saved_model.load(str(folder / name))
    (answer,) = loaded.signatures["serving_default"](
        tf.constant(rows[..., None])).values()
    answer = answer if name != "live" else tf.nn.softmax(answer)
    equal[name] = np.allclose(answer, expected, atol=1e-5)
print(equal)

# %% [markdown]
# Three folders, one answer. (The one not frozen stops before the softmax, which makes probabilities: the cell
# adds it.)
#
# ## The entrance has a name
#
# A signature names what goes in and what comes out, and which tensors of the graph these are. TensorFlow brings a
# program that prints it, for whoever has the folder and no code: `saved_model_cli`. (`--tag_set` picks one of its
# graphs: `serve`.)
#
# **Predict.** The function `serve` took `features` and gave `probabilities`. How many of the signature's two tensors are
# called so?

# %% predict="25.4"
my_guess = ...

# %%
def command_line(*arguments):
    done = processes.run("-m", "tensorflow.python.tools.saved_model_cli",
                         *arguments, "--dir", str(folder / "cold"),
                         "--tag_set", "serve", "--signature_def",
                         "serving_default", seconds=120)
    return done.stdout

signature = command_line("show")
print(signature)
compare("25.4", my_guess, sum(f"name: {each}:0" in signature for each in ends))

# %% [markdown]
# ### Exercise 25.5
# `features` is a name for people; `serving_default_features:0` is the tensor. Write `tensors(printed)`: a dict from each
# name in the brackets, of inputs and outputs alike, to its tensor.
#
# given: `serving_default_features:0`

# %% exercise="25.5" points=2
# Exercise 25.5
def tensors(printed):
    ### BEGIN SOLUTION
    found = {}
    for line in printed.splitlines():
        if "['" in line:
            last = line.split("'")[1]
        if line.strip().startswith("name: "):
            found[last] = line.split("name: ")[1].strip()
    return found
    ### END SOLUTION

# %% check="25.5"
check("25.5", tensors)

# %% [markdown]
# The same program runs the model: numbers in a file, answers in a file. Python writes the one and reads the other here;
# any other program may.

# %%
np.save(folder / "rows.npy", rows[..., None])
command_line("run", "--inputs", f"features={folder / 'rows.npy'}",
             "--outdir", str(folder))
by_command = np.load(folder / "probabilities.npy")
same = np.allclose(by_command, expected, atol=1e-5)
print(by_command.shape, "as in Python:", same)

# %% [markdown]
# TensorFlow's servers ask by the name for people; the C++ library of lesson 05's table was given the tensors' names.
#
# ## A training folder from 2017
#
# Old courses leave such a folder behind. Make one: a neuron with eight weights learns for a hundred steps which rows
# of random numbers begin with a positive one.
#
# given: 2017
# given: eight weights, hundred

# %%
train = folder / "train"
train.mkdir(exist_ok=True)
inputs = np.random.default_rng(7).normal(size=(64, 8)).astype("float32")
graph = tf.Graph()
with session.quiet(), graph.as_default():
    x = old.placeholder(tf.float32, [None, 8], "x")
    y = old.placeholder(tf.float32, [None, 1], "y")
    total = x @ old.get_variable("w", [8, 1]) + old.get_variable("b", [1])
    answer = tf.sigmoid(total, "probability")
    loss = tf.nn.sigmoid_cross_entropy_with_logits(y, total)
    step = old.train.get_or_create_global_step()
    learn = old.train.MomentumOptimizer(0.1, 0.9).minimize(
        tf.reduce_mean(loss), step)

# %% [markdown]
# Nothing has been computed yet: in TensorFlow 1 you describe first, and a session runs.

# %%
with session.quiet(), graph.as_default(), old.Session() as running:
    saver = old.train.Saver()
    running.run(old.global_variables_initializer())
    for _ in range(100):
        running.run(learn, {x: inputs, y: inputs[:, :1] > 0})
    saver.save(running, str(train / "model.ckpt"), step)
    expected = running.run(answer, {x: inputs})
print(*sorted(path.name for path in train.iterdir()), sep="\n")

# %% [markdown]
# Which is which? `checkpoint` is a text that names the newest snapshot; `.index` and `.data` hold the variables, as
# in lesson 04 (`.index` says what lies where in `.data`); `.meta` holds the graph.
#
# ### Exercise 25.6
# People send folders without a word. Write `kind(files)`, for a list of file names: `"SavedModel"`, `"TensorFlow 1"`
# (a checkpoint whose graph lies beside it), `"checkpoint"` (it has an `.index`) or, for all else, `"unknown"`. Beware:
# most SavedModels have an `.index`, too.

# %% exercise="25.6" points=1
# Exercise 25.6
def kind(files):
    ### BEGIN SOLUTION
    def there(ending):
        return any(name.endswith(ending) for name in files)
    if "saved_model.pb" in files:
        return "SavedModel"
    if not there(".index"):
        return "unknown"
    return "TensorFlow 1" if there(".meta") else "checkpoint"
    ### END SOLUTION

# %% check="25.6"
check("25.6", kind)

# %% [markdown]
# Now forget the code above, and freeze from the folder alone. Its placeholder `x` goes in. Find the name of the
# answer: the end of a graph is a node that no other reads. A training graph has many such ends; look for one whose
# operation answers.

# %%
recorded = tf.compat.v1.MetaGraphDef.FromString(
    (train / "model.ckpt-100.meta").read_bytes()).graph_def
read = {name.split(":")[0].lstrip("^")
        for node in recorded.node for name in node.input}
ends = [node for node in recorded.node if node.name not in read]
print(*(f"{node.op:22} {node.name}" for node in ends), sep="\n")

# %% [markdown]
# One name is none of a training's: `probability`. First the old way to freeze: open the graph, fill its variables, and let a
# function replace each by a constant.
#
# holds: "probability" in {node.name for node in ends}

# %%
prefix = str(train / "model.ckpt-100")
with session.quiet(), tf.Graph().as_default(), old.Session() as running:
    old.train.import_meta_graph(f"{prefix}.meta").restore(running, prefix)
    whole = running.graph_def
    by_old = old.graph_util.convert_variables_to_constants(
        running, whole, ["probability"])
print("more than a hundred nodes before:", len(whole.node) > 100)

# %% [markdown]
# **Predict.** The answer is one matrix product, one sum, one sigmoid. How many nodes are left of the whole graph?

# %% predict="25.7"
my_guess = ...

# %%
print(*(node.op for node in by_old.node))
compare("25.7", my_guess, len(by_old.node))

# %% [markdown]
# The three, the input, a constant for each variable, and an `Identity` beside each: what read the variable hands the
# constant on. All the rest was for training: loss, gradients, momentum, first values, saver. Nobody listed what to
# throw away; the function walked back from `probability`, and kept what it met. Byte by byte, as in lesson 15:

# %%
WireCursor(by_old.SerializeToString(),
           [node.name for node in by_old.node]).show()

# %% [markdown]
# The new way has no session. Wrap the graph as a function, call the part of it that restores, then cut out the part
# from input to answer, and freeze it as lesson 05 does.

# %%
savers = []
with session.quiet():
    wrapped = old.wrap_function(lambda: savers.append(
        old.train.import_meta_graph(f"{prefix}.meta")), [])
    names = savers[0].saver_def
    wrapped.prune(names.filename_tensor_name, names.restore_op_name)(
        tf.constant(prefix))
    by_new = internals.with_constants(
        wrapped.prune("x:0", "probability:0"))

def ask(nodes):
    with tf.Graph().as_default(), old.Session() as running:
        tf.import_graph_def(nodes, name="")
        return running.run("probability:0", {"x:0": inputs})

ways = by_old, by_new
agree = all(np.allclose(ask(nodes), expected) for nodes in ways)
alike = len({str(sorted(n.op for n in nodes.node)) for nodes in ways}) == 1
print("the same answers:", agree, "| the same operations:", alike)

# %% [markdown]
# Two ways, years apart, and the same operations come out: both walk back from the answer, and put constants where variables
# were.
#
# ## What you measured

# %%
found = {
    "a SavedModel is never frozen": len(entries["cold"]) > 1,
    "a frozen SavedModel opens without variables/": tried["cold"].works,
    "it can be written so that it does": all(opened.values()),
    "to ask it, you need Python of your own": not same,
    "freezing needs the code that trained": not agree,
    "most of a training graph is left out": len(by_old.node) < len(
        whole.node) / 10,
}
for statement, holds in found.items():
    print("true " if holds else "false", statement)
progress("25")

# %% [markdown]
# **Read on:**
# - [SavedModel](https://www.tensorflow.org/guide/saved_model): the folder, signatures, and `saved_model_cli`.
# - [Migrating SavedModels](https://www.tensorflow.org/guide/migrate/saved_model): the old writers beside the new.
# - [`saved_model.proto`](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_model.proto):
#   what is in the one file.
