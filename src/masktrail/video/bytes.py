"""Whether a file is all there, by what its container says of its own bytes."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
FLV_TAG = 11
"""Bytes of the header of a tag."""


def is_whole(path: str, format: str) -> bool | None:
    """Whether a file ends where its container says that it does; None where that is not said.

    Args:
        path: of the file; anything else is not known.
        format: FFmpeg's name of the container.
    """
    check = {"matroska,webm": _matroska, "flv": _flv, "avi": _riff}.get(format)
    file = Path(path)
    if check is None or not file.is_file():
        return None
    return check(file)


def _matroska(file: Path) -> bool | None:
    """The segment says how long it is (RFC 8794, 8.4), if it was not written as a stream."""
    with file.open("rb") as opened:
        while head := opened.read(4):
            size = _variable_size(opened)
            if head == SEGMENT:
                return None if size is None else opened.tell() + size <= file.stat().st_size
            if head != EBML or size is None:
                return None
            opened.seek(size, 1)
    return None


def _variable_size(opened: BinaryIO) -> int | None:
    """A number of 1 to 8 bytes whose first bit that is set tells how many; None if all are."""
    first = opened.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + opened.read(length - 1), "big") & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


def _riff(file: Path) -> bool:
    """Pieces that tell their length lie behind one another (AVI is one, beyond 1 GB several)."""
    end = file.stat().st_size
    with file.open("rb") as opened:
        while opened.read(4) == b"RIFF":
            length = int.from_bytes(opened.read(4), "little")
            if not length or opened.seek(length, 1) > end:
                return False
    return True


def _flv(file: Path) -> bool:
    """The last four bytes are the length of the tag before them, which tells the same."""
    with file.open("rb") as opened:
        end = opened.seek(0, 2)
        if end < FLV_TAG + 4:
            return False
        opened.seek(end - 4)
        length = int.from_bytes(opened.read(4), "big")
        if not FLV_TAG <= length <= end - 4:
            return False
        opened.seek(end - 4 - length + 1)
        return int.from_bytes(opened.read(3), "big") + FLV_TAG == length
