"""Dreams: exact flow, masks that agree with it, the ranges, and pictures of every kind."""

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from carrying import carried
from masktrail.dreams.dreamer import Dreamer, Dreams, DreamSettings

HEIGHT, WIDTH = 90, 140
PLAIN = DreamSettings(light=0.0)
STILL = DreamSettings(
    *(3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    light=0.0,
)
"""Nothing moves, nothing is mirrored or lit."""


def texture(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """A smooth picture, uint8 (H, W, 3), that looks alike nowhere."""
    coarse = torch.rand((1, 3, 6, 9), generator=Generator().manual_seed(seed))
    fine = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (fine[0].permute(1, 2, 0) * 255).byte()


def discs(*places: tuple[int, int, int]) -> Tensor:
    """Label map (H, W) of discs x, y, radius."""
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    labels = torch.zeros(HEIGHT, WIDTH, dtype=torch.int32)
    for number, (x, y, radius) in enumerate(places, 1):
        labels[(columns - x) ** 2 + (rows - y) ** 2 <= radius**2] = number
    return labels


def two() -> Tensor:
    return discs((40, 40, 22), (95, 50, 18))


def ways(dreams: Dreams) -> list[tuple[str, slice, slice, Tensor, Tensor]]:
    """Name, frames that flow comes from, frames that it leads to, flow, where it is known."""
    first, second = slice(0, -1), slice(1, None)
    return [
        ("back", second, first, dreams.backward, dreams.backward_valid),
        ("forth", first, second, dreams.forward, dreams.forward_valid),
    ]


@pytest.mark.parametrize("frames", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_flow_warps_one_frame_onto_the_other(frames: int, seed: int) -> None:
    settings = replace(PLAIN, frames=frames)
    dreams = Dreamer(texture(seed), two(), seed, settings).draw(6)
    for name, here, there, flow, valid in ways(dreams):
        images, known = dreams.images, valid.flatten(0, 1)
        seen = carried(images[:, there].flatten(0, 1), flow.flatten(0, 1))
        off = (seen - images[:, here].flatten(0, 1)).abs().amax(1)[known]
        still = (images[:, there] - images[:, here]).flatten(0, 1).abs().amax(1)[known]
        assert off.mean() < 0.005 and off.mean() < still.mean() / 10, name
        assert off.quantile(0.99) < 0.03 and off.quantile(0.999) < 0.1, name
        assert known.float().mean() > 0.75, "most of it is known"


def test_masks_and_flow_agree() -> None:
    dreams = Dreamer(texture(), two(), 0).draw(12)
    for name, here, there, flow, valid in ways(dreams):
        masks = dreams.masks
        seen = carried(masks[:, there].flatten(0, 1), flow.flatten(0, 1))
        off = (seen - masks[:, here].flatten(0, 1)).abs().amax(1)[valid.flatten(0, 1)]
        assert off.mean() < 0.002, f"{name}, but for edges of what stays in the ground"


def test_flow_back_undoes_flow_forth() -> None:
    dreams = Dreamer(texture(), two(), 0).draw(12)
    back = dreams.backward.flatten(0, 1).permute(0, 3, 1, 2)
    forth = dreams.forward.flatten(0, 1)
    total = carried(back, forth) + forth.permute(0, 3, 1, 2)
    off = total.norm(dim=1)[dreams.forward_valid.flatten(0, 1)]
    assert off.max() < 0.1 and off.mean() < 0.01, "pixels"


def test_a_seed_dreams_the_same_and_never_twice() -> None:
    one, other = Dreamer(texture(), two(), 5), Dreamer(texture(), two(), 5)
    first, again = one.draw(2), other.draw(2)
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
    assert not torch.equal(one.draw(2).images, first.images)
    assert not torch.equal(Dreamer(texture(), two(), 6).draw(2).images, first.images)


def test_where_nothing_moves_the_picture_is_as_it_was() -> None:
    dreamer = Dreamer(texture(), two(), 0, STILL)
    dreams = dreamer.draw(24)
    inside = F.max_pool2d((two() > 0)[None, None].float(), 9, 1, 4)[0, 0] > 0
    off = (dreams.images - dreamer.image).abs().amax(2)
    ground = off[:, :, ~inside]
    assert ground.max() < 0.003
    assert not dreams.backward.any() and not dreams.forward.any()
    middle = F.max_pool2d((two() == 0)[None, None].float(), 7, 1, 3)[0, 0] == 0
    shown = (dreams.masks.amax(2) > 0) & middle
    assert shown.any() and off[shown].max() < 0.003, "objects too, but for their seams"
    moved = dreams.masks[:, 0].sum((2, 3)) > 0
    assert moved.any(1).all(), "always one at least"
    assert not moved.all() and moved.all(1).any(), "others go, or stay"


def test_several_objects_never_overlap_and_lie_either_way() -> None:
    labels = discs((60, 45, 25), (80, 45, 25)) * 7
    dreamer = Dreamer(texture(), labels, 1, replace(PLAIN, mirror=0.0, turn=0.0, place=0.1))
    assert dreamer.ids == [7, 14]
    dreams = dreamer.draw(40)
    assert dreams.masks.shape == (40, 2, 2, HEIGHT, WIDTH)
    assert set(dreams.masks.unique().tolist()) == {0.0, 1.0}
    assert dreams.masks.sum(2).max() == 1
    both = dreams.masks[:, 0].sum((2, 3))
    hidden = both / torch.tensor([(labels == i).sum() for i in (7, 14)])
    assert (hidden[:, 0] < 0.8).any() and (hidden[:, 1] < 0.8).any()
    assert ((hidden[:, 0] > 0.8) & (hidden[:, 1] > 0)).any()


@pytest.mark.parametrize(
    ("labels", "ids"),
    [
        (discs(), []),
        (discs((70, 45, 0)), [1]),
        (discs((70, 45, 1)), [1]),
        (discs((70, 45, 2), (10, 10, 1)), [1, 2]),
        (discs((0, 45, 20)), [1]),
        (discs((139, 89, 12), (0, 0, 12)), [1, 2]),
        (discs((70, 45, 200)), [1]),
        (discs((70, 45, 10)) * 65535, [65535]),
        ((torch.arange(HEIGHT)[:, None] == torch.arange(WIDTH)).int(), [1]),
    ],
    ids=["none", "a pixel", "five", "two small", "border", "corners", "all", "great id", "line"],
)
def test_pictures_of_every_kind(labels: Tensor, ids: list[int]) -> None:
    dreamer = Dreamer(texture(), labels, 0)
    dreams = dreamer.draw(8)
    assert dreamer.ids == ids
    assert dreams.masks.shape == dreams.spoilt.shape == (8, 2, len(ids), HEIGHT, WIDTH)
    assert dreams.backward.shape == dreams.forward.shape == (8, 1, HEIGHT, WIDTH, 2)
    assert dreams.images.min() >= 0 and dreams.images.max() <= 1
    for value in vars(dreams).values():
        assert value.isfinite().all()
    if ids and (labels > 0).sum() > 1:
        assert (dreams.masks[:, 0].sum((1, 2, 3)) > 0).float().mean() > 0.7, "seen, mostly"


@pytest.mark.parametrize(("window", "size"), [(64, (64, 64)), (100, (HEIGHT, 100)), (999, None)])
def test_windows_look_at_parts_of_the_picture(window: int, size: tuple[int, int] | None) -> None:
    dreams = Dreamer(texture(), two(), 0, PLAIN).draw(12, window)
    assert dreams.images.shape[3:] == (size or (HEIGHT, WIDTH))
    assert (dreams.masks[:, 0].amax((1, 2, 3)) > 0).float().mean() > 0.9, "objects are seen"
    for name, here, there, flow, valid in ways(dreams):
        seen = carried(dreams.images[:, there].flatten(0, 1), flow.flatten(0, 1))
        off = (seen - dreams.images[:, here].flatten(0, 1)).abs().amax(1)[valid.flatten(0, 1)]
        assert off.mean() < 0.005 and off.quantile(0.99) < 0.03, name


def test_moments_are_the_pictures_and_masks_of_dreams() -> None:
    images, masks = Dreamer(texture(), two(), 3, PLAIN).moments(4, 64)
    dreams = Dreamer(texture(), two(), 3, PLAIN).draw(4, 64)
    assert torch.equal(masks, dreams.masks) and torch.equal(images, dreams.images)


def test_what_is_seen_of_the_picture_shows_an_object() -> None:
    dreamer = Dreamer(texture(), discs((12, 12, 8), (120, 70, 8)), 0)
    images, masks = dreamer.seen(12, 48)
    assert images.shape == (12, 3, 48, 48) and masks.shape == (12, 2, 48, 48)
    assert (masks.amax((1, 2, 3)) > 0).all()
    whole, all_masks = dreamer.seen(1)
    assert torch.equal(whole[0], dreamer.image) and all_masks.sum() == (dreamer._masks > 0).sum()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2), (17, 200)])
def test_pictures_of_any_size(height: int, width: int) -> None:
    labels = torch.ones(height, width, dtype=torch.int32)
    dreams = Dreamer(texture(0, height, width), labels, 0).draw(3)
    assert dreams.images.shape == (3, 2, 3, height, width) and dreams.images.isfinite().all()


def test_masks_that_are_handed_on_are_a_little_wrong() -> None:
    dreams = Dreamer(texture(), two(), 0).draw(12)
    masks, spoilt = dreams.masks > 0, dreams.spoilt > 0
    seen = masks.sum((3, 4)) > 200
    overlap = (masks & spoilt).sum((3, 4)) / (masks | spoilt).sum((3, 4))
    assert (overlap[seen] < 1).all() and (overlap[seen] > 0.6).all()
    assert (spoilt.sum((3, 4)) > masks.sum((3, 4)))[seen].float().mean() > 0.8, "too large"


def test_the_camera_and_objects_keep_to_their_ranges() -> None:
    shifting = replace(STILL, frames=2, camera_shift=0.05, shift=0.1)
    dreams = Dreamer(texture(), discs((70, 45, 20)), 0, shifting).draw(40)
    mask = dreams.masks[:, 1:, 0] > 0
    ground, objects = dreams.backward[~mask], dreams.backward[mask]
    assert ground[:, 0].abs().max() <= 0.05 * WIDTH + 0.01
    assert ground[:, 0].abs().max() > 0.04 * WIDTH
    assert ground[:, 1].abs().max() <= 0.05 * HEIGHT + 0.01
    assert 3 < objects.abs().max() <= 0.1 * 41 + 0.01
    moves = [bool(part.any()) for part in (dreams.backward * ~mask[..., None]).flatten(1)]
    assert 0.4 < sum(moves) / len(moves) < 0.9, "the camera stands still in a third of them"


def test_light_changes_and_flickers() -> None:
    lit = Dreamer(texture(), two(), 0, replace(STILL, light=1.0)).draw(16).images
    dark = Dreamer(texture(), two(), 0, STILL).draw(16).images
    far, near = (lit - dark).abs().mean((2, 3, 4)), (lit[:, 1] - lit[:, 0]).abs().mean((1, 2, 3))
    assert 0.01 < far.mean() < 0.1
    assert 0 < near.mean() < far.mean() / 2


def test_cut_out_edges_are_smooth() -> None:
    """A white disc on black, moved: no pixel at its edge is as dark or bright as it was cut."""
    labels = discs((70, 45, 20))
    picture = (labels > 0).byte()[..., None].repeat(1, 1, 3) * 255
    dreams = Dreamer(picture, labels, 0, replace(STILL, shift=0.3)).draw(4)
    image = dreams.images[:, 1, 0]
    steps = (image[:, :, 1:] - image[:, :, :-1]).abs()
    assert steps.max() < 0.8
