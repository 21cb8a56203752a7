"""Which videos are held out of training: by a seeded hash, recordings whole."""

import hashlib
import logging
import math
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from masktrail.errors import InputError

log = logging.getLogger(__name__)

PARTS = ("train", "held-out")


@dataclass(frozen=True)
class SplitSettings:
    """How videos are split and frames without the object kept.

    Attributes:
        seed: of both choices.
        held_out: share of the videos kept out of training, 0 to below 1.
        negatives: at most this many frames without the object for every frame that shows it.
        recording: regular expression for the beginning of a video's name that tells which
            recording it was cut from; "" where every video is one of its own.
    """

    seed: int = 0
    held_out: float = 0.2
    negatives: float = 0.25
    recording: str = ""


def check_settings(settings: SplitSettings) -> None:
    """Refuses settings out of range.

    Raises:
        InputError: which, and what is expected.
    """
    if not 0 <= settings.held_out < 1:
        raise InputError(
            f"held_out={settings.held_out:g} is no share of the videos that leaves some to train "
            "on; expected 0 or more and less than 1."
        )
    if not (0 <= settings.negatives < math.inf):
        raise InputError(
            f"negatives={settings.negatives:g} is no ratio; expected 0 or more, as 0.25 for one "
            "frame without the object to four that show it."
        )
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            re.compile(settings.recording)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(
            f"recording={settings.recording!r} is no regular expression ({error}); expected one "
            r"for the beginning of a name, as '.+(?=-\d+$)' for all but a number at the end."
        ) from error


def check_recordings(names: list[str], settings: SplitSettings) -> None:
    """Says where `recording` does not do what it is given for: it holds for other names, or all.

    Raises:
        InputError: all names are of one recording, though some are to be held out.
    """
    count = len(_recordings(names, settings.recording))
    if not settings.recording or not settings.held_out or len(names) == 1:
        return
    if count == 1:
        raise InputError(
            f"By recording={settings.recording!r} all {len(names)} videos are of one recording, "
            "and none can be held out; expected what tells recordings apart, or held_out=0."
        )
    if count == len(names):
        log.warning(
            "By recording=%r no two of the %d videos are of one recording.",
            settings.recording,
            count,
        )


def split_videos(names: Iterable[str], settings: SplitSettings) -> set[str]:
    """Names of the videos to hold out: those whose recording's seeded hash is lowest.

    The order of the names plays no part. What was cut from one recording stays together: recordings
    are taken as long as they fit into the share, and the smallest where none does. One is held out
    of two or more at least, none of one.
    """
    recordings = _recordings(names, settings.recording)
    ranked = sorted(
        recordings, key=lambda name: hashlib.sha256(f"{settings.seed}/{name}".encode()).digest()
    )
    count = sum(map(len, recordings.values()))
    most = min(max(1, round(settings.held_out * count)), count - 1) if settings.held_out else 0
    held_out: set[str] = set()
    for recording in ranked:
        if len(held_out) + len(recordings[recording]) <= most:
            held_out.update(recordings[recording])
    if most and not held_out and len(ranked) > 1:
        return set(recordings[min(ranked, key=lambda name: len(recordings[name]))])
    return held_out


def _recordings(names: Iterable[str], pattern: str) -> dict[str, list[str]]:
    """Videos by what they were cut from: the beginning of the name that `pattern` finds, or all of
    it."""
    recordings: dict[str, list[str]] = defaultdict(list)
    for name in names:
        match = re.match(pattern, name)
        recordings[(match and match[0]) or name].append(name)
    return recordings
