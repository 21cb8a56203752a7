"""The demo clip, painted by arithmetic alone: a koi swims over pebbles and under a lily pad."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.demo.things import Koi, LilyPad, Plane, plane, soft
from masktrail.masks import write_labels
from masktrail.masks.filters import blurred
from masktrail.types import Frame, Image, LabelMap, VideoInfo

RATE = 25
SOUND_RATE = 44100
PAN = (36.0, 110.0)
"""How far the camera travels down and right during the clip, pixels of a 480-line picture."""
DRIFT = 50.0
"""How far the light sways either way, pixels of a 480-line picture."""
STONES = np.array([[112, 104, 92], [146, 132, 110], [88, 90, 88], [164, 154, 138], [120, 92, 70]])
WATER = np.array([28, 84, 82], np.float32)


def render_demo(
    folder: str | Path, frames: int = 90, size: tuple[int, int] = (854, 480), seed: int = 0
) -> Path:
    """Paints `demo.mp4` with a tone, and the koi's true masks `truth/00000.png ...`.

    Args:
        folder: made if missing.
        frames: length of the clip at 25 frames per second.
        size: (width, height) in pixels.
        seed: of every texture; the same seed paints the same clip.

    Returns:
        Path of the video.

    Raises:
        InputError: the folder cannot be written.
    """
    from masktrail.video.encoding import h264
    from masktrail.video.writer import VideoWriter

    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    pond = Pond.make(size, seed)
    with TemporaryDirectory() as scratch:
        tone = Path(scratch) / "tone.m4a"
        write_tone(tone, frames / RATE)
        base = Fraction(1, RATE)
        info = VideoInfo(str(tone), *size, Fraction(RATE), base, frames=frames, has_audio=True)
        with VideoWriter(folder / "demo.mp4", info, encoding=h264(crf=18)) as writer:
            for index in range(frames):
                image, labels = pond.paint(index / max(frames - 1, 1), index / RATE)
                writer.write(image, Frame(image, index, index, base, 1))
                write_labels(folder / "truth" / f"{index:05d}.png", labels)
    return folder / "demo.mp4"


@dataclass(frozen=True)
class Pond:
    """Textures of the scene, float32, made once.

    Attributes:
        size: (width, height) of a frame.
        ground: colours 0 to 255, (H + margin, W + margin, 3), so that the camera can travel.
        waves: two smooth noises whose crossings are the light on the ground, larger than a frame
            because they sway.
        skin: noise that decides the koi's patches, (256, 512).
        leaf: noise of the lily pad, (512, 512).
    """

    size: tuple[int, int]
    ground: Plane
    waves: tuple[Plane, Plane]
    skin: Plane
    leaf: Plane

    @classmethod
    def make(cls, size: tuple[int, int], seed: int) -> Pond:
        """Draws every texture from `seed`."""
        rng = np.random.default_rng(seed)
        width, height = size
        unit = height / 480
        sway, travel = math.ceil(2 * DRIFT * unit) + 2, [math.ceil(p * unit) + 2 for p in PAN]
        waves = [_noise(rng, (height + sway, width + sway), 22 * unit) for _ in range(2)]
        return cls(
            size=size,
            ground=_pebbles(rng, (height + travel[0], width + travel[1]), unit),
            waves=(waves[0], waves[1]),
            skin=_noise(rng, (256, 512), 20),
            leaf=_noise(rng, (512, 512), 6),
        )

    def paint(self, progress: float, seconds: float) -> tuple[Image, LabelMap]:
        """One frame and its label map.

        Args:
            progress: 0 at the first frame, 1 at the last: where koi, pad and camera are.
            seconds: time, for what repeats: the strokes of the tail, the light.

        Returns:
            uint8 RGB (H, W, 3) and uint8 (H, W), 1 for what is seen of the koi.
        """
        koi, pad = Koi.at(progress, seconds), LilyPad.at(progress)
        light = self._light(seconds)
        image = self._ground(progress) * (0.85 + 0.75 * light)[..., None]
        for thing, dx, dy, blur in ((koi, 16, 30, 14), (pad, 26, 46, 22)):
            part, x, y = self._window(thing.x + dx, thing.y + dy, thing.reach + blur)
            image[part] *= (1 - 0.45 * soft(thing.depth(x - dx, y - dy), blur))[..., None]
        image += (WATER - image) * np.float32(0.25)
        labels = np.zeros(image.shape[:2], np.uint8)
        part, x, y = self._window(koi.x, koi.y, koi.reach)
        lit = (0.88 + 0.25 * light[part]) * (1 - 0.4 * soft(pad.depth(x - 8, y - 14), 8))
        labels[part] = _cover(
            image[part], koi.colours(x, y, self.skin) * lit[..., None], koi.depth(x, y)
        )
        part, x, y = self._window(pad.x, pad.y, pad.reach)
        labels[part][_cover(image[part], pad.colours(x, y, self.leaf), pad.depth(x, y))] = 0
        return image.clip(0, 255).astype(np.uint8), labels

    def _window(self, x: float, y: float, reach: float) -> tuple[tuple[slice, slice], Plane, Plane]:
        """Pixels around a point of the 480-line picture, and their places (x, y) in it."""
        width, height = self.size
        unit, left = height / 480, (width * 480 / height - 854) / 2
        y0, y1 = (round((y + d) * unit) for d in (-reach, reach))
        x0, x1 = (round((x + left + d) * unit) for d in (-reach, reach))
        rows, columns = slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0))
        ys, xs = np.mgrid[rows.start : min(y1, height), columns.start : min(x1, width)]
        return (rows, columns), plane(xs / unit - left), plane(ys / unit)

    def _ground(self, progress: float) -> Plane:
        width, height = self.size
        down, right = (distance * height / 480 * progress for distance in PAN)
        return _crop(self.ground, down, right, (height, width))

    def _light(self, seconds: float) -> Plane:
        """Caustics, 0 to 1: bright where two drifting noises are equal, (H, W)."""
        width, height = self.size
        unit = height / 480
        away = [DRIFT * unit * (1 + math.sin(s * seconds)) for s in (0.5, 0.41, -0.37, -0.55)]
        first = _crop(self.waves[0], away[0], away[1], (height, width))
        second = _crop(self.waves[1], away[2], away[3], (height, width))
        return np.exp(-5 * np.abs(first - second)).astype(np.float32)


def write_tone(path: Path, seconds: float) -> None:
    """Writes a soft chord as AAC, mono, 44.1 kHz."""
    import av

    from masktrail.video.names import for_ffmpeg

    t = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave = sum(np.sin(2 * np.pi * pitch * t) for pitch in (220.0, 277.18, 329.63))
    wave = wave * (0.05 + 0.02 * np.sin(2 * np.pi * 0.6 * t))
    samples = (wave * 32767).astype(np.int16)
    with av.open(for_ffmpeg(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for start in range(0, len(samples), 1024):
            block = samples[None, start : start + 1024]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = SOUND_RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pebbles(rng: np.random.Generator, shape: tuple[int, int], unit: float) -> Plane:
    """Colours (H, W, 3) of a bed of stones: cells of scattered points, lit from the upper left."""
    height, width = shape
    count = round(height * width / (30 * unit) ** 2)
    points = rng.uniform((0, 0), shape, (count, 2))
    y, x = np.mgrid[:height, :width]
    bends = [_noise(rng, shape, 9 * unit) * 3 * unit for _ in range(2)]
    places = np.stack([y + bends[0], x + bends[1]])
    stone, further = nearest_of(places, points, max(8, round(24 * unit)))
    relief = blurred(np.sqrt((further / (11 * unit)).clip(0, 1)), 1.6 * unit)
    slope = np.gradient(relief, axis=0) + np.gradient(relief, axis=1)
    tints = STONES[rng.integers(0, len(STONES), count)] * rng.uniform(0.75, 1.15, (count, 1))
    grain = 1 + 0.06 * _noise(rng, shape, 1.2 * unit) + 0.05 * _noise(rng, shape, 4 * unit)
    shade = (0.25 + 0.75 * relief) * (1 + 1.6 * unit * slope) * grain
    return (tints[stone] * shade[..., None]).astype(np.float32)


def nearest_of(
    places: NDArray[np.float64], points: NDArray[np.float64], side: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest point (N, 2) of every place (2, H, W), and how much further the second is.

    Both (H, W). Square by square, of `side` places: few points may be near to any of one.
    """
    nearest = np.empty(places.shape[1:], np.intp)
    further = np.empty(places.shape[1:])
    for top in range(0, places.shape[1], side):
        for left in range(0, places.shape[2], side):
            square = slice(top, top + side), slice(left, left + side)
            part = places[:, *square]
            low, high = part.min(axis=(1, 2)), part.max(axis=(1, 2))
            away = np.hypot(*(points - (low + high) / 2).T)
            close = np.flatnonzero(away <= np.partition(away, 1)[1] + np.hypot(*(high - low)))
            y, x = points[close].T[..., None, None]
            squares = (part[0] - y) ** 2 + (part[1] - x) ** 2
            first, one = squares.argmin(axis=0), squares.min(axis=0)
            np.put_along_axis(squares, first[None], np.inf, axis=0)
            nearest[square] = close[first]
            further[square] = np.sqrt(squares.min(axis=0)) - np.sqrt(one)
    return nearest, further


def _noise(rng: np.random.Generator, shape: tuple[int, int], blur: float) -> Plane:
    """Smooth noise of mean 0 and deviation 1 that continues across its borders."""
    rough = rng.standard_normal(shape, dtype=np.float32)
    smooth = blurred(rough, blur, "wrap")
    return (smooth - smooth.mean()) / smooth.std()


def _crop(texture: Plane, top: float, left: float, shape: tuple[int, int]) -> Plane:
    """Part of a texture at a fractional place, bilinear."""
    y, x = int(top), int(left)
    down, right = np.float32(top - y), np.float32(left - x)
    part = texture[y : y + shape[0] + 1, x : x + shape[1] + 1]
    rows = part[:-1] + (part[1:] - part[:-1]) * down
    return rows[:, :-1] + (rows[:, 1:] - rows[:, :-1]) * right


def _cover(part: Plane, colours: Plane, depth: Plane) -> NDArray[np.bool_]:
    """Paints colours inside an outline, in place; True where they are more than half opaque."""
    opaque = soft(depth, 1)
    part += (colours - part) * opaque[..., None]
    return opaque > 0.5
