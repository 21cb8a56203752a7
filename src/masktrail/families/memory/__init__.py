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
                    "af6e550848b1d52f4a3501bf9cbff58bbeb6ce1a58972b3b04a558f5beabcfaa"
                ),
                "memory-s.encode.onnx": (
                    "51ef12a1a8d5eb2ceb8d3bd2af9ec3c9d680e32fd292fc21ae072c0e30b96b55"
                ),
                "memory-s.lift.onnx": (
                    "f78bce0a0666b8e849f9fa8b163d0990bc882cb2a9a000babbac899126d452ee"
                ),
                "memory-s.memorize.int8.onnx": (
                    "10fab8a0fca3e9c7a954707e2062015deba4ddfd94d049c93f1cbb708771d907"
                ),
                "memory-s.memorize.onnx": (
                    "f31e0e2db1aee237ce4490717634ada6ed65a50bd697fa5e3c72d0b8c21993f2"
                ),
                "memory-s.read.onnx": (
                    "6447e0d9fe4e4b89e730db473498bb47ac69fea59c900b660a2b2d09a7270f3c"
                ),
                "memory-s.carry.onnx": (
                    "1fb2a7a6b56383b5d348ee4132bd3bbf0b067799fa5c805723eef3f4e57e5b77"
                ),
                "memory-s.segment.int8.onnx": (
                    "24d84468407ba5c06a1441d5e654cb6e31a7a7e024a27611399b32f271b3bd2c"
                ),
                "memory-s.segment.onnx": (
                    "b9cb6c50da57b1c619ccb6e6140e42f5898ae1449789ca61b9e01a5204d2f477"
                ),
                "memory-s.labels.onnx": (
                    "300295095d0056e82bddfc7196eb9167ee10b9405b810639044fb54e0019fddd"
                ),
            },
            parameters=4_543_829,
            size=384,
            data=PHOTOGRAPHS_AND_VIDEOS,
            training="76,000 clips in 257 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="memory-s-last.toml",
            scores={"davis2016-dev10 J&F": 0.852},
            scored_by="openvino int8",
        ),
    },
    network=Lazy(__name__, "network:MemoryNetwork"),
    config=Lazy(__name__, "config:MemoryConfig"),
    propagator=Lazy(__name__, "propagator:MemoryPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
