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
                    "63b9e72348a2f80242c877dfc91ad7acf2ffcb1ec0078f0c15f88d8e03b6a4e9"
                ),
                "prompt.segment.int8.onnx": (
                    "237b071c00239342531419dc8baee8bab3ff0a80dc34731a8c2b1e57d09e73cf"
                ),
                "prompt.segment.onnx": (
                    "b7cbf48cc4f8d84f3fcdd6296087265ea298ed5a00ee37636e582acabf22d55b"
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
