"""The prompt network: its size, its shapes, what its maps say, what it goes by."""

import pytest
import torch
from torch import Tensor

from masktrail.families.prompt.network import PromptConfig, PromptNetwork, prompt_maps

SMALL = PromptConfig(stem=4, hidden=16, stride8=12, stride4=8, stride2=6)
ON, OFF = torch.tensor([[20.5, 40.5]]), torch.tensor([[80.0, 10.0]])
BOX = torch.tensor([[8, 4.5, 40, 60]])
NONE, NO_BOX = torch.zeros(0, 2), torch.zeros(0, 4)


def inputs(batch: int = 2, height: int = 64, width: int = 96) -> tuple[Tensor, Tensor, Tensor]:
    images = torch.rand((batch, 3, height, width), generator=torch.Generator().manual_seed(1))
    maps = prompt_maps(ON, OFF, BOX, height, width).expand(batch, -1, -1, -1)
    return images, maps, torch.zeros(batch, 1, height, width)


@pytest.fixture(scope="module")
def network() -> PromptNetwork:
    torch.manual_seed(0)
    network = PromptNetwork(SMALL)
    torch.nn.init.normal_(network.maps.conv2.weight, std=0.1)  # as after some training
    return network.eval()


def test_the_published_network_has_this_many_parameters() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in PromptNetwork().parameters())
    assert count == 3_783_201
    assert 2 * count < 8e6, "bytes as float16"


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (96, 32)])
def test_logits_come_at_stride_two(network: PromptNetwork, size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert network(*inputs(2, *size)).shape == (2, 1, size[0] // 2, size[1] // 2)


def test_a_network_nobody_trained_sees_the_picture_as_imagenet_did() -> None:
    torch.manual_seed(0)
    network = PromptNetwork(SMALL)
    _, maps, previous = inputs()
    assert not network.maps(torch.cat([maps, previous], 1)).any()


@pytest.mark.parametrize("changed", ["image", "positive", "negative", "box", "previous"])
def test_every_input_counts(network: PromptNetwork, changed: str) -> None:
    images, maps, previous = (tensor.clone() for tensor in inputs())
    if changed == "image":
        images[..., :8] = 0
    elif changed == "previous":
        previous[..., 20:40, 20:40] = 1
    else:
        maps[:, ("positive", "negative", "box").index(changed)] = 0
    with torch.no_grad():
        one, other = network(*inputs()), network(images, maps, previous)
    assert not torch.allclose(one, other, atol=1e-4)


def test_gradient_reaches_every_parameter(network: PromptNetwork) -> None:
    images, maps, previous = inputs()
    network(images, maps, previous + 0.5).square().mean().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    network.zero_grad()
    assert not still


def test_pictures_of_a_batch_are_independent(network: PromptNetwork) -> None:
    images, maps, previous = inputs()
    with torch.no_grad():
        together = network(images, maps, previous)
        alone = network(images[1:], maps[1:], previous[1:])
    assert torch.allclose(together[1:], alone, atol=1e-5)


def test_clicks_are_disks_and_a_box_is_what_it_covers() -> None:
    maps = prompt_maps(ON, OFF, BOX, 64, 96)
    assert maps.shape == (3, 64, 96)
    for of, (x, y) in ((0, (20.5, 40.5)), (1, (80, 10))):
        rows, columns = maps[of].nonzero(as_tuple=True)
        far = (rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2
        assert far.max() <= 25 and abs(len(rows) - 25 * 3.14) < 8
    assert maps[2].sum() == 32 * 55.5
    assert maps[2, 4, 8] == 0.5 and maps[2, 5, 8] == 1 and maps[2, 59, 39] == 1
    assert maps[2, 60, 39] == 0 and maps[2, 59, 40] == 0
    assert not prompt_maps(NONE, NONE, NO_BOX, 32, 32).any()


def test_a_click_at_the_edge_is_part_of_a_disk() -> None:
    maps = prompt_maps(torch.tensor([[0.0, 0.0], [0.5, 31.9]]), NONE, NO_BOX, 32, 32)
    assert maps[0, 0, 0] == 1 and maps[0, 31, 0] == 1 and not maps[1:].any()


def test_one_object_is_looked_at_a_second_time_in_the_mirror(network: PromptNetwork) -> None:
    images, _, previous = inputs(1)
    with torch.no_grad():
        found = network.segment(images, network.draw(ON, OFF, BOX, previous))
        turned = [torch.stack([96 - at[:, 0], at[:, 1]], 1) for at in (ON, OFF)]
        box = torch.stack([96 - BOX[:, 2], BOX[:, 1], 96 - BOX[:, 0], BOX[:, 3]], 1)
        mirrored = network.segment(images.flip(3), network.draw(*turned, box, previous))
        alone = network(*inputs(1))
    torch.testing.assert_close(found, mirrored.flip(3), atol=1e-5, rtol=0)
    assert not torch.allclose(found, alone, atol=1e-4)
