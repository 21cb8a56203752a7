"""Clips that are dreams of packed photographs."""

from dataclasses import replace

import pytest
import torch

from carrying import carried
from masktrail.data.pack import Pack, open_pack
from masktrail.data.sizes import MIN_AREA
from masktrail.data.synth import Clips, ClipSampler, ClipSettings
from masktrail.dreams.clips import dreamt_batch
from masktrail.recipe import Stage
from masktrail.train.drawing import draw
from painted_sets import pack_stills, pack_videos

SETTINGS = ClipSettings(size=64, frames=3)


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return open_pack(pack_stills(tmp_path_factory.mktemp("stills")))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return open_pack(pack_videos(tmp_path_factory.mktemp("videos"), frames=5))


def drawn(stills: Pack, batch: int = 4, seed: int = 0, **changes: object) -> Clips:
    return dreamt_batch(ClipSampler(stills, [], seed), batch, replace(SETTINGS, **changes))


@pytest.mark.parametrize(("batch", "objects", "frames"), [(1, 1, 2), (3, 2, 3), (4, 3, 4)])
def test_they_are_clips_as_others_and_know_their_flow(
    stills: Pack, batch: int, objects: int, frames: int
) -> None:
    clips = drawn(stills, batch, objects=objects, frames=frames)
    assert clips.images.shape == (batch, frames, 3, 64, 64)
    assert clips.masks.shape == (batch, frames, objects, 64, 64)
    assert clips.images.min() >= 0 and clips.images.max() <= 1
    assert set(clips.masks.unique().tolist()) <= {0.0, 1.0} and clips.masks.sum(2).max() <= 1
    seen = clips.masks[:, 0].mean((2, 3)) > MIN_AREA / 4
    assert torch.equal(clips.valid, seen) and clips.valid[:, 0].any()
    assert not clips.valid[:, 1:].any(), "each photograph shows one object"
    assert clips.flow is not None and clips.flow.shape == (batch, frames - 1, 3, 64, 64)
    assert set(clips.flow[:, :, 2].unique().tolist()) == {0.0, 1.0}


def test_masks_go_where_flow_leads(stills: Pack) -> None:
    clips = drawn(stills, 6)
    assert clips.flow is not None
    flow, known = clips.flow[:, :, :2].flatten(0, 1), clips.flow[:, :, 2].flatten(0, 1) > 0.5
    seen = carried(clips.masks[:, :-1].flatten(0, 1), flow.permute(0, 2, 3, 1)) > 0.5
    true = clips.masks[:, 1:].flatten(0, 1) > 0.5
    assert (seen != true)[:, 0][known].float().mean() < 0.002
    assert flow.abs().amax() > 1, "things move"


@pytest.mark.parametrize("room", [1.1, 1.6])
def test_a_clip_is_so_much_larger_than_its_object(stills: Pack, room: float) -> None:
    clips = drawn(stills, 16, room=(room, room), size=96)
    across = clips.masks[:, 0, 0].amax(1).sum(1)  # of discs, wherever they were put
    down = clips.masks[:, 0, 0].amax(2).sum(1)
    longest = torch.maximum(across, down).median()
    assert 0.75 * 96 / room < longest < 1.25 * 96 / room


def test_they_follow_from_the_seed(stills: Pack) -> None:
    one, same, other = (drawn(stills, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.images, same.images)
    assert one.flow is not None and same.flow is not None and torch.equal(one.flow, same.flow)
    assert not torch.equal(one.images, other.images)


def test_a_share_of_the_photographs_is_dreamt_of(stills: Pack, videos: Pack) -> None:
    def flows(real: float, dreams: float) -> list[bool]:
        sampler = ClipSampler(stills, [videos], 5)
        stage = Stage(batch=1, real=real, dreams=dreams, clips=replace(SETTINGS, frames=2))
        return [draw(sampler, stage).flow is not None for _ in range(16)]

    assert all(flows(0.0, 1.0)) and not any(flows(1.0, 1.0)) and not any(flows(0.0, 0.0))
    assert 1 < sum(flows(0.0, 0.5)) < 15 and 1 < sum(flows(0.5, 1.0)) < 15


def test_without_dreams_the_same_clips_are_drawn_as_ever(stills: Pack, videos: Pack) -> None:
    clips = []
    for _ in range(2):
        sampler = ClipSampler(stills, [videos], 7)
        clips.append(draw(sampler, Stage(batch=1, real=0.5, clips=SETTINGS)).images)
    sampler = ClipSampler(stills, [videos], 7)
    real, _ = torch.rand(2, generator=sampler.generator).tolist()
    draws = sampler.video_batch if real < 0.5 else sampler.stills_batch
    assert torch.equal(clips[0], clips[1])
    assert torch.equal(clips[0], draws(1, SETTINGS).images)


def test_a_photograph_that_its_object_fills_is_dreamt_of(stills: Pack) -> None:
    row = replace(stills.objects[0][0], x=0.5, y=0.5, width=1.0, height=1.0, area=1.0)
    labels = torch.full_like(stills.labels, row.id)
    pack = replace(stills, labels=labels, objects=[[row]] * len(labels))
    clips = drawn(pack, 2, size=128, room=(1.0, 1.0))
    assert clips.images.shape[-2:] == (128, 128) and clips.images.isfinite().all()
    assert clips.valid.all() and clips.masks.mean() > 0.3
    assert clips.flow is not None and clips.flow.isfinite().all()
