"""Clips drawn per second: from pictures decoded on the fly, and from packed arrays.

    python benchmarks/loader.py [--data ROOT] [--recipe recipes/memory-s.toml]
        [--seconds 4] [--rounds 3] [--plot loading.png]

A clip is two consecutive frames of DAVIS-2016 train with the masks of their object, at 256x256, as
float32 tensors. `folders` decodes pictures and resizes them whenever a clip is drawn; `packed`
draws from a pack made of the same folders beforehand. Both go through the loader of the training,
with 0, 1 and 2 workers, one thread each, and draw the same clips, bit for bit, which is checked
first. Sources and numbers of workers take turns; medians are printed. All files have been read
before, so that neither waits for the disk.

Beside them: the clips per second that a training step of the recipe's last stage takes, on clips
that are there already, and, where there is a GPU, how busy it is during a minute of training (which
needs the recipe's packs).
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.data.pack import open_pack
from masktrail.data.packing import write_pack
from masktrail.data.synth import Clips
from masktrail.devices import choose_device, fast_autocast
from masktrail.families import create
from masktrail.recipe import Recipe, Stage
from masktrail.train.loading import Loader
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import Step

DATA = Path(os.environ.get("MASKTRAIL_DATA", "../shared/data")) / "davis2016-train"
SIZE, BATCH, WORKERS, STEPS = 256, 8, (0, 1, 2), 5
RESIZE = {"image": Image.Resampling.BICUBIC, "mask": Image.Resampling.NEAREST}
"""Those of packing."""


class Reader:
    """Draws clips by their place among all frames of a data set."""

    def __init__(self, firsts: list[int], seed: int) -> None:
        self.firsts = torch.tensor(firsts)
        self.generator = torch.Generator().manual_seed(seed)

    def pixels(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Images uint8 (R, S, S, 3) and masks uint8 (R, S, S), 0 or 1."""
        raise NotImplementedError


class Folders(Reader):
    """Decodes pictures and resizes them."""

    def __init__(self, root: Path, size: int, seed: int) -> None:
        sequences = find_sequences(root)
        self.files = [pair for s in sequences for pair in zip(s.frames, s.annotations, strict=True)]
        self.size = size
        super().__init__(_firsts([len(s) for s in sequences]), seed)

    def pixels(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Reader`."""
        images, masks = [], []
        for image, mask in (self.files[row] for row in rows):
            with Image.open(image) as picture:
                small = picture.convert("RGB").resize((self.size, self.size), RESIZE["image"])
                images.append(np.asarray(small))
            with Image.open(mask) as picture:
                small = picture.resize((self.size, self.size), RESIZE["mask"])
                masks.append((np.asarray(small) > 0).view(np.uint8))
        return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(masks))


class Packed(Reader):
    """Takes rows out of memory-mapped arrays."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.pack = open_pack(folder)
        super().__init__(_firsts([s.count for s in self.pack.sequences]), seed)

    def pixels(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Reader`."""
        index = torch.tensor(rows)  # copies whole frames, unlike `images[rows]`
        images, labels = (x.index_select(0, index) for x in (self.pack.images, self.pack.labels))
        return images, labels.clamp_(max=1)


def _firsts(counts: list[int]) -> list[int]:
    """Rows that another row of the same sequence follows."""
    ends = np.cumsum(counts) - 1
    return sorted(set(range(sum(counts))) - set(ends.tolist()))


def draw(reader: Reader, stage: Stage) -> Clips:
    """Clips of two frames: images (B, 2, 3, S, S) in [0, 1], masks (B, 2, 1, S, S), float32."""
    chosen = torch.randint(len(reader.firsts), (stage.batch,), generator=reader.generator)
    rows = torch.stack([reader.firsts[chosen], reader.firsts[chosen] + 1], 1)
    images, masks = reader.pixels(rows.flatten().tolist())
    images = images.permute(0, 3, 1, 2).float().div_(255).unflatten(0, rows.shape)
    masks = masks.float().unflatten(0, rows.shape)[:, :, None]
    return Clips(images, masks, masks[:, 0].amax((2, 3)) > 0)


@dataclass
class Rates:
    """Clips per second of every round, by source and number of workers."""

    rounds: dict[tuple[str, int], list[float]]

    def median(self, source: str, workers: int) -> float:
        """Of all rounds."""
        return statistics.median(self.rounds[source, workers])


def compare(root: Path, scratch: Path, size: int, seconds: float, rounds: int) -> Rates:
    """Packs the data set at `root` into `scratch`, checks that the clips are the same, and measures
    both sources in turn."""
    write_pack(find_sequences(root), scratch / "pack", size, size)
    sources: dict[str, Callable[[int], Reader]] = {
        "folders": partial(Folders, root, size),
        "packed": partial(Packed, scratch / "pack"),
    }
    stage = Stage(batch=BATCH)
    for _ in range(3):
        require_equal(*(draw(make(0), stage) for make in sources.values()))
    runs: dict[tuple[str, int], list[float]] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker has
    for _ in range(rounds):
        for workers in WORKERS:
            for source, make in sources.items():
                rate = clips_per_second(make, workers, seconds)
                runs.setdefault((source, workers), []).append(rate)
    torch.set_num_threads(threads)
    return Rates(runs)


def require_equal(one: Clips, other: Clips) -> None:
    """Stops where two batches of clips are not the same bit for bit."""
    expected, found = one.tensors(), other.tensors()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert tensor.dtype == found[name].dtype and torch.equal(tensor, found[name])


def clips_per_second(make: Callable[[int], Reader], workers: int, seconds: float) -> float:
    """Of a loader that runs already."""
    loader = Loader(make, draw, Recipe(stages=(Stage(batch=BATCH),)), workers)
    batches = iter(loader)
    for _ in islice(batches, 4 * workers + 1):  # what the workers drew while nobody asked
        pass
    begun, clips = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        clips += len(next(batches)[1].images)
    rate = clips / (time.perf_counter() - begun)
    loader.close()
    return rate


def step_rate(recipe: Recipe, device: torch.device, steps: int = STEPS) -> float:
    """Clips that a training step at the last stage takes per second: both passes, and AdamW."""
    stage = recipe.stages[-1]
    network = create(recipe.family, **recipe.model).to(device)
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith(recipe.frozen or ("?",))
    module = Step(network, recipe.family)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, 1e-6)
    shape = (stage.batch, stage.clips.frames)
    images = torch.rand(*shape, 3, stage.clips.size, stage.clips.size, device=device)
    masks = (images[:, :, :1] > 0.5).float()
    clips = Clips(images, masks, torch.ones(stage.batch, 1, dtype=torch.bool, device=device))
    passed = []
    for _ in range(steps + 2):
        begun = time.perf_counter()
        with fast_autocast(device):
            loss = module(clips, stage).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()  # waits for a GPU
        passed.append(time.perf_counter() - begun)
    return stage.batch / statistics.median(passed[2:])


def gpu_use(recipe: Path, scratch: Path, minutes: float = 1.0) -> float:
    """Mean utilisation, percent, of the first GPU while a recipe is trained by.

    The first 20 seconds, in which everything is loaded, are left out.
    """
    command = [sys.executable, "-m", "masktrail.train", str(recipe), "--device", "cuda"]
    options = ["--minutes", str(minutes + 1 / 3), "--out", str(scratch / "run")]
    ask = ["nvidia-smi", "-i", "0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    samples = []
    training = subprocess.Popen([*command, *options])
    begun = time.monotonic()
    while training.poll() is None:
        time.sleep(1)
        if 20 < time.monotonic() - begun < 20 + 60 * minutes:
            samples.append(float(subprocess.check_output(ask, text=True)))
    if training.returncode or not samples:
        raise SystemExit(f"Training by {recipe} failed; are its packs there?")
    return statistics.mean(samples)


def table(rates: Rates) -> str:
    """The rates, and how many times faster packed arrays are."""
    lines = [f"{'workers':>7} {'folders':>10} {'packed':>10} {'ratio':>6}   clips/s"]
    for workers in WORKERS:
        folders, packed = (rates.median(source, workers) for source in ("folders", "packed"))
        lines.append(f"{workers:7d} {folders:10.1f} {packed:10.1f} {packed / folders:6.1f}")
    return "\n".join(lines)


def plot(rates: Rates, steps: dict[str, float]) -> Figure:
    """Bars of the rates, and lines across at what training steps take, clips/s by name."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for number, source in enumerate(("folders", "packed")):
        places = [k + (number - 0.5) * 0.36 for k in range(len(WORKERS))]
        heights = [rates.median(source, workers) for workers in WORKERS]
        axes.bar_label(axes.bar(places, heights, 0.34, label=source), fmt="{:.0f}", padding=2)
    for name, rate in steps.items():
        axes.axhline(rate, color="#1f2933", linestyle="--", label=f"{name}: {rate:.3g}")
    axes.set(yscale="log", ylabel="clips/s", xlim=(-0.5, len(WORKERS) - 0.5))
    axes.set_xticks(range(len(WORKERS)), WORKERS)
    axes.set_xlabel("workers")
    axes.margins(y=0.15)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def main() -> None:
    """Parses the arguments, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/memory-s.toml"))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, help="PNG")
    arguments = parser.parse_args()
    recipe, device = read_recipe(arguments.recipe), choose_device("auto")
    print(
        f"Clips of 2 frames at {SIZE}x{SIZE}, batches of {BATCH}, {os.cpu_count()} cores:",
        flush=True,
    )
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        rates = compare(arguments.data, scratch, SIZE, arguments.seconds, arguments.rounds)
        print(table(rates), flush=True)
        clips = recipe.stages[-1].clips
        what = f"{clips.frames} frames at {clips.size}x{clips.size}, on {device}"
        rate = step_rate(recipe, device)
        print(
            f"A training step of {arguments.recipe} takes {rate:.1f} clips/s ({what}).", flush=True
        )
        if arguments.plot:
            steps = {f"a training step of {arguments.recipe.stem} on {device}": rate}
            plot(rates, steps).savefig(arguments.plot, dpi=110, format="png")
        if shutil.which("nvidia-smi") is None or not torch.cuda.is_available():
            print("There is no GPU here, so its utilisation was not measured.")
            return
        print(f"Utilisation of the GPU over a minute: {gpu_use(arguments.recipe, scratch):.0f} %")


if __name__ == "__main__":
    main()
