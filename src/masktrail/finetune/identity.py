"""What data a training was begun with, so that nobody goes on with it on other data."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from masktrail.data.sequence import Sequence
from masktrail.errors import InputError

DATA = "data.json"
"""In the folder of a training: digests of all it was begun with."""

Digests = Mapping[str, Mapping[str, str]]
"""By part, `trained` or `held_out`, and by sequence."""


def content(sequences: list[Sequence]) -> dict[str, str]:
    """SHA-256 by sequence: of the names and bytes of its pictures and masks."""
    digests = {}
    for sequence in sequences:
        digest = hashlib.sha256()
        for path in (*sequence.frames, *filter(None, sequence.annotations)):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        digests[sequence.name] = digest.hexdigest()
    return digests


def require_same(out: Path, data: Digests, root: Path) -> None:
    """Refuses to go on with a training on other data than it was begun with.

    Args:
        out: folder of the training.
        data: what there is now.
        root: where, for the sentence.

    Raises:
        InputError: they differ, or nobody knows.
    """
    try:
        begun = json.loads((out / DATA).read_text())
    except (OSError, ValueError):
        raise InputError(
            f"{out} does not say what data its training was begun with ({DATA} is missing or "
            "damaged); train into another folder, or anew by overwrite=True."
        ) from None
    for part, verb in (("trained", "trained"), ("held_out", "measured")):
        before, now = begun.get(part, {}), data[part]
        other = sorted({n for n in {*before, *now} if before.get(n) != now.get(n)})
        if other:
            raise InputError(
                f"The training in {out} was begun with other data than {root} holds: among what it "
                f"{verb} on, {', '.join(other[:5])} came, went or changed. Train into another "
                "folder, or anew by overwrite=True."
            )
