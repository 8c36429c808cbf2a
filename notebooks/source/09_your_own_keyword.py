# %% [markdown]
# # Your own keyword
#
# **Can I do it with my words?** {minutes} minutes, and you have to decide at every step.
#
# You will be able to
# - teach a network new words in seconds, from what another one has learnt,
# - take it all the way to C++ for a microcontroller, and prove each step,
# - say of what is often told about graphs, checkpoints and TensorFlow Lite what is true,
# - hand in a report that a program can check.

# %% setup

# %% [markdown]
# ## Your words
#
# **Decide.** Which words should it hear? Two to six. The bundled clips have enough of yes, no, up, down, left, right,
# on, off, stop, go; any other word you record yourself, below.

# %%
from course_lib.sound import dataset
from course_lib import project
from course_lib.exercises import check, compare, hint, progress, solution

my_words = ["up", "down"]

# %% [markdown]
# ## Your voice
#
# A synthesizer does not speak like you. Choose a word, press record, wait for the count, and say it; ten takes of each
# word are a good beginning. Each take is a file in the folder `my_words` before you say the next one: close the browser,
# and nothing is lost. (In Colab the folder goes when the machine goes: download it. Without a microphone, read on.)

# %%
from course_lib.project import recorder

recorder.Recorder(project.FOLDER, my_words).show()

# %% [markdown]
# Now all clips come together, the bundled ones and yours. Of every five takes three are for training, one for choosing,
# and one for the test.

# %%
words = project.gather(my_words, own=project.FOLDER)
print("words:", ", ".join(words.chosen))

# %% tags=["nbval-ignore-output"]
words

# %% [markdown]
# The other words became unknown, "yes" and "no" too, unless you chose them. In validation and test there are as many
# unknown clips as clips of your words, so that a model that always says "unknown" does not look good. No bundled voice of
# the test is used before the end; your own voice is in all three.
#
# Training does not draw all labels alike. Silence is 10 % of what it sees, unknown words are 30 %, and your words
# share the rest.
#
# given: 10 %, 30 %
#
# ### Exercise 9.1
# `shares(count)`: a list of the shares of silence, unknown, and each of `count` words, in this order. They add up to 1.

# %% exercise="9.1" points=1
# Exercise 9.1
def shares(count):
    ### BEGIN SOLUTION
    each = (1 - 0.10 - 0.30) / count
    return [0.10, 0.30] + [each] * count
    ### END SOLUTION

# %% check="9.1"
check("9.1", shares)

# %% [markdown]
# **Decide.** How many varied clips, and how often through all of them? More of both is better and takes longer:
# 2,400 clips take a few seconds. For a spotter that you want to keep, come back and make it 12,000 and 12.
#
# given: 2400, 12000

# %%
clip_count, epochs = 2_400, 6

# %% tags=["nbval-ignore-output"]
from course_lib.sound import augmentation, features
from course_lib.views.training import LiveTraining

held = features.of(words.validation), words.validation.labels
watch = LiveTraining(held, epochs)
watch.show()
sounds, labels = augmentation.training_set(
    words.train, clip_count, 0, watch.varying, words.recipe())
print(f"{len(sounds):,} varied clips")

# %% [markdown]
# ## Where to begin
#
# First from nothing: every weight is drawn by chance.

# %%
from course_lib import spotter

classes = len(words.labels)
fresh = project.from_nothing(classes)
watch = LiveTraining(held, epochs)
watch.show()
slow = watch.train(fresh, sounds, labels, peak_rate=4e-3)

# %% [markdown]
# A few seconds are not much to learn what speech sounds like. But the shipped spotter knows that already, though its
# words were "yes" and "no". A checkpoint can be taken up for another purpose: keep what its layers know about sound, and
# replace the last one, which decides.
#
# ### Exercise 9.2
# Both networks are given as a dictionary from a layer's name to its weights. `begin(new, trained, last)` returns a
# dictionary with all layers: those of `trained`, but the one called `last` from `new`.

# %% exercise="9.2" points=2
# Exercise 9.2
def begin(new, trained, last):
    ### BEGIN SOLUTION
    return {name: new[name] if name == last else trained[name]
            for name in new}
    ### END SOLUTION

# %% check="9.2"
check("9.2", begin)

# %% [markdown]
# **Predict.** The same clips, but from the checkpoint. After two epochs, by how many points will it be ahead, on voices
# that neither was trained on?

# %% predict="9.7"
my_guess = ...

# %% [markdown]
# Every epoch leaves a checkpoint in the lesson's folder.

# %%
from course_lib import session

folder = session.workspace("09")
model = project.from_checkpoint(classes)
keep = project.every_epoch(model, folder / "checkpoints")
watch = LiveTraining(held, epochs)
watch.show()
curve = watch.train(model, sounds, labels, also=[keep], peak_rate=4e-3)
kept = model.get_weights()

# %% tags=["nbval-ignore-output"]
begun = project.head_start(slow, curve, after=2)
compare("9.7", my_guess, round(100 * begun.points))
begun

# %%
from course_lib.views import training as draw_training

draw_training.compared({"from nothing": slow, "from a checkpoint": curve})

# %%
print("the checkpoint was ahead:", begun.points > 0.1)

# %% [markdown]
# That is what checkpoints are for. With time and clips enough the other one may catch up, but with ten takes of a word
# you have neither.
#
# **Decide.** Which of your checkpoints would you keep? The widget kept the weights of the best epoch. What would another
# one cost? Restore each, and ask it about the clips that were held back.

# %% tags=["nbval-ignore-output"]
for epoch in range(1, len(curve.accuracies) + 1):
    project.restore(model, folder / "checkpoints", epoch)
    heard = spotter.predict(model, held[0]).argmax(axis=1)
    print(f"epoch {epoch}: {(heard == held[1]).mean():.1%} right")

# %%
from course_lib.formats import checkpoint

opened = checkpoint.contents(folder / "checkpoints")
print(opened)
best = project.best_epoch(curve)
project.restore(model, folder / "checkpoints", best)
same = all((a == b).all() for a, b in zip(kept, model.get_weights()))
print("the file of the best epoch holds what the widget kept:", same)

# %% [markdown]
# ## What does it mistake?
#
# Now the test. Press a number to hear the clips behind it. Is it worse than the curve promised? You chose the epoch by the
# clips of that curve, so it tends to flatter; nothing was chosen by these. (A few clips may also be chance.)

# %%
from course_lib import measure
from course_lib.views import confusion as draw_confusion
from course_lib.views.confusion import Confusion

test = features.of(words.test), words.test.labels
mine = measure.report("mine", lambda x: spotter.predict(model, x), test)
Confusion(mine, words.test, words.labels).show()

# %% [markdown]
# ### Exercise 9.3
# `most_confused(matrix)` gets a confusion matrix as a list of rows. Return the places `(said, heard)` of the mistake that
# was made most often.

# %% exercise="9.3" points=2
# Exercise 9.3
def most_confused(matrix):
    ### BEGIN SOLUTION
    places = range(len(matrix))
    pairs = [(said, heard) for said in places for heard in places
             if said != heard]
    return max(pairs, key=lambda pair: matrix[pair[0]][pair[1]])
    ### END SOLUTION

# %% check="9.3"
check("9.3", most_confused)

# %% [markdown]
# The test is small, and its interval wide. How many clips would settle the matter? The interval reaches about
# `1.96 * sqrt(share * (1 - share) / n)` to each side.
#
# **Predict.** Say a model is right about 9 of 10 clips, and you want to know that to a point, 0.01 to each side. How many
# clips do you need?
#
# given: 9

# %% predict="9.8"
my_guess = ...

# %% [markdown]
# ### Exercise 9.4
# `clips_needed(share, margin)`: the number of clips for which the interval reaches no farther than `margin`.

# %% exercise="9.4" points=2
# Exercise 9.4
def clips_needed(share, margin):
    ### BEGIN SOLUTION
    import math
    return math.ceil(1.96 ** 2 * share * (1 - share) / margin ** 2)
    ### END SOLUTION

# %% check="9.4"
check("9.4", clips_needed)

# %%
settled = 1
while 1.96 * (0.9 * 0.1 / settled) ** 0.5 > 0.01:
    settled += 1
compare("9.8", my_guess, settled)

# %% tags=["nbval-ignore-output"]
low, high = mine.interval
print(f"{mine.accuracy:.0%} of {mine.n} clips,",
      f"somewhere from {low:.0%} to {high:.0%}")

# %% [markdown]
# ## One file, eight bits
#
# Freeze it, convert it, quantize it: lessons 05, 06 and 07 in three lines.

# %%
from course_lib.graph import freezing
from course_lib import tflite

frozen = freezing.frozen(model)
some = features.of(words.train)
variants = {name: tflite.convert(frozen, name.replace(" ", "_"), some)
            for name in ("float32", "dynamic range", "float16", "int8")}
print(len(variants), "files, the integers' ranges from 400 training clips")

# %% tags=["nbval-ignore-output"]
measured = [measure.report(name, data, test)
            for name, data in variants.items()]
for each in measured:
    print(each)

# %%
from course_lib.views import sizes

sizes.by_kind({each.name: each.kinds for each in measured})

# %% [markdown]
# **Decide.** Which one goes onto the chip? Whatever you choose, ask whether a difference is more than noise. The C++
# program below computes in integers, so it takes `"int8"`.

# %% tags=["nbval-ignore-output"]
chosen = "int8"
before = measured[0]
after = next(each for each in measured if each.name == chosen)
change = measure.mcnemar(before, after)
print(f"{change.lost} clips lost, {change.gained} gained:", change.verdict)

# %%
print("within five points of float:",
      abs(before.accuracy - after.accuracy) < 0.05)

# %% [markdown]
# ## On the chip's own interpreter

# %% tags=["nbval-ignore-output"]
from course_lib import micro

run = project.on_micro(variants[chosen], test[0])
run

# %% [markdown]
# And the program for the board: your labels, exactly your operators, your model as an array. Three marked lines are
# yours.

# %%
from course_lib.views import listing

files = project.deliverables(
    variants[chosen], project.arena_bytes(run), words)
text = files["spotter/model_settings.h"].decode()
marked = [row for row, line in enumerate(text.splitlines())
          if "kLabels[" in line or "kArenaBytes =" in line
          or "kLabelCount =" in line]
listing.picture(text, marked, "the settings of your own program")

# %%
array = files["spotter/model_data.cpp"].decode()
print("the array is the file:",
      micro.read_c_array(array, "model_data") == files["spotter.tflite"])

# %% [markdown]
# Say one of your words, or something else.

# %%
from course_lib.views.answer import Speak

spare = words.test[words.test.labels > dataset.UNKNOWN]

def hear(rows):
    return tflite.run(variants[chosen], rows)

Speak(hear, spare.waves[0], spare.words[0], words.labels).show()

# %% [markdown]
# ## What is often said
#
# Books and talks say a lot about graphs, checkpoints and TensorFlow Lite; you have met most of it in these lessons. Here
# it stands as 22 claims. Each is split into tests, which run now, on your model. One mark is given for each test, and
# the verdict follows from them.
#
# **Predict.** How many of the 22 hold as they are said?

# %% predict="9.9"
my_guess = ...

# %% [markdown]
# ### Exercise 9.5
# Write the rule. `verdict(tests)` gets a list of `True`, `False` and `None` (could not be run here). Leave out `None`; then
# all true: `"holds"`; some: `"holds in part"`; none: `"does not hold"`; nothing left: `"not measured here"`.

# %% exercise="9.5" points=2
# Exercise 9.5
def verdict(tests):
    ### BEGIN SOLUTION
    known = [test for test in tests if test is not None]
    if not known:
        return "not measured here"
    if all(known):
        return "holds"
    return "holds in part" if any(known) else "does not hold"
    ### END SOLUTION

# %% check="9.5"
check("9.5", verdict)

# %%
from course_lib.experiments import ledger

on_graphs = ledger.graphs(model, variants["int8"], *test)
on_files = ledger.files(model, folder / "claims", *test,
                        begun.from_nothing, begun.from_checkpoint)
on_formats = ledger.formats(
    variants["float32"], variants["int8"], frozen.graph_def)
claims = on_graphs + on_files + on_formats
print(len(claims), "claims tested")

# %% tags=["nbval-ignore-output"]
compare("9.9", my_guess, claims.count("holds"))

# %% tags=["nbval-ignore-output"]
on_graphs

# %% tags=["nbval-ignore-output"]
on_files

# %% tags=["nbval-ignore-output"]
on_formats

# %%
print("most hold only in part:",
      claims.count("holds in part") > len(claims) / 2)

# %% [markdown]
# Few of them are simply wrong, and few are the whole truth. Whenever somebody tells you something about a
# model, ask: what would I have to measure?
#
# ## Hand it in
#
# The report names every file by its **SHA-256**, 64 digits. Change a single bit of the file, and nearly all of them are
# others. So a file that was changed no longer fits its report.
#
# ### Exercise 9.6
# `fingerprint(data)`: the SHA-256 of some bytes as hexadecimal digits. Python's `hashlib` has it.

# %% exercise="9.6" points=1
# Exercise 9.6
def fingerprint(data):
    ### BEGIN SOLUTION
    import hashlib
    return hashlib.sha256(data).hexdigest()
    ### END SOLUTION

# %% check="9.6"
check("9.6", fingerprint)

# %%
report = project.report(
    words, measured, chosen, begun, run, claims, files)
pictures = [draw_training.compared({"from nothing": slow,
                                    "from a checkpoint": curve}),
            draw_confusion.matrix(after.confusion, words.labels,
                                  f"{chosen}, on the test voices"),
            sizes.by_kind({each.name: each.kinds for each in measured})]
path = project.bundle(folder / "my_spotter.zip", report, files, pictures)
print(path)

# %% [markdown]
# The zip holds the page `report.html`, its figures as `report.json`, your model, and the folder of the C++ program. Open
# the page in the file browser on the left. Does the report say what is in the files? A grader will ask in the same
# words:

# %%
handed_in, inside = project.read(path)
print("problems:", project.problems(handed_in, inside))

# %% [markdown]
# Now try to cheat. **Predict.** The share says that every clip is right, and nothing else does. Who notices?

# %% predict="9.10"
my_guess = ...

# %%
forged = project.read(path)[0]
forged["models"][-1]["share"] = 1.0
found = " ".join(project.problems(forged, inside))
compare("9.10", my_guess,
        "the matrix" if "matrix" in found else found or "nobody")

# %% [markdown]
# In a terminal, in the workbook's own folder, `.venv/bin/python -m course_lib check-report FILE` does the same for any
# zip. Where all clips are bundled ones, it runs the model once more on them.
#
# ## What you measured

# %%
print("claims tested:", len(claims))
print("files to hand in:", len(files) + 2)
print("the report is right:", not project.problems(report, files))

# %%
progress("09")

# %% [markdown]
# **Read on:**
# - [Speech Commands](https://www.tensorflow.org/datasets/catalog/speech_commands): other people's words to measure with.
# - [Model cards](https://arxiv.org/abs/1810.03993): what a report on a model should tell.
# - [Few-shot keyword spotting in any language](https://arxiv.org/abs/2104.01454): new words from a handful of recordings.
#
# You took a model from Python to the bytes that a microcontroller executes. It is yours: say where it fails before
# somebody else finds out.
