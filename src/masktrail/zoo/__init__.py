"""Every model by name: what it is, what it was trained on, how good it was measured to be."""

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from masktrail.errors import InputError
from masktrail.families import families, family
from masktrail.settings import (
    EngineName,
    ModelOptions,
    Precision,
    Setting,
    arguments_of,
    check_text,
    checked,
    differing,
    integer,
)
from masktrail.tracking.family import Card, Family

if TYPE_CHECKING:
    from masktrail.tracking.propagator import Prompter
    from masktrail.tracking.tracker import Tracker

log = logging.getLogger(__name__)

LARGEST = 8192
"""Short side that a model may be asked to work at, pixels."""

WEIGHTS = Path(__file__).parents[1] / "weights"
DEFAULT = "memory-s"
NAMELESS_SIZE = 288
"""Short side of models whose family has no card yet, pixels."""

PROMPTS = "prompt"
"""The model that makes masks of boxes and clicks, where it is there."""


SCORE = "davis2016-dev10 J&F"
"""By which models are put in order."""


def _cards() -> dict[str, Card]:
    """Of all families: the default, then the best first, those that were not measured last."""
    cards: dict[str, Card] = {}
    for each in families():
        for name, card in each.cards.items():
            if name in cards:
                log.warning(
                    "The model %r of the family %r is not used: there is one of that name.",
                    name,
                    each.name,
                )
            cards.setdefault(name, card)
    names = sorted(cards, key=lambda name: (name != DEFAULT, -cards[name].scores.get(SCORE, 0.0)))
    return {name: cards[name] for name in names}


CARDS: dict[str, Card] = _cards()
"""Every model by name."""


def load(
    model: str | Path = DEFAULT,
    device: str = "auto",
    size: int | None = None,
    precision: Precision = "auto",
    settings: Mapping[str, Any] = MappingProxyType({}),
    engine: EngineName = "auto",
    prompter: "Prompter | None" = None,
) -> "Tracker":
    """A tracker ready for the first frame of a video.

    Args:
        model: name in the zoo, or a folder that `masktrail train` made, or a weights file. These
            have the size and the settings of the first card of their family.
        device: "auto", "cpu", "cuda", ...
        size: short side to work at, pixels; the model's own by default.
        precision: see `zoo.engines.make_engine`.
        settings: the model's own, by name, see `settings_of`; values, or text such as "square".
        engine: "auto", "openvino", "onnxruntime" or "torch", see `zoo.engines.make_engine`.
        prompter: makes masks of boxes and clicks; what `load_prompter` gives by default.

    Raises:
        InputError: no such model, weights that are missing or not as published, no such device or
            engine, a precision or a setting that is not possible, anything of another kind.
    """
    from masktrail.tracking.provenance import Provenance
    from masktrail.tracking.tracker import Tracker
    from masktrail.zoo.engines import check_names, make_engine

    size = None if size is None else integer(size, "working size")
    if size is not None and not 64 <= size <= LARGEST:
        raise InputError(f"A working size of {size} is not possible; use 64 to {LARGEST}.")
    check_names(engine, precision)
    check_text(device, "device", "cpu")
    (path, name), card, spec = _files_of(model, engine), card_of(model), _family_of(model)
    defaults, usable = settings_of(model), _device(spec, device)
    values = checked(defaults, settings, str(model))
    told = differing(defaults, values)
    prompter = prompter or load_prompter(device=device, engine=name)
    if path is None:
        propagator, about = _propagator(model)(**values), Provenance(str(model), told=told)
        return Tracker(propagator, size or card.size, prompter, values, spec.traits, about)
    made = make_engine(path, spec, name, usable, precision)
    weights = weights_hash(weights_path(model))
    return Tracker(
        _propagator(model)(made, **_possible(values, settings, spec, made.name, str(model))),
        size or card.size,
        prompter,
        values,
        spec.traits,
        Provenance(str(model), weights, made.name, made.graphs, made.precision, told),
        made.concurrent,
    )


def _possible(
    values: Mapping[str, Any], given: Mapping[str, Any], spec: Family, engine: str, model: str
) -> dict[str, Any]:
    """Settings of a model, without learning where an engine cannot and nobody asked for it.

    Raises:
        InputError: somebody did.
    """
    from masktrail.zoo.engines import check_can_learn

    learns = spec.traits.learns
    if not learns or not all(values[name] for name in learns):
        return dict(values)
    try:
        check_can_learn(engine, model)
    except InputError as error:
        if not given.keys().isdisjoint(learns):
            raise
        log.warning("%s It learns nothing now.", error)
        return {**values, learns[0]: 0.0}
    return dict(values)


def tracker_of(options: ModelOptions) -> "Tracker":
    """A tracker as `load` gives it; edges are refined by who asks it.

    Raises:
        InputError: as `load`.
    """
    return load(
        options.model,
        options.device,
        options.size,
        cast(Precision, options.precision),
        options.settings,
        cast(EngineName, options.engine),
    )


def settings_of(model: str | Path = DEFAULT) -> list[Setting]:
    """What a model can be told besides its size, such as the `view` of a U-Net, with its defaults.

    Args:
        model: whatever `load` loads.

    Raises:
        InputError: no such model, or one that does not track.
    """
    card = card_of(model)
    return [
        replace(setting, default=card.settings.get(setting.name, setting.default))
        for setting in arguments_of(_propagator(model))
    ]


def learning(model: str | Path, seconds: float) -> dict[str, float]:
    """The setting that lets a model learn for so long from every prompted frame.

    Args:
        model: whatever `load` loads.
        seconds: how long.

    Raises:
        InputError: no such model, or one that learns nothing.
    """
    names = _family_of(model).traits.learns
    if not names:
        learn = [n for n, card in CARDS.items() if family(card.family).traits.learns]
        raise InputError(
            f"The model {model} does not learn from prompted frames, as was asked; "
            f"{', '.join(learn)} would."
        )
    return {names[0]: seconds}


def untaught(model: str | Path) -> dict[str, float]:
    """Settings with which a model learns nothing of the videos that it tracks: what it learns
    depends on how fast the machine is.

    Args:
        model: whatever `load` loads.

    Raises:
        InputError: no such model.
    """
    learns = _family_of(model).traits.learns
    return {learns[0]: 0.0} if learns else {}


def trackers() -> list[str]:
    """Names of the models that track, all but those that only make masks of boxes and clicks."""
    return [name for name, card in CARDS.items() if family(card.family).propagator]


def own_settings(model: str | Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is given of a model's settings and is not so anyhow: values, in one order.

    Raises:
        InputError: as `load`.
    """
    if not settings:
        return {}
    defaults = settings_of(model)
    return differing(defaults, checked(defaults, settings, str(model)))


def card_of(model: str | Path) -> Card:
    """The card of a name; of a folder or a file the first card of their family.

    Raises:
        InputError: no such model.
    """
    if str(model) in CARDS:
        return CARDS[str(model)]
    from masktrail.zoo.headers import read_config

    path = weights_path(model)
    assert path is not None  # only models that have a card need no weights
    name, _ = read_config(path)
    nameless = Card("", NAMELESS_SIZE, family=name)
    return next((card for card in CARDS.values() if card.family == name), nameless)


def load_prompter(
    model: str | Path = PROMPTS, device: str = "auto", engine: str = "auto"
) -> "Prompter":
    """What makes masks of boxes and clicks; its weights are read when it is first needed.

    Args:
        model: name in the zoo, folder or file of a prompt network.
        device: "auto", "cpu", "cuda", ...
        engine: see `load`.

    Returns:
        A function of an image, a box or clicks, and perhaps a soft mask to go out from, to a mask;
        it raises InputError where it is needed and the model cannot be used.
    """

    from masktrail.zoo.lazy_prompter import LazyPrompter

    def make() -> "Prompter":
        from masktrail.zoo.engines import make_engine

        (path, name), spec = _files_of(model, engine), _family_of(model)
        if path is None or spec.prompter is None:
            raise InputError(
                f"The model {str(model)!r} is of the family {spec.name!r}, which makes no masks of "
                f"boxes and clicks; name one that does, as {PROMPTS}."
            )
        prompter: Prompter = spec.prompter()(make_engine(path, spec, name, device))
        return prompter

    return LazyPrompter(make)


def weights_path(model: str | Path) -> Path | None:
    """The weights file of a model name, a training folder or a file; None where it needs none.

    Of weights in shards it is the first; a named model's are checked, and fetched if need be.

    Raises:
        InputError: it is none of these, or weights are missing or not as published.
    """
    if str(model) in CARDS:
        from masktrail.zoo.fetch import find

        card = CARDS[str(model)]
        return find(card.files, WEIGHTS, card.url) if card.files else None
    check_text(model, "model", DEFAULT, os.PathLike)
    path = Path(model)
    if os.path.isdir(path):  # unlike `Path.is_dir`, no error for a name that is too long
        path = path / "weights.safetensors"
    if os.path.isfile(path):
        return path
    raise InputError(
        f"There is no model {str(model)!r}; known are {', '.join(CARDS)}, or give a folder made by "
        "`masktrail train`."
    )


def _files_of(model: str | Path, engine: str) -> tuple[Path | None, str]:
    """The weights as `weights_path` gives them, a named model's graphs beside them, and the engine.

    Where "auto" finds these graphs missing or damaged, that is torch, if it is installed.
    """
    card = CARDS.get(str(model))
    if card is None or not card.graphs or engine == "torch":
        return weights_path(model), engine
    from masktrail.zoo.fetch import find

    try:
        return find({**card.files, **card.graphs}, WEIGHTS, card.url), engine
    except InputError as error:
        if engine != "auto" or find_spec("torch") is None:
            raise
        path = weights_path(model)
        log.warning("The graphs of %s are not used, but torch: %s", model, error)
        return path, "torch"


def weights_hash(path: Path | None) -> str | None:
    """SHA-256 of a weights file; of weights in shards that of their hashes, in order, as text.

    None where there is no file.

    Raises:
        InputError: it is missing.
    """
    if path is None:
        return None
    from masktrail.zoo.fetch import sha256
    from masktrail.zoo.files import siblings

    hashes = [sha256(file) for file in siblings(path)]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def weights_origin(path: Path) -> str:
    """SHA-256 of the file of training that weights come from; of the weights, where none is told.

    Raises:
        InputError: the file is missing or no safetensors file.
    """
    from masktrail.zoo.headers import read_origin

    return read_origin(path) or weights_hash(path) or ""


def _family_of(model: str | Path) -> Family:
    """The family of a model.

    Raises:
        InputError: no such model, or one of a family that there is not.
    """
    name = card_of(model).family
    try:
        return family(name)
    except KeyError:
        raise InputError(
            f"{model} is of a network that this version does not know ({name})."
        ) from None


def _device(spec: Family, name: str) -> str:
    """A device that a family can use: the one that was asked for, else the first that is there."""
    usable = spec.traits.devices
    if not usable or name.split(":")[0] in usable:
        return name
    if name != "auto":
        log.warning("Models of the family %r run on %s, not on %s.", spec.name, usable[0], name)
    return next((device for device in usable[:-1] if _is_there(device)), usable[-1])


def _is_there(device: str) -> bool:
    try:
        from masktrail.devices import choose_device

        choose_device(device)
    except (ImportError, InputError):
        return False
    return True


def _propagator(model: str | Path) -> Any:
    """The class that propagates a model's masks."""
    spec = _family_of(model)
    if spec.propagator is None:
        does = "makes masks of boxes and clicks and " if spec.prompter else ""
        raise InputError(
            f"The model {str(model)!r} {does}cannot track; name one that does, as {DEFAULT}."
        )
    return spec.propagator()
