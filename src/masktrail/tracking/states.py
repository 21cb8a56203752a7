"""Whether something is the state of a tracker, and of this one."""

from collections.abc import Mapping
from typing import Any

from masktrail.errors import InputError

STATE = {"ids", "size", "frame", "before", "usual", "propagator"}
"""What every state of a tracker tells."""


def check_state(state: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Refuses what is no state, or one of another model; early ones said nothing of theirs.

    Raises:
        InputError: see above.
    """
    if missing := sorted(STATE - state.keys()):
        raise InputError(
            f"This is no state of a tracker: it has no {', '.join(missing)}; give what "
            "tracker.state_dict() gave."
        )
    theirs = state.get("model") or about
    for name, ours in about.items():
        if theirs[name] != ours:
            raise InputError(
                f"This state is of a tracker with {name} {theirs[name]}, not {ours}; load the "
                "model as it was loaded then."
            )
