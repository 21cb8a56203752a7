"""`masktrail prepare mose` and `masktrail check-data`: what they print, and how they end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from masktrail.data.pack import open_pack
from painted_sets import paint_stills, paint_videos
from said import Said

Run = Callable[..., Said]


def words(text: str) -> list[str]:
    return text.split()


def test_prepare_mose_says_what_it_packed(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "set", ("left", "right", "middle"), frames=4)
    out = tmp_path / "out"
    said = command("prepare", "mose", root, out, "--canvas", "24x32", "--held-out", "0.4")
    assert said.code == 0 and said.err == ""
    lines = [words(line) for line in said.out.splitlines()]
    assert lines[0] == ["train", "held-out"]
    assert ["videos", "2", "1"] in lines
    assert ["objects", "4", "2"] in lines
    assert [*words("frames, each packed once"), "8", "4"] in lines
    assert [*words("frames that show the object"), "16", "8"] in lines
    assert lines[-1] == ["In", str(out / "train"), "and", str(out / "held-out")]
    assert open_pack(out / "train").images.shape == (8, 24, 32, 3)
    assert command("prepare", "mose", root, out, "--quiet") == (0, "", "")
    assert open_pack(out / "train").images.shape[1:] == (256, 256, 3), "the canvas of the report"


def test_one_recording_alone_is_not_taken_apart(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "set", ("hall-1", "hall-2"), frames=2)
    said = command("prepare", "mose", root, tmp_path / "out", "--recording", "[a-z]+")
    assert said.code == 2 and "all 2 videos are of one recording, and none can be" in said.err
    assert not (tmp_path / "out").exists()
    said = command("prepare", "mose", root, tmp_path / "out", "--recording", "no name begins so")
    assert said.code == 0 and "no two of the 2 videos are of one recording" in said.err
    alone = paint_videos(tmp_path / "alone", ("hall-1",), frames=2)
    assert command("prepare", "mose", alone, tmp_path / "one", "--recording", "[a-z]+", "-q") == (
        0,
        "",
        "",
    )


def test_the_other_kinds_are_packed_as_before(command: Run, tmp_path: Path) -> None:
    said = command("prepare", "stills", paint_stills(tmp_path / "set"), tmp_path / "out")
    assert said == (0, "", "")
    assert len(open_pack(tmp_path / "out").images) == 6


def test_what_is_measured_or_chosen_on_is_not_packed(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path / "set", ("bear", "dance-jump", "dog"), frames=2)
    said = command("prepare", "davis", root, tmp_path / "out", "--canvas", "24x32")
    assert said.code == 0 and "Left out are dance-jump, dog: DAVIS-2016 sequences" in said.err
    (packed,) = open_pack(tmp_path / "out").sequences
    assert packed.name == "bear"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mos", "set", "out"], "no kind of data set 'mos'; known are stills, davis, mose."),
        (["mose", "nowhere", "out"], "nowhere has no JPEGImages and Annotations folders"),
        (["mose", "set", "out", "--canvas", "0x256"], "canvas '0x256' cannot be read"),
        (["mose", "set", "out", "--canvas", "256"], "canvas '256' cannot be read"),
        (["mose", "set", "out", "--held-out", "1.5"], "--held-out 1.5 is no share"),
        (["mose", "set", "out", "--negatives", "-1"], "--negatives -1 is no ratio"),
        (
            ["davis", "set", "out", "--held-out", "0.1", "--seed", "0"],
            "no --seed 0, --held-out 0.1;",
        ),
        (["mose", "set", "out", "--recording", "("], "--recording '(' is no regular expression"),
        (["mose", "set", "out", "--recording", "a{99999999999999}"], "is no regular expression"),
        (["mose", "set", "set"], "would be replaced"),
    ],
)
def test_what_cannot_be_packed_is_one_sentence(
    command: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    paint_videos(tmp_path / "set", ("a",), frames=2)
    said = command("prepare", *arguments)
    assert said.code == 2 and said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("Error: ") and told in line
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_sound_set_is_usable(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path, ("a", "b"), frames=3)
    said = command("check-data", root)
    assert said.code == 0 and said.err == ""
    assert words(said.out.splitlines()[0])[:3] == ["note", "2", "sequences:"]
    assert said.out.splitlines()[-1] == "Usable; nothing is wrong with it."
    assert command("check-data", root, "-q") == (0, "", "")


def test_warnings_alone_leave_it_usable(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path, ("a", "b"), frames=3)
    (root / "Annotations/480p/a/00001.png").unlink()
    (root / "Annotations/480p/a/00002.png").unlink()
    said = command("check-data", root)
    assert said.code == 0
    assert words(said.out.splitlines()[0])[:2] == ["warning", "1"]
    assert said.out.splitlines()[-1] == "Usable; see the 1 warning above."
    assert command("check-data", root, "-q") == (0, "", "")


def test_errors_end_in_exit_code_2(command: Run, tmp_path: Path) -> None:
    root = paint_videos(tmp_path, ("[b]a", "b"), frames=5)
    for t in (0, 2, 3):
        (root / f"JPEGImages/480p/[b]a/{t:05}.png").write_bytes(b"damaged")
    (root / "Annotations/480p/b/00001.png").write_bytes(b"damaged")
    (root / "JPEGImages/480p/owl").mkdir()
    said = command("check-data", root)
    assert said.code == 2 and said.err == ""
    lines = said.out.splitlines()
    assert words(lines[0])[:4] == ["error", "3", "pictures", "damaged"]
    assert lines[1].strip() == "[b]a/00000.png, [b]a/00002.png, ...", "names are no markup"
    assert lines[-1] == "Not usable as it is: 2 errors and 1 warning above."
    assert max(map(len, lines)) <= 80 and len(lines) < 24, "one screen"
    quiet = command("check-data", root, "-q")
    assert quiet.code == 2 and "warning" not in quiet.out and "note" not in quiet.out


def test_no_data_set_is_one_sentence(command: Run, tmp_path: Path) -> None:
    said = command("check-data", tmp_path)
    assert said.code == 2 and said.out == ""
    assert said.err.startswith(f"Error: {tmp_path} has no JPEGImages and Annotations folders")
