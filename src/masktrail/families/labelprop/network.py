"""Features for label propagation: those of an image classifier, which saw no video."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.models.backbones import Normalise, ResNet18

STRIDE = 8
"""Of the features; height and width of images must be multiples of this."""


@dataclass(frozen=True)
class FeatureConfig:
    """There is nothing to choose."""


class FeatureNetwork(nn.Module):
    """ResNet-18's third stage with its stride taken out, as features of length 1 at stride 8."""

    stride = STRIDE

    def __init__(self, config: FeatureConfig | None = None) -> None:
        super().__init__()
        self.config = config or FeatureConfig()
        self.encoder = ResNet18()
        for module in self.encoder.layer3.modules():
            if isinstance(module, nn.Conv2d):
                module.stride = (1, 1)
        self.normalise = Normalise()

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 256, H/8, W/8) of RGB images (B, 3, H, W) in [0, 1]."""
        return F.normalize(self.encoder(self.normalise(images))[2].float(), dim=1)
