# %% [markdown]
# # Broken checkpoints
#
# **What does a restore need, and who notices when something is wrong?** {minutes} minutes.
#
# You will be able to
# - tell which file of a checkpoint is missing or damaged, and what that costs;
# - choose the check that notices a model that learnt nothing;
# - find the newest whole checkpoint in a folder that a crash left behind.

# %% setup

# %% [markdown]
# ## Take it apart
#
# Here is the spotter's last checkpoint of lesson 04 again. Spoil copies of it, and try to restore only the model: three
# copies lack a file, in four one bit is flipped.

# %%
import textwrap

from course_lib import session, spotter
from course_lib.exercises import check, compare, hint, progress
from course_lib.exercises import solution, yours
from course_lib.experiments import practice, timeline, trials
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import objects
from course_lib.views import bytes as draw_bytes
from course_lib.views import sizes
from course_lib.views.graph import picture

tf = session.import_tensorflow()
folder = session.workspace("14")
opened = checkpoint.contents(spotter.checkpoint_folder())
whole = timeline.prefixes(spotter.checkpoint_folder())[-1]
print(*opened.files, sep="\n")

# %%
copies = {f"without {part}": trials.copy(whole, folder / part, leave_out=part)
          for part in ("checkpoint", ".index", ".data")}

index_file, data_file = sorted(opened.files, key=opened.files.get)
slot = next(each for each in opened if each.group == "optimizer: velocity")
places = {"a weight": (data_file, opened.tensor("listen/kernel").offset),
          "a slot": (data_file, slot.offset),
          "the index": (index_file, 100), "checkpoint": ("checkpoint", 30)}
for name, (file, place) in places.items():
    copy = trials.copy(whole, folder / name)
    trials.flip_bit(copy.with_name(file), place + 1)
    copies[f"a bit of {name} flipped"] = copy

# %% [markdown]
# **Predict.** Of these seven copies, how many still restore the model?

# %% predict="14.1"
my_guess = ...

# %%
results = [trials.attempt(
    name, lambda: timeline.restored(prefix, spotter.build()))
    for name, prefix in copies.items()]
compare("14.1", my_guess, sum(trial.works for trial in results))
print(*results, sep="\n")

# %% [markdown]
# What the names of a checkpoint's files begin with, its **prefix**, is enough. So the file called `checkpoint` may go. The flipped bit
# of a weight is noticed because of its checksum. The one in a slot is not, because nobody read the slot. The last words
# that TensorFlow says in each case that failed:

# %% tags=["nbval-ignore-output"]
for trial in results:
    if not trial.works:
        print(f"{trial.what}: {trial.error}")
        words = textwrap.wrap(trial.message, initial_indent="   ")
        print(*words[-2:], sep="\n")

# %% [markdown]
# Programs rarely know a prefix; they ask `latest_checkpoint`. Here `checkpoint` names a file that is not there.

# %%
copy = trials.copy(whole, folder / "renamed").with_name("checkpoint")
step = str(timeline.step_of(whole)).encode()
trials.replace_bytes(copy, step, b"9" * len(step))
tf.get_logger().setLevel("CRITICAL")  # one line in a log, nothing else
pointed = tf.train.latest_checkpoint(copy.parent)
status = tf.train.Checkpoint(model=spotter.build()).restore(pointed)
print("the newest is", pointed, "and restoring it raised nothing")
print(trials.attempt("a check", status.assert_existing_objects_matched))

# %% [markdown]
# Restoring `None` is no error: training would start from scratch, and a line in the log, switched off above, is all
# that tells who does not check.
#
# ## Whose tensor is it?
#
# How does a restore know which tensor belongs to which variable? The object graph says which Python object owned
# what, and restoring walks along it.

# %%
print(*objects.paths(opened, "listen/kernel"), sep="\n")
print("stored as", opened.tensor("listen/kernel").key)
picture(objects.tree(opened), alt="root, model, optimizer, what they own")

# %% [markdown]
# Several ways lead to one kernel, and it is stored once, under the one with the fewest steps. That way happens to go
# through the optimizer. (What several ways lead to is drawn once.)
#
# holds: all(path.count("/") >= opened.tensor("listen/kernel").key.partition("/.ATTR")[0].count("/") for path in objects.paths(opened, "listen/kernel"))
#
# ## A model that learnt nothing
#
# What does not match along the way is left alone, without an error. Here the spotter's checkpoint is restored into the
# wrong model.

# %%
wrong = practice.small_model()
before = wrong.get_weights()
restored = tf.train.Checkpoint(model=wrong).restore(str(whole))
after = wrong.get_weights()
print("weights changed:", any((a != b).any() for a, b in zip(before, after)))

# %% [markdown]
# No error, and no weights. What `restore` returns can be asked for more:
#
# - `expect_partial()` keeps the log quiet about what was not used.
# - `assert_consumed()` raises an error unless every value in the file found its variable, and every variable its value.
# - `assert_existing_objects_matched()` raises one unless every variable of the objects that you gave found its value.
#
# ### Exercise 14.2
# You restore a model for use, without its optimizer. Which of the three notices the wrong model, and passes the right one?
# Write its name, in quotes and without brackets.

# %% exercise="14.2" points=1
# Exercise 14.2
### BEGIN SOLUTION
caught_by = "assert_existing_objects_matched"
### END SOLUTION

# %% check="14.2"
check("14.2", caught_by)

# %% [markdown]
# Try all three, on the wrong model and on a right one that only lacks the optimizer.

# %%
right = tf.train.Checkpoint(model=spotter.build()).restore(str(whole))
for name in ("expect_partial", "assert_consumed",
             "assert_existing_objects_matched"):
    print(trials.attempt(f"{name}, wrong model", getattr(restored, name)))
    print(trials.attempt(f"{name}, right model", getattr(right, name)))

# %% [markdown]
# A layer of another size is caught without any check. A variable that does not exist yet gets its value as soon as it is
# attached, by **deferred** restoring.

# %%
wide = spotter.build(widths=(14, *spotter.WIDTHS[1:]))
print(trials.attempt("wrong shape", lambda: timeline.restored(whole, wide)))

tf.train.Checkpoint(late=tf.Variable(3.0)).write(f"{folder}/late")
later = tf.train.Checkpoint()
later.restore(f"{folder}/late").expect_partial()
later.late = tf.Variable(0.0)
print("deferred:", later.late.numpy())

# %% [markdown]
# ## The old three files
#
# TensorFlow 1 wrote one more file, `.meta`: the graph itself. Build a graph of one multiplication the old way, and save it.

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
# The data is four bytes long: the number 5.0 and nothing else. The `.meta` is about a thousand times as long: operations, their
# names and types, the 3.0 that the weight began with and the 5.0 that was assigned. Now rebuild the model *without its code*, from `.meta` alone,
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
# Now spoil the `.meta`: gone, cut short, and with one word exchanged wherever it stands.

# %%
metas = {name: trials.copy(old_prefix, folder / name).with_suffix(".meta")
         for name in ("gone", "cut short", "Mul is now Sub")}
metas["gone"].unlink()
metas["cut short"].write_bytes(metas["cut short"].read_bytes()[:300])
print(trials.replace_bytes(metas["Mul is now Sub"], b"Mul", b"Sub"), "words")

for name, path in metas.items():
    prefix = path.with_suffix("")
    print(trials.attempt(f"{name}: graph", lambda: rebuilt(prefix)))
    print(trials.attempt(f"{name}: value", lambda:
                         checkpoint.contents(prefix)["weight"]))
print("two times five:", rebuilt(metas["Mul is now Sub"].with_suffix("")))

# %% [markdown]
# Five minus two is three: the graph was changed, and no checksum noticed. Values and index are guarded by checksums, `.meta` by
# none; and the values never needed it.
#
# ### Exercise 14.3
# Four folders of a friend lack one part each: `"checkpoint"`, `"data"`, `"index"` or `"meta"`. List what is missing in
# A, B, C and D.
#
# - A: the file of weights is there, but not one tensor can be found in it.
# - B: all names and shapes are listed, but no value can be read.
# - C: it restores where the code built the graph; without code, there is no graph.
# - D: everything restores, but `latest_checkpoint` finds nothing.

# %% exercise="14.3" points=1
# Exercise 14.3
### BEGIN SOLUTION
missing = ["index", "data", "meta", "checkpoint"]
### END SOLUTION

# %% check="14.3"
check("14.3", missing)

# %% [markdown]
# TensorFlow 2 leaves `.meta` out. Where there is no code to build the graph, a SavedModel does what `.meta` did.

# %%
new = tf.Module()
new.weight = tf.Variable(3.0)
new.y = tf.function(lambda x: new.weight * x,
                    input_signature=[tf.TensorSpec([None])])
with session.quiet():
    tf.saved_model.save(new, folder / "new")

again = tf.saved_model.load(folder / "new")
print(again.y([2.0]).numpy())
print(*checkpoint.contents(folder / "new").files, sep="\n")

# %% [markdown]
# Its `variables` are an index and data again; the graph lies beside them, in `saved_model.pb`.
#
# ## The same weights in five kinds of file

# %%
model = timeline.restored(whole, spotter.build())
with session.quiet():
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    model.export(folder / "export", verbose=False)
    light = tf.train.Checkpoint(model=model).write(f"{folder}/light")

kinds = {
    "checkpoint": opened,
    "without the optimizer": checkpoint.contents(light),
    ".weights.h5": checkpoint.contents(folder / "model.weights.h5"),
    ".keras": checkpoint.contents(folder / "model.keras"),
    "variables of a SavedModel": checkpoint.contents(folder / "export"),
}
sizes.groups(kinds, alt="the bytes of one model in five kinds of file")

# %% [markdown]
# One tool opened all five. In four of them the orange part, the weights, is the same; the SavedModel may hold them
# twice. The rest is what each format adds. Has every byte of every file exactly one name?
#
# holds: all(each.groups["weights"] == opened.groups["weights"] for name, each in kinds.items() if "Saved" not in name)
# holds: kinds["variables of a SavedModel"].groups["weights"] > 1.5 * opened.groups["weights"]

# %%
for name, each in kinds.items():
    print(name, all(each.byte_map(file).complete for file in each.files))

# %% [markdown]
# ## A folder after a crash
#
# ### Exercise 14.4
# A crash leaves a folder in disorder. Write `newest(files, step)`: given the names of its files, the prefix (such as
# `"ckpt-900"`) of the newest checkpoint that is not after `step`. It must have both `ckpt-N.index` and
# `ckpt-N.data-00000-of-00001`.

# %% exercise="14.4" points=3
# Exercise 14.4
def newest(files, step):
    ### BEGIN SOLUTION
    steps = [int(name[5:-6]) for name in files if name.endswith(".index")]
    data = "ckpt-{}.data-00000-of-00001"
    whole = [s for s in steps if data.format(s) in files and s <= step]
    return f"ckpt-{max(whole)}"
    ### END SOLUTION

# %% check="14.4"
check("14.4", newest)

# %% [markdown]
# Now the spotter's own folder, as if it had lost the data of its last checkpoint.

# %%
if pick := yours("14.4", newest, None):
    names = [path.name for path in spotter.checkpoint_folder().iterdir()]
    names.remove(data_file)
    print("go back to", pick(names, timeline.step_of(whole)))

# %% [markdown]
# ## What you measured
#
# Statements that are often made about damage, and what your copies say.

# %%
found = {
    "index, data and `checkpoint` are all needed": all(
        not each.works for each in results[:3]),
    "every flipped bit is noticed": all(
        not each.works for each in results[3:]),
    "restoring what is not there is an error": pointed is not None,
    "restoring into another model is always an error":
        not trials.attempt("", lambda: tf.train.Checkpoint(
            model=practice.small_model()).restore(str(whole))).works,
    "values can be read without any graph":
        checkpoint.contents(metas["gone"].with_suffix(""))["weight"] == 5,
}
for statement, holds in found.items():
    print("true " if holds else "false", statement)
progress("14")

# %% [markdown]
# **Read on:**
# - [Object graphs](https://www.tensorflow.org/guide/checkpoint#loading_mechanics): how matching works, with pictures.
# - [LevelDB's table format](https://github.com/google/leveldb/blob/main/doc/table_format.md): the index is such a table.
# - [Save and load Keras models](https://keras.io/guides/serialization_and_saving/): what `.keras` keeps beside the weights.
