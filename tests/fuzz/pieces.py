"""Files made of nested pieces: boxes of MP4, chunks of RIFF and PNG, elements of Matroska.

An edit moves, drops, doubles or renames a piece, or damages what is in one; whatever holds it is
written with its new length, so that a reader comes to the fault instead of stopping before it.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from fuzz import raw


@dataclass
class Piece:
    """A name, and either what it holds or its content.

    Attributes:
        name: as it is written, whatever its length.
        content: bytes; before the pieces inside, where there are some.
        inside: nested pieces.
    """

    name: bytes
    content: bytes
    inside: list["Piece"] = field(default_factory=list)


@dataclass(frozen=True)
class Format:
    """How pieces are read and written, behind the first `head` bytes of a file."""

    read: Callable[[bytes], Iterator[Piece]]
    write: Callable[[Piece], bytes]
    head: int = 0


def edited(data: bytes, form: Format) -> st.SearchStrategy[bytes]:
    """The same file with one piece or two changed."""
    return _edited(data, form)


@st.composite
def _edited(draw: st.DrawFn, data: bytes, form: Format) -> bytes:
    top = Piece(b"", data[: form.head], list(form.read(data[form.head :])))
    for _ in range(draw(st.integers(1, 2))):
        holders = [one for one in _all(top) if one.inside]
        if not holders:
            break
        holder = draw(st.sampled_from(holders))
        place = draw(st.integers(0, len(holder.inside) - 1))
        draw(st.sampled_from(EDITS))(draw, holder.inside, place)
    return top.content + b"".join(map(form.write, top.inside))


def _all(piece: Piece) -> Iterator[Piece]:
    yield piece
    for one in piece.inside:
        yield from _all(one)


def _drop(draw: st.DrawFn, pieces: list[Piece], place: int) -> None:
    del pieces[place]


def _double(draw: st.DrawFn, pieces: list[Piece], place: int) -> None:
    pieces.insert(draw(st.integers(0, len(pieces))), pieces[place])


def _move(draw: st.DrawFn, pieces: list[Piece], place: int) -> None:
    piece = pieces.pop(place)
    pieces.insert(draw(st.integers(0, len(pieces))), piece)


def _rename(draw: st.DrawFn, pieces: list[Piece], place: int) -> None:
    one, other = pieces[place], draw(st.sampled_from(pieces))
    pieces[place] = Piece(other.name, one.content, one.inside)


def _damage(draw: st.DrawFn, pieces: list[Piece], place: int) -> None:
    one = pieces[place]
    pieces[place] = Piece(one.name, draw(raw.edited(one.content)), one.inside)


EDITS = (_drop, _double, _move, _rename, _damage, _damage)

HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf"}


def _boxes(data: bytes) -> Iterator[Piece]:
    place = 0
    while place + 8 <= len(data):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        content = data[place + 8 : place + max(size, 8)]
        inside = name in HOLDERS
        yield Piece(name, b"", list(_boxes(content))) if inside else Piece(name, content)
        place += max(size, 8)


def _box(piece: Piece) -> bytes:
    content = piece.content + b"".join(map(_box, piece.inside))
    return (len(content) + 8).to_bytes(4, "big") + piece.name + content


def _riff_chunks(data: bytes) -> Iterator[Piece]:
    place = 0
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        content = data[place + 8 : place + 8 + size]
        if name in (b"RIFF", b"LIST"):
            yield Piece(name, content[:4], list(_riff_chunks(content[4:])))
        else:
            yield Piece(name, content)
        place += 8 + size + size % 2


def _riff_chunk(piece: Piece) -> bytes:
    content = piece.content + b"".join(map(_riff_chunk, piece.inside))
    return piece.name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _png_chunks(data: bytes) -> Iterator[Piece]:
    place = 0
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        yield Piece(data[place + 4 : place + 8], data[place + 8 : place + 8 + size])
        place += 12 + size


def _png_chunk(piece: Piece) -> bytes:
    """With the checksum of what it holds now."""
    named = piece.name + piece.content
    return len(piece.content).to_bytes(4, "big") + named + zlib.crc32(named).to_bytes(4, "big")


MASTERS = {bytes.fromhex(name) for name in ("18538067", "1654ae6b", "ae", "e0", "1f43b675", "a0")}
"""Segment, tracks, a track, its picture, a cluster, a group of blocks."""


def _number_at(data: bytes, place: int) -> int:
    """Bytes of the number of variable length that begins there."""
    return 9 - data[place].bit_length() if data[place] else len(data)


def _elements(data: bytes) -> Iterator[Piece]:
    place = 0
    while place < len(data):
        start = place + _number_at(data, place)
        if start >= len(data):
            return
        stop = start + _number_at(data, start)
        size = int.from_bytes(data[start:stop], "big") & ((1 << 7 * (stop - start)) - 1)
        name, content = data[place:start], data[stop : stop + size]
        inside = name in MASTERS
        yield Piece(name, b"", list(_elements(content))) if inside else Piece(name, content)
        place = stop + size


def _element(piece: Piece) -> bytes:
    content = piece.content + b"".join(map(_element, piece.inside))
    return piece.name + (len(content) | 1 << 56).to_bytes(8, "big") + content


MP4 = Format(_boxes, _box)
RIFF = Format(_riff_chunks, _riff_chunk)
PNG = Format(_png_chunks, _png_chunk, head=8)
MATROSKA = Format(_elements, _element)
