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
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from masktrail.masks import write_labels
from masktrail.types import Frame, Image, LabelMap, VideoInfo

Plane = NDArray[np.float32]
RATE = 25
SOUND_RATE = 44100
PAN = (36.0, 110.0)
"""How far the camera travels down and right during the clip, pixels of a 480-line picture."""
DRIFT = 50.0
"""How far the light sways either way, pixels of a 480-line picture."""
STONES = np.array([[112, 104, 92], [146, 132, 110], [88, 90, 88], [164, 154, 138], [120, 92, 70]])
WATER = np.array([28, 84, 82], np.float32)
# Half width of the body from tail root to nose, in body lengths.
BODY = PchipInterpolator(
    [-0.36, -0.25, -0.05, 0.15, 0.3, 0.42, 0.485, 0.5],
    [0.014, 0.026, 0.062, 0.09, 0.088, 0.062, 0.03, 0],
)


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
    from masktrail.video.writer import VideoWriter

    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    pond = Pond.make(size, seed)
    with TemporaryDirectory() as scratch:
        tone = Path(scratch) / "tone.m4a"
        write_tone(tone, frames / RATE)
        base = Fraction(1, RATE)
        info = VideoInfo(str(tone), *size, Fraction(RATE), base, frames=frames, has_audio=True)
        with VideoWriter(folder / "demo.mp4", info, crf=18) as writer:
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
            image[part] *= (1 - 0.45 * _soft(thing.depth(x - dx, y - dy), blur))[..., None]
        image += (WATER - image) * np.float32(0.25)
        labels = np.zeros(image.shape[:2], np.uint8)
        part, x, y = self._window(koi.x, koi.y, koi.reach)
        lit = (0.88 + 0.25 * light[part]) * (1 - 0.4 * _soft(pad.depth(x - 8, y - 14), 8))
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
        return (rows, columns), _plane(xs / unit - left), _plane(ys / unit)

    def _ground(self, progress: float) -> Plane:
        width, height = self.size
        down, right = (distance * height / 480 * progress for distance in PAN)
        return _crop(self.ground, down, right, (height, width))

    def _light(self, seconds: float) -> Plane:
        """Caustics, 0 to 1: bright where two drifting noises are equal, (H, W)."""
        width, height = self.size
        unit = height / 480
        away = [DRIFT * unit * (1 + math.sin(s * seconds)) for s in (0.5, 0.41, -0.37, -0.55)]
        one = _crop(self.waves[0], away[0], away[1], (height, width))
        two = _crop(self.waves[1], away[2], away[3], (height, width))
        return np.exp(-5 * np.abs(one - two)).astype(np.float32)


@dataclass(frozen=True)
class Koi:
    """A fish seen from above; lengths in pixels of a 480-line picture."""

    x: float
    y: float
    heading: float
    length: float
    phase: float

    @property
    def reach(self) -> float:
        """Radius of a circle around (x, y) that holds all of it."""
        return 0.62 * self.length

    @classmethod
    def at(cls, progress: float, seconds: float) -> Koi:
        """Where the koi is: it swims a long S from left to right, rising a little."""
        turn = 2 * math.pi * progress
        slope = -150 + 75 * math.cos(1.15 * turn) * 1.15 * 2 * math.pi * 0.6
        return cls(
            x=192 + 468 * progress,
            y=320 - 150 * progress + 45 * math.sin(1.15 * turn),
            heading=math.atan2(slope, 500) * 0.9,
            length=285 + 50 * progress,
            phase=2 * math.pi * 1.3 * seconds,
        )

    def depth(self, x: Plane, y: Plane) -> Plane:
        """How deep inside the outline each point lies, in pixels; negative outside."""
        u, v = self._local(x, y)
        inside = np.maximum.reduce([self._body(u, v), self._tail(u, v), self._fins(u, v)])
        return inside * np.float32(self.length)

    def colours(self, x: Plane, y: Plane, skin: Plane) -> Plane:
        """RGB (H, W, 3), 0 to 255: patches, scales, roundness, eyes; rays on the fins."""
        u, v = self._local(x, y)
        half = _half_width(u)
        noise = _sample(skin, (v + 0.5) * 256, (u + 0.6) * 430)
        orange, black = _soft(noise + 0.4, 0.12), _soft(noise - 1.1, 0.12)
        flesh = _mix([238, 230, 214], [226, 88, 26], orange)
        flesh = _mix(flesh, [36, 34, 38], black)
        scales = 1 + 0.07 * np.sin(u * 150) * np.sin(v * 150)
        side = (v / half.clip(0.012, None)).clip(-1, 1)
        round_ = 1.06 - 0.5 * side**2 + 0.16 * np.exp(-(((side + 0.35) / 0.2) ** 2))
        flesh = flesh * (scales * round_ * (1 - 0.22 * np.exp(-((side / 0.1) ** 2))))[..., None]
        eyes = _soft(0.011 - np.hypot(u - 0.415, np.abs(v) - 0.05), 0.004)
        flesh = _mix(flesh, [14, 12, 12], eyes)
        # Rays of a fin spread from its root: at the shoulder, the hip or the end of the spine.
        root_u = np.select([u > 0.06, u > -0.2], [0.26, -0.01], -0.27)
        root_v = np.select([u > 0.06, u > -0.2], [0.06, 0.04], 0.0)
        rays = 0.9 + 0.1 * np.sin(np.arctan2(np.abs(v) - root_v, u - root_u) * 36)
        membrane = _mix([240, 214, 188], [236, 138, 72], _soft(noise, 0.8)) * rays[..., None]
        return _mix(membrane, flesh, _soft(self._body(u, v), 0.006))

    def _local(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Points along (u, nose at 0.5) and across (v) the bending body, in body lengths."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        u = _plane(((x - self.x) * cos + (y - self.y) * sin) / self.length)
        v = ((y - self.y) * cos - (x - self.x) * sin) / np.float32(self.length)
        reach = (0.42 - u).clip(0, None) ** 2
        return u, _plane(v - 0.13 * reach * np.sin(5.2 * u + self.phase))

    def _body(self, u: Plane, v: Plane) -> Plane:
        return np.minimum(_half_width(u) - np.abs(v), u + 0.38)

    def _tail(self, u: Plane, v: Plane) -> Plane:
        back = -0.3 - u
        spread = 0.012 + 0.42 * back.clip(0, None) ** 0.9 - np.abs(v)
        fork = u + 0.545 - 0.07 * np.cos((v / 0.1).clip(-1.6, 1.6) * 1.9)
        return np.minimum(np.minimum(spread, fork), back)

    def _fins(self, u: Plane, v: Plane) -> Plane:
        beat = 0.12 * math.sin(self.phase * 0.7)
        front = _lobe(u - 0.2, _plane(np.abs(v) - 0.075), 0.85 + beat, 0.15, 0.042)
        rear = _lobe(u + 0.06, _plane(np.abs(v) - 0.055), 0.6 - beat, 0.09, 0.026)
        return np.maximum(front, rear)


@dataclass(frozen=True)
class LilyPad:
    """A floating leaf that drifts across in front; lengths in pixels of a 480-line picture."""

    x: float
    y: float
    radius: float
    angle: float

    @property
    def reach(self) -> float:
        """Radius of a circle around (x, y) that holds all of it."""
        return 1.1 * self.radius

    @classmethod
    def at(cls, progress: float) -> LilyPad:
        """Where the pad is: it comes from the upper right and meets the koi in the middle."""
        return cls(730 - 560 * progress, 40 + 330 * progress, 92, 0.9 + 0.9 * progress)

    def depth(self, x: Plane, y: Plane) -> Plane:
        """How deep inside the outline each point lies, in pixels; negative outside."""
        r, angle = self._polar(x, y)
        rim = self.radius * (1 + 0.025 * np.sin(5 * angle) + 0.015 * np.sin(9 * angle + 1))
        notch = r * np.sin((np.abs(angle) - 0.2).clip(-1.5, 1.5))
        return np.minimum(rim - r, np.where(np.abs(angle) < 1.5, notch, r + 9)).astype(np.float32)

    def colours(self, x: Plane, y: Plane, leaf: Plane) -> Plane:
        """RGB (H, W, 3), 0 to 255: veins from the middle, mottling, a pale rim."""
        r, angle = self._polar(x, y)
        share = r / self.radius
        mottle = _sample(leaf, 256 + r * np.sin(angle), 256 + r * np.cos(angle))
        veins = np.exp(-((np.sin(angle * 7) * (0.25 + share) / 0.16) ** 2)) * (1.05 - share)
        green = _mix([58, 118, 44], [116, 158, 60], (0.3 + 0.16 * mottle + 0.55 * veins).clip(0, 1))
        rim = np.exp(-(((share - 0.98) / 0.05) ** 2))
        lit = 0.92 + 0.14 * np.cos(angle + self.angle + 2.2) * share
        return _mix(green * lit[..., None], [164, 150, 84], 0.6 * rim)

    def _polar(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        dx, dy = x - self.x, y - self.y
        angle = np.arctan2(dy, dx) - self.angle
        return np.hypot(dx, dy), (angle + np.pi) % (2 * np.pi) - np.pi


def write_tone(path: Path, seconds: float) -> None:
    """Writes a soft chord as AAC, mono, 44.1 kHz."""
    import av

    t = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave = sum(np.sin(2 * np.pi * pitch * t) for pitch in (220.0, 277.18, 329.63))
    wave = wave * (0.05 + 0.02 * np.sin(2 * np.pi * 0.6 * t))
    samples = (wave * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
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
    places = np.stack([y + bends[0], x + bends[1]], -1).reshape(-1, 2)
    near, stone = cKDTree(points).query(places, k=2)
    gap = ((near[:, 1] - near[:, 0]).reshape(shape) / (11 * unit)).clip(0, 1)
    relief = gaussian_filter(np.sqrt(gap), 1.6 * unit)
    slope = np.gradient(relief, axis=0) + np.gradient(relief, axis=1)
    tints = STONES[rng.integers(0, len(STONES), count)] * rng.uniform(0.75, 1.15, (count, 1))
    grain = 1 + 0.06 * _noise(rng, shape, 1.2 * unit) + 0.05 * _noise(rng, shape, 4 * unit)
    shade = (0.25 + 0.75 * relief) * (1 + 1.6 * unit * slope) * grain
    return (tints[stone[:, 0]].reshape(height, width, 3) * shade[..., None]).astype(np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, int], blur: float) -> Plane:
    """Smooth noise of mean 0 and deviation 1 that continues across its borders."""
    rough = rng.standard_normal(shape, dtype=np.float32)
    smooth = gaussian_filter(rough, blur, mode="wrap")
    return (smooth - smooth.mean()) / smooth.std()


def _crop(texture: Plane, top: float, left: float, shape: tuple[int, int]) -> Plane:
    """Part of a texture at a fractional place, bilinear."""
    y, x = int(top), int(left)
    down, right = np.float32(top - y), np.float32(left - x)
    part = texture[y : y + shape[0] + 1, x : x + shape[1] + 1]
    rows = part[:-1] + (part[1:] - part[:-1]) * down
    return rows[:, :-1] + (rows[:, 1:] - rows[:, :-1]) * right


def _plane(values: NDArray[Any]) -> Plane:
    return values.astype(np.float32)


def _sample(texture: Plane, y: Plane, x: Plane) -> Plane:
    """Texture values at points (y, x), repeated beyond its borders, bilinear."""
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, right = y - top, x - left
    rows, columns = texture.shape
    t, b = top % rows, (top + 1) % rows
    le, r = left % columns, (left + 1) % columns
    upper = texture[t, le] * (1 - right) + texture[t, r] * right
    lower = texture[b, le] * (1 - right) + texture[b, r] * right
    return upper * (1 - down) + lower * down


def _half_width(u: Plane) -> Plane:
    along = np.linspace(-0.36, 0.5, 256)
    return np.interp(u, along, BODY(along), left=0.014, right=-1).astype(np.float32)


def _lobe(u: Plane, v: Plane, angle: float, length: float, width: float) -> Plane:
    """A fin that springs from the origin and points back and out; inside is positive."""
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = -u * cos + v * sin - length / 2, u * sin + v * cos
    return (1 - np.hypot(along / (length * 0.62), across / width)) * np.float32(width)


def _soft(depth: Plane, blur: float) -> Plane:
    """Coverage 0 to 1 from depth inside an outline, its edge `blur` pixels wide."""
    return (depth / np.float32(blur) + 0.5).clip(0, 1)


def _cover(part: Plane, colours: Plane, depth: Plane) -> NDArray[np.bool_]:
    """Paints colours inside an outline, in place; True where they are more than half opaque."""
    opaque = _soft(depth, 1)
    part += (colours - part) * opaque[..., None]
    return opaque > 0.5


def _mix(first: Any, second: Any, share: Plane) -> Plane:
    """Colours (H, W, 3): the first where share (H, W) is 0, the second where it is 1."""
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return a + (b - a) * share[..., None].astype(np.float32)
