"""Packs what is trained on into one file that travels, and makes packs of it where it arrives.

    python tools/bundle.py FILE [--limit 36] [--quality 40] [--stills 3000] [--frames 900]
        [--clips 250] [--recipes RECIPE ...]
    python tools/bundle.py FILE --unpack [--out packs]

A bundle is a zip of data sets as `masktrail prepare` reads them, made small: pictures as WebP,
masks without loss. Their short sides are the largest with which as many pictures as are wanted fit
into the limit (MiB); photographs then fill what is left. Where not even the smallest fit there are
fewer pictures, never worse ones. Unpacked, every data set becomes a pack, in a process of its own;
of the clips some are held out, in a second pack.

With `--recipes` the weights that these start from travel in it too, as int8, and the limit is what
the source tree leaves of `travel.TAKES`.
"""

import argparse
import logging
import statistics
import sys
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import travel
from bundles.file import (
    END,
    INDEX,
    Entry,
    add,
    add_smaller,
    index_of,
    read_index,
    start_member,
    stored,
    unpack_bundle,
)
from bundles.plan import Picture, Share, Source, plan
from bundles.shrink import shrink
from ingredients import CLIPS_SPLIT, DATA, ROOT
from masktrail.errors import InputError
from masktrail.files import replacing
from masktrail.train.reading import read_recipe
from masktrail.zoo import weights_path
from masktrail.zoo.headers import read_config
from masktrail.zoo.weights import int8_shards, load_network
from travel import MIB

LEAST_QUALITY = 40

LIMIT = 36.0
"""MiB, where no recipe says what else travels."""

AT_ONCE = 128
"""Pictures that are made small before the next ones are begun."""

HEADER = f"{'pack':<18} {'pictures':>8} {'side':>6} {'stride':>6} {'MiB':>7}"


class Packed(NamedTuple):
    """What a bundle holds of a data set."""

    share: Share
    pictures: int
    size: int

    def __str__(self) -> str:
        source, _, side, stride = self.share
        return f"{source.name:<18} {self.pictures:8} {side:6} {stride:6} {self.size / MIB:7.2f}"


def sources(data: Path, stills: int, frames: int, clips: int) -> list[Source]:
    """The project's data sets in the folder `data`, and how many pictures are wanted of each; those
    of which none is wanted are left out."""
    davis, sides = data / "davis2016-train", (480, 432, 400, 360, 320)
    every = [
        Source("clips-apart", "mose", data / "clips", clips, (240, 224, 192), CLIPS_SPLIT),
        Source("davis2016-train", "davis", davis, frames, sides),
        Source(
            "stills", "stills", data / "stills", stills, (256, 240, 224, 208, 192, 176, 168, 160)
        ),
    ]
    return [source for source in every if source.wanted > 0]


def starts_of(recipes: list[Path]) -> dict[str, Path]:
    """The weights that recipes start from, by the recipes' names.

    Raises:
        InputError: a recipe cannot be read.
    """
    inits = {path.stem: read_recipe(path).init for path in recipes}
    starts = {name: weights_path(init) for name, init in inits.items() if init}
    return {name: path for name, path in starts.items() if path}


def write_bundle(
    file: Path,
    data_sets: list[Source],
    limit: int,
    quality: int,
    starts: Mapping[str, Path] | None = None,
) -> list[Packed]:
    """Writes a bundle; one that is there is replaced.

    Args:
        file: to be written; only a bundle may lie there already.
        data_sets: the data sets, photographs last, which fill what the others leave.
        limit: bytes that the file may have.
        quality: of WebP, 40 to 100.
        starts: weights that go with them, by name: of networks of ours.

    Returns:
        What it holds of the data sets.

    Raises:
        InputError: the quality is too low, a data set or weights cannot be read, nothing or next to
            nothing is wanted or fits, or `file` is something else.
    """
    if not data_sets:
        raise InputError("No picture is wanted; ask for some by --stills, --frames or --clips.")
    if not LEAST_QUALITY <= quality <= 100:
        raise InputError(
            f"quality = {quality}; expected {LEAST_QUALITY} to 100: a small limit is met by fewer "
            "pictures, not by worse ones."
        )
    if file.exists():
        read_index(file)
    with (
        ThreadPoolExecutor() as pool,
        replacing(file) as part,
        zipfile.ZipFile(part, "w") as archive,
    ):
        room = limit - END - _add_starts(archive, starts or {})
        if room <= 0:
            raise InputError(
                f"The weights alone are larger than {limit / MIB:.2f} MiB; allow more."
            )
        shares = plan(data_sets, room, partial(_mean_size, quality=quality, pool=pool))
        entries = [Entry(s.name, s.kind, s.canvas(side), s.split) for s, _, side, _ in shares]
        room -= add(archive, INDEX, index_of(entries, list(starts or {})))
        packed = []
        for share in shares:
            packed.append(_add_share(archive, share, room, quality, pool))
            room -= packed[-1].size
            if not packed[-1].pictures:
                raise InputError(f"{share.source.name} has no room; allow more, or want less.")
    return packed


def _add_starts(archive: zipfile.ZipFile, starts: Mapping[str, Path]) -> int:
    """Adds weights, as int8; the bytes they take."""
    total = 0
    for name, path in starts.items():
        network, _ = load_network(path)
        (weights,) = int8_shards(network, *read_config(path), name, limit=sys.maxsize).values()
        total += add_smaller(archive, start_member(name), weights)
    return total


def _mean_size(pictures: list[Picture], side: int, quality: int, pool: Executor) -> float:
    """Bytes that pictures take in a bundle, with their masks."""
    return statistics.mean(size for size, _ in _shrunk(pictures, side, quality, pool))


def _add_share(
    archive: zipfile.ZipFile, share: Share, room: int, quality: int, pool: Executor
) -> Packed:
    """Adds the pictures of a data set, as long as there is room (bytes)."""
    count = total = 0
    for size, members in _shrunk(share.pictures, share.side, quality, pool):
        if total + size > room:
            break
        for name, data in members:
            add(archive, name, data)
        count, total = count + 1, total + size
    return Packed(share, count, total)


def _shrunk(
    pictures: list[Picture], side: int, quality: int, pool: Executor
) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Members of a bundle, two a picture, and the bytes these two take."""
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        shrunk = pool.map(lambda p: shrink(p.video, p.frame, side, quality), some)
        for picture, data in zip(some, shrunk, strict=True):
            members = list(zip((picture.image_name, picture.mask_name), data, strict=True))
            yield sum(stored(name, len(content)) for name, content in members), members


def main() -> None:
    """Parses the arguments, packs or unpacks, and prints what there is."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=float, help="MiB")
    parser.add_argument("--quality", type=int, default=40, help="of WebP")
    parser.add_argument("--stills", type=int, default=3000, help="photographs wanted")
    parser.add_argument("--frames", type=int, default=900, help="frames of DAVIS wanted")
    parser.add_argument("--clips", type=int, default=250, help="frames of the clips wanted")
    parser.add_argument("--recipes", type=Path, nargs="+", default=[], help="what it is for")
    parser.add_argument("--unpack", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("packs"), help="folder of the packs")
    arguments = parser.parse_args()
    try:
        if arguments.unpack:
            unpacked = unpack_bundle(arguments.file, arguments.out)
            print(*unpacked.packs.values(), *unpacked.starts.values(), sep="\n")
        else:
            _pack(arguments)
    except InputError as error:
        raise SystemExit(str(error)) from error


def _pack(arguments: argparse.Namespace) -> None:
    limit = int(arguments.limit * MIB) if arguments.limit else int(LIMIT * MIB)
    if arguments.recipes and not arguments.limit:
        tree = travel.tree_bytes(ROOT, arguments.file)
        limit = travel.room_beside(tree)
        print(
            f"The source tree takes {tree / MIB:.2f} MiB without its weights, which stay behind: "
            f"{limit / MIB:.2f} of {travel.TAKES // MIB} MiB are left."
        )
    data_sets = sources(DATA, arguments.stills, arguments.frames, arguments.clips)
    starts = starts_of(arguments.recipes)
    packed = write_bundle(arguments.file, data_sets, limit, arguments.quality, starts)
    print(HEADER, *packed, sep="\n")
    size = arguments.file.stat().st_size
    rest = size - sum(each.size for each in packed)
    if starts:
        print(f"{'weights':<18} {len(starts):8} {'':13} {rest / MIB:7.2f}")
    print(f"{arguments.file}: {size / MIB:.2f} MiB, WebP quality {arguments.quality}")


if __name__ == "__main__":
    main()
