"""CVAT's XML, of videos (tracks) and of pictures."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from masktrail.annotations.cvat_shapes import along, shape_of
from masktrail.annotations.files import frame_numbers, one_file, posix
from masktrail.annotations.kinds import Annotations, Labelled, LabelledVideo, told_losses
from masktrail.annotations.objects import Told, told, with_ids
from masktrail.annotations.shapes import Shape, Size, size_of
from masktrail.errors import InputError
from masktrail.pictures.kinds import natural_key

Layer = tuple[int, Told, Shape]
"""How high a shape lies, whose it is, and the shape."""


def read(source: Path) -> Annotations:
    """Reads "CVAT for video 1.1" or "CVAT for images 1.1".

    A group, or a label as "object 3", is the object's id; else a track of several shapes is an
    object, and of others see `objects.with_ids`. Boxes, and polygons of as many corners, are moved
    in a straight line between two keyframes.

    Args:
        source: the XML, or the folder that CVAT's archive leaves.

    Raises:
        InputError: it is none, or is of several tasks.
    """
    source = one_file(source, ".xml")
    try:
        root = ElementTree.parse(source).getroot()
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror}.") from error
    except ElementTree.ParseError as error:
        raise InputError(f"{source} is not XML: {error}.") from error
    if root.tag != "annotations":
        raise InputError(f"{source} begins with <{root.tag}>; expected CVAT's <annotations>.")
    try:
        return _pictures(root, source) if root.find("image") is not None else _video(root, source)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{source} cannot be used: {error}") from None
        raise InputError(f"{source} is no XML of CVAT's that can be read ({error}).") from error


def _video(root: Element, source: Path) -> Annotations:
    if len({track.get("task_id") for track in root.iter("track")}) > 1:
        raise InputError("it is of several tasks; export them one by one.")
    losses = Counter[str]()
    span = _span(root)
    layers: dict[int, list[Layer]] = {frame: [] for frame in span}
    for track in root.iter("track"):
        moves = sum(shape.get("outside") != "1" for shape in track) > 1
        what = _told(track, track.get("id") if moves else None)
        for frame, element in along(track, span.stop - 1, span.step):
            for layer in _layers(what, element, losses):
                layers.setdefault(frame, []).append(layer)
    numbers = sorted(layers)
    found = with_ids([_in_order(layers[number]) for number in numbers])
    size = size_of(*(root.findtext(f".//original_size/{side}") for side in ("width", "height")))
    frames = {
        number: Labelled(f"{number:05d}", size, objects)
        for number, objects in zip(numbers, found.pictures, strict=True)
    }
    name = Path(root.findtext("meta/*/name") or source.stem).stem
    video = LabelledVideo(name, frames, found.lasting, True, True)
    return Annotations((video,), told_losses(losses, found.loss))


def _span(root: Element) -> range:
    """The frames of the task, or job; to the last that anything is said of, if none is told."""
    first = int(root.findtext("meta/*/start_frame") or 0)
    step = re.search(r"step=(\d+)", root.findtext("meta/*/frame_filter") or "")
    stride = max(1, int(step[1])) if step else 1
    said = [int(shape.get("frame", 0)) for track in root.iter("track") for shape in track]
    last = int(root.findtext("meta/*/stop_frame") or max(said, default=-1))
    count = root.findtext("meta/*/size")
    if count:
        last = max([min(last, first + (int(count) - 1) * stride), *said])
    return range(first, last + 1, stride)


def _told(element: Element, track: str | None) -> Told:
    what = told(element.get("label") or "", element.get("group_id"))
    return what if what.id is not None else Told(what.label, track=track)


def _layers(what: Told, element: Element, losses: Counter[str]) -> Iterator[Layer]:
    shape = shape_of(element)
    if shape is not None:
        yield int(element.get("z_order", 0)), what, shape
    else:
        losses[f"shapes of the kind {element.tag} that are no masks"] += 1


def _in_order(layers: list[Layer]) -> list[tuple[Told, Shape]]:
    """From the lowest to the highest."""
    return [(what, shape) for _, what, shape in sorted(layers, key=lambda layer: layer[0])]


def _pictures(root: Element, source: Path) -> Annotations:
    """Pictures by folder, see `objects.with_ids`."""
    losses = Counter[str]()
    images = sorted(root.iter("image"), key=lambda image: natural_key(image.get("name") or ""))
    layers = [
        [layer for shape in image for layer in _layers(_told(shape, None), shape, losses)]
        for image in images
    ]
    found = with_ids([_in_order(drawn) for drawn in layers])
    folders: dict[str, list[Labelled]] = {}
    for image, objects in zip(images, found.pictures, strict=True):
        name, size = posix(image.get("name") or ""), _size(image)
        parent = PurePosixPath(name).parent.as_posix()
        folders.setdefault(parent, []).append(Labelled(name, size, objects))
    videos = []
    for folder, inside in folders.items():
        numbers, counted = frame_numbers([frame.picture for frame in inside])
        frames = dict(zip(numbers, inside, strict=True))
        name = Path(folder).name or source.stem
        videos.append(LabelledVideo(name, frames, found.lasting, found.moving, counted))
    return Annotations(tuple(videos), told_losses(losses, found.loss))


def _size(image: Element) -> Size | None:
    return size_of(image.get("width"), image.get("height"))
