"""AGUNet: a U-Net whose skips are guided by what is like the annotated object."""

from masktrail.tracking.family import Family, Lazy, Traits

FAMILY = Family(
    name="agunet",
    network=Lazy(__name__, "network:AgunetNetwork"),
    config=Lazy(__name__, "config:AgunetConfig"),
    propagator=Lazy(__name__, "propagator:AgunetPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    traits=Traits(learns=("budget", "steps")),
)
