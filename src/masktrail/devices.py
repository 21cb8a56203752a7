"""Where networks run, and in which precision that is fast there."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from masktrail.errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" takes a GPU where there is one.

    Raises:
        InputError: torch has no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # "meta" exists but holds nothing
    except (RuntimeError, AssertionError, ImportError) as error:
        raise InputError(
            f"The device {name!r} is not available here; take cpu, or leave it at auto."
        ) from error
    return device


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A small tensor on `device`, without waiting for what that is busy with."""
    return tensor.to(device, non_blocking=True)


def catch_up(device: torch.device) -> None:
    """Waits until `device` has done all it was asked for."""
    wait = getattr(getattr(torch, device.type, None), "synchronize", None)
    if wait is not None:
        wait()


def fast_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast to bfloat16 where `device` multiplies it natively, else nothing.

    A CPU without bfloat16 instructions emulates them, about ten times slower than float32.
    """
    if has_fast_bfloat16(device):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def no_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Full precision on `device`, also where an autocast is in force."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether `device` has instructions for bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        instructions: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(instructions.get("avx512_bf16") or instructions.get("amx_bf16"))
    return False
