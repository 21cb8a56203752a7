"""What the page has open: one project at a time, with its video, its run and its downloads."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from masktrail.demo import render_demo
from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.types import LabelMap
from masktrail.video.browse import Browser
from masktrail.web.allowed_files import AllowedFiles
from masktrail.web.exporting import Exporting
from masktrail.web.marks import Mark, check_mark
from masktrail.web.preview import Preview
from masktrail.web.project import FILE, Project
from masktrail.web.tracking import Tracking
from masktrail.zoo import load_prompter, trackers

DEMO = "demo"
"""Name of the project of the demo clip."""


@dataclass
class Opened:
    """A project that is open.

    Attributes:
        key: of this opening; other ones have others.
        warming: what makes the first preview quick.
    """

    key: str
    project: Project
    browser: Browser
    tracking: Tracking
    exporting: Exporting
    warming: threading.Thread

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the video, pixels."""
        return self.browser.info.width, self.browser.info.height

    def close(self) -> None:
        """Ends what goes on; all of it can be taken up again."""
        self.tracking.pause()
        self.exporting.stop()
        self.browser.close()
        self.warming.join()


@dataclass(frozen=True)
class Shown:
    """What is seen of a frame's objects.

    Attributes:
        labels: label map (H, W), or None where nothing is known.
        source: "marks", "run", "both" or "none".
    """

    labels: LabelMap | None
    source: str


class Session:
    """Opens and closes projects and answers for the open one; any thread may ask.

    Args:
        allowed: the files that may be used.
    """

    def __init__(self, allowed: AllowedFiles) -> None:
        self.allowed = allowed
        self._opened: Opened | None = None
        self._lock = threading.RLock()
        self._preview = Preview(load_prompter())

    @property
    def opened(self) -> Opened:
        """What is open.

        Raises:
            InputError: nothing is.
        """
        if self._opened is None:
            raise InputError("No video is open; open one first.")
        return self._opened

    def of(self, key: str) -> Opened:
        """What is open, if it is what the asking page shows; an empty key asks for anything.

        Raises:
            InputError: nothing is open, or another project.
        """
        if key not in ("", self.opened.key):
            raise InputError("Another project was opened in another window; reload this page.")
        return self.opened

    def state(self) -> dict[str, Any]:
        """All that the page begins with."""
        with self._lock:
            opened = self._opened
            return {
                "open": None if opened is None else _state_of(opened),
                "run": None if opened is None else opened.tracking.status(),
                "models": trackers(),
                "exports": [
                    {"name": name, "about": writer.about} for name, writer in WRITERS.items()
                ],
                "projects": self.allowed.listed_projects(),
                "roots": [str(root) for root in self.allowed.roots],
                "upload_limit_mb": self.allowed.upload_limit // 2**20,
            }

    def open_video(self, path: str) -> None:
        """Opens a video from disk, in the project that there is of it or in a new one."""
        video = self.allowed.inside(path)
        with self._lock:
            folder = self.allowed.project_of(video)
            if folder is not None:
                return self.open_project(folder.name)
            self._show(video, lambda: Project.create(self.allowed.free_project(video.stem), video))

    def open_upload(self, video: Path) -> None:
        """Opens a video that was uploaded into the folder of its project.

        Raises:
            InputError: it is no video; nothing of it is kept.
        """
        with self._lock:
            try:
                self._show(video, lambda: Project.create(video.parent, video))
            except InputError:
                if not (video.parent / FILE).exists():
                    video.unlink()
                    video.parent.rmdir()
                raise

    def open_project(self, name: str) -> None:
        """Opens a project that is there; what was paused can be gone on with."""
        with self._lock:
            project = Project(self.allowed.project(name))
            if not project.video.resolve().is_relative_to(project.folder):
                self.allowed.inside(str(project.video))
            self._show(project.video, lambda: project)

    def open_demo(self) -> None:
        """Opens the demo clip, painted where it is not there yet."""
        with self._lock:
            folder = self.allowed.projects / DEMO
            if (folder / "project.json").is_file():
                return self.open_project(DEMO)
            clip = render_demo(folder)
            self._show(clip, lambda: Project.create(folder, clip))

    def close_project(self, key: str) -> None:
        """Closes what is open, if it is what the asking page shows; nothing where nothing is.

        Raises:
            InputError: another project is open.
        """
        with self._lock:
            if self._opened is not None:
                self.of(key)
            self.close()

    def close(self) -> None:
        """Closes what is open."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def mark(self, mark: Mark, key: str) -> None:
        """Takes new marks; refused ones change nothing.

        Raises:
            InputError: they do not fit the video, or are of another project.
        """
        with self._lock:
            opened, browser = self.of(key), self.opened.browser
            self.allowed.check_model(mark.settings.model)
            length = browser.frames if browser.counted else None
            project = opened.project
            mark = mark.correcting(project.mark, project.keep_tracked)
            check_mark(mark, opened.size, length, project.mask)
            project.save(mark)

    def shown(self, frame: int) -> Shown:
        """The objects of a frame: as they were tracked, and above it what the marks make of it.

        Where the run was of the present marks it has the word, for it had them.
        """
        opened = self.opened
        project = opened.project
        tracked = project.labels(frame)
        marks = project.mark.prompts.get(frame, {})
        ids = {entry.id for entry in project.mark.objects}
        if tracked is not None:
            tracked[~np.isin(tracked, list(ids))] = 0
        if not marks or (tracked is not None and not project.stale):
            return Shown(tracked, "none" if tracked is None else "run")
        image = opened.browser.frame(frame)
        key = (opened.key, frame, project.number)
        corrected = {i for i in marks if project.mark.started(frame, i)}
        labels = self._preview.labels(key, image, marks, project.mask, tracked, corrected)
        return Shown(labels, "marks" if tracked is None else "both")

    def start(self, key: str) -> None:
        """Tracks, or goes on.

        Raises:
            InputError: nothing is marked, or an export is being made.
        """
        with self._lock:
            opened = self.of(key)
            if opened.exporting.busy:
                raise InputError("An export is being made; track when it is done.")
            opened.tracking.start()

    def export(self, names: list[str], key: str) -> None:
        """Begins to make downloads.

        Raises:
            InputError: a run goes on, or what `Exporting.start` raises.
        """
        with self._lock:
            opened = self.of(key)
            if opened.tracking.busy:
                raise InputError("Tracking goes on; export when it is done, or pause it first.")
            opened.exporting.start(names)

    def _show(self, video: Path, open_project: Callable[[], Project]) -> None:
        """Opens a video and its project in the place of what is open; that stays if it cannot."""
        browser = Browser(video)
        try:
            first, project = browser.frame(0), open_project()
            self.close()
            parts = Tracking(project), Exporting(project)
        except BaseException:
            browser.close()
            raise
        warm_up = partial(self._preview.warm_up, first)
        warming = threading.Thread(target=warm_up, name="warming up", daemon=True)
        warming.start()
        self._opened = Opened(secrets.token_hex(4), project, browser, *parts, warming)


def _state_of(opened: Opened) -> dict[str, Any]:
    width, height = opened.size
    return {
        "key": opened.key,
        "name": opened.project.name,
        "video": {
            "name": opened.project.video.name,
            "width": width,
            "height": height,
            "fps": float(opened.browser.info.rate),
        },
        "frames": opened.browser.frames,
        "counted": opened.browser.counted,
        "mark": opened.project.mark.model_dump(mode="json"),
    }
