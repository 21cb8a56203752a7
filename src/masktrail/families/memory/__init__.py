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
            parameters=4_543_829,
            size=384,
            data=PHOTOGRAPHS_AND_VIDEOS,
            training="76,000 clips in 257 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="memory-s-last.toml",
            scores={"davis2016-dev10 J&F": 0.850},
        ),
    },
    network=Lazy(__name__, "network:MemoryNetwork"),
    config=Lazy(__name__, "config:MemoryConfig"),
    propagator=Lazy(__name__, "propagator:MemoryPropagator"),
    training=Lazy(__name__, "training:TRAINING"),
    int8=True,
)
