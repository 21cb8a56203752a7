"""What a data set must be before anything is tracked or scored on it."""

from collections.abc import Iterable
from pathlib import Path

from masktrail.data.check import require_sound
from masktrail.data.davis import find_sequences, list_sequences
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.evaluate.scores import rules_of


def sound_sequences(
    root: Path | str, names: Iterable[str] | None = None, level: str | None = None
) -> list[Sequence]:
    """The sequences of a data set that are measured on, see `data.davis.find_sequences`, looked
    through as `check-data` does.

    Raises:
        InputError: as `find_sequences`, a sequence without masks, or as `require_sound`.
    """
    sequences = find_sequences(root, names, level)
    there = sequences if names is not None else [*sequences, *_without_pictures(root, level)]
    require_sound(there, root, many_objects=True)
    for sequence in sequences:
        if not any(sequence.annotations):
            raise InputError(
                f"Sequence {sequence.name} has no mask; expected {sequence.frames[0].stem}.png "
                f"for {sequence.frames[0].name}, or that it is left out."
            )
    return sequences


def _without_pictures(root: Path | str, level: str | None) -> list[Sequence]:
    return [s for s in list_sequences(root, level) if s.strays and not s.frames]


def check_scorable(sequences: Iterable[Sequence], protocol: str) -> None:
    """Refuses a data set of which no frame would be scored, as MOSE's validation set is.

    Raises:
        InputError: all sequences have too few masks, or an unknown protocol.
    """
    needed = 2 if rules_of(protocol).last_frame else 3
    most = max(sum(path is not None for path in s.annotations) for s in sequences)
    if most < needed:
        raise InputError(
            f"Nothing to score: no sequence has more than {most} masks; the protocol {protocol} "
            f"needs {needed}, the first being the prompt."
        )
