"""What the training step of a prompt network computes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.data.synth import Clips, ClipSettings
from masktrail.families.prompt.network import PromptConfig, PromptNetwork
from masktrail.families.prompt.training import ClickSettings, jittered_boxes, prompt_step
from masktrail.recipe import Recipe, Stage
from masktrail.train.loop import train
from masktrail.zoo.weights import load_network

SMALL = {"stem": 4, "hidden": 16, "stride8": 12, "stride4": 8, "stride2": 6}


def clips(objects: int = 2) -> Clips:
    """Two pictures of 64x64 with a bar per object, every slot valid."""
    masks = torch.zeros(2, 1, objects, 64, 64)
    for n in range(objects):
        masks[:, :, n, 10:50, 6 + 24 * n : 24 + 24 * n] = 1
    images = torch.rand((2, 1, 3, 64, 64), generator=torch.Generator().manual_seed(4))
    return Clips(images, masks, torch.ones(2, objects, dtype=torch.bool))


class Recorder(nn.Module):
    """Answers with a stripe on the left and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(8.0))
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, images: Tensor, maps: Tensor, previous: Tensor) -> Tensor:
        self.seen.append((images, maps, previous))
        logits = images.new_full((len(images), 1, 32, 32), -1.0)
        logits[..., :6] = 1
        return logits * self.sharpness


def stage(**click: object) -> Stage:
    return Stage(own=ClickSettings(**click))  # type: ignore[arg-type]


def test_losses_and_pictures() -> None:
    torch.manual_seed(0)
    network = PromptNetwork(PromptConfig(**SMALL))
    output = prompt_step(network, clips(), stage(rounds=2))
    b, rounds, n, *size = output.masks.shape
    assert (b, rounds, n, size) == (2, 3, 2, [64, 64])
    assert set(output.parts) == {"cross_entropy", "dice"}
    assert output.loss.item() == pytest.approx(sum(v.item() for v in output.parts.values()))
    output.loss.backward()
    assert network.decoder.head.weight.grad is not None


def test_a_click_is_added_where_the_mask_is_wrong_and_the_mask_is_fed_back() -> None:
    network, batch = Recorder(), clips()
    output = prompt_step(network, batch, stage(box=1.0, mask=0.0, jitter=0.0, rounds=3))
    assert len(network.seen) == 4 == output.masks.shape[1]
    true = batch.masks.flatten(0, 2)
    for i, (images, maps, previous) in enumerate(network.seen):
        assert torch.equal(images, batch.images[:, 0].repeat_interleave(2, 0))
        assert torch.equal(maps[:, 2], true), "the box of a bar is the bar"
        before = output.masks[:, i - 1].flatten(0, 1) if i else true * 0
        assert torch.allclose(previous[:, 0], before) and not previous.requires_grad
    first, second = network.seen[0][1], network.seen[1][1]
    assert not first[:, :2].any()
    # what is missed of the bar on the right is deeper than the stripe, which is too much
    assert second[1, 0].any() and not second[1, 1].any()
    rows, columns = second[1, 0].nonzero(as_tuple=True)
    assert columns.float().mean() > 30 and 10 < rows.float().mean() < 50
    output.loss.backward()
    assert network.sharpness.grad is not None and network.sharpness.grad != 0


def test_objects_marked_by_clicks_have_one_on_them() -> None:
    torch.manual_seed(0)
    network, batch = Recorder(), clips()
    for _ in range(10):
        prompt_step(network, batch, stage(box=0.0, mask=0.0, rounds=0))
    true = batch.masks.flatten(0, 2)
    for _, maps, previous in network.seen:
        assert not maps[:, 2].any() and not previous.any()
        assert (maps[:, 0] * true).flatten(1).any(1).all()
    astray = torch.stack([maps[:, 1].flatten(1).any(1) for _, maps, _ in network.seen])
    assert 0 < astray.float().mean() < 0.5


def test_bad_masks_are_given_with_a_click() -> None:
    torch.manual_seed(0)
    network, batch = Recorder(), clips()
    prompt_step(network, batch, stage(box=0.0, mask=1.0, rounds=0))
    _, maps, previous = network.seen[0]
    assert previous.flatten(1).any(1).all() and not maps[:, 2].any()
    assert maps[:, :2].flatten(1).any(1).all()


def test_empty_slots_do_not_count() -> None:
    torch.manual_seed(0)
    batch = clips()
    batch.valid[:, 1] = False
    empty = Clips(batch.images, batch.masks * batch.valid[:, None, :, None, None], batch.valid)
    settings = stage(box=1.0, mask=0.0, rounds=0)
    both = prompt_step(Recorder(), empty, settings).loss
    alone = Clips(batch.images, batch.masks[:, :, :1], batch.valid[:, :1])
    assert both.item() == pytest.approx(prompt_step(Recorder(), alone, settings).loss.item())
    empty.valid[:] = False
    none = Clips(batch.images, batch.masks * 0, empty.valid)
    assert prompt_step(Recorder(), none, stage()).loss.item() == 0


def test_what_is_drawn_follows_from_the_seed() -> None:
    losses = []
    for _ in range(2):
        torch.manual_seed(5)
        losses.append(prompt_step(Recorder(), clips(), stage()).loss.item())
    assert losses[0] == losses[1]


def test_jittered_boxes_stay_near_and_in_the_picture() -> None:
    masks = torch.zeros(51, 64, 80, dtype=torch.bool)
    masks[:, 0:20, 10:50] = True
    masks[50] = False
    assert jittered_boxes(masks, 0.0)[49:].tolist() == [[10, 0, 50, 20], [0, 0, 80, 64]]
    torch.manual_seed(0)
    x0, y0, x1, y1 = jittered_boxes(masks[:50], 0.1).unbind(1)
    assert (x0 - 10).abs().max() <= 4 and (x1 - 50).abs().max() <= 4
    assert (y1 - 20).abs().max() <= 2 and y0.min() == 0 and y0.max() <= 2
    assert len(x0.unique()) > 45


def test_of_some_objects_a_click_says_what_they_are_not() -> None:
    torch.manual_seed(0)
    network, batch = Recorder(), clips()
    for _ in range(20):
        prompt_step(network, batch, stage(box=0.0, mask=0.0, rounds=0))
    true = batch.masks.flatten(0, 2).bool()
    beside = torch.stack([maps[:, 1] for _, maps, _ in network.seen]).bool()  # (20, 4, 64, 64)
    shown = beside.flatten(2).any(2)
    assert 0.05 < shown.float().mean() < 0.4
    away = F.max_pool2d(true.float(), 7, 1, 3).bool()
    centres = -F.max_pool2d(-beside.float().flatten(0, 1)[:, None], 9, 1, 4)
    assert not (centres[:, 0].bool() & away.repeat(20, 1, 1)).any(), "too near"


def test_a_bad_mask_is_bent_and_has_a_part_too_much_or_too_little() -> None:
    torch.manual_seed(0)
    network, batch = Recorder(), clips()
    for _ in range(10):
        prompt_step(network, batch, stage(box=0.0, mask=1.0, rounds=0))
    true = batch.masks.flatten(0, 2)
    wrong = torch.stack([(before[:, 0] - true).mean((1, 2)) for *_, before in network.seen])
    assert (wrong < -0.02).any() and (wrong > 0.02).any()


def test_the_common_loop_trains_it_on_single_pictures(packs: Path, tmp_path: Path) -> None:
    recipe = Recipe(
        family="prompt",
        model=SMALL,
        stills=str(packs / "stills" / "pack"),
        videos=(str(packs / "videos" / "pack"),),
        stages=(Stage(batch=2, clips=ClipSettings(size=64, frames=1)),),
        lr=1e-3,
        steps=2,
    )
    weights = train(recipe, 5, tmp_path / "out", device="cpu")
    network, family = load_network(weights)
    assert family == "prompt" and isinstance(network, PromptNetwork)
    assert (tmp_path / "out" / "sheet.png").stat().st_size > 0
    assert "dice" in (tmp_path / "out" / "log.csv").read_text()
