"""What a tracker was made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Provenance:
    """Of a tracker, for reports and for the identities of runs and states.

    Attributes:
        model: as it was loaded: a name, a folder or a file; empty of what was not loaded.
        weights: SHA-256 of the model's, if it has any.
        engine: what computes it.
        graphs: SHA-256 of the files that the engine computes, if any.
        precision: what it computes in.
        told: those of the model's settings that are not its defaults, by name.
    """

    model: str = ""
    weights: str | None = None
    engine: str = "none"
    graphs: str | None = None
    precision: str = "float"
    told: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN = Provenance()
"""Of a tracker that was put together by hand."""
