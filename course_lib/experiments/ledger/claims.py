"""A claim, the tests that it comes down to, and the verdict that follows from them."""

import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

VERDICTS = ("holds", "holds in part", "does not hold", "not measured here")
_SIGNS = {True: "✔", False: "✘", None: "–"}
_MARKS = dict(zip(VERDICTS, ("✔", "◐", "✘", "–"), strict=True))


@dataclass(frozen=True)
class Test:
    """One thing that the claim says: whether it came true, and the figure that shows it.

    `passed` is None where this machine lacks what the test needs.
    """

    __test__ = False  # not one of pytest's

    what: str
    passed: bool | None
    figure: str


@dataclass(frozen=True)
class Claim:
    """What is said, the lesson that is about it, and its tests."""

    lesson: str
    said: str
    tests: tuple[Test, ...]

    @property
    def verdict(self) -> str:
        """One of VERDICTS: all tests that could be run passed, some of them, or none."""
        results = [test.passed for test in self.tests if test.passed is not None]
        if not results:
            return VERDICTS[3]
        return VERDICTS[0 if all(results) else 1 if any(results) else 2]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        tests = [asdict(test) for test in self.tests]
        return {"lesson": self.lesson, "said": self.said, "verdict": self.verdict, "tests": tests}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return the claim that `as_dict` wrote down; its verdict is worked out anew."""
        tests = tuple(Test(**test) for test in kept["tests"])
        return cls(kept["lesson"], kept["said"], tests)


def claim(lesson: str, said: str, *tests: Test) -> Claim:
    """Return a claim; short for what the modules beside this one write down two dozen times."""
    return Claim(lesson, said, tests)


@dataclass(frozen=True)
class Ledger:
    """Claims in order; two ledgers can be added. Shown as a table, and as text without figures."""

    claims: tuple[Claim, ...] = ()

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __add__(self, other: Self) -> Self:
        return Ledger(self.claims + other.claims)

    def count(self, verdict: str) -> int:
        """Return how many claims have this verdict. Raises ValueError for another word."""
        if verdict not in VERDICTS:
            raise ValueError(f"There is no verdict {verdict!r}: ask for {', '.join(VERDICTS)}.")
        return sum(claim.verdict == verdict for claim in self)

    def __repr__(self) -> str:
        lines = []
        for claim in self:
            lines.append(f"{claim.verdict}: {claim.said}")
            lines += [f"  {_SIGNS[test.passed]} {test.what}" for test in claim.tests]
        return "\n".join(lines)

    def html(self) -> str:
        """Return the table: a claim and its verdict, and a line for each test with its figure."""
        heads = "".join(
            f"<th scope='col' style='text-align:left'>{head}</th>"
            for head in ("lesson", "it is said that", "verdict", "tested here")
        )
        rows = "".join(
            f"<tr><td>{claim.lesson}</td>"
            f"<td style='text-align:left'>{html.escape(claim.said)}</td>"
            "<td style='text-align:left'>"
            f"<strong>{_MARKS[claim.verdict]} {claim.verdict}</strong></td>"
            f"<td style='text-align:left'>{'<br>'.join(map(_line, claim.tests))}</td></tr>"
            for claim in self
        )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"

    _repr_html_ = html


def _line(test: Test) -> str:
    figure = f" <small>({html.escape(test.figure)})</small>" if test.figure else ""
    return f"{_SIGNS[test.passed]} {html.escape(test.what)}{figure}"
