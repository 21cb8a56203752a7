"""Clips drawn from painted packs: masks must lie where the colours of their objects are."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from masktrail.data import sizes, synth
from masktrail.data.grids import Trajectories, background_trajectories, crop_halves, sample
from masktrail.data.pack import Pack, PackedObject, PackedTrack, open_pack
from masktrail.data.synth import Clips, ClipSampler, ClipSettings
from masktrail.errors import InputError
from painted_sets import COLOURS, GROUND, pack_videos

SETTINGS = ClipSettings(size=96, frames=3, objects=1, paste=0.0, max_gap=3)


@pytest.fixture
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips keep the colours they were painted with."""
    monkeypatch.setattr(synth, "jitter_colour", lambda images, generator: images)


def nearest_colour(images: Tensor) -> Tensor:
    """Row of COLOURS nearest to every pixel of (..., 3, S, S), -1 for ground and black."""
    table = torch.tensor([*COLOURS.tolist(), GROUND.tolist(), [0, 0, 0]]) / 255
    distance = (images.movedim(-3, -1)[..., None, :] - table).square().sum(-1)
    nearest = distance.argmin(-1)
    return torch.where(nearest < len(COLOURS), nearest, -1)


def iou(a: Tensor, b: Tensor) -> float:
    return float((a & b).sum() / (a | b).sum().clamp_min(1))


def colour_of(mask: Tensor, colours: Tensor) -> int:
    """The most frequent row of COLOURS under a mask."""
    return int(colours[mask].mode().values)


def draw(sampler: ClipSampler, kind: str, batch: int, how: ClipSettings) -> Clips:
    batches: dict[str, Callable[[int, ClipSettings], Clips]] = {
        "stills": sampler.stills_batch,
        "videos": sampler.video_batch,
    }
    return batches[kind](batch, how)


@pytest.mark.parametrize("kind", ["stills", "videos"])
@pytest.mark.parametrize(("objects", "frames", "paste"), [(1, 2, 0.0), (2, 3, 0.5), (3, 4, 1.0)])
def test_shapes_ranges_and_slots(
    stills: Pack, videos: Pack, kind: str, objects: int, frames: int, paste: float
) -> None:
    how = replace(SETTINGS, size=64, objects=objects, frames=frames, paste=paste)
    clips = draw(ClipSampler(stills, [videos], 0), kind, 5, how)
    assert clips.images.shape == (5, frames, 3, 64, 64)
    assert clips.masks.shape == (5, frames, objects, 64, 64)
    assert clips.valid.shape == (5, objects) and clips.valid.dtype == torch.bool
    assert clips.images.dtype == clips.masks.dtype == torch.float32
    assert clips.images.min() >= 0 and clips.images.max() <= 1
    assert set(clips.masks.unique().tolist()) <= {0.0, 1.0}
    assert clips.masks.sum(2).max() <= 1, "objects overlap"


@settings(max_examples=20)
@given(st.integers(0, 1_000_000), st.sampled_from(["stills", "videos"]))
def test_valid_says_which_slots_are_seen_at_first(
    stills: Pack, videos_folder: Path, seed: int, kind: str
) -> None:
    how = replace(SETTINGS, size=48, objects=2, paste=0.7)
    clips = draw(ClipSampler(stills, [open_pack(videos_folder)], seed), kind, 6, how)
    seen = clips.masks[:, 0].mean((2, 3)) > sizes.MIN_AREA / 4
    assert torch.equal(seen, clips.valid)
    assert not clips.masks.movedim(2, 1)[~clips.valid].any(), "an unmarked object turns up later"


def test_an_object_that_only_turns_up_later_is_not_asked_for(
    stills: Pack, videos: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pasted object that enters after frame 0 must not be a class of the loss."""
    pasted_trajectories = synth.pasted_trajectories

    def entering(*how: Any) -> Trajectories:
        where = pasted_trajectories(*how)
        where.moves[:, 0, :, 2] = 5  # far outside of its photograph
        return where

    monkeypatch.setattr(synth, "pasted_trajectories", entering)
    how = replace(SETTINGS, objects=2, paste=1.0)
    clips = ClipSampler(stills, [videos], 1).stills_batch(16, how)
    assert not clips.valid[:, 1].any()
    assert not clips.masks[:, :, 1].any()


@pytest.mark.usefixtures("true_colours")
def test_masks_of_stills_lie_where_their_colour_is(stills: Pack, videos: Pack) -> None:
    clips = ClipSampler(stills, [videos], 2).stills_batch(24, SETTINGS)
    colours = nearest_colour(clips.images)
    scores = []
    for mask, colour in zip(clips.masks[:, :, 0].bool(), colours, strict=True):
        own = colour_of(mask, colour)
        scores += [iou(m, c == own) for m, c in zip(mask, colour, strict=True) if m.sum() > 50]
    assert len(scores) > 48
    assert min(scores) > 0.93
    assert sum(scores) / len(scores) > 0.97


@pytest.mark.usefixtures("true_colours")
def test_masks_of_videos_keep_to_their_object(stills: Pack, videos: Pack) -> None:
    how = replace(SETTINGS, objects=2, frames=4)
    clips = ClipSampler(stills, [videos], 3).video_batch(16, how)
    colours = nearest_colour(clips.images)
    scores = []
    for clip in range(16):
        slots = [slot for slot in range(2) if clips.valid[clip, slot]]
        owns = [colour_of(clips.masks[clip, 0, slot].bool(), colours[clip, 0]) for slot in slots]
        assert len(set(owns)) == len(owns)
        for slot, own in zip(slots, owns, strict=True):
            for t in range(4):
                mask = clips.masks[clip, t, slot].bool()
                if mask.sum() > 50:
                    scores.append(iou(mask, colours[clip, t] == own))
    assert len(scores) > 64
    assert sum(scores) / len(scores) > 0.97


@pytest.mark.usefixtures("true_colours")
def test_pasted_objects_are_targets_occluders_and_distractors(stills: Pack, videos: Pack) -> None:
    how = replace(SETTINGS, paste=1.0)
    clips = ClipSampler(stills, [videos], 4).video_batch(48, how)
    colours = nearest_colour(clips.images[:, 0])
    kinds, pure = {"target": 0, "distractor": 0}, []
    for clip in torch.nonzero(clips.valid[:, 0]).flatten().tolist():
        mask = clips.masks[clip, 0, 0].bool()
        own = colour_of(mask, colours[clip])
        pure.append(float((colours[clip][mask] == own).float().mean()))
        kinds["target" if own > 1 else "distractor"] += 1
    assert min(kinds.values()) > 5, kinds
    assert min(pure) > 0.9, "a mask covers two objects"
    assert sum(pure) / len(pure) > 0.97


@pytest.mark.usefixtures("true_colours")
def test_photographs_move_by_as_much_as_is_asked_for(stills: Pack, videos: Pack) -> None:
    def changes(strength: float) -> float:
        how = replace(SETTINGS, still_motion=strength)
        clips = ClipSampler(stills, [videos], 5).stills_batch(8, how)
        return float((clips.images[:, 1] - clips.images[:, 0]).abs().mean())

    assert changes(0) == 0
    assert 0.005 < changes(0.3) < changes(1.0)


@pytest.mark.parametrize("kind", ["stills", "videos"])
def test_clips_follow_from_the_seed(stills: Pack, videos: Pack, kind: str) -> None:
    how = replace(SETTINGS, objects=2, paste=0.5)

    def batches(seed: int) -> list[Tensor]:
        sampler = ClipSampler(stills, [videos], seed)
        drawn = [draw(sampler, kind, 2, how) for _ in range(2)]
        return [x for clips in drawn for x in (clips.images, clips.masks, clips.valid)]

    first, again, other = batches(1), batches(1), batches(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], first[3]), "one batch is like the next"


def test_gaps_are_in_range_and_time_runs_both_ways(stills: Pack, videos: Pack) -> None:
    sampler = ClipSampler(stills, [videos], 6)
    tables = torch.tensor([sampler._video_rows(videos, SETTINGS) for _ in range(600)])
    steps = tables.diff(dim=1)
    backwards = steps[:, 0] < 0
    assert torch.equal(backwards, steps[:, 1] < 0), "a clip turns round"
    assert set(steps.abs().unique().tolist()) == {1, 2, 3}
    assert 0.42 < backwards.float().mean() < 0.58
    assert torch.equal(tables[:, 0] // 10, tables[:, 2] // 10), "a clip leaves its video"
    assert set(tables.unique().tolist()) == set(range(20)), "some frames are never seen"


def test_small_gaps_are_the_most_frequent(stills: Pack, videos: Pack) -> None:
    sampler = ClipSampler(stills, [videos], 6)
    tables = torch.tensor([sampler._video_rows(videos, SETTINGS) for _ in range(600)])
    steps = tables.diff(dim=1).abs().flatten().bincount()
    # limits of 1, 2 and 3 are equally likely: 11/18, 5/18 and 2/18
    assert steps[1] > 1.6 * steps[2] > 1.6 * 1.6 * steps[3]


def test_the_second_frame_may_be_far_from_the_first(stills: Pack, videos: Pack) -> None:
    sampler = ClipSampler(stills, [videos], 6)
    how = replace(SETTINGS, max_gap=1, far=20)
    tables = torch.tensor([sampler._video_rows(videos, how) for _ in range(600)])
    first, second = tables.diff(dim=1).abs().unbind(1)
    assert set(second.tolist()) == {1}
    assert set(first.tolist()) == set(range(1, 9)), "videos of ten frames leave room for 8"
    share = (first > 1).float().mean() * 8 / 7
    assert abs(share - synth.FAR_SHARE) < 0.06
    assert torch.equal(tables[:, 0] // 10, tables[:, 2] // 10), "a clip leaves its video"


def test_a_clip_of_one_frame_has_no_second_one(stills: Pack, videos: Pack) -> None:
    sampler, how = ClipSampler(stills, [videos], 6), replace(SETTINGS, frames=1, far=20)
    assert {len(sampler._video_rows(videos, how)) for _ in range(20)} == {1}


def test_short_videos_are_spread_or_left_out(stills: Pack, tmp_path: Path) -> None:
    pack = open_pack(pack_videos(tmp_path, ("short",), frames=4))
    sampler = ClipSampler(stills, [pack], 0)
    wide = replace(SETTINGS, max_gap=50, frames=3)
    assert {tuple(sorted(sampler._video_rows(pack, wide))) for _ in range(30)} <= {
        (0, 1, 2),
        (1, 2, 3),
    }
    with pytest.raises(InputError, match="No video in a pack of 1 has 5 frames"):
        sampler.video_batch(1, replace(SETTINGS, frames=5))


def test_packs_without_objects_are_refused(stills: Pack, videos: Pack) -> None:
    nothing: list[list[PackedObject]] = [[] for _ in videos.objects]
    with pytest.raises(InputError, match="None of 20 masks shows an object"):
        ClipSampler(replace(videos, objects=nothing), [], 0)
    with pytest.raises(InputError, match="No video in a pack of 2"):
        ClipSampler(stills, [replace(videos, objects=nothing)], 0).video_batch(1, SETTINGS)


def test_aspects_follow_rows_to_their_sequences(videos: Pack) -> None:
    left, right = videos.sequences
    pack = replace(videos, sequences=[replace(left, aspect=0.5), replace(right, aspect=2.0)])
    assert synth._aspects(pack, [0, 9, 10, 19]).tolist() == [0.5, 0.5, 2.0, 2.0]


@pytest.mark.usefixtures("true_colours")
def test_the_stretch_of_the_canvas_is_undone(stills: Pack, videos: Pack) -> None:
    """Discs packed on a square canvas come out as wide as they are high."""
    pack = replace(
        stills,
        images=stills.images[:, :, ::2].contiguous(),
        labels=stills.labels[:, :, ::2].contiguous(),
    )
    clips = ClipSampler(pack, [videos], 7).stills_batch(32, replace(SETTINGS, still_motion=0.0))
    ratios = []
    for mask in clips.masks[:, 0, 0].bool():
        rows, columns = mask.any(1), mask.any(0)
        whole = not (rows[0] | rows[-1] | columns[0] | columns[-1])
        if whole and mask.any():
            ratios.append(float(columns.sum() / rows.sum()))
    assert len(ratios) > 5
    assert all(0.9 < ratio < 1.1 for ratio in ratios), ratios


def test_plain_clips_are_the_frames_themselves_in_order(stills: Pack, videos: Pack) -> None:
    how = replace(SETTINGS, size=64, frames=3, plain=True, paste=1.0, max_gap=5)
    clips = ClipSampler(stills, [videos], 3).video_batch(6, how)
    canvas = videos.images.movedim(-1, 1).float()
    small = torch.nn.functional.interpolate(canvas, (64, 64), mode="bilinear", antialias=True) / 255
    for images, masks in zip(clips.images, clips.masks, strict=True):
        runs = [small[first : first + 3] for first in range(18)]
        assert any(torch.allclose(run, images, atol=3 / 255) for run in runs)
        seen = nearest_colour(images[0])[masks[0, 0] > 0]
        assert (seen == seen.mode().values).float().mean() > 0.9
    assert clips.valid.all()


def test_plain_clips_of_a_square_pack_are_its_pixels(stills: Pack, videos: Pack) -> None:
    square = replace(videos, images=videos.images[:, :, :60], labels=videos.labels[:, :, :60])
    how = replace(SETTINGS, size=60, frames=2, plain=True)
    clips = ClipSampler(stills, [square], 0).video_batch(3, how)
    rows = (clips.images[:, 0] * 255).round().to(torch.uint8).movedim(1, -1)
    assert all(any(torch.equal(row, image) for image in square.images) for row in rows)


def test_crops_are_sized_by_picture_or_object_or_so_that_it_is_small() -> None:
    """In a picture of 1.5 to 1; the longer side of the object has a fifth of the height."""
    target = PackedObject(id=1, x=0.5, y=0.5, width=0.1, height=0.2, area=0.01)
    tight, small = torch.arange(90) % 3 == 0, torch.arange(90) % 3 == 1
    generator = torch.Generator().manual_seed(0)
    half = crop_halves([target] * 90, torch.full((90,), 1.5), tight, small, generator)
    assert half[tight].min() > 0.2 and half[tight].max() < 0.55
    assert half[~tight & ~small].min() > 0.5 and half[~tight & ~small].max() <= 1
    assert half[small].min() > 0.95 and half[small].max() == 1.5, "as large as is allowed"
    tiny = replace(target, width=0.001, height=0.001)
    assert crop_halves([tiny], torch.ones(1), small[:1], ~small[:1], generator) == 0.1
    shown = 288 * 0.2 / half[small]
    assert shown.min() < 40 and shown.max() < 60.5


def test_tight_crops_have_as_much_room_as_asked_for() -> None:
    target = PackedObject(id=1, x=0.5, y=0.5, width=0.1, height=0.2, area=0.01)
    tight, generator = torch.ones(90, dtype=torch.bool), torch.Generator().manual_seed(0)
    how = [target] * 90, torch.full((90,), 1.5), tight, ~tight, generator, (4.0, 8.0)
    within, beyond = crop_halves(*how), crop_halves(*how, 1.5)
    assert 0.8 <= within.min() < 0.9 and within.max() == 1, "no larger than the picture"
    assert 0.8 <= beyond.min() < 0.9 and 1.4 < beyond.max() <= 1.5


@pytest.mark.parametrize("kind", ["stills", "videos"])
def test_what_lies_beyond_the_picture_has_its_mean_colour(
    stills: Pack, videos: Pack, kind: str
) -> None:
    """Black else: the corners of crops half as large again as their picture."""
    how = replace(SETTINGS, size=48, paste=0.0, tight=1.0, room=(50.0, 60.0), beyond=True)
    still = replace(how, still_motion=0.0, real_motion=0.0)
    images = draw(ClipSampler(stills, [videos], 3), kind, 8, still).images
    assert images[..., 0, 0].amin(2).mean() > 0.1, "no black"
    pack = stills if kind == "stills" else videos
    rows, ids = torch.arange(3), torch.zeros(3, 1, dtype=torch.int64)
    halves = torch.full((3,), 1.5)
    target = PackedObject(id=1, x=0.5, y=0.5, width=0.1, height=0.2, area=0.01)
    generator = torch.Generator().manual_seed(0)
    where = background_trajectories([target] * 3, torch.ones(3), halves, 1, 0.0, generator)
    corner = sample(pack, rows, ids, where, 48, filled=True)[:, 0, :3, 0, 0]
    mean = pack.images[:3].float().mean((1, 2)) / 255
    torch.testing.assert_close(corner, mean, atol=1e-4, rtol=0)
    assert not sample(pack, rows, ids, where, 48)[:, 0, :3, 0, 0].any()


def test_a_crop_reaches_as_far_as_its_half_side() -> None:
    target = PackedObject(id=1, x=0.5, y=0.5, width=0.1, height=0.2, area=0.01)
    half, generator = torch.tensor([0.4, 1.4]), torch.Generator().manual_seed(0)
    how = [target] * 2, torch.full((2,), 1.5), half, 2, 0.0, generator
    at = background_trajectories(*how).grid(32, half.device)
    height = at[:, 0, -1, 16, 1] - at[:, 0, 0, 16, 1]
    torch.testing.assert_close(height, 2 * half * 31 / 32)


@pytest.mark.parametrize("kind", ["stills", "videos"])
def test_clips_may_hold_small_objects(stills: Pack, videos: Pack, kind: str) -> None:
    """Targets and pasted objects that without it are half as large again and more."""
    how = replace(SETTINGS, size=144, objects=2, paste=1.0, tight=0.5)
    area = {}
    for share in (0.0, 1.0):
        clips = draw(ClipSampler(stills, [videos], 5), kind, 40, replace(how, small=share))
        first = clips.masks[:, 0].mean((2, 3))
        area[share] = [first[clips.valid[:, slot], slot].median() for slot in (0, 1)]
        assert clips.valid[:, 0].float().mean() > 0.5
    for few, many in zip(area[1.0], area[0.0], strict=True):
        assert few < 0.5 * many
    assert area[1.0][1] < 0.21**2, "what is pasted is as small as it is to be"


def test_look_alikes_come_from_the_set_of_their_target(stills: Pack, videos: Pack) -> None:
    sequences = [
        replace(s, name=f"{'even' if i % 2 else 'odd'}/{i}") for i, s in enumerate(stills.sequences)
    ]
    sampler = ClipSampler(replace(stills, sequences=sequences), [videos], 0)
    assert sampler.stills is not None
    rows = [i % len(sequences) for i in range(400)]
    pasted = sampler._pasted_rows(sampler.stills, [[row] for row in rows])
    same = sum(a % 2 == b % 2 for a, b in zip(rows, pasted, strict=True)) / 400
    assert 0.68 < same < 0.82  # half of them look-alikes, and every second of the others by chance


def test_packs_are_drawn_from_as_often_as_asked(stills: Pack, videos: Pack) -> None:
    bright = replace(videos, images=torch.full_like(videos.images, 255))
    sampler = ClipSampler(stills, [videos, bright], 0, shares=(1.0, 3.0))
    how = replace(SETTINGS, size=16, frames=2)
    how = replace(how, plain=True)
    drawn = [sampler.video_batch(1, how).images.min() > 0.9 for _ in range(80)]
    assert 45 < sum(map(int, drawn)) < 75


def test_without_photographs_objects_are_cut_from_videos(videos: Pack) -> None:
    clips = ClipSampler(None, [videos], 1).video_batch(8, replace(SETTINGS, paste=1.0, objects=2))
    assert clips.valid.all(1).any()
    with pytest.raises(InputError, match="neither photographs nor videos"):
        ClipSampler(None, [], 0)


def test_plain_clips_keep_to_the_tracks_of_their_pack(stills: Pack, videos: Pack) -> None:
    only = PackedTrack("left", 2, rows=tuple(range(3, 9)), starts=(4, 5))
    how = replace(SETTINGS, size=60, frames=3, plain=True)
    clips = ClipSampler(stills, [replace(videos, tracks=[only])], 0).video_batch(12, how)
    first = (videos.labels[4:6] == 2).float()[:, None]
    allowed = torch.nn.functional.interpolate(first, (60, 60), mode="nearest-exact")[:, 0]
    for masks in clips.masks:
        assert any(torch.equal(masks[0, 0], mask) for mask in allowed)
    with pytest.raises(InputError, match="is in 9 frames running"):
        draw(
            ClipSampler(stills, [replace(videos, tracks=[only])], 0),
            "videos",
            1,
            replace(how, frames=9),
        )
