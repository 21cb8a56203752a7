"""What comes back of networks in training: weights, small enough, and one zip to look at.

Weights that fit come as training wrote them, float16; larger ones as int8 shards, as they are
published.
"""

import io
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from PIL import Image

from masktrail.families import create
from masktrail.files import replacing
from masktrail.recipe import Recipe
from masktrail.zoo.fetch import sha256
from masktrail.zoo.headers import read_config
from masktrail.zoo.storage import compact
from masktrail.zoo.weights import int8_shards, load_network
from travel import FILE, MIB

logger = logging.getLogger("masktrail.tools")

WEIGHTS = "weights.safetensors"

LOGS = "logs.zip"
"""Of every network its preview sheet, table and curves of losses, recipe."""

TOLD = ("log.csv", "scores.csv", "recipe.json", "curves.png")
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
        half = sum(tensor.nbytes for tensor in compact(network).values())
        if _in_one(half):
            files[_file_of(name)] = half + HEADER_ROOM
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
        self._tried: dict[str, int] = {}
        self._failed: set[str] = set()

    def bring(self) -> None:
        """Brings what is new. No fault keeps networks from being trained: it is said, and tried
        again with the next weights, or by `finish`."""
        written = {name: at for name, run in self.runs.items() if (at := _written(run))}
        new = [name for name, at in written.items() if self._tried.get(name) != at]
        for name in new:
            self._tried[name] = written[name]
            self._failed.add(name)
            with _said():
                bring_weights(self.runs[name] / WEIGHTS, name, self.out)
                self._failed.discard(name)
        if new:
            self._bring_logs()

    def finish(self) -> None:
        """Brings what there is when all have ended: curves come after the weights."""
        for name in self._failed:
            self._tried.pop(name, None)
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
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / WEIGHTS  # the file itself may be replaced at any time
        shutil.copyfile(weights, copied)
        files = _files_of(copied, name)
    with ExitStack() as all_or_none:  # shards of different networks would be worth nothing
        for file, content in files.items():
            all_or_none.enter_context(replacing(out / file)).write_bytes(content)


def _files_of(weights: Path, name: str) -> dict[str, bytes]:
    if _in_one(_tensor_bytes(weights)):
        return {_file_of(name): weights.read_bytes()}
    network, _ = load_network(weights)
    return int8_shards(network, *read_config(weights), name, origin=sha256(weights))


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
            with suppress(FileNotFoundError):
                member = zipfile.ZipInfo(f"{name}/sheet.jpg")
                member.external_attr = READABLE
                logs.writestr(member, _sheet(run / "sheet.png"))


@contextmanager
def _said() -> Iterator[None]:
    """Whatever goes wrong is logged, and nothing else comes of it."""
    try:
        yield
    except Exception as error:
        logger.warning("Not brought: %s", error)


def _written(run: Path) -> int:
    """When a run's weights were written; 0 where there are none."""
    try:
        return (run / WEIGHTS).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _in_one(size: int) -> bool:
    """Whether tensors of so many bytes come back in one file, as float16."""
    return size + HEADER_ROOM <= FILE


def _tensor_bytes(weights: Path) -> int:
    """Bytes of the tensors in a safetensors file; its first eight say how long the header is."""
    with weights.open("rb") as file:
        return weights.stat().st_size - 8 - int.from_bytes(file.read(8), "little")


def _file_of(name: str) -> str:
    return f"{name}.safetensors"


def _sheet(path: Path) -> bytes:
    with Image.open(path) as opened:
        sheet = opened.convert("RGB")
    sheet.thumbnail((SHEET_SIDE, SHEET_SIDE))
    with io.BytesIO() as file:
        sheet.save(file, "JPEG", quality=85)
        return file.getvalue()
