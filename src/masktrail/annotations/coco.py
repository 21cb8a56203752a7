"""COCO: of videos, as YouTube-VIS and our own exports have it, and of pictures."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from masktrail.annotations.files import frame_numbers, one_file, posix, read_json
from masktrail.annotations.kinds import Annotations, Labelled, LabelledVideo, told_losses
from masktrail.annotations.objects import Told, lost_classes, with_ids
from masktrail.annotations.objects import told as told_label
from masktrail.annotations.shapes import CocoShape, Rectangle, Shape, size_of
from masktrail.errors import InputError
from masktrail.libraries import library
from masktrail.pictures.kinds import natural_key
from masktrail.prompts.kinds import MAX_ID

TRACKS = ("track_id", "instance_id", "object_id")
"""Fields in which tools say which object of a video an annotation of a picture is of."""

Entry = Mapping[str, Any]
"""What the file has of a video, a picture or an annotation."""

IsCrowd = Callable[[Entry], bool]


def read(source: Path) -> Annotations:
    """Reads a file of either kind.

    Args:
        source: JSON with `videos` or `images`, `annotations` and `categories`, or a folder that
            holds one, itself or in `annotations`.

    Raises:
        InputError: it is none, or pycocotools is not installed.
    """
    library("pycocotools.mask", "pycocotools", "Reading COCO")
    source = one_file(source, ".json")
    told = read_json(source)
    if not isinstance(told, dict) or not isinstance(told.get("annotations"), list):
        raise InputError(f"{source} has no list of `annotations`; expected a COCO file.")
    try:
        return _of_pictures(told) if told.get("images") else _of_videos(told)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{source} cannot be used: {error}") from None
        reason = f"{type(error).__name__} {error}"
        raise InputError(f"{source} is no COCO file that can be read ({reason}).") from error


def _of_videos(told: Entry) -> Annotations:
    """One annotation per object, a segmentation per frame."""
    losses = Counter[str]()
    by_video = _by("video_id", told["annotations"], told["videos"], losses)
    is_crowd = _crowds(told)
    videos = []
    for video in told["videos"]:
        kept = [a for a in by_video[video["id"]] if not _left_out(a, is_crowd, losses)]
        ids = _own_or_new([a["id"] for a in kept], len(told["videos"]) == 1)
        objects: dict[int, list[tuple[int, Shape]]] = defaultdict(list)
        for annotation in sorted(kept, key=lambda a: ids[a["id"]]):
            for place, shape in _along(annotation, losses):
                objects[place].append((ids[annotation["id"]], shape))
        videos.append(_video(video, objects))
    in_order = tuple(sorted(videos, key=lambda video: natural_key(video.name)))
    return Annotations(in_order, told_losses(losses, _classes(told)))


def _by(
    field: str, annotations: Sequence[Entry], listed: Iterable[Entry], losses: Counter[str]
) -> dict[Any, list[Entry]]:
    """Annotations by the video or picture that they are of.

    Raises:
        InputError: all are of something that the file does not list.
    """
    found: dict[Any, list[Entry]] = {entry["id"]: [] for entry in listed}
    strangers = [annotation[field] for annotation in annotations if annotation[field] not in found]
    if strangers and len(strangers) == len(annotations):
        raise InputError(f"it lists no {field} that annotations have, as {strangers[0]!r}.")
    if strangers:
        losses[f"annotations whose {field} the file does not list"] += len(strangers)
    for annotation in annotations:
        if annotation[field] in found:
            found[annotation[field]].append(annotation)
    return found


def _own_or_new(ids: list[Any], alone: bool) -> dict[Any, int]:
    """The ids of one video as they are, if masks can hold them; of several, which share one count,
    and else, 1, 2, ... in each.

    Raises:
        InputError: more objects than there are ids.
    """
    if alone and all(isinstance(i, int) and 0 < i <= MAX_ID for i in ids):
        return {i: i for i in ids}
    if len(ids) > MAX_ID:
        raise InputError(f"A video has {len(ids)} objects; expected {MAX_ID} at most.")
    in_order = sorted(ids, key=lambda i: natural_key(str(i)))
    return {i: number for number, i in enumerate(in_order, start=1)}


def _along(annotation: Entry, losses: Counter[str]) -> Iterator[tuple[int, Shape]]:
    """Places and shapes of an object of a video."""
    segmentations = annotation.get("segmentations") or []
    boxes = annotation.get("bboxes") or [None] * len(segmentations)
    for place, (segmentation, box) in enumerate(zip(segmentations, boxes, strict=True)):
        shape = _shape(segmentation, box)
        if shape is not None:
            yield place, shape
        elif segmentation:
            losses["outlines of less than three corners"] += 1


def _video(video: Entry, objects: Mapping[int, list[tuple[int, Shape]]]) -> LabelledVideo:
    told = video["file_names"] if "file_names" in video else video["file_name"]
    names, size = [posix(name) for name in told], size_of(video.get("width"), video.get("height"))
    numbers, counted = frame_numbers(names)
    frames = {
        number: Labelled(name, size, tuple(objects.get(place, ())))
        for place, (number, name) in enumerate(zip(numbers, names, strict=True))
    }
    folder = PurePosixPath(names[0]).parent.name if names else ""
    name = str(video.get("name") or folder or f"video{video['id']}")
    return LabelledVideo(name, frames, True, True, counted)


def _of_pictures(told: Entry) -> Annotations:
    """Pictures by video or folder, see `objects.with_ids`; what says a track is told by that."""
    losses = Counter[str]()
    images = sorted(told["images"], key=lambda image: natural_key(image["file_name"]))
    by_picture = _by("image_id", told["annotations"], images, losses)
    names = {video["id"]: str(video.get("name")) for video in told.get("videos") or ()}
    folders: dict[str, list[Entry]] = defaultdict(list)
    for image in images:
        parent = PurePosixPath(posix(image["file_name"])).parent.as_posix()
        folders[names.get(image.get("video_id")) or parent].append(image)
    drawn = partial(_drawn, _crowds(told), _labels(told), losses)
    videos = []
    for folder, inside in folders.items():
        found = with_ids([list(drawn(by_picture[image["id"]])) for image in inside])
        numbers, counted = _frame_numbers(inside)
        frames: dict[int, Labelled] = {}
        for number, image, objects in zip(numbers, inside, found.pictures, strict=True):
            name = posix(image["file_name"])
            if number in frames:
                raise InputError(f"{name} and {frames[number].picture} are both frame {number}.")
            size = size_of(image.get("width"), image.get("height"))
            frames[number] = Labelled(name, size, objects)
        name = Path(folder).name or "pictures"
        videos.append(LabelledVideo(name, frames, found.lasting, found.moving, counted))
    return Annotations(tuple(videos), told_losses(losses, _classes(told)))


def _frame_numbers(images: Sequence[Entry]) -> tuple[list[int], bool]:
    """The frames that pictures say they are, else those that their names tell."""
    told = [image.get("frame_index", image.get("frame_id")) for image in images]
    if None not in told:
        return [int(number) for number in told if number is not None], True
    return frame_numbers([posix(image["file_name"]) for image in images])


def _drawn(
    is_crowd: IsCrowd,
    labels: Mapping[Any, str],
    losses: Counter[str],
    annotations: Iterable[Entry],
) -> Iterator[tuple[Told, Shape]]:
    for annotation in annotations:
        if _left_out(annotation, is_crowd, losses):
            continue
        shape = _shape(annotation.get("segmentation"), annotation.get("bbox"))
        if shape is None:
            losses["annotations without an outline or a box, as key points are"] += 1
            continue
        label, track = labels.get(annotation.get("category_id"), ""), _track(annotation)
        yield (told_label(label) if track is None else Told(label, track=track)), shape


def _track(annotation: Entry) -> Any:
    told = {**annotation, **(annotation.get("attributes") or {})}
    return next((told[field] for field in TRACKS if told.get(field) is not None), None)


def _crowds(told: Entry) -> IsCrowd:
    """What says whether an annotation is of a crowd.

    CVAT's exporter calls every mask one, and gives all annotations `attributes`, which COCO's own
    do not have; nor is there a crowd where all are.
    """
    annotations = told["annotations"]
    every = all(annotation.get("iscrowd") for annotation in annotations)
    if every or any("attributes" in annotation for annotation in annotations):
        return lambda annotation: False
    return lambda annotation: bool(annotation.get("iscrowd"))


def _left_out(annotation: Entry, is_crowd: IsCrowd, losses: Counter[str]) -> bool:
    crowd = is_crowd(annotation)
    if crowd:
        losses["crowds (iscrowd), which are no object"] += 1
    return crowd


def _shape(segmentation: Any, box: Any) -> Shape | None:
    """What is drawn: polygons of three corners or more, run lengths, else a box."""
    if isinstance(segmentation, list):
        segmentation = [ring for ring in segmentation if len(ring) >= 6]
    if segmentation:
        return CocoShape(segmentation)
    if box:
        x, y, width, height = (float(number) for number in box)
        return Rectangle((x, y, x + width, y + height))
    return None


def _labels(told: Entry) -> dict[Any, str]:
    return {c.get("id"): str(c.get("name") or "") for c in told.get("categories") or ()}


def _classes(told: Entry) -> str:
    """What is lost of the categories that are used."""
    used = {annotation.get("category_id") for annotation in told["annotations"]}
    return lost_classes(name for number, name in _labels(told).items() if number in used)
