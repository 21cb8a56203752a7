"""How long J and F take: `python benchmarks/metric.py` (data under MASKTRAIL_DATA).

Scores the 664 frames of davis2016-dev10 that the DAVIS protocol takes with the masks of a
published method, on one core: first the measures alone, then everything with reading of files.
"""

import os
import time
from pathlib import Path

from masktrail.data.davis import find_sequences
from masktrail.evaluate.folders import measure_folder
from masktrail.evaluate.measures import contour_accuracy, region_similarity
from masktrail.masks import read_labels

DATA = Path(os.environ.get("MASKTRAIL_DATA", "../shared/data"))
METHOD = "stm"


def main() -> None:
    """Prints processor seconds and seconds."""
    root, masks = DATA / "davis2016-dev10", DATA / "davis2016-dev10-reference" / METHOD
    frames = measures = 0.0
    for sequence in find_sequences(root):
        for index in range(1, len(sequence) - 1):
            truth = sequence.truth(index)
            assert truth is not None
            mask, _ = read_labels(masks / sequence.name / f"{sequence.frames[index].stem}.png")
            before = time.process_time()
            region_similarity(truth, mask)
            contour_accuracy(truth, mask)
            measures += time.process_time() - before
            frames += 1
    begun, worked = time.perf_counter(), time.process_time()
    figures = measure_folder(masks, root)
    worked, passed = time.process_time() - worked, time.perf_counter() - begun
    print(f"J and F of {frames:.0f} frames of 480p: {measures:.1f} s of one core")
    print(f"with reading and checking of files: {worked:.1f} s of one core, {passed:.1f} s passed")
    print(f"J&F of {METHOD}: {figures['J&F']:.4f}")


if __name__ == "__main__":
    main()
