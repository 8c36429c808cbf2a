"""Words in bold are collected with the sentence that explains them, and used no sooner."""

from __future__ import annotations

from pathlib import Path

import pytest

from course_lib.instructor.authoring import build, glossary, lessons, read


@pytest.mark.parametrize(
    "prose, found",
    [
        ("A **tensor** is an array. Not more.", {"tensor": "A **tensor** is an array."}),
        ("First.\n- **b** is; `x**2 + y**2` is none", {"b": "**b** is; `x**2 + y**2` is none"}),
        ("**Predict.** What comes? **Decide:** now.", {}),
        ("### Heading 1.2\nIt is **e**. (Two.) Not.", {"e": "It is **e**."}),
        ("**Predict.** A **g** comes.", {"g": "A **g** comes."}),
        ("`2**b` and **c**\nover two lines.", {"c": "`2**b` and **c** over two lines."}),
        ("```\n**d** in code\n```", {}),
    ],
)
def test_words_are_found_with_their_sentences(sample: Path, prose: str, found: dict) -> None:
    text = sample.read_text()
    commented = "\n".join(f"# {line}" for line in prose.split("\n"))
    sample.write_text(text.replace("# Some prose.", commented))
    assert {each.word: each.sentence for each in glossary.words([read(sample)])} == found


def test_a_word_that_is_used_too_soon_is_named(sample: Path) -> None:
    text = sample.read_text()
    late = text.replace("What you measured", "What\n#\n# Some **prose** is read aloud, `prose` too")
    sample.write_text(late)
    assert glossary.used_before([read(sample)]) == ["prose: 06 find-the-root uses it too soon."]
    sample.write_text(late.replace("# Some prose.", "# Some `prose` and proseful words."))
    assert glossary.used_before([read(sample)]) == []


def test_what_goes_further_explains_words_for_no_other_lesson(sample: Path) -> None:
    text = sample.read_text()
    further = sample.with_name("16_more.py")
    further.write_text(text.replace("# Some prose.", "# A **graph** is one, with a *root*."))
    sample.write_text(text.replace("# Some prose.", "# A **root** begins it."))
    after = sample.with_name("07_next.py")
    after.write_text(text.replace("# Some prose.", "# The root of a graph."))
    lessons = [read(path) for path in (sample, further, after)]
    assert glossary.used_before(lessons) == ["graph: 07 find-the-root uses it too soon."]


def test_the_page_is_written_where_documents_lie(project: Path) -> None:
    build(execute=False, root=project)
    assert (project / "docs" / "glossary.md").read_text().startswith("# Words\n")


def test_no_lesson_uses_a_word_before_it_is_explained() -> None:
    words = [each.word for each in glossary.words(lessons())]
    assert len(words) > 80 and len(words) == len(set(words)), words
    assert glossary.used_before(lessons()) == []
