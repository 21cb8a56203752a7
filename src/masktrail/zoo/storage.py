"""Weights made small: int8 with a scale per output channel, in shards that fit anywhere.

Symmetric quantisation of weights, the per-channel scheme of Jacob et al., "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 3
(Krishnamoorthi, arXiv 1806.08342, section 3.1.2): only storage is int8, computing is not.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from masktrail.errors import InputError

FINE = 0.015
"""Share of the parameters that stay float16, those of the smallest weights: they work at the
highest resolutions, and a network that is unsure tips over where they are off by a hundredth."""

SCALE = ".scale"
"""Added to a weight's name: what its int8 values are multiplied by, in a shape that broadcasts."""

SHARD_BYTES = 15_000_000
"""No shard is larger, header included."""

HEADER_BYTES = 4096
"""Room for what stands beside the tensors in a shard's header."""


def compact(network: nn.Module) -> dict[str, Tensor]:
    """A network's state by name, contiguous, on the CPU, floats as float16.

    Counters (a batch norm's `num_batches_tracked`) stay integers; a tensor with values that
    float16 cannot hold stays float32.
    """
    return {name: _halved(tensor) for name, tensor in network.state_dict().items()}


def quantise(network: nn.Module) -> dict[str, Tensor]:
    """A network's state by name, all but its smallest weights as int8 beside their scales, float32.

    A value is off by at most half its channel's scale, which is the channel's largest magnitude
    / 127. All else is as `compact` leaves it.

    Raises:
        InputError: a weight is infinite or no number.
    """
    state, axes = compact(network), _channel_axes(network)
    for name, weight in network.named_parameters():
        if not weight.isfinite().all():
            raise InputError(f"{name} holds values that are no finite numbers; train it again.")
        if name in axes:
            state[name], state[name + SCALE] = _to_int8(weight.detach().cpu().float(), axes[name])
    return state


def restore(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state that `compact` or `quantise` made small; floats as float32."""
    state = {}
    for name, tensor in tensors.items():
        if name + SCALE in tensors:
            state[name] = tensor.float() * tensors[name + SCALE]
        elif name.removesuffix(SCALE) == name or name.removesuffix(SCALE) not in tensors:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def split(tensors: dict[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    """Spreads tensors over few shards of at most `limit` bytes: the largest first, each where it
    fits first.

    Raises:
        InputError: a single tensor is too large.
    """
    shards: list[dict[str, Tensor]] = []
    room: list[int] = []
    for name in sorted(tensors, key=lambda name: (-tensors[name].nbytes, name)):
        size = tensors[name].nbytes + len(name) + 128  # its line in the header
        if size > limit - HEADER_BYTES:
            raise InputError(f"{name} alone takes {size:,} bytes; a shard holds {limit:,}.")
        at = next((i for i, free in enumerate(room) if size <= free), len(shards))
        if at == len(shards):
            shards.append({})
            room.append(limit - HEADER_BYTES)
        shards[at][name] = tensors[name]
        room[at] -= size
    return shards


def _halved(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point():
        return tensor.clone()
    half = tensor.half()
    return half if half.isfinite().all() else tensor.float().clone()


def _channel_axes(network: nn.Module) -> dict[str, int]:
    """The axis of the output channels of every weight that is to be quantised."""
    transposed = {
        f"{name}.weight".lstrip(".")
        for name, module in network.named_modules()
        if isinstance(module, _ConvTransposeNd)  # (in, out, height, width), unlike the others
    }
    weights = sorted(network.named_parameters(), key=lambda row: row[1].numel())
    fine, axes = FINE * sum(weight.numel() for _, weight in weights), {}
    for name, weight in weights:
        fine -= weight.numel()
        if fine < 0 and weight.ndim >= 2:
            axes[name] = int(name in transposed)
    return axes


def _to_int8(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """int8 values of a weight, and the scale of each channel along `axis`, other axes 1."""
    others = [i for i in range(weight.ndim) if i != axis]
    scale = weight.abs().amax(others, keepdim=True) / 127
    scale = scale.clamp_min(torch.finfo(torch.float32).tiny)  # a channel of zeros
    return (weight / scale).round().clamp(-127, 127).to(torch.int8).contiguous(), scale
