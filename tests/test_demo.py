"""The demo clip: a video with sound and true masks, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from masktrail.demo.clip import Pond, nearest_of, render_demo
from masktrail.demo.run import run_demo
from masktrail.demo.things import through
from masktrail.masks import read_labels
from masktrail.video import open_video

SIZE = (214, 120)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    render_demo(folder, frames=12, size=SIZE)
    return folder


def test_video_with_sound_and_a_mask_per_frame(demo: Path) -> None:
    video = open_video(demo / "demo.mp4")
    frames = list(video)
    assert video.loss is None and video.info.has_audio
    assert (len(frames), frames[0].image.shape) == (12, (120, 214, 3))
    names = sorted(path.name for path in (demo / "truth").iterdir())
    assert names == [f"{index:05d}.png" for index in range(12)]
    assert sorted(path.name for path in demo.iterdir()) == ["demo.mp4", "truth"]


def test_the_koi_is_partly_hidden_for_a_while(demo: Path) -> None:
    masks = [read_labels(path)[0] for path in sorted((demo / "truth").iterdir())]
    assert all(set(np.unique(mask)) == {0, 1} for mask in masks)
    areas = np.array([np.count_nonzero(mask) for mask in masks])
    assert areas.min() < 0.65 * areas[0] < areas[-1]
    assert areas.min() > 0.2 * areas[0]


def test_the_koi_stands_out_from_the_ground(demo: Path) -> None:
    frame = next(iter(open_video(demo / "demo.mp4")))
    koi = read_labels(demo / "truth" / "00000.png")[0] > 0
    assert frame.image[koi].mean() > 1.5 * frame.image[~koi].mean()


def test_the_seed_decides_everything() -> None:
    first, same = (Pond.make(SIZE, seed=3).paint(0.4, 1.0) for _ in range(2))
    other = Pond.make(SIZE, seed=4).paint(0.4, 1.0)
    assert np.array_equal(first[0], same[0]) and np.array_equal(first[1], same[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("side", [3, 8, 100])
def test_stones_are_the_nearest_points(side: int) -> None:
    rng = np.random.default_rng(side)
    points = rng.uniform(0, 50, (40, 2))
    places = np.stack(np.mgrid[:50, :45]) + rng.normal(0, 3, (2, 50, 45))
    distances, expected = cKDTree(points).query(places.reshape(2, -1).T, k=2)
    stone, further = nearest_of(places, points, side)
    np.testing.assert_array_equal(stone.ravel(), expected[:, 0])
    np.testing.assert_allclose(further.ravel(), np.diff(distances)[:, 0], rtol=0, atol=1e-12)


def test_the_body_is_as_smooth_as_its_points_allow() -> None:
    x, at = np.array([0.0, 1.0, 3.0, 3.5, 5.0, 6.0]), np.linspace(0, 6, 200)
    y = np.array([0.0, 1.0, 2.0, 2.0, 1.5, 0.5])
    np.testing.assert_allclose(through(x, y, at), PchipInterpolator(x, y)(at), rtol=0, atol=1e-14)


def test_long_and_odd_clips(tmp_path: Path) -> None:
    pond = Pond.make((121, 91), seed=0)
    for seconds in (0.0, 33.3, 400.0):
        image, labels = pond.paint(1.0, seconds)
        assert image.shape == (91, 121, 3) and labels.shape == (91, 121)


def test_the_demo_tracks_what_it_painted_and_compares(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "out"
    report, similarity = run_demo(out, model, frames=6, size=SIZE)
    assert report.frames == 6
    truth = [read_labels(out / "truth" / f"{i:05d}.png")[0] > 0 for i in range(1, 6)]
    found = [read_labels(out / "masks" / f"{i:05d}.png")[0] > 0 for i in range(1, 6)]
    by_hand = [(t & f).sum() / (t | f).sum() for t, f in zip(truth, found, strict=True)]
    assert similarity == pytest.approx(np.mean(by_hand))
