"""The contract: what a family of models says of itself to all the rest of the project."""

from __future__ import annotations

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
                f"{self.package}.{self.name} cannot be used: {error}. Mend its package, or "
                "uninstall it."
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
            that clips need (2); `start_from`, see `zoo.weights.initialise`; `plain_stem`, see
            `models.int8.to_int8`. What is in its `encoder` learns at a recipe's `encoder_lr`.
            Its methods are the functions that an `engines.Engine` runs.
        config: a dataclass whose fields all have defaults.
        propagator: a class as `tracker.Propagator`, made of an `engines.Engine`, where there is a
            network, and of its settings; without it the family does not track.
        prompter: a class whose instances are a `tracker.Prompter`, made of an engine: it makes
            masks of boxes and clicks.
        training: a `recipe.Training`.
        importer: a function from the tensors of a checkpoint that others published, by name, to a
            network and the fields of its config that differ from the defaults; it raises a
            ValueError that says why where they are of another network.
        int8: whether 8-bit convolutions make it faster on a processor.
    """

    name: str
    cards: Mapping[str, Card] = field(default_factory=dict)
    network: Part | None = None
    config: Part | None = None
    propagator: Part | None = None
    prompter: Part | None = None
    training: Part | None = None
    importer: Part | None = None
    int8: bool = False

    def __post_init__(self) -> None:
        own = {name: replace(card, family=self.name) for name, card in self.cards.items()}
        object.__setattr__(self, "cards", own)
