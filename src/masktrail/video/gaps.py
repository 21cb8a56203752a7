"""Frames that were lost with broken packets, found by the times that never came out."""

from __future__ import annotations

from typing import Any

import av

PATIENCE = 16
"""Frames after a broken packet within which the gap must show: more than a decoder holds back."""


class Gaps:
    """Times that went into a decoder, held against those that come out of it, in order.

    A packet alone proves nothing, for some make no frame of their own: only as many are missed as
    could not be decoded.
    """

    def __init__(self) -> None:
        self._sent: set[int] = set()
        self._owed = self._seen = 0

    def send(self, packet: av.Packet[Any]) -> None:
        """Takes note of a packet that goes in."""
        if packet.pts is not None and packet.size and not packet.is_discard:
            self._sent.add(packet.pts)

    def broken(self) -> None:
        """One could not be decoded."""
        self._owed, self._seen = self._owed + 1, 0

    def before(self, frame: av.VideoFrame) -> int:
        """How many frames are missing before one that came out."""
        if frame.pts is None:
            return 0
        passed = {pts for pts in self._sent if pts < frame.pts}
        self._sent -= passed | {frame.pts}
        missing = min(self._owed, len(passed))
        self._owed -= missing
        self._seen += 1
        if self._seen > PATIENCE:
            self._owed = 0
        return missing

    def left(self) -> int:
        """How many are missing at the end."""
        return min(self._owed, len(self._sent))
