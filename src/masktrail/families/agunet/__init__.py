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
                    "0df21560755c13337eefb73cca6a04441cc2827ecb973d8da177d0b0250dc9dd"
                ),
            },
            graphs={
                "agunet.encode.int8.onnx": (
                    "1ee437691f98af2296b79f7838c2212002f692845fd0b1f7fad50bc3c236008c"
                ),
                "agunet.encode.onnx": (
                    "f57233baacb675a27534e22eb7aff91e9192a40253c97ac185b728070df01e89"
                ),
                "agunet.project.onnx": (
                    "ed427ed55dac8eb3ec9515305cc1da2986f9605fd67a4458e7e5a8bbc28cb78b"
                ),
                "agunet.score.onnx": (
                    "38f090548b55df8c15f7ca6a250e9073b13aa512daa9c56c1a31b60651fda29b"
                ),
                "agunet.segment.int8.onnx": (
                    "f4cc581d1193db91eaf5be67e5aa133462cb744b554ede4bb35f69072655ed15"
                ),
                "agunet.segment.onnx": (
                    "11233a051a225feb6bc7171cc3edfddf9b5f03f6f30f8faed2b094dc672acb62"
                ),
                "agunet.labels.onnx": (
                    "42dd52f164b0fa228f846e988786512b22765f73cc3dbc601e1a62e562834b42"
                ),
            },
            parameters=3_395_043,
            size=480,
            data=f"{PHOTOGRAPHS}; ResNet-18 of ImageNet",
            training="7,660 clips in 72 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/agunet.toml",
            scores={"davis2016-dev10 J&F": 0.667},
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
