"""What the training steps of the memory network and of the U-Nets compute."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bars import clips
from masktrail.data.synth import Clips
from masktrail.families.memory.network import MemoryConfig, MemoryNetwork
from masktrail.families.memory.training import memory_step
from masktrail.families.unet.training import PairSettings, pair_step
from masktrail.recipe import Stage

SMALL = MemoryConfig(key=8, value=12, hidden=16, stride8=12, stride4=8, stride2=4)


@pytest.fixture(scope="module")
def network() -> MemoryNetwork:
    torch.manual_seed(0)
    return MemoryNetwork(SMALL)


def test_losses_and_pictures(network: MemoryNetwork) -> None:
    output = memory_step(network, clips(objects=2), Stage())
    assert output.masks.shape == (2, 2, 2, 48, 48)
    assert output.masks.min() >= 0 and output.masks.sum(2).max() <= 1 + 1e-5
    assert not output.masks.requires_grad
    assert set(output.parts) == {"cross_entropy", "dice"}
    assert output.loss.item() == pytest.approx(sum(v.item() for v in output.parts.values()))
    assert 0 < output.parts["dice"].item() < 1


def test_gradient_flows_back_through_every_frame(network: MemoryNetwork) -> None:
    network = deepcopy(network)
    nn.init.normal_(network.decoder.head2.weight)  # it starts at zero
    memory_step(network, clips(frames=4, objects=2), Stage()).loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_only_frames_before_a_frame_decide_it(network: MemoryNetwork) -> None:
    batch = clips(frames=4, objects=2)
    later = replace(batch, images=batch.images.clone())
    later.images[:, 3] = 0
    with torch.no_grad():
        one, other = (memory_step(network, x, Stage()).masks for x in (batch, later))
    assert torch.allclose(one[:, :2], other[:, :2], atol=1e-5)
    assert not torch.allclose(one[:, 2], other[:, 2], atol=1e-3)


def test_true_masks_after_the_first_are_not_seen(network: MemoryNetwork) -> None:
    batch = clips(objects=2)
    blind = replace(batch, masks=batch.masks.clone())
    blind.masks[:, 1:] = 0
    with torch.no_grad():
        one, other = (memory_step(network, x, Stage()).masks for x in (batch, blind))
    assert torch.equal(one, other)


def empty_slot(batch: Clips) -> Clips:
    valid = torch.tensor([[True, False], [True, False]])
    return Clips(batch.images, batch.masks * valid[:, None, :, None, None], valid)


def test_an_empty_slot_changes_nothing(network: MemoryNetwork) -> None:
    two = empty_slot(clips(objects=2))
    one = Clips(two.images, two.masks[:, :, :1], two.valid[:, :1])
    with torch.no_grad():
        beside, alone = (memory_step(network, x, Stage()) for x in (two, one))
    assert beside.loss.item() == pytest.approx(alone.loss.item(), rel=1e-3)
    assert torch.allclose(beside.masks[:, :, :1], alone.masks, atol=1e-4)
    assert beside.masks[:, :, 1].max() < 1e-4


def test_clips_without_any_object_cost_nothing(network: MemoryNetwork) -> None:
    batch = clips(objects=2)
    none = Clips(batch.images, batch.masks * 0, torch.zeros_like(batch.valid))
    network.zero_grad()
    output = memory_step(network, none, Stage())
    output.loss.backward()
    assert output.loss.item() == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_a_perfect_prediction_costs_little(
    network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = clips(objects=2)
    background = 1 - batch.masks.sum(2, keepdim=True)
    perfect: Tensor = torch.cat([background, batch.masks], 2)[:, 1:] * 30 - 15
    monkeypatch.setattr(
        "masktrail.families.memory.training._unroll", lambda network, clips, given: perfect
    )
    assert memory_step(network, batch, Stage()).loss.item() < 1e-4


class Recorder(nn.Module):
    """A pair network that answers with the mask it was given, shifted, and notes what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(8.0))
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        self.seen.append((previous, current, mask))
        return (mask.roll(2, -1) - 0.5) * self.sharpness


TRUE = Stage(own=PairSettings(corrupt=0.0))


def test_a_pair_step_goes_from_frame_to_frame_on_its_own_masks() -> None:
    batch, network = clips(frames=4, objects=2), Recorder()
    output = pair_step(network, batch, TRUE)
    assert output.masks.shape == (2, 3, 2, 48, 48)
    for i, (previous, current, _) in enumerate(network.seen):
        assert torch.equal(previous, batch.images[:, i].repeat_interleave(2, 0))
        assert torch.equal(current, batch.images[:, i + 1].repeat_interleave(2, 0))
    first, second, third = (mask[:, 0] for _, _, mask in network.seen)
    assert torch.equal(first, batch.masks[:, 0].flatten(0, 1))
    for given, i in ((second, 0), (third, 1)):
        assert torch.allclose(given, output.masks[:, i].flatten(0, 1))
        assert not given.requires_grad
    expected = {"cross_entropy", "dice"}
    assert set(output.parts) == expected
    assert output.loss.item() == pytest.approx(sum(v.item() for v in output.parts.values()))
    output.loss.backward()
    assert network.sharpness.grad is not None and network.sharpness.grad != 0


def test_a_taught_pair_step_goes_out_from_true_masks() -> None:
    batch, network = clips(frames=4, objects=2), Recorder()
    batch.masks[:, 2] = batch.masks[:, 2].roll(3, -1)
    pair_step(network, batch, replace(TRUE, own=PairSettings(corrupt=0.0, teacher=1.0)))
    for i, (_, _, mask) in enumerate(network.seen):
        assert torch.equal(mask[:, 0], batch.masks[:, i].flatten(0, 1))


def test_true_masks_are_corrupted_in_the_share_asked_for() -> None:
    torch.manual_seed(0)
    network, spoilt, drawn = Recorder(), 0, 0
    batch = clips(frames=2, objects=2)
    for _ in range(30):
        pair_step(network, batch, replace(TRUE, own=PairSettings(corrupt=0.5)))
        given, true = network.seen[-1][2][:, 0], batch.masks[:, 0].flatten(0, 1)
        spoilt += int((given != true).any(-1).any(-1).sum())
        drawn += len(given)
    assert 0.35 < spoilt / drawn < 0.65


def test_a_pair_step_counts_valid_slots_alone() -> None:
    batch = clips(objects=2)
    batch.valid[:, 1] = False
    alone = Clips(batch.images, batch.masks[:, :, :1], batch.valid[:, :1])
    network = Recorder()
    both, one = (pair_step(network, x, TRUE).loss.item() for x in (batch, alone))
    assert both == pytest.approx(one)
    batch.valid[:] = False
    assert pair_step(network, batch, TRUE).loss.item() == 0


def test_the_loss_of_a_pair_step_is_the_one_asked_for() -> None:
    parts = pair_step(Recorder(), clips(objects=2), Stage(own=PairSettings(loss="dice"))).parts
    assert set(parts) == {"dice"}
