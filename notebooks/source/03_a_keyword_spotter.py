# %% [markdown]
# # A keyword spotter
#
# **How does a model learn to hear "yes"?** {minutes} minutes.
#
# You will be able to
# - say what becomes of a sound before a model gets it,
# - train a small network here, and read what it mistakes for what,
# - count its weights by hand, and do one step of its training yourself.

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
# To a computer this word is a list of 16,000 numbers a second: how far the membrane of a microphone was pushed.

# %%
yes = test.where(label="yes")
yes.play()

# %% [markdown]
# ## From a sound to a table
#
# A network could read these numbers as they are. But say the same word a little later, or louder, and nearly every
# number is another one. **Features** keep what matters for hearing, and drop the rest: a table of 49 by 40.
#
# A spoken sound holds still for some hundredths of a second. So the clip is cut into **frames** of 480 samples, 30 ms
# each. They overlap: a new one starts every 320 samples. The **Fourier transform** tells how much of every frequency
# a frame holds, its **spectrum**. Forty bands add that up, as coarsely as ears do, and the logarithm of each, less
# the mean of the whole table and divided by 3, is one of its numbers. (Lesson 13 stops at each stage.)
#
# given: 480, 30, 320, 49 by 40
#
# Move the slider over the clip: the orange frame on top becomes the orange column at the bottom. Where is the hiss of
# the "s"?

# %%
from course_lib.views.features import FeatureGallery, FrameExplorer

FrameExplorer(yes[:6], frame=20).show()

# %% [markdown]
# ## Four labels
#
# A spotter mostly hears what is *not* its keywords. So it learns four labels: "yes", "no", silence (every noise
# without a word) and unknown (every other word, "go" and "dough" among them).

# %%
chosen = [test.where(word=word)[0]
          for word in ("yes", "no", "go", "_silence_")]
FeatureGallery([clip.waves[0] for clip in chosen],
               [clip.words[0] for clip in chosen]).show()

# %% [markdown]
# **Predict.** A lazy model answers "unknown" to everything. What share of the test clips does it get right,
# in percent?

# %% predict="3.1"
my_guess = ...

# %%
from course_lib.exercises import check, compare, hint, solution, yours

lazy = (test.labels == dataset.LABELS.index("_unknown_")).mean()
compare("3.1", my_guess, round(100 * lazy))

# %% [markdown]
# Remember it: an accuracy means nothing until you know what laziness earns.
#
# ## One word, many lives
#
# Clean clips teach a model to hear clean clips. So clips are **augmented**: faster, higher,
# in a room, through a cheap microphone, in noise. Listen to one word four times.

# %%
import numpy as np
from course_lib.sound import augmentation, effects, features

word, rng = effects.trimmed(yes.waves[0]), np.random.default_rng(3)
varied = [augmentation.vary(word, rng) for _ in range(4)]
FeatureGallery(varied, ["once", "twice", "thrice", "four times"]).show()

# %% [markdown]
# ## Train it, now
#
# First, two processes make thousands of varied clips; the clips as they are join them, twice. Then a network of
# fourteen thousand weights, which mean nothing yet, sees all of them again and again; each time is an **epoch**, and
# `peak_rate` is the largest rate on the way. The blue curve is measured on voices that it never learns from. To stop
# early, interrupt the cell (■): the best epoch is kept.
#
# given: twice

# %%
from course_lib import spotter
from course_lib.views import training as draw_training
from course_lib.views.training import LiveTraining

model = spotter.build()
watch = LiveTraining((features.of(held), held.labels), epochs=8)
watch.show()
varied, meant = augmentation.training_set(clips, 5_000, 0, watch.varying)
sounds = np.concatenate([varied, *2 * [features.of(clips)]])
labels = np.concatenate([meant, *2 * [clips.labels]])
curve = watch.train(model, sounds, labels, peak_rate=5e-3)
draw_training.curves(curve, "my model")

# %% [markdown]
# The model in `data/models` was made by the same code, with other settings and far more varied clips, and then
# rounded to eight bits. How far behind is yours on the voices of the test set?

# %% tags=["nbval-ignore-output"]
from course_lib import measure, tflite

small = tflite.load("spotter_int8")
mine = measure.report("mine", lambda x: spotter.predict(model, x), test)
shipped = measure.report("shipped", small, test)
gap = shipped.accuracy - mine.accuracy
print(f"mine {mine.accuracy:.1%}, shipped {shipped.accuracy:.1%}:",
      f"{100 * gap:.1f} points between them")

# %% [markdown]
# Other clips give a slightly other share. A **confidence interval** says how far: of twenty such intervals, about
# nineteen hold the true share, for clips like these.

# %%
print("better than the lazy model:", mine.accuracy > lazy)
print("within five points of the shipped one:", gap < 0.05)
low, high = shipped.interval
print(f"shipped: {shipped.accuracy:.0%},",
      f"somewhere from {low:.0%} to {high:.0%}")

# %% [markdown]
# Does yours lie inside, too? Then the interval does not settle which of the two is better.
#
# ## Listen to the mistakes
#
# One number hides *what* is mistaken. In a **confusion matrix** each row is what was said, each column what was
# heard. Press a number to hear the clips behind it.

# %%
from course_lib.views.confusion import Confusion

Confusion(mine, test).show()

# %% [markdown]
# ### Exercise 3.2
# The **recall** of a label is the share of its clips that were found, from 0 to 1. Write `recall(confusion, label)`
# for a matrix given as a list of rows; `label` is the number of its row.

# %% exercise="3.2" points=2
# Exercise 3.2
def recall(confusion, label):
    ### BEGIN SOLUTION
    row = confusion[label]
    return row[label] / sum(row)
    ### END SOLUTION

# %% check="3.2"
check("3.2", recall)

# %%
from course_lib.views import confusion as draw_confusion

if found := yours("3.2", recall, None):
    of_yes = found(mine.confusion.tolist(), 2)
    print("more than half of the yes:", of_yes > 0.5)
draw_confusion.recalls([mine, shipped])

# %% [markdown]
# A device need not act on every answer. It acts only where the probability of a keyword exceeds a **threshold**: a high
# one misses words, a low one gives false alarms. (Lesson 13 lets you hear both, and choose.)
#
# ## Fourteen thousand weights
#
# What is it that learns? The model slides small filters over the table, like an eye over a picture: six layers of them,
# and one more decides. At each place a filter multiplies the numbers under it by its own and adds them up: a
# **convolution**. What one filter finds all over the table is a **channel**, and the next layer looks at all channels.
# Each layer has a name, and a **kernel**: the table of numbers that its filters are made of. Behind each
# but the last stands a **norm**, which brings every channel to a usual size.

# %%
for layer in model.layers:
    if layer.weights and "norm" not in layer.name:
        shape = str(layer.weights[0].shape)
        print(f"{layer.name:9} {shape:16} {layer.count_params():6,}")
print(f"all layers, norms included  {model.count_params():6,}")

# %% [markdown]
# ### Exercise 3.3
# Write `kernel_weights(height, width, channels_in, channels_out)`: how many numbers a convolution has to learn. (Only
# `decide` has a **bias**, too, one more number for each channel that goes out; elsewhere the norm replaces it.) Try it
# on the six kernels above.

# %% exercise="3.3" points=2
# Exercise 3.3
def kernel_weights(height, width, channels_in, channels_out):
    ### BEGIN SOLUTION
    return height * width * channels_in * channels_out
    ### END SOLUTION

# %% check="3.3"
check("3.3", kernel_weights)

# %% [markdown]
# ## One step, by hand
#
# They learn as in lesson 02: the model answers a batch of clips, a loss says how wrong that was,
# and the gradient says in which direction each weight would make it worse. So each weight moves the other way, by `rate`
# times its gradient.
#
# ### Exercise 3.4
# Write `step(weight, gradient, rate)`: the weight after one such step. All weights of a layer come at once, as an array.

# %% exercise="3.4" points=1
# Exercise 3.4
def step(weight, gradient, rate):
    ### BEGIN SOLUTION
    return weight - rate * gradient
    ### END SOLUTION

# %% check="3.4"
check("3.4", step)

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
    if move := yours("3.4", step, None):
        for weight, slope in zip(weights, slopes):
            weight.assign(move(weight.numpy(), slope.numpy(), rate))
    else:  # exercise 3.4 is still open: Keras's own
        tf.keras.optimizers.SGD(rate).apply(slopes, weights)
    return float(loss)

losses = [train_step(features.of(some)[..., None], some.labels)
          for _ in range(5)]
print("the loss fell:", losses[-1] < losses[0])

# %% [markdown]
# Your training did this some six hundred times, by a cleverer rule: Adam averages over the last gradients and gives each
# weight a rate of its own. A layer makes its weights once, and says what it does with them. Here is the heart of
# a `follow` layer, written anew.
#
# holds: 550 < 8 * (len(sounds) // spotter.BATCH) < 650

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
# ## Your own voice
#
# Record some clips with your phone, of any length, as .wav, .flac, .ogg or .mp3 (convert an .m4a), into folders named
# like their words.
# Here a stereo file at 48 kHz stands in for yours.
#
# given: 48

# %%
import soundfile
from course_lib import session

example = session.workspace("03") / "my_clips"
(example / "yes").mkdir(parents=True)
stereo = np.repeat(yes.waves[0], 3)[:, None].repeat(2, axis=1)
soundfile.write(example / "yes" / "me_1.wav", stereo, 48_000)

# %% [markdown]
# Every file gets a line that says what was done to it. To hear yourself, put the path of your own folder in the place of
# `example`, in quotes, and run the next cell again.

# %%
own = dataset.recordings(example)
shares = tflite.run(small, features.of(own.clips))
for word, share in zip(own.clips.words, shares):
    print(f"{word}: heard as {dataset.LABELS[share.argmax()]}")
own

# %% [markdown]
# ## What you measured
#
# - A second of sound became an eighth as many numbers before a model got it.
# - A network of about fourteen thousand weights learnt two words while you waited.
# - An accuracy has an interval, hides a matrix, and says little until you know what laziness earns.
# - A training is one small step, repeated: against the gradient, at a rate.
#
# holds: 7.5 < 16_000 / (49 * 40) < 8.5
# holds: 13_500 < model.count_params() < 14_500
#
# **Read on:**
# - [Simple audio recognition](https://www.tensorflow.org/tutorials/audio/simple_audio): another way to such a model, in
#   TensorFlow's own tutorial.
# - [Writing a training loop](https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/): your step, as Keras
#   tells it.
# - [Deep residual learning](https://arxiv.org/abs/1512.03385): why what a `follow` layer finds is added to
#   what it was given.
#
# What exactly is written to disk while a model trains?
