"""The report's U-Net baseline."""

from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Card, Family, Lazy

SQUARE = {"view": "square", "side": 256}
"""How it looks: at the picture as a square, as in the report, which is best on the tuning sequences
(docs/settings.md)."""

FAMILY = Family(
    name="unet",
    cards={
        "unet": Card(
            about="The report's U-Net, from each frame to the next; in training",
            files={
                "unet-00001-of-00003.safetensors": (
                    "3e879c1c7abd2e20d41fea1e8fa13cb15000e29b6be74da3ab2f3ab191d8e02a"
                ),
                "unet-00002-of-00003.safetensors": (
                    "fc75d97424ce39124dd9d7938a9619d644381926d10e8214a37126d2863756c7"
                ),
                "unet-00003-of-00003.safetensors": (
                    "5d47e6d9a2ed46dc2c5940de4b5cb3f0248a65c7a022c7414e543ab1776bcb9a"
                ),
            },
            graphs={
                "unet.forward.onnx": (
                    "8c32eedf21d3701688f38ff34c90a54d856056cad5cb25f62f715a7031c3e3c3"
                ),
                "unet.labels.onnx": (
                    "e82622440eec0d9a12ece7e714d97bf001c88623ed630ebd56e22356d44b86c4"
                ),
            },
            parameters=31_113_921,
            size=480,
            settings=SQUARE,
            data=WITHOUT_TUNING,
            training="33,967 clips in 204 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/unet.toml",
            scores={"davis2016-dev10 J&F": 0.571},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:UNet"),
    config=Lazy(__name__, "network:UNetConfig"),
    propagator=Lazy(__name__, "propagator:PairPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
