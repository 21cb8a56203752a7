"""What of an evaluation is finished, and whether it may be used again."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from masktrail.data.sequence import Sequence
from masktrail.evaluate.tracking import Timing
from masktrail.files import replacing

log = logging.getLogger(__name__)

NAME = "evaluate.json"


@dataclass(frozen=True)
class Entry:
    """One finished sequence.

    Attributes:
        data: SHA-256 over its pictures and masks.
        timing: how long it took.
        peak_memory_mb: of the process until it was finished, MiB; None where nobody knows.
    """

    data: str
    timing: Timing
    peak_memory_mb: float | None


class Journal:
    """Finished sequences of one model, kept beside its masks in `evaluate.json`.

    Args:
        folder: of the model's masks; made where it is missing.
        identity: what the masks depend on besides the data: weights, prompt, settings. A journal
            of another identity is begun anew.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._identity = folder, json.loads(json.dumps(identity))
        self.entries = self._read()

    def finished(self, sequence: Sequence) -> bool:
        """Whether the sequence was tracked from the same data and all its masks are there."""
        entry = self.entries.get(sequence.name)
        if entry is None:
            return False
        folder = self._folder / sequence.name
        whole = all((folder / f"{frame.stem}.png").is_file() for frame in sequence.frames)
        return whole and entry.data == fingerprint(sequence)

    def add(self, sequence: Sequence, timing: Timing, peak_memory_mb: float | None) -> None:
        """Notes a finished sequence.

        Raises:
            InputError: the journal cannot be written.
        """
        self.entries[sequence.name] = Entry(fingerprint(sequence), timing, peak_memory_mb)
        self._write()

    def drop(self, sequence: Sequence) -> None:
        """Forgets a sequence that is about to be tracked anew."""
        if self.entries.pop(sequence.name, None):
            self._write()

    def _write(self) -> None:
        rows = {name: asdict(entry) for name, entry in self.entries.items()}
        with replacing(self._folder / NAME) as part:
            part.write_text(json.dumps({**self._identity, "sequences": rows}, indent=2) + "\n")

    def _read(self) -> dict[str, Entry]:
        path = self._folder / NAME
        if not path.is_file():
            return {}
        try:
            content = json.loads(path.read_text())
            rows = content.pop("sequences")
            entries = {n: Entry(**{**r, "timing": Timing(**r["timing"])}) for n, r in rows.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            log.warning("%s cannot be read; everything is tracked anew.", path)
            return {}
        changed = [k for k in self._identity if content.get(k) != self._identity[k]]
        if changed or content.keys() != self._identity.keys():
            what = ", ".join(changed) or "the format"
            log.warning("%s is of another run (%s differ); tracking anew.", path, what)
            return {}
        return entries


def fingerprint(sequence: Sequence) -> str:
    """SHA-256 over names and contents of a sequence's pictures and masks."""
    digest = hashlib.sha256()
    for path in [*sequence.frames, *filter(None, sequence.annotations)]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
