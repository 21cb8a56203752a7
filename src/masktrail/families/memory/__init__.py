"""Space-time memory: `memory-s`."""

from masktrail.families.words import PHOTOGRAPHS_AND_VIDEOS, RESEARCH
from masktrail.tracking.family import Card, Family, Lazy, Traits

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
                    "f1a5d3c51956422ea4d86a717ae6c005f661eb2eca4679321a06cb98b7360d07"
                ),
                "memory-s.encode.onnx": (
                    "d4fd5b401d058d5c93a217547ad6da9edb4937402eebd8eeaff8670bac9f1ca9"
                ),
                "memory-s.lift.onnx": (
                    "1b38f02f52423b15fe406929c130ffb5c2cfa053c0622189a1cc738a3827164f"
                ),
                "memory-s.memorize.int8.onnx": (
                    "f03f8dd296e0e24f2e23b80111dca9b57995b52b649cf6d91dbc10f1e524ad48"
                ),
                "memory-s.memorize.onnx": (
                    "6daf0d36b56ec51afb0c5540c3696c01b0ae5adbe7c02b74e1d6d9405156a1ae"
                ),
                "memory-s.compare.onnx": (
                    "8b068cd125ba26879e2d1e0dc476cc75f360c8fa2924a7cd3c07a04642cec9c1"
                ),
                "memory-s.carry.onnx": (
                    "ff0b9f4816791606f5ad128d28b36ef1df2dc6f06096551d160149d0e2d972d3"
                ),
                "memory-s.segment.int8.onnx": (
                    "56d09c9a6cc6d041220fa514b0baa382c82bc7757ff18b5fe7b5e67c00224b51"
                ),
                "memory-s.segment.onnx": (
                    "6e6f3d1a70ae314905013622652a2a854c21084a3e654ff53b9b5052980e6c97"
                ),
                "memory-s.labels.onnx": (
                    "c8176e0c553b1b290c2e6220917024e63e1f5b062ec7f6083b5c76852e127a91"
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
    traits=Traits(learns=("adapt",)),
    network=Lazy(__name__, "network:MemoryNetwork"),
    config=Lazy(__name__, "config:MemoryConfig"),
    propagator=Lazy(__name__, "propagator:MemoryPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
