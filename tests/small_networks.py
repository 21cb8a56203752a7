"""Networks so narrow that a step takes no time."""

from masktrail.families.agunet.training import AgunetSettings
from masktrail.families.lucid.training import LucidSettings
from masktrail.families.prompt.training import ClickSettings
from masktrail.families.siammask.settings import SiamSettings
from masktrail.families.unet.training import PairSettings

MODELS = {
    "memory": {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8},
    "agunet": {"width": 2, "key": 8},
    "lucid": {"width": 4},
    "unet": {"width": 8},
    "siamese-unet": {"width": 8},
    "siammask": {"width": 8},
    "prompt": {"stem": 4, "hidden": 16, "stride8": 12, "stride4": 8, "stride2": 6},
}
"""Fields of the config of every family that is trained."""

SPOILT = {
    "agunet": AgunetSettings(swap=0.5),
    "unet": PairSettings(corrupt=0.8, teacher=0.5),
    "siamese-unet": PairSettings(corrupt=0.8, teacher=0.5),
    "lucid": LucidSettings(corrupt=0.8, teacher=0.5, still=0.3),
    "siammask": SiamSettings(search=143, shift=8, strangers=0.5, blur=0.5, windows=3),
    "prompt": ClickSettings(box=0.3, mask=0.3, rounds=2),
}
"""What their steps are told besides, such that all they can do happens."""
