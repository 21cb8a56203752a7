"""Features of another ResNet-18: whatever was trained under torchvision's names."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from masktrail.families.labelprop.network import FeatureNetwork

NORM_EPSILON = 1e-5
"""Of torchvision's batch norms."""


BLOCK = re.compile(r"(layer[123]\.\d+)\.")
"""Names of what is in a residual block of the stages that are taken."""


@torch.no_grad()
def from_resnet18(tensors: Mapping[str, Tensor]) -> tuple[FeatureNetwork, dict[str, Any]]:
    """Label propagation over the features of a ResNet-18, its batch norms folded.

    Args:
        tensors: of torchvision's ResNet-18 or of one trained otherwise (self-supervised, say) under
            the same names; what comes after its third stage may be there or not.

    Returns:
        The network, and nothing that differs from its config's defaults.

    Raises:
        ValueError: a layer is missing, of another size, too many, or not of finite numbers.
    """
    network = FeatureNetwork()
    expected = {match[1] for name in network.encoder.state_dict() if (match := BLOCK.match(name))}
    strange = {match[1] for name in tensors if (match := BLOCK.match(name))} - expected
    if strange:
        raise ValueError(f"it has {min(strange)}, which ResNet-18 has not")
    for name, module in network.encoder.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is not None
            weight, bias = _folded(tensors, name, module.weight.shape)
            module.weight.copy_(weight)
            module.bias.copy_(bias)
    return network, {}


def _folded(tensors: Mapping[str, Tensor], name: str, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Weight and bias that do what a convolution without bias and its batch norm do."""
    norm, per_channel = _norm_of(name), shape[:1]
    kernel = _layer(tensors, f"{name}.weight", shape)
    weight, bias, mean, variance = (
        _layer(tensors, f"{norm}.{part}", per_channel)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / (variance + NORM_EPSILON).sqrt()
    return (kernel * scale.view(-1, 1, 1, 1)).float(), (bias - mean * scale).float()


def _norm_of(convolution: str) -> str:
    """The name of the batch norm after a convolution."""
    stem, _, last = convolution.rpartition(".")
    return f"{stem}.1" if last == "0" else f"{stem}.bn{last[-1]}".lstrip(".")


def _layer(tensors: Mapping[str, Tensor], name: str, shape: torch.Size) -> Tensor:
    """A tensor as it should be, in float64."""
    if name not in tensors:
        raise ValueError(f"{name} is missing")
    if tensors[name].shape != shape:
        raise ValueError(f"{name} is {tuple(tensors[name].shape)}, not {tuple(shape)}")
    if not tensors[name].isfinite().all():
        raise ValueError(f"{name} holds values that are no finite numbers")
    return tensors[name].double()
