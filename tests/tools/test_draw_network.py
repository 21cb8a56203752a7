"""Drawings of the report's networks: what is drawn is what they compute."""

from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from draw_network import Output, draw, outputs_of
from masktrail.families import create


def told(outputs: list[Output]) -> list[tuple[str, int, int]]:
    return [(output.kind, output.channels, output.side) for output in outputs]


def test_the_u_net_of_the_report() -> None:
    outputs = outputs_of(create("unet"), 64)
    down = [(64, 64)] * 4 + [(128, 32)] * 2 + [(256, 16)] * 2 + [(512, 8)] * 2 + [(1024, 4)] * 2
    levels = ((512, 8), (256, 16), (128, 32), (64, 64))
    up = [(kind, *level) for level in levels for kind in ("up", "conv", "conv")]
    first = ("in", 3 + 3 + 1, 64)
    assert told(outputs) == [first, *(("conv", *of) for of in down), *up, ("out", 1, 64)]
    assert {output.pictures for output in outputs} == {1}


def test_both_frames_go_through_the_encoder_of_the_siamese_one(tmp_path: Path) -> None:
    outputs = outputs_of(create("siamese-unet"), 64)
    assert [output.pictures for output in outputs] == [2] * (1 + 8) + [1] * (2 * 5 + 2)
    assert told(outputs)[:2] == [("in", 4, 64), ("conv", 64, 64)]
    assert told(outputs)[-3:] == [("up", 32, 64), ("conv", 32, 64), ("out", 1, 64)]
    draw("small", outputs, tmp_path / "drawn.png")
    with Image.open(tmp_path / "drawn.png") as picture:
        assert picture.width > 1000
