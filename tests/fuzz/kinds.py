"""Cases of every kind of file that the program reads, and of what is typed."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from fuzz import child, originals, pieces, raw, text
from fuzz.trial import Case

TRACK = ("--out", "out", "--model", "copy", "--quiet")
MASK = ("--mask", "in.png")

FORMATS = {
    **{"mp4": pieces.MP4, "mov": pieces.MP4, "avif": pieces.MP4, "png": pieces.PNG},
    **{"mkv": pieces.MATROSKA, "webm": pieces.MATROSKA, "avi": pieces.RIFF, "webp": pieces.RIFF},
}
"""Of what pieces files are made, by suffix; all others are changed as bytes alone."""

RECIPE = b"""
family = "unet"
stills = ""
videos = ["in/pack"]
steps = 1
lr = 1e-4
shares = [1.0]
model = { width = 4 }

[[stages]]
until = 1.0
batch = 1
real = 1.0
multiple = 0.0
clips = { size = 64, frames = 2, max_gap = 2 }
pair = { loss = "bce+dice", teacher = 1.0, corrupt = 0.0 }
"""

MANIFEST = b"""video,name,at,box,point,start,end,direction
a.mp4,one,0,"1:38,12,60,34",,0,4,forward
a.mp4,two,2,,"1:49,23",,,both
"""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case of any kind."""
    return draw(draw(st.sampled_from(KINDS)))


def _case(kind: str, files: Mapping[str, bytes], *arguments: str, **how: Any) -> Case:
    return Case(
        kind, MappingProxyType(dict(files)), how.pop("work", child.command), arguments, **how
    )


def _changed(name: str, data: bytes) -> st.SearchStrategy[bytes]:
    form = FORMATS.get(name.rsplit(".", 1)[-1])
    return raw.edited(data) | pieces.edited(data, form) if form else raw.edited(data)


@st.composite
def _whole_file(draw: st.DrawFn, kind: str, name: str, make: Callable[[str], bytes]) -> Case:
    """A video of one file."""
    suffix = name.rsplit(".", 1)[-1]
    files = {name: draw(_changed(name, make(suffix))), **_mask_file()}
    return _case(kind, files, "track", name, *MASK, *TRACK)


def _mask_file() -> dict[str, bytes]:
    return {MASK[1]: originals.mask()}


@st.composite
def _picture_folder(draw: st.DrawFn, suffix: str) -> Case:
    """One picture of a folder, changed."""
    frames = enumerate(originals.CLIP.images[:4])
    how = originals.PICTURES[suffix]
    files = {f"in/{k}.{suffix}": originals.picture(image, how) for k, image in frames}
    name = draw(st.sampled_from(sorted(files)))
    files[name] = draw(_changed(name, files[name]))
    files |= _mask_file()
    return _case(f"{suffix} folder", files, "track", "in", *MASK, *TRACK)


@st.composite
def _mask(draw: st.DrawFn) -> Case:
    data = draw(_changed(MASK[1], originals.mask()))
    files = {"in/a.mp4": originals.film(), MASK[1]: data}
    return _case("mask", files, "track", "in/a.mp4", *MASK, *TRACK)


@st.composite
def _data_set(draw: st.DrawFn) -> Case:
    """A mask of a data set that is checked or measured."""
    files = {}
    for k in range(3):
        image, labels = originals.CLIP.images[k], originals.CLIP.labels[k]
        truth = originals.picture(labels, originals.PICTURES["png"])
        files[f"in/set/JPEGImages/480p/a/{k:05}.jpg"] = originals.picture(
            image, originals.PICTURES["jpg"]
        )
        files[f"in/set/Annotations/480p/a/{k:05}.png"] = truth
        files[f"in/found/a/{k:05}.png"] = truth
    name = draw(st.sampled_from(sorted(files)))
    files[name] = draw(_changed(name, files[name]))
    if draw(st.booleans()):
        return _case("data set", files, "check-data", "in/set", "--quiet")
    return _case("data set", files, "measure", "in/found", "--data", "in/set", "--quiet")


@st.composite
def _manifest(draw: st.DrawFn) -> Case:
    files = {"in/a.mp4": originals.film(), "in/list.csv": draw(text.table(MANIFEST))}
    return _case("manifest", files, "in/list.csv", "out", work=child.batch)


def _pack_files() -> dict[str, bytes]:
    return {f"in/pack/{name}": content for name, content in originals.pack().items()}


@st.composite
def _recipe(draw: st.DrawFn) -> Case:
    files = {**_pack_files(), "in/r.toml": draw(text.toml_file(RECIPE))}
    how = ("--minutes", "0.01", "--out", "out", "--device", "cpu", "--quiet")
    return _case("recipe", files, "train", "in/r.toml", *how)


@st.composite
def _packed(draw: st.DrawFn) -> Case:
    """A file of a pack that is trained on."""
    files = {**_pack_files(), "in/r.toml": RECIPE}
    name = draw(st.sampled_from(sorted(_pack_files())))
    form = text.json_file if name.endswith(".json") else raw.edited
    files[name] = draw(form(files[name]))
    how = ("--minutes", "0.01", "--out", "out", "--device", "cpu", "--quiet")
    return _case("pack", files, "train", "in/r.toml", *how)


@st.composite
def _checkpoint(draw: st.DrawFn) -> Case:
    """A checkpoint of others; it is of too small a network, so that none is ever imported."""
    files = {"in/c.pth": draw(raw.edited(originals.checkpoint()))}
    how = ("import-weights", "labelprop", "in/c.pth", "out.safetensors")
    return _case("checkpoint", files, *how)


@st.composite
def _weights(draw: st.DrawFn) -> Case:
    data = draw(raw.edited(originals.weights()))
    files = {"in/a.mp4": originals.film(), "in/model/weights.safetensors": data, **_mask_file()}
    how = ("--out", "out", "--model", "in/model", "--quiet")
    return _case("weights", files, "track", "in/a.mp4", *MASK, *how)


@st.composite
def _marks(draw: st.DrawFn) -> Case:
    """What is written on the command line."""
    options = {
        "--box": "1:38,12,60,34",
        "--point": "2:10,30",
        "--at": "3",
        "--not-point": "1:50,20",
        "--set": "view=object",
        "--range": "0,255",
        "--start": "1",
        "--export": "davis,coco,csv",
    }
    name = draw(st.sampled_from(("--box", "--point", "--at", "--not-point", "--range", "--export")))
    options[name] = draw(text.argument(options[name]))
    options.pop("--set") if draw(st.booleans()) else None
    given = [f"{key}={value}" for key, value in options.items()]
    files = {"in/a.mp4": originals.film()}
    return _case("marks", files, "track", "in/a.mp4", *given, *TRACK)


JOURNAL = [f"journal.sqlite{end}" for end in ("", "-wal", "-shm", "-lock")]

AGAIN = ("track", "clip.mp4", "--mask", "first.png", "--model", "copy", "--quiet", "--out")


@st.composite
def _run(draw: st.DrawFn) -> Case:
    """A run of before whose journal or record is not what it was."""
    folder = draw(st.sampled_from(("ended", "finished")))
    files = {
        n: c
        for n, c in originals.stored().items()
        if n.split("/")[0] in (folder, "clip.mp4", "first.png")
    }
    files[f"{folder}/mine.txt"] = b"mine"
    what = draw(st.sampled_from(("journal", "journal", "journal rows", "run.json")))
    if what == "run.json" and folder == "finished":
        files["finished/run.json"] = draw(text.json_file(files["finished/run.json"]))
    elif what == "journal rows":
        name = f"{folder}/journal.sqlite"
        files[name] = draw(_rows(files[name]))
    else:
        files[f"{folder}/journal.sqlite"] = draw(raw.edited(files[f"{folder}/journal.sqlite"]))
    command = draw(
        st.sampled_from(
            (
                (*AGAIN, folder, "--resume"),
                (*AGAIN, folder, "--overwrite"),
                (*AGAIN, folder, "--resume", "--overwrite"),
                ("convert", folder, "--export", "csv,json", "--overwrite", "--quiet"),
                ("convert", folder, "--export", "coco", "--out", "out", "--quiet"),
            )
        )
    )
    made = tuple(n for n in files if n.startswith(f"{folder}/") and n != f"{folder}/mine.txt")
    return _case("run", files, *command, made=("out", *made, *_products(folder)))


def _products(folder: str) -> tuple[str, ...]:
    names = ("masks", "objects.csv", "objects.json", "overlay.mp4", "review.csv", "run.json")
    return tuple(f"{folder}/{name}" for name in (*names, *JOURNAL))


@st.composite
def _project(draw: st.DrawFn) -> Case:
    """A project of the page whose file or journal is not what it was."""
    files = {f"in/{n}": c for n, c in originals.stored().items() if n.startswith("project/")}
    names = [name for name in files if name.endswith((".json", ".sqlite"))]
    name = draw(st.sampled_from(sorted(names)))
    form = text.json_file if name.endswith(".json") else raw.edited
    files[name] = draw(form(files[name]))
    files["in/project/mine.txt"] = b"mine"
    made = ("in/project/runs", "in/project/project.json", "in/project/exports")
    return _case("project", files, "in", work=child.page, made=made)


@st.composite
def _rows(draw: st.DrawFn, data: bytes) -> bytes:
    """A journal that SQLite reads, but whose rows say other things."""
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        Path(file.name).write_bytes(data)
        with sqlite3.connect(file.name) as base:
            _change_a_row(draw, base)
        base.close()
        return Path(file.name).read_bytes()


def _change_a_row(draw: st.DrawFn, base: sqlite3.Connection) -> None:
    tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE rootpage")]
    table = draw(st.sampled_from([name for name in tables if "autoindex" not in name]))
    rows = base.execute(f"SELECT rowid, * FROM {table}").fetchall()
    columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
    if not rows or draw(st.integers(0, 5)) == 5:
        base.execute(f"DROP TABLE {table}")
        return
    row = draw(st.sampled_from(rows))
    column = draw(st.integers(0, len(columns) - 1))
    value = row[1 + column]
    match value:
        case bytes():
            value = draw(raw.edited(value))
        case str() if value[:1] in "{[":
            value = json.dumps(draw(text.tree(json.loads(value))))
        case _:
            value = draw(st.sampled_from((None, -1, 3, 10**6, "x", "|u1", "<f8", b"\0")))
    change = f"UPDATE OR REPLACE {table} SET {columns[column]} = ? WHERE rowid = ?"
    with contextlib.suppress(sqlite3.IntegrityError):  # what no journal can hold
        base.execute(change, (value, row[0]))


def _kinds() -> Iterator[st.SearchStrategy[Case]]:
    for suffix in originals.CONTAINERS:
        yield _whole_file(suffix, f"in/a.{suffix}", originals.film)
    for suffix in originals.PAGED:
        yield _whole_file(f"{suffix} pages", f"in/a.{suffix}", originals.pages)
    for suffix in originals.PICTURES:
        yield _picture_folder(suffix)
    yield from (_mask(), _data_set(), _manifest(), _recipe(), _packed(), _weights(), _marks())
    yield from (_run(), _run(), _project(), _checkpoint())


KINDS = list(_kinds())
"""One strategy for every kind; two for runs, of which there is most to go wrong."""
