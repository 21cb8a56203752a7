"""The mode that finds out what a GPU would be slowed by finds it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from device_only import Waited, device_only
from masktrail.devices import sent

META = torch.device("meta")
LARGE, SMALL = torch.zeros(5000), torch.zeros(4)
AWAY = torch.zeros((100, 100), device=META)


class Lapse(torch.autograd.Function):
    """Does its backward pass on the CPU."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return torch.zeros(gradient.shape).to(META, non_blocking=True)


FAULTS: dict[str, Callable[[], object]] = {
    "made": lambda: torch.arange(5000),
    "drawn": lambda: torch.rand(100, 100),
    "used": lambda: LARGE + 1,
    "from numpy": lambda: torch.from_numpy(np.zeros(5000)).to(META, non_blocking=True),
    "sent": lambda: LARGE.to(META, non_blocking=True),
    "copied": lambda: torch.empty(5000, device=META).copy_(LARGE, non_blocking=True),
    "sent, waiting": lambda: SMALL.to(META),
    "copied, waiting": lambda: torch.empty(4, device=META).copy_(SMALL),
    "made there from values": lambda: torch.tensor([1.0, 2.0], device=META),
    "brought back": lambda: AWAY.cpu(),
    "brought back into": lambda: torch.empty(100, 10).copy_(AWAY[:, :10], non_blocking=True),
    "read": lambda: AWAY.sum().item(),
    "asked": lambda: bool(AWAY.any()),
    "counted": lambda: AWAY.nonzero(),
    "picked": lambda: AWAY[AWAY > 0],
    "put": lambda: AWAY.clone().__setitem__(AWAY > 0, 1.0),
    "indexed from here": lambda: AWAY[torch.tensor([0, 2])],
    "repeated by numbers from there": lambda: AWAY.repeat_interleave(AWAY[0].long(), 0),
    "stretched as whole numbers": lambda: torch.nn.functional.interpolate(
        AWAY[None, None].byte(), (8, 8), mode="bilinear", antialias=True
    ),
    "in a backward pass": lambda: Lapse.apply(AWAY.clone().requires_grad_()).sum().backward(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_would_slow_a_gpu_is_caught(fault: str) -> None:
    with pytest.raises(Waited), device_only():
        FAULTS[fault]()


def test_what_does_not_passes() -> None:
    with device_only():
        drawn = torch.rand(4)
        moved = sent(drawn, META)
        result = AWAY[:4, 0] * moved * torch.tensor(2.0) + float(drawn[0])
        result = torch.where(sent(drawn < 0.5, META), result, 0).repeat_interleave(2, 0)
        result.index_select(0, sent(torch.tensor([0, 3]), META))
    assert result.device == META
