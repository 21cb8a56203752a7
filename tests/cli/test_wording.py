"""The library's sentences speak Python, those of the command line speak of its options."""

import ast
import re
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest
import typer

from masktrail import cli, load, track
from masktrail.batch.work import run_batch
from masktrail.cli.options import read_range
from masktrail.cli.wording import DIRECTIONS, OPTIONS, in_options
from masktrail.data.prepare import prepare
from masktrail.dreaming import dream
from masktrail.errors import InputError
from masktrail.prompts.kinds import Box
from masktrail.run import convert

ROOT = Path(cli.__file__).parents[1]

OF_COMMANDS = {
    "data/rules.py": "what check-data advises",
    "prompts/text.py": "prompts as options spell them",
    "train/__main__.py": "a command line itself",
    "web/allowed_files.py": "how masktrail web is to be started",
    "web/server.py": "the same",
}
"""Modules that may name options, and why: the library leads to none of their sentences."""

SPOKEN = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.py")
    if ROOT / "cli" not in path.parents
)
KEYWORDS = {
    name for function in (track, load, convert, run_batch, prepare, dream)
    for name in signature(function).parameters
}  # fmt: skip


def texts(path: Path) -> Iterator[str]:
    """Of a module, docstrings left out; for what is filled in stands a 0."""
    tree = ast.parse(path.read_text())
    parts = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            parts.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            yield "".join(p.value if isinstance(p, ast.Constant) else "0" for p in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in parts:
            yield from [node.value] if isinstance(node.value, str) else []


def test_texts_are_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""Of --resume."""\nraise E(f"{a} give " "--resume" f", or --{b}")\nx = "y"')
    assert sorted(texts(module)) == ["0 give --resume, or --0", "y"]


@pytest.mark.parametrize("name", SPOKEN)
def test_only_the_command_line_speaks_of_options(name: str) -> None:
    for text in texts(ROOT / name):
        outside = re.sub(r"`masktrail [^`]*`", "", text)  # a command to be typed, whoever reads it
        named = re.search(r"(?<![-\w])--(?:[a-z0]|$)", outside)
        assert not named or name in OF_COMMANDS, f"worded for the command line: {text}"


@pytest.mark.parametrize("name", SPOKEN)
def test_every_keyword_that_is_spoken_of_is_an_option(name: str) -> None:
    for text in texts(ROOT / name):
        for keyword in re.findall(r"(?<![\w.])(\w+)=(?=[\w\"'({])", in_options(text)):
            assert keyword not in KEYWORDS, f"the command line would say {keyword}=: {text}"


def test_the_options_are_there() -> None:
    commands = typer.main.get_command(cli.app).commands.values()  # type: ignore[attr-defined]
    there = {
        option
        for command in commands
        for each in command.params
        for option in (*each.opts, *each.secondary_opts)
    }
    assert {*OPTIONS.values(), *DIRECTIONS.values()} <= there


@pytest.mark.parametrize(
    ("spoken", "worded"),
    [
        ("give resume=True to go on, overwrite=True.", "give --resume to go on, --overwrite."),
        ('say where, as video="clip.mp4".', "say where, as --video clip.mp4."),
        ('as video="my clip.mp4"', "as --video 'my clip.mp4'"),
        ("values=(9, 3) is none; as values=(0, 4095).", "--range 9,3 is none; as --range 0,4095."),
        ("values=(low, high)", "--range low,high"),
        ('settings={"view": "square"}', "--set view=square"),
        ('direction="backward" or direction="forward"', "--reverse or --forward"),
        ("held_out=1.5 is no share, held_out=0.", "--held-out 1.5 is no share, --held-out 0."),
        (r"recording='\\d(' is none", r"--recording '\d(' is none"),
        ("size=-1 (size=64)", "--size -1 (--size 64)"),
    ],
)
def test_keywords_become_options(spoken: str, worded: str) -> None:
    assert in_options(spoken) == worded


@pytest.mark.parametrize(
    "text",
    [
        "resume=True.mp4 is no video",
        "/videos/resume=True is no video",
        "videos/size=64/clip.mp4",
        "resume=True-2 and my_resume=True and size=64.mov",
        "colour=True, resume=False, size=big",
        "direction=forward",
        "No edges 'device='; settings={view}",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert in_options(text) == text


def test_what_was_typed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["masktrail", "track", "clip.mp4", "-o", "runs of size=64"])
    told = "runs of size=64 holds a run already; give resume=True"
    assert in_options(told) == told.replace("resume=True", "--resume")


def test_a_range_is_read() -> None:
    assert read_range("0,4095") == (0, 4095) and read_range(None) is None
    for wrong in ("5", "a,b", "1,2,3", ""):
        with pytest.raises(InputError, match="cannot be read; write LOW,HIGH, as 0,4095"):
            read_range(wrong)


# the same mistakes, by both


def refused(*arguments: object, **keywords: object) -> str:
    with pytest.raises(InputError) as told:
        track(*arguments, **keywords)
    return str(told.value)


def test_a_run_that_is_there_is_told_to_each(command, video_file, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    clip = Path("resume=True.mp4")
    clip.write_bytes(video_file.read_bytes())
    given, typed = {1: Box(4, 4, 30, 30)}, ("--box", "1:4,4,30,30", "-o", "out", "--model", "copy")
    track(clip, given, "out", "copy", "csv")
    already = "out holds a run already (journal.sqlite); give "
    assert refused(clip, given, "out", "copy") == (
        f"{already}resume=True to go on with it, overwrite=True to replace it, or another folder."
    )
    said = command("track", clip, *typed)
    assert said.err.startswith(f"Error: {already}--resume to go on with it, --overwrite to replace")
    another = refused(clip, given, "out", "copy", start=1, resume=True)
    assert "another video" not in another and "began with, overwrite=True, or" in another
    said = command("track", clip, *typed, "--start", "1", "--resume")
    assert "began with, --overwrite, or" in said.err
    clip.rename("moved.mp4")
    with pytest.raises(InputError, match=r'resume=True\.mp4; say where .* as video="clip\.mp4"'):
        convert("out", "json")
    said = command("convert", "out", "--export", "json")
    assert "resume=True.mp4; say where it lies now, as --video clip.mp4." in said.err
    (tmp_path / "out" / "journal.sqlite").write_bytes(b"damaged")
    assert "overwrite=True, or into another folder." in refused(
        "moved.mp4", given, "out", "copy", resume=True
    )
    said = command("track", "moved.mp4", *typed, "--resume")
    assert "is damaged" in said.err and "--overwrite, or into another folder." in said.err
    assert "=True" not in said.err


def test_prompts_are_told_in_words_for_both(command, video_file, tmp_path) -> None:
    told = "The box (40, 20, 10, 30) of object 1 has no area; give x0, y0, x1, y1 with x1 > x0"
    assert refused(video_file, {1: Box(40, 20, 10, 30)}, tmp_path / "out", "copy").startswith(told)
    said = command("track", video_file, "--box", "1:40,20,10,30", "-o", tmp_path / "out")
    assert said.err.startswith(f"Error: {told}")


def test_a_range_that_is_none_is_told_to_each(command, video_file, tmp_path) -> None:
    out, given = tmp_path / "out", {1: Box(4, 4, 30, 30)}
    told = "is no range; expected the value that is black below the one that is white, as"
    assert refused(video_file, given, out, "copy", values=(9, 3)) == (
        f"values=(9, 3) {told} values=(0, 4095)."
    )
    said = command("track", video_file, "--box=1:4,4,30,30", "-o", out, "--range", "9,3")
    assert said.err == f"Error: --range 9,3 {told} --range 0,4095.\n"


def test_a_batch_is_told_of_options(command, video_file, tmp_path) -> None:
    """What its processes write down, too."""
    folder, out = tmp_path / "videos", tmp_path / "out"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(video_file.read_bytes())
    (folder / "list.csv").write_text('video,box\na.mp4,"1:4,4,30,30"\n')
    track(video_file, {1: Box(5, 5, 20, 20)}, out / "a", "copy", "csv")
    said = command("batch", folder / "list.csv", "-o", out, "--model", "copy", "--export", "csv")
    assert said.code == 3
    for text in (" ".join(said.out.split()), (out / "a/status.json").read_text()):
        assert "--overwrite" in text and "overwrite=True" not in text
    said = command("batch", folder / "list.csv", "-o", out, "--jobs", "0")
    assert said.err == "Error: --jobs 0 is not possible; expected 1 or more.\n"
