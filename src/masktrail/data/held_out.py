"""What models are measured or chosen on, and what keeps it out of training."""

from collections.abc import Iterable
from pathlib import Path

from masktrail.errors import InputError

DAVIS2016_VAL = frozenset(
    [
        "blackswan",
        "bmx-trees",
        "breakdance",
        "camel",
        "car-roundabout",
        "car-shadow",
        "cows",
        "dance-twirl",
        "dog",
        "drift-chicane",
        "drift-straight",
        "goat",
        "horsejump-high",
        "kite-surf",
        "libby",
        "motocross-jump",
        "paragliding-launch",
        "parkour",
        "scooter-black",
        "soapbox",
    ]
)
"""The 20 sequences kept for measuring; no training set may hold one."""

TUNING = frozenset(["dance-jump", "drift-turn", "horsejump-low"])
"""Three of DAVIS-2016's 30 training sequences on which settings, and the better of two weights, are
chosen; no training set may hold one either."""

HELD_OUT = DAVIS2016_VAL | TUNING


def refuse_held_out(names: Iterable[str], source: Path | str) -> None:
    """Keeps what is measured on out of training.

    Args:
        names: of the sequences in a training set.
        source: where they come from, for the message.

    Raises:
        InputError: one of them is in `HELD_OUT`.
    """
    held_out = sorted({name for name in names if name.rsplit("/", 1)[-1] in HELD_OUT})
    if held_out:
        raise InputError(
            f"{source} holds {', '.join(held_out)}: DAVIS-2016 sequences on which models are "
            "measured or chosen and none may be trained. Leave them out of the pack (or rename "
            "a sequence of your own that happens to be called so)."
        )
