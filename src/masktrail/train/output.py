"""What a step of training hands back, whatever the family of model."""

from typing import NamedTuple

from torch import Tensor


class StepOutput(NamedTuple):
    """Losses and pictures of one step.

    Attributes:
        loss: scalar to be minimised.
        parts: its parts, scalars by name, for the log.
        masks: predicted soft masks (B, T-1, N, S, S) of the frames after the first; of a prompt
            network (B, R, N, S, S), of the one frame after each round of clicks.
    """

    loss: Tensor
    parts: dict[str, Tensor]
    masks: Tensor
