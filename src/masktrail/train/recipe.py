"""What one published weight is made from: a TOML file, checked as it is read."""

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from masktrail.data.synth import ClipSettings
from masktrail.errors import InputError
from masktrail.losses import EMPTY_TARGETS, MASK_LOSSES
from masktrail.models import MODELS

T = TypeVar("T")


@dataclass(frozen=True)
class PairSettings:
    """What a U-Net that sees two frames and a mask is trained with, beside its clips.

    Attributes:
        loss: key of `losses.MASK_LOSSES`.
        empty: what becomes of Dice on empty targets, one of `losses.EMPTY_TARGETS`.
        teacher: share of the steps from frame to frame that go out from the true mask instead of
            the network's own.
        corrupt: share of the true masks so given that are bent, moved, thickened or thinned first.
    """

    loss: str = "bce+dice"
    empty: str = "bce"
    teacher: float = 0.0
    corrupt: float = 0.5


@dataclass(frozen=True)
class ClickSettings:
    """How objects are marked for a prompt network, beside its clips.

    Attributes:
        box: share of the objects that are first marked by a box.
        jitter: each side of it is moved by at most this share of its length.
        mask: share of the objects that have a mask already, a bad one that is to be corrected. All
            others are first marked by clicks.
        rounds: so many corrective clicks follow, in every step: processes wait for each other.
    """

    box: float = 0.45
    jitter: float = 0.08
    mask: float = 0.15
    rounds: int = 3


@dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes:
        until: share of the whole time at which it ends; the last is 1.
        batch: clips per step and process.
        real: share of the steps that see real motion.
        multiple: share of the steps whose clips have two target slots.
        keep: share of the pixels the cross-entropy is averaged over, the hardest.
        lr: learning rate that holds all through the stage; 0 leaves it to the recipe's schedule.
        clips: how clips are drawn.
        pair: what U-Nets need besides.
        click: what prompt networks need besides.
    """

    until: float = 1.0
    batch: int = 8
    real: float = 0.5
    multiple: float = 0.25
    keep: float = 0.25
    lr: float = 0.0
    clips: ClipSettings = field(default_factory=ClipSettings)
    pair: PairSettings = field(default_factory=PairSettings)
    click: ClickSettings = field(default_factory=ClickSettings)


@dataclass(frozen=True)
class Recipe:
    """Everything needed to train a weight again.

    Attributes:
        family: key of `models.MODELS`.
        model: fields of the family's config.
        init: weights to start from: a safetensors file of the same network, or of its encoder.
        stills: packed photographs; "" for none.
        videos: packed videos.
        held_out: packed videos that are not trained on, which the run is scored on from time to
            time, see `held_out.HeldOut`; "" for none.
        shares: how often each of them is drawn from, relative to the others; as often as it has
            frames, if empty.
        stages: in order.
        lr: peak learning rate.
        encoder_lr: the same for parameters that came from ImageNet.
        frozen: parameters whose names start so are not trained.
        weight_decay: of AdamW.
        warmup: share of the time in which the learning rate rises.
        clip_norm: gradients longer than this are shortened.
        ema: decay of the averaged weights, which are those that get saved.
        workers: processes that draw clips ahead on the CPU; 0 draws them in this one, which is
            best where the network runs on the same cores, or the packs lie on a GPU.
        steps: the run ends after so many, or when its minutes have passed, whichever comes first;
            0 leaves it to the minutes. Runs that are to be compared end by steps.
        seed: of weights and data.
    """

    family: str = "memory"
    model: dict[str, Any] = field(default_factory=dict)
    init: str | None = None
    stills: str = "packs/stills"
    videos: tuple[str, ...] = ("packs/davis2016-train", "packs/clips")
    held_out: str = ""
    shares: tuple[float, ...] = ()
    stages: tuple[Stage, ...] = (Stage(),)
    lr: float = 3e-4
    encoder_lr: float = 5e-5
    frozen: tuple[str, ...] = ()
    weight_decay: float = 0.01
    warmup: float = 0.02
    clip_norm: float = 3.0
    ema: float = 0.998
    workers: int = 0
    steps: int = 0
    seed: int = 0

    @property
    def trained_on(self) -> list[str]:
        """Folders of the packs that clips are drawn from, photographs first."""
        return [*([self.stills] if self.stills else []), *self.videos]

    @property
    def packs(self) -> list[str]:
        """Folders of all packs, that which the run is scored on last."""
        return [*self.trained_on, *([self.held_out] if self.held_out else [])]

    def stage(self, progress: float) -> Stage:
        """The stage in force after the share `progress` of the run."""
        return next((s for s in self.stages if progress < s.until), self.stages[-1])


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
    told = table.pop("stages", [{}])
    if not isinstance(told, list):
        raise InputError(f"{path}: stages = {told!r}; expected tables, each below [[stages]].")
    recipe = _fill(Recipe, table, path)
    recipe = replace(recipe, stages=tuple(_stage(stage, path) for stage in told))
    for problem in _problems(recipe):
        raise InputError(f"{path}: {problem}.")
    _fill(MODELS[recipe.family][1], recipe.model, path)
    return recipe


def _stage(table: Any, path: Path | str) -> Stage:
    parts = {"clips": ClipSettings, "pair": PairSettings, "click": ClickSettings}
    given = {name: table.pop(name, {}) for name in parts} if isinstance(table, dict) else {}
    stage = _fill(Stage, table, path)
    return replace(stage, **{name: _fill(parts[name], of, path) for name, of in given.items()})


def _fill(kind: type[T], table: Any, path: Path | str) -> T:
    """An instance of a dataclass whose fields all have defaults, with those of `table` replaced."""
    if not isinstance(table, dict):
        raise InputError(f"{path}: found {table!r} where the fields of {kind.__name__} belong.")
    defaults, hints = vars(kind()), get_type_hints(kind)
    unknown = sorted(set(table) - set(defaults))
    if unknown:
        raise InputError(
            f"{path}: unknown field {', '.join(unknown)}; "
            f"{kind.__name__} has {', '.join(defaults)}."
        )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise InputError(f"{path}: {name} = {value!r}; expected such as {defaults[name]!r}.")
    return kind(**values)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a field's type; numbers are finite, and none is negative."""
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(one, get_args(hint)[0]) for one in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    if hint is float:
        return isinstance(value, int | float) and 0 <= value < math.inf
    if hint is int:
        return isinstance(value, int) and 0 <= value < 2**63
    return isinstance(value, str)


def _problems(recipe: Recipe) -> Iterator[str]:
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
    if recipe.family not in MODELS:
        yield f"family = {recipe.family!r}; there are {', '.join(MODELS)}"
        return
    network = MODELS[recipe.family][0]
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
        if stage.real > 0 and not recipe.videos:
            yield "a stage wants real motion (`real` above 0) but `videos` is empty"
        if stage.real < 1 and not recipe.stills:
            yield "a stage wants photographs (`real` below 1) but `stills` is empty"
        if stage.pair.loss not in MASK_LOSSES or stage.pair.empty not in EMPTY_TARGETS:
            yield (
                f"loss = {stage.pair.loss!r}, empty = {stage.pair.empty!r}; expected one of "
                f"{', '.join(MASK_LOSSES)} and one of {', '.join(EMPTY_TARGETS)}"
            )
        if stage.click.box + stage.click.mask > 1:
            yield (
                f"box = {stage.click.box:g}, mask = {stage.click.mask:g}; expected shares that "
                "add up to 1 or less"
            )


def _no_shares(recipe: Recipe) -> Iterator[str]:
    """What is to be a share and is above 1, or 0 where nothing would be left."""
    shares = {"warmup": recipe.warmup, "ema": recipe.ema}
    for stage in recipe.stages:
        shares |= {name: getattr(stage, name) for name in ("real", "multiple", "keep")}
        shares |= {name: getattr(stage.clips, name) for name in ("paste", "tight", "small")}
        shares |= {name: getattr(stage.pair, name) for name in ("teacher", "corrupt")}
        for name, share in shares.items():
            if share > 1 or (name == "keep" and not share) or (name == "ema" and share == 1):
                yield f"{name} = {share:g}; expected a share of 1"
    if not recipe.clip_norm:
        yield "clip_norm = 0, which would leave nothing to learn; expected a length such as 3.0"
