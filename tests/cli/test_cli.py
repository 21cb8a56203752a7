"""The command line: exit codes, one line for what is refused, and what is left behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake import fake_tracker
from masktrail.masks import read_labels, write_labels
from masktrail.prompts.kinds import Box, Points
from masktrail.run import Report
from painted_videos import paint_clip
from said import Said

SIZE = (64, 48)
BOX = "--box=1:36,12,60,36"


@pytest.fixture
def run(command):
    """The shared fixture by a shorter name."""
    return command


@pytest.fixture
def video(paint_video) -> Path:
    return paint_video(frames=8, size=SIZE)


@pytest.fixture
def fake(monkeypatch, model) -> list[str | Path]:
    """Makes runs track with drifting masks; gives the arguments to name a model."""
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: fake_tracker())
    return ["--model", model]


def picture(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


def label_map(path: Path, size: tuple[int, int] = SIZE) -> Path:
    labels = np.zeros(size[::-1], np.uint8)
    labels[10:30, 10:30] = 2
    write_labels(path, labels)
    return path


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def check_refused(said: Said, told: str) -> None:
    assert said.code == 2
    lines = said.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: ") and told in lines[0], said.err
    assert said.out == ""


def test_a_mask_is_tracked_through_a_video(run, video, model, tmp_path):
    mask = label_map(tmp_path / "first.png")
    out = tmp_path / "out"
    said = run("track", video, "--mask", mask, "--out", out, "--model", model, "--size", 64)
    assert said.code == 0 and said.err == ""
    assert said.out.startswith("8 frames in ") and said.out.endswith(f"in {out}\n")
    assert said.out.count("\n") == 1
    names = sorted(path.relative_to(out).as_posix() for path in files_under(out))
    masks = [f"masks/{i:05d}.png" for i in range(8)]
    assert names == [
        "journal.sqlite",
        *masks,
        "objects.csv",
        "overlay.mp4",
        "review.csv",
        "run.json",
    ]
    first, _ = read_labels(out / masks[0])
    np.testing.assert_array_equal(first, read_labels(mask)[0])


def test_a_run_is_resumed_converted_and_not_replaced_unasked(run, video, fake, tmp_path):
    out = tmp_path / "out"
    assert run("track", video, BOX, "--out", out, "--export", "csv", *fake).code == 0
    check_refused(run("track", video, BOX, "--out", out, *fake), "holds a run already")
    said = run("track", video, BOX, "--out", out, "--resume", *fake)
    assert said.code == 0 and len(list((out / "masks").iterdir())) == 8
    said = run("convert", out, "--export", "json,davis", "--out", tmp_path / "other")
    assert said.code == 0 and said.out.startswith("8 frames as json,davis, in ")
    assert len(list((tmp_path / "other/masks").iterdir())) == 8
    assert run("track", video, BOX, "--out", out, "--overwrite", *fake).code == 0


def test_many_videos_leave_a_table_and_a_code(run, video, model, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text(f'video,name,box\n{video},good,"1:4,4,30,30"\nnone.mp4,bad,"1:4,4,30,30"\n')
    given = ("batch", table, "--out", tmp_path / "out", "--model", model, "--size", 64)
    said = run(*given)
    assert said.code == 3 and "good" in said.out and "none.mp4" in said.out.replace("\n", "")
    assert (tmp_path / "out/good/masks/00000.png").exists()
    assert run(*given, "--shard", "2/2").code == 0, "the second by name is good"
    check_refused(run("batch", tmp_path / "none.csv", "--out", tmp_path / "o"), "cannot be read")


def test_quiet_says_nothing(run, video, fake, tmp_path):
    grey = np.zeros(SIZE[::-1], np.uint8)
    grey[5:20, 5:20], grey[30:40, 5:20] = 100, 200  # would be told which ids they became
    mask = picture(tmp_path / "grey.png", grey)
    said = run("track", video, "--mask", mask, "--out", tmp_path / "out", *fake, "--quiet")
    assert said == (0, "", "")


def test_what_was_made_of_colours_is_said_aloud(run, video, fake, tmp_path):
    grey = np.zeros(SIZE[::-1], np.uint8)
    grey[5:20, 5:20], grey[30:40, 5:20] = 100, 255
    mask = picture(tmp_path / "grey.png", grey)
    said = run("track", video, "--mask", mask, "--out", tmp_path / "out", *fake)
    assert said.code == 0
    (line,) = said.err.splitlines()
    assert line.startswith("Warning: ") and "1 = grey 100, 2 = grey 255" in line


def test_sound_that_cannot_be_copied_is_said_aloud(run, paint_video, fake, tmp_path):
    how = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "tone": "pcm_u8"}
    video = paint_video("sound.avi", frames=8, size=SIZE, **how)
    said = run("track", video, BOX, "--out", tmp_path / "out", *fake)
    assert said.code == 0 and (tmp_path / "out/overlay.mp4").exists()
    (line,) = said.err.splitlines()
    assert line.startswith("Warning: The sound of ")


def test_boxes_and_a_range(run, video, fake, tmp_path):
    out = tmp_path / "out"
    said = run(
        "track", video, BOX, "--box", "7:4,12,28,36", "--out", out, *fake,
        "--start", 2, "--end", 5, "--export", "davis",
    )  # fmt: skip
    assert said.code == 0
    assert sorted(path.name for path in (out / "masks").iterdir()) == [
        "00002.png", "00003.png", "00004.png",
    ]  # fmt: skip
    assert set(np.unique(read_labels(out / "masks/00002.png")[0])) == {0, 1, 7}


def test_prompts_of_all_kinds_are_mixed_at_any_frame(run, video, tmp_path, monkeypatch):
    asked = []

    def track_video(job, *arguments, **named):
        asked.append(job.prompts)
        return Report(1, 1.0, 1.0, 1.0, None, None, False)

    monkeypatch.setattr("masktrail.run.track_video", track_video)
    said = run(
        "track", video, "--out", tmp_path / "out", "--start", 1, "--not-point", "1:40,20", BOX,
        "--at", 5, "--point", "1:50,20", "--mask", label_map(tmp_path / "fifth.png"),
        "--at=3", "--not-point=1:38,14", "--point", "9:6,7", "--not-point", "2:20,20", "--at", "5",
        "--not-point", "2:20,20",
    )  # fmt: skip
    assert said.code == 0, said.err
    (prompts,) = asked
    assert list(prompts) == [1, 3, 5]
    assert prompts[1] == {1: Points(((40, 20),), (False,), Box(36, 12, 60, 36))}
    assert prompts[3][1] == Points(((38, 14),), (False,))
    assert prompts[3][9] == Points(((6, 7),), (True,))
    assert prompts[5][1] == Points(((50, 20),), (True,))
    assert prompts[5][2].labels == (False,) and prompts[5][2].mask.mask.sum() == 400


def test_clicks_are_tracked_through_a_video(run, video, fake, tmp_path):
    out = tmp_path / "out"
    said = run("track", video, "--point", "3:10,20", "--out", out, *fake, "--export", "davis")
    assert said.code == 0, said.err
    assert set(np.unique(read_labels(out / "masks/00000.png")[0])) == {0, 3}


def test_a_truncated_video_is_finished_with_losses(run, paint_video, fake, tmp_path):
    video = paint_video(frames=30, size=SIZE, faststart=True, tone=None)
    os.truncate(video, video.stat().st_size * 6 // 10)
    said = run("track", video, BOX, "--out", tmp_path / "out", *fake)
    assert said.code == 3
    (line,) = said.err.splitlines()
    assert line.startswith("Warning: ") and "truncated" in line
    assert (tmp_path / "out/overlay.mp4").exists() and (tmp_path / "out/run.json").exists()


def test_ctrl_c_keeps_what_is_done(run, video, fake, tmp_path, monkeypatch):
    tracker = fake_tracker()
    real, calls = tracker.step, []

    def step(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    tracker.step = step
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: tracker)
    said = run("track", video, BOX, "--out", tmp_path / "out", *fake)
    assert said.code == 130
    assert said.err == "Interrupted; what is done is whole, and --resume goes on.\n"
    assert len(list((tmp_path / "out/masks").iterdir())) == 2
    assert (tmp_path / "out/overlay.mp4").exists()


def _noise(folder: Path) -> Path:
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    return folder / "noise.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "notes.txt").write_text("no video at all\n" * 50)
    return folder / "notes.txt"


def _no_pictures(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "missing.mp4", "There is no file or folder"),
        (lambda folder: "x" * 1000, "There is no file or folder"),
        (_noise, "is not a video"),
        (_empty, "is empty (0 bytes)"),
        (_text, "is text, not a video"),
        (lambda folder: label_map(folder / "one.png"), "is a single picture, not a video"),
        (_no_pictures, "nothing"),
    ],
)
def test_what_is_no_video_is_refused(run, model, tmp_path, make, told):
    said = run("track", make(tmp_path), BOX, "--out", tmp_path / "out", "--model", model)
    check_refused(said, told)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_video_that_may_not_be_read_is_refused(run, video, model, tmp_path):
    video.chmod(0)
    said = run("track", video, BOX, "--out", tmp_path / "out", "--model", model)
    check_refused(said, "may not be read")


def _smooth(folder: Path) -> Path:
    y, x = np.mgrid[:48, :64]
    soft = 255 / (1 + np.exp((np.hypot(x - 32, y - 24) - 12) / 2))
    return picture(folder / "smooth.png", soft.astype(np.uint8))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "missing.png", "There is no mask file"),
        (lambda folder: folder, "cannot be read as a mask"),
        (_text, "is not a picture"),
        (lambda folder: label_map(folder / "m.png", (48, 64)), "48 x 64 pixels, the frame 64 x 48"),
        (_smooth, "different values (more than 32)"),
        (lambda folder: picture(folder / "photo.png", paint_clip(1, SIZE).images[0]), "more than"),
        (lambda folder: picture(folder / "black.png", np.zeros((48, 64), np.uint8)), "is empty"),
    ],
)
def test_what_is_no_mask_is_refused(run, video, model, tmp_path, make, told):
    mask = make(tmp_path)
    said = run("track", video, "--mask", mask, "--out", tmp_path / "out", "--model", model)
    check_refused(said, told)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to track; mark an object with --mask FIRST.png, --box"),
        (["--box", "1:100,100,120,120"], "lies outside the frame of 64 x 48 pixels"),
        (["--box", "1:10,10,10,20"], "has no area"),
        (["--box", "1:20,10,10,20"], "has no area"),
        (["--box", "1,2,3,4"], "cannot be read; write ID:x0,y0,x1,y1"),
        (["--box", "1:1,2,3\n,4x"], "cannot be read"),
        (["--box", "0:1,2,3,4"], "ids go from 1 to 65535"),
        (["--box", "70000:1,2,3,4"], "ids go from 1 to 65535"),
        ([BOX, BOX], "marked twice"),
        (
            ["--point", "1:64,10"],
            "point (64, 10) of object 1 lies outside the frame of 64 x 48 pixels",
        ),
        (["--point", "1:6"], "'1:6' cannot be read; write ID:x,y, as 1:90,120"),
        (["--not-point", "1:6,7"], "no object 1 that --not-point 1:6,7 could correct"),
        ([BOX, "--at", "x", "--point", "1:5,6"], "'x' cannot be read; count them from 0"),
        ([BOX, "--at", "3"], "--at 3 is followed by no prompt"),
        ([BOX, "--at", "1", BOX, "--start", "2"], "--at 1 lies before the first frame"),
        ([BOX, "--model", "memory-xxl"], "no model 'memory-xxl'"),
        ([BOX, "--export", "davis,gif"], "No export gif; there are davis, csv, overlay"),
        ([BOX, "--export", ""], "No export named"),
        ([BOX, "--size", "10"], "size of 10 is not possible"),
        ([BOX, "--device", "banana"], "device 'banana' is not available"),
        ([BOX, "--start", "-1"], "start must be 0 or more"),
        ([BOX, "--start", "5", "--end", "5"], "end greater than the start"),
        ([BOX, "--start", "100"], "ends before frame 100"),
    ],
)
def test_what_cannot_be_done_is_refused(run, video, model, tmp_path, arguments, told):
    said = run("track", video, "--out", tmp_path / "out", "--model", model, *arguments)
    check_refused(said, told)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_in_place_of_the_folder_is_refused(run, video, fake, tmp_path, inside):
    (tmp_path / "out").write_text("mine")
    said = run("track", video, BOX, "--out", tmp_path / "out" / inside, *fake)
    check_refused(said, "could not be written")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(run, video, fake, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    check_refused(run("track", video, BOX, "--out", tmp_path / "out", *fake), "Permission denied")
    assert files_under(tmp_path / "out") == []


def test_a_full_disk_is_told(run, video, fake, tmp_path, monkeypatch):
    real, moved = Path.replace, []

    def replace(path, target):
        moved.append(target)
        if len(moved) == 3:  # after two masks
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    check_refused(run("track", video, BOX, "--out", tmp_path / "out", *fake), "The disk is full")
    left = sorted(path.name for path in files_under(tmp_path / "out"))
    assert left == ["00000.png", "00001.png", "journal.sqlite"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["track", "a.mp4", BOX], "Missing option '--out'"),
        (["track"], "Missing argument"),
        (["track", "a.mp4", "--bogus"], "No such option: --bogus"),
        (["track", "a.mp4", "--out", "o", "--size", "big"], "Invalid value for '--size'"),
        (["trakc"], "No such command 'trakc'"),
    ],
)
def test_a_command_that_was_mistyped_is_explained(run, arguments, told):
    said = run(*arguments)
    assert said.code == 2 and told in " ".join(said.err.replace("│", "").split())
    assert "Traceback" not in said.err


def test_models_are_listed(run):
    said = run("models")
    assert said.code == 0 and "memory-s" in said.out


HEAVY = {"torch", "numpy", "av", "PIL", "pydantic", "masktrail.run", "masktrail.zoo"}


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys; from masktrail.cli import main; sys.argv = ['masktrail', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, *modules = done.stderr.split()
    assert exit_code == "0" and "track" in done.stdout
    assert not HEAVY & set(modules)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_too_little_memory_is_one_sentence(command, monkeypatch, video_file, tmp_path, error):
    def fail(*given, **named):
        raise error

    monkeypatch.setattr("masktrail.run.track_video", fail)
    said = command("track", video_file, "--box", "1:4,4,30,30", "--out", tmp_path / "out")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith("Error: There is not enough memory")


def test_what_nobody_foresaw_is_not_called_memory(command, monkeypatch, video_file, tmp_path):
    def fail(*given, **named):
        raise RuntimeError("of another kind")

    monkeypatch.setattr("masktrail.run.track_video", fail)
    with pytest.raises(RuntimeError, match="of another kind"):
        command("track", video_file, "--box", "1:4,4,30,30", "--out", tmp_path / "out")


@pytest.mark.parametrize("where", ["video", "--out", "--mask"])
def test_a_name_that_is_too_long_is_said(command, video_file, tmp_path, where):
    given = {"video": video_file, "--out": tmp_path / "out", "--mask": tmp_path / "m.png"}
    given[where] = tmp_path / ("x" * 300)
    video = given.pop("video")
    said = command("track", video, *(part for pair in given.items() for part in pair))
    assert said.code == 2 and said.err.startswith("Error: ") and said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model", "unet", "--adapt", "5"], "unet does not learn from prompted frames"),
        (["--adapt", "5", "--set", "adapt=3"], "--adapt and --set adapt say the same"),
        (["--adapt", "-5"], "adapt = -5.0 is not possible for the model memory-s"),
        (["--adapt", "nan"], "adapt = nan is not possible for the model memory-s"),
    ],
)
def test_what_cannot_be_adapted_is_one_sentence(command, video, tmp_path, options, told):
    said = command("track", video, "--box", "1:4,4,20,20", "-o", tmp_path / "out", *options)
    assert said.code == 2 and told in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
