"""Models over a data set: their masks, J and F, and how long it took."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from masktrail.data import davis
from masktrail.data.sequence import Sequence as Video
from masktrail.errors import InputError
from masktrail.evaluate.checks import check_scorable, sound_sequences
from masktrail.evaluate.folders import measure_sound
from masktrail.evaluate.journal import Entry, Journal
from masktrail.evaluate.scores import rules_of
from masktrail.evaluate.tracking import PROMPTS, track_to_folder
from masktrail.masks.edges import check_edges
from masktrail.run.identity import VERSION, of_model
from masktrail.run.record import peak_memory_mb, versions
from masktrail.settings import DEFAULTS, ModelOptions, format_settings
from masktrail.zoo import own_settings, tracker_of

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

Progress = Callable[[str, int, int], None]
"""Called with model and sequence, frames done and frames in all, over the whole data set."""


def evaluate(
    models: Sequence[str | Path],
    root: Path | str,
    names: Sequence[str] | None = None,
    prompt: str = "mask",
    protocol: str = "davis",
    masks: Path | None = None,
    options: ModelOptions = DEFAULTS,
    progress: Progress = lambda name, done, total: None,
    level: str | None = None,
) -> list[dict[str, Any]]:
    """Tracks every sequence of a data set from its first masks with every model, and scores that.

    Args:
        models: whatever `zoo.load` loads, each.
        root: data set, see `data.davis.find_sequences`.
        names: only these sequences.
        prompt: "mask", or "box" for the tight box of an object's first mask.
        protocol: "davis" or "report".
        masks: folder for the predicted label maps, `<model>/<sequence>/<frame>.png`. What is
            finished there is not tracked again where weights, data, prompt and settings are the
            same.
        options: for all models, which must have their settings; those settings that are not so
            anyhow stand behind the models' names. Their own model is left aside.
        progress: called after every frame.
        level: resolution of the data set, see `data.davis.find_level`; one that would not be read
            anyhow stands behind the models' names, too.

    Returns:
        By model, what `folders.measure_folder` returns, "speed" and "peak_memory_mb" filled in,
        and "weights_sha256", "prompt" and "settings" added.

    Raises:
        InputError: no such model, data set, sequence, prompt or protocol; a setting that a model
            has not; two models of one name; a data set with holes. Nothing has been tracked then.
    """
    _check_choices(prompt, protocol, options.edges)
    read = davis.find_level(root, level)
    labels = _distinct_names(
        models, options.settings, "" if read == davis.find_level(root) else read
    )
    sequences = sound_sequences(root, names, level)
    check_scorable(sequences, protocol)
    for model in models:
        # what cannot be used is refused before hours of work
        tracker_of(replace(options, model=model))
    results = []
    with _folder(masks) as out:
        for label, model in labels.items():
            reset_peak_memory()
            model_options = replace(options, model=model)
            tracker = tracker_of(model_options)
            identity = _identity(model_options, tracker, prompt)
            entries = _track(tracker, sequences, out / label, identity, label, progress)
            figures = measure_sound(out / label, sequences, root, read, protocol)
            results.append({**figures, **_costs(entries), **identity})
    return results


def _check_choices(prompt: str, protocol: str, edges: str) -> None:
    rules_of(protocol)
    check_edges(edges)
    if prompt not in PROMPTS:
        raise InputError(f"No prompt {prompt!r}; there are {', '.join(PROMPTS)}.")


def name_of(model: str | Path) -> str:
    """What a model is called in tables and folders: its name in the zoo, or its folder's."""
    path = Path(model)
    if os.path.isdir(path):  # unlike `Path.is_dir`, no error for a name that cannot be one
        return path.resolve().name
    if path.name == "weights.safetensors":
        return path.resolve().parent.name
    return path.stem if os.path.isfile(path) else str(model)


def reset_peak_memory() -> None:
    """Lets the peak memory of this process start from what it holds now, where Linux allows."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _distinct_names(
    models: Sequence[str | Path], settings: Mapping[str, Any], level: str
) -> dict[str, str | Path]:
    """Models by the names of their rows: their own, and what they are told or shown otherwise."""
    labels = {
        " ".join(filter(None, (name_of(m), format_settings(own_settings(m, settings)), level))): m
        for m in models
    }
    if len(labels) < len(models):
        names = [name_of(model) for model in models]
        shared = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise InputError(
            f"Several of the models are called {', '.join(shared)}; give each once, or rename "
            "a folder: masks and tables are kept by name."
        )
    return labels


@contextmanager
def _folder(masks: Path | None) -> Iterator[Path]:
    """The folder for masks, or one that goes away again."""
    if masks is not None:
        yield Path(masks)
        return
    with TemporaryDirectory(prefix="masktrail-") as folder:
        yield Path(folder)


def _identity(options: ModelOptions, tracker: "Tracker", prompt: str) -> dict[str, Any]:
    record = of_model(tracker, options.edges)
    where = ("size", "device", "engine", "precision", "edges")
    return {
        "weights_sha256": record["weights"],
        "prompt": prompt,
        "settings": {**{name: record[name] for name in where}, **tracker.settings},
    }


def _track(
    tracker: "Tracker",
    sequences: Sequence[Video],
    folder: Path,
    identity: dict[str, Any],
    label: str,
    progress: Progress,
) -> list[Entry]:
    """Masks of all sequences into `folder`; those finished before are left as they are."""
    version = {
        "masktrail": versions()["masktrail"],
        **({"version": VERSION} if VERSION > 1 else {}),
    }
    journal = Journal(folder, {**identity, **version})
    initial = tracker.state_dict()
    before, total = 0, sum(len(s) for s in sequences)
    for sequence in sequences:
        title = f"{label} {sequence.name}"
        if not journal.finished(sequence):
            journal.drop(sequence)
            tracker.load_state_dict(initial)
            timing = track_to_folder(
                tracker,
                sequence,
                identity["prompt"],
                folder / sequence.name,
                partial(_tell, progress, title, before, total),
                identity["settings"]["edges"],
            )
            journal.add(sequence, timing, peak_memory_mb())
        before += len(sequence)
        progress(title, before, total)
    return [journal.entries[s.name] for s in sequences]


def _tell(progress: Progress, title: str, before: int, total: int, frames: int) -> None:
    progress(title, before + frames, total)


def _costs(entries: Sequence[Entry]) -> dict[str, Any]:
    """Speeds over all sequences and the highest peak of memory, as the JSON names them."""
    frames = sum(e.timing.frames for e in entries)
    peaks = [e.peak_memory_mb for e in entries if e.peak_memory_mb is not None]
    return {
        "speed": {
            "tracking_fps": frames / sum(e.timing.tracking_seconds for e in entries),
            "end_to_end_fps": frames / sum(e.timing.seconds for e in entries),
        },
        "peak_memory_mb": max(peaks, default=None),
    }
