"""Families of models, one paper per folder, found by name and imported when they are used.

A package of others adds one by an entry point of the group `masktrail.families`: its name is the
family's, its value a `tracking.family.Family`.
"""

import logging
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from masktrail.errors import InputError
from masktrail.tracking.family import Family, remedy

if TYPE_CHECKING:
    from torch import nn

    from masktrail.recipe import Training

GROUP = "masktrail.families"

KNOWN: dict[str, Family] = {}
"""Those that were asked for so far, by name."""

REFUSED: dict[str, InputError] = {}
"""Why some of other packages cannot be used, by name."""

log = logging.getLogger(__name__)


def family(name: str) -> Family:
    """The family of a name.

    Raises:
        KeyError: there is none.
        InputError: it is of another package and cannot be used.
    """
    if name in REFUSED:
        raise REFUSED[name]
    if name not in KNOWN:
        KNOWN[name] = import_module(_own()[name]).FAMILY if name in _own() else _added(name)
    return KNOWN[name]


def names() -> list[str]:
    """Names of all families, ours before those of other packages."""
    return [*_own(), *_others()]


def families() -> list[Family]:
    """All families but those of other packages that cannot be used; of these a warning tells."""
    usable = []
    for name in names():
        with suppress(InputError):
            usable.append(family(name))
    return usable


def trained() -> list[str]:
    """Names of those that can be trained."""
    return [each.name for each in families() if each.training]


def training_of(name: str) -> "Training":
    """How networks of the family `name` are trained.

    Raises:
        InputError: nothing trains them, or what does cannot be used.
    """
    if name not in trained():
        raise InputError(f"Nothing trains {name!r}; there is {', '.join(trained())}.")
    row = family(name).training
    assert row is not None
    training: Training = row()
    return training


def create(name: str, **config: Any) -> "nn.Module":
    """A network of the family `name` with fresh weights.

    Args:
        name: of the family.
        config: fields of its config class.

    Raises:
        KeyError: there is no such family, or it has no network.
        TypeError: a field that its config does not have.
    """
    network, settings = parts_of(name)
    return network(settings(**config))


def parts_of(name: str) -> tuple[type["nn.Module"], type]:
    """Class of the networks of the family `name`, and of their configs.

    Raises:
        KeyError: there is no such family, or it has no network.
    """
    entry = family(name)
    if entry.network is None or entry.config is None:
        raise KeyError(name)
    return entry.network(), entry.config()


@cache
def _own() -> dict[str, str]:
    """Modules of the families in this folder, by name."""
    packages = [module.name for module in iter_modules(__path__) if module.ispkg]
    return {package.replace("_", "-"): f"{__name__}.{package}" for package in packages}


@cache
def _others() -> dict[str, EntryPoint]:
    """What other packages add, by name; nobody takes a name that there is."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in _own() or point.name in points:
            log.warning(
                "The family %r of %s is not used: there is one of that name.",
                point.name,
                point.value,
            )
        else:
            points[point.name] = point
    return points


def _added(name: str) -> Family:
    """A family of another package."""
    point = _others()[name]
    try:
        added = point.load()
        if not isinstance(added, Family) or added.name != name:
            raise TypeError(f"expected a Family of that name, found {added!r}")
    except Exception as error:
        REFUSED[name] = InputError(
            f"The family {name!r} of {point.value} cannot be used: {error}. "
            f"{remedy(error, point.module)}"
        )
        log.warning("%s", REFUSED[name])
        raise REFUSED[name] from error
    return added
