"""Which videos are held out: those that a seed and their names say, recordings whole."""

from collections.abc import Iterable

import pytest

from masktrail.data.split import SplitSettings, split_videos


def split(videos: Iterable[str], held_out: float, seed: int = 0, recording: str = "") -> set[str]:
    settings = SplitSettings(seed=seed, held_out=held_out, recording=recording)
    return split_videos(videos, settings)


def test_the_split_follows_from_seed_and_names_alone() -> None:
    videos = [f"{k:08x}" for k in range(200)]
    held_out = split(videos, 0.2)
    assert len(held_out) == 40
    assert split(reversed(videos), 0.2) == held_out
    assert split(videos, 0.2, seed=1) != held_out
    assert split(videos, 0.1) < held_out, "a smaller share holds out some of the same"
    kept = split(videos[:-1], 0.2)
    assert len(kept ^ held_out) <= 2, "a video more or less leaves the others where they are"


NUMBERED = r".+(?=-\d+$)"
"""All of a name but a number at its end."""


@pytest.mark.parametrize("seed", range(20))
def test_a_recording_is_not_split(seed: int) -> None:
    sizes = {"board": 3, "caviar1": 1, "candela": 2, "office": 5, "hall": 1, "humans": 2}
    videos = [f"{name}-{k:05}" for name, size in sizes.items() for k in range(size)]
    videos += ["schoolgirls", "003234408d"]
    held_out = split(videos, 0.25, seed, NUMBERED)
    assert 1 <= len(held_out) <= 4, "a quarter of sixteen at most"
    for name, size in sizes.items():
        assert sum(video.startswith(f"{name}-") for video in held_out) in (0, size)
    assert split(videos, 0.25, seed) == split(videos, 0.25, seed, "no name begins so")


def test_of_large_recordings_the_smallest_is_held_out() -> None:
    videos = ["a-1", "a-2", "a-3", "b-1", "b-2", "c-1", "c-2", "c-3"]
    assert split(videos, 0.1, recording=NUMBERED) == {"b-1", "b-2"}
    assert split(videos[:3], 0.5, recording=NUMBERED) == set()
    assert split(videos, 0.1, recording="a*") == split(videos[3:], 0.1), (
        "of nothing is no recording"
    )


def test_few_videos_and_none_held_out() -> None:
    assert len(split(["a", "b"], 0.01)) == 1
    assert split(["a"], 0.9) == set()
    assert split(["a", "b"], 0) == set()
    assert len(split(["a", "b"], 0.99)) == 1, "one at least is trained on"
