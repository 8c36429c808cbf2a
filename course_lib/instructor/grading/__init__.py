"""Many submissions to points: collect, lay in, run in a sandbox, ask for values, judge, report.

The way of one submission: `collection` (files from `archives` to programs: `platforms`, else
`folders`, tell whose they are; `submission` reads, `roles` tells what a cell is, `programs`
arranges, `scopes` knows names) → `trial` (what runs of it) → `sandbox` (nbval in bubblewrap, within
the limits that `watch` keeps; `inside` asks the kernel for values) → `judge` (points, from plain
values, in a process that runs no student's code) → `reports` and `pages`. `campaign` does it for
many: begin there. A sandbox sees what `visible` shows, may not do what `seccomp` refuses, and
shares neither user (`turns`) nor memory (`cgroups`); `blame` tells what the machine ended from what
the submission did; `bounded` limits what reading and judging take. `results` holds what passes
between them, `course` and `roster` what is graded against. `marks` (in a `sheet`) brings points
back to Moodle and Canvas; `autograders` builds what grades at Gradescope (`container`) and at
GitHub (`summaries`); `assignments` is for those who grade with nbgrader or Otter instead.
"""
