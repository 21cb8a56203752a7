"""What SiamMask learns from: pairs cut out of clips, what they ask of responses, losses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from masktrail.data.synth import Clips
from masktrail.families import create
from masktrail.families.siammask.anchors import anchors, decoded
from masktrail.families.siammask.config import EXEMPLAR, SEARCH
from masktrail.families.siammask.pairs import cut_pairs
from masktrail.families.siammask.settings import SiamSettings
from masktrail.families.siammask.targets import (
    ALL,
    POSITIVE,
    STRANGE,
    anchor_targets,
    mask_windows,
    middle_targets,
)
from masktrail.families.siammask.training import _box_loss, _score_loss, pair_step
from masktrail.recipe import Stage

SIZE = 320
PLAIN = SiamSettings().unspoilt()


def clips_of(*boxes: tuple[int, int, int, int] | None) -> Clips:
    """A clip per pair of boxes, red rectangles on noise; None: not there."""
    b = len(boxes) // 2
    images = 0.3 * torch.rand(b, 2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(b, 2, 1, SIZE, SIZE)
    for i, box in enumerate(boxes):
        if box is not None:
            x0, y0, x1, y1 = box
            masks[i // 2, i % 2, 0, y0:y1, x0:x1] = 1
            images[i // 2, i % 2, 0, y0:y1, x0:x1] = 1
    return Clips(images, masks, masks[:, 0].flatten(2).any(2))


TWO = clips_of((100, 100, 160, 160), (120, 90, 180, 150), (40, 60, 140, 110), (50, 70, 170, 130))


def box_of(mask: Tensor) -> list[float]:
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return [
        *(float(axis.min()) for axis in (columns, rows)),
        *(float(axis.max()) + 1 for axis in (columns, rows)),
    ]


def test_the_object_is_in_the_middle_of_both_crops() -> None:
    pairs = cut_pairs(TWO, PLAIN)
    assert pairs.exemplars.shape == (2, 3, EXEMPLAR, EXEMPLAR)
    assert pairs.regions.shape == (2, 3, SEARCH, SEARCH) and pairs.there.all()
    middles = pairs.boxes.view(2, 2, 2).mean(1)
    assert torch.allclose(middles, torch.full((2, 2), SEARCH / 2))
    assert (pairs.boxes[0, 2] - pairs.boxes[0, 0]).item() == pytest.approx(EXEMPLAR / 2)
    assert (pairs.exemplars[0, 0] > 0.6).float().mean() == pytest.approx(1 / 4, abs=0.02)


@pytest.mark.parametrize("search", [143, SEARCH])
def test_boxes_and_masks_say_where_the_object_is(search: int) -> None:
    torch.manual_seed(0)
    for _ in range(5):
        settings = SiamSettings(search=search, shift=30 if search == SEARCH else 8, strangers=0)
        pairs = cut_pairs(TWO, settings)
        for mask, box, region in zip(pairs.masks, pairs.boxes, pairs.regions, strict=True):
            inside = box.clamp(0, search).tolist()
            np.testing.assert_allclose(box_of(mask > 0.5), inside, rtol=0, atol=1)
            assert region[:, mask > 0.5].mean() > region[:, mask < 0.5].mean()


def test_pairs_are_moved_resized_and_mixed_as_told() -> None:
    torch.manual_seed(0)
    clips = Clips(*(torch.cat([x] * 200) for x in (TWO.images[:1], TWO.masks[:1], TWO.valid[:1])))
    pairs = cut_pairs(clips, SiamSettings(shift=64, scale=0.18, strangers=0.25))
    off = pairs.boxes.view(-1, 2, 2).mean(1) - SEARCH / 2
    assert 0.8 * 64 / 1.18 < off.abs().max() <= 64 / 0.82
    sides = (pairs.boxes[:, 2] - pairs.boxes[:, 0]) * 2 / EXEMPLAR
    assert 1 / 1.19 < sides.min() < 0.87 and 1.18 < sides.max() < 1 / 0.81
    assert 0.15 < pairs.strange.float().mean() < 0.35
    assert not pairs.masks[pairs.strange].any() and pairs.there[~pairs.strange].all()


def test_a_clip_alone_has_no_stranger() -> None:
    pairs = cut_pairs(clips_of((40, 60, 140, 110), (50, 70, 170, 130)), SiamSettings(strangers=1))
    assert not pairs.strange.any() and pairs.there.all()


def test_what_has_gone_is_looked_for_where_it_was() -> None:
    pairs = cut_pairs(clips_of((100, 100, 160, 160), None), PLAIN)
    assert not pairs.there.any() and not pairs.masks.any()
    targets = anchor_targets(pairs)
    assert not targets.positive.any() and targets.negative.sum() == ALL


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = (high - low).clip(0).prod(0)
    return shared / ((one[2:] - one[:2]).prod(0) + (other[2:] - other[:2]).prod(0) - shared)


def test_anchors_that_overlap_the_box_are_positive() -> None:
    torch.manual_seed(0)
    pairs = cut_pairs(TWO, SiamSettings(strangers=0))
    targets = anchor_targets(pairs)
    grid = anchors(25)
    edges = np.concatenate([grid[:2] - grid[2:] / 2, grid[:2] + grid[2:] / 2]) + SEARCH / 2
    for i, box in enumerate(pairs.boxes.numpy()):
        overlaps = iou(edges, np.broadcast_to(box[:, None, None, None], edges.shape))
        positive, negative = targets.positive[i].numpy(), targets.negative[i].numpy()
        assert 0 < positive.sum() == min(POSITIVE, (overlaps > 0.6).sum())
        assert (overlaps[positive] > 0.6).all() and (overlaps[negative] < 0.3).all()
        assert positive.sum() + negative.sum() == ALL
        assert targets.shifts is not None
        shown = decoded(targets.shifts[i].numpy().reshape(20, 25, 25))
        expected = [*((box[:2] + box[2:]) / 2 - SEARCH / 2), *(box[2:] - box[:2])]
        for found, value in zip(shown, expected, strict=True):
            np.testing.assert_allclose(found, value, rtol=0, atol=1e-2)


def test_strangers_are_negative_in_the_middle() -> None:
    torch.manual_seed(0)
    targets = anchor_targets(cut_pairs(TWO, SiamSettings(strangers=1)))
    assert (
        not targets.positive.any() and targets.negative.flatten(1).sum(1).tolist() == [STRANGE] * 2
    )
    rows = targets.negative.nonzero()[:, 2:]
    assert rows.min() >= 9 and rows.max() <= 15


def test_without_anchors_what_is_near_the_middle_is_positive() -> None:
    targets = middle_targets(cut_pairs(TWO, PLAIN))
    assert targets.positive.shape == (2, 1, 25, 25) and targets.shifts is None
    at = targets.positive[0, 0].nonzero() - 12
    assert len(at) == 13 and (at.square().sum(1) <= 4).all(), "16 pixels are two responses"
    assert torch.equal(targets.negative, ~targets.positive)


def test_windows_show_what_lies_around_their_responses() -> None:
    masks = torch.zeros(1, SEARCH, SEARCH)
    masks[0, 64:191, 64:191] = 1
    shown = mask_windows(masks, torch.tensor([[0, 12, 12], [0, 12, 20], [0, 0, 0]]))
    assert shown[0].all(), "the one in the middle begins with pixel 64"
    assert shown[1, :, :63].all() and not shown[1, :, 63:].any()
    assert shown[2].sum() == 31 * 31, "the first one begins 32 pixels before the region"


def test_losses_are_small_where_all_is_right() -> None:
    torch.manual_seed(0)
    pairs = cut_pairs(TWO, SiamSettings(strangers=0))
    targets = anchor_targets(pairs)
    assert targets.shifts is not None
    right = 20 * (2 * targets.positive.float() - 1)
    said = torch.cat([-right, right], 1)
    assert _score_loss(said, targets) < 1e-3 and _score_loss(-said, targets) > 30
    assert _score_loss(torch.zeros_like(said), targets).item() == pytest.approx(np.log(2))
    assert _box_loss(targets.shifts.flatten(1, 2), targets) == 0
    assert _box_loss(targets.shifts.flatten(1, 2) + 0.5, targets).item() == pytest.approx(2)
    plain = middle_targets(pairs)
    right = 20 * (2 * plain.positive.float() - 1)
    assert _score_loss(right, plain) < 1e-3 and _score_loss(-right, plain) > 15


@pytest.mark.parametrize("branches", ["two", "three"])
def test_a_network_learns_a_pair_by_heart(branches: str) -> None:
    torch.manual_seed(0)
    network = create("siammask", branches=branches, width=16).train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    stage = Stage(own=replace(PLAIN, windows=4, search=175))
    losses = []
    for _ in range(31):
        output = pair_step(network, TWO, stage)
        optimiser.zero_grad()
        output.loss.backward()
        optimiser.step()
        losses.append({name: float(part.detach()) for name, part in output.parts.items()})
    names = ["score", "box", "mask"] if branches == "three" else ["score", "mask"]
    assert list(losses[0]) == names
    assert all(losses[-1][name] < 0.75 * losses[0][name] for name in names), losses[-1]
    found, truth = output.masks[:, 0, 0] > 0.5, TWO.masks[:, 1, 0] > 0.5
    shared = (found & truth).sum((1, 2)) / (found | truth).sum((1, 2))
    assert (shared > 0.5).any(), "drawn where it is in the clip"


def test_a_pair_alone_can_be_learned_from() -> None:
    torch.manual_seed(0)
    single = clips_of((40, 60, 140, 110), (50, 70, 170, 130))
    output = pair_step(create("siammask", width=8).train(), single, Stage())
    assert output.loss.isfinite() and output.masks.shape == (1, 1, 1, SIZE, SIZE)


def test_every_object_is_sought_in_every_later_frame() -> None:
    one, other = (100, 100, 160, 160), (200, 60, 240, 100)
    single = clips_of(one, one, other, other)
    masks = single.masks.transpose(0, 2).expand(1, 2, 2, SIZE, SIZE)  # both in one clip
    masks = torch.cat([masks, masks[:, 1:]], 1)  # three frames
    images = single.images[:1, [0, 1, 0]]
    pairs = cut_pairs(Clips(images, masks, torch.tensor([[True, False]])), PLAIN)
    assert len(pairs.exemplars) == 4 and pairs.known.tolist() == [True, False] * 2
    assert pairs.masks.flatten(1).any(1).tolist() == [True, False] * 2
    assert torch.equal(pairs.exemplars[0], pairs.exemplars[2])
    for targets in (anchor_targets(pairs), middle_targets(pairs)):
        counted = (targets.positive | targets.negative).flatten(1).any(1)
        assert counted.tolist() == [True, False] * 2
    torch.manual_seed(0)
    output = pair_step(
        create("siammask", width=8), Clips(images, masks, torch.tensor([[True, False]])), Stage()
    )
    assert output.masks.shape == (1, 2, 2, SIZE, SIZE)


def test_refining_leaves_all_but_the_masks_as_it_is() -> None:
    torch.manual_seed(0)
    network = create("siammask", width=8).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=0.1)
    settings = SiamSettings(refine=True, search=143, shift=8, strangers=0)
    for _ in range(2):
        output = pair_step(network, TWO, Stage(own=settings))
        assert list(output.parts) == ["mask", "refined"]
        optimiser.zero_grad()
        output.loss.backward()
        optimiser.step()
    changed = {
        name for name, value in network.state_dict().items() if (value != before[name]).any()
    }
    assert {name.split(".")[0] for name in changed} == {"heads", "refine"}
    assert {name for name in changed if name.startswith("heads")} == {
        f"heads.mask.head.{part}"
        for part in ("0.weight", "1.weight", "1.bias", "3.weight", "3.bias")
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SiamSettings(search=200), "search = 200; expected 127 pixels and a multiple of 16"),
        (SiamSettings(search=127), "search = 127"),
        (SiamSettings(search=271), "search = 271; expected 255, or less with refine = true"),
        (SiamSettings(search=143), "search = 143; expected 255, or less with refine = true"),
        (SiamSettings(scale=0.9), "scale = 0.9, windows = 16; expected a share of 0.5 or less"),
        (SiamSettings(windows=0), "scale = 0.18, windows = 0; expected"),
        (SiamSettings(grey=1.5), "grey = 1.5; expected a share from 0 to 1"),
    ],
)
def test_senseless_settings_are_named(settings: SiamSettings, said: str) -> None:
    assert said in " ".join(settings.problems())
    assert not list(SiamSettings().problems())
