"""How far off estimates of optical flow are, on dreams, whose flow is known exactly.

    python benchmarks/flow.py [--model lucid] [--pictures STILLS] [--count 40] [--size 384]

Of each picture two dreams are made. Printed are, for DIS and for the model's own network, the mean
error and the share of pixels that are off by less than one pixel, where flow is known, and the
milliseconds of a pair; beside them the same of saying that nothing moves. `--pictures` is a folder
as `data.stills.find_stills` takes it, of which every so many-th is taken; without it one is
painted.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dreams import painted
from masktrail.data.stills import find_stills
from masktrail.dreams.dreamer import Dreamer
from masktrail.flow.estimators import Dis, Estimator
from masktrail.masks import read_labels
from masktrail.zoo import load


def pictures(root: Path | None, count: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures (S, S, 3) and their label maps (S, S)."""
    if root is None:
        yield painted(size)
        return
    stills = find_stills(root)
    for still in stills[:: max(1, len(stills) // count)][:count]:
        labels = Image.fromarray(read_labels(still.annotations[0])[0].astype(np.uint8))
        image = Image.open(still.frames[0]).convert("RGB")
        yield (
            np.array(image.resize((size, size), Image.Resampling.BICUBIC)),
            np.array(labels.resize((size, size), Image.Resampling.NEAREST)),
        )


def estimators(model: str) -> dict[str, Estimator]:
    """By name."""
    learned = load(model, "cpu", settings={"flow": "learned", "budget": 0}).propagator
    return {
        "nothing moves": lambda first, second: np.zeros((*first.shape[:2], 2), np.float32),
        "DIS": Dis("This benchmark"),
        "learned": learned.motion.estimator,  # type: ignore[attr-defined]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lucid")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--size", type=int, default=384)
    arguments = parser.parse_args()
    tried = estimators(arguments.model)
    errors, close, seconds = (defaultdict[str, list[float]](list) for _ in range(3))
    chosen = pictures(arguments.pictures, arguments.count, arguments.size)
    for number, (image, labels) in enumerate(chosen):
        ids = torch.from_numpy(labels.astype(np.int32))
        dreams = Dreamer(torch.from_numpy(image), ids, number).draw(2)
        pixels = (dreams.images * 255).round().byte().permute(0, 1, 3, 4, 2).numpy()
        for (before, now), truth, valid in zip(
            pixels, dreams.backward[:, 0].numpy(), dreams.backward_valid[:, 0].numpy(), strict=True
        ):
            for name, estimate in tried.items():
                begun = time.perf_counter()
                flow = estimate(now, before)
                seconds[name].append(time.perf_counter() - begun)
                off = np.linalg.norm(flow - truth, axis=2)[valid]
                errors[name].append(float(off.mean()))
                close[name].append(float((off < 1).mean()))
    for name in tried:
        print(
            f"{name}: {np.mean(errors[name]):.2f} px off (median picture "
            f"{statistics.median(errors[name]):.2f}), {np.mean(close[name]):.1%} within a pixel, "
            f"{1000 * statistics.median(seconds[name]):.0f} ms"
        )


if __name__ == "__main__":
    main()
