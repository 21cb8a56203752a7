"""Fixtures every room's tests share: painted clips, as arrays and as files."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from filelock import FileLock

from fake import random_network
from masktrail import cli, families
from masktrail.zoo.weights import save_network
from painted_videos import Clip, PaintVideo, paint_clip, write_video
from said import Said
from small_networks import MODELS

# families that other packages have added to this environment are not there
families.GROUP = "masktrail.families.tested"

# a busy processor fails no test, and what passed passes again
hypothesis.settings.register_profile(
    "everywhere",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("everywhere")


SLOW = {
    *("batch", "evaluate", "fuzz", "golden", "graphs", "tools", "train", "web"),
    *("test_any_order", "finetune", "test_own_data", "test_loader_benchmark", "test_resume"),
    *("test_variants", "test_engine", "test_engines"),
}
"""Folders and files of tests that start processes, browsers or trainings, or try very many things;
`make quick` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them."""
    here = Path(__file__).parent
    for item in items:
        if SLOW & {*item.path.relative_to(here).parts, item.path.stem}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Ctrl-C raises, also where a shell runs the suite in the background and has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def clip() -> Clip:
    """Twelve frames of 96x64 with two discs, and their label maps."""
    return paint_clip()


@pytest.fixture
def paint_video(tmp_path: Path) -> PaintVideo:
    """Function that writes a painted video under `tmp_path`; arguments as `write_video`."""

    def paint(
        name: str = "clip.mp4", frames: int = 12, size: tuple[int, int] = (96, 64), **how: Any
    ) -> Path:
        return write_video(tmp_path / name, paint_clip(frames, size).images, **how)

    return paint


@pytest.fixture
def video_file(paint_video: PaintVideo) -> Path:
    """Twelve frames of 96x64 at 25 per second, H.264 and AAC in mp4."""
    return paint_video()


@pytest.fixture
def picture_folder(tmp_path: Path, clip: Clip) -> Path:
    """The clip as `1.png` ... `12.png`."""
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, image in enumerate(clip.images, start=1):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def small_memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a memory network that a step takes no time with, at random."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_network(path, families.create("memory", **MODELS["memory"]), "memory", MODELS["memory"])
    return path


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The package's logger, put back as it was: commands set its level and its handler."""
    logger = logging.getLogger("masktrail")
    handlers, level = logger.handlers, logger.level
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> Callable[..., Said]:
    """Function that runs `masktrail ARGUMENTS` in this process and says how it went."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["masktrail", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        assert isinstance(code, int | None)
        return Said(code or 0, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as training leaves it, with a network nobody trained."""
    folder = tmp_path_factory.mktemp("model")
    save_network(folder / "weights.safetensors", random_network(), "memory", {})
    return folder


@pytest.fixture(scope="session")
def exported_memory(tmp_path_factory) -> Path:
    """Weights of a memory network that nobody trained, with graphs; not to be written to.

    Exporting takes long, so that the processes of a run of tests share it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "exported-memory"
    with FileLock(shared / "exported-memory.lock"):
        if not (folder / "done").exists():
            folder.mkdir()
            save_network(folder / "weights.safetensors", random_network(), "memory", {})
            from masktrail.graphs.exporting import export_graphs

            export_graphs(folder, folder)
            (folder / "done").touch()
    return folder
