"""Every model by name: what it is, what it was trained on, how good it was measured to be."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktrail.errors import InputError

if TYPE_CHECKING:
    from masktrail.trackers.tracker import Tracker

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "memory-s"


@dataclass(frozen=True)
class Card:
    """One row of the zoo.

    Attributes:
        family: key of `trackers.PROPAGATORS`.
        about: one line.
        size: short side it works at by default, pixels.
        file: name in the package's weights folder; None where there is nothing to load.
        sha256: of that file.
        parameters: of the network.
        data: what it was trained on.
        licence: of the weights, and what their data adds to it.
        recipe: file in `recipes/` that makes it again, where it was trained here.
        scores: measured figures by name.
        settings: arguments of the propagator.
    """

    family: str
    about: str
    size: int
    file: str | None = None
    sha256: str = ""
    parameters: int = 0
    data: str = "nothing"
    licence: str = ""
    recipe: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


CARDS: dict[str, Card] = {
    "memory-s": Card(
        family="memory",
        about="Space-time memory, ResNet-18 encoder; several objects in one pass",
        file="memory-s.safetensors",
        sha256="6d7a7b29598f96a4f3ddc67cc1db1a32dd2d396c3844c9e5875a9769c80c4719",
        parameters=4_516_162,
        size=288,
        data="4,280 photographs with masks (ECSSD, PASCAL-S, DUTS, CCP, HumanSeg, Penn-Fudan, "
        "COCO, feral cats), DAVIS-2016 train, 27 short clips (SBI2015, UCSD, CDnet-2014, one of "
        "YouTube-VOS, one of DAVIS-2017); encoder from ImageNet",
        licence="Apache-2.0 as far as it is ours; much of the data is for research or "
        "non-commercial use only (DAVIS copy CC BY-NC 4.0, YouTube-VOS, the photograph sets)",
        recipe="memory-s.toml",
        scores={"davis2016-dev10 J&F": 0.801},
    ),
    "labelprop": Card(
        family="labelprop",
        about="Label propagation over frozen ResNet-18 features; never trained on video",
        size=480,
        file="resnet18-stride16-imagenet.safetensors",
        sha256="eb6704e1e68575a732efd3855e485654b726422ae27a466cb2a0fb7488bebfec",
        parameters=2_780_544,
        data="ImageNet-1k (classification), weights as published with torchvision",
        licence="BSD-3-Clause (torchvision); the copy it was made from carries no licence file",
    ),
    "flow": Card(
        family="flow",
        about="Masks carried along DIS optical flow; needs OpenCV (the extra 'flow')",
        size=480,
        licence="Apache-2.0 (OpenCV)",
        scores={"davis2016-dev10 J&F": 0.399},
    ),
    "copy": Card(
        family="copy",
        about="The first mask in every frame: what any model has to beat",
        scores={"davis2016-dev10 J&F": 0.260},
        size=4320,
    ),
}


def load(
    model: str | Path = DEFAULT, device: str = "auto", size: int | None = None, **settings: Any
) -> "Tracker":
    """A tracker ready for the first frame of a video.

    Args:
        model: name in the zoo, or a folder that `masktrail train` made, or a weights file.
        device: "auto", "cpu", "cuda", ...
        size: short side to work at, pixels; the model's own by default.
        settings: arguments of the model's propagator, such as `capacity` or `top_k`.

    Raises:
        InputError: no such model, weights that are missing or not as published, no such device.
    """
    from masktrail.devices import choose_device
    from masktrail.models.weights import load_network
    from masktrail.prompts.box import mask_from_box
    from masktrail.trackers import PROPAGATORS
    from masktrail.trackers.tracker import Tracker

    card = CARDS.get(str(model))
    path = weights_path(model)
    if card is not None and path is not None and weights_hash(path) != card.sha256:
        raise InputError(
            f"The weights of {model} ({path.name}) are not those published; reinstall masktrail."
        )
    if size is not None and size < 64:
        raise InputError(f"A working size of {size} is too small; use 64 or more.")
    settings = {**(card.settings if card else {}), **settings}
    if path is None:
        propagator = PROPAGATORS[CARDS[str(model)].family](**settings)
    else:
        network, family = load_network(path)
        propagator = PROPAGATORS[family](network.to(choose_device(device)), **settings)
    return Tracker(propagator, size or (card or CARDS[DEFAULT]).size, mask_from_box)


def weights_path(model: str | Path) -> Path | None:
    """The weights file of a model name, a training folder or a file; None where it needs none.

    Raises:
        InputError: it is none of these.
    """
    if str(model) in CARDS:
        file = CARDS[str(model)].file
        return WEIGHTS / file if file else None
    path = Path(model)
    if os.path.isdir(path):  # unlike `Path.is_dir`, no error for a name that is too long
        path = path / "weights.safetensors"
    if os.path.isfile(path):
        return path
    raise InputError(
        f"There is no model {str(model)!r}; known are {', '.join(CARDS)}, or give a folder made by "
        "`masktrail train`."
    )


def weights_hash(path: Path | None) -> str | None:
    """SHA-256 of a weights file, None where there is none.

    Raises:
        InputError: it is missing.
    """
    if path is None:
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"The weights {path.name} are missing; reinstall masktrail.") from error
