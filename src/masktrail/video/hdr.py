"""Pictures of high dynamic range made those of an ordinary screen, for eyes and networks alike.

Light is counted in units of reference white, 203 cd/m2 (ITU-R BT.2408), which is nearly white
again. What is brighter is drawn together above it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from masktrail.types import Image

PQ, HLG = 16, 18
"""Transfer characteristics of ITU-T H.273: SMPTE ST 2084, and hybrid log-gamma of BT.2100."""

WHITE = 203.0
"""Reference white, cd/m2."""

KNEE = 0.8
"""Of reference white: up to here light stays as it is."""

STEPS = 4096

TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""From the primaries of BT.2020 to those of BT.709 (ITU-R BT.2087)."""


def to_ordinary(picture: NDArray[np.uint16], transfer: int) -> Image:
    """A picture of high dynamic range as one of BT.709.

    Args:
        picture: RGB of BT.2020, uint16 (H, W, 3).
        transfer: `PQ` or `HLG`.
    """
    light = _light(transfer)[picture >> 4] @ TO_BT709.T
    place = np.sqrt(light.clip(0, None) * (STEPS**2 / _brightest(transfer)))
    return _shown(transfer)[place.astype(np.int32).clip(0, STEPS - 1)]


@cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Light of every value of 12 bits, in units of reference white."""
    value = np.linspace(0, 1, 2**12)
    light = _pq(value) if transfer == PQ else _hlg(value)
    return (light / WHITE).astype(np.float32)


def _brightest(transfer: int) -> float:
    return float(_light(transfer)[-1])


@cache
def _shown(transfer: int) -> NDArray[np.uint8]:
    """Bytes of an ordinary screen (IEC 61966-2-1), by the square root of light."""
    light = (np.arange(STEPS) / STEPS) ** 2 * _brightest(transfer)
    excess = np.maximum(light - KNEE, 0)
    light = np.minimum(light, KNEE) + excess * (1 - KNEE) / (excess + 1 - KNEE)
    value = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(value * 255).clip(0, 255).astype(np.uint8)


def _pq(value: NDArray[np.floating]) -> NDArray[np.floating]:
    """cd/m2 of a value (SMPTE ST 2084, the EOTF)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = value ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg(value: NDArray[np.floating]) -> NDArray[np.floating]:
    """cd/m2 of a value on a screen of 1,000 (BT.2100: inverse OETF, and the OOTF per channel)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    return 1000 * scene**1.2
