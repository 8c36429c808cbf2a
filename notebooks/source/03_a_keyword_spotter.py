# %% [markdown]
# # A keyword spotter
#
# **How does a model learn to hear "yes"?** {minutes} minutes.
#
# You will be able to
# - say what becomes of a sound before a model gets it, stage by stage,
# - count the weights of a small network by hand, and train it here,
# - read a confusion matrix, give an accuracy with its interval, and choose a threshold.

# %% setup

# %% [markdown]
# ## Sound as numbers
#
# The workbook brings its own speech: words that synthesizers say in many voices. Each clip lasts one second, and
# no voice of the test clips is ever used for training.
#
# This cell is a switch. `"mini"` (182 MB) and `"full"` (2.4 GB) are recordings of people, downloaded once.
#
# given: 182, 2.4

# %%
from course_lib.sound import dataset

source = "bundled"  # or "mini", or "full"
clips, held, test = (dataset.load(source, split)
                     for split in ("train", "validation", "test"))
test

# %% [markdown]
# Press play. To a computer this word is a list of 16,000 numbers a second: how far the membrane of a microphone was
# pushed, measured again and again.

# %%
yes = test.where(label="yes")
yes.play()

# %%
from course_lib.views import features as draw_features

draw_features.waveform(yes.waves[0], "yes")

# %% [markdown]
# A network could read these numbers as they are. But say the same word a little later, or louder, and nearly every
# number of the list is another one. **Features** keep what matters for hearing, and drop the rest.
#
# **Predict.** The features of this lesson are a table of 49 by 40 numbers. What share of the 16,000 is that,
# in percent?

# %% predict="3.1"
my_guess = ...

# %%
from course_lib.exercises import check, compare, hint, solution, yours

compare("3.1", my_guess, round(100 * 49 * 40 / 16_000))

# %% [markdown]
# ## First, short frames
#
# A spoken sound holds still for some hundredths of a second. So the clip is cut into **frames** of 480 samples, 30 ms
# each. They overlap: a new one starts every 320 samples.
#
# given: 480, 30, 320
#
# Move the slider from frame to frame. In a vowel the same shape comes again and again; in an "s" nothing does.

# %%
from course_lib.views.features import FeatureGallery, FrameExplorer

FrameExplorer(yes[:6], frame=20, last=2).show()

# %% [markdown]
# ### Exercise 3.2
# Write `frame_count(samples, window, hop)`: how many whole frames of `window` samples fit into a clip, when a new one
# starts every `hop` samples. For 16,000, 480 and 320 there are 49.
#
# given: 480, 320

# %% exercise="3.2" points=2
# Exercise 3.2
def frame_count(samples, window, hop):
    ### BEGIN SOLUTION
    return 1 + (samples - window) // hop
    ### END SOLUTION

# %% check="3.2"
check("3.2", frame_count)

# %% [markdown]
# ## Then, which tones are in it
#
# Each frame is faded in and out, and the **Fourier transform** tells how much of every frequency it holds. Squared, that is
# its **spectrum** of energies.

# %%
import numpy as np
from course_lib.sound import features

frames = features.frames(yes.waves[0])
energies = np.abs(np.fft.rfft(frames * np.hanning(480), 512)) ** 2
print(frames.shape, "to", energies.shape)

# %%
FrameExplorer(yes[:6], frame=20, last=3).show()

# %% [markdown]
# A vowel has a few hills: the **formants**, ranges of tone that the mouth lets pass best. Another vowel is another place of the
# hills. The "s" has one broad hill, most of it above 4 kHz, where old telephones no longer listened.
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
# ### Exercise 3.3
# Turn the microphone up, so that every sample is ten times as large. What number is `added` to the natural logarithm of
# every energy? Two digits after the point are enough.
#
# given: ten times as

# %% exercise="3.3" points=1
# Exercise 3.3
### BEGIN SOLUTION
added = np.log(10 ** 2)
### END SOLUTION

# %% check="3.3"
check("3.3", added)

# %%
quiet, loud = (features.log_energies(features.mel_energies(
    features.power(gain * frames))) for gain in (1, 10))
moved = loud - quiet
print(f"{(moved > 4.6).mean():.0%} of the cells move by so much,",
      f"others by as little as {moved.min():.2f}")

# %% [markdown]
# Surprised? Before and after the word there is next to nothing that could become louder. And the spotter adds
# 0.0000001 to every energy first, because the logarithm of 0 does not exist. Only what is well above that **floor**
# moves by the whole amount.
#
# The last stage takes the mean of the whole table away. That undoes a part of the loudness; what lies at the floor stays
# behind. Does the model care? Every test clip once more, ten times as loud:
#
# holds: features.FLOOR == 0.0000001 and moved.max() < 4.61
# given: ten times as

# %%
from course_lib import tflite

small = tflite.load("spotter_int8")
heard, shouted = (
    tflite.run(small, features.log_mel(gain * test.waves)).argmax(axis=1)
    for gain in (1, 10))
print(f"other answers: {(heard != shouted).mean():.1%} of {len(test)}")

# %% [markdown]
# Now all stages at once. Move the slider over the clip: the orange frame on top is the orange column at the bottom.
# Where is the hiss of the "s"?

# %%
FrameExplorer(yes[:6], frame=20).show()

# %% [markdown]
# ## Four labels
#
# A spotter spends its life hearing things that are *not* its keywords. So it learns four labels: "yes", "no", silence
# (every noise without a word) and unknown (every other word, "go" and "dough" among them).

# %%
chosen = [test.where(word=word)[0]
          for word in ("yes", "no", "go", "_silence_")]
FeatureGallery([clip.waves[0] for clip in chosen],
               [clip.words[0] for clip in chosen]).show()

# %% [markdown]
# **Predict.** A lazy model answers "unknown" to everything. What share of the test clips does it get right,
# in percent?

# %% predict="3.4"
my_guess = ...

# %%
lazy = (test.labels == dataset.LABELS.index("_unknown_")).mean()
compare("3.4", my_guess, round(100 * lazy))

# %% [markdown]
# Remember that number: an accuracy means nothing until you know what laziness earns.
#
# ## Fourteen thousand weights
#
# The model slides small filters over the table, like an eye over a picture: six layers of them, and one more decides.
# At each place a filter multiplies the numbers under it by its own and adds them up: a **convolution**. What one filter finds
# all over the table is a **channel**, and the next layer looks at all channels. Each layer has a name, and a **kernel**: the
# table of numbers that its filters are made of. Behind each stands a **norm**, which brings every channel to a usual size.

# %%
from course_lib import spotter

model = spotter.build()
for layer in model.layers:
    if layer.weights and "norm" not in layer.name:
        shape = str(layer.weights[0].shape)
        print(f"{layer.name:9} {shape:16} {layer.count_params():6,}")
print(f"all layers, norms included  {model.count_params():6,}")

# %% [markdown]
# ### Exercise 3.5
# Write `kernel_weights(height, width, channels_in, channels_out)`: how many numbers a convolution has to
# learn. (A **bias**, one more number for each filter, it has not: the norm adds one.) Check yourself on the shapes above.

# %% exercise="3.5" points=2
# Exercise 3.5
def kernel_weights(height, width, channels_in, channels_out):
    ### BEGIN SOLUTION
    return height * width * channels_in * channels_out
    ### END SOLUTION

# %% check="3.5"
check("3.5", kernel_weights)

# %% [markdown]
# ## One step, by hand
#
# How does it learn? As in lesson 02, step by step: the model answers a batch of clips, a loss says how wrong that was, and
# the gradient says in which direction each weight would make it worse. So each weight moves the other way, by `rate` times
# its gradient.
#
# ### Exercise 3.9
# Write `step(weight, gradient, rate)`: the weight after one such step. All weights of a layer come at once, as an array.

# %% exercise="3.9" points=1
# Exercise 3.9
def step(weight, gradient, rate):
    ### BEGIN SOLUTION
    return weight - rate * gradient
    ### END SOLUTION

# %% check="3.9"
check("3.9", step)

# %% [markdown]
# Now five steps of a spotter that knows nothing yet, with your function once it is right. TensorFlow's tape notes what is
# computed, and walks back.

# %%
import tensorflow as tf

pupil, some = spotter.build(seed=1), clips[::len(clips) // 128]
heard_as = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

def train_step(inputs, labels, rate=0.1):
    with tf.GradientTape() as tape:
        loss = heard_as(labels, pupil(inputs, training=True))
    weights = pupil.trainable_variables
    slopes = tape.gradient(loss, weights)
    if move := yours("3.9", step, None):
        for weight, slope in zip(weights, slopes):
            weight.assign(move(weight, slope, rate))
    else:  # exercise 3.9 is still open: Keras's own
        tf.keras.optimizers.SGD(rate).apply(slopes, weights)
    return float(loss)

losses = [train_step(features.of(some)[..., None], some.labels)
          for _ in range(5)]
print("the loss fell:", losses[-1] < losses[0])

# %% [markdown]
# Nothing more happens in a training, thousands of times: Adam only chooses each weight's rate by itself. And a layer? It makes
# its weights once, and says what it does with them. Here is the heart of a `follow` layer, written anew.

# %%
class Follow(tf.keras.layers.Layer):
    def build(self, shape):
        channels = shape[-1]
        self.kernel = self.add_weight(shape=(3, 1, channels, channels))

    def call(self, x):
        return tf.nn.conv2d(x, self.kernel, strides=1, padding="SAME")

theirs, layer = pupil.get_layer("follow_1"), Follow()
inner = tf.keras.Model(pupil.input, theirs.input)
x = inner(features.of(some)[..., None])
print(f"{layer(x).shape[-1]} channels, as many as {theirs.name} has")
layer.kernel.assign(theirs.kernel)
print("it computes the same:", np.allclose(layer(x), theirs(x), atol=1e-5))

# %% [markdown]
# ## One word, many lives
#
# Clean clips teach a model to hear clean clips. So every clip is **augmented**: faster, higher,
# in a room, through a cheap microphone, in noise. Listen to one word four times.

# %%
from course_lib.sound import augmentation, effects

word, rng = effects.trimmed(yes.waves[0]), np.random.default_rng(3)
varied = [augmentation.vary(word, rng) for _ in range(4)]
names = ["once", "twice", "thrice", "four times"]
FeatureGallery(varied, names).show()

# %% [markdown]
# ## Train it, now
#
# First, two processes make thousands of varied clips; the clips as they are join them, three times. Then the model sees
# all of them again and again; each time is an **epoch**, and `peak_rate` is the largest rate on the way. The blue curve is measured on voices that it never learns from. To stop early, interrupt
# the cell (■ in the toolbar, or beside the cell): the best epoch is kept.

# %%
from course_lib.views.training import LiveTraining

watch = LiveTraining((features.of(held), held.labels), epochs=9)
watch.show()
varied, meant = augmentation.training_set(clips, 8_000, 0, watch.varying)
sounds = np.concatenate([varied, *3 * [features.of(clips)]])
labels = np.concatenate([meant, *3 * [clips.labels]])
curve = watch.train(model, sounds, labels, peak_rate=4e-3)

# %%
from course_lib.views import training as draw_training

draw_training.curves(curve, "my model")

# %% [markdown]
# The model in `data/models` was made by the same code, from far more varied clips, and then rounded to
# eight bits. How far behind is yours on the voices of the test set?

# %% tags=["nbval-ignore-output"]
from course_lib import measure

mine = measure.report("mine", lambda x: spotter.predict(model, x), test)
shipped = measure.report("shipped", small, test)
gap = shipped.accuracy - mine.accuracy
print(f"mine {mine.accuracy:.1%}, shipped {shipped.accuracy:.1%}:",
      f"{100 * gap:.1f} points between them")

# %%
print("better than the lazy model:", mine.accuracy > lazy)
print("within five points of the shipped one:", gap < 0.05)

# %% [markdown]
# A few hundred clips are a sample. Ask others, and the share changes a little. A **confidence interval** says how far:
# of twenty such intervals, about nineteen hold the true share, for clips like these.

# %%
low, high = shipped.interval
print(f"shipped: {shipped.accuracy:.0%},",
      f"somewhere from {low:.0%} to {high:.0%}")

# %% [markdown]
# Does yours lie inside, too? Then so few clips do not settle which of the two is better.
#
# ## Listen to the mistakes
#
# One number hides *what* is mistaken. In a **confusion matrix** each row is what was said, each column what was heard.
# Press a number to hear the clips behind it. Would you have known better?

# %%
from course_lib.views.confusion import Confusion

Confusion(mine, test).show()

# %% [markdown]
# ### Exercise 3.6
# The **recall** of a label is the share of its clips that were found. Write `recall(confusion, label)` for a matrix
# given as a list of rows; `label` is the number of its row.

# %% exercise="3.6" points=2
# Exercise 3.6
def recall(confusion, label):
    ### BEGIN SOLUTION
    row = confusion[label]
    return row[label] / sum(row)
    ### END SOLUTION

# %% check="3.6"
check("3.6", recall)

# %%
from course_lib.views import confusion as draw_confusion

draw_confusion.recalls([mine, shipped])

# %% [markdown]
# And whose voices are hard? Each row is a voice, the hardest on top. Choose one, and hear what went wrong. Few clips
# make a wide interval: is the last voice really better than the first?

# %%
from course_lib.views.confusion import Voices

Voices(mine, test).show()

# %% [markdown]
# The same, by what made the sound. "noise" is the silence of the test set.

# %%
draw_confusion.groups(mine, test.engines, "which synthesizer is hard?")

# %% [markdown]
# ## When to speak up
#
# The model gives a probability for each label. To be the largest may not be enough: a device acts only when a keyword's
# probability exceeds a **threshold**. Two errors pull in opposite directions. (Labels 2 and 3 are the keywords.)

# %%
surest, said = mine.probabilities[:, 2:].max(axis=1), test.labels >= 2
levels = np.linspace(0, 1, 101)
missed = [(surest[said] <= level).mean() for level in levels]
alarms = [(surest[~said] > level).mean() for level in levels]
draw_confusion.thresholds(levels, missed, alarms)

# %% [markdown]
# Is any level free of both errors? Move the threshold and listen: which would you rather have in your kitchen?

# %%
from course_lib.views.confusion import Threshold

Threshold(mine, test, level=0.5).show()

# %% [markdown]
# ### Exercise 3.7
# A customer accepts a share of `allowed` false alarms. Write `choose(levels, false_alarms, allowed)`: the lowest level
# at which there are no more than that. Both lists have the same length.

# %% exercise="3.7" points=2
# Exercise 3.7
def choose(levels, false_alarms, allowed):
    ### BEGIN SOLUTION
    pairs = zip(levels, false_alarms)
    return min(level for level, share in pairs if share <= allowed)
    ### END SOLUTION

# %% check="3.7"
check("3.7", choose)

# %% [markdown]
# ## Synthetic against real
#
# The bundled speech was said by machines. Do people sound like that? The shipped model was also measured on recordings of
# people that no step of its training heard. Its file of figures tells, for people and for all machine clips that were held
# back, validation and test. Keywords and silence count here; of other words the next question asks.

# %%
import json
from course_lib import session

card = json.loads(session.data_path("models", "measured.json").read_text())
kinds = {"machines": card["held_out"], "people": card["real"]}
kinds = {name: each["int8"] for name, each in kinds.items() if each}
for name, each in kinds.items():
    print(f"{name}: {each['labels']['share']:.1%} of {each['labels']['n']}")

# %%
counts = {name: [(each["recalls"][label]["correct"],
                  each["recalls"][label]["n"]) for label in dataset.LABELS]
          for name, each in kinds.items()}
draw_confusion.shares(dataset.LABELS, counts, "who is understood?")

# %% [markdown]
# Real speech is harder, and hard in its own places. **Predict.** Which of these command words, when *people* say it, is
# least often called unknown: up, down, left, right, on, off, stop, go?

# %% predict="3.8"
my_guess = ...

# %%
words = ("up", "down", "left", "right", "on", "off", "stop", "go")
figures = list(kinds.values())[-1]["words"]
hardest = min(words, key=lambda word: figures[word]["share"])
compare("3.8", my_guess, hardest)

# %%
counts = {name: [(each["words"][word]["correct"], each["words"][word]["n"])
                 for word in words] for name, each in kinds.items()}
draw_confusion.shares(words, counts, "called unknown, as they should be")

# %% [markdown]
# ## Your own voice
#
# Record some clips with your phone, of any length, as .wav, .flac, .ogg or .mp3, into folders named like their words. Here a stereo file at
# 48 kHz stands in for yours.
#
# given: 48

# %%
import soundfile

example = session.workspace("03") / "my_clips"
(example / "yes").mkdir(parents=True)
fast = np.repeat(yes.waves[0], 3)
stereo = np.stack([fast, fast], axis=1)
soundfile.write(example / "yes" / "me_1.wav", stereo, 48_000)

# %% [markdown]
# Every file gets a line that says what was done to it. To hear yourself, put the path of your own folder in the place of
# `example`, in quotes, and run the next two cells again.

# %%
own = dataset.recordings(example)
own

# %%
shares = tflite.run(small, features.of(own.clips))
for word, share in zip(own.clips.words, shares):
    print(f"{word}: heard as {dataset.LABELS[share.argmax()]}")

# %% [markdown]
# ## What you measured
#
# - A second of sound became an eighth as many numbers, and being ten times as loud changed few answers.
# - A network of about fourteen thousand weights learnt two words while you waited.
# - One accuracy hides a matrix, an interval, voices, and a choice between two kinds of error.
# - What machines say prepares for what people say, but is easier than that.
#
# holds: 7.5 < 16_000 / (49 * 40) < 8.5 and (heard != shouted).mean() < 0.05
# holds: 13_500 < model.count_params() < 14_500
# holds: kinds["people"]["labels"]["share"] < kinds["machines"]["labels"]["share"]
#
# **Read on:**
# - [Simple audio recognition](https://www.tensorflow.org/tutorials/audio/simple_audio): another way to such a model, in
#   TensorFlow's own tutorial.
# - [Writing a training loop](https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/): your step, as Keras
#   tells it.
# - [Deep residual learning](https://arxiv.org/abs/1512.03385): why each `follow` layer adds to what it was given.
# - [SpecAugment](https://arxiv.org/abs/1904.08779): why hiding parts of a picture of sound makes a model hear better.
#
# Next: what exactly is written to disk while a model trains?
