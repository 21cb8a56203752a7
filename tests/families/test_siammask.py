"""SiamMask's way through a video: crops, choice of a response, boxes, masks put back."""

from typing import Any

import numpy as np
import pytest
import torch

from fake import fill_box
from masktrail.engines.torch import TorchEngine
from masktrail.families import create, family
from masktrail.families.siammask.anchors import anchors, decoded, sizes
from masktrail.families.siammask.choice import choose, context
from masktrail.families.siammask.config import ANCHORS, EXEMPLAR, RING, SEARCH, STRIDE
from masktrail.families.siammask.crops import Square
from masktrail.families.siammask.propagator import SiamMaskPropagator
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.tracking.tracker import Tracker

HEIGHT, WIDTH = 240, 320
RED = np.array([255, 0, 0], np.uint8)
FILL = np.array([10, 20, 30], np.float32)
NOTHING = np.zeros((1, 1, 1, 1), np.float32)


def painted(box: tuple[int, int, int, int], size: tuple[int, int] = (HEIGHT, WIDTH)):
    """A picture of a red rectangle on grey."""
    image = np.full((*size, 3), 120, np.uint8)
    x0, y0, x1, y1 = box
    image[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = RED
    return image


def red(image) -> np.ndarray:
    return image[..., 0].astype(int) - image[..., 1] > 120


class Oracle:
    """An engine that finds what is red, exactly: its box, and its mask in every window."""

    name, device, precision, stride, graphs, concurrent = "oracle", "cpu", "float", 1, None, False

    def __init__(self, branches: str) -> None:
        self.branches, self.seen = branches, []

    def run(self, function: str, *inputs: Any) -> Any:
        return getattr(self, function)(*inputs)

    def array(self, value: Any) -> Any:
        return value

    def keep(self, value: Any) -> Any:
        return value

    def warm_up(self, sizes: Any) -> Any:
        return iter(())

    def exemplar(self, images: Any) -> Any:
        self.seen.append(images[0])
        return (NOTHING,) * (3 if self.branches == "three" else 2)

    def search(self, images: Any) -> Any:
        features = (red(images[0]),) * (3 if self.branches == "three" else 2)
        return *features, NOTHING, NOTHING, NOTHING

    def match(self, *parts: Any) -> Any:
        mask = parts[-1]
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        middle = (SEARCH - 1) / 2
        x, y = (columns[0] + columns[-1]) / 2 - middle, (rows[0] + rows[-1]) / 2 - middle
        wide, high = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
        grid = anchors(25)
        far = np.hypot(grid[0] - x, grid[1] - y) + np.abs(np.log(grid[2] * high / grid[3] / wide))
        scores = np.where(far == far.min(), 20.0, -20.0).astype(np.float32)  # (A, 25, 25)
        if self.branches == "two":
            return scores.max(0)[None, None], mask.astype(np.float32)
        boxes = np.stack([(x - grid[0]) / grid[2], (y - grid[1]) / grid[3]])
        boxes = np.concatenate([boxes, [np.log(wide / grid[2]), np.log(high / grid[3])]])
        both = np.concatenate([-scores, scores])[None]
        boxes = boxes.reshape(1, 4 * ANCHORS, 25, 25).astype(np.float32)
        return both, boxes, mask.astype(np.float32)

    def refined(self, mask: Any, p0: Any, p1: Any, p2: Any, place: Any) -> Any:
        border = RING * STRIDE
        padded = np.pad(mask, border)
        i, j = (STRIDE * int(at) for at in place)
        return np.where(padded[i : i + EXEMPLAR, j : j + EXEMPLAR] > 0.5, 9.0, -9.0)[
            None, None
        ].astype(np.float32)

    def coarse(self, mask: Any, place: Any) -> Any:
        return self.refined(mask, None, None, None, place)


def tracker(branches: str, **settings: Any) -> Tracker:
    propagator = SiamMaskPropagator(Oracle(branches), **settings)
    return Tracker(propagator, HEIGHT, fill_box, traits=family("siammask").traits)


def assert_near(found, expected, by: float) -> None:
    assert found is not None
    assert np.abs(np.array(found) - np.array(expected)).max() <= by, (found, expected)


@pytest.mark.parametrize(
    "square",
    [Square(80.3, 60.8, 90.6), Square(-20.5, -33.25, 120), Square(210, 150, 200), Square(3, 5, 20)],
)
def test_what_is_cut_out_and_pasted_back_lies_where_it_was(square: Square) -> None:
    """Within half a pixel: measured by the middle of a spot and by where it ends."""
    x, y, radius = square.x + 0.55 * square.side, square.y + 0.6 * square.side, square.side / 5
    down, across = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    spot = np.hypot(across - x, down - y) < radius
    image = np.where(spot[..., None], RED, 0).astype(np.uint8)
    crop = square.cut(image, EXEMPLAR, np.zeros(3, np.float32))
    pasted = square.paste(crop[..., 0].astype(np.float32) / 255, (HEIGHT, WIDTH), 0.0)
    for at in (across, down):
        before, after = (at * spot).sum() / spot.sum(), (at * pasted).sum() / pasted.sum()
        assert abs(before - after) < 0.5
    disagreeing = (pasted > 0.5) != spot
    edge = np.abs(np.hypot(across - x, down - y) - radius) < 0.5 + 0.5 * 2**0.5
    assert not (disagreeing & ~edge).any()


def test_crops_reach_beyond_the_picture_in_its_mean_colour() -> None:
    crop = Square(-40, -40, 80).cut(np.full((50, 50, 3), 200, np.uint8), 80, FILL)
    assert (crop[:39, :39] == FILL).all() and (crop[41:, 41:] == 200).all()
    assert (Square(500, 500, 30).cut(np.zeros((50, 50, 3), np.uint8), 8, FILL) == FILL).all()


def test_nothing_is_pasted_beyond_the_window() -> None:
    pasted = Square(10.5, 20, 30).paste(np.ones((9, 9), np.float32), (60, 60), -1.0)
    assert (pasted[20:50, 11:40] == 1).all() and (pasted > 0).sum() == 30 * 29
    assert (Square(70, 0, 9).paste(np.ones((9, 9), np.float32), (60, 60), -1.0) == -1).all()


def test_anchors_are_those_of_the_published_code() -> None:
    assert sizes().tolist() == [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    grid = anchors(25)
    assert grid[:, 0, 12, 12].tolist() == [0, 0, 104, 32]
    assert grid[:2, 0, 0, 24].tolist() == [96, -96], "x to the right, y down"
    np.testing.assert_array_equal(decoded(np.zeros((20, 25, 25), np.float32)), grid)


def test_context_is_half_the_mean_side_around() -> None:
    assert context(40.0, 40.0) == 80
    assert context(10.0, 90.0) == pytest.approx(((10 + 50) * (90 + 50)) ** 0.5)


def scores(*peaks: tuple[int, int, int, float]) -> np.ndarray:
    """Logits (10, 25, 25) for anchors at rows and columns."""
    maps = np.zeros((2, ANCHORS, 25, 25), np.float32)
    maps[0] = 20
    for anchor, row, column, logit in peaks:
        maps[:, anchor, row, column] = 0, logit
    return maps.reshape(10, 25, 25)


def test_what_is_near_wins_over_what_is_far() -> None:
    boxes = np.zeros((20, 25, 25), np.float32)
    peaks = scores((2, 12, 13, 3.0), (2, 1, 1, 4.0))
    near = choose(peaks, boxes, (64.0, 64.0), 0.04, 0.4)
    assert (near.row, near.column) == (12, 13) and near.score == pytest.approx(0.9526, abs=1e-4)
    assert near.box is not None and near.box.tolist() == [8, 0, 64, 64]
    far = choose(peaks, boxes, (64.0, 64.0), 0.04, 0.0)
    assert (far.row, far.column) == (1, 1)


def test_other_shapes_are_held_against() -> None:
    """By exp((1 - r s) k): r and s say how many times shape and scale changed (SiamRPN, 4.4)."""
    boxes = np.zeros((20, 25, 25), np.float32)
    peaks = scores((2, 12, 12, 3.0), (4, 12, 12, 3.1))
    assert choose(peaks, boxes, (64.0, 64.0), 0.0, 0.4).penalty == 1
    best = choose(peaks, boxes, (64.0, 64.0), 0.2, 0.4)
    assert best.box is not None and best.box[2:].tolist() == [64, 64] and best.penalty == 1
    thin = choose(scores((4, 12, 12, 3.0)), boxes, (64.0, 64.0), 0.2, 0.4)
    shape, scale = 3, context(32.0, 96.0) / context(64.0, 64.0)
    assert thin.penalty == pytest.approx(np.exp((1 - shape * max(scale, 1 / scale)) * 0.2))


@pytest.mark.parametrize("prompt", ["box", "mask"])
@pytest.mark.parametrize("branches", ["two", "three"])
def test_an_object_that_stands_still_keeps_its_box(branches: str, prompt: str) -> None:
    box = (101, 83, 171, 137)
    image, follower = painted(box), tracker(branches)
    given = Box(*box) if prompt == "box" else Mask(red(image))
    assert_near(follower.step(image, {1: given}).objects[1].box, box, 2)
    for _ in range(100):
        result = follower.step(image)
    assert_near(result.objects[1].box, box, 2)
    target = follower.propagator._targets[1]
    assert_near((target.x, target.y, target.width, target.height), (136, 110, 70, 54), 2)


@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("branches", ["two", "three"])
def test_an_object_that_moves_and_grows_is_followed(branches: str, refine: bool) -> None:
    follower = tracker(branches, refine=refine)
    follower.step(painted((40, 60, 80, 90)), {7: Box(40, 60, 80, 90)})
    for t in range(1, 20):
        box = (40 + 6 * t, 60 + 2 * t, 80 + 8 * t, 90 + 3 * t)
        result = follower.step(painted(box))
        assert_near(result.objects[7].box, box, 3)
        corners = np.array(result.objects[7].rotated)
        assert_near((*corners.min(0), *corners.max(0)), result.objects[7].box, 1)
        assert result.objects[7].score > 0.9


def test_an_object_leaves_over_the_border() -> None:
    follower = tracker("three")
    follower.step(painted((250, 100, 290, 140)), {1: Box(250, 100, 290, 140)})
    for t in range(1, 8):
        result = follower.step(painted((250 + 4 * t, 100, 290 + 4 * t, 140)))
    assert_near(result.objects[1].box, (278, 100, 318, 140), 3)
    assert_near(
        follower.step(painted((300, 100, 340, 140))).objects[1].box, (300, 100, 320, 140), 3
    )


def test_the_exemplar_is_of_the_box_that_was_given() -> None:
    """It fills half of the crop, half of its mean side being left around it."""
    follower = tracker("three")
    follower.step(painted((100, 80, 140, 120)), {1: Box(100, 80, 140, 120)})
    (seen,) = follower.propagator.engine.seen
    assert seen.shape == (EXEMPLAR, EXEMPLAR, 3)
    assert red(seen).mean() == pytest.approx(1 / 4, abs=0.02)


@pytest.mark.parametrize("wide", [1, 2, 3])
def test_thin_objects_are_sought(wide: int) -> None:
    """Also where no pixel of the map, twice as large, is covered by more than half."""
    box = (101, 60, 101 + wide, 120)
    follower, image = tracker("three"), painted(box)
    follower.step(image, {1: Mask(red(image))})
    target = follower.propagator._targets[1]
    assert target is not None
    assert_near((target.x, target.y, target.height), (101 + wide / 2, 90, 60), 2)


def test_crops_are_filled_with_the_mean_of_the_frame_that_was_marked() -> None:
    """To the digit, however many pixels there are."""
    image = np.full((1080, 1920, 3), (200, 121, 3), np.uint8)
    follower = tracker("three")
    follower.step(image, {1: Box(300, 300, 700, 700)})
    target = follower.propagator._targets[1]
    np.testing.assert_allclose(target.fill, (200, 121, 3), rtol=0, atol=0.01)


def test_boxes_stay_finite_whatever_a_network_says() -> None:
    said = np.full((20, 25, 25), 1e6, np.float32)
    assert np.isfinite(decoded(said)).all()
    best = choose(scores((2, 12, 12, 3.0)), said, (64.0, 64.0), 0.04, 0.4)
    assert np.isfinite(best.penalty) and np.isfinite(best.box).all()


def test_what_was_marked_anew_is_sought_anew() -> None:
    follower, image = tracker("three"), painted((100, 80, 140, 120))
    follower.step(image, {1: Box(100, 80, 140, 120)})
    follower.step(image, {1: Mask(red(image))})
    assert len(follower.propagator.engine.seen) == 2


def test_an_object_marked_to_be_nowhere_is_nowhere() -> None:
    follower, image = tracker("three"), painted((100, 80, 140, 120))
    follower.step(image, {1: Mask(red(image))})
    prompt = Points([(120, 100), (105, 85)], [False, False], mask=Mask(red(image)))
    follower._prompter = lambda *_: np.zeros((HEIGHT, WIDTH), bool)
    result = follower.step(image, {1: prompt})
    assert result.objects[1].state == "lost" and result.objects[1].rotated == ()
    assert follower.step(image).objects[1].state == "lost"
    assert follower.state_dict()["propagator"]["targets"] == {1: None}


@pytest.mark.parametrize("branches", ["two", "three"])
def test_a_state_goes_on_bit_for_bit(branches: str) -> None:
    torch.manual_seed(0)
    network = create("siammask", branches=branches, width=8)
    engine, traits = TorchEngine(network), family("siammask").traits
    one, other = (Tracker(SiamMaskPropagator(engine), 96, fill_box, traits=traits) for _ in "12")
    images = [painted((40 + t, 30, 70 + t, 60), (96, 128)) for t in range(4)]
    one.step(images[0], {1: Box(40, 30, 70, 60), 2: Mask(~red(images[0]))})
    one.step(images[1])
    other.load_state_dict(one.state_dict())
    for image in images[2:]:
        here, there = one.step(image), other.step(image)
        np.testing.assert_array_equal(here.labels, there.labels)
        assert here.objects == there.objects
