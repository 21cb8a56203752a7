"""Annotations of other tools, and what they are of, as a data set that all commands take."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from masktrail.annotations import read_annotations
from masktrail.annotations.kinds import Labelled, LabelledVideo
from masktrail.annotations.pictures import Picture, PictureFinder, beside
from masktrail.errors import InputError
from masktrail.files import check_new, free_name, make_folder, new_folder
from masktrail.masks import areas, write_labels

LAYOUTS = ("auto", "video", "pairs")
"""Videos (`JPEGImages` beside `Annotations`), or pictures alone (`images` beside `masks`);
`auto` is videos where the annotations say that they are of some."""

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes:
        videos: how many, or how many folders of pictures where these stand alone.
        frames: with a mask, empty ones among them.
        objects: masks of single objects.
        losses: what could not be taken over, a line each.
    """

    videos: int
    frames: int
    objects: int
    losses: tuple[str, ...]


def import_data(
    kind: str,
    source: Path | str,
    out: Path | str,
    pictures: Path | str | None = None,
    layout: str = "auto",
    progress: Progress = lambda done, total: None,
) -> Imported:
    """Makes a data set of annotations and the pictures that they are of.

    Pictures are copied byte for byte; frames of a video are written as JPEG of high quality.

    Args:
        kind: see `annotations.READERS`.
        source: the annotations, file or folder.
        out: of the data set, a folder that is empty or new; it appears when it is complete.
        pictures: where the pictures are: a folder, looked through with all in it, or a video, of
            which they are frames. The folder of the annotations by default.
        layout: see `LAYOUTS`.
        progress: called after every frame.

    Raises:
        InputError: no such format or layout, annotations that cannot be read, a picture that is
            not there or of another size, or a folder that holds something.
    """
    if layout not in LAYOUTS:
        raise InputError(f"There is no layout {layout!r}; known are {', '.join(LAYOUTS)}.")
    check_new(Path(out))
    told = read_annotations(kind, source)
    where = Path(pictures) if pictures is not None else beside(Path(source))
    if not where.exists():
        raise InputError(f"There is no {where}; say where the pictures are.")
    total = sum(len(video.frames) for video in told.videos)
    with new_folder(Path(out)) as folder:
        made, finder = _DataSet(folder), PictureFinder(where, pictures is not None)
        for name, video in _named(told.videos):
            alone = layout == "pairs" or (layout == "auto" and not video.moving)
            if not alone:
                _require_lasting(video)
            for number, frame, picture in finder.of(video):
                made.add(_alone(name, frame) if alone else _in_video(name, number), frame, picture)
                progress(made.frames, total)
        if not made.frames:
            raise InputError(f"{source} has annotations of no picture.")
    return Imported(len(told.videos), made.frames, made.objects, (*told.losses, *made.losses()))


@dataclass
class _DataSet:
    """A data set that is written, and what is counted meanwhile.

    Attributes:
        folder: of it.
        frames: written.
        objects: masks.
        boxes: that are no masks.
        on_top: masks that lie on top of others.
        taken: names that there are, by folder.
    """

    folder: Path
    frames: int = 0
    objects: int = 0
    boxes: int = 0
    on_top: int = 0
    taken: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, place: tuple[str, str, str], frame: Labelled, picture: Picture) -> None:
        """Writes a picture and its mask into two folders, under one name."""
        images, masks, stem = place
        name = free_name(stem, self.taken[images])
        self.taken[images].add(name)
        labels, on_top = frame.painted(picture.size)
        picture.write(self.folder / images / name)
        make_folder(self.folder / masks)
        write_labels(self.folder / masks / f"{name}.png", labels)
        self.frames += 1
        self.objects += len(areas(labels))
        self.boxes += sum(shape.box(picture.size) is not None for _, shape in frame.objects)
        self.on_top += on_top

    def losses(self) -> Iterator[str]:
        """What label maps cannot hold."""
        if self.boxes:
            yield f"{self.boxes} boxes, which are no masks"
        if self.on_top:
            yield (
                f"what lies beneath {self.on_top} masks: a pixel is of one object, the one on top"
            )


def _in_video(name: str, number: int) -> tuple[str, str, str]:
    return f"JPEGImages/{name}", f"Annotations/{name}", f"{number:05d}"


def _alone(name: str, frame: Labelled) -> tuple[str, str, str]:
    """Named as the picture, and as its folder where there are several."""
    return "images", "masks", f"{name}_{_plain(PurePosixPath(frame.picture).stem)}"


def _require_lasting(video: LabelledVideo) -> None:
    """Refuses to make a video of what nothing tells apart from picture to picture."""
    if not video.lasting and any(len(frame.objects) > 1 for frame in video.frames.values()):
        raise InputError(
            f"The objects of {video.name} are numbered in every picture by themselves: nothing "
            "says which is which in the next. Give them tracks, groups, or names as `object 3`, or "
            "import them as pairs."
        )


def _named(videos: Sequence[LabelledVideo]) -> Iterator[tuple[str, LabelledVideo]]:
    """Videos with names that folders can have, each once."""
    taken: set[str] = set()
    for video in videos:
        name = free_name(_plain(video.name) or "video", taken)
        taken.add(name)
        yield name, video


def _plain(name: str) -> str:
    """A name that files can have everywhere."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")
