"""AGUNet: a U-Net whose skips are guided by what is like the annotated object."""

from masktrail.families.words import PHOTOGRAPHS, RESEARCH
from masktrail.tracking.family import Card, Family, Lazy, Traits

FAMILY = Family(
    name="agunet",
    cards={
        "agunet": Card(
            about="AGUNet: tells each frame from the first, after ten steps on it; in training",
            files={
                "agunet-00001-of-00001.safetensors": (
                    "8a0f7f367209f9ef7ec63c8583bd7aa00ab59d40eaf721a086f310b13f1071ae"
                ),
            },
            graphs={
                "agunet.encode.int8.onnx": (
                    "2ef160b865fdb6b16a80e885bf88648d67f34c3e08d9f296dbf3839ea8995fc3"
                ),
                "agunet.encode.onnx": (
                    "e33db05eec680cbe0640a4b35bbdb2ad90c885f4af0465f01023d53f5f21043c"
                ),
                "agunet.project.onnx": (
                    "5afa69c441f9e9ef8c0e692c998576caa1d102886b7d67a8edbaaef76c6a8a63"
                ),
                "agunet.score.onnx": (
                    "0e8f1519e543d58f09fe6a2fc8191f2d53be45009c0d16ec30bec31de954627c"
                ),
                "agunet.segment.int8.onnx": (
                    "1fb33d90635051479b1206417876702b247b2a1e88bac9cb36304a192b3e3afe"
                ),
                "agunet.segment.onnx": (
                    "bcaf6a1eae49679fdc59a79310b8e46ea754c4fc6c66156e7428a9b0e3ad8cf8"
                ),
                "agunet.labels.onnx": (
                    "80a7a9371cd68fdfb06e6bd2cfbf8ef46b9d2b9289cc3c618fbe0d7439688bc4"
                ),
            },
            parameters=3_395_043,
            size=480,
            data=f"{PHOTOGRAPHS}; ResNet-18 of ImageNet",
            training="15,762 clips in 176 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/agunet.toml",
            scores={"davis2016-dev10 J&F": 0.680},
            scored_by="openvino int8",
        ),
    },
    network=Lazy(__name__, "network:AgunetNetwork"),
    config=Lazy(__name__, "config:AgunetConfig"),
    propagator=Lazy(__name__, "propagator:AgunetPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    traits=Traits(learns=("budget", "steps")),
)
