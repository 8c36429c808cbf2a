"""Name what the schema alone cannot: whose bytes a buffer holds, what lies between parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.flatbuffer.kinds import FormatError

_LONGEST_PADDING = 63


def with_owners(spans: list[Span], size: int) -> list[Span]:
    """Return the spans with each buffer's bytes named after the tensors or metadata that use it.

    Weights beyond 2 GB lie behind the FlatBuffer; the scalars that say where become spans too.
    """
    scalars = {span.path: span.value for span in spans if span.kind in ("scalar", "string")}
    users: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for span in spans:
        owner = re.fullmatch(
            r"(subgraphs\[\d+\]\.tensors\[\d+\]|metadata\[\d+\])\.buffer", span.path
        )
        if owner and span.kind == "scalar" and span.value:
            name = str(scalars.get(f"{owner[1]}.name") or owner[1])
            users.setdefault(f"buffers[{span.value}].data", []).append(name)
            kind = "weights" if span.path.startswith("subgraphs") else "data"
            kinds[f"buffers[{span.value}].data"] = kind
    return [_renamed(span, users, kinds) for span in spans] + list(_outside(scalars, size))


def _renamed(span: Span, users: dict[str, list[str]], kinds: dict[str, str]) -> Span:
    """Return a buffer's span with the name of who uses it; any other span as it is."""
    if not re.fullmatch(r"buffers\[\d+\]\.data", span.path) or span.kind not in ("numbers",):
        return span
    name = ", ".join(users.get(span.path, ())) or "a buffer that nothing uses"
    return Span(span.start, span.end, kinds.get(span.path, "data"), name, span.path, None)


def _outside(scalars: dict[str, object], size: int) -> Iterator[Span]:
    """Yield spans for what lies behind the FlatBuffer: large buffers and large options."""
    for path, start in scalars.items():
        owner = re.fullmatch(r"(buffers\[\d+\])\.offset|(.*)\.large_custom_options_offset", path)
        if owner is None or not isinstance(start, int) or start <= 1:
            continue
        count = scalars.get(
            f"{owner[1]}.size" if owner[1] else f"{owner[2]}.large_custom_options_size"
        )
        if not isinstance(count, int) or not count:
            continue
        if start + count > size:
            raise FormatError(
                f"The file is cut short or damaged: {path} leads to byte {start + count} of {size}."
            )
        yield Span(start, start + count, "weights" if owner[1] else "data", path, path)


def left_over(found: ByteMap) -> Iterator[Span]:
    """Yield a span for each gap: zeros that align what follows, or bytes that nothing leads to."""
    for start, end in found.gaps:
        zeros = not any(found.data[start:end]) and end - start <= _LONGEST_PADDING
        yield Span(
            start,
            end,
            "padding" if zeros else "unused",
            "padding" if zeros else "bytes that nothing points to",
            "",
        )
