"""The driver of flip-books, held against toy widgets whose states are known."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import nbformat

from course_lib.views import shell, style
from tools import flipbook, walk

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _recorded(widget: Any, **how: Any) -> walk.Book:
    book = walk.record(widget, walk.Store(), **how)
    assert book is not None
    return book


def _shown(book: walk.Book, state: int) -> str:
    """Return what the slots show in a state, as the page would."""
    return "".join(book.pieces[piece] for piece in book.frames[book.frame_of[state]])


def test_every_pair_of_values_shows_what_the_widget_showed() -> None:
    number = shell.slider("number", 2, 0, 3)
    word = shell.dropdown("word", ["a", "b"], "b")
    book = _recorded(shell.live(lambda n, w: f"<i>{w * n}</i>", number, word))
    assert [(each["label"], each["texts"]) for each in book.controls] == [
        ("number", ["0", "1", "2", "3"]),
        ("word", ["a", "b"]),
    ]
    looks = [f"<i>{w * n}</i>" for n in range(4) for w in "ab"]
    assert [_shown(book, state) for state in range(8)] == looks
    assert len(book.pieces) == 7  # nothing of "a" is nothing of "b"
    assert book.start == 2 * 2 + 1 and not book.moves and not book.left_out
    assert (number.value, word.value) == (2, "b")  # the widget is as it was


def _walker() -> tuple[Any, Any]:
    """Return a widget that is walked by a button, its end moved by a list, and its slider."""
    view = shell.html()
    step = shell.slider("step", 0, 0, 2, on_change=lambda n: setattr(view, "value", f"at {n}"))
    view.value = "at 0"

    def choose(last: int) -> None:
        step.value, step.max = 0, last

    ends = shell.dropdown("last", [2, 4], on_change=choose)
    on = shell.button("on", lambda: setattr(step, "value", min(step.value + 1, step.max)))
    return shell.column(shell.row(ends, on, step), view), step


def test_a_button_and_a_list_lead_where_they_lead_in_the_widget() -> None:
    book = _recorded(_walker()[0])
    assert [len(each["texts"]) for each in book.controls] == [2, 5]  # 5: the larger end
    assert book.state_of[:5] == [0, 1, 2, 2, 2]  # the shorter end cannot have 3 and 4
    assert book.moves["b0"][:3] == [1, 2, 2] and book.moves["b0"][5:] == [6, 7, 8, 9, 9]
    assert book.moves["0=1"][2] == 5  # from step 2 of the short one to step 0 of the long one


def test_a_capped_walk_keeps_ends_and_start_and_says_what_is_missing() -> None:
    wide, ticked = shell.slider("wide", 7, 0, 100), shell.slider("fine", 0, 0, 9)
    book = _recorded(shell.live(lambda a, b: f"{a},{b}", wide, ticked), most=30)
    kept = {each["label"]: each["texts"] for each in book.controls}
    assert len(book.frame_of) == len(kept["wide"]) * len(kept["fine"]) <= 30
    assert kept["wide"][0] == "0" and kept["wide"][-1] == "100" and "7" in kept["wide"]
    assert _shown(book, book.start) == "7,0"
    assert f"{len(kept['wide'])} of 101 values of wide" in book.left_out


def test_what_buttons_walk_is_not_thinned() -> None:
    widget, step = _walker()
    other = shell.slider("other", 0, 0, 50)
    book = _recorded(shell.column(other, widget), most=20)
    kept = {each["label"]: len(each["texts"]) for each in book.controls}
    assert kept["step"] == 5 and kept["other"] < 51


def test_buttons_that_only_show_are_leaves_and_dead_ones_are_off() -> None:
    view = shell.html("none")
    one = shell.button("one", lambda: setattr(view, "value", "1"))
    two = shell.button("two", lambda: setattr(view, "value", "2"))
    two.disabled = True
    book = _recorded(shell.column(shell.row(one, two), view))
    assert (_shown(book, book.start), _shown(book, book.moves["b0"][book.start])) == ("none", "1")
    assert "b1" not in book.moves and book.buttons[1]["off"]


def test_where_nothing_has_few_values_there_is_no_book() -> None:
    import ipywidgets

    text, one = ipywidgets.Text(description="name"), shell.dropdown("only", ["this"])
    assert walk.record(shell.column(text, one, shell.html("x")), walk.Store()) is None
    book = _recorded(shell.column(text, shell.slider("n", 0, 0, 1), shell.html("x")))
    assert book.left_out == "Without a kernel: no name."


def test_a_picture_is_a_file_once_and_nothing_can_be_clicked() -> None:
    store, picture = walk.Store(), style.show(_DOT, "a dot", 1)
    text = store.put(f'<p onclick="f(&quot;x&quot;)">{picture.html()}{picture.html()}</p>')
    (name,) = store.files
    assert text.count(f'src="_static/flip/{name}"') == 2 and "onclick" not in text
    assert store.files[name][8:12] == b"WEBP" and 'alt="a dot"' in text


def test_only_what_a_widget_needs_is_run_and_never_a_training() -> None:
    cells = [
        ("from course_lib.views import shell", ""),
        ("last, parts = 1, {}", ""),
        ("raise AssertionError('nobody needs it')", ""),
        ("last += 1", ""),
        ("parts['more'] = 0", ""),
        (
            "shell.show(shell.column(shell.slider('n', 0, parts['more'], last), shell.html()), '')",
            "n",
        ),
        ("mine = shell.slider('this trains', 0, 0, 1)\nraise AssertionError", "a training, live"),
        ("shell.show(mine, '')", "what was trained"),
        ("shell.show(shell.column(unknown), '')", "what cannot be run"),
    ]
    notebook = nbformat.v4.new_notebook()
    for text, said in cells:
        cell = nbformat.v4.new_code_cell(text)
        data = {"text/plain": f"<widget: {said}>"}
        cell.outputs = [nbformat.v4.new_output("display_data", data)] * bool(said)
        notebook.cells.append(cell)
    books, problems = flipbook.run(notebook, walk.Store())
    assert list(books) == [notebook.cells[5].id]
    assert books[notebook.cells[5].id][0].controls[0]["texts"] == ["0", "1", "2"]
    assert [notebook.cells[8].id in problem for problem in problems] == [True]
    flipbook.lay(notebook.cells[5], ["a-book"])
    assert [list(each.data) for each in notebook.cells[5].outputs] == [
        ["text/plain"],
        ["text/html"],
    ]
    flipbook.lay(notebook.cells[7], [""])
    assert len(notebook.cells[7].outputs) == 1


def test_a_packed_book_can_be_read_again() -> None:
    book = _recorded(shell.live(lambda n: f"<b>“{n}”</b>", shell.slider("n", 0, 0, 1)))
    script = flipbook.packed("a-book", book).strip()
    name, data = json.loads(f"[{script[len('flipbook(') : -len(');')]}]")
    assert name == "a-book" and json.loads(gzip.decompress(base64.b64decode(data))) == vars(book)
