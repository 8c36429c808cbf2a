# %% [markdown]
# # What the spotter hears
#
# **What does a spotter hear in a sound, and when may it act on it?** {minutes} minutes.
#
# You will be able to
# - follow a sound through every stage of the features, and say what each of them keeps,
# - explain why loudness hardly matters to the spotter,
# - choose a threshold, and find out whose voices it fails.

# %% setup

# %% [markdown]
# ## First, short frames
#
# Lesson 03 turned a sound into a table in one stroke. Here you stop at every stage. Press play first: this is the
# "yes" that you will follow.

# %%
import numpy as np
from course_lib import measure, tflite
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)
from course_lib.sound import dataset, features
from course_lib.views import confusion as draw_confusion
from course_lib.views.features import FrameExplorer

test = dataset.bundled("test")
yes = test.where(label="yes")
yes.play()

# %% [markdown]
# The clip, less its mean, is cut into frames of 480 samples, and a new one starts every 320. Move the slider from frame to frame. In a
# vowel the same shape comes again and again; in an "s" nothing does.
#
# given: 16,000, 480, 320, 512

# %%
FrameExplorer(yes[:6], frame=20, last=2).show()

# %% [markdown]
# ### Exercise 13.1
# Write `frame_count(samples, window, hop)`: how many whole frames of `window` samples fit into a clip, when a new one
# starts every `hop` samples. For 16,000, 480 and 320 there are 49.
#
# given: 16,000, 480, 320, 512

# %% exercise="13.1" points=2
# Exercise 13.1
def frame_count(samples, window, hop):
    ### BEGIN SOLUTION
    return 1 + (samples - window) // hop
    ### END SOLUTION

# %% check="13.1"
check("13.1", frame_count)

# %% [markdown]
# ## Then, which tones are in it
#
# Each frame is faded in and out and filled up with zeros to 512, and the Fourier transform tells how much of every frequency it holds. Squared, that is
# a spectrum of energies.

# %%
frames = features.frames(yes.waves[0])
energies = np.abs(np.fft.rfft(frames * np.hanning(480), 512)) ** 2
print(frames.shape, "to", energies.shape)

# %%
FrameExplorer(yes[:6], frame=20, last=3).show()

# %% [markdown]
# A vowel has a few hills: the **formants**, ranges of tone that the mouth lets pass best. In another vowel the hills
# stand elsewhere. The "s" has one broad hill, most of it above 4 kHz, where old telephones no longer listened.
#
# holds: energies[28, 128:].sum() > energies[28, :128].sum()
# holds: energies[22, 128:].sum() < 0.01 * energies[22, :128].sum()
#
# Ears tell low tones apart far better than high ones. The **mel scale** follows them: 40 bands, narrow at the bottom
# and wide at the top, each adding up the energies that it covers.

# %%
edges, bands = features.band_edges_hz(), energies @ features.filters()
print(f"the lowest: {edges[0]:.0f} to {edges[2]:.0f} Hz")
print(f"the highest: {edges[-3]:.0f} to {edges[-1]:.0f} Hz")
print(energies.shape, "to", bands.shape)

# %%
FrameExplorer(yes[:6], frame=20, last=4).show()

# %% [markdown]
# ## Then the logarithm, and last the mean
#
# Ears also hear in ratios: from a whisper to a shout, energy grows a million times. The logarithm turns "times as much"
# into "plus as much".
#
# ### Exercise 13.2
# Turn the microphone up, so that every sample is ten times as large. What number is `added` to the natural logarithm of
# every energy? Two digits after the point are enough.
#
# given: ten times as

# %% exercise="13.2" points=1
# Exercise 13.2
### BEGIN SOLUTION
added = np.log(10 ** 2)
### END SOLUTION

# %% check="13.2"
check("13.2", added)

# %%
quiet, loud = (features.log_energies(features.mel_energies(
    features.power(gain * frames))) for gain in (1, 10))
moved = loud - quiet
print(f"{(moved > 4.6).mean():.0%} of the cells move by so much,",
      f"others by as little as {moved.min():.2f}")

# %% [markdown]
# Surprised? The spotter adds a **floor** of 0.0000001 to every energy first, because the logarithm of 0 does not exist.
# Before and after the word there is next to nothing, and what lies below the floor hardly moves. Only what is well above
# it moves by the whole amount.
#
# The last stage takes the mean of the whole table away, and divides by 3. That undoes a part of the loudness; what
# lies at the floor stays behind. Does the model care? **Predict.** Play every test clip ten times as loud. How many
# of its answers change, in percent? (Floats have room for that; a real microphone, turned up so far, would cut the
# peaks off.)
#
# holds: features.FLOOR == 0.0000001 and moved.max() < 4.61
# given: ten times as

# %% predict="13.3"
my_guess = ...

# %%
small = tflite.load("spotter_int8")
heard, shouted = (
    tflite.run(small, features.log_mel(gain * test.waves)).argmax(axis=1)
    for gain in (1, 10))
compare("13.3", my_guess, round(100 * (heard != shouted).mean()))

# %% [markdown]
# ## When to speak up
#
# What goes in is a table; what comes out is a probability for each label. Which is the largest no longer counts: a
# device acts where a keyword's probability exceeds the threshold. Two errors pull in opposite directions. (Labels 2 and 3
# are the keywords.)

# %%
shipped = measure.report("shipped", small, test)
surest = shipped.probabilities[:, 2:].max(axis=1)
said = test.labels >= 2
levels = np.linspace(0, 1, 101)
missed = [(surest[said] <= level).mean() for level in levels]
alarms = [(surest[~said] > level).mean() for level in levels]
draw_confusion.thresholds(levels, missed, alarms)

# %% [markdown]
# Is any level free of both errors? Move the threshold and listen: which would you rather have in your kitchen?

# %%
from course_lib.views.confusion import Threshold

Threshold(shipped, test, level=0.5).show()

# %% [markdown]
# ### Exercise 13.4
# A customer accepts a share of `allowed` false alarms. Write `choose(levels, false_alarms, allowed)`: the lowest level
# at which there are no more than that. Both lists have the same length.

# %% exercise="13.4" points=2
# Exercise 13.4
def choose(levels, false_alarms, allowed):
    ### BEGIN SOLUTION
    pairs = zip(levels, false_alarms)
    return min(level for level, share in pairs if share <= allowed)
    ### END SOLUTION

# %% check="13.4"
check("13.4", choose)

# %% [markdown]
# Now be that customer, at one false alarm in a hundred clips. What does it cost in keywords?

# %%
if pick := yours("13.4", choose, None):
    level = pick(list(levels), alarms, 0.01)
    lost = (surest[said] <= level).mean()
    print(f"at {level:.2f} it misses {lost:.1%} of the keywords")
else:
    print("exercise 13.4 is still open")

# %% [markdown]
# ## Whose voices are hard?
#
# Each row is a voice, the hardest on top. Choose one, and hear what went wrong. Few clips make a wide interval: is the
# last voice really better than the first?

# %%
from course_lib.views.confusion import Voices

Voices(shipped, test).show()

# %% [markdown]
# The same, by what made the sound. "noise" is the silence of the test set.

# %%
draw_confusion.groups(shipped, test.engines, "which synthesizer is hard?")

# %% [markdown]
# ## Synthetic against real
#
# The bundled speech was said by machines. Do people sound like that? The shipped model was also measured on
# recordings of people. No weight was learnt from them, but noise and words of the training were chosen with an eye on
# these figures. Its file tells them, and those of all machine clips that were held back, validation and test.
# Keywords and silence count here; of other words the next question asks.

# %%
import json
from course_lib import session

card = json.loads(session.data_path("models", "measured.json").read_text())
kinds = {"machines": card["held_out"], "people": card["real"]}
kinds = {name: each["int8"] for name, each in kinds.items() if each}
known, share = [each for each in dataset.LABELS if each != "_unknown_"], {}
for name, each in kinds.items():
    right, n = (sum(each["recalls"][label][part] for label in known)
                for part in ("correct", "n"))
    share[name] = right / n
    print(f"{name}: {share[name]:.1%} of {n}")

# %%
counts = {name: [(each["recalls"][label]["correct"],
                  each["recalls"][label]["n"]) for label in dataset.LABELS]
          for name, each in kinds.items()}
draw_confusion.shares(dataset.LABELS, counts, "who is understood?")

# %% [markdown]
# In real speech the keywords are harder, "no" most of all. (The other words are not the same ones: machines also say
# "nope" and "snow".) **Predict.** Which of these command words, when *people* say
# it, is least often called unknown: up, down, left, right, on, off, stop, go?

# %% predict="13.5"
my_guess = ...

# %%
words = ("up", "down", "left", "right", "on", "off", "stop", "go")
figures = list(kinds.values())[-1]["words"]
hardest = min(words, key=lambda word: figures[word]["share"])
compare("13.5", my_guess, hardest)

# %%
counts = {name: [(each["words"][word]["correct"], each["words"][word]["n"])
                 for word in words] for name, each in kinds.items()}
draw_confusion.shares(words, counts, "called unknown, as they should be")

# %% [markdown]
# ## What you measured
#
# - The spectrum drops when a tone began within its frame, the bands drop detail: ears hardly miss either.
# - Ten times as loud moves only the cells that are well above the floor, and few answers change.
# - A threshold trades words that are missed for false alarms: no level is free of both.
# - What machines say prepares for what people say, but keywords are easier there.
#
# holds: (heard != shouted).mean() < 0.05 and 0.2 < (moved > 4.6).mean() < 0.5
# holds: min(miss + alarm for miss, alarm in zip(missed, alarms)) > 0
# holds: share["people"] < share["machines"]

# %%
progress("13")

# %% [markdown]
# **Read on:**
# - [The mel scale](https://en.wikipedia.org/wiki/Mel_scale): where the bands come from, and how many formulas there are.
# - [A trainable frontend](https://arxiv.org/abs/1607.05666): what to put in the place of the logarithm, so that loudness
#   matters even less.
# - [Racial disparities in speech recognition](https://www.pnas.org/doi/10.1073/pnas.1915768117): whose voices are hard for
#   products that everybody uses.
