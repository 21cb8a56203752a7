"""Names of weights files: of those in shards, and of what belongs to them."""

import re
from pathlib import Path

SHARD_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.safetensors")


def shard_name(name: str, index: int, count: int) -> str:
    """File name of shard `index`, from 1, of `count`."""
    return f"{name}-{index:05d}-of-{count:05d}.safetensors"


def siblings(path: Path) -> list[Path]:
    """The files of the network that `path` belongs to: all its shards, or itself alone."""
    match = SHARD_NAME.fullmatch(path.name)
    if not match:
        return [path]
    count = int(match[3])
    return [path.with_name(shard_name(match[1], i, count)) for i in range(1, count + 1)]


def stem_of(path: Path) -> str:
    """What the files of a network's weights begin with."""
    match = SHARD_NAME.fullmatch(path.name)
    return match[1] if match else path.stem
