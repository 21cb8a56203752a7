"""What a run is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masktrail.run.plan import Prompts
from masktrail.zoo import DEFAULT

DEFAULT_EXPORTS = "davis,csv,overlay,review"


@dataclass(frozen=True)
class Job:
    """Everything that decides what a run makes; it can be sent to another process.

    Attributes:
        source: whatever `open_video` opens.
        prompts: by object id, for frame `start`; or by frame, counted from the source's frame 0,
            and object id.
        out: folder for the files.
        model: whatever `zoo.load` loads.
        export: names of writers, with commas between.
        size: short side to work at, pixels; the model's own by default.
        device: where to compute.
        precision: see `zoo.load`.
        settings: the model's own, by name, see `zoo.settings_of`.
        edges: "plain", or "refined": drawn to those of the picture, see `masktrail.edges`.
        start: first frame, counted from 0.
        end: frame to stop before.
        values: range of pictures of 16 bits or of floats, see `open_video`.
        direction: "both": forward behind the last prompt, backward before the first, both ways
            between; "forward": every frame as it comes, which is all that cameras and pipes can;
            "backward": from the last prompt to frame `start`, and nothing behind it.
        resume: go on with the run in `out`, whatever ended it; all else must be as it was.
        overwrite: replace the run in `out`; with `resume` only if it is another one than this.
        keep_finished: leave the run in `out` as it is where it is this one, finished and whole.
        keep_soft: keep soft masks in the journal even if no writer of `export` needs them, for
            exports that are made later.
    """

    source: str | Path | int
    prompts: Prompts
    out: str | Path
    model: str | Path = DEFAULT
    export: str = DEFAULT_EXPORTS
    size: int | None = None
    device: str = "auto"
    precision: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict)
    edges: str = "plain"
    start: int = 0
    end: int | None = None
    values: tuple[float, float] | None = None
    direction: str = "both"
    resume: bool = False
    overwrite: bool = False
    keep_finished: bool = False
    keep_soft: bool = False
