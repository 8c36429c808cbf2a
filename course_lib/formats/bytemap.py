"""A file with a name for every byte: what the readers of protobufs and FlatBuffers produce.

A `ByteMap` is plain data: the bytes, and spans that say what each stretch of them is.
"""

import html
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


class Words(str):
    """A value in words, such as "1200 bytes", which is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Span:
    """Name the bytes from `start` up to, not including, `end`.

    `kind` groups spans ("weights", "string", "padding"); `name` is short ("length of name");
    `path` leads there from the top ("node[3].attr[value].tensor"); `value` is what they mean.
    """

    start: int
    end: int
    kind: str
    name: str
    path: str = ""
    value: Any = None

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, position: int) -> bool:
        return self.start <= position < self.end


@dataclass(frozen=True)
class ByteMap:
    """Hold a file's bytes and the spans that name them, sorted by where they start.

    Spans may leave gaps and may overlap (FlatBuffers share vtables): `gaps` and `overlaps` tell.
    """

    data: bytes = field(repr=False)
    spans: tuple[Span, ...] = field(repr=False)

    def __init__(self, data: bytes, spans: Iterable[Span]) -> None:
        """Sort `spans`; raises ValueError where one is empty or reaches outside `data`."""
        ordered = tuple(sorted(spans, key=lambda span: (span.start, span.end)))
        for span in ordered:
            if not 0 <= span.start < span.end <= len(data):
                where = f"{span.name!r} at {span.start} to {span.end} is outside"
                raise ValueError(f"{where} the {len(data)} bytes: was the file cut short?")
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "spans", ordered)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __repr__(self) -> str:
        return f"ByteMap({len(self.data)} bytes, {len(self.spans)} spans)"

    @cached_property
    def _starts(self) -> list[int]:
        return [span.start for span in self.spans]

    def at(self, position: int) -> Span:
        """Return the span of the byte at `position`, the latest to start where two overlap.

        Raises IndexError outside the file and LookupError where the byte has no name.
        """
        if not 0 <= position < len(self.data):
            raise IndexError(f"The file has the bytes 0 to {len(self.data) - 1}, not {position}.")
        before = bisect_right(self._starts, position)
        for span in reversed(self.spans[:before]):  # the nearest may have ended already
            if position in span:
                return span
        raise LookupError(f"Byte {position} has no name: it lies in a gap.")

    def bytes_of(self, span: Span) -> bytes:
        return self.data[span.start : span.end]

    def find(self, text: str) -> tuple[Span, ...]:
        """Return the spans whose path or name contains `text`."""
        return tuple(span for span in self.spans if text in span.path or text in span.name)

    @cached_property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The stretches (start, end) that no span names."""
        gaps, reached = [], 0
        for start, end in (*((span.start, span.end) for span in self.spans), (len(self.data),) * 2):
            if start > reached:
                gaps.append((reached, start))
            reached = max(reached, end)
        return tuple(gaps)

    @cached_property
    def overlaps(self) -> tuple[tuple[Span, Span], ...]:
        """The pairs of neighbours in which the second starts before the first has ended."""
        overlaps, widest = [], None
        for span in self.spans:
            if widest is not None and span.start < widest.end:
                overlaps.append((widest, span))
            if widest is None or span.end > widest.end:
                widest = span
        return tuple(overlaps)

    @property
    def complete(self) -> bool:
        """True when every byte has exactly one name."""
        return not self.gaps and not self.overlaps

    @cached_property
    def shares(self) -> dict[str, int]:
        """Bytes of each kind, the largest first; a byte with two names counts for the earlier span.

        Bytes without a name count as `"unnamed"`, so that the values add up to the file.
        """
        shares, reached = {}, 0
        for span in self.spans:
            new = max(0, span.end - max(span.start, reached))
            shares[span.kind] = shares.get(span.kind, 0) + new
            reached = max(reached, span.end)
        if self.gaps:
            shares["unnamed"] = sum(end - start for start, end in self.gaps)
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    def _repr_html_(self) -> str:
        rows = []
        for kind, count in self.shares.items():
            spans = sum(span.kind == kind for span in self.spans)
            rows.append(
                f"<tr><td style='text-align:left'>{html.escape(kind)}</td><td>{spans}</td>"
                f"<td>{count}</td><td>{count / max(len(self.data), 1):.1%}</td></tr>"
            )
        return (
            "<table><thead><tr><th style='text-align:left'>bytes that are</th><th>pieces</th>"
            f"<th>bytes</th><th>share</th></tr></thead><tbody>{''.join(rows)}</tbody><tfoot><tr>"
            f"<th style='text-align:left'>the whole file</th><th>{len(self.spans)}</th>"
            f"<th>{len(self.data)}</th><th>100.0%</th></tr></tfoot></table>"
        )
