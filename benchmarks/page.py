"""How fast the page answers: opening a video, and the mask after a box or a click.

    python benchmarks/page.py --data DATA

The server runs in this process, without a browser. Every sequence of the data set is opened as a
folder of pictures; then its first object is marked by the box of its true mask, and by a click in
the middle of it. A time is from the mark's sending to the mask's arrival, the marks saved on disk
between. The first mask after start, which waits for weights, is left out.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fastapi.testclient import TestClient
from scipy import ndimage

from masktrail.data.davis import find_sequences
from masktrail.masks import tight_box
from masktrail.web.serve import make_shelf
from masktrail.web.server import create_app

PORT, TOKEN = 8123, "benchmark"


def main() -> None:
    """Parses the arguments and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    arguments = parser.parse_args()
    sequences = find_sequences(arguments.data)
    folders = {s.name: s.frames[0].parent for s in sequences}
    with TemporaryDirectory() as scratch:
        shelf = make_shelf(None, [*folders.values()], Path(scratch), 100)
        app = create_app(shelf, TOKEN, PORT)
        with TestClient(app, base_url=f"http://127.0.0.1:{PORT}") as client:
            client.get("/", params={"token": TOKEN})
            times = [measure(client, folders[s.name], s.truth(0)) for s in sequences]
    for name, durations in zip(
        ("first frame", "box", "click"), zip(*times[1:], strict=True), strict=True
    ):
        middle, most = statistics.median(durations), max(durations)
        print(f"{name:>12}: median {middle:.2f} s, longest {most:.2f} s, of {len(durations)}")


def measure(client: TestClient, folder: Path, truth: np.ndarray) -> tuple[float, float, float]:
    """Seconds to the first frame, to the mask of a box, and to that of a click."""
    begun = time.perf_counter()
    opened = client.post("/api/open", json={"path": str(folder)})
    assert opened.status_code == 200, opened.text
    client.get("/api/frames/0")
    first = time.perf_counter() - begun
    time.sleep(3)  # as long as it takes to look and to draw
    mask = truth == truth[truth > 0].min()
    depth = ndimage.distance_transform_edt(mask)
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    box = {"box": tight_box(mask), "points": []}
    click = {"box": None, "points": [[x + 0.5, y + 0.5, True]]}
    return first, preview(client, box), preview(client, click)


def preview(client: TestClient, prompt: dict) -> float:
    """Seconds from a mark to its mask."""
    prompt = {**prompt, "mask": None}
    mark = {
        "objects": [{"id": 1, "name": "object", "color": "#e11d48"}],
        "prompts": {"0": {"1": prompt}},
    }
    begun = time.perf_counter()
    assert client.put("/api/mark", json=mark).status_code == 200
    assert client.get("/api/labels/0").status_code == 200
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
