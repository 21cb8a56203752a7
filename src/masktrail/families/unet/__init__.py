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
                    "80d452c1f909307f01a3d7392280a2ea55184fe86eb9df02c8e794f0faa9a772"
                ),
                "unet-00002-of-00003.safetensors": (
                    "1890555b15538e516b5423e26ea0e5140d68932c935e438aca384b0a2a2f286a"
                ),
                "unet-00003-of-00003.safetensors": (
                    "b986a6745c5e699844e62536c185050f2fde976213cc72fecced664a19c74d1a"
                ),
            },
            parameters=31_113_921,
            size=480,
            settings=WINDOW,
            data=WITHOUT_TUNING,
            training="19,338 clips in 112 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/unet.toml",
            scores={"davis2016-dev10 J&F": 0.546},
        ),
    },
    network=Lazy(__name__, "network:UNet"),
    config=Lazy(__name__, "network:UNetConfig"),
    propagator=Lazy(__name__, "propagator:PairPropagator"),
    training=Lazy(__name__, "training:TRAINING"),
)
