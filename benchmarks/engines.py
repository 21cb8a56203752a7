"""Milliseconds of each function of a tracking network, by engine and precision.

    python benchmarks/engines.py --sizes 288,384,480 --objects 1

The functions are given what they are given in the middle of a video: memory is full.
"""

import argparse
import os
import statistics
import time
from typing import Any

import numpy as np

from masktrail.engines import Engine
from masktrail.errors import InputError
from masktrail.graphs.samples import Recorder
from masktrail.zoo import DEFAULT, load

RATIO = 16 / 9
"""Width over height of the pictures."""

WARM, ROUNDS = 15, 15
"""Frames before memory is full and everything is prepared, and frames that count."""


class Clocked(Recorder):
    """An engine whose functions are timed."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, ())
        self.seconds: dict[str, list[float]] = {}

    def run(self, function: str, *inputs: Any) -> Any:
        """See `Engine.run`."""
        before = time.perf_counter()
        outputs = super().run(function, *inputs)
        self.seconds.setdefault(function, []).append(time.perf_counter() - before)
        return outputs


def measured(engine: str, precision: str, size: int, objects: int) -> dict[str, float]:
    """Median milliseconds of every function, and of a whole `propagate` and `update`."""
    propagator = load(DEFAULT, "cpu", engine=engine, precision=precision).propagator
    clocked = Clocked(propagator.engine)
    propagator.engine = clocked
    rng = np.random.default_rng(0)
    width = round(size * RATIO / propagator.stride) * propagator.stride
    masks = {i: np.zeros((size // 2, width // 2), np.float32) for i in range(1, objects + 1)}
    for i, mask in masks.items():
        mask[size // 8 : size // 4, i * 16 : i * 16 + size // 8] = 1
    whole = []
    for step in range(WARM + ROUNDS):
        image = rng.integers(0, 256, (size, width, 3)).astype(np.uint8)
        begun = time.perf_counter()
        propagator.propagate(propagator.look(image), list(masks) if step else [])
        propagator.update(masks, dict.fromkeys(masks, 1.0), set() if step else set(masks))
        whole.append(time.perf_counter() - begun)
        if step == WARM:
            clocked.seconds.clear()
    medians = {name: statistics.median(s) * 1e3 for name, s in clocked.seconds.items()}
    return {**medians, "frame": statistics.median(whole[WARM:]) * 1e3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="288,384,480", help="short sides, pixels")
    parser.add_argument("--objects", default="1", help="how many, with commas")
    arguments = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    ways = [
        *(("torch", precision) for precision in ("float", "bfloat16")),
        *(("openvino", precision) for precision in ("float", "bfloat16", "int8")),
        *(("onnxruntime", precision) for precision in ("float", "int8")),
    ]
    names = ["encode", "lift", "memorize", "compare", "attend", "carry", "segment", "frame"]
    print(f"threads: {threads}; milliseconds, medians of {ROUNDS} frames")
    print("size objects engine      precision " + "".join(f"{name:>9}" for name in names))
    for size in map(int, arguments.sizes.split(",")):
        for objects in map(int, arguments.objects.split(",")):
            for engine, precision in ways:
                try:
                    row = measured(engine, precision, size, objects)
                except InputError as error:
                    print(f"{size:4} {objects:7} {engine:11} {precision:9} {error}")
                    continue
                figures = "".join(f"{row[name]:9.1f}" for name in names)
                print(f"{size:4} {objects:7} {engine:11} {precision:9}{figures}", flush=True)


if __name__ == "__main__":
    main()
