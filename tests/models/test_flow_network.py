"""A small network for optical flow."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from masktrail.models.flow_network import FlowNetwork, _compared, moved


def texture(seed: int = 0, size: tuple[int, int] = (64, 96)) -> torch.Tensor:
    """A smooth random picture (1, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((1, 3, size[0] // 8, size[1] // 8), generator=generator)
    return F.interpolate(coarse, size, mode="bicubic").clamp(0, 1)


def network(seed: int = 0) -> FlowNetwork:
    torch.manual_seed(seed)
    return FlowNetwork().eval()


@torch.no_grad()
def test_flow_has_three_levels_in_pixels() -> None:
    levels = network()(texture(0), texture(1))
    assert [tuple(level.shape) for level in levels] == [
        (1, 2, 64 // stride, 96 // stride) for stride in (16, 8, 4)
    ]
    assert all(level.dtype == torch.float32 for level in levels)


def test_comparing_finds_what_was_shifted() -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.randn((1, 8, 12, 16), generator=generator)
    second = first.roll((1, -2), (2, 3))  # one down, two to the left
    best = _compared(first, second, 3).argmax(1)[0, 4:-4, 4:-4]
    assert (best == (1 + 3) * 7 + (-2 + 3)).all()


def test_what_all_pixels_share_tells_none_from_another() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn((2, 1, 8, 12, 16), generator=generator)
    alike = _compared(first + 100, second + 100, 2)
    assert torch.allclose(alike, _compared(first, second, 2), atol=1e-3)
    assert alike.std() > 0.1


def test_a_batch_is_its_pairs() -> None:
    net = network()
    pairs = [(texture(i), texture(i + 7)) for i in range(3)]
    with torch.no_grad():
        together = net(*(torch.cat(side) for side in zip(*pairs, strict=True)))[-1]
        each = torch.cat([net(*pair)[-1] for pair in pairs])
    np.testing.assert_allclose(together, each, atol=1e-4)


def test_it_learns_which_way_things_go() -> None:
    """A few steps tell shifts to all sides apart, which is what comparing is for."""
    net, generator = network(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)

    def off(step: int) -> torch.Tensor:
        shifts = torch.randint(-6, 7, (4, 2), generator=generator)
        first = torch.cat([texture(100 + 4 * step + i) for i in range(4)])
        second = torch.stack(
            [x.roll((int(s[1]), int(s[0])), (1, 2)) for x, s in zip(first, shifts, strict=True)]
        )
        true = shifts.float()[..., None, None]
        return torch.stack([(level - true).norm(dim=1).mean() for level in net(first, second)])

    losses = []
    for step in range(60):
        loss = off(step).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


@pytest.mark.parametrize("shift", [(3.0, 0.0), (-1.5, 2.0)])
def test_maps_are_seen_where_flow_leads(shift: tuple[float, float]) -> None:
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    maps = torch.stack([columns, rows])[None]
    flow = torch.tensor(shift).view(1, 2, 1, 1).expand(1, 2, 20, 30)
    seen = moved(maps, flow)[0, :, 5:-5, 5:-5] - maps[0, :, 5:-5, 5:-5]
    np.testing.assert_allclose(seen[0], shift[0], atol=1e-4)
    np.testing.assert_allclose(seen[1], shift[1], atol=1e-4)
