"""What a run is asked to do."""

from dataclasses import dataclass
from pathlib import Path

from masktrail.run.plan import Prompts
from masktrail.settings import DEFAULTS, ModelOptions
from masktrail.video.reader import VideoLike

DEFAULT_EXPORTS = "davis,csv,overlay,review"


@dataclass(frozen=True)
class Job:
    """Everything that decides what a run makes; it can be sent to another process.

    Attributes:
        source: whatever `open_video` opens; what is sent to another process is a name or a number.
        prompts: by object id, for frame `start`; or by frame, counted from the source's frame 0,
            and object id.
        out: folder for the files.
        options: the model, and how it is used.
        export: names of writers, with commas between.
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
        like: folder of a run that this one corrects: what "auto" left to the machine then is taken
            from there, as a run that goes on takes it from `out`.
    """

    source: VideoLike
    prompts: Prompts
    out: str | Path
    options: ModelOptions = DEFAULTS
    export: str = DEFAULT_EXPORTS
    start: int = 0
    end: int | None = None
    values: tuple[float, float] | None = None
    direction: str = "both"
    resume: bool = False
    overwrite: bool = False
    keep_finished: bool = False
    keep_soft: bool = False
    like: Path | None = None
