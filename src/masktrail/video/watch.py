"""What a container promised, against what came out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

TIMED_FORMATS = {"matroska,webm", "flv", "asf"}
"""Containers that store their duration up front rather than have it guessed from the data."""


class Watch:
    """Compares what a container promised with what comes out of it."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self.broken = 0
        self._received = self._decoded = self._damaged = 0
        self._latest = 0.0
        self._stopped: str | None = None

    def packets(self) -> Iterator[av.Packet]:
        """Packets of the video stream; a reading error ends them and is remembered."""
        streams = self._container.streams
        try:
            # Audio is read along: the time it reaches tells a cut file from a short picture.
            for packet in self._container.demux(self._stream, *streams.audio):
                self._note_time(packet)
                if packet.stream_index == self._stream.index:
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
        """Number of frames by the container's own account, or by its duration."""
        if self._stream.frames:
            return self._stream.frames
        seconds = self._claimed_seconds()
        return round(seconds * rate) if seconds else None

    def loss(self, name: str) -> str | None:
        """One sentence on what is missing or damaged, or None."""
        troubles = [text for text in self._troubles() if text]
        if not troubles:
            return None
        return (
            f"{name} is truncated or damaged: {_count(self._decoded, 'frame')} could be decoded, "
            f"{' and '.join(troubles)}."
        )

    def _troubles(self) -> Iterator[str | None]:
        promised, seconds = self._stream.frames, self._claimed_seconds()
        if self._stopped:
            yield f"reading stopped with '{self._stopped}'"
        if promised and self._received < promised * 0.99:
            yield f"the container promised {promised}"
        elif not promised and seconds and self._is_timed() and self._latest < 0.97 * seconds - 0.1:
            yield f"its {seconds:.1f} s end after {self._latest:.1f} s"
        if self.broken:
            yield f"{_count(self.broken, 'packet')} could not be decoded"
        if self._damaged:
            yield f"{_count(self._damaged, 'frame')} came out damaged"

    def _is_timed(self) -> bool:
        return self._container.format.name in TIMED_FORMATS

    def _claimed_seconds(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        tagged = _seconds(self._stream.metadata.get("DURATION", ""))  # Matroska, per stream
        whole = self._container.duration
        return tagged or (whole / av.time_base if whole else None)

    def _note_time(self, packet: av.Packet) -> None:
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
