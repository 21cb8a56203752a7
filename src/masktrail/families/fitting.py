"""Gradient steps on one video's own frames, as many as there is time for, or are wished for."""

import math
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WARM_UP = 5
"""Steps in which the rate rises: what Adam knows of gradients after one of them is not much."""

LAST = 0.02
"""Of the rate, what is left of it at the end."""

CLIP_NORM = 3.0
"""Gradients longer than this are shortened."""


def fitted(
    learned: Mapping[str, Tensor],
    losses: Iterable[Callable[[], Tensor]],
    rate: float,
    seconds: float,
    progress: Callable[[float], None],
    share: float = 1.0,
    steps: float = math.inf,
) -> dict[str, NDArray[np.float32]]:
    """What parameters become by steps of AdamW, whose rate falls to nothing in a straight line.

    Args:
        learned: the parameters, by name.
        losses: what is to become small, each a scalar computed anew; one after the other. To get
            them ready counts as learning.
        rate: at first.
        seconds: how long at most; at least one step is made for each of `losses`.
        progress: called with the share that is done, 0 to 1; what it raises ends the learning.
        share: of the way that parameters went, so much is kept (Wortsman et al., "Robust
            fine-tuning of zero-shot models", CVPR 2022).
        steps: that are made for each of `losses` at most.

    Returns:
        Values by name, float32; none where there are no `losses`.
    """
    begun = time.perf_counter()
    losses = list(losses)
    before = {name: value.detach().clone() for name, value in learned.items()}
    optimiser = torch.optim.AdamW(learned.values(), lr=rate, weight_decay=0.0)
    step, done = 0, 0.0
    while losses and (done < 1 or step < len(losses)):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP) * max(LAST, 1 - done)
        loss = losses[step % len(losses)]()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(learned.values(), CLIP_NORM)
        if norm.isfinite():
            optimiser.step()
        step += 1
        done = max((time.perf_counter() - begun) / seconds, step / (steps * len(losses)))
        progress(min(1.0, done))
    if not losses:
        return {}
    return {
        name: torch.lerp(before[name], value.detach(), share).cpu().numpy()
        for name, value in learned.items()
    }


def learning(network: nn.Module, chosen: Callable[[str], bool]) -> dict[str, Tensor]:
    """The parameters whose names are chosen, by name; the others are told not to learn."""
    learned: dict[str, Tensor] = {}
    for name, parameter in network.named_parameters():
        parameter.requires_grad = chosen(name)
        if parameter.requires_grad:
            learned[name] = parameter
    return learned
