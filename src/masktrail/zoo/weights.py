"""Weights on disk: safetensors, small, with the config that rebuilds their network.

Training writes one float16 file (format masktrail-1). What is published and too large for the
wheel is int8 in shards (masktrail-2); every shard carries the same config, and all are needed.
"""

import hashlib
import json
import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from masktrail.errors import InputError
from masktrail.families import create
from masktrail.files import replacing
from masktrail.zoo.files import shard_name, siblings
from masktrail.zoo.headers import FORMAT, SHARDED, header_of, read_config, unknown
from masktrail.zoo.storage import (
    SHARD_BYTES,
    compact,
    quantise,
    restore,
    split,
)

log = logging.getLogger(__name__)


def save_network(
    path: Path,
    network: nn.Module,
    family: str,
    config: dict[str, Any],
) -> None:
    """Writes a network's weights as float16, with its family and config in the header.

    Args:
        path: the file; it appears under its name only when it is complete.
        network: of a family.
        family: its name.
        config: the fields of its config class that differ from the defaults.

    Raises:
        InputError: the file cannot be written.
    """
    header = {"format": FORMAT, "family": family, "config": json.dumps(config)}
    with replacing(path) as part:  # `save_file` would leave a file that others may not read
        part.write_bytes(save(compact(network), metadata=header))


def publish(
    network: nn.Module,
    family: str,
    config: dict[str, Any],
    folder: Path,
    name: str,
    limit: int = SHARD_BYTES,
    origin: str = "",
) -> dict[str, str]:
    """Writes a network's weights as int8 shards `name-00001-of-00002.safetensors`, ...

    Args:
        network: of a family.
        family: its name.
        config: the fields of its config class that differ from the defaults.
        folder: where to; each shard appears under its name only when it is complete.
        name: of the model.
        limit: bytes of the largest shard.
        origin: SHA-256 of the file of `save_network` that the network is from, if it is to be told.

    Returns:
        SHA-256 by file name, in order: `files` of the model's card.

    Raises:
        InputError: see `int8_shards`, or a file cannot be written.
    """
    shards = int8_shards(network, family, config, name, limit, origin)
    for file, content in shards.items():
        with replacing(folder / file) as part:
            part.write_bytes(content)
    return {file: hashlib.sha256(content).hexdigest() for file, content in shards.items()}


def int8_shards(
    network: nn.Module,
    family: str,
    config: dict[str, Any],
    name: str,
    limit: int = SHARD_BYTES,
    origin: str = "",
) -> dict[str, bytes]:
    """What `publish` writes, by file name, in order.

    Raises:
        InputError: a weight is no finite number or too large for a shard.
    """
    tensors = quantise(network)
    header = {"format": SHARDED, "family": family, "config": json.dumps(config)}
    if origin:
        header["origin"] = origin
    header["set"] = hashlib.sha256(save(tensors)).hexdigest()
    shards = split(tensors, limit)
    return {
        shard_name(name, index, len(shards)): save(shard, metadata=header)
        for index, shard in enumerate(shards, start=1)
    }


def load_network(path: Path) -> tuple[nn.Module, str]:
    """Rebuilds a network from a file of `save_network` or a shard of `publish`, the others beside
    it, in float32, for inference.

    Returns:
        The network and the name of its family.

    Raises:
        InputError: a file is missing or is none of ours.
    """
    family, config = read_config(path)
    tensors = _tensors(path)
    try:
        network = create(family, **config)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise unknown(path, error) from error
    return network.eval(), family


def initialise(network: nn.Module, path: Path, fresh: tuple[str, ...] = ()) -> list[str]:
    """Copies into `network` whatever of a safetensors file fits it.

    A file of the whole network fills it; a file of an encoder fills `network.encoder`. A network
    that can start from other files has a method `start_from`, of tensors by name to the names of
    what they filled, or None where they are none of those.

    Args:
        network: is filled.
        path: of the file, or of one of its shards.
        fresh: tensors of the file whose names start so are left out.

    Returns:
        Names of the parameters that were filled.

    Raises:
        InputError: the file is missing, or nothing in it fits.
    """
    tensors = {k: v for k, v in _tensors(path).items() if not k.startswith(fresh)}
    start_from = getattr(network, "start_from", lambda tensors: None)
    filled: list[str] | None = start_from(tensors)
    state = network.state_dict()
    if filled is not None:
        _tell_filled(path, filled, len(tensors), list(state))
        return filled
    fitting: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        for candidate in (name, f"encoder.{name}"):
            if candidate in state and state[candidate].shape == tensor.shape:
                fitting[candidate] = tensor
    _tell_filled(path, fitting, len(tensors), list(state))
    network.load_state_dict(fitting, strict=False)
    return sorted(fitting)


def _tell_filled(path: Path, filled: Collection[str], held: int, wanted: list[str]) -> None:
    """Says what of a network a file fills where that is not all.

    Args:
        path: of the file.
        filled: names of the tensors that it fills.
        held: tensors that it holds.
        wanted: names of all tensors of the network.

    Raises:
        InputError: less than half of what could be filled is.
    """
    if 2 * len(filled) < min(held, len(wanted)):
        raise InputError(
            f"{path} fills {len(filled)} of the {len(wanted)} tensors of the network that was to "
            f"start from it, and holds {held}; expected weights of the same family, or of its "
            "encoder."
        )
    left = [name for name in wanted if name not in filled]
    if left:
        parts = dict.fromkeys(name.split(".")[0] for name in left)
        log.warning(
            "%s fills %d of %d tensors of the network; those that it does not fill begin at "
            "random, some or all of %s.",
            path.name, len(filled), len(wanted), ", ".join(parts),
        )  # fmt: skip


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file and of the shards that belong to it, floats as float32."""
    tensors, shard_set = {}, header_of(path).get("set")
    for file in siblings(path):
        if header_of(file).get("set") != shard_set:
            raise InputError(f"{file} and {path.name} are of different networks; fetch both anew.")
        tensors.update(load_file(file))
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(
                f"{path} holds values that are no finite numbers ({name}): the training that made "
                "it went astray; take weights from before that, or train again with a smaller lr."
            )
    return restore(tensors)
