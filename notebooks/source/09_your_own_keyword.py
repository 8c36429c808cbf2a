# %% [markdown]
# # Your own keyword
#
# **Can I do it with my words?** {minutes} minutes, and you have to decide at every step.
#
# You will be able to
# - teach a network new words in seconds, from what another one has learnt,
# - take it all the way to C++ for a microcontroller, and prove each step,
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

my_words = ["left", "right", "stop"]

# %% [markdown]
# ## Your voice
#
# A synthesizer does not speak like you. Choose a word, press record, wait for the count, and say it; ten takes of each
# word are a good beginning. Each take is a file in the folder `my_words` at once, so nothing is lost. (In Colab the folder
# goes when the machine goes: download it. Without a microphone, read on.)

# %%
from course_lib.project import recorder

recorder.Recorder(project.FOLDER, my_words).show()

# %% [markdown]
# Now all clips come together, the bundled ones and yours. Of every five takes three are for training, one is for
# validation, and one for the test.

# %% tags=["nbval-ignore-output"]
words = project.gather(my_words, own=project.FOLDER)
words

# %% [markdown]
# The other words became unknown, "yes" and "no" too, unless you chose them. In validation and test there are as many
# unknown clips as clips of your words, where there are enough, and some of silence. No bundled voice of the test is used before the end;
# your own voice is in all three.
#
# ### Exercise 9.1
# How good is a model that does not listen? Say it gives the same answer to every clip, the best one for it.
# `baseline(labels)` gets the clips' labels, a list of numbers such as `[0, 1, 1, 3]`: 0 is silence, 1 is unknown, then
# come your words. Return the share of clips that it gets right.

# %% exercise="9.1" points=1
# Exercise 9.1
def baseline(labels):
    ### BEGIN SOLUTION
    labels = list(labels)
    return max(labels.count(label) for label in labels) / len(labels)
    ### END SOLUTION

# %% check="9.1"
check("9.1", baseline)

# %% [markdown]
# A spotter has to beat that share: further down they stand side by side.
#
# **Decide.** How many varied clips, and how often through all of them? More of both is better and takes longer:
# 6,000 clips take some seconds, and each training as long. For a spotter that you want to keep,
# come back and make it 12,000 and 12.
#
# given: 6000, 12000

# %% tags=["nbval-ignore-output"]
from course_lib.sound import augmentation, features
from course_lib.views.training import LiveTraining

clip_count, epochs = 6_000, 6
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
# Seconds are not much to learn what speech sounds like. But the shipped spotter knows that already, though its
# words were "yes" and "no". Keep what its layers know about sound, and replace the last one, which decides.
#
# ### Exercise 9.2
# Both networks are given as a dictionary from a layer's name to its weights. `begin(new, trained, last)` returns a
# dictionary with all layers: those of `trained`, but the one called `last` from `new`.

# %% exercise="9.2" points=1
# Exercise 9.2
def begin(new, trained, last):
    ### BEGIN SOLUTION
    return {name: new[name] if name == last else trained[name]
            for name in new}
    ### END SOLUTION

# %% check="9.2"
check("9.2", begin)

# %% [markdown]
# **Predict.** The same clips, but from the checkpoint. After one epoch, by how many points will it be ahead, on
# clips that neither was trained on? (Every epoch leaves a checkpoint in the lesson's folder.)

# %% predict="9.3"
my_guess = ...

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
begun = project.head_start(slow, curve, after=1)
ahead = round(100 * begun.from_checkpoint) - round(100 * begun.from_nothing)
compare("9.3", my_guess, ahead)
begun

# %%
from course_lib.views import training as draw_training

print("the checkpoint was ahead:", begun.points > 0)
draw_training.compared({"from nothing": slow, "from a checkpoint": curve})

# %% [markdown]
# Mostly it is ahead: that is what checkpoints are for. With time and clips enough the other one may catch up.
#
# **Decide.** Which of your checkpoints would you keep? Restore each, ask it about the clips of the validation, and see what
# it costs to take it in place of the best one. In the end the best one comes back.

# %% tags=["nbval-ignore-output"]
best = project.best_epoch(curve)
right = [share for _, share in curve.accuracies]
for epoch in range(1, len(right) + 1):
    project.restore(model, folder / "checkpoints", epoch)
    heard = spotter.predict(model, held[0]).argmax(axis=1)
    share = (heard == held[1]).mean()
    print(f"epoch {epoch}: {share:.1%} right,",
          f"costs {abs(100 * (right[best - 1] - share)):.1f} points")

project.restore(model, folder / "checkpoints", best)
same = all((a == b).all() for a, b in zip(kept, model.get_weights()))
print("the file of the best epoch holds what the widget kept:", same)

# %% [markdown]
# ## What does it mistake?
#
# Now the test: press a number to hear the clips behind it. Is it worse than the curve promised? You chose the epoch by the
# clips of that curve, so it tends to flatter; nothing was chosen by these. (A few clips may also be chance.) No mistake
# at all? Come back with "go" as one word more.

# %%
from course_lib import measure
from course_lib.views import confusion as draw_confusion
from course_lib.views.confusion import Confusion

test = features.of(words.test), words.test.labels
mine = measure.report("mine", lambda x: spotter.predict(model, x), test)
Confusion(mine, words.test, words.labels).show()

# %% [markdown]
# ### Exercise 9.4
# `most_confused(matrix)` gets a confusion matrix as a list of rows. Return the places `(said, heard)` of the mistake that
# was made most often.

# %% exercise="9.4" points=2
# Exercise 9.4
def most_confused(matrix):
    ### BEGIN SOLUTION
    places = range(len(matrix))
    pairs = [(said, heard) for said in places for heard in places
             if said != heard]
    return max(pairs, key=lambda pair: matrix[pair[0]][pair[1]])
    ### END SOLUTION

# %% check="9.4"
check("9.4", most_confused)

# %% [markdown]
# The test is small. Where may the share lie that very many such clips would give?

# %% tags=["nbval-ignore-output"]
low, high = mine.interval
always = max(mine.confusion.sum(axis=1)) / mine.n
print(f"{mine.accuracy:.0%} of {mine.n} clips,",
      f"somewhere from {low:.0%} to {high:.0%};",
      f"without listening {always:.0%}")

# %% [markdown]
# ## One file, eight bits
#
# Freeze it, convert it, quantize it: lessons 05, 06 and 07 in a few lines.
#
# **Predict.** Of the test clips, how many will be right in floats and wrong in eight bits, or the other way round?

# %% predict="9.5"
my_guess = ...

# %% tags=["nbval-ignore-output"]
from course_lib.graph import freezing
from course_lib import tflite

frozen = freezing.frozen(model)
some = features.of(words.train)
variants = {name: tflite.convert(frozen, name.replace(" ", "_"), some)
            for name in ("float32", "dynamic range", "float16", "int8")}
measured = [measure.report(name, data, test)
            for name, data in variants.items()]
for each in measured:
    print(each)

# %% [markdown]
# Which one goes onto the chip? The C++ program below feeds its model integers, so it takes `"int8"`.

# %% tags=["nbval-ignore-output"]
chosen = "int8"
before = measured[0]
after = next(each for each in measured if each.name == chosen)
change = measure.mcnemar(before, after)
print(f"{change.lost} clips lost, {change.gained} gained:", change.verdict)
compare("9.5", my_guess, change.lost + change.gained)

# %% [markdown]
# ## On the chip's own interpreter
#
# How much memory does your model need there, its arena, and does it hear the same? Then, with some to spare, the program
# for the board: your labels, exactly your operators, your model as an array. Three marked lines are yours.

# %% tags=["nbval-ignore-output"]
from course_lib import micro
from course_lib.views import listing

run = project.on_micro(variants[chosen], test[0])
print(run)
files = project.deliverables(
    variants[chosen], project.arena_bytes(run), words)
text = files["spotter/model_settings.h"].decode()
marked = [row for row, line in enumerate(text.splitlines())
          if '", "' in line or "kArenaBytes =" in line
          or "kLabelCount =" in line]
array = files["spotter/model_data.cpp"].decode()
print("the array is the file:",
      micro.read_c_array(array, "model_data") == files["spotter.tflite"])
listing.picture(text, marked, "the settings of your own program")

# %% [markdown]
# Let it listen: to a clip, to you, to somebody who does not know your words. The page is one file with model and program
# in it. It works from a double click, with the network off: send it to a friend.

# %% tags=["nbval-ignore-output"]
from course_lib.views import hearing

spare = words.test[words.test.labels > dataset.UNKNOWN]
page = hearing.page(variants[chosen],
                    {spare.words[0]: spare.waves[0]}, words.labels)
print(page.save(folder / "my_spotter.html"))
page

# %% [markdown]
# ## Hand it in
#
# The report names every file by its fingerprint, digits worked out from its bytes: a changed file has others. Lesson 19
# tries to cheat it.

# %%
from course_lib.views import sizes

report = project.report(
    words, measured, chosen, begun, run, files)
pictures = [draw_training.compared({"from nothing": slow,
                                    "from a checkpoint": curve}),
            draw_confusion.matrix(after.confusion, words.labels,
                                  f"{chosen}, on the test voices"),
            sizes.by_kind({each.name: each.kinds for each in measured})]
path = project.bundle(folder / "my_spotter.zip", report, files, pictures)
print(path)
print("problems:", project.problems(*project.read(path)))

# %% [markdown]
# The zip holds the page `report.html`, its figures as `report.json`, your model, and the folder of the C++ program. Open
# the page in the file browser on the left. Does the report say what is in the files? The last line asked that, as a grader
# will. In a terminal, in the workbook's own folder, `.venv/bin/python -m course_lib check-report FILE` asks too (FILE is `notebooks/` and what stands above); where all
# clips are bundled ones, it runs the model once more on them.
#
# ## What you measured

# %%
print("files to hand in:", len(files) + 2)
print("the report is right:", not project.problems(report, files))
print("better than without listening:", after.accuracy > always + 0.1)
progress("09")

# %% [markdown]
# **Read on:**
# - [Speech Commands](https://www.tensorflow.org/datasets/catalog/speech_commands): other people's words to measure with.
# - [Model cards](https://arxiv.org/abs/1810.03993): what a report on a model should tell.
# - [Few-shot keyword spotting in any language](https://arxiv.org/abs/2104.01454): new words from a handful of recordings.
#
# You took a model from Python to the bytes that run on a microcontroller. It is yours: say where it fails before
# somebody else finds out. Next, if you like: lesson 19 puts to the test what is often said about all this.
