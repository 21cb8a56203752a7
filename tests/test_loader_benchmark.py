"""The benchmark of clip loading compares what can be compared."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from masktrail.data.davis import find_sequences
from masktrail.data.packing import write_pack
from masktrail.data.synth import ClipSettings
from masktrail.recipe import Recipe, Stage
from painted_sets import COLOURS, paint, save

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "loader.py"


@pytest.fixture(scope="module")
def benchmark():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two videos of one disc each, as DAVIS-2016 has them: JPEG, masks of 0 and 255."""
    root = tmp_path_factory.mktemp("davis")
    for k, count in enumerate((4, 3)):
        for t in range(count):
            image, labels = paint([(20 + 5 * t, 20, 12)], COLOURS[k : k + 1])
            save(image, root / "JPEGImages" / "480p" / f"v{k}" / f"{t:05}.jpg")
            save(labels * 255, root / "Annotations" / "480p" / f"v{k}" / f"{t:05}.png")
    return root


def test_folders_and_packs_give_the_same_clips(benchmark, data, tmp_path):
    write_pack(find_sequences(data), tmp_path / "pack", 64, 64)
    readers = benchmark["Folders"](data, 64, 3), benchmark["Packed"](tmp_path / "pack", 3)
    one, other = (benchmark["draw"](reader, Stage(batch=8)) for reader in readers)
    benchmark["require_equal"](one, other)
    assert one.images.shape == (8, 2, 3, 64, 64) and one.masks.shape == (8, 2, 1, 64, 64)
    assert one.images.dtype == one.masks.dtype == torch.float32
    assert 0 <= one.images.min() < 0.1 and 0.9 < one.images.max() <= 1
    assert set(one.masks.unique().tolist()) == {0, 1} and one.valid.all()
    discs = (one.images[:, 0].amax(1) > 0.6) == (one.masks[:, 0, 0] > 0)
    assert discs.float().mean() > 0.97, "each mask is of its own image"
    assert (one.masks[:, 0] != one.masks[:, 1]).any((1, 2, 3)).all(), "of frames that follow"
    assert readers[0].firsts.tolist() == readers[1].firsts.tolist() == [0, 1, 2, 4, 5]
    spoilt = replace(other, masks=1 - other.masks)
    with pytest.raises(AssertionError):
        benchmark["require_equal"](one, spoilt)


def test_the_table_has_a_row_for_each_number_of_workers(benchmark, data, tmp_path):
    rates = benchmark["compare"](data, tmp_path, 64, 0.02, 1)
    lines = benchmark["table"](rates).splitlines()
    assert [line.split()[0] for line in lines] == ["workers", "0", "1", "2"]
    folders, packed, ratio = map(float, lines[1].split()[1:])
    assert ratio == pytest.approx(packed / folders, abs=0.1) and folders > 0


def test_a_training_step_is_timed(benchmark):
    stage = Stage(batch=1, clips=ClipSettings(size=64, frames=2))
    small = {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8}
    first = replace(stage, until=0.5, clips=ClipSettings(size=100_000))
    recipe = Recipe("memory", small, stages=(first, stage), frozen=("encoder.conv1",))
    assert benchmark["step_rate"](recipe, torch.device("cpu"), 1) > 0


def test_rates_are_drawn_as_bars_beside_those_of_a_step(benchmark):
    rounds = {("folders", w): [10.0 * w] for w in range(3)}
    rounds |= {("packed", w): [7.0, 100.0 * w, 1000.0] for w in range(3)}
    (axes,) = benchmark["plot"](benchmark["Rates"](rounds), {"a step": 3.0}).axes
    assert [bar.get_height() for bar in axes.patches] == [0, 10, 20, 7, 100, 200]
    assert list(axes.lines[0].get_ydata()) == [3, 3]
