"""Other exports of a run, made from its journal; nothing is tracked again."""

from collections.abc import Callable
from pathlib import Path

from masktrail.errors import InputError
from masktrail.export import make_writers
from masktrail.run.folder import RunFolder
from masktrail.run.identity import difference, fingerprint, modern
from masktrail.run.journal import Journal
from masktrail.run.pipeline import Output, ahead
from masktrail.run.products import names_of
from masktrail.run.whereabouts import find
from masktrail.video.reader import open_video


def convert(
    run: str | Path,
    export: str,
    out: str | Path | None = None,
    video: str | Path | None = None,
    progress: Callable[[int, int | None], None] = lambda done, expected: None,
    overwrite: bool = False,
) -> int:
    """Writes a run in other formats.

    Args:
        run: folder of the run; what was done of one that was ended early is converted.
        export: names of writers, with commas between.
        out: folder for the files; the run's own by default.
        video: where the video lies now, if it was moved alone.
        progress: called after every frame.
        overwrite: replace files of these names that the run did not make.

    Returns:
        Frames written.

    Raises:
        InputError: no run, no such format, no video or another one, a camera or a pipe, no soft
            masks kept for a format that needs them, files of these names that the run did not make;
            what cannot be written.
    """
    run, out = Path(run), Path(out or run)
    writers = make_writers(export, out)
    folder = RunFolder(out, names_of(writers))
    with Journal(run) as journal:
        about, end = modern(journal.about), journal.following
        known = about["identity"]
        start = known["start"]
        if not end:
            raise InputError(f"The run in {run} has no frame yet; resume it first.")
        if video is None and not about["repeatable"]:
            raise InputError(
                f"The run in {run} is of a camera or a pipe ({about['source']}), and what that "
                "showed cannot be seen again; ask for all formats when tracking it."
            )
        source = video or find(about, run)
        own = out.resolve() == run.resolve()
        if not own and not overwrite:
            folder.check_free()
        cut = not journal.finished or known["end"] is not None or known["direction"] == "backward"
        last = end if cut else None
        with open_video(source, start, last, values=known.get("values")) as opened:
            if difference(known, {"video": fingerprint(opened)}):
                raise InputError(f"{source} is not the video that the run in {run} is of.")
            if own:
                folder.claim(journal, overwrite)
            output = Output(writers, opened.info)
            try:
                for frame in ahead(opened):
                    output.write(frame, journal.read(frame.index, frame.image.shape[:2]))
                    progress(output.written, end - start)
            except BaseException:
                output.abort()
                raise
            output.close()
    return output.written
