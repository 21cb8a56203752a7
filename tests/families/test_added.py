"""A family in a package of others: nothing of the project changes for it."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fake import fill_box
from masktrail import families, zoo
from masktrail.engines.torch import TorchEngine
from masktrail.finetune import fine_tune
from masktrail.prompts.kinds import Mask, Points
from masktrail.tracking.family import Card, Family
from masktrail.tracking.tracker import Tracker
from masktrail.train.reading import problems
from masktrail.zoo import weights_path
from masktrail.zoo.headers import read_config
from masktrail.zoo.weights import save_network
from painted_sets import pack_videos, paint_videos
from painted_videos import paint_clip, write_video

EXAMPLE = Path(__file__).parents[2] / "examples" / "masktrail-pixels"


def install(site: Path, package: str, entry_points: str, group: str = "") -> None:
    """What pip leaves of a package beside its files."""
    told = site / f"{package}-0.1.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    (told / "entry_points.txt").write_text(f"[{group or families.GROUP}]\n{entry_points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where packages are found, until the test ends."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(families, "KNOWN", dict(families.KNOWN))
    monkeypatch.setattr(families, "REFUSED", {})
    families._others.cache_clear()
    yield site
    families._others.cache_clear()


@pytest.fixture
def example(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, installed; its recipe for painted videos."""
    table = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())
    points = table["project"]["entry-points"]["masktrail.families"]
    install(site, "masktrail_pixels", "\n".join(f"{k} = {v}" for k, v in points.items()))
    shutil.copytree(EXAMPLE / "masktrail_pixels", site / "masktrail_pixels")
    for module in [name for name in sys.modules if name.startswith("masktrail_pixels")]:
        monkeypatch.delitem(sys.modules, module)
    pack = pack_videos(site.parent / "packed")
    text = (EXAMPLE / "recipe.toml").read_text().replace("packs/davis2016-train", str(pack))
    recipe = site.parent / "recipe.toml"
    recipe.write_text(text.replace("size = 128", "size = 64").replace("lr =", "steps = 30\nlr ="))
    return recipe


def test_the_example_is_found_by_its_name(example: Path) -> None:
    assert families.names()[-1] == "pixels" and "pixels" in families.trained()
    assert families.family("pixels").name == "pixels"
    with pytest.raises(KeyError):
        families.family("telepathy")


def test_a_row_is_named_as_its_folder_is() -> None:
    assert [each.name for each in families.families()] == families.names()


@pytest.mark.slow
def test_the_example_is_trained_tracks_is_measured_and_trained_further(
    example: Path, tmp_path: Path, command
) -> None:
    model, videos = tmp_path / "model", paint_videos(tmp_path / "videos", frames=4)
    said = command("train", example, "--minutes", 1, "--out", model, "-q")
    assert said.code == 0, said.err
    path = weights_path(model)
    assert path is not None and read_config(path) == ("pixels", {})
    said = command("evaluate", model, "--data", videos, "--set", "sharpness=2")
    assert said.code == 0 and "sharpness=2" in said.out, said.err
    clip = write_video(tmp_path / "clip.mp4", paint_clip(4).images)
    tracked = ("track", clip, "--box", "1:8,8,40,40", "--model", model, "--out", tmp_path / "out")
    said = command(*tracked, "--size", 64, "-q")
    assert said.code == 0, said.err
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 4
    found = fine_tune(model, videos, 1, tmp_path / "more", device="cpu", steps=4)
    assert found.weights.is_file()


def test_the_example_trains_further_by_a_recipe_without_faults(example: Path) -> None:
    further = families.training_of("pixels").further
    assert further is not None
    assert list(problems(replace(further, family="pixels", videos=("pack",)))) == []


def test_the_example_goes_on_bit_for_bit(example: Path) -> None:
    propagator = families.family("pixels").propagator
    assert propagator is not None
    network = families.create("pixels")
    trackers = [Tracker(propagator()(TorchEngine(network)), 64, fill_box) for _ in range(2)]
    clip = paint_clip(6, (64, 48))
    for t, image in enumerate(clip.images):
        if t == 3:
            trackers[1].load_state_dict(trackers[0].state_dict())
        mask = Mask(clip.labels[0] == 1)
        ran = trackers[:1] if t < 3 else trackers
        labels = [tracker.step(image, {} if t else {1: mask}).labels for tracker in ran]
        assert all((labels[0] == other).all() for other in labels)


def test_a_recipe_of_the_example_is_checked_as_ours_are(example: Path, command) -> None:
    example.write_text(example.read_text().replace('loss = "bce"', "blur = 3"))
    said = command("train", example, "--minutes", 1, "--out", example.parent / "out")
    assert said.code == 2
    assert "unknown field blur; PixelSettings has loss." in said.err


BROKEN = [
    ("no_such_module:FAMILY", "No module named 'no_such_module'. Mend its package"),
    ("needy:FAMILY", "No module named 'no_such_package'. pip install no_such_package"),
    ("masktrail.zoo:DEFAULT", "expected a Family of that name, found 'memory-s'"),
    ("masktrail.families.unet:FAMILY", "expected a Family of that name, found Family"),
]


@pytest.mark.parametrize(("target", "sentence"), BROKEN)
def test_what_is_no_family_is_left_out_with_one_warning(
    site: Path, target: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    (site / "needy.py").write_text("import no_such_package")
    before = [each.name for each in families.families()]
    install(site, "broken", f"broken = {target}")
    families._others.cache_clear()
    assert "broken" in families.names()
    for _ in range(3):
        assert [each.name for each in families.families()] == before
    (record,) = caplog.records
    assert f"'broken' of {target} cannot be used: {sentence}" in record.getMessage()


@pytest.fixture
def half(site: Path, tmp_path: Path) -> Path:
    """Weights of a family whose row is right and whose parts are not there."""
    install(site, "half", "half = half_family:FAMILY")
    (site / "half_family.py").write_text(
        "from masktrail.tracking.family import Family, Lazy\n"
        "gone = Lazy(__name__, 'gone:Gone')\n"
        "FAMILY = Family('half', network=gone, config=gone, propagator=gone, training=gone)\n"
    )
    families._others.cache_clear()
    weights = tmp_path / "half.safetensors"
    save_network(weights, nn.Linear(1, 1), "half", {})
    return weights


def test_what_cannot_be_imported_is_told_in_one_sentence(half: Path, tmp_path: Path, command):
    recipe, videos = tmp_path / "r.toml", paint_videos(tmp_path / "videos", frames=4)
    recipe.write_text('family = "half"\n')
    for words in (
        ("evaluate", half, "--data", videos),
        ("train", recipe, "--minutes", 1, "--out", tmp_path / "out"),
        ("train", "--init", half, "--data", videos, "--minutes", 1, "--out", tmp_path / "out"),
    ):
        said = command(*words)
        assert (said.code, said.err.count("\n")) == (2, 1), said.err
        assert "half_family.gone:Gone cannot be used" in said.err
    said = command("train", "--init", "copy", "--data", videos, "--minutes", 1, "--out", "out")
    assert (
        said.code == 2
        and "start from a model of agunet, lucid, memory, siamese-unet, unet" in said.err
    )


def test_a_package_cannot_take_a_name_of_ours(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    install(site, "thief", "memory = no_such_module:FAMILY")
    families.KNOWN.clear()
    families._others.cache_clear()
    assert families.names().count("memory") == 1
    assert families.family("memory").network is not None
    assert "'memory' of no_such_module:FAMILY is not used: there is one" in caplog.text


def test_cards_of_packages_are_models(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Their own, but under no name that is taken."""
    cards = {"mine": Card("a test", 96, scores={zoo.SCORE: 0.9}), "copy": Card("a thief", 7)}
    added = Family("mine", cards, propagator=families.family("copy").propagator)
    monkeypatch.setitem(families.KNOWN, "mine", added)
    monkeypatch.setattr(families, "names", lambda: ["copy", "memory", "mine"])
    monkeypatch.setattr(zoo, "CARDS", zoo._cards())
    assert list(zoo.CARDS) == ["memory-s", "mine", "copy"]
    assert zoo.CARDS["copy"].family == "copy" and "'copy' of the family 'mine'" in caplog.text
    assert zoo.trackers() == ["memory-s", "mine", "copy"] and zoo.load("mine", "cpu").size == 96


SPOTS = """
import numpy as np
from dataclasses import dataclass
from torch import nn
from masktrail.tracking.family import Family

@dataclass(frozen=True)
class Config:
    radius: int = 4

class Network(nn.Module):
    def __init__(self, config=None):
        super().__init__()
        self.config = config or Config()
        self.scale = nn.Linear(1, 1, bias=False)

    def reach(self):
        return self.scale.weight.abs().sum() * self.config.radius

class Prompter:
    def __init__(self, engine):
        self.engine = engine

    def __call__(self, image, prompt, previous=None):
        reach = float(self.engine.array(self.engine.run("reach")))
        rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
        (x, y), = prompt.points
        return np.hypot(rows - y, columns - x) < reach

def from_theirs(tensors):
    if "radius" not in tensors:
        raise ValueError("it has no radius")
    network = Network(Config(radius=int(tensors["radius"])))
    nn.init.ones_(network.scale.weight)
    return network, {"radius": int(tensors["radius"])}

FAMILY = Family(
    "spots",
    network=lambda: Network,
    config=lambda: Config,
    prompter=lambda: Prompter,
    importer=lambda: from_theirs,
)
"""


@pytest.fixture
def spots(site: Path, tmp_path: Path, command) -> Path:
    """Weights that were imported for a prompter of a package of others."""
    install(site, "spots", "spots = spots_family:FAMILY")
    (site / "spots_family.py").write_text(SPOTS)
    families._others.cache_clear()
    theirs, ours = tmp_path / "theirs.pt", tmp_path / "spots.safetensors"
    torch.save({"model": {"radius": torch.tensor(9)}}, theirs)
    said = command("import-weights", "spots", theirs, ours)
    assert said.code == 0, said.err
    return ours


def test_a_prompter_of_a_package_makes_masks_by_imported_weights(spots: Path) -> None:
    assert read_config(spots) == ("spots", {"radius": 9})
    image = np.zeros((48, 64, 3), np.uint8)
    mask = zoo.load_prompter(spots, "cpu")(image, Points([(30, 20)], [True]), None)
    assert mask.shape == (48, 64) and abs(mask.sum() - np.pi * 9**2) < 20


def test_an_importer_of_a_package_is_asked_what_is_wrong(
    spots: Path, tmp_path: Path, command
) -> None:
    torch.save({"width": torch.ones(2)}, tmp_path / "other.pt")
    said = command("import-weights", "spots", tmp_path / "other.pt", tmp_path / "new.safetensors")
    assert said.code == 2 and "than the family 'spots' imports: it has no radius" in said.err
    assert not (tmp_path / "new.safetensors").exists()
    said = command("import-weights", "other", tmp_path / "other.pt", tmp_path / "new.safetensors")
    assert said.code == 2 and "spots" in said.err


def test_a_prompter_of_a_package_does_not_track(spots: Path, tmp_path: Path, command) -> None:
    clip = write_video(tmp_path / "clip.mp4", paint_clip(4).images)
    words = ("track", clip, "--box", "1:8,8,40,40", "--model", spots, "--out", tmp_path / "out")
    said = command(*words)
    assert (said.code, said.err.count("\n")) == (2, 1) and "spots" in said.err


MINE = """
from masktrail.families.copy.propagator import CopyPropagator
from masktrail.tracking.family import Card, Family

class Propagator(CopyPropagator):
    def __init__(self, patience: int = 5) -> None:
        super().__init__()

FAMILY = Family("mine", {"mine-a": Card("a test", 64)}, propagator=lambda: Propagator)
"""

ON_THE_PAGE = """
import json, sys, time
from pathlib import Path
from masktrail.web.allowed_files import AllowedFiles
from masktrail.web.marks import Mark
from masktrail.web.session import Session

folder = Path(sys.argv[1])
session = Session(AllowedFiles((folder,), folder, upload_limit=2**20))
session.open_video(str(folder / "clip.mp4"))
settings = {"model": "mine-a", "own": {"patience": "7"}}
objects = [{"id": 1, "name": "disc", "color": "#112233"}]
prompts = {0: {1: {"box": (8, 8, 40, 40)}}}
session.mark(Mark.model_validate(dict(objects=objects, prompts=prompts, settings=settings)), "")
session.start("")
while session.opened.tracking.busy:
    time.sleep(0.05)
run = session.state()["run"]
print(json.dumps([session.state()["models"], run["state"], run["message"], run["next"]]))
session.close()
"""


def test_a_model_of_a_package_is_on_the_page_and_tracks_there(site: Path, tmp_path: Path) -> None:
    install(site, "mine", "mine = mine_family:FAMILY", "masktrail.families")
    (site / "mine_family.py").write_text(MINE)
    folder = tmp_path / "videos"
    folder.mkdir()
    write_video(folder / "clip.mp4", paint_clip(4).images)
    ran = subprocess.run(
        [sys.executable, "-c", ON_THE_PAGE, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    models, state, message, frames = json.loads(ran.stdout)
    assert "mine-a" in models and (state, message, frames) == ("done", None, 4)
