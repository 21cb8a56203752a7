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
                    "666a9681d6f7ec111b989d38358cc0e135d7fd7ab176d645c88454c433140cb7"
                ),
                "unet.labels.onnx": (
                    "47b15ea499374aacb2444a8d826da55ddb12523904b890816a496580915cbc1c"
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
