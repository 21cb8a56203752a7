"""The networks that SiamMask's authors published: ResNet-50, three branches."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from masktrail.families.siammask.config import SiamMaskConfig
from masktrail.families.siammask.network import SiamMask
from masktrail.models.backbones import IMAGENET_MEAN, IMAGENET_STD

CONFIG = {"backbone": "resnet50", "branches": "three", "width": 256}

NAMES = (
    (r"features\.features\.(.*)\bbn(\d)\.", r"encoder.\1conv\2.1."),
    (r"features\.features\.(.*)\bconv(\d)\.", r"encoder.\1conv\2.0."),
    (r"features\.features\.(.*)\bdownsample\.", r"encoder.\1downsample."),
    (r"features\.downsample\.downsample\.", "adjust."),
    (r"rpn_model\.cls\.", "heads.score."),
    (r"rpn_model\.loc\.", "heads.box."),
    (r"mask_model\.mask\.", "heads.mask."),
    (r"refine_model\.", "refine."),
)
"""Beginnings of their names, and of ours."""

LEVELS = 255.0
"""Their pictures are blue, green, red from 0 to this, as they are."""

COUNT = ".num_batches_tracked"
"""What batch norms of older checkpoints lack, and nobody needs."""


def from_siammask(tensors: Mapping[str, Tensor]) -> tuple[SiamMask, dict[str, Any]]:
    """SiamMask as published, made to see pictures as ours do.

    Args:
        tensors: of the published network, by its names.

    Returns:
        The network, and what differs from its config's defaults.

    Raises:
        ValueError: a layer is missing, of another size, too many, or not of finite numbers.
    """
    network = SiamMask(SiamMaskConfig(**CONFIG))  # type: ignore[arg-type]
    state = network.state_dict()
    renamed = {our_name(name): tensor for name, tensor in tensors.items()}
    for name, mine in state.items():
        if name not in renamed and not name.endswith(COUNT):
            raise ValueError(f"{name} is missing")
        if name in renamed and renamed[name].shape != mine.shape:
            found, expected = tuple(renamed[name].shape), tuple(mine.shape)
            raise ValueError(f"{name} is {found}, not {expected}")
    strange = renamed.keys() - state.keys()
    if strange:
        raise ValueError(f"it has {min(strange)}, which SiamMask has not")
    if not all(tensor.isfinite().all() for tensor in renamed.values()):
        raise ValueError("it holds values that are no finite numbers")
    network.load_state_dict({**state, **renamed})
    _see_as_ours(network)
    return network.eval(), dict(CONFIG)


def our_name(name: str) -> str:
    """Ours of one of their names; itself where there is none."""
    for theirs, ours in NAMES:
        changed, count = re.subn(f"^{theirs}", ours, name)
        if count:
            return changed
    return name


@torch.no_grad()
def _see_as_ours(network: SiamMask) -> None:
    """Makes the first convolution take normalised red, green, blue.

    It is not padded, so that its batch norm can take up the shift. All is divided by `LEVELS`,
    since variances of such large values are too large for float16.
    """
    convolution, norm = network.encoder.conv1  # type: ignore[misc]
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    weight = convolution.weight.flip(1)
    norm.running_mean.div_(LEVELS).sub_((weight * mean).sum((1, 2, 3)))
    theirs = (norm.running_var + norm.eps) / LEVELS**2
    norm.running_var.copy_((theirs - norm.eps).clamp_min(0))
    norm.weight.mul_(((norm.running_var + norm.eps) / theirs).sqrt())  # 1 but for tiny variances
    convolution.weight.copy_(weight * std)
