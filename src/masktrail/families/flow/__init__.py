"""Masks carried by optical flow."""

from masktrail.tracking.family import Card, Family, Lazy, Traits

FAMILY = Family(
    name="flow",
    cards={
        "flow": Card(
            about="Masks carried along DIS optical flow; needs OpenCV (the extra 'flow')",
            size=480,
            licence="Apache-2.0 (OpenCV)",
            scores={"davis2016-dev10 J&F": 0.399},
        ),
    },
    propagator=Lazy(__name__, "propagator:FlowPropagator"),
    traits=Traits(engines=(), devices=("cpu",)),
)
