"""The training loop on painted packs: what it leaves, how it learns, how it goes on."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clocks import TickingClock
from masktrail.data.synth import Clips, ClipSettings
from masktrail.errors import InputError
from masktrail.families.memory.network import MemoryConfig, MemoryNetwork
from masktrail.losses import StepOutput
from masktrail.recipe import Recipe, Stage
from masktrail.train import loop, parallel
from masktrail.train.drawing import draw
from masktrail.train.loop import Pace, train
from masktrail.train.trainer import Step, Trainer, read_clock, schedule
from masktrail.zoo.weights import load_network, save_network
from painted_sets import pack_videos

CPU = torch.device("cpu")
MINUTES = 0.2
"""Four steps of a `TickingClock`."""


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", TickingClock())


def make_trainer(recipe: Recipe, out: Path, minutes: float = 60) -> Trainer:
    out.mkdir(exist_ok=True)
    return Trainer(recipe, minutes, out, CPU)


def draw_from(trainer: Trainer, stage: Stage) -> Clips:
    assert trainer.loader.sampler is not None
    return draw(trainer.loader.sampler, stage)


def learn(trainer: Trainer, steps: int) -> list[float]:
    module = Step(trainer.network, trainer.recipe.family)
    batches = islice(trainer.loader, steps)
    return [trainer.learn(module, clips, stage).loss.item() for stage, clips in batches]


def logged(out: Path) -> list[dict[str, float]]:
    with (out / "log.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(packs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished training."""
    recipe = Recipe(
        family="memory",
        model={"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8},
        stills=str(packs / "stills" / "pack"),
        videos=(str(packs / "videos" / "pack"),),
    )
    stage = replace(recipe.stages[0], batch=1, clips=replace(recipe.stages[0].clips, size=64))
    out = tmp_path_factory.mktemp("run") / "deeper" / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", TickingClock())
        train(replace(recipe, stages=(stage,)), MINUTES, out, device="cpu", pace=Pace(log=4))
    return out


def test_a_training_leaves_weights_logs_and_pictures(finished: Path) -> None:
    assert sorted(path.name for path in finished.iterdir()) == [
        "checkpoint.pt",
        "curves.png",
        "log.csv",
        "recipe.json",
        "sheet.png",
        "weights.safetensors",
    ]
    network, family = load_network(finished / "weights.safetensors")
    assert family == "memory" and isinstance(network, MemoryNetwork)
    assert all(p.isfinite().all() for p in network.parameters())
    assert json.loads((finished / "recipe.json").read_text())["model"]["key"] == 8
    for name in ("curves.png", "sheet.png"):
        with Image.open(finished / name) as image:
            image.load()


def test_the_log_ends_when_the_time_does(finished: Path) -> None:
    rows = logged(finished)
    assert list(rows[0]) == ["minutes", "step", "clips", "cross_entropy", "dice", "loading"]
    assert rows[0]["step"] == 1
    assert [row["step"] for row in rows] == [1, 3, 4], "every 4 seconds, and the last"
    assert [row["minutes"] for row in rows] == pytest.approx([0.05, 0.15, 0.2])
    assert all(row["clips"] == row["step"] for row in rows)


def test_saved_weights_are_the_averaged_ones(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(recipe, tmp_path / "out")
    learn(trainer, 3)
    trainer.save()
    network, _ = load_network(tmp_path / "out" / "weights.safetensors")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, trainer.average[name].half().float()), name
    live = trainer.network.state_dict()
    assert any(not torch.equal(trainer.average[name], live[name]) for name in live)


def test_the_average_follows_the_weights(recipe: Recipe, tmp_path: Path) -> None:
    """The decay rises as (1 + step) / (10 + step) up to the recipe's."""
    trainer = make_trainer(replace(recipe, ema=0.5), tmp_path / "out")
    name = "keys.key.bias"
    trainer.step = 0
    trainer.average[name].fill_(1)
    trainer.network.state_dict()[name].zero_()
    trainer._update_average()
    assert trainer.average[name][0].item() == pytest.approx(0.1)
    trainer.step = 1000
    trainer._update_average()
    assert trainer.average[name][0].item() == pytest.approx(0.05)


def test_one_clip_is_learned_by_heart(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(replace(recipe, warmup=0.0), tmp_path / "out")
    stage = trainer.recipe.stages[0]
    clips = draw_from(trainer, stage)
    while not clips.valid.all():
        clips = draw_from(trainer, stage)
    module = Step(trainer.network, "memory")
    losses = [trainer.learn(module, clips, stage).loss.item() for _ in range(30)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5]), losses


def test_resuming_continues_exactly(recipe: Recipe, tmp_path: Path) -> None:
    straight = make_trainer(recipe, tmp_path / "out")
    learn(straight, 3)
    straight.elapsed = 600.0
    straight.save()
    losses = learn(straight, 3)
    resumed = make_trainer(recipe, tmp_path / "out")
    resumed.resume()
    assert (resumed.elapsed, resumed.step, resumed.clips) == (600.0, 3, 3)
    assert resumed.progress == pytest.approx(1 / 6)
    assert learn(resumed, 3) == losses
    for name, tensor in straight.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], tensor), name
        assert torch.equal(resumed.average[name], straight.average[name]), name


def test_a_resumed_run_goes_on_in_log_and_clock(recipe: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    train(recipe, MINUTES / 2, out, device="cpu", pace=Pace(log=0))
    before = logged(out)
    train(recipe, MINUTES, out, resume=True, device="cpu", pace=Pace(log=0))
    after = logged(out)
    assert after[: len(before)] == before
    assert [row["step"] for row in after] == [1, 2, 3, 4]
    assert [row["clips"] for row in after] == [1, 2, 3, 4]
    assert [row["minutes"] for row in after] == pytest.approx([0.05, 0.1, 0.15, 0.2])


def test_a_run_whose_time_is_over_is_finished_at_once(recipe: Recipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    train(recipe, MINUTES, out, device="cpu", pace=Pace(log=0))
    before = logged(out)
    train(recipe, MINUTES, out, resume=True, device="cpu", pace=Pace(log=0))
    assert logged(out) == before
    load_network(out / "weights.safetensors")


def parameters(recipe: Recipe) -> list[str]:
    return [name for name, _ in MemoryNetwork(MemoryConfig(**recipe.model)).named_parameters()]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_training_is_replaced_only_if_that_is_asked_for(recipe: Recipe, tmp_path: Path) -> None:
    out, quick = tmp_path / "out", {"device": "cpu", "pace": Pace(log=0)}
    train(recipe, MINUTES / 2, out, **quick)
    before = contents(out)
    with pytest.raises(InputError, match=r"holds a training already \(log\.csv.*overwrite=True"):
        train(recipe, MINUTES / 2, out, **quick)
    assert contents(out) == before
    train(replace(recipe, seed=4), MINUTES / 2, out, overwrite=True, **quick)
    assert [row["step"] for row in logged(out)] == [1, 2], "a log of its own"
    assert contents(out)["weights.safetensors"] != before["weights.safetensors"]


def test_clips_that_cannot_be_drawn_are_refused_before_anything_is_replaced(
    recipe: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    train(recipe, MINUTES / 2, out, device="cpu")
    before, stage = contents(out), recipe.stages[0]
    long = replace(stage, real=0.5, clips=replace(stage.clips, frames=400))
    for clips in (long, replace(long, clips=replace(long.clips, plain=True))):
        with pytest.raises(InputError, match="400 frames"):
            train(replace(recipe, stages=(clips,)), 1, out, device="cpu", overwrite=True)
    assert contents(out) == before


def test_a_file_of_the_same_name_is_not_replaced_either(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("mine")
    with pytest.raises(InputError, match=r"holds a training already \(log\.csv\)"):
        train(recipe, MINUTES, tmp_path, device="cpu")
    assert contents(tmp_path) == {"log.csv": b"mine"}


def test_a_learning_rate_that_is_too_high_ends_with_the_last_finite_weights(
    recipe: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    fierce = replace(recipe, lr=1e30, warmup=0.0, clip_norm=1e30)
    with pytest.raises(InputError, match=r"diverged in step [0-9]+: .*smaller lr than 1e\+30"):
        train(fierce, 60, out, device="cpu", pace=Pace(log=0))
    network, _ = load_network(out / "weights.safetensors")
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())
    assert logged(out)[0]["step"] == 1


def test_averaged_weights_that_are_no_numbers_replace_none(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(recipe, tmp_path / "out")
    trainer.save()
    before = contents(tmp_path / "out")
    trainer.average["keys.key.bias"].fill_(float("nan"))
    trainer.save()
    assert trainer.diverged and contents(tmp_path / "out") == before


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_minutes_that_cannot_pass_are_refused_before_anything_else(
    recipe: Recipe, tmp_path: Path, minutes: float
) -> None:
    nothing = replace(recipe, stills=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="minutes; expected a number above 0"):
        train(nothing, minutes, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_steps_alone_may_end_a_training(recipe: Recipe, tmp_path: Path) -> None:
    train(replace(recipe, steps=2), float("inf"), tmp_path / "out", device="cpu", pace=Pace(log=0))
    assert logged(tmp_path / "out")[-1]["step"] == 2


def test_a_file_for_a_folder_is_refused_before_packs_are_opened(
    recipe: Recipe, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    nothing = replace(recipe, stills=str(tmp_path / "nowhere"))
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(InputError, match="file is a file; name a folder"):
            train(nothing, MINUTES, out, device="cpu")
    with pytest.raises(InputError, match=r"holds no checkpoint\.pt to resume from"):
        train(nothing, MINUTES, tmp_path / "out", resume=True, device="cpu")


@pytest.mark.parametrize("frozen", [("",), tuple("abcdefghijklmnopqrstuvwxyz")])
def test_a_recipe_that_freezes_all_is_refused(
    recipe: Recipe, tmp_path: Path, frozen: tuple[str, ...]
) -> None:
    prefixes = tuple(p for p in frozen if any(n.startswith(p) for n in parameters(recipe)))
    with pytest.raises(InputError, match="leaves no parameter to be trained"):
        make_trainer(replace(recipe, frozen=prefixes), tmp_path / "out")


def test_an_interruption_leaves_a_checkpoint_to_resume(
    recipe: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(share: float, row: dict[str, float]) -> None:
        if row["step"] == 3:
            raise KeyboardInterrupt

    weights = train(
        recipe, 60, tmp_path / "out", progress=interrupt, device="cpu", pace=Pace(log=0)
    )
    load_network(weights)
    assert "Ended early, after 0.1 of 60.0 minutes" in caplog.text
    resumed = make_trainer(recipe, tmp_path / "out")
    resumed.resume()
    assert resumed.step == 3
    assert 0 < resumed.progress < 1
    assert len(logged(tmp_path / "out")) == 3


def test_an_interruption_before_the_first_step_is_no_error(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Trainer, *how: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "learn", interrupted)
    train(recipe, 60, tmp_path / "out", device="cpu")
    assert (tmp_path / "out" / "checkpoint.pt").is_file()
    assert not (tmp_path / "out" / "curves.png").exists()


def test_ranks_draw_different_clips_also_after_resuming(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(rank: int, resume: bool) -> torch.Tensor:
        monkeypatch.setattr(parallel, "start", lambda device: (rank, device))
        trainer = make_trainer(recipe, tmp_path / "out")
        if resume:
            trainer.resume()
        return draw_from(trainer, recipe.stages[0]).images

    make_trainer(recipe, tmp_path / "out").save()
    images = [drawn(rank, resume) for rank, resume in ((0, False), (1, False), (1, True))]
    assert torch.equal(images[0], drawn(0, resume=True))
    assert torch.equal(images[1], drawn(1, resume=False))
    assert not torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


def test_what_came_from_imagenet_learns_gently_and_what_is_frozen_not(
    recipe: Recipe, tmp_path: Path
) -> None:
    init = tmp_path / "init.safetensors"
    save_network(init, MemoryNetwork(MemoryConfig(**recipe.model)), "memory", recipe.model)
    gentle = replace(recipe, init=str(init), frozen=("encoder.conv1", "encoder.layer1"))
    trainer = make_trainer(gentle, tmp_path / "out")
    named = dict(trainer.network.named_parameters())
    assert torch.equal(named["keys.key.weight"], load_network(init)[0].keys.key.weight)
    peaks = {id(p): g["peak"] for g in trainer.optimiser.param_groups for p in g["params"]}
    assert peaks[id(named["encoder.layer2.0.conv1.weight"])] == recipe.encoder_lr
    assert peaks[id(named["keys.key.weight"])] == recipe.lr
    frozen = [name for name, p in named.items() if not p.requires_grad]
    assert frozen == [n for n in named if n.startswith(("encoder.conv1", "encoder.layer1"))]
    assert not any(id(named[name]) in peaks for name in frozen)
    before = {name: p.detach().clone() for name, p in named.items()}
    learn(trainer, 2)
    still = {name for name, p in named.items() if torch.equal(p, before[name])}
    assert still == set(frozen)


def test_batches_follow_the_stage(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(recipe, tmp_path / "out")
    stage = replace(recipe.stages[0], batch=3, multiple=1.0, real=0.0)
    calls: list[str] = []
    for kind in ("stills_batch", "video_batch"):
        original: Callable[..., object] = getattr(trainer.loader.sampler, kind)

        def spied(*how: object, kind: str = kind, original: Callable = original) -> object:
            calls.append(kind)
            return original(*how)

        setattr(trainer.loader.sampler, kind, spied)
    assert draw_from(trainer, stage).masks.shape[:3] == (3, 2, 2)
    assert draw_from(trainer, replace(stage, multiple=0.0, real=1.0)).masks.shape[:3] == (3, 2, 1)
    assert calls == ["stills_batch", "video_batch"]
    calls.clear()
    for _ in range(60):
        draw_from(trainer, replace(stage, batch=1, real=0.5))
    assert 18 < calls.count("video_batch") < 42


@given(st.floats(0, 1), st.floats(0, 0.5))
def test_schedule_stays_between_0_and_1(progress: float, warmup: float) -> None:
    assert 0 <= schedule(progress, warmup) <= 1


def test_schedule_rises_then_falls_to_zero() -> None:
    assert schedule(0.1, 0.1) == 1
    assert schedule(0.05, 0.1) == pytest.approx(0.5, abs=0.01)
    assert schedule(0.55, 0.1) == pytest.approx(0.5)
    assert schedule(1, 0.1) == pytest.approx(0)
    assert schedule(0, 0) == 1
    assert schedule(0, 0.02) > 0, "the first step would be lost"
    rates = [schedule(k / 100, 0.1) for k in range(101)]
    assert rates == sorted(rates[:11]) + sorted(rates[11:], reverse=True)


def test_every_step_follows_the_schedule(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(recipe, tmp_path / "out")
    for progress in (0.01, 0.3, 0.9):
        trainer.elapsed = progress * trainer.seconds
        learn(trainer, 1)
        for group in trainer.optimiser.param_groups:
            assert group["lr"] == pytest.approx(group["peak"] * schedule(progress, recipe.warmup))


def test_workers_draw_for_a_run(recipe: Recipe, tmp_path: Path) -> None:
    train(replace(recipe, steps=2, workers=1), 10, tmp_path / "out", device="cpu")
    assert (tmp_path / "out" / "weights.safetensors").is_file()
    trainer = make_trainer(replace(recipe, workers=1), tmp_path / "out")
    trainer.resume()
    assert trainer.step == 2


def test_a_run_may_end_by_steps(recipe: Recipe, tmp_path: Path) -> None:
    train(replace(recipe, steps=3), 10, tmp_path / "out", device="cpu")
    rows = list(csv.DictReader((tmp_path / "out" / "log.csv").open()))
    assert rows[-1]["step"] == "3" and float(rows[-1]["minutes"]) < 5


def test_a_run_told_to_end_lets_its_rate_fall_first(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock ticks three times a step; told so after the first, the run has four more, by the
    rules of its last stage."""
    rates: list[float] = []
    stages: list[Stage] = []
    step = Trainer.learn

    def learned(trainer: Trainer, *how: Any) -> StepOutput:
        output = step(trainer, *how)
        rates.append(trainer.optimiser.param_groups[0]["lr"])
        stages.append(how[-1])
        return output

    monkeypatch.setattr(Trainer, "learn", learned)
    last = replace(recipe.stages[0], lr=1e-4)
    flat = replace(recipe, stages=(replace(last, until=0.9), last))
    train(flat, 600, tmp_path / "out", device="cpu", pace=Pace(wind_down=12), ending=lambda: True)
    assert rates == pytest.approx([1e-4, 1e-4, 0.75e-4, 0.5e-4, 0.25e-4])
    assert stages == [flat.stages[0], *[last] * 4]
    assert logged(tmp_path / "out")[-1]["step"] == 5
    assert read_clock(tmp_path / "out") == (15, 5, 5)
    load_network(tmp_path / "out" / "weights.safetensors")


@pytest.mark.parametrize("content", [None, b"", b"PK not a checkpoint"])
def test_a_folder_without_a_checkpoint_has_no_clock(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt is missing or damaged"):
        read_clock(tmp_path)


def test_a_stage_may_set_its_own_rate(recipe: Recipe, tmp_path: Path) -> None:
    trainer = make_trainer(replace(recipe, stages=(replace(recipe.stages[0], lr=1e-6),)), tmp_path)
    trainer.elapsed = 0.5 * trainer.seconds
    learn(trainer, 1)
    assert {group["lr"] for group in trainer.optimiser.param_groups} == {1e-6}


@pytest.mark.parametrize("family", ["unet", "siamese-unet"])
def test_networks_with_batch_norm_are_trained_averaged_and_saved(
    recipe: Recipe, tmp_path: Path, family: str
) -> None:
    clips = ClipSettings(size=32, frames=3, max_gap=1)
    narrow = replace(
        recipe, family=family, model={"width": 4}, stages=(Stage(batch=2, clips=clips),)
    )
    trainer = make_trainer(narrow, tmp_path)
    learn(trainer, 3)
    trainer.save()
    network, loaded = load_network(tmp_path / "weights.safetensors")
    assert loaded == family
    for name, value in network.state_dict().items():
        kept = trainer.average[name]
        assert torch.allclose(value.float(), kept.float(), atol=2e-3, rtol=2e-3), name
    fresh = make_trainer(narrow, tmp_path)
    fresh.resume()
    assert fresh.step == 3


@pytest.mark.parametrize("which", ["stills", "videos"])
def test_packs_with_validation_sequences_are_refused(
    recipe: Recipe, tmp_path: Path, which: str
) -> None:
    pack = str(pack_videos(tmp_path / "packs", ("bear", "dog"), frames=3))
    tainted = replace(recipe, **{which: pack if which == "stills" else (*recipe.videos, pack)})
    with pytest.raises(InputError, match=r"holds dog: DAVIS-2016 sequences on which"):
        train(tainted, MINUTES, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_refusals_come_before_anything_is_written(recipe: Recipe, tmp_path: Path) -> None:
    for minutes, wrong, words in (
        (0, recipe, "expected a number above 0"),
        (
            1,
            replace(recipe, family="telepathy"),
            "Nothing trains 'telepathy'; there is agunet, lucid, memory",
        ),
        (1, replace(recipe, stills="nowhere"), "not a complete packed data set"),
        (1, replace(recipe, init="nowhere"), "no model 'nowhere'"),
        (1, replace(recipe, frozen=("encoder.conv9",)), r"starts with encoder\.conv9"),
    ):
        with pytest.raises(InputError, match=words):
            train(wrong, minutes, tmp_path / "out", device="cpu")
    with pytest.raises(InputError, match="device 'abacus' is not available"):
        train(recipe, 1, tmp_path / "out", device="abacus")
    assert not (tmp_path / "out").exists()


def test_resuming_needs_a_checkpoint_of_the_same_recipe(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no checkpoint"):
        train(recipe, 1, tmp_path / "out", resume=True, device="cpu")
    make_trainer(recipe, tmp_path / "out").save()
    wider = replace(recipe, model={**recipe.model, "key": 16})
    with pytest.raises(InputError, match="damaged or of another recipe"):
        train(wider, 1, tmp_path / "out", resume=True, device="cpu")
    checkpoint = tmp_path / "out" / "checkpoint.pt"
    for content in (checkpoint.read_bytes()[:-300], b"abc", b""):
        checkpoint.write_bytes(content)
        with pytest.raises(InputError, match="damaged or of another recipe"):
            train(recipe, 1, tmp_path / "out", resume=True, device="cpu")


def test_the_optimiser_of_a_resumed_run_steps_as_its_device_does_best(
    recipe: Recipe, tmp_path: Path
) -> None:
    """Checkpoints of before, and of other devices, say otherwise."""
    trainer = make_trainer(recipe, tmp_path / "out")
    learn(trainer, 1)
    trainer.save()
    path = tmp_path / "out" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    for group in state["optimiser"]["param_groups"]:
        group["fused"] = None
    torch.save(state, path)
    resumed = make_trainer(recipe, tmp_path / "out")
    resumed.resume()
    assert all(group["fused"] for group in resumed.optimiser.param_groups)
    learn(resumed, 1)


PROCESS = """
import json, sys
from pathlib import Path
import torch
from masktrail.train import loop
from masktrail.train.reading import read_recipe
from masktrail.train.drawing import draw

out, run = Path(sys.argv[2]), loop._run

def spied(trainer, *how):
    run(trainer, *how)
    weights = {k: v.contiguous() for k, v in trainer.network.state_dict().items()}
    clips = draw(trainer.loader.sampler, trainer.recipe.stages[0]).images
    state = {"weights": weights, "average": trainer.average, "step": trainer.step, "clips": clips}
    torch.save(state, out.parent / f"rank{trainer.rank}.pt")

loop._run = spied
loop.train(read_recipe(sys.argv[1]), 1 / 60, out, device="cpu", pace=loop.Pace(log=0.1))
"""


@pytest.mark.slow
def test_two_processes_end_with_the_same_weights(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        'family = "memory"',
        f"model = {{ {', '.join(f'{k} = {v}' for k, v in recipe.model.items())} }}",
        f"stills = {recipe.stills!r}",
        f"videos = {list(recipe.videos)!r}",
        "[[stages]]",
        "batch = 1",
        "clips = { size = 64, frames = 2, max_gap = 2 }",
    ]
    (tmp_path / "recipe.toml").write_text("\n".join(lines))
    (tmp_path / "process.py").write_text(PROCESS)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, "--nproc-per-node", "2", "process.py", "recipe.toml", str(tmp_path / "o")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (torch.load(tmp_path / f"rank{r}.pt", weights_only=True) for r in (0, 1))
    assert one["step"] == two["step"] >= 1
    for kind in ("weights", "average"):
        for name, tensor in one[kind].items():
            assert torch.equal(tensor, two[kind][name]), (kind, name)
    assert not torch.equal(one["clips"], two["clips"])
    assert {row["step"] for row in logged(tmp_path / "o")} >= {1.0, float(one["step"])}
    load_network(tmp_path / "o" / "weights.safetensors")


def test_one_process_needs_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert parallel.start(CPU) == (0, CPU)
    module = torch.nn.Linear(1, 1)
    assert parallel.wrap(module, CPU) is module
    assert parallel.agree(2.5) == 2.5
    parallel.stop()
    assert loop.parallel is parallel
