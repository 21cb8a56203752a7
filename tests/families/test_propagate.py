"""Propagation by pairs of frames, with networks of a few lines."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from masktrail.engines.torch import TorchEngine
from masktrail.errors import InputError
from masktrail.families import create
from masktrail.families.unet.propagator import PairPropagator
from masktrail.prompts.kinds import Mask
from masktrail.tracking.competition import sigmoid, soft_aggregate, softmax
from masktrail.tracking.last_frame import unsharpened
from masktrail.tracking.tracker import Tracker
from masktrail.tracking.view import OUTSIDE

VIEWS = ("frame", "square", "object")
COLOURS = ((230, 40, 40), (40, 220, 40), (40, 40, 240))
HEIGHT, WIDTH, SIDE = 96, 160, 24


class ColourNetwork(nn.Module):
    """Finds in the current image what has the mean colour of the masked pixels of the previous."""

    stride = 32

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(40.0))
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def __deepcopy__(self, memo: dict) -> "ColourNetwork":
        return self  # so that a test sees what the engine's copy sees

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        assert not current.shape[2] % self.stride and not current.shape[3] % self.stride
        self.seen.append((previous, current, mask))
        mask = mask.where(mask > 0.5, 0.0)
        weight = mask.sum((2, 3), keepdim=True)
        colour = (previous * mask).sum((2, 3), keepdim=True) / weight.clamp_min(1e-3)
        distance = (current - colour).square().sum(1, keepdim=True).sqrt()
        found = self.sharpness * (0.3 - distance)
        return torch.where(weight > 1, found, -8.0)  # (B, 1, H, W)


def squares(t: int, objects: int) -> np.ndarray:
    """Labels of squares, one below the other, that move three pixels per frame."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for k in range(objects):
        y, x = 4 + 31 * k, 10 + 3 * t + 20 * k
        labels[y : y + SIDE, x : x + SIDE] = k + 1
    return labels


def paint(labels: np.ndarray) -> np.ndarray:
    image = np.full((*labels.shape, 3), 128, np.uint8)
    for k, colour in enumerate(COLOURS, start=1):
        image[labels == k] = colour
    return image


def random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def colour_tracker(view: str, **settings) -> Tracker:
    propagator = PairPropagator(TorchEngine(ColourNetwork()), view, side=128, **settings)
    return Tracker(propagator, HEIGHT, lambda image, box: None)


def masks(labels: np.ndarray) -> dict[int, Mask]:
    return {int(i): Mask(labels == i) for i in np.unique(labels) if i}


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return (one & two).sum() / (one | two).sum()


every_view = pytest.mark.parametrize("view", VIEWS)


@every_view
@pytest.mark.parametrize("objects", [1, 3])
def test_moving_squares_are_followed(view, objects):
    tracker = colour_tracker(view)
    for t in range(12):
        truth = squares(t, objects)
        result = tracker.step(paint(truth), masks(truth) if t == 0 else None)
        for i in range(1, objects + 1):
            assert overlap(result.labels == i, truth == i) > 0.9, (t, i)
            assert result.objects[i].state == "present"


@every_view
def test_an_object_may_come_later_and_go(view):
    tracker = colour_tracker(view)
    truth = [squares(t, 3) for t in range(8)]
    tracker.step(paint(truth[0]))
    tracker.step(paint(truth[1]), {2: Mask(truth[1] == 2)})
    tracker.step(paint(truth[2]), {3: Mask(truth[2] == 3)})
    tracker.step(paint(truth[3]))
    tracker.remove(2)
    result = tracker.step(paint(truth[4]), {1: Mask(truth[4] == 1)})
    assert set(result.objects) == {1, 3}
    result = tracker.step(paint(truth[5]))
    assert all(overlap(result.labels == i, truth[5] == i) > 0.9 for i in (1, 3))


@every_view
def test_an_object_that_is_gone_is_lost_and_may_be_marked_again(view):
    tracker, truth, nothing = colour_tracker(view), squares(0, 1), squares(0, 0)
    tracker.step(paint(truth), masks(truth))
    for _ in range(3):
        result = tracker.step(paint(nothing))
        assert result.objects[1].state == "lost" and not result.labels.any()
    tracker.step(paint(squares(5, 1)), masks(squares(5, 1)))
    found = tracker.step(paint(squares(6, 1))).labels == 1
    assert overlap(found, squares(6, 1) == 1) > 0.9


def test_an_object_that_is_lost_is_sought_in_the_whole_frame():
    tracker, truth = colour_tracker("object"), squares(0, 1)
    tracker.step(paint(truth), masks(truth))
    tracker.step(paint(squares(0, 0)))
    tracker.step(paint(truth))
    whole = tracker.propagator.engine.network.seen[-1][1]
    assert whole[0, :, 0, 0] == pytest.approx(128 / 255) and whole.shape[2:] == (128, 128)
    share = float((whole[0, 0] > 0.7).float().mean())  # red
    assert share == pytest.approx((truth == 1).mean(), rel=0.1)


def test_what_lies_beyond_the_window_is_background():
    truth = squares(0, 1)
    decoy = truth.copy()
    decoy[60:84, 120:144] = 1  # the object's colour, but far away
    image = paint(decoy)
    seen = {}
    for view in VIEWS:
        tracker = colour_tracker(view)
        tracker.step(paint(truth), masks(truth))
        seen[view] = tracker.propagator.propagate(image, [1])[0] > 0
    assert seen["frame"][70, 130] and seen["square"][70, 130]
    assert not seen["object"][70, 130] and overlap(seen["object"], truth == 1) > 0.9


def test_each_view_shows_the_network_what_it_says():
    truth, shown = squares(0, 1), {}
    for view in VIEWS:
        tracker = colour_tracker(view, margin=2.0, smallest=16)
        tracker.step(paint(truth), masks(truth))
        tracker.step(paint(squares(1, 1)))
        shown[view] = tracker.propagator.engine.network.seen[-1]
    assert shown["frame"][1].shape[2:] == (HEIGHT, WIDTH)
    assert shown["square"][1].shape[2:] == shown["object"][1].shape[2:] == (128, 128)
    part = {view: float(seen[2].mean()) for view, seen in shown.items()}
    assert part["frame"] == pytest.approx(part["square"], rel=0.02)
    assert part["object"] == pytest.approx(1 / 4, rel=0.02)  # half the window either way
    for previous, current, _ in shown.values():
        assert not torch.equal(previous, current)


def test_the_smallest_window_holds_for_small_objects():
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    truth[40:44, 60:64] = 1
    tracker = colour_tracker("object", smallest=32)
    tracker.step(paint(truth), masks(truth))
    tracker.step(paint(truth))
    assert float(tracker.propagator.engine.network.seen[-1][2].mean()) == pytest.approx(
        1 / 64, rel=0.05
    )


class SoftNetwork(nn.Module):
    """Gives logits that grow from left to right, whatever it sees."""

    stride = 32

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        return self.scale * torch.linspace(-1, 1, mask.shape[3]).expand_as(mask)


def test_the_soft_map_is_what_goes_back():
    """Of an object alone: exactly the sigmoid of its logits, though the tracker sharpened it."""
    network, truth = SoftNetwork(), squares(0, 1)
    tracker = Tracker(PairPropagator(TorchEngine(network)), HEIGHT, lambda image, box: None)
    tracker.step(paint(truth), masks(truth))
    given = tracker.propagator.state_dict()["masks"][1]
    np.testing.assert_array_equal(given.round(), truth == 1)
    tracker.step(paint(truth))
    expected = np.tile(sigmoid(3 * np.linspace(-1, 1, WIDTH)), (HEIGHT, 1))
    soft = tracker.propagator.state_dict()["masks"][1]
    np.testing.assert_allclose(soft, expected, atol=1e-4)


def test_what_another_object_wins_is_lowered():
    logits = np.float32([3.0, 1.0]).reshape(2, 1, 1)
    first, second = unsharpened(softmax(soft_aggregate(logits))[1:]).ravel()
    own = sigmoid(logits).ravel()
    assert 0.5 < first <= own[0] and second < 0.5 < own[1]


def test_certain_masks_stay_certain():
    np.testing.assert_array_equal(unsharpened(np.float32([0, 1])), [0, 1])


@every_view
def test_objects_do_not_depend_on_their_batch(view):
    truth, outputs = squares(0, 3), []
    for batch in (1, 2, 3):
        tracker = colour_tracker(view, batch=batch)
        tracker.step(paint(truth), masks(truth))
        tracker.step(paint(squares(1, 3)))
        state = tracker.propagator.state_dict()["masks"]
        outputs.append(np.stack([state[i] for i in (1, 2, 3)]))
        sizes = [len(seen[2]) for seen in tracker.propagator.engine.network.seen]
        assert sizes == {1: [1, 1, 1], 2: [2, 1], 3: [3]}[batch]
    for other in outputs[1:]:
        np.testing.assert_allclose(other, outputs[0], atol=1e-5)


@every_view
def test_without_objects_there_is_nothing_to_look_at(view):
    tracker = colour_tracker(view)
    for t in range(3):
        assert not tracker.step(paint(squares(t, 1))).labels.any()
    assert not tracker.propagator.engine.network.seen


@every_view
def test_the_logits_are_as_large_as_the_picture(view):
    propagator = PairPropagator(TorchEngine(ColourNetwork()), view, side=64)
    image = random_image(64, 96)
    assert propagator.propagate(image, []).shape == (0, 64, 96)
    soft = np.zeros((64, 96), np.float32)
    soft[20:30, 20:30] = 0.9
    propagator.update({7: soft, 9: np.zeros((64, 96), np.float32)}, {7: 0.9, 9: 0.0}, {7})
    logits = propagator.propagate(image, [9, 7])
    assert logits.shape == (2, 64, 96) and np.isfinite(logits).all()
    beyond = (logits[1] == OUTSIDE).mean()
    assert (beyond > 0.2) == (view == "object")


@pytest.mark.parametrize("family", ["unet", "siamese-unet"])
def test_the_network_is_left_as_it_is(family):
    torch.manual_seed(0)
    network = create(family, width=4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    propagator = PairPropagator(TorchEngine(network))
    for t in range(2):
        propagator.propagate(random_image(32, 64), [1] * t)
        propagator.update({1: np.full((32, 64), 0.3, np.float32)}, {1: 0.5}, set())
    assert propagator.engine.network is not network and network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_side_that_the_network_cannot_take_is_refused():
    with pytest.raises(InputError, match="side = 112; this network needs a multiple of 32"):
        PairPropagator(TorchEngine(ColourNetwork()), "object", side=112)


class LeftNetwork(nn.Module):
    """Certain of what the left half of its picture shows, whatever that is."""

    stride = 32

    def __init__(self) -> None:
        super().__init__()
        self.certain = nn.Parameter(torch.tensor(6.0))

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        left = torch.arange(current.shape[3]) < current.shape[3] // 2
        return self.certain * torch.where(left, 1.0, -1.0).expand(mask.shape)


@pytest.mark.parametrize("view", VIEWS)
def test_a_mirrored_look_is_a_second_opinion(view):
    """What is said of the mirrored picture is turned back: the halves here cancel out."""
    looks = {}
    for mirror in (False, True):
        propagator = PairPropagator(
            TorchEngine(LeftNetwork()), view, side=64, margin=9.0, mirror=mirror
        )
        propagator.propagate(random_image(64, 96), [])
        mask = np.zeros((64, 96), np.float32)
        mask[:, 40:56] = 1
        propagator.update({1: mask}, {}, {1})
        (looks[mirror],) = propagator.propagate(random_image(64, 96), [1])
    assert looks[False][:, :40].min() > 5 and looks[False][:, 56:].max() < -5
    assert np.abs(looks[True][:, :40]).max() < 1e-4 and np.abs(looks[True][:, 56:]).max() < 1e-4
