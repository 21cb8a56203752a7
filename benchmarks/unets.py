"""The report's claim and the ablations it tells of: variants trained alike and scored alike.

    python benchmarks/unets.py --data DAVIS2016_TRAIN     # all, on the tuning sequences
    python benchmarks/unets.py --data DEV10 --sequences all --only unet,siamese-unet,imagenet

Every variant is trained from random weights (but for `imagenet`) on clips of equal size, batch and
data, by `recipes/unets.toml`; see `variants`.
"""

from typing import Any

from masktrail.recipe import Recipe
from variants import Table, Variant, compare

BASE, TWIN = "siamese-unet", "seed"

UNET = {"family": "unet", "model": {"dropout": 0.1}}

VARIANTS = (
    Variant(BASE, "VGG11, average, BCE + Dice, 128 px, batch 4, 8e-4"),
    Variant(TWIN, "another seed", BASE, {"seed": 101}),
    Variant("unet", "the report's U-Net", BASE, UNET),
    Variant("classic", "U-Net as it was published", "unet", {"model.variant": "classic"}),
    Variant("imagenet", "VGG11 from an ImageNet VGG-16", BASE, {"init": "packs/vgg16.safetensors"}),
    Variant("max", "maximum of both branches", BASE, {"model.fusion": "max"}),
    Variant("min", "minimum of both branches", BASE, {"model.fusion": "min"}),
    Variant("vgg16", "VGG16", BASE, {"model.encoder": "vgg16"}),
    Variant("dice", "Dice alone, as the report's", BASE, {"own.loss": "dice"}),
    Variant("bce", "BCE alone", BASE, {"own.loss": "bce"}),
    Variant("slow", "a tenth of the learning rate", BASE, {"lr": 8e-5, "encoder_lr": 8e-5}),
    Variant("batch", "batch 12", BASE, {"batch": 12}),
    Variant("no-decay", "weight decay 0 instead of 0.01", BASE, {"weight_decay": 0.0}),
    Variant("decay", "weight decay 0.1", BASE, {"weight_decay": 0.1}),
    Variant("256", "256 px", BASE, {"clips.size": 256}),
)


def settings(recipe: Recipe) -> dict[str, Any]:
    """Said for both families, whose own settings differ."""
    return {"view": "object", "side": recipe.stages[0].clips.size, "mirror": False}


TABLE = Table("unets", VARIANTS, TWIN, 1500, settings)

if __name__ == "__main__":
    compare(TABLE, __doc__)
