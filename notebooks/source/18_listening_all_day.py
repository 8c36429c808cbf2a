# %% [markdown]
# # Listening all day
#
# **Can a chip listen all day, answer in time, and keep quiet in between?** The spotter hears ten minutes without a cut.
# Then it runs as plain C on an imitated board that counts every instruction. {minutes} minutes.
#
# Afterwards you can
# - set a threshold for a device that listens all day, and smooth its answers;
# - count the multiply-accumulates of a model, and say what they leave out;
# - estimate whether a chip keeps up, from instructions and the figures of its maker.

# %% setup

# %%
import numpy as np

from course_lib.sound import dataset, features
from course_lib import measure, micro, quantize, tflite
from course_lib.views import hearing, listening, listing
from course_lib.views import micro as draw
from course_lib.exercises import (
    check, compare, hint, progress, solution, yours)

model = tflite.load("spotter_int8")

# %% [markdown]
# ## One long sound
#
# So far every clip was cut for you. A device hears one long sound. A **window** is the piece of sound that the model gets
# at a time: the last second, four times a second. It must not answer to every one. Here are ten minutes with 40 words to find, 60 others,
# and noise that comes and goes.
#
# given: 60

# %%
recording = micro.long_recording(dataset.bundled("test"))
scores = micro.slide(model, recording.wave)
print(f"{len(scores.ends):,} answers for {recording.seconds:.0f} seconds")

# %% [markdown]
# **Predict.** On single clips of these voices the model is wrong about four times in a hundred. How many false alarms
# *an hour* (those of ten minutes, times six) does it raise here, with a threshold of 0.7 and nothing else? (It is a
# false alarm unless a keyword has just been said. After each find a second is skipped.)
#
# holds: sum(word.label in dataset.LABELS[2:] for word in recording.words) == 40
# holds: (len(recording.words), round(recording.seconds / 60)) == (40 + 60, 10)
# holds: 0.035 < 1 - measure.report("int8", model, dataset.bundled("test")).accuracy < 0.05

# %% predict="18.1"
my_guess = ...

# %%
plain = listening.outcome(recording, scores, windows=1, threshold=0.7)
compare("18.1", my_guess, round(plain.false_alarms_per_hour))

# %% [markdown]
# Nobody keeps such a device. But an error seldom lasts, and a word does: it fills several windows in
# a row. So take the *mean* of the last few answers.

# %%
from course_lib.views.listening import Detector

Detector(recording, scores).show()

# %% [markdown]
# ### Exercise 18.2
# `smooth(scores, n)` gets a list of numbers. Return a list of the same length: for each number the
# mean of it and the n − 1 before it. At the start there are fewer; take the mean of those. A device
# cannot look ahead.

# %% exercise="18.2" points=2
# Exercise 18.2
def smooth(scores, n):
    ### BEGIN SOLUTION
    means = []
    for end in range(1, len(scores) + 1):
        last = scores[max(0, end - n):end]
        means.append(sum(last) / len(last))
    return means
    ### END SOLUTION

# %% check="18.2"
check("18.2", smooth)

# %%
def ours(numbers, n):
    return micro.smooth(np.array(numbers)[:, np.newaxis], n)[:, 0]

def detected(windows, threshold):
    mean = yours("18.2", smooth, ours)
    shares = [[*mean(row, windows)] for row in scores.shares.T.tolist()]
    found = micro.detect(scores.ends, np.transpose(shares), threshold)
    return micro.judge(found, recording.words, recording.seconds)

two = detected(2, 0.7)
print("without a mean:", listening.sentence(plain))
print("your mean of 2:", listening.sentence(two))
listening.trade(recording, scores)

# %% [markdown]
# Up is more words found, left is fewer false alarms; along a line the threshold rises from right to left. At a
# threshold of 0.7, your mean raises far fewer alarms and loses hardly a word. But so does a higher threshold: 0.9 and no
# mean do even better. And if you allow no alarm, it has to be so high that words are lost: with a long mean, most.
#
# holds: len(listening.outcome(recording, scores, windows=1, threshold=0.9).missed) <= len(two.missed)
# holds: listening.outcome(recording, scores, windows=1, threshold=0.9).false_alarms_per_hour < two.false_alarms_per_hour
# holds: len(two.missed) <= 2 and len(two.false_alarms) < len(plain.false_alarms) / 2

# %% [markdown]
# Now you. Say "yes", "no", and something else.

# %%
from course_lib.views.answer import Speak

spare = dataset.bundled("test").where(label="yes").waves[0]

def hear(rows):
    return tflite.run(model, rows)

Speak(hear, spare, "yes").show()

# %% [markdown]
# ## Without any runtime
#
# Is a chip fast enough for four answers a second? And does it take an interpreter at all? Lesson 17 computes a layer in
# integers. Here are all of them in plain C, generated from the file: it reads the weights out of the model's bytes and
# calls one function a layer.

# %%
c_program = micro.plain_c.generate(model)
text = c_program.files["model.c"]
start = text.index("void model_run")
listing.picture(text[start:], [], "the generated C that runs the layers")

# %% [markdown]
# It was built for a **Cortex-M4**, the core inside the chip of an Arduino Nano 33 BLE (and of its Sense, which has a
# microphone), and run on an imitated board (QEMU), which executes the very instructions and counts them. Sound goes in,
# a word comes out. In Colab, `!apt-get install -y gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm` lets you do
# it yourself; without these tools you see the run that was recorded for you.

# %%
device = micro.on_cortex_m4(model, micro.device_clips().waves)
print(f"{device.compared_bytes} output bytes from {device.clips} clips,",
      f"{device.different_bytes} differ from the reference kernels")
print("features computed in C change", device.other_words, "words")

# %% [markdown]
# **Predict.** Before the network can listen, the sound has to become features: frames, a Fourier
# transform, logarithms. Which takes more instructions, `"features"` or `"network"`?

# %% predict="18.3"
my_guess = ...

# %%
network = device.model_instructions > device.feature_instructions
compare("18.3", my_guess, "network" if network else "features")

# %% [markdown]
# But preparing the sound costs more than most of the layers, and no table of a model's multiplications would have told
# you. Such tables count **multiply-accumulates**, MACs: one for every weight at every place of the output.
#
# holds: sum(count > device.feature_instructions for count in device.instructions) <= 2

# %% [markdown]
# ### Exercise 18.4
# `macs(output, kernel)` gets the shapes of a convolution's output, `(height, width, channels)`, and
# of its kernel, `(height, width, inputs)`. Return the multiply-accumulates.

# %% exercise="18.4" points=2
# Exercise 18.4
def macs(output, kernel):
    ### BEGIN SOLUTION
    height, width, channels = output
    return height * width * channels * kernel[0] * kernel[1] * kernel[2]
    ### END SOLUTION

# %% check="18.4"
check("18.4", macs)

# %%
steps = quantize.read(model)
sizes = [(steps.values[each.outputs[0]].shape[1:],
          steps.values[each.inputs[1]].shape[1:])
         for each in steps.operations if each.kind == "CONV_2D"]
print("output and kernel of the first convolution:", *sizes[0])
if counted := yours("18.4", macs, None):
    by_you = sum(counted(*shapes) for shapes in sizes)
    print(f"all convolutions, by your count: {by_you:,}")
print(f"the whole model: {device.macs:,}")
draw.layers(device)

# %% [markdown]
# The few that convolutions leave over belong to `decide`, the last layer with weights. Is a multiplication always equally
# dear? Not here: the first layer has a single input channel, and the loops around its multiplications cost more than
# these do. And how much of the chip does all this take?
#
# holds: [layer.label for layer in device.layers if layer.macs and layer.kind != "CONV_2D"] == ["decide"]
# holds: device.instructions[0] / device.layers[0].macs > 1.5 * device.instructions[1] / device.layers[1].macs

# %%
draw.parts(device)

# %% [markdown]
# Of the memory, most is one second of sound and its features: the network itself is content with
# the 10,000 bytes of its fullest step, as lesson 08 works out.
#
# holds: device.memory_bytes == 10_000

# %% [markdown]
# ## The same C, in this page
#
# A browser is one more machine without an interpreter. Here the same C is **WebAssembly**, the portable machine code of
# browsers, and the page shows the byte behind each share. First the kernels' bytes for three words; then press them.

# %%
words = ["yes", "no", "happy"]
clips = dataset.bundled("test")
chosen = clips[[clips.words.index(word) for word in words]]
kernels = quantize.run_integer(model, features.of(chosen)).output
for word, stored in zip(words, kernels.tolist(), strict=True):
    print(f"{word:6}", stored)

# %%
waves = dict(zip(words, chosen.waves, strict=True))
page = hearing.page(model, waves, shows_bytes=True)
page

# %% [markdown]
# Nothing was sent anywhere: `page.save("spotter.html")` is one file, and works with the network off. If a board lies on
# your desk, with the sketch of the workbook's docs/board.md, ask it as well:

# %%
from course_lib.micro import board

print(board.report(model, chosen.waves))

# %% [markdown]
# ## What it would cost
#
# Nothing here was measured on a chip: instructions were counted on an imitated one. With the clock and the current
# that the makers publish, they become an estimate. Assume that an instruction takes one to two ticks of the clock.

# %%
total = device.model_instructions + device.feature_instructions
estimates = [micro.estimate(chip, total, device.flash_bytes,
                            device.ram_bytes) for chip in micro.CHIPS]
draw.chips(estimates)

# %% [markdown]
# ### Exercise 18.5
# Does the chip keep up? `busy(instructions, cycles_each, megahertz, answers)` returns the share of each second that it
# works, if it gives so many answers a second and each takes so many instructions. More than 1 means that it falls
# behind.

# %% exercise="18.5" points=1
# Exercise 18.5
def busy(instructions, cycles_each, megahertz, answers):
    ### BEGIN SOLUTION
    cycles = answers * instructions * cycles_each
    return cycles / (megahertz * 1e6)
    ### END SOLUTION

# %% check="18.5"
check("18.5", busy)

# %%
for each in estimates:
    low, high = (1000 * seconds for seconds in each.seconds)
    print(f"{each.chip.name}: fits {each.fits}, {low:.0f} to {high:.0f} ms,",
          f"busy for {each.busy_share:.0%} of the time at most")

# %% [markdown]
# Fitting is easy. But four windows a second leave 250 ms for each: who needs more falls behind, and where 250 lies
# between the two ends, only the board itself can tell. There are two ways out. Every row of a window's features comes
# from a frame, a short piece of sound: let the window move by twelve frames, 240 ms, and 37 of its 49 are those of
# the window before, but for the means that are taken away. And take kernels written for this core (CMSIS-NN), which
# do two multiplications in one instruction.
#
# holds: 1000 * 12 * features.HOP == 240 * 16_000 and features.FRAMES == 49 == 12 + 37
#
# holds: all(each.fits for each in estimates) and 1000 / 4 == 250
# holds: any(each.seconds[0] < 0.25 < each.seconds[1] for each in estimates)

# %% [markdown]
# ## What you measured

# %%
print("false alarms an hour, without and with a mean of two:",
      f"{plain.false_alarms_per_hour:.0f}, {two.false_alarms_per_hour:.0f}")
print("bytes of the C program that differ:", device.different_bytes)
print(f"{device.macs:,} multiply-accumulates for one answer")
print("chips on which it fits:", sum(each.fits for each in estimates))
progress("18")

# %% [markdown]
# **Read on:**
# - [CMSIS-NN](https://arxiv.org/abs/1801.06601): kernels written for this core.
# - [MLPerf Tiny](https://arxiv.org/abs/2106.07597): how such models and chips are compared.
# - [Coucke and others](https://arxiv.org/abs/1811.07684): a spotter for one phrase, judged by what it misses at so many
#   false alarms an hour.
