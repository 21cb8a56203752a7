"""Other exports of a run, made from its journal; nothing is tracked again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from masktrail.errors import InputError
from masktrail.export import make_writers
from masktrail.export.base import Writer
from masktrail.run.folder import RunFolder
from masktrail.run.identity import difference, fingerprint
from masktrail.run.journal import Journal
from masktrail.run.pipeline import Output, ahead
from masktrail.run.products import names_of
from masktrail.run.video_location import places
from masktrail.video.cuts import with_cuts
from masktrail.video.reader import Video, open_video


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
    with Journal(run) as journal, _target(folder, run, journal, overwrite):
        if not journal.following:
            raise InputError(f"The run in {run} has no frame yet; resume it first.")
        with _video_of(journal, run, video) as opened:
            return _write(opened, journal, writers, progress)


@contextmanager
def _target(folder: RunFolder, run: Path, journal: Journal, overwrite: bool) -> Iterator[None]:
    """Where files may be written: the run's own folder, which tells of them, or another one, held
    against other runs."""
    if folder.path.resolve() == run.resolve():
        with folder.claimed(journal, overwrite):
            yield
        return
    if not overwrite:
        folder.check_free(hint="give overwrite=True to replace it, or another folder")
    with Journal(folder.path) if folder.holds_journal else nullcontext():
        yield


def _video_of(journal: Journal, run: Path, video: str | Path | None) -> Video:
    """The video of a run, opened where it lies."""
    about = journal.about
    identity = about["identity"]
    if video is None and not about["repeatable"]:
        raise InputError(
            f"The run in {run} is of a camera or a pipe ({about['source']}), and what that showed "
            "cannot be seen again; ask for all formats when tracking it."
        )
    cut = not journal.finished or identity["end"] is not None or identity["direction"] == "backward"
    last = journal.following if cut else None
    candidates = [video] if video is not None else places(about, run)
    for place in candidates:
        opened = open_video(place, identity["start"], last, values=identity.get("values"))
        if difference(identity, {"video": fingerprint(opened)}) is None:
            return opened
        opened.close()
    hint = "give that one" if video is not None else 'say where that lies, as video="clip.mp4"'
    raise InputError(f"{candidates[0]} is not the video that the run in {run} is of; {hint}.")


def _write(
    video: Video,
    journal: Journal,
    writers: list[Writer],
    progress: Callable[[int, int | None], None],
) -> int:
    output = Output(writers, video.info)
    expected = journal.following - video.info.start
    cuts = set(journal.cuts)  # of what the run saw, if it ended early, more than is seen here
    try:
        for frame in ahead(with_cuts(video)):
            marked = replace(frame, cut=frame.cut or frame.index in cuts)
            output.write(marked, journal.read(frame))
            progress(output.written, expected)
    except BaseException:
        output.abort()
        raise
    output.close()
    return output.written
