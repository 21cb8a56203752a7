"""The report's U-Net baseline."""

from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Card, Family, Lazy

WINDOW = {"view": "object", "side": 192}
"""How the U-Nets look: at a window around the object, half as large again as they were trained on,
which is best on the tuning sequences (docs/settings.md)."""

# not `int8`: its batch norms would lie between convolutions of 8 bits
FAMILY = Family(
    name="unet",
    cards={
        "unet": Card(
            about="The report's U-Net, from each frame to the next; in training",
            files={
                "unet-00001-of-00003.safetensors": (
                    "840998d96fe41c6401cfdf43abd63776714205378db43fe7fae318ea935977fd"
                ),
                "unet-00002-of-00003.safetensors": (
                    "fab638b00b828ddb9cc42d7869850f3a337d4234e1a24bc6631d6385420f1829"
                ),
                "unet-00003-of-00003.safetensors": (
                    "474f3dc7ba05c583c91c8cb6626ebcf1f4d0124c2a440775021c67225fe51c30"
                ),
            },
            parameters=31_113_921,
            size=480,
            settings=WINDOW,
            data=WITHOUT_TUNING,
            training="19,338 clips in 112 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/unet.toml",
            scores={"davis2016-dev10 J&F": 0.533},
        ),
    },
    network=Lazy(__name__, "network:UNet"),
    config=Lazy(__name__, "network:UNetConfig"),
    propagator=Lazy(__name__, "propagator:PairPropagator"),
    training=Lazy(__name__, "training:TRAINING"),
)
