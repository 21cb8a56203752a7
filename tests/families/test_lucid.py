"""Lucid Tracker: its network, what a step of training computes, and how it is taught a video."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bars import clips
from clocks import TickingClock
from fake import WatchedEngine, fill_box
from masktrail.errors import InputError
from masktrail.families import create, fitting
from masktrail.families.lucid import teaching
from masktrail.families.lucid.motion import MotionSettings
from masktrail.families.lucid.network import LucidNetwork
from masktrail.families.lucid.propagator import LucidPropagator
from masktrail.families.lucid.teaching import Teaching, damaged, taught
from masktrail.families.lucid.training import LucidSettings, lucid_step
from masktrail.flow.estimators import VARIABLE
from masktrail.models.backbones import ResNet18
from masktrail.prompts.kinds import Mask
from masktrail.recipe import Stage
from masktrail.tracking.family import Traits
from masktrail.tracking.shot import Shot
from masktrail.tracking.tracker import Tracker
from masktrail.tracking.view import View
from painted_videos import paint_clip

CLIP = paint_clip(8, (96, 64), objects=2)
VIEW = View("object", 64, 2.0, 32, False, 4)
AS_IT_IS = Stage(own=LucidSettings(corrupt=0.0, teacher=0.0, still=0.0))


def network(seed: int = 0) -> LucidNetwork:
    torch.manual_seed(seed)
    made = create("lucid", width=4).eval()
    assert isinstance(made, LucidNetwork)
    return made


def shot(frame: int = 0, ids: tuple[int, ...] = (1, 2)) -> Shot:
    labels = CLIP.labels[frame]
    return Shot.of(CLIP.images[frame], {i: (labels == i).astype(np.float32) for i in ids})


def shifts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """An estimator that sees everything go two pixels to the right, and the left half four."""
    flow = np.zeros((*first.shape[:2], 2), np.float32)
    flow[..., 0] = 2
    flow[:, : first.shape[1] // 3, 0] = 4
    return flow


def tracker(**settings: Any) -> Tracker:
    told = {"budget": 0.0, "flow": "none", "side": 64, "smallest": 32, **settings}
    propagator = LucidPropagator(WatchedEngine(network()), **told)
    return Tracker(propagator, 64, fill_box, settings=told, traits=Traits(learns=("budget",)))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds are steps."""
    monkeypatch.setattr(fitting, "time", TickingClock())


# the network


def test_it_starts_from_a_network_of_pictures() -> None:
    made, source = network(), ResNet18()
    own = made.encoder.conv1.weight.clone()
    filled = made.start_from(source.state_dict())
    assert filled is not None and "encoder.layer3.1.conv2.weight" in filled
    assert "encoder.conv1.weight" not in filled, "part of it is new"
    assert torch.equal(made.encoder.conv1.weight[:, :3], source.conv1.weight)
    assert torch.equal(made.encoder.conv1.weight[:, 3:], own[:, 3:])
    assert torch.equal(made.encoder.layer1[0].conv1.weight, source.layer1[0].conv1.weight)
    assert made.start_from(network().state_dict()) is None, "which is filled by names"


@torch.no_grad()
def test_its_functions_have_the_sizes_of_pictures() -> None:
    made, images = network(), torch.rand(2, 3, 48, 64)
    maps = torch.rand(2, 1, 48, 64)
    assert made.segment(images, maps, maps).shape == (2, 1, 48, 64)
    assert made.estimate(images, images).shape == (2, 2, 48, 64)
    for call in (lambda x: made.segment(x, maps, maps), lambda x: made.estimate(x, x)):
        with pytest.raises(InputError, match="multiples of 16"):
            call(torch.rand(2, 3, 40, 64))
    with pytest.raises(InputError, match="4 channels or more"):
        create("lucid", width=3)


# training


def test_losses_and_pictures() -> None:
    output = lucid_step(network(), clips(objects=2), AS_IT_IS)
    assert output.masks.shape == (2, 2, 2, 48, 48) and not output.masks.requires_grad
    assert set(output.parts) == {"cross_entropy", "dice"}
    with_flow = lucid_step(network(), clips(flow=True), AS_IT_IS)
    assert set(with_flow.parts) == {"cross_entropy", "dice", "flow"}
    assert with_flow.loss.item() == pytest.approx(sum(x.item() for x in with_flow.parts.values()))


@pytest.mark.parametrize("known", [False, True])
def test_flow_is_learned_from_flow_alone(known: bool) -> None:
    made = network()
    torch.nn.init.normal_(made.flow.readers[0].head.weight)  # it starts at zero
    lucid_step(made, clips(flow=known), AS_IT_IS).loss.backward()
    taught_flow = [p.grad is not None and bool(p.grad.any()) for p in made.flow.parameters()]
    assert any(taught_flow) == known
    assert all(p.grad is not None for n, p in made.named_parameters() if not n.startswith("flow."))


def test_what_is_unknown_of_flow_does_not_count() -> None:
    batch = clips(flow=True)
    assert batch.flow is not None
    batch.flow[:, :, 2, :, 24:] = 0
    wrong = replace(batch, flow=batch.flow.clone())
    assert wrong.flow is not None
    wrong.flow[:, :, :2, :, 24:] = 1e3
    one, other = (lucid_step(network(), x, AS_IT_IS).parts["flow"] for x in (batch, wrong))
    assert torch.equal(one, other) and one > 0


def test_true_masks_after_the_first_are_not_seen() -> None:
    batch = clips(frames=4)
    blind = replace(batch, masks=batch.masks.clone())
    blind.masks[:, 1:] = 0
    with torch.no_grad():
        one, other = (lucid_step(network(), x, AS_IT_IS).masks for x in (batch, blind))
    assert torch.equal(one, other)


def test_a_still_clip_is_told_nothing_of_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = network(), []
    torch.nn.init.normal_(made.flow.readers[2].head.weight, std=3)
    segment = made.segment
    monkeypatch.setattr(made, "segment", lambda *inputs: seen.append(inputs) or segment(*inputs))
    for still in (0.0, 1.0):
        lucid_step(made, clips(frames=2), Stage(own=LucidSettings(corrupt=0.0, still=still)))
    (_, moved, cue), (_, same, nothing) = seen
    assert cue.any() and not nothing.any()
    assert torch.allclose(same[:, 0], clips().masks[:, 0, 0], atol=1e-4)
    assert not torch.allclose(moved, same, atol=0.1)


def test_settings_that_make_no_sense_are_told() -> None:
    assert list(LucidSettings(still=1.5).problems()) == ["still = 1.5; expected a share of 1"]
    unspoilt = LucidSettings(corrupt=1.0, teacher=1.0, still=1.0).unspoilt()
    assert vars(unspoilt) == {"corrupt": 0.0, "teacher": 0.0, "still": 0.0}


# the propagator


def prompts(frame: int) -> dict[int, Mask]:
    return {i: Mask(CLIP.labels[frame] == i) for i in (1, 2)}


@pytest.mark.parametrize("warp", [False, True])
@pytest.mark.parametrize("cue", [False, True])
def test_the_network_is_told_what_it_is_to_know(warp: bool, cue: bool) -> None:
    one = tracker(cue=cue, warp=warp)
    one.propagator.motion = MotionSettings(shifts, cue, warp)
    for frame in (0, 1):
        one.step(CLIP.images[frame], prompts(0) if frame == 0 else None)
    ((_, masks, told),) = one.propagator.engine.inputs_of("segment")
    assert told.any() == cue
    still = tracker()
    for frame in (0, 1):
        still.step(CLIP.images[frame], prompts(0) if frame == 0 else None)
    ((_, same, _),) = still.propagator.engine.inputs_of("segment")
    assert masks.shape == same.shape == (2, 1, 64, 64)
    assert torch.equal(masks, same) == (not warp)


def test_flow_of_the_video_is_kept_and_that_of_dreams_is_not(
    steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    one = tracker(flow="dis", budget=1.0)
    for frame in (0, 1):
        one.step(CLIP.images[frame], prompts(0) if frame == 0 else None)
    assert len(list(tmp_path.iterdir())) == 2, "back and forth"


def test_flow_is_computed_once_for_all_objects() -> None:
    one, asked = tracker(), []
    estimator = lambda *pair: asked.append(pair) or shifts(*pair)  # noqa: E731
    one.propagator.motion = MotionSettings(estimator, True, True)
    for frame in (0, 1, 2):
        one.step(CLIP.images[frame], prompts(0) if frame == 0 else None)
    assert len(asked) == 2 * 2, "back and forth"
    (now, before), (first, second), *_ = asked
    assert np.array_equal(now, second) and np.array_equal(before, first)
    assert not np.array_equal(now, before)


def test_its_own_flow_needs_nothing_else() -> None:
    one = tracker(flow="learned")
    for frame in (0, 1):
        one.step(CLIP.images[frame], prompts(0) if frame == 0 else None)
    assert len(one.propagator.engine.inputs_of("estimate")) == 2
    flow = one.propagator.motion.estimator(*CLIP.images[:2])
    assert flow.shape == (64, 96, 2) and flow.dtype == np.float32


def test_without_opencv_it_says_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"masktrail\[flow\].*by the setting flow=learned"):
        tracker(flow="dis")


# teaching


def how(dreams: bool = True, view: View = VIEW) -> Teaching:
    return Teaching(view, MotionSettings(None, True, True), dreams, "cpu")


@pytest.mark.parametrize("dreams", [True, False])
def test_it_learns_what_was_marked(steps, monkeypatch: pytest.MonkeyPatch, dreams: bool) -> None:
    monkeypatch.setattr(teaching, "RATE", 5e-3)
    losses: list[float] = []
    loss = teaching._loss

    def noted(*given: Any) -> torch.Tensor:
        value = loss(*given)
        losses.append(float(value.detach()))
        return value

    monkeypatch.setattr(teaching, "_loss", noted)
    made = network()
    before = {name: p.detach().clone() for name, p in made.named_parameters()}
    learned = taught(made, [shot(ids=(1,))], how(dreams), 24, lambda share: None)
    kept = {name for name in before if name.startswith(teaching.LEFT)}
    assert learned.keys() == before.keys() - kept
    assert any(name.startswith("flow.") for name in kept)
    assert all(values.dtype == np.float32 for values in learned.values())
    assert np.mean(losses[-6:]) < 0.9 * np.mean(losses[:6])


@torch.no_grad()
def test_dreams_are_told_what_videos_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask is moved along the flow from each moment to the one before."""
    height, width = VIEW.side, VIEW.side
    columns = torch.arange(width).float().expand(height, width)
    images = torch.stack([(columns + 6 * t).remainder(64) / 64 for t in (0, 1)])
    images = images[None, :, None].expand(1, 2, 3, -1, -1)  # everything goes 6 pixels to the left
    masks = torch.zeros(1, 2, height, width)
    masks[:, 0, 20:40, 20:40], masks[:, 1, 20:40, 14:34] = 1, 1
    asked: list[tuple[np.ndarray, np.ndarray]] = []

    def estimator(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        asked.append((first, second))
        way = np.sign(int(first[0, 10, 0]) - int(second[0, 10, 0]))
        return np.broadcast_to(np.float32([6 * way, 0]), (*first.shape[:2], 2))

    seen: list[tuple[torch.Tensor, ...]] = []
    made = network()
    segment = made.segment
    monkeypatch.setattr(made, "segment", lambda *given: seen.append(given) or segment(*given))
    told = Teaching(VIEW, MotionSettings(estimator, True, True), True, "cpu")
    teaching._loss(made, told, lambda: teaching.Lesson(images, masks, masks[:, 0]))
    ((_, moved, cue),) = seen
    assert torch.equal(moved[:, 0], masks[:, 1])
    assert not cue.any(), "the camera alone moves"
    (now, before), (first, second) = asked
    assert np.array_equal(now, second) and np.array_equal(before, first)
    assert np.array_equal(now, (images[0, 1] * 255).round().byte().permute(1, 2, 0).numpy())


def test_each_object_has_a_scene_in_which_it_is_as_large_as_in_its_window(steps) -> None:
    one = shot()
    scenes = list(teaching._scenes(one, how()))
    assert len(scenes) == 2
    for object_id, scene in zip((1, 2), scenes, strict=True):
        lesson = scene()
        assert lesson.images.shape == (teaching.BATCH, teaching.FRAMES, 3, 64, 64)
        assert lesson.masks.shape == lesson.images[:, :, 0].shape
        window = VIEW.window((one.labels == object_id).astype(np.float32))
        rows, columns = np.nonzero(one.labels == object_id)
        across = (np.ptp(columns) + 1) * 64 / window.size[1]
        found = lesson.masks[:, 0].amax(1).sum(1)
        assert 0.6 * across < found.float().mean() < 1.35 * across
        colour = CLIP.images[0][rows, columns].mean(0) / 255
        inside = (lesson.images[:, 0] * lesson.masks[:, :1]).sum((0, 2, 3))
        seen = inside / lesson.masks[:, 0].sum()
        assert np.abs(seen.numpy() - colour).max() < 0.25, "it is that object"


@pytest.mark.parametrize("pixels", [0, 1])
@pytest.mark.parametrize("dreams", [True, False])
def test_marks_of_next_to_nothing_do_no_harm(steps, pixels: int, dreams: bool) -> None:
    mask = np.zeros(CLIP.labels[0].shape, np.float32)
    mask.flat[:pixels] = 1.0
    one = Shot.of(CLIP.images[0], {1: mask})
    learned = taught(network(), [one], how(dreams), 2, lambda share: None)
    assert all(np.isfinite(values).all() for values in learned.values())
    assert bool(learned) == bool(pixels), "of nothing nothing is learned"


def test_an_object_that_fills_the_picture_is_learned_too(steps) -> None:
    one = Shot.of(CLIP.images[0], {1: np.ones(CLIP.labels[0].shape, np.float32)})
    for dreams in (True, False):
        assert taught(network(), [one], how(dreams), 1, lambda share: None)


def test_masks_are_damaged_near_the_object(steps) -> None:
    mask = torch.zeros(400, 64, 64)
    mask[:, 20:44, 20:44] = 1
    spoilt = damaged(mask, torch.Generator().manual_seed(0))
    lost = ((mask - spoilt) > 0).float().sum((1, 2)) / mask[0].sum()
    more = ((spoilt - mask) > 0).float()
    assert set(spoilt.unique().tolist()) == {0.0, 1.0}
    assert 0.3 < (lost > 0.02).float().mean() < 0.9 and lost.max() > 0.4
    assert 0.3 < (more.sum((1, 2)) > 8).float().mean() < 0.9
    assert not more[:, :13].any() and not more[:, :, 51:].any(), "nothing far away"


def test_a_tracker_learns_and_goes_on_bit_for_bit(steps) -> None:
    one, other = tracker(budget=2.0), tracker(budget=2.0)
    one.step(CLIP.images[0], prompts(0))
    lesson = one.propagator.lesson()
    assert len(lesson["shots"]) == 1 and lesson["parameters"]
    plain = tracker()
    plain.step(CLIP.images[0], prompts(0))
    expected, untaught = (each.step(CLIP.images[1]) for each in (one, plain))
    assert expected.objects.keys() == untaught.objects.keys()
    assert any(not np.array_equal(one.logits[i], plain.logits[i]) for i in one.logits)
    other.load_state_dict(one.state_dict())
    for frame in range(2, 5):
        found = other.step(CLIP.images[frame]), one.step(CLIP.images[frame])
        assert np.array_equal(found[0].labels, found[1].labels)
    one.step(CLIP.images[5], {1: prompts(5)[1]})
    assert len(one.propagator.lesson()["shots"]) == 2, "a later prompt beside the first"
    other.load_state_dict(tracker(budget=2.0).state_dict())
    assert not other.propagator.lesson()["parameters"], "and forgets what it learned"
