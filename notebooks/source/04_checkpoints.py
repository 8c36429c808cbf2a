# %% [markdown]
# # Checkpoints
#
# **What exactly is saved while it trains?** Training takes minutes here and weeks elsewhere, and
# machines fail. So programs write down where they are. You open what they wrote, to the last byte.
#
# {minutes} minutes. Afterwards you can
# - choose, of the snapshots that a training leaves, the one to ship;
# - open a checkpoint, say what is in it, and read one number by hand;
# - kill a training run, take it up again, and say what that needs.

# %% setup

# %%
from course_lib import session, spotter
from course_lib.exercises import check, compare, hint, progress
from course_lib.exercises import solution, yours
from course_lib.experiments import practice, timeline, trials
from course_lib.formats import checkpoint
from course_lib.sound import dataset, features
from course_lib.views import bytes as draw_bytes
from course_lib.views import training
from course_lib.views.time_slider import TimeSlider, follow

tf = session.import_tensorflow()
folder = session.workspace("04")

# %% [markdown]
# ## Ten moments of a run
#
# The spotter that ships with this workbook left ten snapshots of itself; the last one holds the mean of its late weights.
# What was measured of them ships, too, so that nothing needs to be computed when you move. Focus the slider, and press
# an arrow key.

# %%
TimeSlider(timeline.shipped()).show()

# %% [markdown]
# In the first ninety steps these kernels barely move, and yet twice as many answers are right. At first the
# model says the same for almost every clip; then it finds silence, then words.
#
# holds: timeline.shipped().steps[2] == 90 and timeline.shipped().accuracies[2] > 2 * timeline.shipped().accuracies[0]
# holds: (lambda a, b: ((b - a) ** 2).sum() < 0.06**2 * (a**2).sum())(*(timeline.shipped().snapshots[n].kernels for n in (0, 2)))

# %% [markdown]
# ## A training run, in a process of its own
#
# What does it take to leave such a series? First, something to kill later. The next cell starts a small training run as a second process.
# It saves its state every ten steps. At step 25 it will wait for you.

# %%
clips = dataset.bundled("train")
sound, labels = features.of(clips)[::2], clips.labels[::2]
process = practice.start_doomed(folder / "doomed", sound, labels, hold_at=25)
print("a second process runs:", process.exit_code is None)

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
# One checkpoint is two files or more: an **index**, and **data** in one or more **shards**, numbered pieces. Neither
# gives a value without the other. The small file `checkpoint` remembers the newest; `latest_checkpoint` asks it.
#
# TensorFlow 1 wrote one more file, `.meta`: the graph itself. Today your code builds the graph, and where there is no
# code, a **SavedModel** holds graph and weights together. (Lesson 14 breaks them.) No name ends in `.ckpt`, and
# Keras, TensorFlow's part for layers, even refuses that ending.

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
# Two files for each that is kept, and one that names them. Below the table stands what share of
# the time went into writing. A large model fills a disk with a series, which is why a manager deletes.
#
# The time slider restores each of your eight checkpoints and asks it about voices that it never heard.

# %%
mine = follow(
    folder / "train", *held, unheard.words,
    model=practice.small_model(), int8=sound[:100])

# %% [markdown]
# ## Which one to ship
#
# ### Exercise 4.2
# Which snapshot would you ship? A run is a list of rows `(step, loss, accuracy)`: the loss on clips that it trained
# on, the accuracy on voices that it never heard. (Report its accuracy on other clips: these flatter it.) Return the
# step. Of two equals, take the earlier.

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
# model. **Predict.** How many times as large as the spotter's weights is its checkpoint?
#
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

draw_bytes.overview(opened.byte_map(), title=data_file)

# %% [markdown]
# The **optimizer**, which decides how far each weight moves in a step, takes almost twice as many bytes as the weights:
# Adam keeps a **momentum** and a **velocity** for each trainable weight, running means of its slope and of the slope's
# square. What an optimizer keeps for each weight are its **slots**. One tensor holds no numbers at all: the **object graph** says which Python
# object owned which variable. So the data file does hold structure, and not values alone.
#
# holds: 1.9 < sum(size for name, size in opened.groups.items() if name.startswith("optimizer")) / opened.groups["weights"] < 2.1
#
# ### Exercise 4.4
# Write `checkpoint_bytes(trainable, fixed)`: the bytes of all weights and slots, each a float32, in a checkpoint of a
# model and its Adam. `fixed` counts weights that nobody trains, such as the averages that the norms keep.

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
# The index says where the first layer's kernel lies. Its entries look like this: blue bytes say
# which part follows, yellow and orange ones are the part itself.

# %%
index_file = min(opened.files, key=opened.files.get)
index = opened.byte_map(index_file)
entry = opened.tensor("listen/kernel").key
spans = [span for span in index if span.path == entry]
draw_bytes.hexdump(index, spans[0].start, spans[-1].end)

# %% [markdown]
# Behind the name stand type, shape, offset, length and a checksum. A **checksum** is a number computed from bytes, which
# no longer fits when one of them changes. Now take the offset, and read the data file yourself.

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
# Does it find the kernel's last weight, too?

# %%
if read := yours("4.5", value_at, None):
    last = opened["listen/kernel"].flat[-1]
    found = float(read(data, kernel.offset, kernel.count - 1))
    print("it does:", found == last)

# %% [markdown]
# ## Kill it
#
# Back to the process from the start of this lesson. It waits at step 25, in the middle of an epoch, its latest
# checkpoint five steps old. `SIGKILL`, signal 9, which ends a process at once, leaves it no time to
# tidy up.
#
# given: signal 9

# %%
before = process.kill()
print("killed after step", max(before), "with exit code", process.exit_code)
print("newest checkpoint:", checkpoint.latest(folder / "doomed").name)

# %% [markdown]
# For comparison, the same run without interruption, here in the notebook. Then another that takes up the killed one's
# checkpoint. **Predict:** are its final weights the `"same"`, `"close"` or `"different"`?

# %% predict="4.6"
my_guess = ...

# %%
uninterrupted = practice.Run(folder / "all", sound, labels)
losses = {"uninterrupted": uninterrupted.train(until=60)}

saved = checkpoint.latest(folder / "doomed")
resumed = practice.Run(folder / "again", sound, labels).restore(saved)
losses["resumed"] = resumed.train(until=60)
same = (resumed.weights() == uninterrupted.weights()).all()
close = abs(resumed.weights() - uninterrupted.weights()).max() < 1e-4
compare("4.6", my_guess, "same" if same else "close" if close else "different")

# %% [markdown]
# Not close: the same, to the last bit. The checkpoint holds all that decides the next step: weights,
# optimizer, step number, and dice. **Dropout** silences some neurons by chance at each step. Its dice are a counter, which Keras does not save by itself. Leave parts out.

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
# Resumed with everything, the black line covers the blue one. Without the optimizer, Adam's first steps are far too
# long, and by step 60 the run has not come back to the same weights. Without the dice, dropout silences other neurons, so
# each step differs a little, and the differences add up. (Why the loss is a saw: it is that of one batch, and some batches
# are hard.)
#
# holds: max(distances["without the optimizer"].values()) > max(distances["without the dice"].values()) > 0
#
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
    "training goes on as if it had not stopped": bool(same),
}
for statement, holds in found.items():
    print("true " if holds else "false", statement)

# %%
progress("04")

# %% [markdown]
# **Read on:**
# - [Training checkpoints](https://www.tensorflow.org/guide/checkpoint): what a manager can do, and how matching works.
# - [tensor_bundle.proto](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto):
#   what an entry of the index holds.
# - [Fault tolerance](https://www.tensorflow.org/tutorials/distribute/multi_worker_with_keras#fault_tolerance): how runs on
#   many machines take up their work again.
#
# What turns a training program into one file?
