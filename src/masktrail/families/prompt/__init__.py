"""Masks of boxes and clicks."""

from masktrail.families.words import PHOTOGRAPHS_AND_VIDEOS, RESEARCH
from masktrail.tracking.family import Card, Family, Lazy

FAMILY = Family(
    name="prompt",
    cards={
        "prompt": Card(
            about="Masks of boxes and clicks, ResNet-18 encoder; corrects a mask click by click",
            files={
                "prompt.safetensors": (
                    "0d57e1dfa17f3b5b4b3e41b10c3e821c82ef85717dbf9c3cb328c6cfdf8ff4d4"
                )
            },
            graphs={
                "prompt.draw.onnx": (
                    "2d849ac8b0942b9ee23913a9f0b3a2c52ef51865994def961c3bb350ead2a6c1"
                ),
                "prompt.segment.int8.onnx": (
                    "aff2de93c31d0a850775d69f880ae662e953424b91b0eb31581c1f35e4b84918"
                ),
                "prompt.segment.onnx": (
                    "dbaedcb46c63268a077dea4ebc65447ee11726d3124d7a0e02038411cdcde409"
                ),
            },
            parameters=3_783_201,
            size=256,
            data=PHOTOGRAPHS_AND_VIDEOS,
            training="26,800 pictures in 106 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="prompt-last.toml",
            scores={
                "davis2016-dev10 first frames, IoU of a box": 0.817,
                "davis2016-dev10 first frames, IoU of a click": 0.748,
                "davis2016-dev10 first frames, IoU after five clicks more": 0.881,
            },
        ),
    },
    network=Lazy(__name__, "network:PromptNetwork"),
    config=Lazy(__name__, "network:PromptConfig"),
    prompter=Lazy(__name__, "prompter:NetworkPrompter"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
)
