"""The pictures that annotations are of: files, or frames of a video."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from masktrail.annotations.kinds import Labelled, LabelledVideo
from masktrail.annotations.shapes import Size
from masktrail.errors import InputError
from masktrail.files import make_folder
from masktrail.pictures import opened
from masktrail.pictures.decoding import upright_size
from masktrail.pictures.kinds import PICTURES, is_picture, natural_key
from masktrail.pictures.writing import write_jpeg
from masktrail.types import Frame
from masktrail.video.reader import open_video

log = logging.getLogger(__name__)

MASKS = {"masks", "annotations", "labels"}
"""Folders that hold no pictures but what is drawn in them, in whatever case."""


class Picture(Protocol):
    """What is seen in a frame."""

    @property
    def size(self) -> Size:
        """Upright, in pixels."""
        ...

    def write(self, path: Path) -> None:
        """Writes it under a name, whose suffix is added."""
        ...


@dataclass(frozen=True)
class _File:
    """A picture that is a file, kept byte for byte."""

    path: Path

    @property
    def size(self) -> Size:
        with opened(self.path) as picture:
            return upright_size(picture)

    def write(self, path: Path) -> None:
        make_folder(path.parent)
        shutil.copyfile(self.path, path.with_name(path.name + self.path.suffix.lower()))


@dataclass(frozen=True)
class _Decoded:
    """A frame of a video."""

    frame: Frame

    @property
    def size(self) -> Size:
        height, width = self.frame.image.shape[:2]
        return width, height

    def write(self, path: Path) -> None:
        make_folder(path.parent)
        write_jpeg(path.with_name(path.name + ".jpg"), self.frame.image)


def beside(source: Path) -> Path:
    """Where the pictures of annotations are if nobody says."""
    folder = source.parent if source.is_file() else source
    return folder.parent if folder.name == "labels" else folder


class PictureFinder:
    """Finds the pictures of annotated videos.

    Args:
        where: a folder, which is looked through with all in it, or a video.
        recording: whether a folder may be the video itself, its pictures called otherwise.
    """

    def __init__(self, where: Path, recording: bool) -> None:
        self._where, self._recording = where, recording
        self._files = _by_end(where) if where.is_dir() else {}
        self._taken: dict[Path, str] = {}

    def of(self, video: LabelledVideo) -> Iterator[tuple[int, Labelled, Picture]]:
        """Frames with their pictures: files of their names, else frames of a video by number.

        Raises:
            InputError: one is missing, there are several of its name, or another frame has it.
        """
        found = {number: self._find(number, frame) for number, frame in video.frames.items()}
        recording = self._where.is_file() or self._recording
        if recording and video.moving and not any(found.values()):
            if self._where.is_dir():
                log.warning(
                    "No picture of %s is called as the annotations say: they are taken in their "
                    "order, frame 0 is the first.",
                    self._where,
                )
            yield from self._frames(video)
            return
        for number, path in sorted(found.items()):
            frame = video.frames[number]
            if path is None:
                raise InputError(
                    f"There is no picture {frame.picture} in {self._where}; say where the "
                    "pictures are."
                )
            other = self._taken.setdefault(path, frame.picture)
            if other != frame.picture:
                raise InputError(f"{path} would be the picture of {other} and of {frame.picture}.")
            yield number, frame, _File(path)

    def _find(self, number: int, frame: Labelled) -> Path | None:
        """By its name, leading folders dropped one by one; else as CVAT names frames."""
        for name in (frame.picture, f"frame_{number:06d}"):
            parts = PurePosixPath(name).parts
            for first in range(len(parts)):
                found = self._ending(PurePosixPath(*parts[first:]))
                if found is not None:
                    return found
        return None

    def _ending(self, name: PurePosixPath) -> Path | None:
        """The one file whose path ends so, with its suffix or another."""
        bare = name.with_suffix("") if f".{name.suffix[1:].lower()}" in PICTURES else name
        for end in (str(name), str(bare)):
            found = self._files.get(end, [])
            whole = [path for path in found if end in _ends(path.relative_to(self._where))[-2:]]
            found = whole if len(whole) == 1 else found
            if len(found) > 1:
                raise InputError(
                    f"{name} may be {found[0]} or {found[1]}; give the folder of one video's "
                    "pictures, or one picture of each name."
                )
            if found:
                return found[0]
        return None

    def _frames(self, video: LabelledVideo) -> Iterator[tuple[int, Labelled, Picture]]:
        left = set(video.frames)
        with open_video(self._where) as frames:
            for frame in frames:
                if frame.index in left:
                    left.discard(frame.index)
                    yield frame.index, video.frames[frame.index], _Decoded(frame)
                if not left:
                    return
        raise InputError(
            f"{self._where} ends before frame {min(left)}, which {video.name} has annotations of."
        )


def _by_end(where: Path) -> dict[str, list[Path]]:
    """Pictures by the ends of their paths; none of those in folders that are hidden or of masks."""
    files: dict[str, list[Path]] = {}
    pictures = (path for path in where.rglob("*") if is_picture(path))
    for path in sorted(pictures, key=lambda path: natural_key(str(path))):
        inside = path.relative_to(where)
        if not any(part[0] == "." or part.lower() in MASKS for part in inside.parts[:-1]):
            for end in _ends(inside):
                files.setdefault(end, []).append(path)
    return files


def _ends(path: Path) -> list[str]:
    """ "c.jpg", "c", "b/c.jpg", "b/c", ...: the last two are the whole path."""
    parts = path.parts
    ends = []
    for first in reversed(range(len(parts))):
        end = PurePosixPath(*parts[first:])
        ends += [str(end), str(end.with_suffix(""))]
    return ends
