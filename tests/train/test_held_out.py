"""Scores on videos that are not trained on."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from clocks import TickingClock
from masktrail.data.synth import Clips, ClipSettings
from masktrail.errors import InputError
from masktrail.families import KNOWN, create, training_of
from masktrail.families import family as family_of
from masktrail.families.memory.network import MemoryNetwork
from masktrail.families.unet.training import PairSettings
from masktrail.losses import StepOutput
from masktrail.recipe import Recipe, Stage
from masktrail.train import held_out, loop
from masktrail.train.drawing import open_packs
from masktrail.train.held_out import HeldOut
from masktrail.train.loop import Pace, train
from painted_sets import pack_videos
from small_networks import MODELS, SPOILT

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pack of videos that the recipe does not train on."""
    return str(pack_videos(tmp_path_factory.mktemp("apart"), ("up", "down"), frames=5))


@pytest.fixture
def scored(recipe: Recipe, apart: str, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setattr(held_out, "CLIPS", 4)
    monkeypatch.setattr(held_out, "BATCH", 2)
    return replace(recipe, held_out=apart)


def answering(monkeypatch: pytest.MonkeyPatch, name: str, step: Any) -> None:
    """Gives a family another step."""
    training = replace(training_of(name), step=step)
    monkeypatch.setitem(KNOWN, name, replace(family_of(name), training=lambda: training))


def answer(monkeypatch: pytest.MonkeyPatch, family: str, masks: Any) -> list[Stage]:
    """Lets the step of a family answer with `masks(clips)`; the stages that it is given."""
    stages: list[Stage] = []

    def step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
        assert not network.training and not torch.is_grad_enabled()
        stages.append(stage)
        return StepOutput(torch.zeros(()), {}, masks(clips))

    answering(monkeypatch, family, step)
    return stages


def test_true_masks_have_one_and_none_have_nothing(
    scored: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = create("memory", **scored.model)
    answer(monkeypatch, "memory", lambda clips: clips.masks[:, 1:])
    assert HeldOut(scored, CPU).score(network)["IoU"] == 1
    answer(monkeypatch, "memory", lambda clips: 0.4 * clips.masks[:, 1:])
    assert HeldOut(scored, CPU).score(network)["IoU"] == 0


def test_half_of_an_object_has_a_half(scored: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what is not the object counts."""

    def twice(clips: Clips) -> torch.Tensor:
        found = clips.masks[:, 1:].clone()
        for mask in found.flatten(0, 2):
            count = int(mask.sum())
            free = (mask.flatten() == 0).nonzero()[:count, 0]
            mask.view(-1)[free] = 1
        return found

    answer(monkeypatch, "memory", twice)
    score = HeldOut(scored, CPU).score(create("memory", **scored.model))
    assert score["IoU"] == pytest.approx(0.5, abs=0.02)


def test_losses_are_means_over_all_clips(scored: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([1.0, 4.0])

    def step(network: nn.Module, clips: Clips, stage: Stage) -> StepOutput:
        parts = {"dice": torch.tensor(next(losses)), "cross_entropy": torch.tensor(2.0)}
        return StepOutput(torch.zeros(()), parts, clips.masks[:, 1:])

    answering(monkeypatch, "memory", step)
    score = HeldOut(scored, CPU).score(nn.Identity())
    assert score == {"IoU": 1, "dice": 2.5, "cross_entropy": 2}


def test_of_clicks_the_last_mask_counts(scored: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    one = replace(scored.stages[0].clips, frames=1)
    prompt = replace(scored, family="prompt", stages=(replace(scored.stages[0], clips=one),))
    answer(monkeypatch, "prompt", lambda clips: torch.cat([0 * clips.masks, clips.masks], 1))
    assert HeldOut(prompt, CPU).score(nn.Identity())["IoU"] == 1
    answer(monkeypatch, "prompt", lambda clips: torch.cat([clips.masks, 0 * clips.masks], 1))
    assert HeldOut(prompt, CPU).score(nn.Identity())["IoU"] == 0


@pytest.mark.parametrize("family", sorted(MODELS))
def test_the_same_network_has_the_same_score(scored: Recipe, family: str) -> None:
    """Whatever was drawn before; and what is drawn afterwards does not change."""
    frames = 1 if family == "prompt" else 3
    last = Stage(
        clips=ClipSettings(size=96, frames=frames, paste=1.0, far=3, max_gap=1, small=1.0),
        own=SPOILT.get(family),
    )
    recipe = replace(scored, family=family, model=MODELS[family], stages=(last,))
    torch.manual_seed(1)
    network, held = create(family, **recipe.model), HeldOut(recipe, CPU)
    state = torch.get_rng_state()
    first = held.score(network)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert held.score(network) == HeldOut(recipe, CPU).score(network) == first
    assert 0 <= first.pop("IoU") <= 1
    assert first and all(loss > 0 for loss in first.values())


def test_clips_are_as_they_are_in_their_videos(
    scored: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = ClipSettings(size=64, frames=2, paste=0.5, far=3, small=0.5, objects=2, real_motion=1.0)
    last = Stage(clips=clips, own=PairSettings(corrupt=0.7, teacher=0.5))
    stages = answer(monkeypatch, "unet", lambda clips: clips.masks[:, 1:])
    pairs = replace(scored, family="unet", stages=(*scored.stages, last))
    HeldOut(pairs, CPU).score(nn.Identity())
    assert len(stages) == 2
    seen = stages[0]
    assert (seen.clips.size, seen.clips.frames, seen.clips.objects) == (64, 2, 1)
    assert seen.clips.paste == seen.clips.far == seen.clips.small == seen.clips.real_motion == 0
    assert seen.own == PairSettings(corrupt=0.0, teacher=0.0)


def test_a_run_is_scored_at_its_beginning_all_the_time_and_at_its_end(
    scored: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes three seconds of the clock, a minute has 20; the averaged weights count."""
    monkeypatch.setattr(loop, "time", TickingClock())
    networks: list[nn.Module] = []

    def score(held: HeldOut, network: nn.Module) -> dict[str, float]:
        networks.append(network)
        return {"IoU": len(networks) / 10, "dice": 1 - len(networks) / 10}

    monkeypatch.setattr(HeldOut, "score", score)
    out = tmp_path / "out"
    train(scored, 1, out, device="cpu", pace=Pace(score=24))
    with (out / "scores.csv").open(newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert [row["held_out_IoU"] for row in rows] == [0.1, 0.2, 0.3, 0.4]
    assert [row["held_out_dice"] for row in rows] == [0.9, 0.8, 0.7, 0.6]
    assert [row["step"] for row in rows] == [0, 9, 18, 20]
    assert [row["minutes"] for row in rows] == pytest.approx([0, 0.45, 0.9, 1])
    first, *_, last = networks
    assert isinstance(last, MemoryNetwork)
    weight = next(iter(dict(last.named_parameters())))
    assert not torch.equal(first.get_parameter(weight), last.get_parameter(weight))
    train(scored, 2, out, resume=True, device="cpu", pace=Pace(score=24))
    assert len((out / "scores.csv").read_text().splitlines()) > 5, "it goes on"
    train(scored, 0.1, out, device="cpu", overwrite=True)
    assert len((out / "scores.csv").read_text().splitlines()) == 3, "another run, another table"


def test_without_a_held_out_pack_there_are_no_scores(recipe: Recipe, tmp_path: Path) -> None:
    train(replace(recipe, steps=1), 1, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out" / "scores.csv").exists()


def test_packs_that_cannot_be_scored_on_are_refused(scored: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a complete packed data set"):
        HeldOut(replace(scored, held_out=str(tmp_path)), CPU)
    tuning = pack_videos(tmp_path, ("dance-jump",), frames=3)
    with pytest.raises(InputError, match="holds dance-jump"):
        HeldOut(replace(scored, held_out=str(tuning)), CPU)


def test_a_pack_that_is_open_is_not_opened_again(scored: Recipe) -> None:
    packs = open_packs([scored.held_out], CPU)
    elsewhere = replace(scored, held_out="nowhere")
    held = HeldOut(elsewhere, CPU, {"nowhere": packs[scored.held_out]})
    assert held._sampler.videos == [packs[scored.held_out]]
