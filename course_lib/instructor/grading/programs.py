"""Arrange a student's cells among the course's: the program that is graded.

The course's cells keep their text and their order, missing ones are put back; everything else runs
where it stood between them, and values are asked for where the student called `check`.
"""

import ast
from bisect import bisect_left
from collections.abc import Iterable, Set

from course_lib.instructor.grading.course import Question, Reference, text_of
from course_lib.instructor.grading.results import Part
from course_lib.instructor.grading.roles import Item, is_own, same_code
from course_lib.instructor.grading.scopes import effects, statements

_MOST_ANSWERS = 40  # cells that one answer is spread over, or asks for it
MOST_LATER = 4  # cells below its check in which an answer may be corrected


class Arrangement:
    """The items of a notebook in the order in which they run, and what is known of each answer.

    `texts` are the answers' texts by exercise ids, as handed out where nothing was tried; `counts`
    says how many cells answer an exercise, `named` which ones were answered only under the name
    that their check asks for, `inline` which ones in the call of `check` alone; `moved` says that
    course cells stood in another order.
    """

    def __init__(self, items: list[Item], reference: Reference) -> None:
        self.reference = reference
        self.names = {each.id: _names(each, reference) for each in reference.questions}
        self.texts: dict[str, str] = {}
        self.named: list[str] = []
        self.inline: list[str] = []
        self.counts: dict[str, int] = {}
        self.items, self.moved = _in_course_order(items)
        self._rest_of_stubs()
        self._put_back()
        for question in reference.questions:
            self._ask(question)

    def program(self) -> tuple[Part, ...]:
        """Return what runs, and what is asked for where."""
        parts: list[Part] = []
        for item in self.items:
            place = -1 if item.place is None else item.place
            if item.role == "late":
                parts.append(Part("late", exercise=item.exercise))
            elif item.role in ("ask", "spare"):
                # What the student had checked counts; the course's name does where that has none.
                parts.append(Part("ask", exercise=item.exercise, spare=item.role == "spare"))
                parts += [Part("ask", item.text, item.exercise)] if item.text else []
            elif item.role != "prose":
                parts.append(Part(item.role, item.text, item.exercise, place))
        return tuple(parts)

    def _rest_of_stubs(self) -> None:
        """Let untouched answer cells bind no `...` over an answer that stands above them."""
        questions = {each.id: each for each in self.reference.questions}
        stubs = {code: each for each in questions.values() if (code := statements(each.stub))}
        seen: set[int | None] = set()
        bound: set[str] = set()
        for item in self.items:
            if item.role in ("answer", "ask") and item.place in seen:
                item.place = None  # a copy says nothing about where the course's cells belong
            seen.add(item.place)
            question = questions[item.exercise] if item.role == "answer" else None
            if item.role == "own":  # a copy that lost all that says what it answers
                question = stubs.get(statements(item.text))
            if question and question.stub and same_code(item.text, question.stub):
                self.texts.setdefault(question.id, item.text)
                names = self.names[question.id]
                item.text = _without(question.stub, names) if names & bound else item.text
                item.role = "course" if item.text else "prose"
            elif item.role in ("own", "answer"):
                bound |= effects(item.text).writes

    def _put_back(self) -> None:
        """Insert the course's cells that are missing after all that comes before them."""
        there = {item.place for item in self.items}
        stubs = {each.cell: each for each in self.reference.questions}
        for place, cell in enumerate(self.reference.cells):
            if place in there:
                continue
            if is_own(cell):
                self._insert(Item("course", place=place))
            elif "exercise" in cell["metadata"] and (question := stubs.get(cell.get("id", ""))):
                text = _without(question.stub, self.names[question.id])
                if text:
                    self._insert(Item("course", text, question.id, place))

    def _insert(self, new: Item) -> None:
        course = [
            (index, item.place)
            for index, item in enumerate(self.items)
            if item.role == "course" and not item.text
        ]
        low = max((index + 1 for index, place in course if place < new.place), default=0)
        high = min((index for index, place in course if place > new.place), default=len(self.items))
        known = [(index, self.items[index].place) for index in range(low, high)]
        high = next((i for i, place in known if place is not None and place > new.place), high)
        earlier = [i + 1 for i, place in known if i < high and place is not None]
        self.items.insert(max([low, *earlier]), new)

    def _ask(self, question: Question) -> None:
        """Ask for an answer where it was checked and after its last cell; else leave it out."""
        name, binds = question.id, self.names[question.id]
        answers = [i for i, each in enumerate(self.items) if _is(each, "answer", name)]
        for index in answers[:-_MOST_ANSWERS]:
            self.items[index].role = "own"
        asks = [i for i, each in enumerate(self.items) if _is(each, "ask", name)]
        checked = [self.items[i].text for i in asks if self.items[i].text]
        binds = binds.union(*(effects(each).reads for each in checked))
        binders = [
            i
            for i, each in enumerate(self.items)
            if each.role in ("own", "answer")
            and effects(each.text).writes & binds
            and not same_code(each.text, question.stub)
        ]
        self.counts[name] = len({statements(self.items[i].text) for i in answers})
        if answers:
            self.texts[name] = self.items[answers[-1]].text
        elif binders:
            self.texts[name] = self.items[binders[-1]].text
            self.named.append(name)
        elif checked:
            self.texts[name] = checked[-1]
            self.inline.append(name)
        for index in asks[:-_MOST_ANSWERS] if name in self.texts else asks:
            self.items[index].role = "prose"
        if answers and not any(ask > answers[-1] for ask in asks):
            place = self._after(question, answers[-1], bool(asks))
            self.items.insert(place, Item("ask", exercise=name))
            binders = [index + (index >= place) for index in binders]
        if binders and not set(binders) & set(answers):
            below = binders[-1] + 1
            if not asks and (later := self._after(question, binders[-1], False)) > below:
                self.items.insert(later, Item("ask", exercise=name))  # it may need what follows
            self.items.insert(below, Item("spare", exercise=name))
        self._ask_later(question, binds)

    def _ask_later(self, question: Question, binds: Set[str]) -> None:
        """Note where cells below the last check bind the answer's name: a correction, perhaps.

        They count only if the answer was wrong until there: its name may be used again.
        """
        asks = [i for i, each in enumerate(self.items) if _is(each, "ask", question.id)]
        last = asks[-1] if asks else len(self.items)
        below = [
            i
            for i, each in enumerate(self.items[last:], last)
            if each.role == "own"
            and ((does := effects(each.text)).writes | does.changes) & binds
            and not same_code(each.text, question.stub)
        ]
        for index in reversed(below[-MOST_LATER:]):
            self.items.insert(index + 1, Item("late", exercise=question.id))

    def _after(self, question: Question, answer: int, checked: bool) -> int:
        """Return where to ask after the last answer: where its check is put back, else next to it.

        What the student added below may belong to the answer: it ends where another cell of the
        course or another answer stands.
        """
        check = next(
            place
            for place, cell in enumerate(self.reference.cells)
            if cell["metadata"].get("check") == question.id
        )
        last = answer + 1
        for index in range(answer + 1, len(self.items)):
            item = self.items[index]
            if checked and item.role != "own" or item.place is not None and item.place > check:
                break
            if item.role in ("answer", "ask"):
                break
            if item.role == "own":
                last = index + 1
        return last


def _in_course_order(items: list[Item]) -> tuple[list[Item], bool]:
    """Leave out the fewest course cells so that the others stand in the course's order.

    The longest increasing subsequence, by patience sorting (Fredman 1975).
    """
    course = [item for item in items if item.role == "course"]
    ends: list[int] = []  # of the best sequence of each length, its last place
    lasts: list[int] = []
    before: list[int | None] = []
    for index, item in enumerate(course):
        length = bisect_left(ends, item.place)
        ends[length : length + 1] = [item.place]
        lasts[length : length + 1] = [index]
        before.append(lasts[length - 1] if length else None)
    kept: set[int] = set()
    index = lasts[-1] if lasts else None
    while index is not None:
        kept.add(id(course[index]))
        index = before[index]
    moved = {id(item) for item in course} - kept
    return [item for item in items if id(item) not in moved], bool(moved)


def _names(question: Question, reference: Reference) -> frozenset[str]:
    """Return the names that the check asks for and that an answer has to bind."""
    asked = effects(question.expression).reads
    solution = next(
        text_of(cell) for cell in reference.cells if cell["metadata"].get("exercise") == question.id
    )
    return asked & effects(solution).writes or asked


def _without(stub: str, names: Iterable[str]) -> str:
    """Return the statements of a stub that bind none of the names, such as imports."""
    kept = [each for each in statements(stub) if not effects(each).writes & set(names)]
    return "\n".join(each for each in kept if not isinstance(ast.parse(each).body[0], ast.Expr))


def _is(item: Item, role: str, exercise: str) -> bool:
    return item.role == role and item.exercise == exercise
