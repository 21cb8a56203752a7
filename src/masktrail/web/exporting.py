"""Downloads: a run in other formats, each made on a thread when it is asked for."""

import shutil
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.files import delete, make_folder, remove_empty, replacing
from masktrail.run.convert import convert
from masktrail.web.project import Project
from masktrail.web.wording import on_page

FOLDER = "exports"
"""Of a project, for the files to be downloaded."""

MAKING = ".making-"
"""How the folder of a download begins that is being made."""


class Exporting:
    """The downloads of one project.

    Args:
        project: whose latest run is exported.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._state = "none"
        self._message: str | None = None
        self._done = 0
        self._expected: int | None = None
        self._files: dict[str, Path] = {}

    @property
    def busy(self) -> bool:
        """Whether files are being made."""
        return self._state == "running"

    def start(self, names: Sequence[str]) -> None:
        """Begins to make files.

        Raises:
            InputError: no such format, no run, or files are being made already.
        """
        unknown = [name for name in names if name not in WRITERS]
        if unknown or not names:
            problem = f"No export {', '.join(unknown)}" if unknown else "No export chosen"
            raise InputError(f"{problem}; there are {', '.join(WRITERS)}.")
        if self._project.run is None:
            raise InputError("Nothing is tracked yet; track first, then export.")
        if self.busy:
            raise InputError("An export is being made already; wait for it.")
        self._state, self._message, self._done, self._expected = "running", None, 0, None
        self._files = {}
        self._stopping.clear()
        formats = list(dict.fromkeys(names))
        self._thread = threading.Thread(target=self._run, args=(formats,), daemon=True)
        self._thread.start()

    def status(self) -> dict[str, Any]:
        """What the page shows."""
        state = self._state  # before the files: all are there when it is done
        files = [
            {"export": name, "name": path.name, "bytes": path.stat().st_size}
            for name, path in tuple(self._files.items())
        ]
        return {
            "state": state,
            "done": self._done,
            "expected": self._expected,
            "message": self._message,
            "files": files,
        }

    def file(self, name: str) -> Path:
        """The file of an export that was made.

        Raises:
            InputError: it was not.
        """
        if name not in self._files:
            raise InputError(f"The export {name} was not made yet; choose it and export again.")
        return self._files[name]

    def stop(self) -> None:
        """Waits for the end of what goes on; nothing half-made is left."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, names: list[str]) -> None:
        folder = self._project.folder / FOLDER
        try:
            self._clear(folder)
            for place, name in enumerate(names):
                self._files[name] = self._make(name, folder, place, len(names))
            self._state = "done"
        except InputError as error:
            self._fail(on_page(error))
        except KeyboardInterrupt:
            self._fail("The export was stopped.")
        except Exception as error:
            self._fail(f"The export failed: {error!r}")
            raise

    def _fail(self, message: str) -> None:
        self._message = message
        self._state = "failed"  # last: what is told of a state is there with it

    def _make(self, name: str, folder: Path, place: int, count: int) -> Path:
        run = self._project.run
        assert run is not None

        def progress(done: int, expected: int | None) -> None:
            if self._stopping.is_set():
                raise KeyboardInterrupt
            total = expected or 0
            self._done, self._expected = place * total + done, count * total

        make_folder(folder)
        with TemporaryDirectory(prefix=MAKING, dir=folder) as temporary:
            convert(run, name, temporary, self._project.video, progress)
            return _one_file(Path(temporary), folder / self._title(name))

    def _title(self, name: str) -> str:
        return f"{self._project.name}-{name}"

    def _clear(self, folder: Path) -> None:
        """Removes downloads of before, and what was left of one that was killed."""
        for name, writer in WRITERS.items():
            title = self._title(name)
            for suffix in {".zip", *(Path(file).suffix for file in writer.files)}:
                delete(folder / f"{title}{suffix}")
                delete(folder / name / f"{title}{suffix}")  # where version 0.1 put it
            remove_empty(folder / name)
        for path in list(folder.glob(f"{MAKING}*")):
            shutil.rmtree(path, ignore_errors=True)


def _one_file(folder: Path, target: Path) -> Path:
    """What lies in a folder as a single file, as it is or as a ZIP archive, with a suffix."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) == 1:
        return files[0].replace(target.with_name(target.name + files[0].suffix))
    archive = target.with_name(f"{target.name}.zip")
    with replacing(archive) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            packed.write(path, path.relative_to(folder))
    return archive
