"""Lucid Tracker: a network that is taught each video by dreams of its marked frame."""

from masktrail.tracking.family import Family, Lazy, Traits

FAMILY = Family(
    name="lucid",
    network=Lazy(__name__, "network:LucidNetwork"),
    config=Lazy(__name__, "network:LucidConfig"),
    propagator=Lazy(__name__, "propagator:LucidPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    traits=Traits(learns="budget"),
)
