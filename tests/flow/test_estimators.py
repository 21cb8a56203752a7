"""What estimates flow, and where it is kept."""

import sys
from pathlib import Path

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.flow.estimators import VARIABLE, Dis, Kept, kept
from masktrail.flow.files import read_flow
from painted_videos import paint_clip

CLIP = paint_clip(2, (96, 64))


def texture(shift: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    return np.roll(coarse.repeat(6, 0).repeat(6, 1), (0, shift), (0, 1))


class Counting:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.full((*first.shape[:2], 2), self.asked, np.float32)


def test_dis_says_where_things_went() -> None:
    pytest.importorskip("cv2")
    flow = Dis("This test")(texture(), texture(5))
    assert flow.dtype == np.float32 and flow.shape == (96, 144, 2)
    middle = flow[20:-20, 20:-20]
    assert np.abs(np.median(middle, (0, 1)) - [5, 0]).max() < 0.3
    grey = texture()[..., 0], texture(5)[..., 0]
    assert np.abs(np.median(Dis("This test")(*grey)[20:-20, 20:-20], (0, 1)) - [5, 0]).max() < 0.3


def test_without_opencv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"This test needs OpenCV.*masktrail\[flow\]"):
        Dis("This test")


def test_flow_is_kept_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = Counting()
    monkeypatch.delenv(VARIABLE, raising=False)
    assert kept(estimator, "counting") is estimator
    monkeypatch.setenv(VARIABLE, str(tmp_path / "flow"))
    assert kept(estimator, "") is estimator, "what nothing tells apart"
    keeping, pair = kept(estimator, "counting"), CLIP.images
    assert isinstance(keeping, Kept)
    first = keeping(*pair)
    again = kept(estimator, "counting")
    np.testing.assert_array_equal(again(*pair), first)
    assert estimator.asked == 1
    (file,) = (tmp_path / "flow").glob("*.flo")
    np.testing.assert_array_equal(read_flow(file)[0], first)
    again(*pair[::-1]), kept(estimator, "another")(*pair), again(pair[0], pair[0])
    assert estimator.asked == 4, "the other way, another estimator, another picture"


def test_what_is_damaged_is_computed_anew_and_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    estimator = Counting()
    keeping = Kept(estimator, "counting", tmp_path)
    keeping(*CLIP.images)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    again = keeping(*CLIP.images)
    assert estimator.asked == 2 and np.array_equal(read_flow(file)[0], again)
    assert list(tmp_path.iterdir()) == [file], "and nothing else lies there"
    with pytest.raises(InputError, match=file.name):
        Kept(estimator, "counting", file)


def test_views_of_pictures_are_the_pictures(tmp_path: Path) -> None:
    estimator = Counting()
    keeping = Kept(estimator, "counting", tmp_path)
    first, second = CLIP.images
    keeping(first, second)
    keeping(first[:, ::-1][:, ::-1], second)
    assert estimator.asked == 1
