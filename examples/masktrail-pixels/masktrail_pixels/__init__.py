"""Each pixel by itself: its colour, against those of object and background in the frame before."""

from masktrail.tracking.family import Family, Lazy

FAMILY = Family(
    name="pixels",
    network=Lazy(__name__, "network:PixelNetwork"),
    config=Lazy(__name__, "network:PixelConfig"),
    propagator=Lazy(__name__, "propagator:PixelPropagator"),
    training=Lazy(__name__, "training:TRAINING"),
)
