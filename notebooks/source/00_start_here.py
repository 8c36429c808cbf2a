# %% [markdown]
# # Start here
#
# **What will you be able to build?** {minutes} minutes.
#
# You will be able to
# - let a model of a few kilobytes name a spoken word,
# - say how large such a model is, and what stands in its answer,
# - use the exercises, checks and hints of this workbook.

# %% setup

# %% [markdown]
# ## A model that hears two words
#
# Voice assistants keep a tiny model awake all day. It knows next to nothing: one or two words, and when to stay quiet.
# The one below knows "yes" and "no". Such a model is called a **keyword spotter**.
#
# It runs in this page: not in Python, not on a server. Press a word. Then press "listen", allow the microphone,
# and say "yes".

# %% tags=["opens"]
from course_lib import tflite
from course_lib.sound import dataset
from course_lib.views import hearing

model = tflite.load("spotter_int8")
clips = dataset.bundled("test")
places = [clips.words.index(word) for word in ("yes", "no", "happy")]
hearing.page(model, {clips.words[k]: clips.waves[k] for k in places})

# %% [markdown]
# The page runs the same model as Python does below, and as a chip can. Every **clip** is one second of sound. The words in
# these are synthetic: programs spoke them, with voices that the model has never heard before.

# %%
clips

# %%
place = clips.words.index("yes")
clips.play(place)

# %% [markdown]
# ## Pick a clip
#
# Choose one from the list, listen, and look at the four bars. They are **shares**: how much of its belief the
# model gives to each of its four answers. Together they make about 100 %.
#
# given: 100 %

# %%
from course_lib.views.answer import Listen

words = ["yes", "no", "go", "happy", "left", "_silence_"]
chosen = clips[[clips.words.index(word) for word in words]]
Listen(model, chosen).show()

# %% [markdown]
# There is no "go" among the four answers. A spotter needs a place for everything that it was not made for. The answer
# **unknown** stands for every other word (the bars say "another word"), and **silence** for no word at all.

# %% [markdown]
# **Predict.** How many kilobytes is the model that gave these answers? A photo from a phone has about 3,000, a page
# of text about 2.
#
# given: 3,000 kB, 2 kB

# %% predict="0.6"
my_guess = ...

# %%
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

compare("0.6", my_guess, f"{len(model) / 1000:.0f} kB")

# %% [markdown]
# A page of text is smaller, and a photo is more than a hundred times larger. The file's size on the disk says the same.
#
# holds: 2_000 < len(model) < 3_000_000 / 100

# %%
from course_lib.session import data_path

file = data_path("models", "spotter_int8.tflite")
print(file.stat().st_size == len(model))

# %% [markdown]
# ## What happened behind the list
#
# Three steps. The sound is 16,000 numbers. They become a picture of 49 moments by 40 pitches, and the model turns
# that picture into four numbers.

# %%
from course_lib.sound import features

wave = clips.waves[place]
picture = features.log_mel(wave[None])[0]
print(wave.shape, "→", picture.shape)

# %%
answer = tflite.run(model, picture[None])[0]
print(answer.shape, "adds up to", round(float(answer.sum()), 1))

# %% [markdown]
# Four shares, in the order of four names: the **labels**. They live in one place, and every lesson uses them. Underscores
# mark the two that are no words.

# %%
dataset.LABELS

# %% [markdown]
# ## Exercises, checks and hints
#
# An exercise is a cell with `...` in it. Put your answer in its place, run the cell, and run the check below it. A wrong
# answer gets a hint that fits the mistake. You may try as often as you like.

# %% [markdown]
# ### Exercise 0.1
# Write `seconds(samples, rate_hz)`: how long so many samples last, at so many samples per second.
# Example: 8,000 samples at 16,000 Hz last 0.5 seconds.
#
# holds: 8_000 / 16_000 == 0.5

# %% exercise="0.1" points=1
# Exercise 0.1
def seconds(samples, rate_hz):
    ### BEGIN SOLUTION
    return samples / rate_hz
    ### END SOLUTION

# %% check="0.1"
check("0.1", seconds)

# %% [markdown]
# Not tried yet? Then the check says so and the notebook goes on: no later cell needs your answer. Stuck? Ask for a hint,
# and run the cell again for the next one. When you have tried and no hint is left, `solution("0.1")` shows one way to do
# it, and costs no points.

# %%
hint("0.1")

# %% [markdown]
# ### Exercise 0.2
# Write `name(answer)`: the label that gets the largest of the four shares.
# Example: `[0.1, 0.2, 0.6, 0.1]` is a `"yes"`.

# %% exercise="0.2" points=1
# Exercise 0.2
from course_lib.sound.dataset import LABELS

def name(answer):
    ### BEGIN SOLUTION
    return LABELS[max(range(4), key=lambda place: answer[place])]
    ### END SOLUTION

# %% check="0.2"
check("0.2", name)

# %% [markdown]
# ### Exercise 0.3
# How many numbers are in the picture that the model sees? Use `picture`, or multiply in your head.

# %% exercise="0.3" points=1
# Exercise 0.3
### BEGIN SOLUTION
numbers = picture.size
### END SOLUTION

# %% check="0.3"
check("0.3", numbers)

# %% [markdown]
# The sound had 16,000 numbers, about eight times as many. Thrown away is what nobody needs to tell two words apart.
#
# holds: 7.5 < wave.size / picture.size < 8.5

# %% [markdown]
# ### Exercise 0.4
# A device that wakes up at the wrong word is a nuisance. Write `decide(answer, least)`: the label of the largest
# share if that share is at least `least`, and `"_unknown_"` if it is smaller. You may use your `name`, or start afresh.
# Example: with `least` 0.7, `[0.1, 0.2, 0.6, 0.1]` is `"_unknown_"`.
#
# holds: max([0.1, 0.2, 0.6, 0.1]) < 0.7

# %% exercise="0.4" points=1
# Exercise 0.4
def decide(answer, least):
    ### BEGIN SOLUTION
    best = max(range(4), key=lambda place: answer[place])
    return LABELS[best] if answer[best] >= least else "_unknown_"
    ### END SOLUTION

# %% check="0.4"
check("0.4", decide)

# %% [markdown]
# ### Exercise 0.5
#
# The model of a chip lies in its **flash**, the memory that keeps its bytes while the power is off.
# Write `copies(flash_bytes, model_bytes)`: how many whole models of that size fit into it.
# Example: 3 models of 300 bytes fit into 1,000 bytes.
#
# holds: 1_000 // 300 == 3

# %% exercise="0.5" points=1
# Exercise 0.5
def copies(flash_bytes, model_bytes):
    ### BEGIN SOLUTION
    return flash_bytes // model_bytes
    ### END SOLUTION

# %% check="0.5"
check("0.5", copies)

# %% [markdown]
# How many spotters would a chip with 256,000 bytes of flash hold? Your function says it.
#
# given: 256,000

# %%
count = yours("0.5", copies, None)
print(f"{count(256_000, len(model))} of this model fit"
      if count else "no answer yet")

# %% [markdown]
# ## The way ahead
#
# The model did not start as these few kilobytes. It was a Python program, and step by step the lessons take it
# further. On the left are the lessons, on the right the size of each file, read from your disk.

# %%
from course_lib.views import journey

def size(name):
    return data_path("models", name).stat().st_size

# %%
journey.picture([
    journey.Station("01", "a program is a graph"),
    journey.Station("03", "it learns", size("spotter.keras")),
    journey.Station("05", "frozen, one file", size("spotter.pb")),
    journey.Station("06", "a FlatBuffer", size("spotter_float32.tflite")),
    journey.Station("07", "eight-bit integers", size("spotter_int8.tflite")),
])

# %% [markdown]
# The map leaves out some lessons. Lesson 02 shows what else a graph is good for, and lesson 04 stops halfway through the
# learning and looks at what is on the disk. In lesson 08 the last file becomes a program for a chip, and in lesson 09 you
# do it all with words of your own. Each lesson also runs on its own, so start where you like.

# %% [markdown]
# ## What you measured
#
# You let a model hear, you know its size, and you know the four names of its answers. What is done, and what
# is left:

# %%
progress("00")

# %% [markdown]
# **Read on:**
# - [Speech Commands](https://arxiv.org/abs/1804.03209), the paper behind the best-known recordings of single words: how
#   they were collected, and why keyword spotting needs its own.
# - [Keyword spotting on microcontrollers](https://arxiv.org/abs/1711.07128): many kinds of spotters, compared by what a
#   small chip can afford.
# - [micro_speech](https://github.com/tensorflow/tflite-micro/tree/main/tensorflow/lite/micro/examples/micro_speech):
#   a "yes" and "no" spotter for chips, the example that comes with TensorFlow Lite Micro.
#
# What does TensorFlow see in a program?
