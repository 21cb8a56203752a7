"""A project: a folder with a reference to a video, what was marked in it, and its runs."""

import hashlib
import io
import json
import threading
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from masktrail.errors import InputError
from masktrail.files import can_be_told, make_folder, write_json
from masktrail.masks import read_labels, write_labels
from masktrail.pictures import UNREADABLE
from masktrail.run.folder import RunFolder
from masktrail.types import LabelMap
from masktrail.web.marks import Mark, PromptMark, new_mark
from masktrail.zoo import CARDS

FILE = "project.json"
FORMAT = 1
"""Of the file; another one's cannot be read."""


class LatestRun(BaseModel):
    """Which run is the latest, and a print of the marks it is of."""

    model_config = ConfigDict(extra="allow")

    number: Annotated[int, Field(ge=1)]
    of: str


class Told(BaseModel):
    """What the file of a project holds; what a later version adds beside these is kept."""

    model_config = ConfigDict(extra="allow")

    format: int
    video: Annotated[str, Field(pattern=r"^[^\x00]+$")]
    mark: Mark
    run: LatestRun | None


class Project:
    """An open project; everything it is told is on disk before it answers.

    Args:
        folder: of a project that is there.

    Attributes:
        folder: of the project; its name is the project's.
        video: file or folder of the video.
        mark: what was marked.

    Raises:
        InputError: there is none, or it is damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # of what the file tells
        content = read_project(folder)
        self.video = folder / content.video  # an absolute path stays as it is
        self.mark, self._run = content.mark, content.run
        self._corrected: dict[tuple[int, int, tuple[float, float, bool]], str] = {}

    @classmethod
    def create(cls, folder: Path, video: Path) -> "Project":
        """A project of a video; nothing is marked yet.

        Raises:
            InputError: a name that cannot be written down, or a folder that cannot be made.
        """
        if not can_be_told(video):
            raise InputError(
                f"The name {str(video)!a} is no text (UTF-8), which the page needs; rename it."
            )
        make_folder(folder)
        inside = video.relative_to(folder) if video.is_relative_to(folder) else video
        content = Told(format=FORMAT, video=str(inside), mark=new_mark(), run=None)
        write_json(folder / FILE, content.model_dump(mode="json"))
        return cls(folder)

    @property
    def name(self) -> str:
        """Of the project."""
        return self.folder.name

    @property
    def run(self) -> Path | None:
        """Folder of the latest run."""
        return self._run_folder(self._run.number) if self._run else None

    @property
    def number(self) -> int:
        """Of the latest run, from 1; 0 where there was none."""
        return self._run.number if self._run else 0

    @property
    def stale(self) -> bool:
        """Whether the latest run was of other marks than those there are now."""
        return self._run is not None and self._run.of != self._print()

    def save(self, mark: Mark) -> None:
        """Keeps new marks."""
        with self._lock:
            self._write(mark, self._run)
            self.mark = mark

    def begin_run(self) -> Path:
        """The folder of a new run of the present marks; of those before the latest is kept, and the
        latest that has masks."""
        return self._next_run(self._print())

    def repeat_run(self) -> Path:
        """The folder of a new run of what the latest one is of, which cannot be gone on with."""
        return self._next_run(self._run.of if self._run else self._print())

    def _next_run(self, fingerprint: str) -> Path:
        before = self._runs()
        number = max([self.number, *(int(run.name) for run in before)]) + 1
        with self._lock:
            run = LatestRun(number=number, of=fingerprint)
            self._write(self.mark, run)
            self._run = run
        masked = [run for run in before if any(run.glob("masks/*"))]
        for old in before:
            if old not in (*before[:1], *masked[:1]):
                RunFolder(old).drop()
        return self._run_folder(number)

    def labels(self, frame: int) -> LabelMap | None:
        """What the latest run that came to a frame said of it; None where none has."""
        for run in self._runs():
            path = run / "masks" / f"{frame:05d}.png"
            if path.is_file():
                return read_labels(path)[0]
        return None

    def add_mask(self, picture: bytes, size: tuple[int, int]) -> str:
        """Keeps a painted mask.

        Args:
            picture: PNG; what is neither black nor transparent belongs to the object.
            size: (width, height) it must have.

        Returns:
            The name to ask for it.

        Raises:
            InputError: no picture, one of another size, or an empty one.
        """
        return self._keep_mask(_painted(picture, size))

    def keep_tracked(self, frame: int, object_id: int, mark: PromptMark) -> str | None:
        """Keeps what `labels` says of an object, for clicks that correct it.

        Returns:
            Its name, None where nothing is marked; what it was before where the same first click
            comes again, as by undo and redo.
        """
        key = frame, object_id, mark.points[0]
        if key not in self._corrected:
            labels = self.labels(frame)
            if labels is None or not (labels == object_id).any():
                return None
            self._corrected[key] = self._keep_mask(labels == object_id)
        return self._corrected[key]

    def _keep_mask(self, mask: NDArray[np.bool_]) -> str:
        name: str = hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()[:16]
        make_folder(self._mask_file(name).parent)
        write_labels(self._mask_file(name), mask.astype(np.uint8))
        return name

    def mask(self, name: str) -> NDArray[np.bool_]:
        """The mask (H, W) of a name, painted or tracked once.

        Raises:
            InputError: there is none.
        """
        path = self._mask_file(name)
        if not path.is_file():
            raise InputError(f"There is no mask {name} in the project {self.name}.")
        return read_labels(path)[0] > 0

    def _mask_file(self, name: str) -> Path:
        return self.folder / "painted" / f"{name}.png"

    def _runs(self) -> list[Path]:
        """Folders of the runs that are there, the latest first."""
        runs = (run for run in self.folder.glob("runs/*") if run.name.isdecimal())
        return sorted(runs, key=lambda run: (len(run.name), run.name), reverse=True)

    def _run_folder(self, number: int) -> Path:
        return self.folder / "runs" / f"{number:04d}"

    def _print(self) -> str:
        """Of all that a run follows from, the model that ships under its name included."""
        card = CARDS.get(self.mark.settings.model)
        ships = [dict(card.files), card.size] if card else []
        if card and card.settings:
            ships.append(dict(card.settings))
        content = json.dumps([self.mark.tracked(), ships])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _write(self, mark: Mark, run: LatestRun | None) -> None:
        content = read_project(self.folder).model_copy(update={"mark": mark, "run": run})
        write_json(self.folder / FILE, content.model_dump(mode="json"))


def read_project(folder: Path) -> Told:
    """What the file of a project holds.

    Raises:
        InputError: there is none, or it is damaged or of another version.
    """
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise InputError(f"The project {folder.name} was made by another version of MaskTrail.")
        return Told.model_validate(content)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no project {folder.name}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{folder / FILE} is damaged ({type(error).__name__}); put back a copy."
        ) from error


def _painted(picture: bytes, size: tuple[int, int]) -> NDArray[np.bool_]:
    try:
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as opened:
            if opened.size != size:  # before anything is decoded
                raise InputError(
                    f"The painted mask is {opened.width}x{opened.height}, the video "
                    f"{size[0]}x{size[1]}; reload the page and paint again."
                )
            pixels = np.asarray(opened.convert("RGBA"))
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"The painted mask is no PNG that can be decoded ({error}).") from error
    mask = (pixels[..., 3] > 127) & (pixels[..., :3].max(-1) > 127)
    if not mask.any():
        raise InputError("The painted mask is empty; paint the object, or clear its marks here.")
    return mask
