"""The networks, one paper per file, found by the name of their family."""

from torch import nn

from masktrail.models.labelprop import FeatureConfig, FeatureNetwork
from masktrail.models.memory import MemoryConfig, MemoryNetwork
from masktrail.models.prompt import PromptConfig, PromptNetwork
from masktrail.models.siamese import SiameseConfig, SiameseUNet
from masktrail.models.unet import UNet, UNetConfig

MODELS: dict[str, tuple[type[nn.Module], type]] = {
    "memory": (MemoryNetwork, MemoryConfig),
    "labelprop": (FeatureNetwork, FeatureConfig),
    "unet": (UNet, UNetConfig),
    "siamese-unet": (SiameseUNet, SiameseConfig),
    "prompt": (PromptNetwork, PromptConfig),
}
"""Family name to (network class, config class)."""


def create(family: str, **config: object) -> nn.Module:
    """A network of `family` with fresh weights; `config` are the fields of its config class."""
    network, settings = MODELS[family]
    return network(settings(**config))
