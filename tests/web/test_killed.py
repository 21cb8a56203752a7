"""`kill -9` of the page while it tracks: the next start goes on as if nothing had been."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from masktrail.prompts.kinds import Box
from masktrail.run import track
from masktrail.run.journal import Journal
from painted_videos import paint_clip, write_video
from visitor import Visitor, marked, wait_for

BOX = [62.0, 22.0, 86.0, 44.0]
FRAMES, ENOUGH, HELD = 80, 60, 70
"""Of the video, those after which a state of the tracker was kept, and where it is killed."""

SERVE = """
import sys, time
from masktrail import cli
from masktrail.run import loop
held, sys.argv[1:] = int(sys.argv[1]), sys.argv[2:]
real = loop.ForwardPass.step
def step(self, frame, seen):
    time.sleep(600 * (frame.index == held))  # it never ends by itself
    return real(self, frame, seen)
loop.ForwardPass.step = step
cli.main()
"""


@contextmanager
def page(
    video: Path, projects: Path, held: int = -1
) -> Iterator[tuple[Visitor, subprocess.Popen[str]]]:
    """The page of a video, served by a process of its own, which is killed in the end.

    Tracking comes no further than frame `held`.
    """
    command = [sys.executable, "-c", SERVE, str(held), "web", video, "--no-browser"]
    with subprocess.Popen(
        [*command, "--projects", projects], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Visitor(process.stdout.readline().strip()), process
        finally:
            process.send_signal(signal.SIGKILL)


def test_a_page_that_is_killed_goes_on(tmp_path: Path) -> None:
    clip = paint_clip(frames=FRAMES, size=(96, 64))
    video = write_video(tmp_path / "clip.mp4", clip.images, tone=None)
    mark = marked(settings={"model": "copy"}, box=BOX)
    with page(video, tmp_path / "projects", HELD) as (visitor, process):
        visitor.ask("PUT", "mark", mark)
        visitor.ask("POST", "run")
        told = wait_for(visitor, "running", frames=ENOUGH)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    run = tmp_path / "projects/clip/runs/0001"
    assert told["done"] <= HELD and not (run / "run.json").exists()
    with page(video, tmp_path / "projects") as (visitor, _):
        state = visitor.ask("GET", "state")
        assert state["open"]["mark"]["prompts"] == mark["prompts"]
        assert state["run"]["state"] == "paused" and state["run"]["next"] >= ENOUGH - 10
        visitor.ask("POST", "run")
        told = wait_for(visitor, "done", "failed")
        assert (told["state"], told["version"]) == ("done", 1), told
    track(video, {1: Box(*BOX)}, tmp_path / "undisturbed", "copy")
    for path in sorted((tmp_path / "undisturbed/masks").iterdir()):
        assert (run / "masks" / path.name).read_bytes() == path.read_bytes()
    with Journal(run) as journal, Journal(tmp_path / "undisturbed") as other:
        assert list(journal.objects()) == list(other.objects())
