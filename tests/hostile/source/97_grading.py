# %% [markdown]
# # A lesson for the grader
#
# What does a grader have to survive? {minutes} minutes.

# %% setup

# %%
import numpy

from course_lib.exercises import check

table = numpy.arange(6).reshape(2, 3)

# %% [markdown]
# A cell that no answer needs, and that would take long.

# %%
import time

time.sleep(0)
print("course")

# %% [markdown]
# ### Exercise 97.1
# How many cells has `table`?

# %% exercise="97.1" points=1
# Exercise 97.1
### BEGIN SOLUTION
cells = table.size
### END SOLUTION

# %% check="97.1"
check("97.1", cells)

# %% [markdown]
# ### Exercise 97.2
# Write `double(x)`.

# %% exercise="97.2" points=2
# Exercise 97.2
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="97.2"
check("97.2", double)

# %% [markdown]
# ### Exercise 97.3
# Which file is complete?

# %% exercise="97.3" points=1
# Exercise 97.3
### BEGIN SOLUTION
complete = "frozen"
### END SOLUTION

# %% check="97.3"
check("97.3", complete)

# %% [markdown]
# ### Exercise 97.4
# Write `totals(array)`: the sum of every row.

# %% exercise="97.4" points=3
# Exercise 97.4
def totals(array):
    ### BEGIN SOLUTION
    return array.sum(axis=1)
    ### END SOLUTION

# %% check="97.4"
check("97.4", totals)

# %% [markdown]
# ### Exercise 97.5
# In which order do the steps run?

# %% exercise="97.5" points=1
# Exercise 97.5
### BEGIN SOLUTION
order = ["add", "divide"]
### END SOLUTION

# %% check="97.5"
check("97.5", order)

# %% [markdown]
# ## What you measured
