"""One propagator per family of models, behind the one `Tracker`."""

from masktrail.trackers.memory import MemoryPropagator

PROPAGATORS = {"memory": MemoryPropagator}
"""Family name to the class that propagates with a network of it."""
