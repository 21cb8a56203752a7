"""From boxes and clicks to masks: what holds of the network's way and of the one by colour."""

import numpy as np
import pytest
import torch
from torch import Tensor

from masktrail.engines.torch import TorchEngine
from masktrail.families.prompt.network import PromptConfig, PromptNetwork
from masktrail.families.prompt.prompter import NetworkPrompter
from masktrail.masks import tight_box
from masktrail.prompts.colour import mask_by_colour
from masktrail.prompts.kinds import Box, Mask, Points
from painted_videos import paint_clip

SIZES = [(64, 48), (333, 251), (40, 300)]
SMALL = PromptConfig(stem=4, hidden=16, stride8=12, stride4=8, stride2=6)


class Bright(PromptNetwork):
    """Finds what is bright, and notes what it was shown."""

    def __init__(self) -> None:
        super().__init__(SMALL)
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def __deepcopy__(self, memo: dict) -> "Bright":
        return self  # so that a test sees what the engine's copy sees

    def forward(self, images: Tensor, prompts: Tensor, previous: Tensor) -> Tensor:
        self.seen.append((images, prompts, previous))
        assert all(side % 32 == 0 for side in images.shape[2:])
        assert images.shape[2:] == prompts.shape[2:] == previous.shape[2:]
        return torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True) * 40 - 20, 2)


def untrained() -> NetworkPrompter:
    torch.manual_seed(0)
    return NetworkPrompter(TorchEngine(PromptNetwork(SMALL)), (64, 96), 64)


def scene(size: tuple[int, int] = (320, 240)) -> tuple[np.ndarray, np.ndarray]:
    """A dark picture with a bright rectangle, and its mask."""
    width, height = size
    truth = np.zeros((height, width), bool)
    truth[height // 4 : height // 2, width // 3 : width // 3 + width // 4] = True
    return np.where(truth[..., None], np.uint8([240, 230, 250]), np.uint8([20, 30, 10])), truth


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("prompter", [untrained(), mask_by_colour], ids=["network", "colour"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["box", "click", "mixed", "correction", "mask"])
def test_clicks_hold_and_something_is_found_in_any_picture(prompter, size, kind):
    image, (width, height) = paint_clip(1, size).images[0], size
    on, off = (width * 0.3, height * 0.4), (width * 0.8, height - 0.5)
    box, half = Box(1.5, 2, width * 0.6, height * 0.7), np.zeros((height, width), bool)
    half[: height // 2] = True
    prompt, previous = {
        "box": (box, None),
        "click": (Points([on], [True]), None),
        "mixed": (Points([on, off], [True, False], box), None),
        "correction": (Points([on, off], [True, False]), half.astype(np.float32)),
        "mask": (Points([off], [False], mask=Mask(half)), None),
    }[kind]
    mask = prompter(image, prompt, previous)
    assert mask.dtype == bool and mask.shape == (height, width)
    if kind != "mask":
        assert mask.any()
    if isinstance(prompt, Points):
        for (x, y), label in zip(prompt.points, prompt.labels, strict=True):
            assert mask[int(y), int(x)] == label


@pytest.mark.parametrize("size", [(320, 240), (641, 359), (96, 400)])
def test_a_crop_around_a_box_goes_in_and_its_mask_comes_back_where_it_was(size):
    image, truth = scene(size)
    network = Bright()
    mask = NetworkPrompter(TorchEngine(network))(image, Box(*tight_box(truth)), None)
    assert overlap(mask, truth) > 0.95
    (pixels, maps, previous), (larger, _, seen) = network.seen
    assert pixels.shape[2] * pixels.shape[3] < 1.3 * 256**2
    assert larger.shape[2] * larger.shape[3] > 1.2 * pixels.shape[2] * pixels.shape[3]
    assert not maps[:, :2].any() and not previous.any()
    assert seen.max() > 0.99, "the second look goes out from what the first one found"
    assert torch.equal(pixels[1:], pixels[:1].flip(3)) and torch.equal(maps[1:], maps[:1].flip(3))
    inside = pixels.mean(1)[maps[:, 2] > 0.99]
    assert inside.min() > 0.5, "the box lies where the object is"


def test_clicks_alone_are_looked_at_twice_first_in_the_whole_picture():
    image, truth = scene()
    network, x0 = Bright(), tight_box(truth)[0]
    mask = NetworkPrompter(TorchEngine(network))(image, Points([(x0 + 5, 70)], [True]), None)
    assert overlap(mask, truth) > 0.95
    (whole, _, nothing), (crop, maps, previous), _ = network.seen
    assert not nothing.any() and previous.max() > 0.99
    assert (crop.mean(1) > 0.5).float().mean() > 1.5 * (whole.mean(1) > 0.5).float().mean()
    assert crop.mean(1)[maps[:, 0] > 0].min() > 0.5, "the click lies on the object"


@pytest.mark.parametrize("given", ["mask", "previous"])
def test_what_there_is_goes_in_with_the_clicks_that_correct_it(given):
    image, truth = scene()
    network = Bright()
    start = {"mask": Mask(truth)} if given == "mask" else {}
    soft = truth.astype(np.float32) if given == "previous" else None
    NetworkPrompter(TorchEngine(network))(image, Points([(300, 200)], [False], **start), soft)
    (pixels, maps, previous), _ = network.seen
    assert maps[:, 1].any() and not maps[:, 0].any()
    bright = pixels.mean(1, keepdim=True) > 0.5
    assert ((previous > 0.5) != bright).float().mean() < 0.02


def test_of_an_object_that_was_lost_clicks_mark_it_anew():
    image, truth = scene()
    nothing, x0 = np.zeros(truth.shape, np.float32), tight_box(truth)[0]
    on, prompter = Points([(x0 + 5, 70)], [True]), NetworkPrompter(TorchEngine(Bright()))
    np.testing.assert_array_equal(prompter(image, on, nothing), prompter(image, on, None))
    assert not prompter(image, Points([(x0 + 5, 70)], [False]), nothing).any()


def test_a_correction_leaves_alone_what_was_not_clicked_on():
    image, truth = scene()
    x0, _, x1, _ = tight_box(truth)
    image[200:220, 20:40] = 245  # bright, but not of the object
    before = truth.copy()
    before[:, (x0 + x1) // 2 :] = False
    prompter = NetworkPrompter(TorchEngine(Bright()))
    mask = prompter(image, Points([(x1 - 5, 70)], [True], mask=Mask(before)), None)
    assert overlap(mask, truth) > 0.95 and not mask[200:220, 20:40].any()


def test_nothing_far_outside_its_box_is_taken():
    image, truth = scene()
    x0, y0, x1, y1 = tight_box(truth)
    mask = NetworkPrompter(TorchEngine(Bright()))(image, Box(x0, y0, (x0 + x1) / 2, y1), None)
    assert tight_box(mask)[2] <= (x0 + x1) / 2 + 0.1 * (x1 - x0)


def test_where_the_network_finds_nothing_in_a_box_colours_decide():
    image, _ = scene()
    box = Box(10, 130, 60, 200)  # all dark
    np.testing.assert_array_equal(
        NetworkPrompter(TorchEngine(Bright()))(image, box, None), mask_by_colour(image, box)
    )


def test_colours_find_a_disc_from_a_click_and_give_way_to_clicks():
    clip = paint_clip(1, (320, 240))
    truth = clip.labels[0] == 1
    x0, y0, x1, y1 = tight_box(truth)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    assert overlap(mask_by_colour(clip.images[0], Points([middle], [True])), truth) > 0.5
    everything = np.ones(truth.shape, np.float32)
    less = mask_by_colour(clip.images[0], Points([middle], [False]), everything)
    assert overlap(~less, truth) > 0.5
