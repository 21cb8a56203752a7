"""The files that the page may see: videos under the folders named at start, and projects."""

import re
import unicodedata
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masktrail.errors import InputError
from masktrail.files import can_be_told, cannot_write, make_folder, replacing
from masktrail.pictures.kinds import is_picture
from masktrail.video.kinds import VIDEOS
from masktrail.video.pages import is_video
from masktrail.web.project import FILE, read_project
from masktrail.zoo import CARDS

LONGEST = 80
"""Characters of a name at most."""


class TooLarge(InputError):
    """An upload beyond the limit."""


@dataclass(frozen=True)
class AllowedFiles:
    """Folders named at start; nothing beyond them is shown, opened or written.

    Attributes:
        roots: folders with videos, resolved.
        projects: folder for the projects, resolved.
        upload_limit: bytes.
    """

    roots: tuple[Path, ...]
    projects: Path
    upload_limit: int

    def inside(self, path: str) -> Path:
        """A path under one of the roots, links followed.

        Raises:
            InputError: it is nowhere under them, or not there.
        """
        if not self.is_inside(path):
            raise InputError(
                f"{Path(path).name or 'That'} is not in a folder that this page may use; start "
                "masktrail web with --folder to add one."
            )
        return Path(path).resolve()

    def check_model(self, model: str) -> None:
        """Refuses a model that is neither of the zoo nor in a folder named at start.

        Raises:
            InputError: it is another one.
        """
        if model not in CARDS and not self.is_inside(model):
            raise InputError(
                f"There is no model {Path(model).name!r}; there are {', '.join(CARDS)}, and those "
                "in the folders that this page may use."
            )

    def is_inside(self, path: str) -> bool:
        """Whether a path is under one of the roots, links followed."""
        try:
            resolved = Path(path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return False
        return any(resolved.is_relative_to(root) for root in self.roots)

    def listing(self, path: str) -> dict[str, Any]:
        """Folders and videos of a folder, or the roots where none is named."""
        if not path:
            entries = [_entry(root, "folder", str(root)) for root in self.roots]
            return {"path": "", "parent": None, "entries": entries}
        folder = self.inside(path)
        try:
            paths = filter(can_be_told, folder.iterdir())
            children = sorted(paths, key=lambda p: (p.is_file(), p.name.lower()))
        except OSError as error:
            raise InputError(f"{folder.name} cannot be listed ({error.strerror}).") from error
        entries = [_entry(c, kind, c.name) for c in children if (kind := _kind(c)) is not None]
        parent = "" if folder in self.roots else str(folder.parent)
        return {"path": str(folder), "parent": parent, "entries": entries}

    def project(self, name: str) -> Path:
        """The folder of a project that is there.

        Raises:
            InputError: there is none of that name.
        """
        folder = self.projects / name
        if safe_name(name) != name or not (folder / FILE).is_file():
            raise InputError(f"There is no project {safe_name(name)}.")
        return folder

    def project_of(self, video: Path) -> Path | None:
        """The folder of the project that was last changed among those of a video."""
        folders = (f.parent for f in self._files() if _video_of(f.parent) == video)
        return next(folders, None)

    def free_project(self, name: str) -> Path:
        """A folder that is not there yet, for a project of about that name."""
        name = safe_name(name)
        names = (name, *(f"{name}-{n}" for n in range(2, 10_000)))
        return next(self.projects / new for new in names if not (self.projects / new).exists())

    def listed_projects(self) -> list[dict[str, Any]]:
        """Name, video and time of change of all projects, the latest first."""
        return [
            {
                "name": file.parent.name,
                "video": video.name if (video := _video_of(file.parent)) else "?",
                "changed": file.stat().st_mtime,
            }
            for file in self._files()
        ]

    async def upload(self, name: str, content: AsyncIterable[bytes]) -> Path:
        """Takes a file into the folder of a new project.

        Raises:
            TooLarge: it is beyond the limit; nothing of it is kept.
            InputError: it has no name of a video, or cannot be written.
        """
        name = safe_name(name)
        if Path(name).suffix.lower() not in VIDEOS:
            raise InputError(f"{name} is not named as a video is; expected for example clip.mp4.")
        folder = self.free_project(Path(name).stem)
        make_folder(folder)
        try:
            with replacing(folder / name) as part, part.open("wb") as file:
                async for piece in content:
                    if file.tell() + len(piece) > self.upload_limit:
                        raise TooLarge(
                            f"{name} is larger than {self.upload_limit / 2**20:.0f} MB, the limit; "
                            "open it from disk, or start with a greater --upload-limit."
                        )
                    file.write(piece)
        except BaseException:
            folder.rmdir()
            raise
        return folder / name

    def _files(self) -> list[Path]:
        try:
            files = filter(can_be_told, self.projects.glob(f"*/{FILE}"))
            return sorted(files, key=lambda f: -f.stat().st_mtime)
        except OSError as error:
            raise cannot_write(self.projects, error) from error


def safe_name(name: str) -> str:
    """A name for a file, whatever was sent as one: no folders, nothing hidden, not too long."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    stem, dot, suffix = re.sub(r"[^\w .()+-]", "_", plain).strip(" .").rpartition(".")
    room = LONGEST - len(suffix) - len(dot)
    return (stem[: max(room, 1)] + dot + suffix)[:LONGEST].strip(" .") or "video"


def is_picture_folder(folder: Path) -> bool:
    """Whether there are pictures in a folder, so that it can be opened as a video."""
    try:
        return any(is_picture(path) for path in folder.iterdir())
    except OSError:
        return False


def _kind(path: Path) -> str | None:
    if path.name.startswith("."):
        return None
    if path.is_dir():
        return "video" if is_picture_folder(path) else "folder"
    return "video" if is_video(path) else None


def _entry(path: Path, kind: str, name: str) -> dict[str, str]:
    return {"name": name, "path": str(path), "kind": kind}


def _video_of(folder: Path) -> Path | None:
    try:
        return folder / read_project(folder).video
    except InputError:
        return None
