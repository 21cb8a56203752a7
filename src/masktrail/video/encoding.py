"""How a written video is encoded: codecs and what they are told."""

from typing import NamedTuple


class Encoding(NamedTuple):
    """A codec, how it holds pixels, and its options.

    Attributes:
        codec: PyAV encoder.
        pixel_format: FFmpeg's name; those with an `a` behind `yuv` hold transparency.
        options: of the encoder. Packets must leave in the order of frames (no B-frames, no frames
            ahead of their time), so that durations survive exactly.
    """

    codec: str
    pixel_format: str
    options: dict[str, str]


def h264(crf: int = 20, preset: str = "superfast") -> Encoding:
    """What every player shows; for mp4, mov, mkv.

    Args:
        crf: constant rate factor; lower is better and larger.
        preset: x264's trade of time for size. `superfast` without B-frames was chosen over
            `ultrafast` (25 % less time, 45 % larger) and `veryfast` (60 % more time).
    """
    return Encoding("libx264", "yuv420p", {"crf": str(crf), "preset": preset, "bf": "0"})


def prores_4444() -> Encoding:
    """Transparency for editing programs, every frame by itself; for mov."""
    return Encoding("prores_ks", "yuva444p10le", {"profile": "4444"})


def vp9_alpha(crf: int = 24) -> Encoding:
    """Transparency for browsers; for webm.

    Args:
        crf: constant quality, 0 to 63; lower is better and larger.
    """
    order = {"auto-alt-ref": "0", "lag-in-frames": "0"}
    speed = {"deadline": "realtime", "cpu-used": "5", "row-mt": "1"}
    return Encoding("libvpx-vp9", "yuva420p", {"crf": str(crf), "b": "0", **order, **speed})
