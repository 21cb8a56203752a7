"""Lucid Tracker: a network that is taught each video by dreams of its marked frame."""

from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Card, Family, Lazy, Traits

FAMILY = Family(
    name="lucid",
    cards={
        "lucid": Card(
            about="Lucid Tracker: learns each video from dreams of its first frame for a minute",
            files={
                "lucid-00001-of-00001.safetensors": (
                    "b90f6267a514b1e02f06c6122d3d41f6cc7fd6ad5c120015c0ea34c2e4d69dec"
                ),
            },
            graphs={
                "lucid.estimate.onnx": (
                    "87c3e2e113f7280dad17d9189644cd76e0a55b77b8749030fe47aa1a7fc81e71"
                ),
                "lucid.segment.onnx": (
                    "5e9d30ab7e91b6a96635343ff7f91e54c3db90727ff88a9ca233f018f42a3697"
                ),
                "lucid.labels.onnx": (
                    "14686688c0419907fc7eaad5abc6c41fbcc29001b9bd63584d4a647f507e4671"
                ),
            },
            parameters=4_288_967,
            size=480,
            data=f"{WITHOUT_TUNING}; ResNet-18 of ImageNet",
            training="30,638 clips in 68 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/lucid.toml",
            scores={"davis2016-dev10 J&F": 0.782},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:LucidNetwork"),
    config=Lazy(__name__, "network:LucidConfig"),
    propagator=Lazy(__name__, "propagator:LucidPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    traits=Traits(learns=("budget",)),
)
