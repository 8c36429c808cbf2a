"""What a lesson's source may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from course_lib.instructor.authoring import SourceError, read


def test_a_change_in_one_cell_leaves_the_ids_of_others(sample: Path) -> None:
    before = [cell.id for cell in read(sample).cells]
    sample.write_text(sample.read_text().replace('print("one")\n', ""))
    after = [cell.id for cell in read(sample).cells]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# %% setup\n", "", "exactly one '# %% setup'"),
        ("40 minutes", "quick", "how many minutes"),
        ("What is inside a file?", "A file.", "question"),
        ("# Exercise 6.2\n", "", "first line must begin with"),
        ('check="6.2"', 'check="6.3"', "lacks its"),
        ("    ### END SOLUTION\n", "", "marker lacks its other half"),
        ("# # A sample", "# ## A sample", "start with '# Title'"),
        ('slide="skip"', 'slide="nowhere"', "slide='nowhere'"),
        ("points=2", "worth=2", "unknown option 'worth'"),
    ],
)
def test_broken_sources_are_refused_in_a_sentence(
    sample: Path, old: str, new: str, said: str
) -> None:
    text = sample.read_text()
    assert old in text
    sample.write_text(text.replace(old, new))
    with pytest.raises(SourceError, match=said.replace("(", r"\(")) as caught:
        read(sample)
    assert "06_sample" in str(caught.value)
