"""What comes back of networks in training: weights, small enough, and one zip to look at.

Weights that fit come as training wrote them, float16; larger ones as int8 shards, as they are
published.
"""

import io
import logging
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image

from masktrail.errors import InputError
from masktrail.masks import replacing
from masktrail.models import create
from masktrail.models.fetch import sha256
from masktrail.models.storage import compact
from masktrail.models.weights import int8_shards, load_network, read_config
from masktrail.train.recipe import Recipe
from travel import FILE, MIB

logger = logging.getLogger("masktrail.tools")

WEIGHTS = "weights.safetensors"

LOGS = "logs.zip"
"""Of every network its preview sheet, table and curves of losses, recipe."""

TOLD = ("log.csv", "recipe.json", "curves.png")
"""Files of a run that go into it as they are, where they are there yet."""

LOGS_ROOM = MIB
"""Bytes kept for what it has of each network; most of them are the sheet's."""

SHEET_SIDE = 1600
"""Longest side of a preview sheet, pixels."""

READABLE = 0o100644 << 16
"""For whom a zip's member is: everybody."""

HEADER_ROOM = 2**16
"""Bytes kept for what stands beside the tensors of a weights file."""


def expected_files(recipes: Mapping[str, Recipe]) -> dict[str, int]:
    """Bytes, by file, of all that comes back of networks.

    Args:
        recipes: by the networks' names.
    """
    files = {LOGS: LOGS_ROOM * len(recipes)}
    for name, recipe in recipes.items():
        network = create(recipe.family, **recipe.model)
        half = sum(tensor.nbytes for tensor in compact(network).values()) + HEADER_ROOM
        if half <= FILE:
            files[_file_of(name)] = half
        else:
            origin = "0" * 64
            shards = int8_shards(network, recipe.family, recipe.model, name, origin=origin)
            files |= {file: len(content) for file, content in shards.items()}
    return files


class Harvest:
    """What comes back of networks, brought anew whenever one of them has written weights.

    Args:
        runs: folders that training writes to, by the networks' names; they need not be there yet.
        out: folder for what comes back.
    """

    def __init__(self, runs: Mapping[str, Path], out: Path) -> None:
        self.runs, self.out = runs, out
        self._brought: dict[str, int] = {}

    def bring(self) -> None:
        """Brings what is new; what cannot be written is said, and tried again with what follows."""
        changed = {name: at for name, run in self.runs.items() if (at := _written(run))}
        new = [name for name, at in changed.items() if self._brought.get(name) != at]
        self._brought = changed
        for name in new:
            with _said():
                bring_weights(self.runs[name] / WEIGHTS, name, self.out)
        if new:
            self._bring_logs()

    def finish(self) -> None:
        """Brings what there is when all have ended: curves come after the weights."""
        self.bring()
        self._bring_logs()

    def _bring_logs(self) -> None:
        with _said():
            bring_logs(self.runs, self.out)


def bring_weights(weights: Path, name: str, out: Path) -> None:
    """Writes what comes back of a weights file of `save_network`, in place of what came before.

    Args:
        weights: the file.
        name: of the network.
        out: folder for what comes back.

    Raises:
        InputError: a weight is no finite number, or `out` cannot be written.
    """
    if weights.stat().st_size <= FILE:
        files = {_file_of(name): weights.read_bytes()}
    else:
        network, _ = load_network(weights)
        origin = sha256(weights)
        files = int8_shards(network, *read_config(weights), name, origin=origin)
    for file, content in files.items():
        with replacing(out / file) as part:
            part.write_bytes(content)


def bring_logs(runs: Mapping[str, Path], out: Path) -> None:
    """Writes what there is to look at, in place of what came before.

    Args:
        runs: folders that training writes to, by the networks' names.
        out: folder for what comes back.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(out / LOGS) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as logs:
        for name, run in runs.items():
            for file in TOLD:
                with suppress(FileNotFoundError):
                    logs.write(run / file, f"{name}/{file}")
            with suppress(OSError):  # not there yet, or only half written
                member = zipfile.ZipInfo(f"{name}/sheet.jpg")
                member.external_attr = READABLE
                logs.writestr(member, _sheet(run / "sheet.png"))


@contextmanager
def _said() -> Iterator[None]:
    """Nothing that keeps files from being written ends a training."""
    try:
        yield
    except InputError as error:
        logger.warning("%s", error)


def _written(run: Path) -> int:
    """When a run's weights were written; 0 where there are none."""
    try:
        return (run / WEIGHTS).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _file_of(name: str) -> str:
    return f"{name}.safetensors"


def _sheet(path: Path) -> bytes:
    with Image.open(path) as opened:
        sheet = opened.convert("RGB")
    sheet.thumbnail((SHEET_SIDE, SHEET_SIDE))
    with io.BytesIO() as file:
        sheet.save(file, "JPEG", quality=85)
        return file.getvalue()
