"""What a container promised, against what came out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from masktrail.video.bytes import is_whole

TIMED_FORMATS = {"matroska,webm", "flv", "asf"}
"""Containers that store their duration up front rather than have it guessed from the data."""

DISCARDED = 2  # AVINDEX_DISCARD_FRAME
"""Flag of a frame that is decoded for others and not shown, as edit lists have it."""


class Watch:
    """Compares what a container promised with what comes out of it."""

    def __init__(self, container: Any, stream: Any, name: str) -> None:
        self._container, self._stream, self._name = container, stream, name
        self.broken = 0
        self._received = self._decoded = self._damaged = 0
        self._latest = 0.0
        self._stopped: str | None = None
        self._indexed = self._shown = 0
        if stream.frames:  # without a number the index grows while a file is read
            for entry in stream.index_entries:
                self._indexed += entry.size > 0
                self._shown += entry.size > 0 and not entry.flags & DISCARDED

    def packets(self) -> Iterator[av.Packet[Any]]:
        """Packets of the video stream; a reading error ends them and is remembered."""
        try:
            # All streams are read: the time they reach tells a cut file from a short picture.
            for packet in self._container.demux():
                self._note_time(packet)
                if packet.stream.index == self._stream.index:  # those at the end have no other
                    self._received += packet.size > 0
                    yield packet
        except (av.error.FFmpegError, IndexError) as error:
            # PyAV meets a stream that appears midway (damaged FLV) with an IndexError.
            self._stopped = getattr(error, "strerror", None) or str(error)

    def see(self, frame: av.VideoFrame) -> None:
        """Counts a decoded frame."""
        self._decoded += 1
        self._damaged += frame.is_corrupt

    def claimed_frames(self, rate: Fraction) -> int | None:
        """Number of frames by the container's index or its own account, or by its duration."""
        if self._stream.frames:
            return self._shown or self._stream.frames
        seconds = self._claimed_seconds()
        return round(seconds * rate) if seconds else None

    def loss(self) -> str | None:
        """One sentence on what is missing or damaged, or None."""
        troubles = [text for text in self._troubles() if text]
        if not troubles:
            return None
        return (
            f"{self._name} is truncated or damaged: {_count(self._decoded, 'frame')} could be "
            f"decoded, {' and '.join(troubles)}."
        )

    def _troubles(self) -> Iterator[str | None]:
        if self._stopped:
            yield f"reading stopped with '{self._stopped}'"
        if self._stream.frames:
            yield self._missing_frames()
        elif self._container.format.name in TIMED_FORMATS:
            yield self._missing_seconds()
        if self.broken:
            yield f"{_count(self.broken, 'packet')} could not be decoded"
        if self._damaged:
            yield f"{_count(self._damaged, 'frame')} came out damaged"

    def _missing_frames(self) -> str | None:
        """By the index, which knows of what is not shown or empty; else by the header."""
        promised, allowed = self._stream.frames, 0.99
        if self._indexed and not self._indexed_while_read():
            promised, allowed = self._indexed, 1.0
        missing = self._received < promised * allowed
        return f"the container promised {promised}" if missing else None

    def _indexed_while_read(self) -> bool:
        """Whether the index is only of what was found, as that of an AVI file without an end."""
        format = self._container.format.name
        return format == "avi" and not is_whole(self._name, format)

    def _missing_seconds(self) -> str | None:
        """By the duration that stands in the header, unless the file is known to be whole."""
        seconds = self._claimed_seconds()
        if not seconds or self._latest >= 0.97 * seconds - 0.1:
            return None
        if is_whole(self._name, self._container.format.name):
            return None
        return f"its {seconds:.1f} s end after {self._latest:.1f} s"

    def _claimed_seconds(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        tagged = _seconds(self._stream.metadata.get("DURATION", ""))  # Matroska, per stream
        whole = self._container.duration
        return tagged or (whole / av.time_base if whole else None)

    def _note_time(self, packet: av.Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._latest = max(self._latest, end)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _seconds(clock: str) -> float | None:
    """Seconds of `HH:MM:SS.sss`, or None for anything else."""
    parts = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", clock)
    if parts is None:
        return None
    return int(parts[1]) * 3600 + int(parts[2]) * 60 + float(parts[3])
