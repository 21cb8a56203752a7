"""Recipes from TOML files, checked as they are read."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.families import parts_of, trained, training_of
from masktrail.recipe import Recipe, Stage, Training

T = TypeVar("T")


def read_recipe(path: Path | str) -> Recipe:
    """Reads a recipe.

    Raises:
        InputError: the file is missing, is no TOML, or holds a field that recipes do not have or
            a value that makes no sense.
    """
    try:
        table = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is not a TOML file: {error}.") from error
    stages = table.pop("stages", [{}])
    if not isinstance(stages, list):
        raise InputError(f"{path}: stages = {stages!r}; expected tables, each below [[stages]].")
    recipe = _fill(Recipe, table, path)
    if recipe.family not in trained():
        message = f"family = {recipe.family!r}" if recipe.family else "no family is named"
        raise InputError(f"{path}: {message}; there are {', '.join(trained())}.")
    training = training_of(recipe.family)
    recipe = replace(recipe, stages=tuple(_stage(stage, training, path) for stage in stages))
    for problem in problems(recipe):
        raise InputError(f"{path}: {problem}.")
    _fill(parts_of(recipe.family)[1], recipe.model, path)
    return recipe


def _stage(table: Any, training: Training, path: Path | str) -> Stage:
    """A stage whose clips, and what its family's step is told, have tables of their own."""
    inner = table if isinstance(table, dict) else {}
    clips = _fill(ClipSettings, inner.pop("clips", {}), path)
    settings = None
    if training.settings:
        settings = _fill(training.settings, inner.pop(training.table, {}), path)
    stage = _fill(Stage, table, path, {"clips": "clips", "own": training.table})
    return replace(stage, clips=clips, own=settings)


def _fill(
    kind: type[T], table: Any, path: Path | str, tables: Mapping[str, str] = MappingProxyType({})
) -> T:
    """An instance of a dataclass whose fields all have defaults, with those of `table` replaced.

    Args:
        kind: the dataclass.
        table: values by field.
        path: of the file, for what is said.
        tables: fields that are no values but tables, read by someone else, to the names of these;
            an empty name is of one that this file cannot have.
    """
    if not isinstance(table, dict):
        raise InputError(f"{path}: found {table!r} where the fields of {kind.__name__} belong.")
    defaults, hints = vars(kind()), get_type_hints(kind)
    unknown = sorted(set(table) - (set(defaults) - set(tables)))
    if unknown:
        fields = filter(None, (tables.get(name, name) for name in defaults))
        raise InputError(
            f"{path}: unknown field {', '.join(unknown)}; {kind.__name__} has {', '.join(fields)}."
        )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise InputError(f"{path}: {name} = {value!r}; expected such as {defaults[name]!r}.")
    return kind(**values)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a field's type; numbers are finite, and none is negative."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        if not isinstance(value, tuple) or (kinds[-1] is not Ellipsis and len(value) != len(kinds)):
            return False
        return all(_fits(item, kinds[0]) for item in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    if hint is float:
        return isinstance(value, int | float) and 0 <= value < math.inf
    if hint is int:
        return isinstance(value, int) and 0 <= value < 2**63
    return hint is str and isinstance(value, str)


def problems(recipe: Recipe) -> Iterator[str]:
    """What a recipe of the right fields and types still gets wrong, a sentence each."""
    yield from _no_shares(recipe)
    ends = [stage.until for stage in recipe.stages]
    if not ends or sorted(set(ends)) != ends or ends[-1] != 1:
        yield f"stages end (`until`) at {ends}; expected ascending shares, the last 1"
    if recipe.shares and (len(recipe.shares) != len(recipe.videos) or min(recipe.shares) <= 0):
        yield f"shares = {list(recipe.shares)}; expected one above 0 for each of `videos`"
    if recipe.held_out in recipe.videos:
        yield f"held_out = {recipe.held_out!r}, which is one of `videos` as well"
    for name, value in recipe.model.items():
        if type(value) is int and value == 0:
            yield f"{name} = {value}; expected 1 or more"
    network, _ = parts_of(recipe.family)
    stride, frames = getattr(network, "stride", 1), getattr(network, "frames", 2)
    for stage in recipe.stages:
        if stage.clips.size < stride or stage.clips.size % stride:
            yield f"clips of size {stage.clips.size}; expected a multiple of {stride}"
        if stage.clips.frames < frames or stage.batch < 1:
            yield (
                f"{stage.batch} clips of {stage.clips.frames} frames; expected 1 of {frames} or "
                "more"
            )
        if stage.clips.max_gap < 1 or stage.clips.objects < 1:
            yield (
                f"max_gap = {stage.clips.max_gap}, objects = {stage.clips.objects}; expected 1 or "
                "more of each"
            )
        low, high = stage.clips.room
        if not 1 <= low <= high:
            yield f"room = {[low, high]}; expected two numbers of 1 or more, the smaller one first"
        if stage.real > 0 and not recipe.videos:
            yield "a stage wants real motion (`real` above 0) but `videos` is empty"
        if stage.real < 1 and not recipe.stills:
            yield "a stage wants photographs (`real` below 1) but `stills` is empty"
        if stage.own is not None:
            yield from stage.own.problems()


def _no_shares(recipe: Recipe) -> Iterator[str]:
    """What is to be a share and is above 1, or 0 where nothing would be left."""
    shares = {"warmup": recipe.warmup, "ema": recipe.ema}
    for stage in recipe.stages:
        shares |= {name: getattr(stage, name) for name in ("real", "dreams", "multiple", "keep")}
        shares |= {name: getattr(stage.clips, name) for name in ("paste", "tight", "small")}
        for name, share in shares.items():
            if share > 1 or (name == "keep" and not share) or (name == "ema" and share == 1):
                yield f"{name} = {share:g}; expected a share of 1"
    if not recipe.clip_norm:
        yield "clip_norm = 0, which would leave nothing to learn; expected a length such as 3.0"
