"""Several processes under torchrun; one process needs nothing of this."""

import os
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")


def start(device: torch.device) -> tuple[int, torch.device]:
    """Joins the process group torchrun prepared, if there is one.

    Returns:
        This process's rank (0 when alone) and its own device: with CUDA one GPU per process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return 0, device
    # what the clocks say goes from CPU to CPU, so that no step waits for a GPU
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    return distributed.get_rank(), device


def wrap(module: nn.Module, device: torch.device) -> nn.Module:
    """The module with its gradients averaged over all processes."""
    if not distributed.is_initialized():
        return module
    devices = [device] if device.type == "cuda" else None
    # in some stages a part of a network learns and the rest is left as it is
    return DistributedDataParallel(module, devices, find_unused_parameters=True)


def agree(value: T) -> T:
    """The value of rank 0, in every process: clocks differ, schedules must not."""
    if not distributed.is_initialized():
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def stop() -> None:
    """Leaves the process group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
