"""Drawing and learning leave pixels where the pack lies, and never wait for it."""

from pathlib import Path

import pytest
import torch

from device_only import device_only
from masktrail.data.synth import ClipSettings
from masktrail.families import trained
from masktrail.recipe import Recipe, Stage
from masktrail.train.drawing import draw
from masktrail.train.log import LossTable
from masktrail.train.trainer import Step, Trainer
from small_networks import MODELS, SPOILT

META = torch.device("meta")


@pytest.mark.parametrize("kind", ["stills", "videos", "plain"])
@pytest.mark.parametrize("family", trained())
def test_no_pixel_is_on_the_cpu_and_no_step_waits(
    packs: Path, tmp_path: Path, family: str, kind: str
) -> None:
    plain = kind == "plain"
    clips = ClipSettings(
        size=64 if plain else 96, frames=3, paste=0.7, tight=0.5, small=0.3, far=4, plain=plain
    )
    stage = Stage(
        batch=4,
        real=float(kind != "stills"),
        multiple=0.5,
        clips=clips,
        own=SPOILT.get(family),
    )
    recipe = Recipe(
        family=family,
        model=MODELS[family],
        stills=str(packs / "stills" / "pack"),
        videos=(str(packs / "videos" / "pack"),),
        stages=(stage,),
    )
    trainer = Trainer(recipe, 1, tmp_path, META)
    module, table = Step(trainer.network, family), LossTable(tmp_path / "log.csv")
    assert trainer.loader.sampler is not None
    with device_only():
        for _ in range(4):  # of one target and of two
            drawn = draw(trainer.loader.sampler, stage)
            output = trainer.learn(module, drawn, stage)
            table.add({name: part.detach() for name, part in output.parts.items()})
    assert trainer.step == 4
    for tensor in (*drawn.tensors().values(), *output.parts.values(), output.masks):
        assert tensor.device == META
