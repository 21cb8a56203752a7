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
    training=Lazy(__name__, "training:TRAINING"),
    int8=True,
)
