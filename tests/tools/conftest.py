"""A source tree in small: painted data, and the recipe of a network so narrow that it is quick."""

from pathlib import Path

import pytest

import ingredients
import relay
from clocks import StandingClock, TickingClock
from masktrail.train import loop
from painted_sets import paint_stills, paint_videos

RECIPE = """
family = "siamese-unet"
model = { width = 4 }
stills = "packs/stills"
videos = ["packs/davis2016-train"]
seed = 7

[[stages]]
batch = 2
multiple = 0.0
clips = { size = 64, frames = 2, max_gap = 2 }
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: `recipes/relay/small.toml`; what it names is not packed yet."""
    data = tmp_path / "data"
    paint_stills(data / "stills")
    paint_videos(data / "davis2016-train", ("left", "right", "dance-jump"), 4)
    monkeypatch.setattr(ingredients, "DATA", data)
    monkeypatch.setattr(relay, "DATA", data)
    monkeypatch.setattr(relay, "TUNING", {"dance-jump"})
    monkeypatch.setattr(relay, "RESERVE", 0)
    monkeypatch.setattr(relay, "time", StandingClock())
    monkeypatch.setattr(loop, "time", TickingClock())
    tree = tmp_path / "tree"
    (tree / "recipes" / "relay").mkdir(parents=True)
    (tree / "docs").mkdir()
    (tree / "recipes" / "relay" / "small.toml").write_text(RECIPE)
    monkeypatch.chdir(tree)
    return tree
