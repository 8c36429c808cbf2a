# %% [markdown]
# # What is often said
#
# **Which of the things that people say about models are true, and how would I know?** {minutes} minutes.
#
# You will be able to
# - split a claim into tests, and say what follows from them,
# - say how many clips a test needs before its share means something,
# - find out whether a report and its files belong together.

# %% setup

# %% [markdown]
# ## A model to ask
#
# The claims are tested on a model of your own words, as in lesson 09, but trained more briefly. One says that
# training goes better from a checkpoint, so a second network is trained beside it, from nothing.

# %%
from course_lib import measure, project, spotter, tflite
from course_lib.exercises import check, compare, hint, progress, solution
from course_lib.experiments import ledger
from course_lib.graph import freezing
from course_lib.sound import augmentation, features
from course_lib.views.training import LiveTraining

my_words = ["up", "down"]
words = project.gather(my_words, own=project.FOLDER)
test = features.of(words.test), words.test.labels
held = features.of(words.validation), words.validation.labels
watch = LiveTraining(held, 3)
watch.show()
sounds, labels = augmentation.training_set(
    words.train, 1_200, 0, watch.varying, words.recipe())
print(f"{len(sounds):,} varied clips")

# %%
classes = len(words.labels)
slow = LiveTraining(held, 3)
slow.show()
nothing = slow.train(
    project.from_nothing(classes), sounds, labels, peak_rate=4e-3)

model = project.from_checkpoint(classes)
quick = LiveTraining(held, 3)
quick.show()
taken_up = quick.train(model, sounds, labels, peak_rate=4e-3)
begun = project.head_start(nothing, taken_up, after=3)

frozen, some = freezing.frozen(model), features.of(words.train)
plain, int8 = (tflite.convert(frozen, name, some)
               for name in ("float32", "int8"))

# %% [markdown]
# ## What is often said
#
# Books and talks say a lot about graphs, checkpoints and TensorFlow Lite; you have met most of it in these lessons.
# Here it stands as 22 claims. Each is split into tests. Nearly all run now, many on your model. One mark is given for
# each test, and the verdict follows from them.
#
# **Predict.** How many of the 22 hold as they are said?

# %% predict="19.1"
my_guess = ...

# %%
folder = session.workspace("19")
on_graphs = ledger.graphs(model, int8, *test)
on_files = ledger.files(model, folder / "claims", *test,
                        begun.from_nothing, begun.from_checkpoint)
on_formats = ledger.formats(plain, int8, frozen.graph_def)
claims = on_graphs + on_files + on_formats
print(len(claims), "claims tested")

# %% [markdown]
# ### Exercise 19.2
# What follows from the tests? `verdict(tests)` gets a list of `True`, `False` and `None` (could not be run here). Leave out
# `None`; then all true: `"holds"`; some: `"holds in part"`; none: `"does not hold"`; nothing left: `"not measured here"`.

# %% exercise="19.2" points=2
# Exercise 19.2
def verdict(tests):
    ### BEGIN SOLUTION
    known = [test for test in tests if test is not None]
    if not known:
        return "not measured here"
    if all(known):
        return "holds"
    return "holds in part" if any(known) else "does not hold"
    ### END SOLUTION

# %% check="19.2"
check("19.2", verdict)

# %% tags=["nbval-ignore-output"]
compare("19.1", my_guess, claims.count("holds"))
on_graphs

# %% [markdown]
# Machines that train together mostly exchange gradients, not weights: after one step of plain gradient descent the two come to
# the same, after three they do not. Now the files. Read the marks: what part of each sentence is true?

# %% tags=["nbval-ignore-output"]
on_files

# %% tags=["nbval-ignore-output"]
on_formats

# %%
print("most hold only in part:",
      claims.count("holds in part") > len(claims) / 2)

# %% [markdown]
# Few of them are simply wrong, and few are the whole truth. And a test says no more than what it tried, here, on one
# small model. Whenever somebody tells you something about a model, ask: what would I have to measure?
#
# ## How many clips settle it?
#
# Lesson 09's test was small, and its interval wide. It reaches about `1.96 * sqrt(share * (1 - share) / n)` to each side.
#
# **Predict.** Say a model is right about 8 of 10 clips, and you want to know that to a point, 0.01 to each side. How many
# clips do you need?
#
# given: 1.96, 8, 10, 0.01

# %% predict="19.3"
my_guess = ...

# %% [markdown]
# ### Exercise 19.4
# `clips_needed(share, margin)`: the smallest number of clips for which the interval reaches no farther than `margin`.

# %% exercise="19.4" points=2
# Exercise 19.4
def clips_needed(share, margin):
    ### BEGIN SOLUTION
    import math
    return math.ceil(1.96 ** 2 * share * (1 - share) / margin ** 2)
    ### END SOLUTION

# %% check="19.4"
check("19.4", clips_needed)

# %%
def reach(n):
    return 1.96 * (0.8 * 0.2 / n) ** 0.5

settled = 1
while reach(settled) > 0.01:
    settled += 1
compare("19.3", my_guess, settled)
for n in (55, 220, 880):
    print(f"{n:4} clips: {100 * reach(n):4.1f} points to each side")

# %% [markdown]
# Four times the clips halve it. So two models that differ by a point look the same in a small test, and one that you chose
# among many looks better than it is.
#
# ## Whose report is it?
#
# A report is a claim, too. Lesson 09's names every file by its **SHA-256**: 64 digits, worked out from all of its bytes.
# Change a single bit, and nearly all of them are others. So a file that was changed no longer fits its report.
#
# given: 256, 64
#
# ### Exercise 19.5
# `fingerprint(data)`: the SHA-256 of some bytes as hexadecimal digits. Python's `hashlib` has it.

# %% exercise="19.5" points=1
# Exercise 19.5
def fingerprint(data):
    ### BEGIN SOLUTION
    import hashlib
    return hashlib.sha256(data).hexdigest()
    ### END SOLUTION

# %% check="19.5"
check("19.5", fingerprint)

# %% [markdown]
# Here is a report of the model above, with all claims in it, and a file in which somebody flips one bit.

# %%
measured = [measure.report("float32", plain, test),
            measure.report("int8", int8, test)]
files = {project.MODEL: int8}
report = project.report(words, measured, "int8", begun, None, files, claims)
print("as it is:", project.problems(report, files))

flipped = bytearray(int8)
flipped[-100] ^= 1
for problem in project.problems(report, {project.MODEL: bytes(flipped)}):
    print("one bit flipped:", problem)

# %% [markdown]
# Now try to cheat in the report itself. **Predict.** The share says that every clip is right, and nothing else does. Who
# notices: `"the matrix"` of which label was taken for which, `"the hash"` of the model, or `"nobody"`?

# %% predict="19.6"
my_guess = ...

# %%
import copy

forged = copy.deepcopy(report)
forged["models"][-1]["share"] = 1.0
found = " ".join(project.problems(forged, files))
compare("19.6", my_guess,
        "the matrix" if "matrix" in found else found or "nobody")

# %% [markdown]
# A report whose figures fit each other can still be made up, all of them together. That is why a grader runs the model
# once more where the clips are at hand.
#
# ## What you measured

# %%
print("claims tested:", len(claims))
print("clips for a point to each side:", settled)
print("the forgery was found:", "matrix" in found)
progress("19")

# %% [markdown]
# **Read on:**
# - [Binomial proportion confidence interval](https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval): the
#   short formula above, where it fails, and Wilson's, which the report uses.
# - [Troubling trends in machine learning scholarship](https://arxiv.org/abs/1807.03341): claims that outrun their tests, in
#   published work.
# - [SHA-256](https://docs.python.org/3/library/hashlib.html): Python's module, and what else it has.
