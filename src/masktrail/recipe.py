"""What one published weight is made from: recipes, and what a family says of its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self, TypeVar

from masktrail.data.synth import ClipSettings

if TYPE_CHECKING:
    from torch import nn

    from masktrail.data.synth import Clips
    from masktrail.losses import StepOutput


S = TypeVar("S", bound="StepSettings")


@dataclass(frozen=True)
class StepSettings:
    """What a family's training step is told beside its clips.

    All fields have defaults and are of a type that a recipe's file can hold: bool, int, float, str,
    a `Literal`, a tuple of one of these, or None as well.
    """

    def problems(self) -> Iterator[str]:
        """What makes no sense though it has the right types, a sentence each."""
        yield from ()

    def unspoilt(self) -> Self:
        """The same for scoring: nothing that is given is made worse on purpose."""
        return self


@dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes:
        until: share of the whole time at which it ends; the last is 1.
        batch: clips per step and process.
        real: share of the steps that see real motion.
        dreams: share of the other steps, those that see photographs, whose clips are dreams of
            them; else these are set in motion as they are.
        multiple: share of the steps whose clips have two target slots.
        keep: share of the pixels the cross-entropy is averaged over, the hardest.
        lr: learning rate that holds all through the stage; 0 leaves it to the recipe's schedule.
        clips: how clips are drawn.
        own: what the family's training step is told besides; None: its defaults.
    """

    until: float = 1.0
    batch: int = 8
    real: float = 0.5
    dreams: float = 0.0
    multiple: float = 0.25
    keep: float = 0.25
    lr: float = 0.0
    clips: ClipSettings = field(default_factory=ClipSettings)
    own: StepSettings | None = None

    def settings_as(self, kind: type[S]) -> S:
        """What the step is told, of the family's own kind; its defaults where `own` is None."""
        settings = kind() if self.own is None else self.own
        assert isinstance(settings, kind)
        return settings


@dataclass(frozen=True)
class Recipe:
    """Everything needed to train a weight again.

    Attributes:
        family: name of what is trained.
        model: fields of the family's config.
        init: weights to start from: a safetensors file of the same network, or of its encoder.
        fresh: parameters whose names start so begin at random, whatever `init` holds of them.
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

    family: str = ""
    model: dict[str, Any] = field(default_factory=dict)
    init: str | None = None
    fresh: tuple[str, ...] = ()
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


@dataclass(frozen=True)
class Training:
    """How networks of a family are trained.

    Attributes:
        step: what one step computes, from a network, clips and the stage they were drawn for.
        settings: what stages tell the step besides; None: nothing.
        table: name of their table in the stages of a recipe's file.
        further: how a network that is trained already is trained on, on a user's own videos; None:
            not at all.
    """

    step: Callable[[nn.Module, Clips, Stage], StepOutput]
    settings: type[StepSettings] | None = None
    table: str = ""
    further: Recipe | None = None

    def __post_init__(self) -> None:
        if self.settings and (not self.table or self.table in {f.name for f in fields(Stage)}):
            raise ValueError(f"table = {self.table!r}; expected a name that stages do not have yet")
