"""What a propagator can be told besides its network: names, kinds, bounds, and values as text.

All of it follows from the propagator's own arguments: their defaults, and annotations such as
`Annotated[int, Range(1)]` or `Literal["frame", "square"]`.
"""

import math
import operator
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Literal, NamedTuple

from masktrail.errors import InputError

Precision = Literal["auto", "float", "bfloat16", "int8"]
EngineName = Literal["auto", "openvino", "onnxruntime", "torch"]
Edges = Literal["plain", "refined"]
"""What a model computes in, what computes it, and how its masks' edges are drawn."""


@dataclass(frozen=True)
class ModelOptions:
    """Which model is to be used, and how.

    Attributes:
        model: name in the zoo, folder that `masktrail train` made, or weights file.
        size: short side to work at, pixels; the model's own by default.
        device: "auto", "cpu", "cuda", ...
        precision: "float", "bfloat16", "int8", or "auto": what the processor is fast in.
        settings: the model's own, by name, see `zoo.settings_of`.
        edges: "plain", or "refined": drawn to those of the picture, see `masktrail.masks.edges`.
        engine: "openvino", "onnxruntime", "torch", or "auto", see `zoo.engines.make_engine`.
    """

    model: str | Path = "memory-s"
    size: int | None = None
    device: str = "auto"
    precision: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    edges: str = "plain"
    engine: str = "auto"


DEFAULTS = ModelOptions()

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?([eE][+-]?[0-9]{1,3})?")
"""Numbers as text."""


class Range(NamedTuple):
    """Of a number, both ends included; a whole one may have to be a multiple of `step`."""

    least: float
    most: float = math.inf
    step: int = 1

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, int | float)
        return (
            math.isfinite(value)
            and self.least <= value <= self.most
            and (self.step == 1 or value % self.step == 0)
        )

    def __str__(self) -> str:
        last = " or more" if self.most == math.inf else f" to {self.most:g}"
        return f"{self.least:g}{last}"


ANY = Range(-math.inf)
"""Every number."""


@dataclass(frozen=True)
class Setting:
    """One of a propagator's arguments.

    Attributes:
        name: of it.
        kind: of its values: bool, int, float or str.
        default: what it is where nothing else is said.
        choices: all values as text, of one that is a str or a bool.
        range: of one that is a number.
    """

    name: str
    kind: type
    default: Any
    choices: tuple[str, ...] = ()
    range: Range = ANY

    @property
    def expected(self) -> str:
        """What may be given for it."""
        if self.choices:
            return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        if self.range.step > 1:
            return f"a multiple of {self.range.step}, {self.range}"
        return f"a {'whole ' if self.kind is int else ''}number, {self.range}"

    def read(self, value: object) -> Any:
        """A value, given as it is or as text.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: it is none that may be given.
        """
        if self.kind is bool:
            return _truth(value)
        if self.choices:
            return self.choices[self.choices.index(str(value))]
        number = _number(value, self.kind)
        if number not in self.range:
            raise ValueError
        return number


def arguments_of(propagator: Callable[..., Any]) -> list[Setting]:
    """What a propagator's class can be told, in the order of its arguments."""
    hints = typing.get_type_hints(propagator.__init__, include_extras=True)
    return [
        _setting(name, hints[name], parameter.default)
        for name, parameter in signature(propagator).parameters.items()
        if parameter.default is not Parameter.empty
    ]


def checked(settings: Sequence[Setting], values: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The value of every setting: what is given, else the default.

    Args:
        settings: all settings.
        values: by name, values or text.
        model: who has them, for what is said.

    Raises:
        InputError: there is no such setting, a value is not possible, or they have no names.
    """
    values = by_name(values)
    names = {setting.name: setting for setting in settings}
    for name in values:
        if name not in names:
            has = f"it has {', '.join(names)}" if names else "it has none"
            raise InputError(f"The model {model} has no setting {name!r}; {has}.")
    result = {}
    for name, setting in names.items():
        try:
            result[name] = setting.read(values[name]) if name in values else setting.default
        except (ValueError, TypeError, OverflowError, KeyError):
            raise InputError(
                f"{name} = {values[name]!r} is not possible for the model {model}; expected "
                f"{setting.expected}."
            ) from None
    return result


def differing(settings: Sequence[Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, as `checked` returns them, that are not the defaults."""
    return {s.name: values[s.name] for s in settings if values[s.name] != s.default}


def format_settings(settings: Mapping[str, Any]) -> str:
    """Settings as NAME=VALUE, with spaces between."""
    return " ".join(f"{name}={text_of(value)}" for name, value in settings.items())


def text_of(value: object) -> str:
    """A value as it is written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def integer(value: object, what: str) -> int:
    """An integer of any library as one of Python.

    Raises:
        InputError: it is no integer; `what` says of what.
    """
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise InputError(f"The {what} {value!r} is no integer; give one, as 1.")


def check_text(value: object, name: str, example: str, *others: type) -> None:
    """Refuses what is no text where one is wanted.

    Args:
        value: what is given.
        name: of the keyword that it is given by.
        example: of what can be.
        others: what it may be instead.

    Raises:
        InputError: it is none of these.
    """
    if not isinstance(value, (str, *others)):
        raise InputError(f'{name}={value!r:.60} is no text; write {name}="{example}".')


def check_choice(value: object, choices: Sequence[str], what: str) -> None:
    """Refuses what is none of the names there are; `what` says of what.

    Raises:
        InputError: see above.
    """
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"No {what} {value!r}; there are {', '.join(choices)}.")


def by_name(settings: object) -> dict[str, Any]:
    """Settings that are given by name.

    Raises:
        InputError: they are not.
    """
    if not isinstance(settings, Mapping):
        raise InputError(
            f"settings={settings!r:.60} gives no values by name; write "
            'settings={"view": "square"}.'
        )
    return dict(settings)


def _setting(name: str, hint: Any, default: Any) -> Setting:
    if typing.get_origin(hint) is typing.Literal:
        return Setting(name, str, default, choices=typing.get_args(hint))
    if typing.get_origin(hint) is typing.Annotated:
        kind, bounds = typing.get_args(hint)
        return Setting(name, kind, default, range=bounds)
    return Setting(name, hint, default, choices=("true", "false") if hint is bool else ())


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[str(value).lower()]


def _number(value: object, kind: type) -> float:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        if not (WHOLE if kind is int else NUMBER).fullmatch(value):
            raise ValueError
        return kind(value)
    if kind is int:
        return operator.index(value)  # type: ignore[arg-type]
    return float(value)  # type: ignore[arg-type]
