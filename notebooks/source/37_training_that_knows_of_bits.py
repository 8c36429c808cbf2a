# %% [markdown]
# # Training that knows of its bits
#
# **Can a network learn to live with the grid that it will be stored on?** You round the spotter until it breaks, find
# out why it cannot learn from that, and teach it with a gradient that lies. {minutes} minutes.
#
# Afterwards you can
# - say why rounding leaves a training without a gradient, and what is put in its place;
# - train for a grid in plain Keras, with a class of a dozen lines;
# - prove that a `.tflite` holds exactly the weights that were trained.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib.graph import freezing
from course_lib import measure, quantize, session, spotter, tflite
from course_lib.experiments import folded
from course_lib.views import training as draw
from course_lib.views.quantization import Histogram
from course_lib.views.training import LiveTraining
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

tf = session.import_tensorflow()

# %% [markdown]
# ## Fewer and fewer bits
#
# Lesson 07 rounded the spotter's weights to eight bits, and it heard as well as before. How few would do? Go down with
# the slider. As the converter does, we first fold each norm into the kernel before it: these numbers a file holds.

# %%
shipped = folded.without_norms(spotter.load())
convolutions = [layer for layer in shipped.layers
                if isinstance(layer, tf.keras.layers.Conv2D)]
kernels = {layer.name: layer.kernel.numpy().transpose(3, 0, 1, 2)
           for layer in convolutions}
Histogram(kernels, "merge", bits=3).show()

# %% [markdown]
# **Predict.** All six convolutions go to 8, 5, 4, 3 and 2 bits, with one scale a tensor. Which is the first number of
# bits that costs more than 10 points of accuracy?

# %% predict="37.1"
my_guess = ...

# %%
train, held, unseen = (dataset.bundled(split)
                       for split in ("train", "validation", "test"))

def accuracy(model, clips=unseen):
    logits = model(features.of(clips)[..., None]).numpy()
    return 100 * (logits.argmax(axis=1) == clips.labels).mean()

in_floats, rounded = accuracy(shipped), {}
for bits in (8, 5, 4, 3, 2):
    for layer in convolutions:
        grid = quantize.symmetric(abs(kernels[layer.name]).max(), bits)
        near = grid.round_trip(kernels[layer.name])
        layer.kernel.assign(near.transpose(1, 2, 3, 0))
    rounded[bits] = accuracy(shipped)
for layer in convolutions:  # the floats again
    layer.kernel.assign(kernels[layer.name].transpose(1, 2, 3, 0))
lost = {bits: in_floats - after for bits, after in rounded.items()}
compare("37.1", my_guess, next(b for b in lost if lost[b] > 10))

# %% [markdown]
# Eight bits are free, four cost a few points, and three cost more than twenty. Is that what three bits cost,
# or what *rounding* to three bits costs?
#
# holds: 25 < lost[3] < 40 and lost[8] <= 1 and 2 < lost[4] < 10
#
# ## Stairs have no slope
#
# Let it learn, then, with rounded weights: take the gradient of the loss, and move. But what does TensorFlow's tape say
# of `round`?

# %%
weight = tf.Variable([0.3, 1.2])
with tf.GradientTape() as tape:
    whole = tf.round(weight)
print("the gradient of round:", tape.gradient(whole, weight))

# %% [markdown]
# Not even a zero: `None`, nothing leads back through here. Mathematics says 0: a staircase is flat nearly everywhere.
#
# ### Exercise 37.2
# Write `room(weight, scale)`: how far a weight can move, towards the nearer edge, before its integer changes.

# %% exercise="37.2" points=1
# Exercise 37.2
def room(weight, scale):
    ### BEGIN SOLUTION
    steps = weight / scale
    used = abs(steps - round(steps))
    return scale * (0.5 - used)
    ### END SOLUTION

# %% check="37.2"
check("37.2", room)

# %% [markdown]
# One step of Adam moves each weight by about its rate, here 0.002. How many weights of a layer would notice, on a
# grid of three bits?

# %%
numbers = kernels["merge"].ravel().tolist()
scale = float(quantize.symmetric(max(map(abs, numbers)), 3).scale)
ours = yours("37.2", room, None)
if ours:
    stuck = np.mean([ours(each, scale) > 0.002 for each in numbers])
    print("more than 9 of 10 stay where they are:", stuck > 0.9)

# %% [markdown]
# Hardly any. One step hardly shows in the loss, and a derivative asks for even smaller ones.
#
# ## A lie that points the right way
#
# So keep two copies. A float weight remembers all small steps; the layer computes with its copy on the grid. That is
# **fake quantization**: floats all the way, but only numbers that a file can hold. Training with it is
# **quantization-aware training**.
#
# ### Exercise 37.3
# Write `fake_quantize(weights, scale, top)` for arrays: to the nearest integer, saturated at −`top` and `top`, and back
# to the number that it stands for.

# %% exercise="37.3" points=2
# Exercise 37.3
def fake_quantize(weights, scale, top):
    ### BEGIN SOLUTION
    whole_steps = np.round(weights / scale)
    saturated = np.clip(whole_steps, -top, top)
    return scale * saturated
    ### END SOLUTION

# %% check="37.3"
check("37.3", fake_quantize)

# %% [markdown]
# And the way back? The **straight-through estimator** treats `round` as if it were not there: the gradient
# passes as it is. Only beyond the last level does nothing pass.
#
# ### Exercise 37.4
# Write `passed(gradient, weights, scale, top)`: what arrives at the float weights when `gradient` arrives at their
# copies on the grid.

# %% exercise="37.4" points=2
# Exercise 37.4
def passed(gradient, weights, scale, top):
    ### BEGIN SOLUTION
    last_level = scale * top
    reaches = np.abs(weights) <= last_level
    return gradient * reaches
    ### END SOLUTION

# %% check="37.4"
check("37.4", passed)

# %% [markdown]
# For TensorFlow both are a few lines. A function with a `custom_gradient` returns its value, and a function for the way
# back.

# %%
@tf.custom_gradient
def lie(x):
    return tf.round(x), lambda gradient: gradient

@tf.custom_gradient
def truth(x):
    return tf.round(x), lambda gradient: tf.zeros_like(gradient)

class Rounded(tf.keras.layers.Conv2D):
    scale, top, rounding = 1.0, 127, staticmethod(lie)

    def on_grid(self):
        steps = self.kernel / self.scale
        inside = tf.clip_by_value(steps, -self.top, self.top)
        return self.scale * self.rounding(inside)

    def call(self, inputs):
        kernel = self.on_grid()
        return self.convolution_op(inputs, kernel) + self.bias

# %%
def pupil(bits, rounding):
    model = folded.without_norms(spotter.load(), Rounded)
    for layer in model.layers:
        if isinstance(layer, Rounded):
            largest = abs(kernels[layer.name]).max()
            layer.scale = quantize.symmetric(largest, bits).scale
            layer.top, layer.rounding = 2 ** (bits - 1) - 1, rounding
    return model

three = pupil(3, lie)
print("it begins where rounding ended:",
      abs(accuracy(three) - rounded[3]) < 1)

# %% [markdown]
# Do your two functions say the same of a layer as TensorFlow does?

# %%
layer = three.get_layer("merge")
with tf.GradientTape() as tape:
    total = tf.reduce_sum(layer.on_grid() ** 2)
arrived = tape.gradient(total, layer.kernel).numpy().reshape(-1, 28)
floats, grid = layer.kernel.numpy().reshape(-1, 28), (layer.scale, layer.top)
forth = yours("37.3", fake_quantize, None)
way_back = yours("37.4", passed, None)
if forth and way_back:
    copies = np.array(forth(floats, *grid))
    sent = way_back(2 * copies, floats, *grid)
    print("forth:", np.allclose(copies, np.reshape(layer.on_grid(), (-1, 28))))
    print("back:", np.isclose(sent, arrived, atol=1e-5).mean() > 0.99)

# %% [markdown]
# ## Truth or lie
#
# First the honest training: three bits, true slopes. The six rounded kernels get zeros; the biases and the last
# layer, which nobody rounds here, get real gradients.
#
# **Predict.** How many points of accuracy come back, to the nearest ten?

# %% predict="37.5"
my_guess = ...

# %%
sounds, rows = features.of(train), features.of(held)

def taught(model, epochs):
    tf.keras.utils.set_random_seed(37)
    start = accuracy(model, held) / 100
    watch = LiveTraining((rows, held.labels), epochs)
    watch.show()
    curve = watch.train(model, sounds, train.labels, peak_rate=2e-3)
    curve.accuracies.insert(0, (0, start))
    return curve

honest = pupil(3, truth)
curves = {"3 bits, truth": taught(honest, 4)}
gained = accuracy(honest) - rounded[3]
compare("37.5", my_guess, abs(10 * round(gained / 10)))

# %% [markdown]
# All that biases and a last layer could do was next to nothing. Now the lie, for three bits and for four.
#
# holds: gained < 10

# %%
curves["3 bits, lie"] = taught(three, 6)

# %%
four = pupil(4, lie)
curves["4 bits, lie"] = taught(four, 4)
draw.compared(curves)

# %%
print("3 bits, 20 points back or more:",
      accuracy(three) - rounded[3] >= 20)
print("4 bits, within 2 points of the floats:",
      accuracy(four) >= in_floats - 2)

# %% [markdown]
# It was mostly the rounding, then, and not the bits. A false gradient finds what the true one cannot: it is wrong
# about one step and right about many. The float copies add them up.

# %% [markdown]
# ## The file says the same
#
# For a real file, the copies on the grid go into a plain model,
# the converter makes int8 of it, and `on_grids` writes the trained integers.

# %%
def plain(model):
    copy = folded.without_norms(spotter.load())
    for layer in copy.layers:
        source = model.get_layer(layer.name)
        if layer.weights:
            layer.set_weights(source.get_weights())
        if isinstance(source, Rounded):
            layer.kernel.assign(source.on_grid())
    return copy

def files(model):
    frozen = freezing.frozen(plain(model))
    exact = tflite.convert(frozen)
    int8 = tflite.convert(frozen, "int8", sounds)
    grids = {layer.name: quantize.Affine(layer.scale, 0, -layer.top, layer.top)
             for layer in model.layers if isinstance(layer, Rounded)}
    return {"int8": quantize.on_grids(int8, exact, grids, packed=False),
            "int4": quantize.on_grids(int8, exact, grids)}

# %% [markdown]
# In `int8` each of these integers has a byte to itself; in `int4` two share it.
#
# **Predict.** How large is the `int4` file, in percent of the `int8` file, to the nearest five?

# %% predict="37.6"
my_guess = ...

# %%
made = {"3 bits": files(three), "4 bits": files(four)}
share = 100 * len(made["4 bits"]["int4"]) / len(made["4 bits"]["int8"])
compare("37.6", my_guess, 5 * round(share / 5))

# %% [markdown]
# Not half of it: scales, names, structure and biases stay. Read the weights back from the bytes: are
# they, bit for bit, what the training computed with? (Adding 0.0 makes 0.0 of −0.0, which floats know and integers
# do not.)
#
# holds: share > 55

# %%
def equal(file, model):
    plan = quantize.read(file)
    for layer in model.layers:
        if isinstance(layer, Rounded):
            found = plan.weights(plan.named(layer.name))
            stored = found.grid.dequantize(found.stored)
            trained = layer.on_grid().numpy().transpose(3, 0, 1, 2)
            yield stored.tobytes() == (trained + 0.0).tobytes()

for bits, model in (("3 bits", three), ("4 bits", four)):
    for kind, file in made[bits].items():
        same = list(equal(file, model))
        print(f"{bits}, {kind}: {sum(same)} of {len(same)} layers equal")

# %% [markdown]
# Only the last layer was left to the converter. Does LiteRT hear what Keras heard?

# %%
reports = {f"{bits}, {kind}": measure.report(kind, file, unseen)
           for bits, pair in made.items() for kind, file in pair.items()}
for bits, model in (("3 bits", three), ("4 bits", four)):
    one, other = reports[f"{bits}, int8"], reports[f"{bits}, int4"]
    same = (one.probabilities == other.probabilities).all()
    print(f"{bits}: int8 and int4 give the same bits:", same)
    near = abs(100 * other.accuracy - accuracy(model)) < 2
    print(f"{bits}: within 2 points of Keras:", near)

# %% [markdown]
# The smaller file only has to unpack its weights. What flows between the layers was rounded to eight bits only now, and
# nobody had trained for that: eight bits are so fine that it hardly matters.

# %% [markdown]
# ## What you measured

# %%
print("8 bits, merely rounded, lose at most 1 point:", lost[8] <= 1)
print("3 bits, trained, get 20 back or more:",
      accuracy(three) - rounded[3] >= 20)
print("with the true slope, 10 or more:", gained >= 10)
progress("37")

# %% [markdown]
# **Read on:**
# - [Bengio and others](https://arxiv.org/abs/1308.3432): gradients for neurons that have none, the straight-through
#   estimator among them.
# - [Esser and others](https://arxiv.org/abs/1902.08153): the scales learn, too, and three bits do for much larger
#   networks.
# - [tf.custom_gradient](https://www.tensorflow.org/api_docs/python/tf/custom_gradient): all that a gradient of your own
#   may do.
# - [Training for a grid with TensorFlow's own tool](https://www.tensorflow.org/model_optimization/guide/quantization/training_example):
#   the same in a package, for an older Keras.
