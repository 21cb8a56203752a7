"""SiamMask: from a box to a mask in every frame."""

from masktrail.tracking.family import Calibration, Family, Lazy, Traits

FAMILY = Family(
    name="siammask",
    network=Lazy(__name__, "network:SiamMask"),
    config=Lazy(__name__, "config:SiamMaskConfig"),
    propagator=Lazy(__name__, "propagator:SiamMaskPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    importer=Lazy(__name__, "importing:from_siammask"),
    traits=Traits(
        prompts=("mask", "box"),
        strays=False,
        rotated=True,
        scores=True,
        calibration=Calibration(0.5, 10.0),
    ),
)
