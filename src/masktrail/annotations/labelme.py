"""labelme: a JSON file per picture."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures

from masktrail.annotations.files import frame_numbers, posix, read_json
from masktrail.annotations.kinds import Annotations, Labelled, LabelledVideo, told_losses
from masktrail.annotations.objects import Told, told, with_ids
from masktrail.annotations.shapes import (
    Outline,
    Pasted,
    Rectangle,
    Shape,
    Size,
    ellipse,
    size_of,
)
from masktrail.errors import InputError
from masktrail.pictures.kinds import natural_key


def read(source: Path) -> Annotations:
    """Reads a file, or a folder of them.

    A `group_id`, or a label as "object 3", is the object's id; else see `objects.with_ids`.

    Raises:
        InputError: there is none, or one that is none of labelme's.
    """
    paths = [source] if source.is_file() else sorted(source.glob("*.json"), key=_by_name)
    losses = Counter[str]()
    files = [_file(path, losses) for path in paths]
    if not files:
        raise InputError(f"{source} holds no .json files; expected those of labelme.")
    found = with_ids([drawn for _, _, drawn in files])
    numbers, counted = frame_numbers([path.name for path in paths])
    frames = {
        number: Labelled(picture, size, objects)
        for number, (picture, size, _), objects in zip(numbers, files, found.pictures, strict=True)
    }
    name = source.stem if source.is_file() else source.name
    video = LabelledVideo(name, frames, found.lasting, found.moving, counted)
    return Annotations((video,), told_losses(losses, found.loss))


def _by_name(path: Path) -> tuple[list[tuple[int, str]], str]:
    return natural_key(path.name)


def _file(path: Path, losses: Counter[str]) -> tuple[str, Size | None, list[tuple[Told, Shape]]]:
    """Name and size of a picture, and what is drawn in it."""
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise InputError(f"{path} is no file of labelme's: it has no list of `shapes`.")
    try:
        drawn = list(_drawn(content["shapes"], losses))
        size = size_of(content.get("imageWidth"), content.get("imageHeight"))
        return posix(content.get("imagePath") or path.stem), size, drawn
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__} {error}"
        raise InputError(f"{path} is no file of labelme's that can be read ({reason}).") from error


def _drawn(
    shapes: Iterable[Mapping[str, Any]], losses: Counter[str]
) -> Iterable[tuple[Told, Shape]]:
    for shape in shapes:
        drawn = _shape(shape)
        if drawn is not None:
            yield told(str(shape["label"] or ""), shape.get("group_id")), drawn
        else:
            losses[f"shapes of the kind {shape.get('shape_type')} that are no masks"] += 1


def _shape(shape: Mapping[str, Any]) -> Shape | None:
    points = np.asarray(shape["points"], np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("corners that are no numbers")
    kind = shape.get("shape_type") or "polygon"
    if kind == "polygon" and len(points) >= 3:
        return Outline(points)
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        return Rectangle((float(x0), float(y0), float(x1), float(y1)))
    if kind == "circle" and len(points) == 2:
        radius = float(np.hypot(*(points[1] - points[0])))
        return ellipse((float(points[0, 0]), float(points[0, 1])), (radius, radius))
    if kind == "mask" and shape.get("mask"):
        left, top = points.min(0).round().astype(int).tolist()
        with Pictures.open(io.BytesIO(base64.b64decode(shape["mask"]))) as picture:
            return Pasted(np.asarray(picture.convert("L")) > 0, left, top)
    return None
