"""Convolutions in 8-bit integers, about twice as fast as float32 on a processor.

Static quantisation after training: weights symmetric with a scale per output channel, activations
with one range per tensor, the image and those that are never negative (Jacob et al., "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018). oneDNN
multiplies; inside a stage of ResNet-18 and a residual block nothing is float32.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from masktrail.models.backbones import NORMALISED, BasicBlock, ResNet18
from masktrail.models.blocks import ResidualBlock

LEVELS = 127
"""Activations have 7 bits: a processor without VNNI adds two products in 16 bits."""

BEYOND = 1e-4
"""Share of the values of a tensor that may lie beyond its range; they are cut off there."""

Ranges = dict[str, float]
"""Largest value of a module's input, by the module's name; of its output, for a `BasicBlock`."""


See = Callable[[str, Tensor], None]


def supported(device: torch.device) -> bool:
    """Whether `device` is a processor that oneDNN has 8-bit convolutions for."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.onednn, "qconv_pointwise")
        and platform.machine().lower() in ("x86_64", "amd64")
        and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    )


@contextmanager
def observing(network: nn.Module) -> Iterator[Ranges]:
    """Ranges of whatever `network` computes meanwhile; inputs that are ever negative have none."""
    ranges: Ranges = {}
    signed: set[str] = set()

    def see(name: str, x: Tensor) -> None:
        values = x.detach().float().flatten()
        if values.min() < 0:
            signed.add(name)
        largest = values.topk(1 + int(BEYOND * len(values))).values[-1]
        ranges[name] = max(ranges.get(name, 0.0), largest.item())

    handles = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            handles.append(module.register_forward_pre_hook(partial(_see_input, see, name)))
        elif isinstance(module, BasicBlock):
            handles.append(module.register_forward_hook(partial(_see_output, see, name)))
    try:
        yield ranges
    finally:
        for handle in handles:
            handle.remove()
        for name in signed:
            del ranges[name]


def _see_input(see: See, name: str, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    see(name, inputs[0])


def _see_output(
    see: See, name: str, module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor
) -> None:
    see(name, out)


def to_int8(network: nn.Module, ranges: Mapping[str, float]) -> nn.Module:
    """Replaces what pays of a network by 8-bit modules, in place: stages of `BasicBlock`s,
    residual blocks, 3x3 convolutions of what is never negative; the stem of an encoder whose first
    stage alone reads it, as its network's attribute `plain_stem` says.

    Args:
        network: on the CPU, in float32.
        ranges: what `observing` found on it; what has none is left as it is.

    Returns:
        The network.
    """
    _replace(network, "", ranges)
    encoder: Any = getattr(network, "encoder", None)
    quick = isinstance(encoder, ResNet18) and isinstance(encoder.layer1, Int8Stage)
    if quick and getattr(network, "plain_stem", False):
        _replace_stem(encoder, ranges["encoder.layer1.0.conv1"])
    return network


def _replace(parent: nn.Module, path: str, ranges: Mapping[str, float]) -> None:
    for name, child in parent.named_children():
        replacement = _counterpart(child, path + name, ranges)
        if replacement is not None:
            setattr(parent, name, replacement)
        else:
            _replace(child, f"{path}{name}.", ranges)


def _replace_stem(encoder: ResNet18, range_out: float) -> None:
    low, high = NORMALISED
    encoder.add_module("conv1", Int8Conv2d(encoder.conv1, high, range_out, low=low))
    encoder.add_module("pool", Int8Pool())


def _counterpart(module: nn.Module, name: str, ranges: Mapping[str, float]) -> nn.Module | None:
    if isinstance(module, nn.Conv2d):
        pays = module.kernel_size == (3, 3) and ranges.get(name, 0.0) > 0
        return Int8Conv2d(module, ranges[name]) if pays else None
    inner = [n for n, m in module.named_modules() if isinstance(m, nn.Conv2d | BasicBlock)]
    if not inner or any(ranges.get(f"{name}.{n}", 0.0) <= 0 for n in inner):
        return None
    if isinstance(module, nn.Sequential) and all(isinstance(m, BasicBlock) for m in module):
        return Int8Stage(module, {n: ranges[f"{name}.{n}"] for n in inner})
    if isinstance(module, ResidualBlock):
        return Int8Residual(module, {n: ranges[f"{name}.{n}"] for n in inner})
    return None


class Int8Conv2d(nn.Module):
    """A convolution of a tensor that has a range; what lies beyond is cut off.

    Args:
        conv: with one group.
        range_in: largest value of the input.
        range_out: largest value of the output, which is uint8 then; without one it is float32.
        relu: of the output; one that is uint8 has it anyway.
        low: smallest value of the input, 0 or less.
    """

    def __init__(
        self,
        conv: nn.Conv2d,
        range_in: float,
        range_out: float | None = None,
        relu: bool = False,
        low: float = 0.0,
    ) -> None:
        super().__init__()
        weight = conv.weight.detach().float()
        steps = (weight.abs().amax((1, 2, 3)) / 127).clamp_min(1e-12)  # per output channel
        whole = (weight / steps.view(-1, 1, 1, 1)).round().to(torch.int8)
        self._step = (range_in - low) / LEVELS
        self._zero = round(-low / self._step)
        # with a stride, oneDNN's 1x1 convolution of several pictures is not the same every time
        self._skip = conv.stride[0] if conv.kernel_size == (1, 1) else 1
        stride = [1, 1] if self._skip > 1 else list(conv.stride)
        self._shape = (stride, list(conv.padding), list(conv.dilation), conv.groups)
        packed = torch.ops.onednn.qconv_prepack(
            whole, steps, self._step, self._zero, *self._shape, None
        )
        self._weight = (packed, steps, torch.zeros(len(weight), dtype=torch.int32))
        self._bias = None if conv.bias is None else conv.bias.detach().float()
        self._out: tuple[float, int, torch.dtype] = (1.0, 0, torch.float32)
        self._activation: tuple[str, list[float], str] = ("relu" if relu else "none", [], "")
        if range_out is not None:  # uint8 would go on to 255
            self._out = (range_out / LEVELS, 0, torch.uint8)
            self._activation = ("hardtanh", [0.0, range_out], "")

    def forward(self, x: Tensor) -> Tensor:
        """Of (B, C, H, W), float or in steps of the input's range."""
        return torch.ops.onednn.qconv_pointwise(
            self._whole(x),
            *(self._step, self._zero),
            *(*self._weight, self._bias),
            *self._shape,
            *self._out,
            *self._activation,
        )

    def onto(self, x: Tensor, base: Tensor, step: float = 1.0) -> Tensor:
        """What `forward` gives with `base` added before the activation; overwrites `base`.

        Args:
            x: (B, C, H, W), float or in steps of the input's range.
            base: of the output's shape and type.
            step: of `base`.
        """
        result = torch.ops.onednn.qconv2d_pointwise.binary(
            self._whole(x),
            *(self._step, self._zero),
            *(*self._weight, base, self._bias),
            *self._shape,
            *self._out,
            *(step, 0, "sum", 1.0, "none" if self._activation[0] == "none" else "relu", [], ""),
        )
        return result.clamp_max_(LEVELS) if result.dtype == torch.uint8 else result

    def _whole(self, x: Tensor) -> Tensor:
        whole = x if x.dtype == torch.uint8 else in_steps(x, self._step, self._zero)
        if self._skip == 1:
            return whole
        sparse = whole[:, :, :: self._skip, :: self._skip]
        return sparse.contiguous(memory_format=torch.channels_last)


class Int8Stage(nn.Module):
    """Some `BasicBlock`s after one another: float32, or the first one's steps, in; float32 out.

    Args:
        blocks: of the stage.
        ranges: by name within the stage.
    """

    def __init__(self, blocks: nn.Sequential, ranges: Ranges) -> None:
        super().__init__()
        converted = [_Int8Block(block, ranges, name) for name, block in blocks.named_children()]
        self.blocks = nn.Sequential(*converted)
        self._step = converted[-1].step_out

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x).float().mul_(self._step)


class _Int8Block(nn.Module):
    """A `BasicBlock` from uint8, or float32, to uint8."""

    def __init__(self, block: nn.Module, ranges: Ranges, name: str) -> None:
        super().__init__()
        assert isinstance(block, BasicBlock)
        inputs, hidden, out = (ranges[name + part] for part in (".conv1", ".conv2", ""))
        self.step_in, self.step_out = inputs / LEVELS, out / LEVELS
        self.conv1 = Int8Conv2d(block.conv1, inputs, hidden)
        # a shortcut of its own can be negative, so that the sum stays float32
        self.shortcut = None
        if block.downsample is not None:
            (shortcut,) = block.downsample
            assert isinstance(shortcut, nn.Conv2d)
            self.shortcut = Int8Conv2d(shortcut, inputs)
        self.conv2 = Int8Conv2d(block.conv2, hidden, out if self.shortcut is None else None)

    def forward(self, x: Tensor) -> Tensor:
        whole = x if x.dtype == torch.uint8 else in_steps(x, self.step_in)
        hidden = self.conv1(whole)
        if self.shortcut is None:
            return self.conv2.onto(hidden, whole, self.step_in)
        return in_steps(self.conv2.onto(hidden, self.shortcut(whole)), self.step_out)


class Int8Residual(nn.Module):
    """A `ResidualBlock`, whose shortcut stays float32.

    Args:
        block: the block.
        ranges: of its convolutions.
    """

    def __init__(self, block: ResidualBlock, ranges: Ranges) -> None:
        super().__init__()
        self.conv1 = Int8Conv2d(block.conv1, ranges["conv1"], ranges["conv2"])
        self.conv2 = Int8Conv2d(block.conv2, ranges["conv2"])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x))


class Int8Pool(nn.Module):
    """`Pool` of uint8 (B, C, H, W), sides even."""

    def forward(self, x: Tensor) -> Tensor:
        return _pooled(_pooled(x, 2), 3)


def _pooled(x: Tensor, dim: int) -> Tensor:
    """The largest of three at every second place; torch's own pooling takes no uint8 images."""
    pairs = x.unflatten(dim, (-1, 2))
    odd = pairs.select(dim + 1, 1)
    largest = torch.maximum(pairs.select(dim + 1, 0), odd)
    others = largest.shape[dim] - 1
    later, before = largest.narrow(dim, 1, others), odd.narrow(dim, 0, others)
    torch.maximum(later, before, out=later)
    return largest


def in_steps(x: Tensor, step: float, zero: int = 0) -> Tensor:
    """A tensor (B, C, H, W) in whole steps, uint8, cut off below 0 and above `LEVELS`; `zero` steps
    stand for 0."""
    half = torch.tensor(0.5 + zero, device=x.device)
    steps = torch.add(half, x.float(), alpha=1 / step).clamp_(0, LEVELS)
    return steps.to(torch.uint8, memory_format=torch.channels_last)
