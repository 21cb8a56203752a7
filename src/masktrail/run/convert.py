"""Other exports of a run, made from its journal; nothing is tracked again."""

from collections.abc import Callable
from pathlib import Path

from masktrail.errors import InputError
from masktrail.export import make_writers
from masktrail.run.journal import Journal
from masktrail.run.pipeline import Output, ahead
from masktrail.run.record import fingerprint
from masktrail.video.reader import open_video


def convert(
    run: str | Path,
    export: str,
    out: str | Path | None = None,
    video: str | Path | None = None,
    progress: Callable[[int, int | None], None] = lambda done, expected: None,
) -> int:
    """Writes a run in other formats.

    Args:
        run: folder of the run; what was done of one that was ended early is converted.
        export: names of writers, with commas between.
        out: folder for the files; the run's own by default.
        video: where the video lies now, if it was moved.
        progress: called after every frame.

    Returns:
        Frames written.

    Raises:
        InputError: no run, no such format, no video or another one, no soft masks kept for a format
            that needs them; what cannot be written.
    """
    writers = make_writers(export, Path(out or run))
    with Journal(Path(run)) as journal:
        about = journal.about
        source, end = video or about["video"], journal.following
        if not end:
            raise InputError(f"The run in {run} has no frame yet; resume it first.")
        with open_video(source, about["start"], end) as opened:
            if fingerprint(opened) != about["seen"]:
                raise InputError(f"{source} is not the video that the run in {run} is of.")
            output = Output(writers, opened.info)
            try:
                for frame in ahead(opened):
                    output.write(frame, journal.read(frame.index, frame.image.shape[:2]))
                    progress(output.written, end - about["start"])
            except BaseException:
                output.abort()
                raise
            output.close()
    return output.written
