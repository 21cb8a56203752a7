"""The first mask, repeated."""

from masktrail.tracking.family import Card, Family, Lazy, Traits

FAMILY = Family(
    name="copy",
    cards={
        "copy": Card(
            about="The first mask in every frame: what any model has to beat",
            scores={"davis2016-dev10 J&F": 0.260},
            size=4320,
        ),
    },
    propagator=Lazy(__name__, "propagator:CopyPropagator"),
    traits=Traits(engines=(), devices=("cpu",)),
)
