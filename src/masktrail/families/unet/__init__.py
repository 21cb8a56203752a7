"""The report's U-Net baseline."""

from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Card, Family, Lazy

WINDOW = {"view": "object", "side": 192, "mirror": True}
"""How it looks: through a window around the object, and at its mirror image, which is best on the
tuning sequences (docs/settings.md); the report shows it the picture as a square."""

FAMILY = Family(
    name="unet",
    cards={
        "unet": Card(
            about="The report's U-Net, from each frame to the next; in training",
            files={
                "unet-00001-of-00003.safetensors": (
                    "36df42b4db9122a9a67f3f1190ca7c668199be37078ea62ea3ac3b15d72119b4"
                ),
                "unet-00002-of-00003.safetensors": (
                    "a5126ebe6964f44f7cb7bbf2a74f73b50ccaf4c2b53f4bd8a51cc6e87671f324"
                ),
                "unet-00003-of-00003.safetensors": (
                    "b90640ac29f3e5f7a8d950824742589ca5a9cba665dd1ad55b651f41f5c9518d"
                ),
            },
            graphs={
                "unet.forward.onnx": (
                    "5445fe2a4ff24180fcc55f2563d6cd22cc89120948b670066856882fc4551ca3"
                ),
                "unet.labels.onnx": (
                    "e9c5df5b645db5358baf2d141b06d60427256798acb7f8aa59055fdad4537f0c"
                ),
            },
            parameters=31_113_921,
            size=480,
            settings=WINDOW,
            data=WITHOUT_TUNING,
            training="55,519 clips in 459 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/unet.toml",
            scores={"davis2016-dev10 J&F": 0.561},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:UNet"),
    config=Lazy(__name__, "network:UNetConfig"),
    propagator=Lazy(__name__, "propagator:PairPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
