"""A network in training: its optimiser, its averaged weights, its clock, its checkpoints."""

import math
import pickle
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from masktrail.data.pack import Pack
from masktrail.data.synth import Clips, ClipSampler
from masktrail.devices import fast_autocast
from masktrail.errors import InputError
from masktrail.families import create, training_of
from masktrail.files import replacing
from masktrail.losses import StepOutput
from masktrail.recipe import Recipe, Stage
from masktrail.train import parallel
from masktrail.train.drawing import draw, open_sampler
from masktrail.train.held_out import HeldOut
from masktrail.train.loading import Loader
from masktrail.zoo import weights_path
from masktrail.zoo.weights import initialise, save_network

CHECKPOINT = "checkpoint.pt"
FUSED = ("cpu", "cuda")
"""Devices on which AdamW can step in one pass over all weights."""

DAMAGED = (OSError, EOFError, pickle.UnpicklingError)


class Clock(NamedTuple):
    """How much training there has been: seconds, steps of the optimiser, clips of this process."""

    seconds: float
    steps: int
    clips: int


class Step(nn.Module):
    """One training step as a module, so that it can be spread over processes."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network = network
        self._compute = training_of(name).step

    def forward(self, clips: Clips, stage: Stage) -> StepOutput:
        return self._compute(self.network, clips, stage)


class Trainer:
    """A network in training, its optimiser, its averaged weights and its clock.

    Args:
        recipe: what to train, on what.
        minutes: how long in all, what was trained before a resumption included.
        out: folder for what `save` writes.
        device: where to train.
        packs: those of the recipe's that are open already, by folder. Worker processes, if the
            recipe wants them, open their own.

    Raises:
        InputError: the recipe's weights or packs cannot be used, or a pack holds a sequence that
            models are measured on.
    """

    def __init__(
        self,
        recipe: Recipe,
        minutes: float,
        out: Path,
        device: torch.device,
        packs: Mapping[str, Pack] | None = None,
    ) -> None:
        check_minutes(minutes, recipe)
        training_of(recipe.family)  # refuses what nothing trains
        self.recipe, self.seconds, self.out = recipe, minutes * 60, out
        self.rank, self.device = parallel.start(device)
        torch.manual_seed(recipe.seed)
        network = create(recipe.family, **recipe.model)
        pretrained: set[str] = set()
        if recipe.init:
            pretrained |= set(initialise(network, _file_of(recipe.init), recipe.fresh))
        _freeze(network, recipe.frozen)
        self.network = network.to(  # type: ignore[call-overload]  # missing in torch's stubs
            self.device, memory_format=torch.channels_last
        )
        self._state = {k: v.detach() for k, v in self.network.state_dict().items()}
        self.average = {k: v.clone() for k, v in self._state.items()}
        self.optimiser = _optimiser(self.network, recipe, pretrained)
        self.elapsed, self.step, self.clips = 0.0, 0, 0
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        scored = recipe.held_out and self.rank == 0
        self._held_out = HeldOut(recipe, self.device, packs) if scored else None
        self._winding_down: tuple[float, float] | None = None  # since when, for how long
        # worker processes stay off the GPU and hand over what they drew
        source, ready = (torch.device("cpu"), None) if recipe.workers else (self.device, packs)
        self.loader: Loader[ClipSampler] = Loader(
            partial(open_sampler, recipe, source, packs=ready),
            draw,
            recipe,
            recipe.workers,
            self.rank,
            self.device,
        )

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0 to 1: of its minutes or of its steps."""
        steps = self.step / self.recipe.steps if self.recipe.steps else 0.0
        return min(1.0, max(self.elapsed / self.seconds, steps))

    @property
    def phase(self) -> float:
        """Share of the run that decides its stage: a run that winds down is in its last."""
        return self.progress if self._winding_down is None else 1.0

    @property
    def over(self) -> bool:
        """Whether the run has come to its end, by its time, by its steps or by `wind_down`."""
        return self.progress >= 1 or self._fade() <= 0

    def wind_down(self, seconds: float) -> None:
        """Ends the run within so many seconds, the learning rate falling to zero meanwhile.

        What ends abruptly at a high rate is worth less than what was learned; this keeps it. Once
        begun, further calls change nothing.
        """
        if self._winding_down is None:
            self._winding_down = (self.elapsed, seconds)

    def _fade(self) -> float:
        """What `wind_down` has left of the learning rate, 1 to 0."""
        if self._winding_down is None:
            return 1.0
        since, seconds = self._winding_down
        return max(0.0, 1 - (self.elapsed - since) / seconds)

    def learn(self, module: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
        """One step of the optimiser and of the averaged weights."""
        for group in self.optimiser.param_groups:
            share = schedule(self.progress, self.recipe.warmup)
            group["lr"] = (stage.lr or group["peak"] * share) * self._fade()
        with fast_autocast(self.device):
            output: StepOutput = module(clips, stage)
        self.optimiser.zero_grad(set_to_none=True)
        output.loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self._finite = self._finite & norm.isfinite()
        if self.device.type == "cpu" and self.diverged:  # a GPU is not waited for
            return output
        self.optimiser.step()
        self.step += 1
        self.clips += len(clips.images)
        self._update_average()
        return output

    @property
    def diverged(self) -> bool:
        """Whether a step's gradients were no finite numbers: nothing can be learned any more.

        On the CPU the weights are still those of the step before; on a GPU, which has to be waited
        for to know, what was saved last is.
        """
        return not bool(self._finite)

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        moving = [name for name, value in self._state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.average[name] for name in moving],
            [self._state[name] for name in moving],
            1 - decay,
        )
        for name in self._state.keys() - moving:  # batch norm's counts of batches
            self.average[name].copy_(self._state[name])

    def save(self) -> None:
        """Writes `checkpoint.pt` to go on from and `weights.safetensors`, the averaged weights;
        those that are no finite numbers replace none that are."""
        if not all(bool(value.isfinite().all()) for value in self.average.values()):
            self._finite = self._finite & False
            return
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "random": self.loader.random,
            "clock": list(Clock(self.elapsed, self.step, self.clips)),
        }
        with replacing(self.out / CHECKPOINT) as part:
            torch.save(state, part)
        weights = self.out / "weights.safetensors"
        save_network(weights, self._averaged(), self.recipe.family, self.recipe.model)

    def score(self) -> dict[str, float]:
        """Of the averaged weights on the recipe's held-out pack, see `HeldOut.score`; nothing where
        it names none."""
        if self._held_out is None:
            return {}
        return self._held_out.score(self._averaged().to(self.device))

    def _averaged(self) -> nn.Module:
        network = create(self.recipe.family, **self.recipe.model)
        network.load_state_dict(self.average)
        return network

    def resume(self) -> None:
        """Goes on from `checkpoint.pt`.

        Raises:
            InputError: there is none, or it is of another recipe.
        """
        path = checkpoint_of(self.out)
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            for group in state["optimiser"]["param_groups"]:
                group["fused"] = self.optimiser.defaults["fused"]  # of this device, not of that one
            self.optimiser.load_state_dict(state["optimiser"])
        except (*DAMAGED, LookupError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{path} is damaged or of another recipe: {error}. Train into another folder."
            ) from error
        self.average = state["average"]
        self.elapsed, self.step, self.clips = state["clock"]
        # the checkpoint knows rank 0's alone, and no two ranks may draw the same clips
        self.loader.resume(self.step, state["random"] if self.rank == 0 else None)


def checkpoint_of(folder: Path) -> Path:
    """The checkpoint in the folder of a training.

    Raises:
        InputError: there is none.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise InputError(
            f"{folder} holds no {CHECKPOINT} to resume from; train from the beginning."
        )
    return path


def read_clock(folder: Path) -> Clock:
    """How much training is behind the checkpoint in a folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    try:
        return Clock(*torch.load(path, "cpu", mmap=True, weights_only=True)["clock"])
    except (*DAMAGED, LookupError, TypeError, RuntimeError) as error:
        raise InputError(f"{path} is missing or damaged: {error}.") from error


def check_minutes(minutes: float, recipe: Recipe) -> None:
    """Refuses to train for ever, or not at all.

    Raises:
        InputError: the minutes are not above 0, or without end and the recipe has no steps.
    """
    if not minutes > 0 or (math.isinf(minutes) and not recipe.steps):
        raise InputError(f"Training for {minutes:g} minutes; expected a number above 0, as 30.")


def _file_of(init: str) -> Path:
    """The weights file that a recipe names, or that of a model or training folder it names."""
    path = weights_path(init)
    if path is None:
        raise InputError(f"init = {init!r} is a model without weights to start from.")
    return path


def schedule(progress: float, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine to zero."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def _freeze(network: nn.Module, prefixes: tuple[str, ...]) -> None:
    names = [name for name, _ in network.named_parameters()]
    strange = [prefix for prefix in prefixes if not any(n.startswith(prefix) for n in names)]
    if strange:
        raise InputError(f"No parameter to be frozen starts with {', '.join(strange)}.")
    if all(name.startswith(prefixes) for name in names):
        raise InputError(f"frozen = {list(prefixes)} leaves no parameter to be trained.")
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith(prefixes)


def _optimiser(network: nn.Module, recipe: Recipe, pretrained: set[str]) -> torch.optim.AdamW:
    gentle = {n for n in pretrained if n.startswith("encoder.")}
    groups: dict[float, list[nn.Parameter]] = {recipe.lr: [], recipe.encoder_lr: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[recipe.encoder_lr if name in gentle else recipe.lr].append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "peak": lr, "lr": lr} for lr, p in groups.items() if p],
        weight_decay=recipe.weight_decay,
        fused=next(network.parameters()).device.type in FUSED,
    )
