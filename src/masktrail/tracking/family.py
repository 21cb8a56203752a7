"""The contract: what a family of models says of itself to all the rest of the project."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pkgutil import resolve_name
from typing import Any

from masktrail.errors import InputError


@dataclass(frozen=True)
class Card:
    """One row of the zoo.

    Attributes:
        about: one line.
        size: short side it works at by default, pixels.
        files: SHA-256 by name of its weights file, or of all their shards in order; those that do
            not ship in the package are looked for as `zoo.fetch.find` says.
        url: address of the folder they can be downloaded from.
        parameters: of the network.
        data: what it was trained on.
        training: how much of it: clips, minutes, machine.
        licence: of the weights, and what their data adds to it.
        recipe: file in `recipes/` that makes it again, where it was trained here.
        scores: measured figures by name.
        settings: arguments of the propagator.
        family: name of the family; a card that stands in one need not say it.
        graphs: SHA-256 by name of the files of its network's functions, see docs/engines.md; they
            lie where `files` lie.
        scored_by: engine and precision that the scores were measured with.
    """

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
    family: str = ""
    graphs: Mapping[str, str] = field(default_factory=dict)
    scored_by: str = ""


@dataclass(frozen=True)
class Calibration:
    """From a figure that tells good masks from bad ones to a score: a logistic curve.

    The score is the chance that a mask overlaps the true one by more than half.

    Attributes:
        middle: the figure, 0 to 1, at which it is one half; the defaults were fitted to expected
            overlaps of `memory-s`, see docs/corrections.md.
        slope: how steep the curve is there, times four.
    """

    middle: float = 0.69
    slope: float = 20.0

    def __call__(self, figure: float) -> float:
        """The score of a figure."""
        return 1 / (1 + math.exp(-self.slope * (figure - self.middle)))


PROMPTS = ("mask", "box", "points")
"""Kinds of prompts."""


@dataclass(frozen=True)
class Traits:
    """What a family does itself, and what the tracker does for it.

    Attributes:
        prompts: those of `PROMPTS` that its propagator takes as they are, by its method `mark`; of
            all others masks are made first. A prompted frame that comes again, as in the passes of
            a run with prompts at several frames, is given with the mask that came of it.
        strays: whether the tracker leaves out what of its masks cannot be the object, see
            `pieces.without_strays`.
        rotated: whether results tell the smallest rectangle around each mask, turned as it may be.
        scores: whether its propagator says how good its masks are, in its attribute `scores`;
            otherwise it is their expected overlap.
        calibration: of the one or the other.
        learns: its settings that let it learn from a prompted frame, by its propagator's method
            `learn`, where none of them is 0; the first says for how many seconds it may. Empty
            where it learns nothing.
        engines: names of what can compute its network as it is, as `engines.torch` is named; those
            that compute graphs do so where it has `graphs`.
        devices: kinds of devices it can run on, as torch names them, the best first; none stands
            for all that its engine has.
    """

    prompts: tuple[str, ...] = ("mask",)
    strays: bool = True
    rotated: bool = False
    scores: bool = False
    calibration: Calibration = Calibration()
    learns: tuple[str, ...] = ()
    engines: tuple[str, ...] = ("torch",)
    devices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.learns, str):  # a tuple without its comma
            raise ValueError(f"learns is names of settings, as ({self.learns!r},)")
        if "mask" not in self.prompts or not set(self.prompts) <= set(PROMPTS):
            raise ValueError(f"prompts are mask and perhaps box, points, not {self.prompts}")


USUAL = Traits()
"""Of most families: a network goes from mask to mask, the tracker does the rest."""


def remedy(error: Exception, module: str) -> str:
    """What is to be done about a package of others, a module of which cannot be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        if missing != module.partition(".")[0]:
            return f"pip install {missing}, or uninstall what needs it."
    return "Mend its package, or uninstall it."


@dataclass(frozen=True)
class Lazy:
    """Something that is imported when it is first asked for.

    Attributes:
        package: of a family, as its row knows it: `__name__`.
        name: where in it, as "module:name".
    """

    package: str
    name: str

    def __call__(self) -> Any:
        """What it names.

        Raises:
            InputError: it is of another package and cannot be imported.
        """
        try:
            return resolve_name(f"{self.package}.{self.name}")
        except Exception as error:
            if self.package.startswith("masktrail."):
                raise
            raise InputError(
                f"{self.package}.{self.name} cannot be used: {error}. {remedy(error, self.package)}"
            ) from error


Part = Callable[[], Any]
"""What gives a part of a family when it is called, as a `Lazy`."""


@dataclass(frozen=True)
class Family:
    """One paper, whose code lies in one folder; None stands for what it does not have.

    Attributes:
        name: of it, in the headers of weights and in recipes.
        cards: its models by name.
        network: an `nn.Module` class, made of an instance of `config`. Its attributes, each with a
            default: `stride`, which sides of clips must be multiples of (1); `frames`, the fewest
            that clips need (2); `start_from`, see `zoo.weights.initialise`.
            What is in its `encoder` learns at a recipe's `encoder_lr`.
            Its methods are the functions that an `engines.Engine` runs.
        config: a dataclass whose fields all have defaults.
        propagator: a class as `propagator.Propagator`, made of an `engines.Engine`, where there is
            a network, and of its settings; without it the family does not track.
        prompter: a class whose instances are a `propagator.Prompter`, made of an engine: it makes
            masks of boxes and clicks.
        training: a `recipe.Training`.
        importer: a function from the tensors of a checkpoint that others published, by name, to a
            network and the fields of its config that differ from the defaults; it raises a
            ValueError that says why where they are of another network.
        traits: what it does itself.
        graphs: a function from a `config` to `Graph`s by the name of the network's function: with
            them engines other than torch compute it, from files that `masktrail export-onnx`
            writes.
    """

    name: str
    cards: Mapping[str, Card] = field(default_factory=dict)
    network: Part | None = None
    config: Part | None = None
    propagator: Part | None = None
    prompter: Part | None = None
    training: Part | None = None
    importer: Part | None = None
    traits: Traits = USUAL
    graphs: Part | None = None

    def __post_init__(self) -> None:
        cards = {name: replace(card, family=self.name) for name, card in self.cards.items()}
        object.__setattr__(self, "cards", cards)
