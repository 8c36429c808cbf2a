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
        ("{minutes}", "40", "which are computed"),
        ("What is inside a file?", "A file.", "question"),
        ("# Exercise 6.2\n", "", "first line must begin with"),
        ('check="6.2"', 'check="6.3"', "lacks its"),
        ('predict="6.1"', 'predict="6.2"', "exercise or prediction 6.2 occurs twice"),
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


def test_minutes_are_those_of_what_there_is_to_read_and_do(sample: Path) -> None:
    """By hand: six cells at 0.4, a prediction at 0.8, two points at 6, and lines at a twelfth."""
    text = sample.read_text()
    words = sum(len(cell.text.split()) for cell in read(sample).cells if cell.kind == "markdown")
    lines, cells = 2 + 1 + 1 + 3 + 3 + 1, 7
    assert (words, read(sample).minutes) == (20, 10)
    assert 5 < 0.8 * (words / 170 + lines / 12 + 6 + 0.8 + cells * 0.4) < 10
    sample.write_text(text.replace("Some prose.", "word " * 850))
    assert read(sample).minutes == 15
    sample.write_text(text.replace('print("two")', "\n".join(["views.show()"] * 60)))
    assert read(sample).minutes == 15
