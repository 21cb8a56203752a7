"""Space-time memory: `memory-s`."""

from masktrail.families.words import PHOTOGRAPHS_AND_VIDEOS, RESEARCH
from masktrail.tracking.family import Card, Family, Lazy

FAMILY = Family(
    name="memory",
    cards={
        "memory-s": Card(
            about="Space-time memory, ResNet-18 encoder; several objects in one pass",
            files={
                "memory-s.safetensors": (
                    "a184179e337a013a45f3b6e87ba3a15ad9a2730ba41ed048186bb57c21ced1f0"
                )
            },
            graphs={
                "memory-s.encode.int8.onnx": (
                    "c8e6bfed5c280ae4e2b5db1460ea5eb8a2df3f9e6b25eea0bcf863010c49dbc2"
                ),
                "memory-s.encode.onnx": (
                    "30ef9cc3ee556c49d3c633a2c37b79f3305b323948480b68b21e25cc416a3eca"
                ),
                "memory-s.lift.onnx": (
                    "88c201ef1bac2b6a51192e8185d1760c914c81588916f88d1e70c0612b2c04a6"
                ),
                "memory-s.memorize.int8.onnx": (
                    "a571ba544b853315add30ffb92d668cac691958d13739d3aba508ecb646deeca"
                ),
                "memory-s.memorize.onnx": (
                    "c4e16c11dcb65b55984e739d68495f5182c22e914ed40ef4bd5d26cc220c8803"
                ),
                "memory-s.compare.onnx": (
                    "dafe17a2e9a8d43a1f94d015b18237ba4501416754e15d5b4f8b0e238f50311f"
                ),
                "memory-s.carry.onnx": (
                    "bd1be91734a1eda1fdbcc820c95302d8e1ca49af07747a79778c88a61c50ef72"
                ),
                "memory-s.segment.int8.onnx": (
                    "5dd20e1f3e9af2c8eed7f5c7ea31563a1af07f278c729fe7f59e83cd1fa24ae9"
                ),
                "memory-s.segment.onnx": (
                    "969f6dc389e1ca341b0ebef4cd5de03f22aba7bccaed9e4bf20d8e7d0a60b23a"
                ),
                "memory-s.labels.onnx": (
                    "68f2af3047f45dc95f08ef61193428a8e8b4f71147d4dc8f5c420f6ad09324db"
                ),
            },
            parameters=4_543_829,
            size=384,
            data=PHOTOGRAPHS_AND_VIDEOS,
            training="76,000 clips in 257 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="memory-s-last.toml",
            scores={"davis2016-dev10 J&F": 0.851},
            scored_by="openvino int8",
        ),
    },
    network=Lazy(__name__, "network:MemoryNetwork"),
    config=Lazy(__name__, "config:MemoryConfig"),
    propagator=Lazy(__name__, "propagator:MemoryPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
