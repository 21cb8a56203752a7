"""Edits of bytes that know nothing of what they mean."""

from collections.abc import Callable

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy], int]

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63)
"""At which programs stumble."""


@st.composite
def edited(draw: st.DrawFn, data: bytes) -> bytes:
    """The same bytes after one edit to four."""
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.sampled_from(EDITS))(draw, data) if data else data
    return data


def _span(draw: st.DrawFn, data: bytes) -> slice:
    start = draw(st.integers(0, len(data) - 1))
    return slice(start, start + draw(st.integers(1, 64)))


def _number(draw: st.DrawFn, data: bytes) -> bytes:
    """A number of 1 to 8 bytes, in either order, over what was there."""
    start, size = draw(st.integers(0, len(data) - 1)), draw(st.sampled_from((1, 2, 4, 8)))
    number = draw(st.sampled_from(NUMBERS)) % 256**size
    written = number.to_bytes(size, draw(st.sampled_from(("big", "little"))))
    return (data[:start] + written + data[start + size :])[: len(data)]


def _flip(draw: st.DrawFn, data: bytes) -> bytes:
    place = draw(st.integers(0, len(data) - 1))
    changed = data[place] ^ (1 << draw(st.integers(0, 7)))
    return data[:place] + bytes([changed]) + data[place + 1 :]


def _noise(draw: st.DrawFn, data: bytes) -> bytes:
    place = _span(draw, data)
    noise = draw(st.binary(min_size=1, max_size=64))
    return data[: place.start] + noise + data[place.start + len(noise) :]


def _zeros(draw: st.DrawFn, data: bytes) -> bytes:
    place = _span(draw, data)
    return data[: place.start] + bytes(len(data[place])) + data[place.stop :]


def _without(draw: st.DrawFn, data: bytes) -> bytes:
    place = _span(draw, data)
    return data[: place.start] + data[place.stop :]


def _twice(draw: st.DrawFn, data: bytes) -> bytes:
    place = _span(draw, data)
    return data[: place.stop] + data[place] + data[place.stop :]


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: draw(st.integers(0, len(data) - 1))]


def _longer(draw: st.DrawFn, data: bytes) -> bytes:
    return data + draw(st.binary(min_size=1, max_size=64))


EDITS = (_number, _flip, _noise, _zeros, _without, _twice, _cut, _longer)
