"""The VGG-16 of the package index: its first layer has to take our images instead of its own."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import vgg16
from masktrail.models.backbones import Normalise


def test_the_first_layer_computes_what_it_did_from_images_of_the_other_kind() -> None:
    """Away from the border, where the package's padding is of another colour."""
    random = np.random.default_rng(0)
    tensors = {
        "conv1_1.weight": random.normal(size=(4, 3, 3, 3)),
        "conv1_1.bias": random.normal(size=4),
        "conv1_2.weight": random.normal(size=(4, 4, 3, 3)),
    }
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    raw = 255 * images - torch.tensor(vgg16.MEAN_RGB).view(3, 1, 1)

    def conv(x: torch.Tensor, of: vgg16.Tensors) -> torch.Tensor:
        weight, bias = (torch.tensor(of[f"conv1_1.{part}"].copy()) for part in ("weight", "bias"))
        return F.conv2d(x.double(), weight, bias)

    converted = vgg16.convert(tensors)
    expected = conv(raw.flip(1), tensors)
    torch.testing.assert_close(conv(Normalise()(images), converted), expected, rtol=1e-4, atol=1e-3)
    assert converted["conv1_2.weight"] is tensors["conv1_2.weight"]


def test_turned_tensors_are_written_as_they_read(tmp_path: Path) -> None:
    """Keras keeps filters the other way round; what is turned lies in memory as it did."""
    filters = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5).transpose(3, 2, 0, 1)
    vgg16.write({"conv1_2.weight": filters}, tmp_path / "deep" / "vgg.safetensors")
    found = load_file(tmp_path / "deep" / "vgg.safetensors")["conv1_2.weight"]
    assert torch.equal(found, torch.tensor(filters.copy()).half())
