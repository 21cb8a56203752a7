"""Networks so narrow that a step takes no time."""

MODELS = {
    "memory": {"key": 8, "value": 12, "hidden": 16, "stride8": 12, "stride4": 8},
    "unet": {"width": 8},
    "siamese-unet": {"width": 8},
    "prompt": {"stem": 4, "hidden": 16, "stride8": 12, "stride4": 8, "stride2": 6},
}
"""Fields of the config of every family that is trained."""
