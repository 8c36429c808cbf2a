"""What an instructor does: write lessons, and grade what students hand in.

`authoring` builds both editions of each lesson from its source, `grading` turns submissions into
points and reports. They may use every room but `cli`, which is their door; no lesson imports them,
and a sandbox sees nothing of them but `grading/inside`. Begin reading with either one's face.
"""
