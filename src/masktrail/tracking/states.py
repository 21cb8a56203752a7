"""Whether something is the state of a tracker, and of this one."""

from collections.abc import Mapping
from typing import Any

from masktrail.errors import InputError

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What comes of contents that are not as they were given."""

STATE = {"ids", "size", "frame", "before", "usual", "propagator"}
"""What every state of a tracker tells."""


def check_state(state: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Refuses what is no state, or one of another model; early ones said nothing of theirs.

    Raises:
        InputError: see above.
    """
    if not isinstance(state, Mapping):
        raise InputError(
            f"This is no state of a tracker, but {type(state).__name__}; give what "
            "tracker.state_dict() gave."
        )
    if missing := sorted(STATE - state.keys()):
        raise InputError(
            f"This is no state of a tracker: it has no {', '.join(missing)}; give what "
            "tracker.state_dict() gave."
        )
    told = state.get("model") or about
    theirs = told if isinstance(told, Mapping) else {}
    for name, ours in about.items():
        if theirs.get(name) != ours:
            raise InputError(
                f"This state is of a tracker with {name} {theirs.get(name)}, not {ours}; load the "
                "model as it was loaded then."
            )


def damaged(error: Exception) -> InputError:
    """The sentence for a state whose contents are not as they were given."""
    return InputError(
        f"This state of a tracker is damaged ({type(error).__name__}: {error}); give what "
        "tracker.state_dict() gave."
    )
