"""What the masks of a run follow from, and by which it is known again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from masktrail.errors import InputError
from masktrail.pictures.kinds import is_picture
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.run.job import Job
from masktrail.run.plan import Plan
from masktrail.settings import ModelOptions
from masktrail.video.reader import Video, can_be_repeated

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

VERSION = 3
"""Raised whenever equal pictures, prompts, weights and settings come to give other masks."""

REQUIRED = {"video", "prompts", "start", "end", "direction", "weights", "size", "settings"}
"""What every identity tells."""

SOME = 2**12
"""Bytes of the beginning and the end of a picture by which its content is known."""

ENDS = 2**16
"""Bytes of a file's beginning and of its end by which its content is known."""


def of_model(tracker: "Tracker", edges: str) -> dict[str, Any]:
    """What masks depend on besides pictures and prompts.

    Args:
        tracker: that tracks.
        edges: plain or refined.
    """
    about = tracker.provenance
    return {
        "weights": about.weights,
        "size": tracker.size,
        "device": tracker.propagator.device,
        "engine": about.engine,
        "graphs": about.graphs,
        "precision": about.precision,
        "settings": dict(about.told),
        "defaults": {name: v for name, v in tracker.settings.items() if name not in about.told},
        "edges": edges,
        "family": tracker.family,
        "version": VERSION,
    }


CHOSEN = ("device", "engine", "precision")
"""What "auto" leaves to the machine."""

COMPUTED = (*CHOSEN, "graphs")
"""What else than its task, weights and settings a run is of."""


def as_recorded(
    options: ModelOptions, requested: Mapping[str, Any], recorded: Mapping[str, Any]
) -> ModelOptions | None:
    """What a run was computed with, in place of what "auto" chose now.

    Args:
        options: as they were asked for.
        requested: identity of what they gave.
        recorded: identity of a run.

    Returns:
        None where both are the same anyhow, are of different weights, or where something else was
        asked for.
    """
    before: dict[str, str] = {key: recorded[key] for key in CHOSEN if key in recorded}
    now = {key: requested[key] for key in before}
    if requested["weights"] != recorded.get("weights") or len(before) < len(CHOSEN):
        return None
    agree = all(
        getattr(options, key) in ("auto", before[key], before[key].partition(":")[0])
        for key in CHOSEN
    )
    if before == now or not agree:
        return None
    device, engine, precision = (before[key] for key in CHOSEN)
    return replace(options, device=device, engine=engine, precision=precision)


def of_task(video: Video, plan: Plan, job: Job) -> dict[str, Any]:
    """What masks depend on besides the model: pictures, prompts, frames."""
    return {
        "video": fingerprint(video),
        "prompts": prompts_to_json(plan),
        "start": plan.start,
        "end": job.end,
        "values": job.values,
        "direction": job.direction,
    }


def difference(recorded: Mapping[str, Any], requested: Mapping[str, Any]) -> str | None:
    """The first thing in which two identities differ; what an older one does not tell of is none.

    Args:
        recorded: as a journal holds it.
        requested: now.
    """
    now = json.loads(json.dumps(requested))
    if "video" in recorded:
        now["video"] = {key: now["video"].get(key) for key in recorded["video"]}
    if "defaults" in recorded and "defaults" in now:  # settings that there were not yet
        known = recorded["defaults"]
        now["defaults"] = {name: v for name, v in now["defaults"].items() if name in known}
    return next((key for key in now if key in recorded and recorded[key] != now[key]), None)


def is_another(recorded: Mapping[str, Any], requested: Mapping[str, Any]) -> bool:
    """Whether two identities differ, whatever computed their runs."""
    task = {key: value for key, value in requested.items() if key not in COMPUTED}
    return difference(recorded, task) is not None


def modern(about: Any) -> dict[str, Any]:
    """What a journal of any version tells of its run, as those of this one tell it.

    Raises:
        ValueError, TypeError, KeyError: it is malformed.
    """
    if "identity" in about:
        record = dict(about)
    else:
        keys = ("prompts", "start", "end", "direction", "weights", "size", "device", "precision")
        video = dict(about["seen"])
        video.pop("frames" if video["bytes"] is not None else "bytes")  # a guess, of files
        record = {
            "identity": {
                **{key: about[key] for key in keys},
                "edges": about.get("edges", "plain"),
                "settings": about.get("settings", {}),
                "video": video,
            },
            "source": about["video"],
            "repeatable": can_be_repeated(about["video"]),
            "export": about["export"],
        }
    if not record["identity"].keys() >= REQUIRED:
        raise ValueError("it does not tell what its run is of")
    record["identity"] = _with_engine(record["identity"])
    if not isinstance(record["source"], str) or not isinstance(record["repeatable"], bool):
        raise ValueError("it does not tell where its video is")
    return record


def _with_engine(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity of before there were engines: torch computed it, "float" where bfloat16 is fast
    in that."""
    if "engine" in identity or identity["weights"] is None:
        return dict(identity)
    precision = identity.get("precision")
    if precision == "float":
        with suppress(ImportError, InputError):
            from masktrail.devices import choose_device, has_fast_bfloat16

            fast = has_fast_bfloat16(choose_device(identity.get("device", "cpu")))
            precision = "bfloat16" if fast else "float"
    return {**identity, "engine": "torch", "precision": precision}


def fingerprint(video: Video) -> dict[str, Any]:
    """What tells a video from another one, wherever it lies."""
    info, path = video.info, Path(video.info.source)
    size = [info.width, info.height]
    if video.given:
        return {"size": size, "frames": info.frames, "content": video.content()}
    if path.is_file():
        return {"size": size, "bytes": path.stat().st_size, "content": _content(path)}
    if path.is_dir():
        return {"size": size, "frames": info.frames, "content": _content(path)}
    return {"size": size, "frames": info.frames}


def _content(path: Path) -> str:
    """Of a video file what it begins and ends with; of a folder the same of its pictures."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if is_picture(p) and p.is_file()):
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            digest.update(_ends(file, SOME))
    else:
        digest.update(_ends(path, ENDS))
    return digest.hexdigest()[:16]


def _ends(path: Path, count: int) -> bytes:
    with path.open("rb") as opened:
        first = opened.read(count)
        opened.seek(max(0, path.stat().st_size - count))
        return first + opened.read(count)


def prompts_to_json(plan: Plan) -> dict[int, Any]:
    """Prompts as `run.json` holds them: by object id where they are for the first frame alone."""
    by_frame = {
        frame: {i: _prompt_to_json(prompt) for i, prompt in prompts.items()}
        for frame, prompts in plan.prompts.items()
    }
    return by_frame[plan.start] if plan.last == plan.start else by_frame


def _prompt_to_json(prompt: Prompt) -> Any:
    if isinstance(prompt, Mask):
        return {"mask": mask_hash(prompt.mask)}
    if isinstance(prompt, Box):
        return [_plain(x) for x in (prompt.x0, prompt.y0, prompt.x1, prompt.y1)]
    clicks = [
        [_plain(x), _plain(y), int(on)]
        for (x, y), on in zip(prompt.points, prompt.labels, strict=True)
    ]
    box = {"box": _prompt_to_json(prompt.box)} if prompt.box else {}
    return {"points": clicks, **box, **(_prompt_to_json(prompt.mask) if prompt.mask else {})}


def prompts_from_json(
    stored: Mapping[str, Any], start: int, mask_of: Callable[[int, int, str], Mask]
) -> dict[int, dict[int, Prompt]]:
    """Prompts by frame and object id, of which `prompts_to_json` made something.

    Args:
        stored: that.
        start: first frame of the run.
        mask_of: the mask of a frame and an object id, by its `mask_hash`.

    Raises:
        ValueError, TypeError, KeyError: it is malformed.
    """
    nested = all(isinstance(v, Mapping) and all(k.isdigit() for k in v) for v in stored.values())
    frames = stored if nested else {start: stored}
    return {
        int(frame): {
            int(i): _prompt_from_json(content, partial(mask_of, int(frame), int(i)))
            for i, content in objects.items()
        }
        for frame, objects in frames.items()
    }


def _prompt_from_json(content: Any, mask_of: Callable[[str], Mask]) -> Prompt:
    if not isinstance(content, Mapping):
        return Box(*content)
    if "points" not in content:
        return mask_of(content["mask"])
    mask = mask_of(content["mask"]) if "mask" in content else None
    points = [(x, y) for x, y, _ in content["points"]]
    labels = [bool(on) for _, _, on in content["points"]]
    return Points(points, labels, Box(*content["box"]) if "box" in content else None, mask)


def mask_hash(mask: ArrayLike) -> str:
    """What is said of a mask (H, W) in place of it."""
    return hashlib.sha256(np.asarray(mask).tobytes()).hexdigest()[:16]


def _plain(number: float) -> float:
    """A number of any library as JSON takes it."""
    return int(number) if number == int(number) else float(number)
