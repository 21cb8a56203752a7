"""Masks that CVAT imports into a video task."""

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from masktrail.export.base import each_object, named
from masktrail.files import cannot_write, make_folder, replacing
from masktrail.masks import tight_box
from masktrail.results import Result
from masktrail.types import Frame, VideoInfo

END = "</annotations>"


class CvatWriter:
    """`annotations.xml`: "CVAT for video 1.1", a mask of its own per object and frame.

    CVAT has no tracks of masks: of a `track` with several it imports the first. So it is written
    as CVAT itself exports masks of a video, a `track` for each that ends at the next frame; the
    object's name is its label, its id the `group_id`. The video task must have these labels; they
    are listed in `meta`.

    Tracks grow in a file without a name, because what stands before them is known last.

    Args:
        out: folder of the file.
    """

    about: ClassVar[str] = "CVAT for video (XML)"
    files: ClassVar[tuple[str, ...]] = ("annotations.xml",)
    needs_soft: ClassVar[bool] = False

    def __init__(self, out: Path) -> None:
        self.path = Path(out) / "annotations.xml"
        self._tracks: IO[bytes] | None = None
        self._info: VideoInfo | None = None
        self._last: list[Element] = []
        self._ids: set[int] = set()
        self._frames, self._masks = range(0), 0

    def open(self, info: VideoInfo) -> None:
        make_folder(self.path.parent)
        self._info = info
        try:
            self._tracks = TemporaryFile(dir=self.path.parent)  # noqa: SIM115
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(self, frame: Frame, result: Result) -> None:
        for track in self._last:
            _end(track, frame.index)
        self._store()
        first = self._frames.start if self._frames else frame.index
        self._frames = range(first, frame.index + 1)
        self._ids |= result.objects.keys()
        for object_id, mask in each_object(result.labels):
            self._ids.add(object_id)
            self._last.append(_track(self._masks, object_id, frame.index, mask))
            self._masks += 1

    def close(self, whole: bool = True) -> None:
        """Writes the file and gives it its name."""
        if self._tracks is None or self._info is None:
            return
        self._store()
        root = _root(self._info, self._frames, sorted(self._ids))
        begun = ElementTree.tostring(root, "utf-8", xml_declaration=True)
        with replacing(self.path) as part, part.open("wb") as file:
            self._tracks.seek(0)
            file.write(begun.removesuffix(END.encode()))
            shutil.copyfileobj(self._tracks, file)
            file.write(f"{END}\n".encode())
        self.abort()

    def abort(self) -> None:
        """Drops the tracks."""
        tracks, self._tracks = self._tracks, None
        if tracks is not None:
            with suppress(OSError):  # what a full disk did not take is dropped anyway
                tracks.close()

    def _store(self) -> None:
        """Appends the tracks of the last frame to those before."""
        if self._tracks is None:
            raise ValueError("Call open(info) before write.")
        try:
            for track in self._last:
                self._tracks.write(ElementTree.tostring(track, "utf-8") + b"\n")
        except OSError as error:
            self.abort()
            raise cannot_write(self.path, error) from error
        self._last = []


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Pixels outside, inside, outside ... row by row; the first number may be 0."""
    pixels = mask.reshape(-1)
    changes = np.flatnonzero(pixels != np.concatenate([[False], pixels[:-1]]))
    return np.diff(np.concatenate([[0], changes, [pixels.size]])).tolist()


def _root(info: VideoInfo, frames: range, ids: list[int]) -> Element:
    """The document as far as it stands before the tracks."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    task = SubElement(SubElement(root, "meta"), "task")
    fields = {"name": Path(info.source).name, "size": len(frames), "mode": "interpolation"}
    span = {"start_frame": frames.start, "stop_frame": max(frames.stop - 1, frames.start)}
    for key, value in (fields | span).items():
        SubElement(task, key).text = str(value)
    labels = SubElement(task, "labels")
    for object_id in ids:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = named(object_id)
        SubElement(label, "type").text = "mask"
        SubElement(label, "attributes")
    size = SubElement(task, "original_size")
    SubElement(size, "width").text = str(info.width)
    SubElement(size, "height").text = str(info.height)
    ElementTree.indent(root)
    return root


def _track(number: int, object_id: int, frame: int, mask: NDArray[np.bool_]) -> Element:
    """One mask in one frame, as run lengths within its box."""
    x0, y0, x1, y1 = tight_box(mask) or (0, 0, 0, 0)
    what = {"id": str(number), "label": named(object_id), "source": "file"}
    track = Element("track", {**what, "group_id": str(object_id)})
    _mask(track, frame, False, run_lengths(mask[y0:y1, x0:x1]), (x0, y0, x1 - x0, y1 - y0))
    return track


def _end(track: Element, frame: int) -> None:
    """Says that a track's object is not to be shown any more from `frame` on."""
    last = track[-1]
    _mask(track, frame, True, [0, 1], (int(last.get("left", 0)), int(last.get("top", 0)), 1, 1))


def _mask(
    track: Element, frame: int, outside: bool, runs: list[int], box: tuple[int, int, int, int]
) -> None:
    place = dict(zip(("left", "top", "width", "height"), map(str, box), strict=True))
    rle = ", ".join(map(str, runs))
    flags = {"keyframe": "1", "outside": str(int(outside)), "occluded": "0"}
    SubElement(track, "mask", {"frame": str(frame), **flags, "rle": rle, **place, "z_order": "0"})
