"""Paints the masks beside this file and works out their figures word for word: `python make.py`.

Nothing of the package is used: J, F and statistics are counted pixel by pixel as they are defined,
so that `expected.json` is a second opinion.
"""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
HEIGHT, WIDTH = 120, 160
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0]

Figures = dict[str, list[float]]


def disc(x: float, y: float, radius: float) -> np.ndarray:
    """Bool (H, W)."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def paint_one(t: int, found: bool) -> np.ndarray:
    """A disc that leaves the picture; what is found lags behind and misses a slice."""
    mask = disc(70 + 14 * t - (2 * t if found else 0), 60, 22)
    if found:
        mask[40 : 40 + 2 * t] = False
    return mask.astype(np.uint8)


def paint_two(t: int, found: bool) -> np.ndarray:
    """Two discs, the second in front, gone in frame 3; what is found still sees it there."""
    labels = disc(50 + 3 * t, 50, 24 + (found and t % 2)).astype(np.uint8)
    if t != 3 or found:
        labels[disc(95 - 5 * t + 2 * found, 70, 18)] = 2
    return labels


def contour(mask: np.ndarray) -> list[tuple[int, int]]:
    """Pixels that differ from their right, lower or diagonal neighbour inside the picture."""
    pixels = []
    for y in range(HEIGHT):
        for x in range(WIDTH):
            others = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            inside = [(j, i) for j, i in others if j < HEIGHT and i < WIDTH]
            if any(mask[p] != mask[y, x] for p in inside):
                pixels.append((y, x))
    return pixels


def share_near(pixels: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
    """Share of pixels that have one of the others within the tolerance."""
    reach = math.ceil(0.008 * math.sqrt(HEIGHT**2 + WIDTH**2)) ** 2
    near = sum(any((y - j) ** 2 + (x - i) ** 2 <= reach for j, i in others) for y, x in pixels)
    return near / len(pixels)


def measure(truth: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """J and F of one frame."""
    pairs = list(zip(truth.ravel().tolist(), found.ravel().tolist(), strict=True))
    union = sum(a or b for a, b in pairs)
    j = sum(a and b for a, b in pairs) / union if union else 1.0
    true_pixels, pixels = contour(truth), contour(found)
    if not true_pixels or not pixels:
        return j, float(not true_pixels and not pixels)
    precision, recall = share_near(pixels, true_pixels), share_near(true_pixels, pixels)
    return j, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def statistics(values: list[float]) -> dict[str, float]:
    """Mean, share above a half, and first quarter less last, whose ends are shared."""
    n = len(values)
    ends = [math.floor(1 + k * (n - 1) / 4 + 0.5 + 1e-10) - 1 for k in range(5)]
    first, last = values[ends[0] : ends[1] + 1], values[ends[3] : ends[4] + 1]
    return {
        "mean": sum(values) / n,
        "recall": sum(value > 0.5 for value in values) / n,
        "decay": sum(first) / len(first) - sum(last) / len(last),
    }


def save(path: Path, labels: np.ndarray, two_valued: bool) -> None:
    """A mask as PNG: 0 and 255 as in DAVIS-2016, or palette as in DAVIS-2017."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels * 255 if two_valued else labels)
    if not two_valued:
        picture.putpalette(PALETTE)
    picture.save(path)


def main() -> None:
    """Writes everything."""
    expected: dict[str, dict[str, Figures]] = {}
    for name, paint, frames, ids in (("one", paint_one, 8, [1]), ("two", paint_two, 7, [1, 2])):
        truths = [paint(t, False) for t in range(frames)]
        founds = [paint(t, True) for t in range(frames)]
        for t in range(frames):
            image = HERE / f"data/JPEGImages/480p/{name}/{t:05d}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (WIDTH, HEIGHT), 128).save(image)
            save(HERE / f"data/Annotations/480p/{name}/{t:05d}.png", truths[t], name == "one")
            save(HERE / f"masks/{name}/{t:05d}.png", founds[t], name == "one")
        expected[name] = {}
        for i in ids:
            pairs = [measure(truths[t] == i, founds[t] == i) for t in range(1, frames - 1)]
            figures = {"J": [j for j, _ in pairs], "F": [f for _, f in pairs]}
            stats = {m: statistics(figures[m]) for m in "JF"}
            expected[name][str(i)] = {**stats, "per_frame": figures}  # type: ignore[dict-item]
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
