"""Headers as recorders write them, against libsndfile on the same samples with a right header."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import TURN

from course_lib.sound import audio, containers

STORED = {  # the name of a subtype -> codec, bits of a sample
    "PCM_U8": (1, 8),
    "PCM_16": (1, 16),
    "PCM_24": (1, 24),
    "PCM_32": (1, 32),
    "FLOAT": (3, 32),
    "DOUBLE": (3, 64),
    "ALAW": (6, 8),
    "ULAW": (7, 8),
}
GUID = bytes.fromhex("000000001000800000aa00389b71")
ENDLESS = (0x7FFFFFFF, 0x7FFFF000, 0x7FFFFFFF - 36, 0x80000000, 2**32 - 1, 2**32 - 1 - 36)


def noise(*shape: int, peak: float = 0.5) -> np.ndarray:
    """Return the same noise for the same shape, whichever tests ran before."""
    return np.random.default_rng(16).uniform(-peak, peak, shape)


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    global FOLDER
    FOLDER = tmp_path_factory.mktemp("wav")


def chunk(name: bytes, content: bytes, size: int | None = None, pad: bool = True) -> bytes:
    said = len(content) if size is None else size
    return name + struct.pack("<I", said) + content + b"\0" * (pad and len(content) % 2)


def formatted(subtype: str, channels: int, rate_hz: int, extensible: bool) -> bytes:
    tag, bits = STORED[subtype]
    block = channels * bits // 8
    body = struct.pack("<HIIHH", channels, rate_hz, rate_hz * block, block, bits)
    if not extensible:
        return struct.pack("<H", tag) + body
    return struct.pack("<H", 0xFFFE) + body + struct.pack("<HHIH", 22, bits, 0, tag) + GUID


def samples(subtype: str, channels: int, n: int) -> tuple[bytes, np.ndarray]:
    """Return stored samples and what libsndfile reads from them where no header is in the way."""
    raw = io.BytesIO()
    wave = noise(n, channels, peak=0.9)
    about = {"samplerate": 16_000, "format": "RAW", "subtype": subtype, "endian": "LITTLE"}
    soundfile.write(raw, wave, **about)
    content = raw.getvalue()
    read, _ = soundfile.read(
        io.BytesIO(content), channels=channels, always_2d=True, dtype="float32", **about
    )
    return content, read


MORE = [b"", chunk(b"LIST", b"INFOISFT\x04\0\0\0abc\0"), chunk(b"fact", bytes(4))]
MORE += [chunk(b"bext", bytes(603)), chunk(b"JUNK", b"12345"), chunk(b"odd ", b"123", pad=False)]


@settings(max_examples=1500 if TURN else 120, deadline=None)
@given(
    st.sampled_from(sorted(STORED)),
    st.integers(1, 3),
    st.integers(1, 700),
    st.booleans(),
    st.lists(st.sampled_from(MORE), max_size=3),
    st.sampled_from(["right", "zero", "riff", "zero riff", *ENDLESS]),
)
def test_any_header_gives_the_samples(subtype, channels, n, extensible, more, lie):
    stored, wanted = samples(subtype, channels, n)
    size = lie if isinstance(lie, int) else 0 if lie == "zero" else len(stored)
    fmt = chunk(b"fmt ", formatted(subtype, channels, 16_000, extensible))
    body = b"WAVE" + fmt + b"".join(more) + chunk(b"data", stored, size, lie == "right")
    riff = {"right": len(body), "riff": len(body) + 44, "zero riff": 0}.get(lie, 2**31 - 1)
    path = _written(b"RIFF" + struct.pack("<I", riff) + body)
    read, rate_hz = audio.decode(path)
    assert rate_hz == 16_000
    np.testing.assert_array_equal(read, wanted)


@settings(max_examples=1000 if TURN else 60, deadline=None)
@given(st.sampled_from(sorted(STORED)), st.sampled_from(MORE), st.integers(0, 10**6))
def test_whatever_is_cut_off_is_missed(subtype, more, at):
    stored, _ = samples(subtype, 1, 200)
    fmt = chunk(b"fmt ", formatted(subtype, 1, 16_000, False))
    head = b"RIFF" + struct.pack("<I", 9999) + b"WAVE" + fmt + more
    whole = head + chunk(b"data", stored, pad=False)
    with pytest.raises(audio.AudioError, match="is cut short|is empty|cannot be read") as caught:
        audio.decode(_written(whole[: at % len(whole)]))
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("form", ["RF64", "AIFF", "AU", "W64", "WAVEX"])
def test_other_forms_are_read_and_cut_ones_missed(form):
    file = io.BytesIO()
    wave = noise(900).astype(np.float32)
    soundfile.write(file, wave, 16_000, format=form, subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(_written(file.getvalue())), wave)
    with pytest.raises(audio.AudioError, match="cut short"):
        audio.read(_written(file.getvalue()[:-8]))


@pytest.mark.parametrize("form, subtype", [("OGG", "VORBIS"), ("OGG", "OPUS"), ("CAF", "PCM_16")])
def test_a_container_is_read_whole_or_up_to_the_end_of_a_page(form, subtype):
    file = io.BytesIO()
    wave = noise(40_000).astype(np.float32)
    soundfile.write(file, wave, 16_000, format=form, subtype=subtype)
    whole = file.getvalue()
    assert len(audio.read(_written(whole))) == len(wave)
    pages = [place for place in range(1, len(whole)) if whole[place:].startswith(b"OggS")]
    near = {page + step for page in pages for step in (-1, 1, 26, 27, 28)}
    spread = set(range(1, len(whole), len(whole) // 40))
    for end in sorted((near | spread | {len(whole) - 1}) - set(pages)):
        with pytest.raises(audio.AudioError, match="is cut short|cannot be read"):
            audio.read(_written(whole[:end]))
    for page in pages[2:]:  # stopped between two pages, behind both of its heads: it is shorter
        assert 0 < len(audio.read(_written(whole[:page]))) < len(wave)


@pytest.mark.parametrize(
    "head, said",
    [
        (b"\0\0\0\x20ftypM4A ", "MPEG-4"),
        (b"\x1aE\xdf\xa3" + bytes(20), "WebM"),
        (b"#!AMR\n" + bytes(20), "AMR"),
    ],
)
def test_forms_that_are_not_read_are_named(head, said):
    with pytest.raises(audio.AudioError, match=said):
        audio.read(_written(head + bytes(100)))


@pytest.mark.parametrize("tag", [0x55, 0xFF, 0x83, 0x1234])
def test_codecs_that_are_not_read_are_named(tag):
    fmt = struct.pack("<HHIIHH", tag, 1, 16_000, 16_000, 1, 8)
    body = b"WAVE" + chunk(b"fmt ", fmt) + chunk(b"data", bytes(100))
    with pytest.raises(audio.AudioError, match=containers.CODECS.get(tag, "0x1234")):
        audio.read(_written(chunk(b"RIFF", body)))


def test_an_empty_chunk_before_others_is_no_sound():
    fmt = chunk(b"fmt ", formatted("PCM_16", 1, 16_000, False))
    body = b"WAVE" + fmt + chunk(b"data", b"") + chunk(b"LIST", b"INFO")
    with pytest.raises(audio.AudioError, match="holds no sound"):
        audio.read(_written(chunk(b"RIFF", body)))


def test_a_rate_that_no_recorder_has_is_refused():
    for rate_hz in (3, 4_000_000_000):
        fmt = formatted("PCM_U8", 1, 16_000, False)
        fmt = fmt[:4] + struct.pack("<I", rate_hz) + fmt[8:]
        body = b"WAVE" + chunk(b"fmt ", fmt) + chunk(b"data", bytes(100))
        with pytest.raises(audio.AudioError, match="sample rate|cannot be read"):
            audio.read(_written(chunk(b"RIFF", body)))


def _written(content: bytes) -> Path:
    path = FOLDER / "a.wav"
    path.write_bytes(content)
    return path
