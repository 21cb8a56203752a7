"""What moves in the demo clip, as outlines and colours computed for every pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def through(
    x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A smooth curve through three points or more, rising and falling where these do.

    Source: PCHIP (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 1984): cubics whose slope at a
    point is a harmonic mean of those to its neighbours; at the ends it is that of a parabola.

    Args:
        x: of the points (N,), ascending.
        y: of the points (N,).
        at: x of the values asked for, between the first and the last point.
    """
    step = np.diff(x)
    rise = np.diff(y) / step
    before, after = step[:-1] + 2 * step[1:], 2 * step[:-1] + step[1:]
    turning = rise[:-1] * rise[1:] <= 0
    slow, fast = np.where(turning, 1, rise[:-1]), np.where(turning, 1, rise[1:])
    inner = np.where(turning, 0, (before + after) / (before / slow + after / fast))
    near, far = step[[0, -1]], step[[1, -2]]
    ends = ((2 * near + far) * rise[[0, -1]] - near * rise[[1, -2]]) / (near + far)
    slope = np.concatenate([ends[:1], inner, ends[1:]])
    cubic = (slope[:-1] + slope[1:] - 2 * rise) / step
    square = (rise - slope[:-1]) / step - cubic
    i = np.searchsorted(x[1:-1], at, "right")
    away = at - x[i]
    return y[i] + away * (slope[i] + away * (square[i] + away * (cubic / step)[i]))


ALONG = np.linspace(-0.36, 0.5, 256)
HALF_WIDTH = through(
    np.array([-0.36, -0.25, -0.05, 0.15, 0.3, 0.42, 0.485, 0.5]),
    np.array([0.014, 0.026, 0.062, 0.09, 0.088, 0.062, 0.03, 0]),
    ALONG,
)
"""Of the body from tail root to nose, in body lengths."""


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
        orange, black = soft(noise + 0.4, 0.12), soft(noise - 1.1, 0.12)
        flesh = _mix([238, 230, 214], [226, 88, 26], orange)
        flesh = _mix(flesh, [36, 34, 38], black)
        scales = 1 + 0.07 * np.sin(u * 150) * np.sin(v * 150)
        side = (v / half.clip(0.012, None)).clip(-1, 1)
        round_ = 1.06 - 0.5 * side**2 + 0.16 * np.exp(-(((side + 0.35) / 0.2) ** 2))
        flesh = flesh * (scales * round_ * (1 - 0.22 * np.exp(-((side / 0.1) ** 2))))[..., None]
        eyes = soft(0.011 - np.hypot(u - 0.415, np.abs(v) - 0.05), 0.004)
        flesh = _mix(flesh, [14, 12, 12], eyes)
        # Rays of a fin spread from its root: at the shoulder, the hip or the end of the spine.
        root_u = np.select([u > 0.06, u > -0.2], [0.26, -0.01], -0.27)
        root_v = np.select([u > 0.06, u > -0.2], [0.06, 0.04], 0.0)
        rays = 0.9 + 0.1 * np.sin(np.arctan2(np.abs(v) - root_v, u - root_u) * 36)
        membrane = _mix([240, 214, 188], [236, 138, 72], soft(noise, 0.8)) * rays[..., None]
        return _mix(membrane, flesh, soft(self._body(u, v), 0.006))

    def _local(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Points along (u, nose at 0.5) and across (v) the bending body, in body lengths."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        u = plane(((x - self.x) * cos + (y - self.y) * sin) / self.length)
        v = ((y - self.y) * cos - (x - self.x) * sin) / np.float32(self.length)
        reach = (0.42 - u).clip(0, None) ** 2
        return u, plane(v - 0.13 * reach * np.sin(5.2 * u + self.phase))

    def _body(self, u: Plane, v: Plane) -> Plane:
        return np.minimum(_half_width(u) - np.abs(v), u + 0.38)

    def _tail(self, u: Plane, v: Plane) -> Plane:
        back = -0.3 - u
        spread = 0.012 + 0.42 * back.clip(0, None) ** 0.9 - np.abs(v)
        fork = u + 0.545 - 0.07 * np.cos((v / 0.1).clip(-1.6, 1.6) * 1.9)
        return np.minimum(np.minimum(spread, fork), back)

    def _fins(self, u: Plane, v: Plane) -> Plane:
        beat = 0.12 * math.sin(self.phase * 0.7)
        front = _lobe(u - 0.2, plane(np.abs(v) - 0.075), 0.85 + beat, 0.15, 0.042)
        rear = _lobe(u + 0.06, plane(np.abs(v) - 0.055), 0.6 - beat, 0.09, 0.026)
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


def plane(values: NDArray[Any]) -> Plane:
    """The values as float32."""
    return values.astype(np.float32)


def soft(depth: Plane, blur: float) -> Plane:
    """Coverage 0 to 1 from depth inside an outline, its edge `blur` pixels wide."""
    return (depth / np.float32(blur) + 0.5).clip(0, 1)


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


def _mix(first: Any, second: Any, share: Plane) -> Plane:
    """Colours (H, W, 3): the first where share (H, W) is 0, the second where it is 1."""
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return a + (b - a) * share[..., None].astype(np.float32)


def _half_width(u: Plane) -> Plane:
    return np.interp(u, ALONG, HALF_WIDTH, left=0.014, right=-1).astype(np.float32)


def _lobe(u: Plane, v: Plane, angle: float, length: float, width: float) -> Plane:
    """A fin that springs from the origin and points back and out; inside is positive."""
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = -u * cos + v * sin - length / 2, u * sin + v * cos
    return (1 - np.hypot(along / (length * 0.62), across / width)) * np.float32(width)
