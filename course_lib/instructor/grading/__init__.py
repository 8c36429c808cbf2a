"""Many submissions to points: collect, lay in, run in a sandbox, ask for values, judge, report.

The way of one submission: `collection` (files to answers, read by `submission`) → `trial` (answers
in a fresh reference notebook) → `sandbox` (nbval in bubblewrap, within the limits that `watch`
keeps; `inside` asks the kernel for values) → `judge` (points, from plain values, in a process that
runs no student's code) → `reports`. A sandbox sees what `visible` shows, may not do what `seccomp`
refuses, and shares neither user (`turns`) nor memory (`cgroups`); `blame` tells what the machine
ended from what the submission did. `campaign` does it for many: begin there. `results` holds what
passes between them, `course` and `roster` what is graded against; `assignments` is for those who
grade with nbgrader or Otter instead.
"""
