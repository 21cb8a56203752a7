"""AGUNet: how pictures are compared, what a step of training computes, a few steps on a video."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bars import clips
from clocks import TickingClock
from fake import WatchedEngine, fill_box
from masktrail.errors import InputError
from masktrail.families import create, fitting
from masktrail.families.agunet import FAMILY, matching, propagator, references, teaching
from masktrail.families.agunet.matching import NEAREST, CrossCorrelation, TopK
from masktrail.families.agunet.network import AgunetNetwork
from masktrail.families.agunet.propagator import AgunetPropagator
from masktrail.families.agunet.teaching import taught
from masktrail.families.agunet.training import AgunetSettings, agunet_step, covered, swapped
from masktrail.prompts.kinds import Mask
from masktrail.recipe import Stage
from masktrail.run.states import packed_state, unpacked_state
from masktrail.tracking.shot import Shot
from masktrail.tracking.tracker import Tracker
from painted_videos import paint_clip

CLIP = paint_clip(8, (96, 64), objects=2)
AS_IT_IS = Stage(own=AgunetSettings(swap=0.0))
CHOICES = [(g, fuse) for g in ("topk", "xcorr") for fuse in ("concat", "replace")]


def network(seed: int = 0, **config: Any) -> AgunetNetwork:
    torch.manual_seed(seed)
    made = create("agunet", width=2, key=8, **config).eval()
    assert isinstance(made, AgunetNetwork)
    return made


def shot(frame: int = 0, ids: tuple[int, ...] = (1, 2)) -> Shot:
    labels = CLIP.labels[frame]
    return Shot.of(CLIP.images[frame], {i: (labels == i).astype(np.float32) for i in ids})


def tracker(g: str = "topk", **settings: Any) -> Tracker:
    told = {"steps": 0, **settings}
    return Tracker(
        AgunetPropagator(WatchedEngine(network(g=g)), **told),
        64,
        fill_box,
        settings=told,
        traits=FAMILY.traits,
    )


def marked(followed: Tracker, frame: int = 0, ids: tuple[int, ...] = (1, 2)) -> None:
    labels = CLIP.labels[frame]
    followed.step(CLIP.images[frame], {i: Mask(labels == i) for i in ids})


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes with every look at the clock."""
    monkeypatch.setattr(fitting, "time", TickingClock())


# what is like the object


def colours(*rows: str) -> Tensor:
    """Features (1, 4, h, w), one of length 1 for every letter of a to d."""
    index = torch.tensor([["abcd".index(letter) for letter in row] for row in rows])
    return F.one_hot(index, 4).permute(2, 0, 1)[None].float()


def where(*rows: str) -> Tensor:
    """Masks (1, 1, 1, h, w): 1 where there is an x."""
    return torch.tensor([[float(letter == "x") for letter in row] for row in rows])[
        None, None, None
    ]


def test_top_k_finds_what_has_the_objects_features() -> None:
    """1 where all that count are of the object and none beside, -1 the other way round."""
    ground, rows = "b" * NEAREST, ["a" * NEAREST, "b" * NEAREST, "c" * NEAREST]
    keys = colours(*rows, ground, ground)
    now = colours("abcd" * (NEAREST // 4), *rows, ground)
    nothing = "." * NEAREST
    found = TopK().similarity(now, keys[None], where("x" * NEAREST, *[nothing] * 4))[0, 0]
    assert found[0, :4].tolist() == [1, -1, -1, 0]
    assert found[1].tolist() == [1] * NEAREST and found[4].tolist() == [-1] * NEAREST


def test_of_many_the_most_similar_count() -> None:
    """So many of the ground's pixels look like the object that none of them can be told from it."""
    row = "a" * 2 * NEAREST + "b" * NEAREST
    marked_half = where("x" * NEAREST + "." * 2 * NEAREST)
    found = TopK().similarity(colours(row), colours(row)[None], marked_half)[0, 0, 0]
    assert found[0] == found[NEAREST] == 0 and found[-1] == -1
    fewer = "a" * (NEAREST + NEAREST // 2) + "b" * NEAREST
    marked_half = where("x" * NEAREST + "." * (NEAREST // 2 + NEAREST))
    found = TopK().similarity(colours(fewer), colours(fewer)[None], marked_half)[0, 0, 0]
    assert found[0] == pytest.approx(0.5)


def test_an_object_that_fills_no_pixel_is_where_it_fills_most() -> None:
    keys, now = colours("abcc", "cccc"), colours("ccab", "cccc")
    found = TopK().similarity(now, keys[None], 0.3 * where("x...", "...."))[0, 0]
    assert found[0, 2] == found.max() == 1 and (found[1] < 0).all()


def test_what_fills_most_is_told_frame_by_frame() -> None:
    """A mark that is far away counts beside one that is near."""
    near, far = colours("aacc", "aacc"), colours("ccbc", "cccc")
    masks = torch.cat([where("xx..", "xx.."), 0.3 * where("..x.", "....")], 1)
    keys = torch.stack([near, far], 1)
    found = TopK().similarity(colours("ccab", "cccc"), keys, masks)[0, 0]
    alone = TopK().similarity(colours("ccab", "cccc"), near[None], masks[:, :1])[0, 0]
    assert found[0, 3] > 0.15 > 0 >= alone[0, 3] and found[0, 2] > 0.7


@pytest.mark.parametrize("match", [TopK(), CrossCorrelation()])
@pytest.mark.parametrize("floor", [0.0, 1e-7])
def test_an_object_that_is_not_there_is_nowhere(match: torch.nn.Module, floor: float) -> None:
    """Settled masks are never quite zero."""
    keys = colours("abcc", "cccc")
    nothing = where("....", "....") + floor
    assert (match(keys, keys[None], nothing).sigmoid() < 1e-4).all()
    there = where("x...", "....")
    both = match(keys, torch.stack([keys, keys], 1), torch.cat([nothing, there], 1))
    torch.testing.assert_close(both, match(keys, keys[None], there), atol=6.0, rtol=0)
    assert both.argmax() == 0


@pytest.mark.parametrize("match", [TopK(), CrossCorrelation()])
def test_the_marked_picture_may_have_another_size(match: torch.nn.Module) -> None:
    """Windows are told from the whole frame when a video is learned."""
    there, here = colours("cccccc", "ccbacc", "cccccc"), colours("cccc", "cccc", "cccc", "ccba")
    found = match(here, there[None], where("......", "..xx..", "......"))[0, 0]
    assert found.shape == (4, 4) and int(found.argmax()) in (14, 15)


def test_cross_correlation_peaks_where_the_object_is() -> None:
    rows = ["c" * 20 for _ in range(18)]
    there, here = list(rows), list(rows)
    for line in (4, 5, 6):
        there[line] = "ccc" + "aba" + "c" * 14
    for line in (10, 11, 12):
        here[line] = "c" * 12 + "aba" + "c" * 5
    masks = where(*("...xxx" + "." * 14 if 4 <= i <= 6 else "." * 20 for i in range(18)))
    found = CrossCorrelation().similarity(colours(*here), colours(*there)[None], masks)[0, 0]
    assert divmod(int(found.argmax()), 20) == (11, 13)
    assert found.max() == pytest.approx(1, abs=1e-5) and found[5, 4] < 0.1


@pytest.mark.parametrize("scale", [0.75, 4 / 3])
def test_cross_correlation_knows_other_sizes(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that has become larger or smaller is found as well as it was."""
    picture = torch.randn(1, 4, 12, 12, generator=torch.Generator().manual_seed(1))
    smooth = F.interpolate(picture, (48, 48), mode="bicubic")
    grid = F.affine_grid(
        torch.tensor([[[1 / scale, 0, 0], [0, 1 / scale, 0]]]), [1, 4, 48, 48], False
    )
    zoomed = F.grid_sample(smooth, grid, padding_mode="reflection", align_corners=False)
    masks = torch.zeros(1, 1, 1, 48, 48)
    masks[..., 18:25, 20:27] = 1
    now, keys = F.normalize(zoomed, dim=1), F.normalize(smooth, dim=1)[None]
    found = CrossCorrelation().similarity(now, keys, masks)[0, 0]
    y, x = divmod(int(found.argmax()), 48)
    assert abs(y - 23.5 - (21 - 23.5) * scale) < 2 and abs(x - 23.5 - (23 - 23.5) * scale) < 2
    monkeypatch.setattr(matching, "SCALES", (1.0,))
    alone = CrossCorrelation().similarity(now, keys, masks)[0, 0]
    assert found.max() > max(0.92, alone.max() + 0.01)


@pytest.mark.parametrize("match", [TopK(), CrossCorrelation()])
def test_objects_and_clips_are_compared_each_by_itself(match: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    now = F.normalize(torch.randn(2, 8, 6, 5, generator=generator), dim=1)
    keys = F.normalize(torch.randn(2, 3, 8, 6, 5, generator=generator), dim=2)
    masks = (torch.rand(2, 3, 4, 6, 5, generator=generator) > 0.6).float()
    together = match(now, keys, masks)
    assert together.shape == (2, 4, 6, 5)
    for b in range(2):
        for n in range(4):
            alone = match(now[b : b + 1], keys[b : b + 1], masks[b : b + 1, :, n : n + 1])
            torch.testing.assert_close(alone[0, 0], together[b, n])


# the network


@pytest.mark.parametrize(("g", "fuse"), CHOICES)
@torch.no_grad()
def test_its_functions_have_the_sizes_of_pictures(g: str, fuse: str) -> None:
    made, images = network(g=g, fuse=fuse), torch.rand(1, 3, 48, 64)
    levels = made.encode(images)
    key = made.project(levels.f16)
    torch.testing.assert_close(key.norm(dim=1), torch.ones(1, 3, 4))
    scores = made.score(key, torch.cat([key, key]), torch.rand(2, 3, 3, 4))
    assert scores.shape == (1, 3, 3, 4) and scores.min() >= 0 and scores.max() <= 1
    logits = made.segment(*levels, scores)
    assert logits.shape == (1, 3, 24, 32)
    alone = made.segment(*levels, scores[:, 1:2])
    torch.testing.assert_close(alone[:, 0], logits[:, 1])
    with pytest.raises(InputError, match="multiples of 16"):
        made.encode(torch.rand(1, 3, 40, 64))


@torch.no_grad()
def test_with_replaced_skips_nothing_is_seen_where_scores_are_zero() -> None:
    """F * S alone: a zero in S erases the object, F beside it does not."""
    one, other = torch.rand(2, 1, 3, 48, 64).unbind(0)
    for fuse, same in (("replace", True), ("concat", False)):
        made = network(fuse=fuse)
        nothing = torch.zeros(1, 1, 3, 4)
        first, second = (made.segment(*made.encode(x), nothing) for x in (one, other))
        assert torch.equal(first, second) == same


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"g": "cosine"}, "g = 'cosine'; choose one of 'topk', 'xcorr'"),
        ({"fuse": "add"}, "fuse = 'add'; choose one of 'concat', 'replace'"),
        ({"width": 0}, "width = 0; expected 1 or more"),
    ],
)
def test_what_cannot_be_made(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create("agunet", **config)


# training


@pytest.mark.parametrize(("g", "fuse"), CHOICES)
def test_all_but_what_is_frozen_learns(g: str, fuse: str) -> None:
    made = network(g=g, fuse=fuse)
    output = agunet_step(made, clips(objects=2), AS_IT_IS)
    assert output.masks.shape == (2, 2, 2, 48, 48) and not output.masks.requires_grad
    assert set(output.parts) == {"cross_entropy", "dice", "score"}
    assert output.loss.item() == pytest.approx(sum(x.item() for x in output.parts.values()))
    output.loss.backward()
    idle = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


def test_true_masks_after_the_first_are_not_seen() -> None:
    batch = clips(frames=4)
    blind = replace(batch, masks=batch.masks.clone())
    blind.masks[:, 1:] = 0
    with torch.no_grad():
        one, other = (agunet_step(network(), x, AS_IT_IS).masks for x in (batch, blind))
    assert torch.equal(one, other)


def test_empty_slots_count_for_nothing() -> None:
    batch = clips(objects=2)
    batch = replace(batch, valid=torch.tensor([[True, False]] * 2))
    other = replace(batch, masks=batch.masks.clone())
    other.masks[:, :, 1] = torch.rand(2, 3, 48, 48).round()
    losses = [agunet_step(network(), x, AS_IT_IS).loss for x in (batch, other)]
    assert torch.equal(*losses)


def test_ground_is_swapped_behind_the_object_alone() -> None:
    batch = clips()
    changed = swapped(batch, 1.0).images
    assert torch.equal(changed[:, 0], batch.images[:, 0]), "what the object is told from"
    middle, far = (slice(12, 36), slice(6, 14)), (slice(8, 40), slice(20, 48))
    assert torch.equal(changed[:, 1:, :, *middle], batch.images[:, 1:, :, *middle])
    assert torch.equal(changed[0, 1:, :, *far], batch.images[1, 1:, :, *far])
    assert torch.equal(swapped(batch, 0.0).images, batch.images)


def test_a_share_that_is_none_is_refused() -> None:
    assert list(AgunetSettings(swap=1.5).problems()) == ["swap = 1.5; expected a share of 1"]
    assert not list(AgunetSettings().problems()) and AgunetSettings().unspoilt().swap == 0


# a few steps on the marked frames of a video


@pytest.mark.parametrize("frames", [1, 2])
def test_so_many_steps_are_made_of_each_frame(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    shots = [shot(2 * i) for i in range(frames)]
    made = network()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    learned = taught(made, shots, 4, 1e9, told.append)
    assert told == pytest.approx([(i + 1) / (4 * frames) for i in range(4 * frames)])
    assert learned and not any(name.startswith("encoder.") for name in learned)
    assert all((value != before[name].numpy()).any() for name, value in learned.items())
    assert all(torch.equal(v, before[n]) for n, v in made.state_dict().items() if n not in learned)


@pytest.mark.parametrize(("frames", "seconds", "steps"), [(1, 3.0, 3), (2, 3.0, 3), (3, 1.0, 3)])
def test_no_step_is_begun_when_time_is_over(
    frames: int, seconds: float, steps: int, ticking: None
) -> None:
    """But one of each frame."""
    told: list[float] = []
    taught(network(), [shot(i) for i in range(frames)], 100, seconds, told.append)
    assert len(told) == steps and told[-1] == 1


def test_it_learns_what_the_object_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was never trained tells the objects of the frame it learned from, in another one."""
    monkeypatch.setattr(teaching, "RATE", 3e-3)
    torch.manual_seed(0)
    made, overlaps = create("agunet", width=8, key=16).eval(), []
    for steps in (0, 60):
        engine = WatchedEngine(made)
        followed = AgunetPropagator(engine, steps=steps, budget=1e9)
        masks = {i: (CLIP.labels[0] == i).astype(np.float32) for i in (1, 2)}
        followed.propagate(followed.look(CLIP.images[0]), [])
        pooled = {i: m.reshape(32, 2, 48, 2).mean((1, 3)) for i, m in masks.items()}
        followed.update(pooled, dict.fromkeys(masks, 1.0), set(masks))
        followed.learn(CLIP.images[0], masks, lambda share: None)
        logits = followed.propagate(followed.look(CLIP.images[2]), [1, 2])
        truth = np.stack([CLIP.labels[2][::2, ::2] == i for i in (1, 2)])
        both = (logits > 0) & truth
        overlaps.append(both.sum() / ((logits > 0) | truth).sum())
    assert overlaps[1] > overlaps[0] + 0.3


def test_what_shows_no_object_teaches_nothing() -> None:
    empty = Shot(CLIP.images[0], np.zeros_like(CLIP.labels[0], np.uint16))
    assert taught(network(), [empty], 3, 10.0, lambda share: None) == {}


# from frame to frame


@pytest.mark.parametrize("g", ["topk", "xcorr"])
def test_frames_do_not_depend_on_those_between(g: str) -> None:
    """Nothing goes from frame to frame."""
    one, other = tracker(g), tracker(g)
    for followed in (one, other):
        marked(followed)
    for frame in CLIP.images[1:4]:
        one.step(frame)
    for found in (one, other):
        found.step(CLIP.images[4])
    assert one.logits.keys() == other.logits.keys() == {1, 2}
    for object_id, logits in one.logits.items():
        np.testing.assert_array_equal(logits, other.logits[object_id])


def test_a_prior_makes_less_likely_what_was_elsewhere() -> None:
    followed = AgunetPropagator(WatchedEngine(network()), steps=0, prior=True)
    seen = followed.look(CLIP.images[0])
    followed.propagate(seen, [])
    mask = np.zeros((32, 48), np.float32)
    mask[:8, :8] = 1
    followed.update({1: mask}, {1: 1.0}, {1})
    followed.propagate(seen, [1])
    likely = followed._likely(1) / followed.maps[1]
    assert likely[0, 0] == 1 and likely[-1, -1] == 0.5
    followed.update({1: mask + np.float32(1e-7)}, {1: 0.0}, set())
    followed.propagate(seen, [1])
    np.testing.assert_array_equal(followed._likely(1), followed.maps[1])  # lost: it may be anywhere


def test_objects_marked_in_different_frames_have_their_own() -> None:
    """Each is sought by the frames it was marked in, as if it were alone."""
    both = tracker()
    marked(both, 0, (1,))
    marked(both, 2, (2,))
    both.step(CLIP.images[4])
    for object_id, frame in ((1, 0), (2, 2)):
        alone = tracker()
        marked(alone, frame, (object_id,))
        alone.step(CLIP.images[4])
        np.testing.assert_allclose(both.logits[object_id], alone.logits[object_id], atol=1e-5)


def test_a_frame_that_is_marked_again_counts_once() -> None:
    followed = tracker()
    marked(followed)
    marked(followed, 0, (2,))
    state = followed.state_dict()["propagator"]
    ((_, masks, _),) = state["references"]
    assert set(masks) == {1, 2}
    followed.remove(1)
    assert set(followed.state_dict()["propagator"]["references"][0][1]) == {2}
    followed.remove(2)
    assert not followed.state_dict()["propagator"]["references"]


def test_what_is_compared_follows_what_was_learned() -> None:
    """A projection of nothing makes every pixel like any other."""
    followed = AgunetPropagator(WatchedEngine(network()), steps=0)
    seen = followed.look(CLIP.images[0])
    followed.propagate(seen, [])
    mask = np.zeros((32, 48), np.float32)
    mask[16:32, 8:24] = 1
    followed.update({1: mask}, {1: 1.0}, {1})
    followed.propagate(seen, [1])
    assert np.ptp(followed.maps[1]) > 0
    nothing = {"projection.weight": np.zeros((8, 256, 1, 1), np.float32)}
    followed.take({"shots": [], "parameters": nothing})
    followed.propagate(seen, [1])
    assert np.ptp(followed.maps[1]) < 1e-6
    followed.take(None)
    followed.propagate(seen, [1])
    assert np.ptp(followed.maps[1]) > 0


@pytest.mark.parametrize("g", ["topk", "xcorr"])
def test_a_state_is_gone_on_with_exactly(g: str) -> None:
    """With what was learned; a frame that is shown again after that is known."""
    first, second = (tracker(g, steps=2, prior=True) for _ in range(2))
    marked(first)
    first.step(CLIP.images[1])
    marked(first, 2, (1,))
    lesson = first.learner.state_dict()["lesson"]
    stored = {lesson.key: unpacked_state(packed_state(dict(lesson)))}  # as the journal has both
    second.load_state_dict(unpacked_state(packed_state(first.state_dict()), stored))
    marked(second, 2, (1,))
    assert len(second.state_dict()["propagator"]["references"]) == 2
    second.load_state_dict(first.state_dict())
    for followed in (first, second):
        followed.step(CLIP.images[2])
    for object_id, logits in first.logits.items():
        np.testing.assert_array_equal(logits, second.logits[object_id])


def test_no_steps_is_no_learning() -> None:
    engine = WatchedEngine(network())
    assert AgunetPropagator(engine, steps=0).seconds == 0
    assert AgunetPropagator(engine, budget=0).seconds == 0
    assert AgunetPropagator(engine).seconds == 15 and AgunetPropagator(engine).steps == 10


def test_many_objects_are_sought_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    together, apart = tracker(), tracker()
    marked(together)
    monkeypatch.setattr(references, "ROOM", 1)
    marked(apart)
    for followed in (together, apart):
        followed.step(CLIP.images[2])
    assert len(apart.propagator._references.groups([1, 2])) == 2
    for object_id, logits in together.logits.items():
        np.testing.assert_allclose(logits, apart.logits[object_id], atol=1e-5)


def test_masks_are_folded_to_stride_16() -> None:
    mask = np.zeros((16, 24), np.float32)
    mask[:4, 8:16] = 1
    np.testing.assert_array_equal(propagator._covered(mask), [[0, 0.5, 0], [0, 0, 0]])
    soft = torch.from_numpy(mask).repeat_interleave(2, 0).repeat_interleave(2, 1)
    np.testing.assert_array_equal(covered(soft[None, None])[0, 0], propagator._covered(mask))
    assert teaching.WINDOW % 16 == 0
