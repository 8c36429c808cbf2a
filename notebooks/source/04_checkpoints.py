# %% [markdown]
# # Checkpoints
#
# **What exactly is saved while it trains?** Training takes minutes here and weeks elsewhere, and
# machines fail. So programs write down where they are. You open what they wrote, to the last byte.
#
# {minutes} minutes. Afterwards you can
# - open a checkpoint and say what every byte of it is for;
# - stop a training run and take it up again as if nothing had happened;
# - tell which file is missing or damaged, and which check notices a model that learnt nothing.

# %% setup

# %%
from course_lib.formats import checkpoint
from course_lib.sound import dataset, features
from course_lib import session, spotter
from course_lib.experiments import practice, timeline, trials
from course_lib.formats.checkpoint import objects
from course_lib.views import sizes, training
from course_lib.exercises import check, compare, hint, progress, solution

tf = session.import_tensorflow()
folder = session.workspace("04")

# %% [markdown]
# ## A training run, in a process of its own
#
# First, something to kill later. The next cell starts a small training run as a second process.
# It saves its state every ten steps. At step 25 it will wait for you.

# %%
clips = dataset.bundled("train")
sound, labels = features.of(clips)[::2], clips.labels[::2]
process = practice.start_doomed(folder / "doomed", sound, labels, hold_at=25)

# %% [markdown]
# ## Nothing is saved unless you ask
#
# A **checkpoint** is a snapshot of a program's variables. `tf.train.Checkpoint` takes whatever you
# name; a manager writes it and throws old ones away.

# %%
model = practice.small_model()
state = tf.train.Checkpoint(model=model)
manager = tf.train.CheckpointManager(state, folder / "plain", max_to_keep=3)

# %%
losses = tf.keras.losses
model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(sound[..., None], labels, verbose=0)
by_itself = list(folder.glob("plain/*"))
print("files after an epoch of training:", len(by_itself))

# %%
manager.save(checkpoint_number=36)
print(*sorted(path.name for path in (folder / "plain").iterdir()), sep="\n")

# %% [markdown]
# One checkpoint is two files or more: an **index**, and **data** in one or more **shards**, numbered pieces. The small file
# `checkpoint` remembers which is the newest. No name ends in `.ckpt`, and Keras even refuses that ending.

# %%
print(trials.attempt("save as .ckpt", lambda: model.save_weights("a.ckpt")))
print(trials.attempt("save as .weights.h5",
                     lambda: model.save_weights(folder / "a.weights.h5")))

# %% [markdown]
# ## A run that leaves a series
#
# Now train for a hundred steps, save after every tenth, and let the manager keep eight. **Predict.** How many files does
# the folder `train` hold at the end?

# %% predict="4.1"
my_guess = ...

# %%
unheard = dataset.bundled("test")
held = features.of(unheard), unheard.labels

run = practice.Run(folder / "train", sound, labels, keep=8)
left = practice.record(run, until=100, held=held)
compare("4.1", my_guess, len(left.files))

# %% tags=["nbval-ignore-output"]
left

# %% [markdown]
# Two files for each that is kept, and one that names them. The table says what each took to write. A large model fills a
# disk with a series, which is why a manager deletes.
#
# The time slider restores each of your eight checkpoints and asks it about voices that it never heard. Focus it, and press an arrow key.

# %%
from course_lib.views.time_slider import TimeSlider, follow

mine = follow(
    folder / "train", *held, unheard.words,
    model=practice.small_model(), int8=sound[:100])

# %% [markdown]
# ## Ten moments of a longer run
#
# The spotter that ships with this workbook left ten checkpoints; the last one holds the mean of its late weights. What was
# measured of them ships, too, so that nothing needs to be computed when you move.

# %%
TimeSlider(timeline.shipped()).show()

# %% [markdown]
# For hundreds of steps the kernels barely move, and yet the answers change completely. At first the
# model says the same for every clip; then it finds silence, then words.
#
# ### Exercise 4.2
# Which snapshot would you ship? A run is a list of rows `(step, loss, accuracy)`: the loss on clips
# that it trained on, the accuracy on voices that it never heard. Return the step. Of two equals, take the earlier.

# %% exercise="4.2" points=2
# Exercise 4.2
def best(history):
    ### BEGIN SOLUTION
    return max(history, key=lambda row: row[2])[0]
    ### END SOLUTION

# %% check="4.2"
check("4.2", best)

# %% [markdown]
# ## Open one
#
# The helper package reads the files itself, without TensorFlow and without the code of the
# model. **Predict.** The spotter's weights take 57 kB. How many times as large is its checkpoint?
#
# holds: round(4 * spotter.facts().weights / 1000) == 57
# given: many times as

# %% predict="4.3"
my_guess = ...

# %%
opened = checkpoint.contents(spotter.checkpoint_folder())
compare("4.3", my_guess,
        round(opened.total_bytes / opened.groups["weights"], 1))

# %%
opened.only("weights")

# %% [markdown]
# Each tensor has a type, a shape, a file, an offset and a length. Do all lengths together make the file?

# %%
data_file = max(opened.files, key=opened.files.get)
print("they do:", opened.tensor_bytes == opened.files[data_file])

from course_lib.views import bytes as draw_bytes

draw_bytes.overview(opened.byte_map(), title=data_file)

# %% [markdown]
# The **optimizer**, which decides how far each weight moves in a step, takes almost twice as many bytes as the weights: Adam keeps a **momentum** and a **velocity** for each
# trainable weight, running means of its slope and of the slope's square. These companions are called **slots**.
#
# holds: 1.9 < sum(size for name, size in opened.groups.items() if name.startswith("optimizer")) / opened.groups["weights"] < 2.1
#
# ### Exercise 4.4
# Write `checkpoint_bytes(trainable, fixed)`: the bytes of all weights and slots in a checkpoint of a model and its
# Adam. `fixed` counts weights that nobody trains, such as the averages that the norms keep.

# %% exercise="4.4" points=2
# Exercise 4.4
def checkpoint_bytes(trainable, fixed):
    ### BEGIN SOLUTION
    return 4 * (3 * trainable + fixed)
    ### END SOLUTION

# %% check="4.4"
check("4.4", checkpoint_bytes)

# %% [markdown]
# ## Find one number
#
# The index says where the first layer's kernel lies. Its entries look like this: the colours tell its
# parts apart, and all bytes that say which part follows share one.

# %%
index_file = min(opened.files, key=opened.files.get)
index = opened.byte_map(index_file)
entry = opened.tensor("listen/kernel").key
spans = [span for span in index if span.path == entry]
draw_bytes.hexdump(index, spans[0].start, spans[-1].end)

# %% [markdown]
# Type, shape, offset, length and a **checksum**, a number computed from the bytes that no longer fits when one changes:
# that stands behind the name. Now take the offset, and read the data file yourself.

# %%
kernel = opened.tensor("listen/kernel")
data = (spotter.checkpoint_folder() / kernel.file).read_bytes()
first_bytes = data[kernel.offset:kernel.offset + 8]
print(kernel.dtype, kernel.shape, "starts with", first_bytes.hex(" "))

# %% [markdown]
# ### Exercise 4.5
# Write `value_at(data, offset, index)`: number `index`, counted from 0, of the float32 tensor that starts at byte `offset`.
# The lowest byte comes first.

# %% exercise="4.5" points=2
# Exercise 4.5
import struct

def value_at(data, offset, index):
    ### BEGIN SOLUTION
    return struct.unpack_from("<f", data, offset + 4 * index)[0]
    ### END SOLUTION

# %% check="4.5"
check("4.5", value_at)

# %% [markdown]
# ## Whose tensor is it?
#
# One tensor holds no numbers at all. It is one string of bytes: the **object graph**, which says which Python
# object owned which variable. Restoring walks along it.

# %%
from course_lib.views.graph import picture

print(*objects.paths(opened, "listen/kernel"), sep="\n")
print("stored as", kernel.key)
picture(objects.tree(opened), alt="root, model, optimizer, what they own")

# %% [markdown]
# Several ways lead to one kernel, and it is stored once, under the one with the fewest steps. That way happens to go
# through the optimizer. So the data file does hold structure, and not values alone.
#
# holds: all(path.count("/") >= kernel.key.partition("/.ATTR")[0].count("/") for path in objects.paths(opened, "listen/kernel"))
#
# ## The old three files
#
# TensorFlow 1 wrote a third file, `.meta`: the graph itself. Build a graph of one multiplication the old way, and save it.

# %%
old = tf.compat.v1
with tf.Graph().as_default(), old.Session() as running:
    x = old.placeholder(tf.float32, [None], name="x")
    weight = old.get_variable("weight", initializer=3.0)
    tf.multiply(weight, x, name="y")
    running.run(old.global_variables_initializer())
    running.run(old.assign(weight, 5.0))  # as a training would
    old_prefix = old.train.Saver().save(running, f"{folder}/old/model", 7)

three = checkpoint.contents(old_prefix)
print(*three.files, sep="\n")
print("bytes of data:", three.tensor_bytes, "objects:", len(three.objects))

# %%
meta = three.byte_map("model-7.meta")
draw_bytes.overview(meta, title="model-7.meta")

# %% [markdown]
# The data is four bytes long: the number 5.0 and nothing else. The `.meta` is hundreds of times as long: operations, their
# names and types, and the 3.0 that the weight began with. Now rebuild the model *without its code*, from `.meta` alone,
# and fill in the value.
#
# holds: three.tensor_bytes == 4 and three.files["model-7.meta"] > 400

# %%
def rebuilt(prefix):
    with tf.Graph().as_default(), old.Session() as running:
        saver = old.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(running, str(prefix))
        return running.run("y:0", {"x:0": [2.0]})

print(rebuilt(old_prefix))

# %% [markdown]
# TensorFlow 2 keeps `.index` and `.data`, and leaves `.meta` out: your Python code builds the graph. Where there is no code, a **SavedModel** does what `.meta` did.

# %%
new = tf.Module()
new.weight = tf.Variable(3.0)
new.y = tf.function(lambda x: new.weight * x,
                    input_signature=[tf.TensorSpec([None])])
with session.quiet():
    tf.saved_model.save(new, folder / "new")

# %%
again = tf.saved_model.load(folder / "new")
print(again.y([2.0]).numpy())
print(*checkpoint.contents(folder / "new").files, sep="\n")

# %% [markdown]
# Its `variables` are an index and data again; the graph lies beside them, in `saved_model.pb`.
#
# ## The same weights in five kinds of file

# %%
whole = timeline.prefixes(spotter.checkpoint_folder())[-1]
model = timeline.restored(whole, spotter.build())
with session.quiet():
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    model.export(folder / "export", verbose=False)
    light = tf.train.Checkpoint(model=model).write(f"{folder}/light")

# %%
kinds = {
    "checkpoint": opened,
    "without the optimizer": checkpoint.contents(light),
    ".weights.h5": checkpoint.contents(folder / "model.weights.h5"),
    ".keras": checkpoint.contents(folder / "model.keras"),
    "variables of a SavedModel": checkpoint.contents(folder / "export"),
}
sizes.groups(kinds, alt="the bytes of one model in five kinds of file")

# %% [markdown]
# One tool opened all five. In four of them the orange part, the weights, is the same 57 kB; the SavedModel holds most of
# them twice. The rest is what each format adds. Has every byte of every file exactly one name?
#
# holds: round(opened.groups["weights"] / 1000) == 57
# holds: all(each.groups["weights"] == opened.groups["weights"] for name, each in kinds.items() if "Saved" not in name)
# holds: kinds["variables of a SavedModel"].groups["weights"] > 1.5 * opened.groups["weights"]

# %%
for name, each in kinds.items():
    print(name, all(each.byte_map(file).complete for file in each.files))

# %% [markdown]
# ## Take it apart
#
# Now spoil copies of one checkpoint, and try to restore only the model.

# %%
def restore(prefix):
    return timeline.restored(prefix, spotter.build())

copies = {f"without {part}": trials.copy(whole, folder / part, leave_out=part)
          for part in ("checkpoint", ".index", ".data")}

# %%
slot = next(each for each in opened if each.group == "optimizer: velocity")
places = {"a weight": (data_file, kernel.offset),
          "a slot": (data_file, slot.offset),
          "the index": (index_file, 100), "checkpoint": ("checkpoint", 30)}
for name, (file, place) in places.items():
    copy = trials.copy(whole, folder / name)
    trials.flip_bit(copy.with_name(file), place + 1)
    copies[f"a bit of {name} flipped"] = copy

# %% [markdown]
# **Predict.** Of these seven copies, how many still restore the model?

# %% predict="4.6"
my_guess = ...

# %%
results = [trials.attempt(name, lambda: restore(prefix))
           for name, prefix in copies.items()]
compare("4.6", my_guess, sum(trial.works for trial in results))
print(*results, sep="\n")

# %% [markdown]
# The **prefix**, what the names of a checkpoint's files begin with, is enough, so `checkpoint` may go. The flipped bit of a weight is noticed because of its
# checksum. The one in a slot is not, because nobody read the slot. The last words that TensorFlow says in each case:

# %% tags=["nbval-ignore-output"]
import textwrap

for trial in results:
    print(f"{trial.what}: {trial.error}")
    print(*textwrap.wrap(trial.message, initial_indent="   ")[-2:], sep="\n")

# %% [markdown]
# Programs rarely know a prefix; they ask `latest_checkpoint`. Here `checkpoint` names a file that is not there.

# %%
copy = trials.copy(whole, folder / "renamed").with_name("checkpoint")
step = str(timeline.step_of(whole)).encode()
trials.replace_bytes(copy, step, b"9" * len(step))
tf.get_logger().setLevel("CRITICAL")  # one line in a log, nothing else
newest = tf.train.latest_checkpoint(copy.parent)

# %%
status = tf.train.Checkpoint(model=model).restore(newest)
print("the newest is", newest, "and restoring it raised nothing")
print(trials.attempt("a check", status.assert_existing_objects_matched))

# %% [markdown]
# Restoring `None` is no error: training would start from scratch, and a line in the log, switched off above, is all
# that tells. Last, the `.meta` of the old triple: gone, cut short, and with one word exchanged wherever it stands.

# %%
metas = {name: trials.copy(old_prefix, folder / name).with_suffix(".meta")
         for name in ("gone", "cut short", "Mul is now Sub")}
metas["gone"].unlink()
metas["cut short"].write_bytes(metas["cut short"].read_bytes()[:300])
print(trials.replace_bytes(metas["Mul is now Sub"], b"Mul", b"Sub"), "words")

# %%
for name, path in metas.items():
    prefix = path.with_suffix("")
    print(trials.attempt(f"{name}: graph", lambda: rebuilt(prefix)))
    print(trials.attempt(f"{name}: value", lambda:
                         checkpoint.contents(prefix)["weight"]))

# %%
print(rebuilt(metas["Mul is now Sub"].with_suffix("")))

# %% [markdown]
# Five minus two: the graph was changed, and no checksum noticed. Values and index are guarded by checksums, `.meta` by
# none; and the values never needed it.
#
# ### Exercise 4.7
# Four folders of a friend lack one part each: `"checkpoint"`, `"data"`, `"index"` or `"meta"`. List what is missing in
# A, B, C and D.
#
# - A: the file of weights is there, but not one tensor can be found in it.
# - B: all names and shapes are listed, but no value can be read.
# - C: it restores where the code built the graph; without code, there is no graph.
# - D: everything restores, but `latest_checkpoint` finds nothing.

# %% exercise="4.7" points=1
# Exercise 4.7
### BEGIN SOLUTION
missing = ["index", "data", "meta", "checkpoint"]
### END SOLUTION

# %% check="4.7"
check("4.7", missing)

# %% [markdown]
# ## Kill it
#
# Back to the process from the start of this lesson. It waits at step 25, in the middle of an epoch, its latest
# checkpoint five steps old. `SIGKILL`, the signal that ends a process at once, leaves it no time to
# tidy up.

# %%
before = process.kill()
print("killed after step", max(before), "with exit code", process.exit_code)
print("newest checkpoint:", checkpoint.latest(folder / "doomed").name)

# %% [markdown]
# For comparison, the same run without interruption, here in the notebook. Then another that takes up the killed one's
# checkpoint. **Predict:** are its final weights the `"same"`, `"close"` or `"different"`?

# %% predict="4.8"
my_guess = ...

# %%
uninterrupted = practice.Run(folder / "all", sound, labels)
losses = {"uninterrupted": uninterrupted.train(until=60)}

saved = checkpoint.latest(folder / "doomed")
resumed = practice.Run(folder / "again", sound, labels).restore(saved)
losses["resumed"] = resumed.train(until=60)
same = (resumed.weights() == uninterrupted.weights()).all()
close = abs(resumed.weights() - uninterrupted.weights()).max() < 1e-4
compare("4.8", my_guess, "same" if same else "close" if close else "different")

# %% [markdown]
# Not close: the same, to the last bit. For that, the checkpoint holds all that decides the next
# step: weights, optimizer, step number, and the dice of **dropout**, which silences some neurons by
# chance at each step. They are a counter, which Keras does not save by itself. Leave parts out.

# %%
def without(part):
    other = practice.Run(folder / part, sound, labels)
    losses[f"without the {part}"] = other.restore(saved, (part,)).train(60)
    return other

runs = {"resumed": resumed, "without the optimizer": without("optimizer"),
        "without the dice": without("dice")}

# %%
distances = {
    name: {step: abs(weights - uninterrupted.trail[step]).max()
           for step, weights in each.trail.items()}
    for name, each in runs.items()}
training.resumed(losses, distances, killed_at=25)

# %% [markdown]
# Resumed with everything, the black line covers the blue one. Without the optimizer, Adam's first steps are far too long, and
# by step 60 the run has not come back to the same weights. Without the dice, dropout silences other neurons, so each step differs a
# little, and the differences add up. (Why the loss is a saw: it is that of one batch, and some batches are hard.)
#
# holds: max(distances["without the optimizer"].values()) > max(distances["without the dice"].values()) > 0
#
# ### Exercise 4.9
# A crash leaves a folder in disorder. Write `newest(files, step)`: given the names of its files, the prefix (such as
# `"ckpt-900"`) of the newest checkpoint that is not after `step`. It must have both `ckpt-N.index` and
# `ckpt-N.data-00000-of-00001`.

# %% exercise="4.9" points=3
# Exercise 4.9
def newest(files, step):
    ### BEGIN SOLUTION
    steps = [int(name[5:-6]) for name in files if name.endswith(".index")]
    data = "ckpt-{}.data-00000-of-00001"
    whole = [s for s in steps if data.format(s) in files and s <= step]
    return f"ckpt-{max(whole)}"
    ### END SOLUTION

# %% check="4.9"
check("4.9", newest)

# %% [markdown]
# ## A model that learnt nothing
#
# Restoring follows the names in the object graph, and what does not match is left alone, without an error. Here the spotter's
# checkpoint is restored into the wrong model.

# %%
wrong = practice.small_model()
before = wrong.get_weights()
restored = tf.train.Checkpoint(model=wrong).restore(str(whole))
after = wrong.get_weights()
print("weights changed:", any((a != b).any() for a, b in zip(before, after)))

# %% [markdown]
# No error, and no weights. Two checks ask what was matched, and `expect_partial` only silences the log. Try all three
# on this restore, and on a right one that only lacks the optimizer.

# %%
right = tf.train.Checkpoint(model=spotter.build()).restore(str(whole))
for name in ("expect_partial", "assert_consumed",
             "assert_existing_objects_matched"):
    print(trials.attempt(f"{name}, wrong model", getattr(restored, name)))
    print(trials.attempt(f"{name}, right model", getattr(right, name)))

# %% [markdown]
# A layer of another size is caught without any check, and a variable that does not exist yet gets its value as soon as it is attached
# (**deferred** restoring).

# %%
wide = spotter.build(widths=(14, 16, 28))
print(trials.attempt("wrong shape", lambda: timeline.restored(whole, wide)))

tf.train.Checkpoint(late=tf.Variable(3.0)).write(f"{folder}/late")
later = tf.train.Checkpoint()
later.restore(f"{folder}/late").expect_partial()
later.late = tf.Variable(0.0)
print("deferred:", later.late.numpy())

# %% [markdown]
# ### Exercise 4.10
# You restore a model for use, without its optimizer. Which check notices the wrong model, and passes the right one? Write its name.

# %% exercise="4.10" points=1
# Exercise 4.10
### BEGIN SOLUTION
caught_by = "assert_existing_objects_matched"
### END SOLUTION

# %% check="4.10"
check("4.10", caught_by)

# %% [markdown]
# ## What you measured
#
# Statements that are often made about checkpoints, and what your files say.

# %%
kernel_values = opened["listen/kernel"]
found = {
    "training saves checkpoints by itself": bool(by_itself),
    "a checkpoint of TensorFlow 2 is three files": len(opened.files) == 3,
    "its data holds values without structure": not opened.objects,
    "the index maps names to places in the data":
        memoryview(first_bytes).cast("f")[0] == kernel_values.flat[0],
    "all of them are needed to restore": all(
        not each.works for each in results[:3]),
    "training goes on as if it had not stopped": bool(same),
}
for statement, holds in found.items():
    print("true " if holds else "false", statement)

# %%
progress("04")

# %% [markdown]
# **Read on:**
# - [Training checkpoints](https://www.tensorflow.org/guide/checkpoint): how matching works, with pictures of the object
#   graph.
# - [tensor_bundle.proto](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto):
#   what an entry of the index holds.
# - [LevelDB's table format](https://github.com/google/leveldb/blob/main/doc/table_format.md): the index is such a table.
# - [Save and load Keras models](https://keras.io/guides/serialization_and_saving/): what `.keras` keeps beside the weights.
#
# Next: what turns a training program into one file?
