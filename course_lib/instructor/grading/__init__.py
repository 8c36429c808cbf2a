"""Many submissions to points: collect, lay in, run in a sandbox, ask for values, judge, report.

The way of one submission: `collect` (files to answers) → `assemble` (a fresh reference notebook)
→ `sandbox` (nbval in bubblewrap; `inside` asks the kernel for values) → `judge` (points, from plain
values, in a process that runs no student's code) → `reports`, `pages`. `campaign` does it for many.
"""
