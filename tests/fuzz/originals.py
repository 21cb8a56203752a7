"""Small real files, made once."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from fake import random_network
from masktrail.zoo.weights import save_network
from painted_sets import pack_videos
from painted_videos import paint_clip, write_video

CLIP = paint_clip(frames=6, size=(64, 48), objects=1)
STORED = Path(__file__).parents[1] / "stored" / "version-0.1.zip"


CONTAINERS: dict[str, dict[str, Any]] = {
    "mp4": {},
    "mov": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "rotation": 180},
    "mkv": {},
    "webm": {"codec": "libvpx", "tone": None},
    "avi": {"codec": "mpeg4", "tone": "mp2"},
    "ts": {"codec": "mpeg2video"},
}
"""How films are written, by suffix."""

PAGED: dict[str, dict[str, Any]] = {
    "tif": {"compression": "tiff_lzw"},
    "png": {"duration": 40},
    "webp": {"duration": 40},
    "avif": {"duration": 40},
    "gif": {"duration": 40},
}
"""How pictures of many pages are written, by suffix."""

PICTURES: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG"},
    "jpg": {"format": "JPEG"},
    "tif": {"format": "TIFF", "compression": "tiff_lzw"},
}
"""How the frames of a folder are written, by suffix."""


@cache
def film(suffix: str = "mp4") -> bytes:
    """The clip in a container."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        return write_video(path, CLIP.images, **CONTAINERS[suffix]).read_bytes()


@cache
def pages(suffix: str) -> bytes:
    """The clip as pages of one picture."""
    file = io.BytesIO()
    first, *others = map(Image.fromarray, CLIP.images)
    form = {"tif": "TIFF"}.get(suffix, suffix.upper())
    first.save(file, form, save_all=True, append_images=others, **PAGED[suffix])
    return file.getvalue()


def picture(image: np.ndarray, how: Mapping[str, Any]) -> bytes:
    """A frame, or a label map with a palette."""
    file = io.BytesIO()
    opened = Image.fromarray(image)
    if image.ndim == 2:
        opened.putpalette([0, 0, 0, 200, 0, 0])
    opened.save(file, **how)
    return file.getvalue()


@cache
def mask() -> bytes:
    """The object in the first frame."""
    return picture(CLIP.labels[0], PICTURES["png"])


@cache
def pack() -> dict[str, bytes]:
    """The files of a pack, by name."""
    with tempfile.TemporaryDirectory() as folder:
        made = pack_videos(Path(folder), frames=4)
        return {path.name: path.read_bytes() for path in sorted(made.iterdir())}


@cache
def weights() -> bytes:
    """A network nobody trained."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_network(path, random_network(), "memory", {})
        return path.read_bytes()


@cache
def checkpoint() -> bytes:
    """What `torch.save` wrote of a network, with what training keeps beside it."""
    state = {"conv1.weight": torch.zeros(4, 3, 7, 7), "bn1.weight": torch.ones(4)}
    content = io.BytesIO()
    torch.save({"state_dict": state, "epoch": 3, "best": (0.5, "x")}, content)
    return content.getvalue()


@cache
def stored() -> dict[str, bytes]:
    """Runs and a project of version 0.1, by path."""
    with zipfile.ZipFile(STORED) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
