"""Copying sound from a source to an output, packet by packet, without decoding it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any

import av

from masktrail.video.names import for_ffmpeg

log = logging.getLogger(__name__)

ANEW = Fraction(1, 4)
"""Seconds that time goes back at least where it begins anew."""


class AudioCopy:
    """Copies the audio streams of a file into an open output container.

    Args:
        source: path of the file that holds the audio.
        output: PyAV output container whose header is not yet written.
    """

    def __init__(self, source: str, output: Any) -> None:
        self._source, self._input = source, av.open(for_ffmpeg(source))
        self._output = output
        self._streams: dict[int, Any] = {}
        for stream in self._input.streams.audio:
            self._add(stream)
        self._origin = Fraction(0)
        self._earliest: Fraction | None = None
        self._packets = _in_time(self._read())
        self._waiting: Any = None

    def begin(self, first_frame: Fraction, cut: bool) -> Fraction:
        """Decides which moment of the source becomes zero in the output, and returns it.

        Args:
            first_frame: time of the first frame that is written, in seconds.
            cut: frames before it were left out, so sound that begins before it is too.

        Returns:
            Seconds to take from every time of the source.
        """
        began = Fraction(self._input.start_time or 0, av.time_base)
        self._origin = first_frame if cut else max(Fraction(0), min(first_frame, began))
        self._earliest = first_frame if cut else None
        return self._origin

    def copy_until(self, end: Fraction | None) -> None:
        """Copies the packets that begin before `end` seconds of the source; None: all."""
        if self._waiting is None:
            self._waiting = next(self._packets, None)
        while self._waiting is not None and (end is None or _begins(self._waiting) < end):
            self._mux(self._waiting)
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        """Closes the source."""
        self._packets.close()
        self._input.close()

    def _add(self, stream: Any) -> None:
        codec = stream.codec_context.name if stream.codec_context else "unknown"
        if codec not in self._output.supported_codecs:
            log.warning(
                "The sound of %s (%s) cannot be put into %s and is left out.",
                self._source,
                codec,
                self._output.format.name,
            )
            return
        self._streams[stream.index] = self._output.add_stream_from_template(stream)

    def _read(self) -> Generator[Any, None, None]:
        inputs = [self._input.streams[index] for index in self._streams]
        try:
            for packet in self._input.demux(*inputs) if inputs else ():
                if packet.dts is not None and packet.size:
                    yield packet
        except (av.error.FFmpegError, IndexError) as error:
            log.warning("The sound of %s breaks off: %s", self._source, error)

    def _mux(self, packet: Any) -> None:
        if self._earliest is not None and _begins(packet) < self._earliest:
            return
        shift = round(self._origin / packet.time_base)
        packet.dts -= shift
        if packet.pts is not None:
            packet.pts -= shift
        packet.stream = self._streams[packet.stream_index]
        try:
            self._output.mux(packet)
        except av.error.FFmpegError as error:
            if error.errno == errno.ENOSPC:
                raise
            log.warning("The sound of %s breaks off: %s", self._source, error)
            self._packets.close()


def _in_time(packets: Iterator[Any]) -> Generator[Any, None, None]:
    """Packets whose times increase in each stream, as containers must have them.

    Where time begins anew it goes on without a gap; a time that is a little early is put behind the
    one before it.
    """
    ends: dict[int, tuple[int, int]] = {}
    offsets: dict[int, int] = {}
    for packet in packets:
        stream = packet.stream_index
        last, end = ends.get(stream, (packet.dts - 1, packet.dts))
        shift = offsets.get(stream, 0)
        if packet.dts + shift <= last - ANEW / packet.time_base:
            shift = offsets[stream] = end - packet.dts
        shift = max(shift, last + 1 - packet.dts)
        packet.dts += shift
        packet.pts = packet.dts if packet.pts is None else packet.pts + shift
        ends[stream] = packet.dts, packet.dts + (packet.duration or 0)
        yield packet


def _begins(packet: Any) -> Fraction:
    """Time of a packet in seconds of its source."""
    ticks = packet.dts if packet.pts is None else packet.pts
    return Fraction(ticks) * Fraction(packet.time_base.numerator, packet.time_base.denominator)
