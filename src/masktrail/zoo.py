"""Every model by name: what it is, what it was trained on, how good it was measured to be."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
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
        file: name in the package's weights folder.
        sha256: of that file.
        parameters: of the network.
        size: short side it works at by default, pixels.
        data: what it was trained on.
        licence: of the weights, and what their data adds to it.
        recipe: file in `recipes/` that makes it again.
        scores: measured figures by name.
        settings: arguments of the propagator.
    """

    family: str
    about: str
    file: str
    sha256: str
    parameters: int
    size: int
    data: str
    licence: str
    recipe: str
    scores: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


CARDS: dict[str, Card] = {
    "memory-s": Card(
        family="memory",
        about="Space-time memory, ResNet-18 encoder; several objects in one pass",
        file="memory-s.safetensors",
        sha256="",
        parameters=4_516_162,
        size=320,
        data="",
        licence="",
        recipe="memory-s.toml",
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
    if card is not None and weights_hash(path) != card.sha256:
        raise InputError(
            f"The weights of {model} ({path.name}) are not those published; reinstall masktrail."
        )
    network, family = load_network(path)
    if size is not None and size < 64:
        raise InputError(f"A working size of {size} is too small; use 64 or more.")
    propagator = PROPAGATORS[family](
        network.to(choose_device(device)), **{**(card.settings if card else {}), **settings}
    )
    return Tracker(propagator, size or (card or CARDS[DEFAULT]).size, mask_from_box)


def weights_path(model: str | Path) -> Path:
    """The weights file of a model name, a training folder or a file.

    Raises:
        InputError: it is none of these.
    """
    if str(model) in CARDS:
        return WEIGHTS / CARDS[str(model)].file
    path = Path(model)
    if path.is_dir():
        path = path / "weights.safetensors"
    if path.is_file():
        return path
    raise InputError(
        f"There is no model {str(model)!r}; known are {', '.join(CARDS)}, or give a folder made by "
        "`masktrail train`."
    )


@cache
def weights_hash(path: Path) -> str:
    """SHA-256 of a weights file.

    Raises:
        InputError: it is missing.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"The weights {path.name} are missing; reinstall masktrail.") from error
