"""Lists of videos: tables and folders."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from masktrail.batch import work
from masktrail.batch.manifest import Task, read_tasks, shard
from masktrail.batch.work import Options, run_batch
from masktrail.errors import InputError
from masktrail.masks import write_labels
from masktrail.settings import ModelOptions
from masktrail.video.kinds import PAGED, VIDEOS
from painted_videos import paint_clip


def manifest(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_are_videos_by_name(tmp_path):
    path = manifest(
        tmp_path,
        "video, name, box, not_point, start, end",
        'swan.mp4,,"1:1,2,3,4; 2:5,6,7,8","1:9,9",,',
        "rtsp://there/live,camera,,,,",
    )
    with pytest.raises(InputError, match="line 3: nothing is marked; fill one of mask, box"):
        read_tasks(path)
    path.write_text(path.read_text().replace("camera,,,,", 'camera,"1:0,0,9,9",,5,20'))
    camera, swan = read_tasks(path)
    marks = (("box", "1:1,2,3,4"), ("box", "2:5,6,7,8"), ("not_point", "1:9,9"))
    assert swan == Task("swan", str(tmp_path / "swan.mp4"), marks)
    assert camera == Task("camera", "rtsp://there/live", (("box", "1:0,0,9,9"),), 5, 20)


def test_rows_of_one_name_are_prompts_at_several_frames(tmp_path):
    path = manifest(
        tmp_path,
        "video,at,mask,point,direction",
        "swan.mp4,,first.png,,backward",
        'swan.mp4,30,,"1:5,6",',
    )
    (task,) = read_tasks(path)
    assert task.marks == (("mask", str(tmp_path / "first.png")), ("at", "30"), ("point", "1:5,6"))
    assert task.direction == "backward"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["name,box", 'a,"1:0,0,9,9"'], "lacks the column 'video'"),
        (["video,name", "a.mp4,a"], "lacks the column 'mask'"),
        (["video,box,colour", "a.mp4,,red"], "has a column 'colour'; there are video, name"),
        (["video,box", ',"1:0,0,9,9"'], "line 2: the video is missing"),
        (["video,mask,start", "a.mp4,a.png,soon"], "line 2: start is 'soon'; expected a frame"),
        (["video,mask", "a/x.mp4,a.png", "b/x.mp4,b.png"], "line 3: the name 'x' is that of .*a/x"),
        (["video,mask"], "names no video"),
        (["video,name,mask", "a.mp4,../../up,a.png"], r"line 2: the name '../../up' is no name of"),
        (["video,name,mask", "a.mp4,/etc/x,a.png"], "line 2: the name '/etc/x' is no name of"),
        (["video,name,mask", "a.mp4,..,a.png"], "line 2: the name '..' is no name of"),
        (
            ["video,name,mask", f"a.mp4,{'ü' * 128},a.png"],
            "cannot be one of a folder; give a short",
        ),
        (["video,name,mask", "a.mp4,a\0b,a.png"], "line 2: the name .* cannot be one of a folder"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, lines, told):
    with pytest.raises(InputError, match=told):
        read_tasks(manifest(tmp_path, *lines))


def test_a_table_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_tasks(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"PK\x03\x04\xff\xfe,x\n")
    with pytest.raises(InputError, match="lacks the column 'video'"):
        read_tasks(tmp_path / "odd.csv")


def test_a_folder_of_videos_beside_their_masks(tmp_path):
    for name in ("b.mp4", "b.png", "a.png", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "a").mkdir()
    tasks = read_tasks(tmp_path)
    assert [(task.name, Path(task.video).name) for task in tasks] == [("a", "a"), ("b", "b.mp4")]
    assert tasks[1].marks == (("mask", str(tmp_path / "b.png")),)
    (tmp_path / "b.png").unlink()
    with pytest.raises(InputError, match=r"1 of 2 videos .* have no mask .* b.mp4; expected b.png"):
        read_tasks(tmp_path)


def test_shards_are_all_of_it_and_never_overlap():
    tasks = [Task(str(i), "", ()) for i in range(7)]
    parts = [shard(tasks, f"{i}/3") for i in (1, 2, 3)]
    assert sorted(task.name for part in parts for task in part) == [str(i) for i in range(7)]
    assert [len(part) for part in parts] == [3, 2, 2]
    for text in ("0/3", "4/3", "1", "a/b", "", "1/0", "-1/3"):
        with pytest.raises(InputError, match="write i/n"):
            shard(tasks, text)


@pytest.mark.parametrize("suffix", sorted(VIDEOS - PAGED))
def test_every_kind_of_video_of_a_folder_is_a_task(tmp_path, suffix):
    for name in (f"a{suffix}", f"b{suffix.upper()}", "a.png", "b.png", ".hidden.mp4", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [task.name for task in read_tasks(tmp_path)] == ["a", "b"]


def test_videos_that_share_a_name_are_told_apart(tmp_path):
    for name in ("a.mkv", "a.mp4", "a.png", "b.mp4", "b.png"):
        (tmp_path / name).write_text("")
    found = {task.name: (task.video, task.marks) for task in read_tasks(tmp_path)}
    mask = (("mask", str(tmp_path / "a.png")),)
    assert found["a.mkv"] == (str(tmp_path / "a.mkv"), mask)
    assert found["a.mp4"] == (str(tmp_path / "a.mp4"), mask)
    assert found.keys() == {"a.mkv", "a.mp4", "b"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path, encoding, separator, end):
    rows = [
        ["Video", " MASK", "Box", "Start", "End", "At"],
        ["schön.mp4", "schön.png", "", "0.0", "30,0", ""],
        ["schön.mp4", "", '"1:1,2,3,4;2:5,6,7,8"', "", "", "12.0"],
    ]
    quoted = [[f'"{cell}"' if separator in cell and cell[0] != '"' else cell for cell in row]
              for row in rows]  # fmt: skip
    text = end.join(separator.join(row) for row in quoted) + end
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    (task,) = read_tasks(tmp_path / "list.csv")
    assert (task.name, task.start, task.end) == ("schön", 0, 30)
    mask = ("mask", str(tmp_path / "schön.png"))
    assert task.marks == (mask, ("at", "12"), ("box", "1:1,2,3,4"), ("box", "2:5,6,7,8"))


@pytest.mark.parametrize("out", ["results", "."])
def test_results_in_the_folder_of_the_videos_are_no_videos(tmp_path, paint_video, monkeypatch, out):
    monkeypatch.setattr(work, "_process", lambda jobs: ThreadPoolExecutor(1))
    paint_video("a.mp4", frames=3)
    write_labels(tmp_path / "a.png", paint_clip(3).labels[0])
    for _ in range(2):
        options = Options(ModelOptions("copy"), "davis")
        (status,) = run_batch(read_tasks(tmp_path), tmp_path / out, options)
        assert (status.name, status.state, status.frames) == ("a", "done", 3)
